//! Where inodes go: each in one block where it fits into one, best fit, so that few bytes are lost.
//!
//! An inline tail must not cross the end of a block. Inodes larger than a block have an index behind them, which may;
//! they follow one another after the rest.

use std::collections::BTreeMap;

use crate::format::{BLOCK, SLOT};
use crate::tree::NodeId;

/// Places of inodes in an area that starts at a block.
#[derive(Debug)]
pub(super) struct Placed {
    /// Byte offset of each inode in the area.
    pub(super) at: Vec<(NodeId, usize)>,
    /// Bytes of the area up to the end of the last inode.
    pub(super) size: usize,
}

impl Placed {
    /// The bytes of the area.
    pub(super) fn fill<B: AsRef<[u8]>>(&self, mut inode: impl FnMut(NodeId) -> B) -> Vec<u8> {
        let mut area = vec![0; self.size];
        for &(id, at) in &self.at {
            let bytes = inode(id);
            let bytes = bytes.as_ref();
            area[at..at + bytes.len()].copy_from_slice(bytes);
        }
        area
    }
}

/// Chooses inodes that fit into `room` bytes, in their order: their offsets, and those that are left.
pub(super) fn choose(room: usize, items: Vec<(NodeId, usize)>) -> (Placed, Vec<(NodeId, usize)>) {
    let mut placed = Placed { at: Vec::new(), size: 0 };
    let left = items.into_iter().filter(|&(id, size)| {
        let size = size.next_multiple_of(SLOT);
        let fits = placed.size + size <= room;
        if fits {
            placed.at.push((id, placed.size));
            placed.size += size;
        }
        !fits
    });
    let left = left.collect();
    (placed, left)
}

/// Places inodes of the given sizes in bytes, in their order as far as blocks allow.
pub(super) fn place(items: &[(NodeId, usize)]) -> Placed {
    let mut placed = Placed { at: Vec::with_capacity(items.len()), size: 0 };
    // Blocks with room, by the room they have.
    let mut open = BTreeMap::<usize, Vec<usize>>::new();
    let mut blocks = 0;
    for &(id, size) in items.iter().filter(|(_, size)| *size <= BLOCK) {
        let size = size.next_multiple_of(SLOT);
        let fit = open.range(size..).next().map(|(&room, _)| room);
        let (block, room) = match fit {
            Some(room) => {
                let candidates = open.get_mut(&room).expect("just found");
                let block = candidates.pop().expect("never left empty");
                if candidates.is_empty() {
                    open.remove(&room);
                }
                (block, room)
            }
            None => {
                blocks += 1;
                (blocks - 1, BLOCK)
            }
        };
        let at = block * BLOCK + BLOCK - room;
        placed.at.push((id, at));
        placed.size = placed.size.max(at + size);
        if room > size {
            open.entry(room - size).or_default().push(block);
        }
    }
    for &(id, size) in items.iter().filter(|(_, size)| *size > BLOCK) {
        placed.at.push((id, placed.size));
        placed.size += size.next_multiple_of(SLOT);
    }
    placed
}
