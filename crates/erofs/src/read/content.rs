//! Where the content of files is, by their inodes and map headers.

use std::io::{Read, Seek};

use super::Image;
use super::index;
use super::inodes::Inode;
use crate::error::Error;
use crate::format::{self, BLOCK_BYTES, MapHeader, advise};

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

impl<R: Read + Seek> Image<R> {
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
}
