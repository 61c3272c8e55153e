//! Indexes as they are written: in the compact form, about 2 bytes per logical cluster, or the full one.
//!
//! `read/index.rs` tells how packs are read. Here they are filled: entries that fit between the map header and the
//! next multiple of 32 bytes go into packs of 2, then come packs of 16, and packs of 2 for the rest.

use zerocopy::IntoBytes as _;

use super::index::{Entry, Runs};
use crate::format::{self, LclusterIndex, advise};

/// Bits of an entry's value in a pack.
const VALUE_BITS: u32 = 12;
/// Largest distance that an entry can hold: the bit above says that the value is a number of blocks.
const MAX_DISTANCE: u32 = (1 << (VALUE_BITS - 1)) - 1;

/// The bit that says so (`Z_EROFS_LI_D0_CBLKCNT`).
const BLOCK_COUNT: u32 = MAX_DISTANCE + 1;

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
    let addresses = runs.addresses(index);
    if let Some(bytes) = compact(index, &addresses, offset, big) {
        return Index {
            layout: format::LAYOUT_COMPRESSED_COMPACT,
            advise: advise | advise::COMPACTED_2B | if big { advise::BIG_PCLUSTER_2 } else { 0 },
            bytes,
        };
    }
    Index {
        layout: format::LAYOUT_COMPRESSED_FULL,
        advise,
        // Eight bytes are reserved in front of a full index.
        bytes: [vec![0; 8], full(index, &addresses, runs.fragment)].concat(),
    }
}

/// Entries in packs of 2 in front of those in packs of 16, in an index that starts at `offset`.
pub(super) const fn front(offset: usize) -> usize {
    (offset.next_multiple_of(32) - offset) / 4
}

/// The most bytes that a compact index of so many entries takes, wherever it starts: 2 each in packs of 16; 6 entries in
/// front of them, and 15 behind them in 8 packs, take 12 and 34 more.
pub(super) fn most_compact(entries: usize) -> usize {
    (4 * entries.next_multiple_of(2)).min(2 * entries + 12 + 34)
}

/// The index of a file as it follows its map header, or `None` if it would have to tell more than one address in a pack,
/// or that an extent is a part of what its physical cluster decodes to.
/// `offset` is where it starts, counted from any multiple of 32 bytes; `big` is whether physical clusters may be larger
/// than a block.
fn compact(index: &[Entry], addresses: &[u32], offset: usize, big: bool) -> Option<Vec<u8>> {
    if index.iter().any(Entry::is_partial) {
        return None;
    }
    let bytes = Vec::with_capacity(index.len() * 2 + 64);
    let mut packs = Packs { bytes, big };
    let front = front(offset).min(index.len());
    let back = index.len() - (index.len() - front) % 16;
    for (part, count) in [(0..front, 2), (front..back, 16), (back..index.len(), 2)] {
        let entries = index[part.clone()].chunks(count);
        for (entries, addresses) in entries.zip(addresses[part].chunks(count)) {
            packs.push(entries, addresses, count)?;
        }
    }
    Some(packs.bytes)
}

/// The index of a file in the full form, 8 bytes per entry, which tells the block of each head.
fn full(index: &[Entry], addresses: &[u32], fragment: Option<usize>) -> Vec<u8> {
    let entries = index.iter().zip(addresses).enumerate();
    let entries = entries.map(|(place, (entry, &address))| match *entry {
        Entry::Head { kind, start } => LclusterIndex {
            di_advise: kind.into(),
            di_clusterofs: start.into(),
            // That of a fragment is the upper half of its place in the packed inode, of which 32 bits are enough.
            di_u: if fragment == Some(place) { 0 } else { address }.into(),
        },
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

struct Packs {
    bytes: Vec<u8>,
    big: bool,
}

impl Packs {
    /// Appends a pack of `count` entries; those that are missing at the end of the file are zeros.
    fn push(&mut self, entries: &[Entry], addresses: &[u32], count: usize) -> Option<()> {
        let (size, width) = if count == 2 { (8, 16) } else { (32, 14) };
        let at = self.bytes.len();
        self.bytes.resize(at + size, 0);
        let base = self.base(entries, addresses)?;
        self.bytes[at + size - 4..].copy_from_slice(&base.to_le_bytes());
        for (place, entry) in entries.iter().enumerate() {
            let (kind, value) = match *entry {
                Entry::Head { kind, start } => (kind, u32::from(start)),
                Entry::NonHead { blocks: Some(blocks), .. } => {
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
        Some(())
    }

    /// The address that a pack tells, or `None` if its heads' clusters do not lie behind one another: readers count their
    /// blocks from it.
    fn base(&self, entries: &[Entry], addresses: &[u32]) -> Option<u32> {
        let first = entries.iter().position(Entry::is_head).unwrap_or(0);
        let follows = |place: usize| {
            let before = u32::from(entries[place - 1].is_head());
            !entries[place].is_head() || addresses[place] == addresses[place - 1] + before
        };
        // What readers add for the pack's first head.
        let added = match entries.first() {
            // That is from before there were big clusters.
            _ if !self.big => 1,
            // The blocks of a head in the pack before, since they meet their number in this one.
            Some(Entry::NonHead { blocks: Some(blocks), .. }) => u32::from(*blocks),
            _ => 0,
        };
        let address = addresses.get(first)?.wrapping_sub(added);
        (first + 1..entries.len()).all(follows).then_some(address)
    }
}

#[cfg(test)]
mod tests {
    use super::super::index::{push_extents, push_stored};
    use super::*;
    use crate::compress::Extent;
    use crate::format::BLOCK;

    /// Fields of 16 bits, and the address before that of the pack's first head.
    #[test]
    fn packs_of_two() {
        let index = [
            Entry::Head { kind: format::LCLUSTER_HEAD1, start: 0 },
            Entry::NonHead { back: 1, ahead: 1, blocks: None },
            Entry::Head { kind: format::LCLUSTER_HEAD1, start: 0x123 },
        ];
        let bytes = compact(&index, &[7, 8, 8], 8, false).expect("one run");
        let field = |kind: u16, value: u16| (kind << VALUE_BITS | value).to_le_bytes();
        let first = [field(1, 0), field(2, 1)].concat();
        let second = [field(1, 0x123), field(0, 0)].concat();
        assert_eq!(bytes, [first, vec![6, 0, 0, 0], second, vec![7, 0, 0, 0]].concat());
    }

    #[test]
    fn long_indexes_use_packs_of_sixteen() {
        let mut index = Vec::new();
        push_stored(&mut index, 100);
        let length = |count: usize| {
            let addresses = Runs::new(1).addresses(&index[..count]);
            compact(&index[..count], &addresses, 8, false).expect("one run").len()
        };
        // 6 entries up to the next 32 bytes, 5 packs of 16, 14 entries behind them.
        assert_eq!(length(100), 3 * 8 + 5 * 32 + 7 * 8);
        assert_eq!(length(5), 3 * 8);
    }

    #[test]
    fn no_compact_index_is_longer_than_the_longest() {
        let mut index = Vec::new();
        push_stored(&mut index, 200);
        let addresses = Runs::new(1).addresses(&index);
        for entries in 0..=index.len() {
            let length = |offset| {
                let index = compact(&index[..entries], &addresses[..entries], offset, false);
                index.expect("one run").len()
            };
            let longest = (0..32).step_by(8).map(length).max().unwrap();
            let most = most_compact(entries);
            assert!(
                (most.saturating_sub(34)..=most).contains(&longest),
                "{longest} of {most} bytes for {entries}"
            );
        }
    }

    /// The index of clusters of 3 blocks at these addresses: the first for 6 logical clusters, the others for `length`.
    fn index_at(length: usize, addresses: [u64; 4]) -> Index {
        let start = |nth: usize| nth.checked_sub(1).map_or(0, |nth| (6 + length * nth) * BLOCK);
        let extent = |nth| Extent { start: start(nth) as u32, compressed: true, blocks: 3 };
        let extents = [0, 1, 2, 3].map(extent);
        let (mut index, mut runs) = (Vec::new(), Runs::new(addresses[0]));
        let places = push_extents(&mut index, &extents, start(4), true, true);
        places.iter().zip(addresses).for_each(|(place, block)| runs.push(*place, block, 3));
        shortest(&index, &runs, 8, true)
    }

    #[test]
    fn parts_of_clusters_need_a_full_index() {
        let mut index = Vec::new();
        push_extents(
            &mut index,
            &[Extent { start: 0, compressed: true, blocks: 3 }],
            9 * BLOCK,
            true,
            true,
        );
        index[0].set_partial();
        let Index { layout, bytes, .. } = shortest(&index, &Runs::new(7), 8, true);
        assert_eq!(layout, format::LAYOUT_COMPRESSED_FULL);
        assert_eq!(bytes[8..16], [1, 0x80, 0, 0, 7, 0, 0, 0]);
    }

    #[test]
    fn each_pack_may_tell_of_another_run() {
        // In front of packs of 16 there is room for 6.
        let (one, four) = (index_at(16, [7, 10, 13, 16]), index_at(16, [7, 1, 99, 50]));
        assert_eq!((four.layout, four.bytes.len()), (one.layout, one.bytes.len()));
        let base = |nth: usize| &four.bytes[24 + 32 * nth + 28..][..4];
        assert_eq!([base(0), base(1), base(2)], [1_u32, 99, 50].map(u32::to_le_bytes));
        // The first pack of 16 has the second head and the third.
        assert_eq!(index_at(8, [7, 1, 4, 50]).layout, format::LAYOUT_COMPRESSED_COMPACT);
        assert_eq!(index_at(8, [7, 1, 99, 50]).layout, format::LAYOUT_COMPRESSED_FULL);
    }
}
