//! What indexes of compressed files say: which extent begins in which logical cluster, and where its blocks are. How that
//! is written: [`packs`](super::packs).

use crate::compress::Extent;
use crate::format::{self, BLOCK};

/// What the index says of a logical cluster.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Entry {
    /// An extent starts here, at that byte of the cluster: the kind is as in `di_advise`.
    Head { kind: u16, start: u16 },
    /// None does; clusters back to the head before and ahead to the next one. Where physical clusters may be larger
    /// than a block, the first behind a head has the number of blocks in place of the way back.
    NonHead { back: u32, ahead: u32, blocks: Option<u16> },
}

impl Entry {
    pub(super) fn is_head(&self) -> bool {
        matches!(self, Self::Head { .. })
    }

    /// Says of a head that its physical cluster decodes to more than the extent has. Only a full index can tell.
    pub(super) fn set_partial(&mut self) {
        if let Self::Head { kind, .. } = self {
            *kind |= format::PARTIAL_REF;
        }
    }

    pub(super) fn is_partial(&self) -> bool {
        matches!(self, Self::Head { kind, .. } if kind & format::PARTIAL_REF != 0)
    }
}

/// The blocks that an index tells of, as runs of one behind the other.
#[derive(Debug)]
pub(super) struct Runs {
    /// The place in the index of each run's first head, and the address of its first block.
    starts: Vec<(usize, u64)>,
    /// The address behind the last run.
    next: u64,
    /// The place of the head of a fragment, which has no blocks.
    pub(super) fragment: Option<usize>,
}

impl Runs {
    /// A first run from address `start` on.
    pub(super) fn new(start: u64) -> Self {
        Self { starts: vec![(0, start)], next: start, fragment: None }
    }

    /// What comes next: from the head at `place` on, `blocks` blocks from address `block` on.
    pub(super) fn push(&mut self, place: usize, block: u64, blocks: u64) {
        if block != self.next {
            // A run of nothing gives way.
            self.starts.pop_if(|(first, _)| *first == place);
            self.starts.push((place, block));
        }
        self.next = block + blocks;
    }

    /// The head at `place` is that of a fragment: nothing comes next.
    pub(super) fn set_fragment(&mut self, place: usize) {
        self.fragment = Some(place);
    }

    /// The address of the first block.
    pub(super) fn first(&self) -> u64 {
        self.starts.first().map_or(0, |&(_, block)| block)
    }

    /// Whether all blocks lie behind one another.
    pub(super) fn is_one(&self) -> bool {
        self.starts.len() == 1
    }

    /// The address of each head of an index; of an entry that is none, the address behind the head before it.
    pub(super) fn addresses(&self, index: &[Entry]) -> Vec<u32> {
        let mut starts = self.starts.iter().peekable();
        let mut next = 0;
        let address = |(place, entry): (usize, &Entry)| {
            if let Some(&(_, block)) = starts.next_if(|(first, _)| *first == place) {
                next = block;
            }
            let address = next as u32;
            next += if entry.is_head() { blocks(index, place) } else { 0 };
            address
        };
        index.iter().enumerate().map(address).collect()
    }
}

/// Appends the index of `blocks` blocks of content that is stored as it is.
pub(super) fn push_stored(index: &mut Vec<Entry>, blocks: u64) {
    index.extend((0..blocks).map(|_| Entry::Head { kind: format::LCLUSTER_PLAIN, start: 0 }));
}

/// Appends the index of extents up to byte `end`, which are counted from the start of a logical cluster. `is_last` says
/// that the file ends there. Gives the place of each extent's head.
pub(super) fn push_extents(
    index: &mut Vec<Entry>,
    extents: &[Extent],
    end: usize,
    is_last: bool,
    big: bool,
) -> Vec<usize> {
    let ends = extents.iter().skip(1).map(|next| next.start as usize).chain([end]);
    let mut places = Vec::with_capacity(extents.len());
    for (extent, end) in extents.iter().zip(ends) {
        let start = extent.start as usize;
        let kind = if extent.compressed { format::LCLUSTER_HEAD1 } else { format::LCLUSTER_PLAIN };
        places.push(index.len());
        index.push(Entry::Head { kind, start: (start % BLOCK) as u16 });
        // The cluster in which an extent ends belongs to the next one, unless none follows.
        let clusters = (end / BLOCK - start / BLOCK) as u32;
        index.extend((1..clusters).map(|back| {
            let blocks = (big && back == 1).then_some(extent.blocks);
            Entry::NonHead { back, ahead: clusters - back, blocks }
        }));
    }
    let last = extents.last().map_or(0, |extent| extent.start as usize);
    if is_last && end / BLOCK > last / BLOCK && !end.is_multiple_of(BLOCK) {
        // The end of the file as a head of nothing.
        index.push(Entry::Head { kind: format::LCLUSTER_PLAIN, start: (end % BLOCK) as u16 });
    }
    places
}

/// Blocks of the cluster that starts at a place of the index.
fn blocks(index: &[Entry], place: usize) -> u64 {
    match index.get(place + 1) {
        Some(Entry::NonHead { blocks: Some(blocks), .. }) => u64::from(*blocks),
        _ => 1,
    }
}
