//! Content of files, piece by piece: blocks, inline tails, LZ4, fragments.

use std::io::{Read, Seek};

use super::Image;
use super::content::{Content, Layout, Tail};
use super::index::{self, Cache, Lcluster};
use crate::error::{Error, corrupt};
use crate::format::{BLOCK, BLOCK_BYTES};

/// Stored content is handed out in pieces of at most this size.
pub(super) const PIECE: u64 = 1 << 20;
/// Most bytes of one physical cluster (`Z_EROFS_PCLUSTER_MAX_SIZE`).
const MAX_PCLUSTER: u64 = 1 << 20;
/// Most bytes that one physical cluster decodes to (`Z_EROFS_PCLUSTER_MAX_DSIZE`).
pub(super) const MAX_DECODED: u64 = 12 << 20;

/// A run of content: where it is in the file, and where in the image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) start: u64,
    pub(super) end: u64,
    compressed: bool,
    pub(super) block: u32,
    pub(super) blocks: u64,
    partial: bool,
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
