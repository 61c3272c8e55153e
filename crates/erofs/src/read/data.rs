//! Content of files: blocks, inline tails, LZ4, fragments.

use std::io::{Read, Seek};

use super::Image;
use super::index::{self, Cache, Lcluster};
use super::inodes::Inode;
use crate::error::{Error, corrupt};
use crate::format::{self, BLOCK, BLOCK_BYTES, MapHeader, advise};

/// Stored content is handed out in pieces of at most this size.
pub(super) const PIECE: u64 = 1 << 20;
/// Most bytes of one physical cluster (`Z_EROFS_PCLUSTER_MAX_SIZE`).
const MAX_PCLUSTER: u64 = 1 << 20;
/// Most bytes that one physical cluster decodes to (`Z_EROFS_PCLUSTER_MAX_DSIZE`).
pub(super) const MAX_DECODED: u64 = 12 << 20;

/// Where the content of a file is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Content {
    pub(super) size: u64,
    pub(super) layout: Layout,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Layout {
    /// All of it, or all but a tail, from this byte on.
    Stored { at: u64, tail_at: Option<u64> },
    /// In extents, and the end of it elsewhere.
    Compressed { index: index::Layout, tail: Tail, interlaced: bool },
    /// In the packed inode, from this byte of its content on.
    Fragment { at: u64 },
}

/// Where the last extent of a compressed file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tail {
    /// In blocks as the others.
    Blocks,
    /// Behind the index: `size` bytes from byte `at` on.
    Inline { at: u64, size: u64 },
    /// In the packed inode, from this byte of its content on; more bits of it may be in the last index entry.
    Fragment { at: u64 },
}

/// A run of content: where it is in the file, and where in the image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) start: u64,
    end: u64,
    compressed: bool,
    block: u32,
    blocks: u64,
    partial: bool,
}

/// A run of bytes of the image that an inode's content or index takes, up to byte `end`.
pub(super) enum Run {
    Blocks { at: u64, end: u64 },
    Inline { at: u64, end: u64 },
    Index { at: u64, end: u64 },
}

impl Content {
    /// Bytes of content.
    pub fn size(&self) -> u64 {
        self.size
    }
}

/// Content of a file, piece by piece.
#[derive(Debug)]
pub struct Chunks<'a, R> {
    image: &'a mut Image<R>,
    content: Content,
    /// Bytes handed out so far.
    pub(super) at: u64,
    cache: Cache,
}

impl<R: Read + Seek> Image<R> {
    /// The content of a file of this image's tree.
    pub fn chunks(&mut self, content: &Content) -> Chunks<'_, R> {
        Chunks { image: self, content: content.clone(), at: 0, cache: Cache::default() }
    }

    /// Where a file's content is.
    pub(super) fn content(&mut self, inode: &Inode) -> Result<Content, Error> {
        let at = u64::from(inode.i_u).saturating_mul(BLOCK_BYTES);
        let layout = match inode.layout {
            format::LAYOUT_FLAT_INLINE => Layout::Stored { at, tail_at: Some(inode.end()) },
            format::LAYOUT_COMPRESSED_FULL | format::LAYOUT_COMPRESSED_COMPACT
                if inode.size > 0 =>
            {
                self.compressed(inode)?
            }
            _ => Layout::Stored { at, tail_at: None },
        };
        Ok(Content { size: inode.size, layout })
    }

    /// Reads the map header of a compressed file.
    fn compressed(&mut self, inode: &Inode) -> Result<Layout, Error> {
        if self.superblock.feature_incompat.get() & format::INCOMPAT_ZERO_PADDING == 0 {
            return Err(Error::Unsupported("LZ4 without zero padding (before Linux 5.4)"));
        }
        let header_at = inode.end().next_multiple_of(8);
        let mut raw = [0; 8];
        self.read_at(header_at, &mut raw, "map header")?;
        let whole = u64::from_le_bytes(raw);
        if whole >> 63 == 1 {
            return Ok(Layout::Fragment { at: whole & (u64::MAX >> 1) });
        }
        let MapHeader { h_fragmentoff, h_advise, h_algorithmtype, h_clusterbits } =
            zerocopy::transmute!(raw);
        let advise = h_advise.get();
        if h_algorithmtype & 0xF != 0 {
            return Err(Error::Unsupported("a compressor other than LZ4"));
        }
        if h_clusterbits & 0xF != 0 {
            return Err(Error::Unsupported("logical clusters larger than a block"));
        }
        if advise & !advise::KNOWN != 0 {
            return Err(Error::Unsupported("compression features newer than this program"));
        }
        let compact = inode.layout == format::LAYOUT_COMPRESSED_COMPACT;
        let index = index::Layout {
            at: header_at.saturating_add(if compact { 8 } else { 16 }),
            compact,
            packs_of_16: advise & advise::COMPACTED_2B != 0,
            big_pcluster: advise & advise::BIG_PCLUSTER_1 != 0,
            clusters: inode.size.div_ceil(BLOCK_BYTES),
        };
        let behind = index.at.saturating_add(index.size());
        let tail = if advise & advise::INLINE_PCLUSTER != 0 {
            // The second half of the field is `h_idata_size`.
            Tail::Inline { at: behind, size: u64::from(h_fragmentoff.get() >> 16) }
        } else if advise & advise::FRAGMENT_PCLUSTER != 0 {
            Tail::Fragment { at: u64::from(h_fragmentoff.get()) }
        } else {
            Tail::Blocks
        };
        Ok(Layout::Compressed {
            index,
            tail,
            interlaced: advise & advise::INTERLACED_PCLUSTER != 0,
        })
    }

    /// Bytes behind an inode that are its alone: tail, or index and inline cluster.
    pub(super) fn following(inode: &Inode, content: &Content) -> u64 {
        let end = match content.layout {
            Layout::Stored { tail_at: Some(at), .. } => at.saturating_add(inode.size % BLOCK_BYTES),
            Layout::Compressed { tail: Tail::Inline { at, size }, .. } => at.saturating_add(size),
            Layout::Compressed { index, .. } => index.at.saturating_add(index.size()),
            Layout::Fragment { .. } => inode.end().next_multiple_of(8).saturating_add(8),
            Layout::Stored { .. } => inode.end(),
        };
        end.saturating_sub(inode.end())
    }

    /// Where the content of an inode lies in the image, and its index.
    pub(super) fn runs(&mut self, inode: &Inode, content: &Content) -> Result<Vec<Run>, Error> {
        let end = inode.end().saturating_add(Self::following(inode, content));
        let index_at = inode.end().next_multiple_of(8);
        Ok(match content.layout {
            Layout::Stored { at, tail_at } => {
                let tail = if tail_at.is_some() { content.size % BLOCK_BYTES } else { 0 };
                let stored = content.size.saturating_sub(tail);
                let blocks =
                    (stored > 0).then(|| Run::Blocks { at, end: at.saturating_add(stored) });
                let inline = tail_at.map(|at| Run::Inline { at, end });
                blocks.into_iter().chain(inline).collect()
            }
            Layout::Fragment { .. } => vec![Run::Index { at: index_at, end }],
            Layout::Compressed { index, tail, .. } => {
                let mut runs = match tail {
                    Tail::Inline { at, .. } => {
                        vec![Run::Index { at: index_at, end: at }, Run::Inline { at, end }]
                    }
                    _ => vec![Run::Index { at: index_at, end }],
                };
                for extent in self.chunks(content).extents(index)? {
                    if tail == Tail::Blocks || extent.end < content.size {
                        let at = u64::from(extent.block).saturating_mul(BLOCK_BYTES);
                        let length = extent.blocks.saturating_mul(BLOCK_BYTES);
                        runs.push(Run::Blocks { at, end: at.saturating_add(length) });
                    }
                }
                runs
            }
        })
    }

    /// All content at once. That of folders and links is no longer than the image; of a file the caller looks at
    /// [`Content::size`] first, since a few bytes can decode to many.
    ///
    /// # Errors
    /// As for [`Chunks::next_chunk`].
    pub fn read_all(&mut self, content: &Content) -> Result<Vec<u8>, Error> {
        let mut chunks = self.chunks(content);
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next_chunk()? {
            bytes.extend(chunk);
        }
        Ok(bytes)
    }
}

impl<R: Read + Seek> Chunks<'_, R> {
    /// The next piece, or `None` behind the last one.
    ///
    /// # Errors
    /// An index breaks the format, a block does not decode to what its index says, or the source fails.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let left = self.content.size.saturating_sub(self.at);
        if left == 0 {
            return Ok(None);
        }
        let chunk = match self.content.layout {
            Layout::Stored { at, tail_at } => self.stored(left, at, tail_at)?,
            Layout::Compressed { index, tail, interlaced } => {
                let extent = self.extent(index, self.at)?;
                self.decode(index, tail, interlaced, extent)?
            }
            Layout::Fragment { at } => self.image.fragment(at.saturating_add(self.at), left)?,
        };
        self.at = self.at.saturating_add(chunk.len() as u64);
        Ok(Some(chunk))
    }

    fn stored(&mut self, left: u64, at: u64, tail_at: Option<u64>) -> Result<Vec<u8>, Error> {
        let tail = if tail_at.is_some() { self.content.size % BLOCK_BYTES } else { 0 };
        let stored = left.saturating_sub(tail);
        if stored > 0 {
            let from = at.saturating_add(self.at);
            return self.image.read_vec(from, stored.min(PIECE), "content");
        }
        self.image.read_vec(tail_at.unwrap_or_default(), tail, "inline tail")
    }

    /// All extents, in order.
    pub(super) fn extents(&mut self, index: index::Layout) -> Result<Vec<Extent>, Error> {
        let (mut extents, mut at) = (Vec::new(), 0);
        while at < self.content.size {
            let extent = self.extent(index, at)?;
            if extent.end <= at {
                let expected = format_args!("more than {at}");
                return Err(corrupt(index.at, "end of an extent", expected, extent.end));
            }
            at = extent.end;
            extents.push(extent);
        }
        Ok(extents)
    }

    /// The extent that starts at a byte of the content.
    fn extent(&mut self, index: index::Layout, start: u64) -> Result<Extent, Error> {
        let lcn = start / BLOCK_BYTES;
        let wrong =
            |found: &dyn std::fmt::Display| corrupt(index.at, "start of an extent", start, found);
        let head = self.image.lcluster(&mut self.cache, index, lcn)?;
        let Lcluster::Head { compressed, start: offset, block, partial } = head else {
            return Err(wrong(&"none"));
        };
        if u64::from(offset) != start % BLOCK_BYTES {
            return Err(wrong(&lcn.saturating_mul(BLOCK_BYTES).saturating_add(u64::from(offset))));
        }
        let (mut end, mut blocks) = (self.content.size, 1);
        let mut next = lcn.saturating_add(1);
        while next < index.clusters {
            match self.image.lcluster(&mut self.cache, index, next)? {
                Lcluster::Head { start, .. } => {
                    end =
                        end.min(next.saturating_mul(BLOCK_BYTES).saturating_add(u64::from(start)));
                    break;
                }
                Lcluster::NonHead { blocks: Some(count) } if next == lcn.saturating_add(1) => {
                    blocks = u64::from(count);
                }
                Lcluster::NonHead { .. } => {}
            }
            next = next.saturating_add(1);
            if next.saturating_sub(lcn).saturating_mul(BLOCK_BYTES)
                > MAX_DECODED.saturating_add(2 * BLOCK_BYTES)
            {
                return Err(corrupt(index.at, "length of an extent", "at most 12 MiB", "more"));
            }
        }
        Ok(Extent { start, end, compressed, block, blocks, partial })
    }

    /// The content of an extent.
    fn decode(
        &mut self,
        index: index::Layout,
        tail: Tail,
        interlaced: bool,
        extent: Extent,
    ) -> Result<Vec<u8>, Error> {
        let Extent { start, end, compressed, block, blocks, partial } = extent;
        let length = end.saturating_sub(start);
        let mut at = u64::from(block).saturating_mul(BLOCK_BYTES);
        let mut size = blocks.saturating_mul(BLOCK_BYTES);
        let is_last = end == self.content.size;
        match tail {
            Tail::Inline { at: inline, size: inline_size } if is_last => {
                (at, size) = (inline, inline_size);
            }
            Tail::Fragment { at: low } if is_last => {
                // Full indexes have the upper half of the place in the last entry.
                let high = if index.compact { 0 } else { u64::from(block) << 32 };
                return self.image.whole_fragment(low | high, length);
            }
            _ => {}
        }
        let wrong = |found: &dyn std::fmt::Display| {
            corrupt(at, "cluster of an extent", format_args!("{length} bytes of content"), found)
        };
        if length == 0 || length > MAX_DECODED || size > MAX_PCLUSTER {
            return Err(wrong(&format_args!("{size} bytes")));
        }
        let mut packed = self.image.read_vec(at, size, "extent")?;
        let wanted = usize::try_from(length).unwrap_or(usize::MAX);
        if !compressed {
            if interlaced && packed.len() == BLOCK {
                // Bytes lie in the block where they lie in the cluster.
                packed.rotate_left(usize::try_from(start % BLOCK_BYTES).unwrap_or_default());
            }
            if packed.len() < wanted {
                return Err(wrong(&packed.len()));
            }
            packed.truncate(wanted);
            return Ok(packed);
        }
        let padding = packed.iter().take_while(|byte| **byte == 0).count();
        let lz4 = packed.get(padding..).unwrap_or_default();
        // A block of which only the beginning is wanted decodes to no one knows how much.
        let room = if partial { lz4.len().saturating_mul(255) } else { wanted };
        let mut content = vec![0; room.min(usize::try_from(MAX_DECODED).unwrap_or_default())];
        match lz4_flex::block::decompress_into(lz4, &mut content) {
            Ok(decoded) if decoded == wanted || partial && decoded > wanted => {
                content.truncate(wanted);
                Ok(content)
            }
            Ok(decoded) => Err(wrong(&decoded)),
            Err(error) => Err(wrong(&error)),
        }
    }
}
