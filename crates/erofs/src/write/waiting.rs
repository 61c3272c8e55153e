//! Inodes that are made and wait for their places.

use super::Writer;
use super::inodes::Body;
use super::place::{self, Item, Placed};
use crate::format::SLOT;
use crate::tree::{Kind, NodeId};

/// Inodes and tails that wait before they are placed and written: enough to fill blocks well, little to hold.
const WAITING_INODES: usize = 16 << 20;
/// Bytes that an inode takes beside its own while it waits, about.
pub(super) const PER_INODE: usize = 64;
/// What is not written yet then, since it is in blocks that have room for inodes that come later.
const OPEN: usize = WAITING_INODES / 2;

/// An inode that waits for its place.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The inode and all that follows it.
    pub(super) bytes: Vec<u8>,
    /// Bytes at their end that must be in one block.
    pub(super) whole: usize,
}

impl Waiting {
    /// Bytes of memory, about.
    fn weight(&self) -> usize {
        self.bytes.len() + PER_INODE
    }

    pub(super) fn item(&self, id: NodeId) -> Item {
        Item { id, size: self.bytes.len(), whole: self.whole }
    }
}

impl Writer {
    /// Lets an inode wait.
    pub(super) fn wait(&mut self, id: NodeId, body: &Body) {
        let size = match &self.tree.node(id).kind {
            Kind::File(size) => *size,
            Kind::Symlink(target) => target.len() as u64,
            _ => 0,
        };
        let bytes = self.inode(id, body, size);
        let waiting = Waiting { bytes, whole: body.whole };
        self.waiting_bytes += waiting.weight();
        self.waiting.insert(id, waiting);
    }

    /// Gives placed inodes their numbers; their area starts at byte `start`.
    pub(super) fn number(&mut self, placed: &Placed, start: u64) {
        for &(id, at) in &placed.at {
            self.nids[id.index()] = (start + at as u64) / SLOT as u64;
        }
    }

    /// Writes the inodes that wait, if they are many, so that memory stays bounded.
    pub(super) fn place_waiting(&mut self) {
        if self.waiting_bytes <= WAITING_INODES {
            return;
        }
        let waiting = self.waiting.iter();
        let items: Vec<_> = waiting.map(|(&id, waiting)| waiting.item(id)).collect();
        let (_, placed) = place::place(0, &items, OPEN);
        self.number(&placed, self.output.at());
        self.write_placed(placed, |writer, id| {
            writer.waiting.remove(&id).map_or_else(Vec::new, |waiting| waiting.bytes)
        });
        self.waiting_bytes = self.waiting.values().map(Waiting::weight).sum();
    }

    /// Writes inodes to their places, one by one, so that they are not all there a second time.
    pub(super) fn write_placed(
        &mut self,
        placed: Placed,
        mut inode: impl FnMut(&mut Self, NodeId) -> Vec<u8>,
    ) {
        let start = self.output.at();
        let end = start + placed.size as u64;
        for (id, at) in placed.in_order() {
            let bytes = inode(self, id);
            self.output.fill(start + at as u64);
            self.output.append(&bytes);
        }
        self.output.fill(end);
    }
}
