//! The last cluster of compressed content: in a block as the others, behind the index, or in the packed inode.

use zerocopy::IntoBytes as _;

use super::inodes::Body;
use super::packs::{self, Index};
use crate::compress::{Extent, Tail};
use crate::format::{BLOCK, MapHeader, advise};

/// Where the last cluster is, if it is not in a block.
#[derive(Debug)]
pub(super) enum Ending {
    /// Behind the index.
    Inline(Vec<u8>),
    /// In the packed inode, from that byte of its content on.
    Fragment(u64),
}

/// Room for a tail behind an inode.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Bytes of the inode and its attributes.
    pub(super) inode: usize,
    /// Most bytes of a tail that saves any, though several inodes have it.
    pub(super) most: usize,
}

impl Room {
    /// Bytes that a tail may have behind so many others: those left of the block in which these end. More would be
    /// lost in front of it.
    pub(super) fn behind(self, bytes: usize) -> usize {
        (BLOCK - (self.inode + bytes) % BLOCK).min(self.most)
    }
}

impl Ending {
    /// The end of content whose index has at most `entries`, if there is room for it behind the inode. Where there is
    /// none, the last of the extents gets a block of its own behind `blocks`.
    pub(super) fn of(
        tail: Tail,
        room: Room,
        entries: usize,
        blocks: &mut Vec<u8>,
        extents: &mut [Extent],
    ) -> Option<Self> {
        // Alignment, map header, index.
        if tail.bytes.len() <= room.behind(16 + packs::most_compact(entries)) {
            return Some(Self::Inline(tail.bytes));
        }
        put_into_block(tail, blocks, extents.last_mut());
        None
    }

    /// What the inode of `blocks` compressed blocks says, and what follows it.
    pub(super) fn body(ending: Option<&Self>, index: &Index, blocks: u64) -> Body {
        let (advise, h_fragmentoff, inline) = match ending {
            Some(Self::Fragment(at)) => (advise::FRAGMENT_PCLUSTER, *at as u32, &[][..]),
            // The second half of the field is `h_idata_size`.
            Some(Self::Inline(bytes)) => {
                (advise::INLINE_PCLUSTER, (bytes.len() as u32) << 16, bytes.as_slice())
            }
            None => (0, 0, &[][..]),
        };
        let header = MapHeader {
            h_fragmentoff: h_fragmentoff.into(),
            h_advise: (advise | index.advise).into(),
            ..MapHeader::default()
        };
        Body::compressed(index.layout, blocks, &[header.as_bytes(), &index.bytes], inline)
    }
}

/// Gives a last extent that has no place behind its inode a block of its own.
fn put_into_block(tail: Tail, blocks: &mut Vec<u8>, extent: Option<&mut Extent>) {
    match (tail.content, extent) {
        (Some(content), Some(extent)) => {
            extent.compressed = false;
            blocks.extend_from_slice(&content);
            blocks.resize(blocks.len().next_multiple_of(BLOCK), 0);
        }
        _ => {
            // Compressed data is at the end of its block.
            blocks.resize(blocks.len() + BLOCK - tail.bytes.len(), 0);
            blocks.extend_from_slice(&tail.bytes);
        }
    }
}
