//! Indexes of compressed files: from extents to the compact form, about 2 bytes per logical cluster.
//!
//! `read/index.rs` tells how packs are read. Here they are filled: entries that fit between the map header and the
//! next multiple of 32 bytes go into packs of 2, then come packs of 16, and packs of 2 for the rest.

use zerocopy::IntoBytes as _;

use crate::compress::Extent;
use crate::format::{self, BLOCK, LclusterIndex, advise};

/// Bits of an entry's value in a pack.
const VALUE_BITS: u32 = 12;
/// Largest distance that an entry can hold: the bit above says that the value is a number of blocks.
const MAX_DISTANCE: u32 = (1 << (VALUE_BITS - 1)) - 1;

/// The bit that says so (`Z_EROFS_LI_D0_CBLKCNT`).
const BLOCK_COUNT: u32 = MAX_DISTANCE + 1;

/// What the index says of a logical cluster.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Entry {
    /// An extent starts here, at that byte of the cluster.
    Head { kind: u16, start: u16 },
    /// None does; clusters back to the head before and ahead to the next one. Where physical clusters may be larger
    /// than a block, the first behind a head has the number of blocks in place of the way back.
    NonHead { back: u32, ahead: u32, blocks: Option<u16> },
}

/// The blocks that an index tells of, as runs of one behind the other.
#[derive(Debug)]
pub(super) struct Runs {
    /// The place in the index of each run's first head, and the address of its first block.
    starts: Vec<(usize, u64)>,
    /// The address behind the last run.
    next: u64,
}

impl Runs {
    /// A first run from address `start` on.
    pub(super) fn new(start: u64) -> Self {
        Self { starts: vec![(0, start)], next: start }
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

    /// The address of the first block.
    pub(super) fn first(&self) -> u64 {
        self.starts.first().map_or(0, |&(_, block)| block)
    }

    /// Whether all blocks lie behind one another, as a compact index has it.
    pub(super) fn is_one(&self) -> bool {
        self.starts.len() == 1
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

/// An index, and what is said of it in the inode and the map header.
pub(super) struct Index {
    pub(super) layout: u16,
    pub(super) advise: u16,
    /// As it follows the map header.
    pub(super) bytes: Vec<u8>,
}

/// The index in the shortest form that can tell where the blocks are. `offset` and `big` are as for [`compact`].
pub(super) fn shortest(index: &[Entry], runs: &Runs, offset: usize, big: bool) -> Index {
    let advise = if big { advise::BIG_PCLUSTER_1 } else { 0 };
    if runs.is_one() {
        return Index {
            layout: format::LAYOUT_COMPRESSED_COMPACT,
            advise: advise | advise::COMPACTED_2B | if big { advise::BIG_PCLUSTER_2 } else { 0 },
            bytes: compact(index, runs.first(), offset, big),
        };
    }
    Index {
        layout: format::LAYOUT_COMPRESSED_FULL,
        advise,
        // Eight bytes are reserved in front of a full index.
        bytes: [vec![0; 8], full(index, runs)].concat(),
    }
}

/// The index of a file whose blocks start at address `block`, as it follows its map header. `offset` is where it
/// starts, counted from any multiple of 32 bytes; `big` is whether physical clusters may be larger than a block.
fn compact(index: &[Entry], block: u64, offset: usize, big: bool) -> Vec<u8> {
    let bytes = Vec::with_capacity(index.len() * 2 + 64);
    let mut packs = Packs { bytes, next: block as u32, open: block as u32, big };
    let front = (offset.next_multiple_of(32) - offset) / 4;
    let (front, rest) = index.split_at(if front < index.len() { front } else { index.len() });
    let (middle, back) = rest.split_at(rest.len() - rest.len() % 16);
    front.chunks(2).for_each(|pack| packs.push(pack, 2));
    middle.chunks(16).for_each(|pack| packs.push(pack, 16));
    back.chunks(2).for_each(|pack| packs.push(pack, 2));
    packs.bytes
}

/// The index of a file in the full form, 8 bytes per entry, which tells the block of each head.
fn full(index: &[Entry], runs: &Runs) -> Vec<u8> {
    let mut runs = runs.starts.iter().peekable();
    let mut next = 0;
    let entries = index.iter().enumerate().map(|(place, entry)| match *entry {
        Entry::Head { kind, start } => {
            if let Some(&(_, block)) = runs.next_if(|(first, _)| *first == place) {
                next = block;
            }
            let block = next as u32;
            next += blocks(index, place);
            LclusterIndex {
                di_advise: kind.into(),
                di_clusterofs: start.into(),
                di_u: block.into(),
            }
        }
        Entry::NonHead { back, ahead, blocks } => {
            let back = match blocks {
                Some(blocks) => u32::from(blocks) | BLOCK_COUNT,
                None => back.min(MAX_DISTANCE),
            };
            LclusterIndex {
                di_advise: format::LCLUSTER_NONHEAD.into(),
                di_u: (back | ahead.min(u32::from(u16::MAX)) << 16).into(),
                ..LclusterIndex::default()
            }
        }
    });
    entries.flat_map(|entry| entry.as_bytes().to_vec()).collect()
}

/// Blocks of the cluster that starts at a place of the index.
fn blocks(index: &[Entry], place: usize) -> u64 {
    match index.get(place + 1) {
        Some(Entry::NonHead { blocks: Some(blocks), .. }) => u64::from(*blocks),
        _ => 1,
    }
}

struct Packs {
    bytes: Vec<u8>,
    /// Address of the next head's cluster.
    next: u32,
    /// Address of the cluster of the head before.
    open: u32,
    big: bool,
}

impl Packs {
    /// Appends a pack of `count` entries; those that are missing at the end of the file are zeros.
    fn push(&mut self, entries: &[Entry], count: usize) {
        let (size, width) = if count == 2 { (8, 16) } else { (32, 14) };
        let at = self.bytes.len();
        self.bytes.resize(at + size, 0);
        let base = match entries.first() {
            // Readers add one for the pack's first head: that is from before there were big clusters.
            _ if !self.big => self.next.wrapping_sub(1),
            // They add the blocks of a head in the pack before, since they meet their number in this one.
            Some(Entry::NonHead { blocks: Some(_), .. }) => self.open,
            _ => self.next,
        };
        for (place, entry) in entries.iter().enumerate() {
            let (kind, value) = match *entry {
                Entry::Head { kind, start } => {
                    self.open = self.next;
                    self.next += 1;
                    (kind, u32::from(start))
                }
                Entry::NonHead { blocks: Some(blocks), .. } => {
                    self.next = self.open + u32::from(blocks);
                    (format::LCLUSTER_NONHEAD, u32::from(blocks) | BLOCK_COUNT)
                }
                // The last of a pack looks ahead; the way back follows from the one before it.
                Entry::NonHead { ahead, .. } if place + 1 == count => {
                    (format::LCLUSTER_NONHEAD, ahead.min(MAX_DISTANCE))
                }
                Entry::NonHead { back, .. } => (format::LCLUSTER_NONHEAD, back.min(MAX_DISTANCE)),
            };
            let bit = place * width;
            let bits = (u32::from(kind) << VALUE_BITS | value) << (bit % 8);
            for (byte, part) in self.bytes[at + bit / 8..].iter_mut().zip(bits.to_le_bytes()) {
                *byte |= part;
            }
        }
        self.bytes[at + size - 4..].copy_from_slice(&base.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields of 16 bits, and the address before that of the pack's first head.
    #[test]
    fn packs_of_two() {
        let index = [
            Entry::Head { kind: format::LCLUSTER_HEAD1, start: 0 },
            Entry::NonHead { back: 1, ahead: 1, blocks: None },
            Entry::Head { kind: format::LCLUSTER_HEAD1, start: 0x123 },
        ];
        let bytes = compact(&index, 7, 8, false);
        let field = |kind: u16, value: u16| (kind << VALUE_BITS | value).to_le_bytes();
        let first = [field(1, 0), field(2, 1)].concat();
        let second = [field(1, 0x123), field(0, 0)].concat();
        assert_eq!(bytes, [first, vec![6, 0, 0, 0], second, vec![7, 0, 0, 0]].concat());
    }

    #[test]
    fn long_indexes_use_packs_of_sixteen() {
        let mut index = Vec::new();
        push_stored(&mut index, 100);
        // 6 entries up to the next 32 bytes, 5 packs of 16, 14 entries behind them.
        assert_eq!(compact(&index, 1, 8, false).len(), 3 * 8 + 5 * 32 + 7 * 8);
        assert_eq!(compact(&index[..5], 1, 8, false).len(), 3 * 8);
    }
}
