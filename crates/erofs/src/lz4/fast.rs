//! One pass, greedy, one candidate per hash, as the fast mode of the reference encoder.

use super::{
    Block, LAST_LITERALS, MATCH_MARGIN, MAX_DISTANCE, MIN_MATCH, Match, Numbering, Sequences,
};
use super::{common, read32, read64, zeros};

/// log2 of the hash table's slots: a smaller one would stay in the nearest cache, but sends the search to places that
/// have nothing in common.
const HASH_BITS: u32 = 16;
/// After `1 << SKIP_BITS` misses the search steps by one byte more.
const SKIP_BITS: u32 = 6;

/// Memory of the encoder, which outlives a segment.
pub(super) struct Table {
    /// The number of the youngest place of each hash.
    youngest: Box<[u32; 1 << HASH_BITS]>,
    numbering: Numbering,
}

impl Table {
    pub(super) fn new() -> Self {
        Self { youngest: zeros(), numbering: Numbering::default() }
    }
}

pub(crate) struct Fast<'a> {
    data: &'a [u8],
    table: &'a mut [u32; 1 << HASH_BITS],
    /// The number of the first place.
    base: u32,
}

impl<'a> Fast<'a> {
    pub(super) fn new(data: &'a [u8], table: &'a mut Table) -> Self {
        let Table { youngest, numbering } = table;
        let base = numbering.begin(data.len(), &mut **youngest);
        Self { data, table: youngest, base }
    }

    pub(crate) fn block(&mut self, start: usize, limit: usize, out: &mut Vec<u8>) -> Block {
        let mut sequences = Sequences::new(self.data, start, limit, out);
        let mut at = start + 1;
        while let Some(found) = self.find(at, sequences.anchor, start) {
            sequences.put(found);
            if sequences.is_full {
                break;
            }
            at = found.end();
            self.note(at - 2);
        }
        sequences.end()
    }

    /// The next match at `at` or later, or none before the margin at the end of the data.
    #[inline]
    fn find(&mut self, mut at: usize, anchor: usize, start: usize) -> Option<Match> {
        let data = self.data;
        let last = data.len().checked_sub(MATCH_MARGIN)?;
        let mut misses = 1_usize << SKIP_BITS;
        loop {
            if at > last {
                return None;
            }
            let bytes = read64(data, at);
            let slot = &mut self.table[hash_of_five(bytes)];
            let number = self.base + at as u32;
            let back = number.wrapping_sub(*slot) as usize;
            *slot = number;
            // The table may hold places ahead, from a block that ended before them.
            if back.wrapping_sub(1) < MAX_DISTANCE.min(at - start)
                && read32(data, at - back) == bytes as u32
            {
                return Some(extend(data, at, at - back, anchor, start));
            }
            at += misses >> SKIP_BITS;
            misses += 1;
        }
    }

    /// Remembers a position, so that a later match can find it.
    #[inline]
    fn note(&mut self, at: usize) {
        if at + 8 <= self.data.len() {
            self.table[hash_of_five(read64(self.data, at))] = self.base + at as u32;
        }
    }
}

/// A hash of the first five of eight bytes: what four have in common is often not worth a match.
#[inline]
fn hash_of_five(bytes: u64) -> usize {
    ((bytes << 24).wrapping_mul(889_523_592_379) >> (64 - HASH_BITS)) as usize
}

/// Grows a match of 4 bytes to both sides. The first byte of a block stays a literal: its token is then never zero,
/// which tells it from the padding in front of it.
#[inline]
fn extend(data: &[u8], mut at: usize, mut candidate: usize, anchor: usize, start: usize) -> Match {
    let end = data.len() - LAST_LITERALS;
    let mut length = MIN_MATCH + common(&data[candidate + MIN_MATCH..], &data[at + MIN_MATCH..end]);
    let floor = anchor.max(start + 1);
    while at > floor && candidate > start && data[at - 1] == data[candidate - 1] {
        at -= 1;
        candidate -= 1;
        length += 1;
    }
    Match { at, distance: at - candidate, length }
}
