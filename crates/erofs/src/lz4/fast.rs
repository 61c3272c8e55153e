//! One pass, greedy, one candidate per hash, as the fast mode of the reference encoder.

use super::{Block, LAST_LITERALS, MATCH_MARGIN, MAX_DISTANCE, MIN_MATCH, Match, Sequences};
use super::{common, hash, read32};

/// log2 of the hash table's slots: 8,192 positions of 4 bytes stay in the first-level cache.
const HASH_BITS: u32 = 13;
/// After `1 << SKIP_BITS` misses the search steps by one byte more.
const SKIP_BITS: u32 = 6;

/// The youngest place of each hash.
pub(super) type Table = Box<[u32; 1 << HASH_BITS]>;

pub(crate) struct Fast<'a> {
    data: &'a [u8],
    table: &'a mut Table,
}

impl<'a> Fast<'a> {
    pub(super) fn new(data: &'a [u8], table: &'a mut Table) -> Self {
        table.fill(0);
        Self { data, table }
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
            let sequence = read32(data, at);
            let slot = &mut self.table[hash(sequence, HASH_BITS)];
            let candidate = *slot as usize;
            *slot = at as u32;
            if candidate >= start
                && candidate < at
                && at - candidate <= MAX_DISTANCE
                && read32(data, candidate) == sequence
            {
                return Some(extend(data, at, candidate, anchor, start));
            }
            at += misses >> SKIP_BITS;
            misses += 1;
        }
    }

    /// Remembers a position, so that a later match can find it.
    #[inline]
    fn note(&mut self, at: usize) {
        if at + 4 <= self.data.len() {
            self.table[hash(read32(self.data, at), HASH_BITS)] = at as u32;
        }
    }
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
