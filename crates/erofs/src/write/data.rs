//! Content of one file as it comes in: where its blocks are and which index it needs.

use super::clusters::{Clusters, Piece};
use super::index::{self, Entry, Runs};
use super::inodes::Body;
use super::output::Output;
use super::packs;
use super::tails::{Ending, Room};
use crate::compress::{Data, End, Extent, Packed};
use crate::error::Error;
use crate::format::{BLOCK, BLOCK_BYTES, MapHeader};
use crate::tree::NodeId;

/// How many times its cost a full index must save if only a part of the content is known.
const FAR_MORE: u64 = 2;

/// A file of which some content may have come.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) node: NodeId,
    size: u64,
    received: u64,
    /// Where its blocks are.
    runs: Runs,
    blocks: u64,
    /// Content that goes behind the inode.
    tail: Vec<u8>,
    /// The last cluster of a compressed file, if it is not in a block.
    end: Option<Ending>,
    /// Byte of the file's content from which on it is a fragment.
    fragment_start: u64,
    /// Index of a compressed file; `None` as long as all content is stored.
    index: Option<Vec<Entry>>,
    /// Whether physical clusters may be larger than a block.
    big: bool,
    /// Blocks that are in the image twice, since less was gained than a full index costs.
    missed: u64,
}

impl Incoming {
    /// A file of `size` bytes whose blocks start at address `start`.
    pub(super) fn new(node: NodeId, size: u64, start: u64, big: bool) -> Self {
        Self {
            node,
            size,
            received: 0,
            runs: Runs::new(start),
            blocks: 0,
            tail: Vec::new(),
            end: None,
            fragment_start: size,
            index: None,
            big,
            missed: 0,
        }
    }

    /// Takes the next piece; a tail may follow the inode if there is room. Gives what is to go to the fragments.
    pub(super) fn add(
        &mut self,
        packed: Packed,
        room: Room,
        output: &mut Output,
        clusters: &mut Clusters,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Packed { size, data, digests, chunks, .. } = packed;
        let found = self.received + size as u64;
        // An index counts whole clusters, so only the last piece may end within one.
        let aligned = size.is_multiple_of(BLOCK) || found == self.size;
        if size == 0 || found > self.size || !aligned {
            return Err(Error::ContentSize { expected: self.size, found });
        }
        self.received = found;
        match data {
            Data::Stored(content) => {
                let piece = Piece::new(stored(content), size, digests, chunks);
                if self.index.is_some() || self.gains(clusters.count(&piece)) {
                    self.add_extents(0, piece, output, clusters);
                } else {
                    self.add_plain(piece, room, output, clusters);
                }
                Ok(None)
            }
            Data::Compressed { mut blocks, mut extents, end } => {
                let fragment = match end {
                    End::Blocks => None,
                    End::Tail(tail) => {
                        let before = self.index.as_ref().map_or(self.blocks as usize, Vec::len);
                        let entries = before + size.div_ceil(BLOCK);
                        self.end = Ending::of(tail, room, entries, &mut blocks, &mut extents);
                        None
                    }
                    End::Fragment(content) => {
                        // Its extent is told once it is known what of it is shared.
                        extents.pop();
                        self.fragment_start -= content.len() as u64;
                        Some(content)
                    }
                };
                let end = size - fragment.as_ref().map_or(0, Vec::len);
                let piece = Piece::new((extents, blocks), end, digests, chunks);
                self.add_extents(0, piece, output, clusters);
                Ok(fragment)
            }
        }
    }

    /// Whether a piece of so many bytes is the whole file.
    pub(super) fn is_all(&self, size: usize) -> bool {
        self.received == 0 && self.size == size as u64
    }

    /// Takes a last piece that goes to the fragments as it is.
    pub(super) fn add_fragment(&mut self, size: usize) {
        self.received += size as u64;
        self.fragment_start -= size as u64;
    }

    /// Takes the front of what was to be a fragment, or all of it.
    pub(super) fn add_front(
        &mut self,
        packed: Packed,
        output: &mut Output,
        clusters: &mut Clusters,
    ) {
        let Packed { size, data, digests, .. } = packed;
        let start = (self.fragment_start % BLOCK_BYTES) as usize;
        self.fragment_start += size as u64;
        let piece = Piece::new(in_blocks(data), size, digests, Vec::new());
        self.add_extents(start, piece, output, clusters);
    }

    /// Bytes of a fragment in front of an end of at most `most` bytes, which starts in a logical cluster in which nothing
    /// else does.
    pub(super) fn front(&self, fragment: usize, most: usize) -> usize {
        if most == fragment {
            return 0;
        }
        let start = self.fragment_start % BLOCK_BYTES;
        ((start + (fragment - most) as u64).next_multiple_of(BLOCK_BYTES) - start) as usize
    }

    /// Says where the packed inode has the rest of the file.
    pub(super) fn set_fragment(&mut self, at: u64) {
        self.end = Some(Ending::Fragment(at));
        let start = self.fragment_start % BLOCK_BYTES;
        let end = (start + self.size - self.fragment_start) as usize;
        let extent = Extent { start: start as u32, compressed: true, blocks: 0 };
        let index = self.index.get_or_insert_default();
        let places = index::push_extents(index, &[extent], end, true, self.big);
        self.runs.set_fragment(places[0]);
    }

    /// Takes a piece that starts at that byte of its first logical cluster.
    fn add_extents(
        &mut self,
        start: usize,
        piece: Piece,
        output: &mut Output,
        clusters: &mut Clusters,
    ) {
        let saved = clusters.count(&piece);
        let may_save_more = saved < piece.blocks() && self.gains(piece.blocks());
        let repeated = may_save_more.then(|| clusters.repeated(&piece)).flatten();
        let repeated = repeated.filter(|new| {
            // Beside what is shared there are new clusters for what was in clusters with it.
            self.gains(piece.blocks() + clusters.count(new) - new.blocks())
        });
        let share = repeated.is_some() || self.gains(saved);
        self.missed += if share { 0 } else { saved };
        let piece = repeated.unwrap_or(piece);
        let mut extents: Vec<_> = piece.parts.iter().map(|part| part.extent).collect();
        extents.iter_mut().for_each(|extent| extent.start += start as u32);
        let index = self.index.get_or_insert_with(|| {
            let mut index = Vec::new();
            index::push_stored(&mut index, self.blocks);
            index
        });
        let is_last = self.received == self.size && self.fragment_start == self.size;
        let places = index::push_extents(index, &extents, start + piece.end, is_last, self.big);
        let partial = piece.parts.iter().zip(&places).filter(|(part, _)| part.is_partial);
        partial.for_each(|(_, place)| index[*place].set_partial());
        self.blocks += piece.blocks();
        clusters.put(piece, &places, share, &mut self.runs, output);
    }

    /// Takes content that is stored as it is and needs no index, its end behind the inode if there is room.
    fn add_plain(
        &mut self,
        mut piece: Piece,
        room: Room,
        output: &mut Output,
        clusters: &mut Clusters,
    ) {
        let tail = piece.end % BLOCK;
        if tail > 0 && tail <= room.behind(0) {
            piece.bytes.truncate(piece.end);
            self.tail = piece.bytes.split_off(piece.end - tail);
            piece.parts.pop();
        }
        self.blocks += piece.blocks();
        let places: Vec<_> = (0..piece.parts.len()).collect();
        clusters.put(piece, &places, false, &mut self.runs, output);
    }

    /// Whether so many blocks that are in the image save more than a full index costs, which it may take to say where each
    /// is: here, or by far in all of the file, if it goes on as it was.
    fn gains(&self, saved: u64) -> bool {
        let entries = self.size.div_ceil(BLOCK_BYTES);
        // A tail that would follow the inode takes a block of its own then.
        let costs = match &self.index {
            Some(_) if !self.runs.is_one() => 0,
            Some(_) => 6 * entries,
            None => 8 * entries + BLOCK_BYTES,
        };
        let so_far = u128::from((self.missed + saved) * BLOCK_BYTES);
        let in_all = so_far * u128::from(self.size) / u128::from(self.received);
        saved * BLOCK_BYTES > costs || saved > 0 && in_all > u128::from(FAR_MORE * costs)
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
        let start = self.runs.first();
        let Some(index) = &self.index else {
            return match &self.tail {
                tail if tail.is_empty() => Body::plain(start),
                tail => Body::inline((self.blocks > 0).then_some(start), tail.clone()),
            };
        };
        if let (Some(Ending::Fragment(at)), 0) = (&self.end, self.blocks) {
            return Body::fragment(*at);
        }
        let at = inode_size.next_multiple_of(8) + size_of::<MapHeader>();
        let index = packs::shortest(index, &self.runs, at, self.big);
        Ending::body(self.end.as_ref(), &index, self.blocks)
    }
}

/// Extents of content that all stays in blocks, and those.
pub(super) fn in_blocks(data: Data) -> (Vec<Extent>, Vec<u8>) {
    match data {
        Data::Stored(content) => stored(content),
        Data::Compressed { blocks, extents, .. } => (extents, blocks),
    }
}

/// Extents of content that is stored as it is, and its blocks.
fn stored(mut content: Vec<u8>) -> (Vec<Extent>, Vec<u8>) {
    let extent = |start| Extent { start: start as u32, compressed: false, blocks: 1 };
    let extents = (0..content.len()).step_by(BLOCK).map(extent).collect();
    content.resize(content.len().next_multiple_of(BLOCK), 0);
    (extents, content)
}
