//! Content of files: blocks, inline tails, LZ4.

use std::io::{Read, Seek};
use std::ops::Range;

use super::Image;
use super::inodes::Inode;
use crate::error::{Error, corrupt};
use crate::format::{self, BLOCK, BLOCK_BYTES, LclusterIndex, MapHeader};

/// Stored content is handed out in pieces of at most this size.
const PIECE: u64 = 1 << 20;
/// Most bytes that a block of LZ4 can decode to.
const MAX_DECODED: usize = BLOCK * 255;
/// Logical clusters that an extent can touch.
const MAX_CLUSTERS: u64 = (MAX_DECODED / BLOCK) as u64 + 2;
/// Logical clusters whose index is read at once.
const INDEX_PIECE: u64 = 512;

/// Where the content of a file is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Content {
    size: u64,
    /// Byte offset of the inode, for messages.
    inode_at: u64,
    layout: Layout,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Layout {
    /// All of it, or all but a tail, from this byte on.
    Stored { at: u64, tail_at: Option<u64> },
    /// In extents; the index starts at this byte.
    Compressed { index_at: u64 },
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
    at: u64,
    index: Index,
}

impl<R: Read + Seek> Image<R> {
    /// The content of a file of this image's tree.
    pub fn chunks(&mut self, content: &Content) -> Chunks<'_, R> {
        Chunks { image: self, content: content.clone(), at: 0, index: Index::default() }
    }

    /// Where a file's content is.
    pub(super) fn content(&mut self, inode: &Inode) -> Result<Content, Error> {
        let at = u64::from(inode.i_u).saturating_mul(BLOCK_BYTES);
        let layout = match inode.layout {
            format::LAYOUT_FLAT_INLINE => Layout::Stored { at, tail_at: Some(inode.end()) },
            format::LAYOUT_COMPRESSED_FULL => {
                if self.superblock.feature_incompat.get() & format::INCOMPAT_ZERO_PADDING == 0 {
                    return Err(Error::Unsupported("LZ4 without zero padding (before Linux 5.4)"));
                }
                let header_at = inode.end().next_multiple_of(8);
                let header: MapHeader = self.read_struct(header_at, "map header")?;
                if header.h_algorithmtype & 0xF != 0 {
                    return Err(Error::Unsupported("a compressor other than LZ4"));
                }
                if header.h_advise.get() != 0 || header.h_clusterbits != 0 {
                    return Err(Error::Unsupported("compression features newer than Linux 5.4"));
                }
                Layout::Compressed { index_at: header_at.saturating_add(16) }
            }
            _ => Layout::Stored { at, tail_at: None },
        };
        Ok(Content { size: inode.size, inode_at: inode.at, layout })
    }

    /// All content of a folder or a link, which `check_layout` has held against the size of the image.
    pub(super) fn read_all(&mut self, inode: &Inode) -> Result<Vec<u8>, Error> {
        let tail = match inode.layout {
            format::LAYOUT_FLAT_INLINE => inode.size % BLOCK_BYTES,
            _ => 0,
        };
        let at = u64::from(inode.i_u).saturating_mul(BLOCK_BYTES);
        let stored = inode.size.saturating_sub(tail);
        let mut bytes = match stored {
            0 => Vec::new(),
            _ => self.read_vec(at, stored, "content")?,
        };
        bytes.extend(self.read_vec(inode.end(), tail, "inline tail")?);
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
            Layout::Stored { at, tail_at } => {
                let tail = if tail_at.is_some() { self.content.size % BLOCK_BYTES } else { 0 };
                let stored = left.saturating_sub(tail);
                if stored > 0 {
                    let from = at.saturating_add(self.at);
                    self.image.read_vec(from, stored.min(PIECE), "content")?
                } else {
                    self.image.read_vec(tail_at.unwrap_or_default(), tail, "inline tail")?
                }
            }
            Layout::Compressed { index_at } => self.next_extent(index_at)?,
        };
        self.at = self.at.saturating_add(chunk.len() as u64);
        Ok(Some(chunk))
    }

    /// The extent that starts at `self.at`.
    fn next_extent(&mut self, index_at: u64) -> Result<Vec<u8>, Error> {
        let lcn = self.at / BLOCK_BYTES;
        let (kind, start, address) = self.lcluster(index_at, lcn)?;
        let expected = self.at % BLOCK_BYTES;
        if kind == format::LCLUSTER_NONHEAD || u64::from(start) != expected {
            let place = index_at.saturating_add(lcn.saturating_mul(8));
            return Err(corrupt(place, "start of an extent", expected, start));
        }
        let end = self.extent_end(index_at, lcn)?;
        let length = end.saturating_sub(self.at);
        let at = u64::from(address).saturating_mul(BLOCK_BYTES);
        let wrong = |found: &dyn std::fmt::Display| {
            corrupt(at, "block of an extent", format_args!("{length} bytes of content"), found)
        };
        if kind == format::LCLUSTER_PLAIN {
            if length > BLOCK_BYTES {
                return Err(wrong(&BLOCK));
            }
            return self.image.read_vec(at, length, "stored extent");
        }
        let packed = self.image.read_vec(at, BLOCK_BYTES, "compressed extent")?;
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= MAX_DECODED)
        else {
            return Err(wrong(&"more than a block can hold"));
        };
        let padding = packed.iter().take_while(|byte| **byte == 0).count();
        let lz4 = packed.get(padding..).unwrap_or_default();
        let mut content = vec![0; length];
        match lz4_flex::block::decompress_into(lz4, &mut content) {
            Ok(decoded) if decoded == length => Ok(content),
            Ok(decoded) => Err(wrong(&decoded)),
            Err(error) => Err(wrong(&error)),
        }
    }

    /// Where the extent with its head in cluster `lcn` ends: at the next head or at the end of the file.
    fn extent_end(&mut self, index_at: u64, lcn: u64) -> Result<u64, Error> {
        let clusters = self.content.size.div_ceil(BLOCK_BYTES);
        let mut next = lcn.saturating_add(1);
        while next < clusters {
            let (kind, start, _) = self.lcluster(index_at, next)?;
            if kind != format::LCLUSTER_NONHEAD {
                let end = next.saturating_mul(BLOCK_BYTES).saturating_add(u64::from(start));
                return Ok(end.min(self.content.size));
            }
            next = next.saturating_add(1);
            if next.saturating_sub(lcn) > MAX_CLUSTERS {
                let place = index_at.saturating_add(lcn.saturating_mul(8));
                return Err(corrupt(place, "length of an extent", "at most 1 MiB", "more"));
            }
        }
        Ok(self.content.size)
    }

    /// Type, start within the cluster and block address of a logical cluster's index.
    fn lcluster(&mut self, index_at: u64, lcn: u64) -> Result<(u16, u16, u32), Error> {
        if !self.index.range.contains(&lcn) {
            let clusters = self.content.size.div_ceil(BLOCK_BYTES);
            let end = clusters.min(lcn.saturating_add(INDEX_PIECE));
            let at = index_at.saturating_add(lcn.saturating_mul(8));
            let length = end.saturating_sub(lcn).saturating_mul(8);
            let bytes = self.image.read_vec(at, length, "index")?;
            let (chunks, _) = bytes.as_chunks::<8>();
            self.index.entries = chunks.iter().map(|bytes| zerocopy::transmute!(*bytes)).collect();
            self.index.range = lcn..end;
        }
        let entry = usize::try_from(lcn.saturating_sub(self.index.range.start)).ok();
        let place = index_at.saturating_add(lcn.saturating_mul(8));
        let Some(entry) = entry.and_then(|entry| self.index.entries.get(entry)) else {
            return Err(corrupt(self.content.inode_at, "index", "one per cluster", lcn));
        };
        let (advise, start) = (entry.di_advise.get(), entry.di_clusterofs.get());
        let kind = advise & format::LCLUSTER_TYPE_MASK;
        if kind > format::LCLUSTER_NONHEAD || advise & !format::LCLUSTER_TYPE_MASK != 0 {
            return Err(Error::Unsupported("a second compressor or partial extents (Linux 5.16)"));
        }
        if kind != format::LCLUSTER_NONHEAD && usize::from(start) >= BLOCK {
            return Err(corrupt(place, "start within a cluster", "< 4096", start));
        }
        Ok((kind, start, entry.di_u.get()))
    }
}

/// The part of an index that was read last.
#[derive(Debug, Default)]
struct Index {
    range: Range<u64>,
    entries: Vec<LclusterIndex>,
}

/// Bytes that map header and index of a file of `size` bytes take.
pub(super) fn index_size(size: u64) -> u64 {
    size.div_ceil(BLOCK_BYTES).saturating_mul(8).saturating_add(16)
}
