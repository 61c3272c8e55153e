//! Content of one file as it comes in: where its blocks are and which index they need.

use zerocopy::IntoBytes as _;

use super::inodes::Body;
use super::output::Output;
use crate::compress::{Data, Extent, Packed};
use crate::error::Error;
use crate::format::{self, BLOCK, LclusterIndex};
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
    /// Index of a compressed file; `None` as long as all content is stored.
    index: Option<Vec<u8>>,
}

impl Incoming {
    /// A file of `size` bytes whose blocks start at address `start`.
    pub(super) fn new(node: NodeId, size: u64, start: u64) -> Self {
        Self { node, size, received: 0, start, blocks: 0, tail: Vec::new(), index: None }
    }

    /// Takes the next piece; a tail of up to `inline` bytes may follow the inode.
    pub(super) fn add(
        &mut self,
        packed: Packed,
        inline: usize,
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
            Data::Compressed { blocks, extents } => {
                let first = output.block();
                let stored = self.blocks;
                let index = self.index.get_or_insert_with(|| stored_index(self.start, stored));
                compressed_index(index, first, packed.size, &extents);
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
            index.extend_from_slice(&stored_index(first, blocks));
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

    pub(super) fn into_body(self) -> Body {
        match self.index {
            Some(index) => Body::compressed(self.blocks, index),
            None if self.tail.is_empty() => Body::plain(self.start),
            None => Body::inline((self.blocks > 0).then_some(self.start), self.tail),
        }
    }
}

/// Index of `blocks` blocks of content that is stored as it is.
fn stored_index(start: u64, blocks: u64) -> Vec<u8> {
    (start..start + blocks).flat_map(|block| head(format::LCLUSTER_PLAIN, 0, block)).collect()
}

/// Appends the index of a segment of `size` bytes whose extents lie in consecutive blocks from `first` on.
fn compressed_index(index: &mut Vec<u8>, first: u64, size: usize, extents: &[Extent]) {
    let ends = extents.iter().skip(1).map(|next| next.start as usize).chain([size]);
    for ((block, extent), end) in (first..).zip(extents).zip(ends) {
        let start = extent.start as usize;
        let kind = if extent.compressed { format::LCLUSTER_HEAD1 } else { format::LCLUSTER_PLAIN };
        index.extend_from_slice(&head(kind, start % BLOCK, block));
        // The cluster in which an extent ends belongs to the next one, unless none follows.
        let clusters = end / BLOCK - start / BLOCK;
        for back in 1..clusters {
            index.extend_from_slice(&non_head(back, clusters - back));
        }
        if end == size && clusters > 0 && end % BLOCK > 0 {
            index.extend_from_slice(&head(format::LCLUSTER_PLAIN, end % BLOCK, 0));
        }
    }
}

fn head(kind: u16, clusterofs: usize, block: u64) -> [u8; 8] {
    let index = LclusterIndex {
        di_advise: kind.into(),
        di_clusterofs: (clusterofs as u16).into(),
        di_u: (block as u32).into(), // Checked when the image is finished.
    };
    zerocopy::transmute!(index)
}

fn non_head(back: usize, ahead: usize) -> [u8; 8] {
    let index = LclusterIndex {
        di_advise: format::LCLUSTER_NONHEAD.into(),
        di_clusterofs: 0.into(),
        di_u: (back as u32 | (ahead as u32) << 16).into(),
    };
    let mut bytes = [0; 8];
    bytes.copy_from_slice(index.as_bytes());
    bytes
}
