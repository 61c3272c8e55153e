//! Content of one file as it comes in: where its blocks are and which index they need.

use super::index::{self, Entry};
use super::inodes::Body;
use super::output::Output;
use crate::compress::{Data, Extent, Packed, Tail};
use crate::error::Error;
use crate::format::BLOCK;
use crate::tree::NodeId;

/// A file of which some content may have come.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) node: NodeId,
    size: u64,
    received: u64,
    start: u64,
    blocks: u64,
    /// Content that goes behind the inode.
    tail: Vec<u8>,
    /// The last cluster of a compressed file, if it goes behind the index.
    inline: Option<Vec<u8>>,
    /// Index of a compressed file; `None` as long as all content is stored.
    index: Option<Vec<Entry>>,
}

impl Incoming {
    /// A file of `size` bytes whose blocks start at address `start`.
    pub(super) fn new(node: NodeId, size: u64, start: u64) -> Self {
        Self {
            node,
            size,
            received: 0,
            start,
            blocks: 0,
            tail: Vec::new(),
            inline: None,
            index: None,
        }
    }

    /// Takes the next piece; a tail of up to `inline` bytes may follow the inode.
    pub(super) fn add(
        &mut self,
        packed: Packed,
        inline: usize,
        big: bool,
        output: &mut Output,
    ) -> Result<(), Error> {
        let found = self.received + packed.size as u64;
        // An index counts whole clusters, so only the last piece may end within one.
        let aligned = packed.size.is_multiple_of(BLOCK) || found == self.size;
        if packed.size == 0 || found > self.size || !aligned {
            return Err(Error::ContentSize { expected: self.size, found });
        }
        match packed.data {
            Data::Stored(content) => self.add_stored(content, inline, output),
            Data::Compressed { mut blocks, mut extents, tail } => {
                let index = self.index.get_or_insert_with(|| {
                    let mut index = Vec::new();
                    index::push_stored(&mut index, self.blocks);
                    index
                });
                if let Some(tail) = tail {
                    let clusters = index.len() + packed.size.div_ceil(BLOCK);
                    // Map header, alignment, and an index of packs of 2, which is the longest that it can be.
                    let room = inline.saturating_sub(16 + 4 * clusters.next_multiple_of(2));
                    if tail.bytes.len() <= room {
                        self.inline = Some(tail.bytes);
                    } else {
                        put_into_block(tail, &mut blocks, extents.last_mut());
                    }
                }
                index::push_extents(index, packed.size, &extents, big);
                self.blocks += (blocks.len() / BLOCK) as u64;
                output.append(&blocks);
            }
        }
        self.received = found;
        Ok(())
    }

    fn add_stored(&mut self, mut content: Vec<u8>, inline: usize, output: &mut Output) {
        let tail = content.len() % BLOCK;
        if self.index.is_none() && tail > 0 && tail <= inline {
            self.tail = content.split_off(content.len() - tail);
        }
        let first = output.block();
        output.append(&content);
        output.align();
        let blocks = output.block() - first;
        if let Some(index) = &mut self.index {
            index::push_stored(index, blocks);
        }
        self.blocks += blocks;
    }

    pub(super) fn is_complete(&self) -> bool {
        self.received == self.size
    }

    /// The error for a file of which content is missing.
    pub(super) fn short(&self) -> Error {
        Error::ContentSize { expected: self.size, found: self.received }
    }

    /// What the inode says; `inode_size` are its bytes with its attributes.
    pub(super) fn into_body(self, inode_size: usize, big: bool) -> Body {
        match self.index {
            Some(index) => Body::compressed(self.blocks, big, self.inline, |at| {
                index::compact(&index, self.start, inode_size.next_multiple_of(8) + at, big)
            }),
            None if self.tail.is_empty() => Body::plain(self.start),
            None => Body::inline((self.blocks > 0).then_some(self.start), self.tail),
        }
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
