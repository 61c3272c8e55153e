//! The packed inode, the file without a name that holds the fragments: what comes back of its pieces.

use super::data::in_blocks;
use super::index::{self, Entry, Runs};
use super::inodes::Body;
use super::output::Output;
use super::packs;
use super::tails::{Ending, Room};
use crate::compress::{Data, End, Packed, SEGMENT};
use crate::format::{BLOCK, InodeCompact, MapHeader};

/// Where the index is, from the inode on.
const INDEX_AT: usize = size_of::<InodeCompact>().next_multiple_of(8) + size_of::<MapHeader>();
/// Bytes of the first piece that is compressed on its own. The packs of the index, of 16 logical clusters each behind the
/// first few, end where pieces end then, so that pieces may lie anywhere.
pub(super) const FIRST: usize = SEGMENT - (16 - packs::front(INDEX_AT)) * BLOCK;

#[derive(Debug)]
pub(super) struct PackedInode {
    /// Bytes of content.
    size: u64,
    index: Vec<Entry>,
    /// The last cluster, once it came, if it is not in a block.
    end: Option<Ending>,
    /// Blocks that are not written yet, each with the place in the index where they start.
    held: Vec<(usize, Vec<u8>)>,
    /// Where blocks were written, and how many.
    runs: Option<Runs>,
    blocks: u64,
    /// Whether physical clusters may be larger than a block.
    big: bool,
}

impl PackedInode {
    pub(super) fn new(big: bool) -> Self {
        let (index, held) = (Vec::new(), Vec::new());
        Self { size: 0, index, end: None, held, runs: None, blocks: 0, big }
    }

    /// Bytes of the content that came.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next piece.
    pub(super) fn add(&mut self, packed: Packed) {
        let Packed { size, data, .. } = packed;
        self.size += size as u64;
        let (extents, blocks) = match data {
            Data::Compressed { mut blocks, mut extents, end: End::Tail(tail) } => {
                let room = Room { inode: size_of::<InodeCompact>(), most: BLOCK };
                let entries = self.index.len() + size.div_ceil(BLOCK);
                self.end = Ending::of(tail, room, entries, &mut blocks, &mut extents);
                (extents, blocks)
            }
            data => in_blocks(data),
        };
        self.held.push((self.index.len(), blocks));
        index::push_extents(&mut self.index, &extents, size, true, self.big);
    }

    /// Writes the blocks that came.
    pub(super) fn write(&mut self, output: &mut Output) {
        for (place, held) in self.held.drain(..) {
            let (start, blocks) = (output.block(), (held.len() / BLOCK) as u64);
            self.runs.get_or_insert_with(|| Runs::new(start)).push(place, start, blocks);
            self.blocks += blocks;
            output.append_owned(held);
        }
    }

    pub(super) fn is_written(&self) -> bool {
        self.held.is_empty()
    }

    /// What the inode says and the bytes of its content, if there is one. All is written.
    pub(super) fn finish(&self) -> Option<(Body, u64)> {
        let index = packs::shortest(&self.index, self.runs.as_ref()?, INDEX_AT, self.big);
        Some((Ending::body(self.end.as_ref(), &index, self.blocks), self.size))
    }
}
