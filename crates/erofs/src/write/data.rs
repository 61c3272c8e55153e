//! Content of one file as it comes in: where its blocks are and which index they need.

use zerocopy::IntoBytes as _;

use super::index::{self, Entry};
use super::inodes::Body;
use super::output::Output;
use crate::compress::{Data, End, Extent, Tail};
use crate::error::Error;
use crate::format::{BLOCK, LAYOUT_COMPRESSED_COMPACT, MapHeader, advise};
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
    /// The last cluster of a compressed file, if it is not in a block.
    end: Option<Ending>,
    /// Index of a compressed file; `None` as long as all content is stored.
    index: Option<Vec<Entry>>,
    /// Whether physical clusters may be larger than a block.
    big: bool,
}

/// The last cluster of a compressed file.
#[derive(Debug)]
enum Ending {
    /// Behind the index.
    Inline(Vec<u8>),
    /// In the packed inode, from that byte of its content on.
    Fragment(u64),
}

impl Incoming {
    /// A file of `size` bytes whose blocks start at address `start`.
    pub(super) fn new(node: NodeId, size: u64, start: u64, big: bool) -> Self {
        Self {
            node,
            size,
            received: 0,
            start,
            blocks: 0,
            tail: Vec::new(),
            end: None,
            index: None,
            big,
        }
    }

    /// Takes the next piece; a tail of up to `inline` bytes may follow the inode. Gives what is to go to the
    /// fragments.
    pub(super) fn add(
        &mut self,
        size: usize,
        data: Data,
        inline: usize,
        output: &mut Output,
    ) -> Result<Option<Vec<u8>>, Error> {
        let found = self.received + size as u64;
        // An index counts whole clusters, so only the last piece may end within one.
        let aligned = size.is_multiple_of(BLOCK) || found == self.size;
        if size == 0 || found > self.size || !aligned {
            return Err(Error::ContentSize { expected: self.size, found });
        }
        self.received = found;
        debug_assert_eq!(output.block(), self.start + self.blocks, "its blocks lie in one run");
        match data {
            Data::Stored(content) => {
                self.add_stored(content, inline, output);
                Ok(None)
            }
            Data::Compressed { mut blocks, mut extents, end } => {
                let mut index = self.index.take().unwrap_or_else(|| {
                    let mut index = Vec::new();
                    index::push_stored(&mut index, self.blocks);
                    index
                });
                let fragment = match end {
                    End::Blocks => None,
                    End::Tail(tail) => {
                        let clusters = index.len() + size.div_ceil(BLOCK);
                        // Map header, alignment, and an index of packs of 2, which is the longest that it can be.
                        let room = inline.saturating_sub(16 + 4 * clusters.next_multiple_of(2));
                        if tail.bytes.len() <= room {
                            self.end = Some(Ending::Inline(tail.bytes));
                        } else {
                            put_into_block(tail, &mut blocks, extents.last_mut());
                        }
                        None
                    }
                    End::Fragment(content) => Some(content),
                };
                index::push_extents(&mut index, size, &extents, self.big);
                self.index = Some(index);
                self.blocks += (blocks.len() / BLOCK) as u64;
                output.append_owned(blocks);
                Ok(fragment)
            }
        }
    }

    /// Where the packed inode has the end of the file.
    pub(super) fn set_fragment(&mut self, at: u64) {
        self.end = Some(Ending::Fragment(at));
    }

    fn add_stored(&mut self, mut content: Vec<u8>, inline: usize, output: &mut Output) {
        let tail = content.len() % BLOCK;
        if self.index.is_none() && tail > 0 && tail <= inline {
            self.tail = content.split_off(content.len() - tail);
        }
        let first = output.block();
        output.append_owned(content);
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
    pub(super) fn body(&self, inode_size: usize) -> Body {
        let Some(index) = &self.index else {
            return match &self.tail {
                tail if tail.is_empty() => Body::plain(self.start),
                tail => Body::inline((self.blocks > 0).then_some(self.start), tail.clone()),
            };
        };
        let mut header = MapHeader::default();
        let mut advise = if self.big { advise::BIG_PCLUSTER_1 | advise::BIG_PCLUSTER_2 } else { 0 };
        let mut inline: &[u8] = &[];
        match &self.end {
            Some(Ending::Fragment(at)) if self.blocks == 0 => return Body::fragment(*at),
            Some(Ending::Fragment(at)) => {
                advise |= advise::FRAGMENT_PCLUSTER;
                header.h_fragmentoff = (*at as u32).into();
            }
            Some(Ending::Inline(bytes)) => {
                advise |= advise::INLINE_PCLUSTER;
                // The second half of the field is `h_idata_size`.
                header.h_fragmentoff = ((bytes.len() as u32) << 16).into();
                inline = bytes;
            }
            None => {}
        }
        header.h_advise = (advise | advise::COMPACTED_2B).into();
        let at = inode_size.next_multiple_of(8) + size_of::<MapHeader>();
        let index = index::compact(index, self.start, at, self.big);
        Body::compressed(
            LAYOUT_COMPRESSED_COMPACT,
            self.blocks,
            &[header.as_bytes(), &index, inline],
        )
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
