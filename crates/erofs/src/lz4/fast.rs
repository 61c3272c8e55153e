//! One pass, greedy, one candidate per hash, as the fast mode of the reference encoder.
//!
//! What five bytes have in common is worth a match, and is found in less time than all that four have in common. Only where
//! that makes blocks that hold clearly more, as it does of minified scripts, four bytes are hashed.

use super::{Block, LAST_LITERALS, MATCH_MARGIN, MAX_DISTANCE, MIN_MATCH, Match, Sequences};
use super::{common, noise, read32, read64};

/// log2 of the most slots of the hash table.
const MAX_HASH_BITS: u32 = 16;

/// The youngest place of each hash, counted from the start of the block.
pub(super) type Table = [u32; 1 << MAX_HASH_BITS];

/// One block of so many is encoded by both hashes, the second first: most files have but one.
const TRIED: usize = 16;
/// The part of its content that a block must hold in addition by hashes of four bytes.
const GAIN: usize = 64;

/// The part of noise that matches save at most.
const HARDLY: usize = 512;

/// Bits of eight bytes that are not hashed.
const FIVE: u32 = 24;
const FOUR: u32 = 32;

pub(crate) struct Fast<'a> {
    data: &'a [u8],
    youngest: &'a mut Table,
    /// After `1 << skip_bits` misses the search steps by one byte more.
    skip_bits: u32,
    /// Whether four bytes are hashed.
    is_four: bool,
    /// Blocks so far.
    blocks: usize,
}

impl<'a> Fast<'a> {
    pub(super) fn new(data: &'a [u8], table: &'a mut Table, skip_bits: u32) -> Self {
        Self { data, youngest: table, skip_bits, is_four: false, blocks: 0 }
    }

    /// One that looks for [noise](Self::noise).
    pub(super) fn for_noise(data: &'a [u8], table: &'a mut Table) -> Self {
        Self::new(data, table, 8)
    }

    /// A block, now and then by both hashes: the one that does better is kept.
    pub(super) fn block(&mut self, start: usize, limit: usize, out: &mut Vec<u8>) -> Block {
        let is_tried = self.blocks % TRIED == 1;
        self.blocks += 1;
        let before = out.len();
        let block = self.encode(self.is_four, start, limit, out);
        if !is_tried {
            return block;
        }
        let mut other_out = Vec::with_capacity(out.len() - before);
        let other = self.encode(!self.is_four, start, limit, &mut other_out);
        let (four, five) = if self.is_four { (block, other) } else { (other, block) };
        let four_is_better = four.consumed > five.consumed + five.consumed / GAIN;
        if four_is_better == self.is_four {
            return block;
        }
        self.is_four = four_is_better;
        out.truncate(before);
        out.append(&mut other_out);
        other
    }

    /// A block of noise, for which any hash does; `None` where the content is not. Where this finds something to save a
    /// thorough search finds more: pictures with runs of one colour for instance.
    pub(super) fn noise(&mut self, start: usize, limit: usize, out: &mut Vec<u8>) -> Option<Block> {
        if !noise::is_even(&self.data[start..self.data.len().min(start + limit)]) {
            return None;
        }
        let before = out.len();
        let block = self.encode(false, start, limit, out);
        let as_literals = block.consumed + block.consumed / 255;
        if as_literals > out.len() - before + block.consumed / HARDLY {
            out.truncate(before);
            return None;
        }
        Some(block)
    }

    fn encode(&mut self, by_four: bool, start: usize, limit: usize, out: &mut Vec<u8>) -> Block {
        if by_four {
            self.encode_by::<FOUR>(start, limit, out)
        } else {
            self.encode_by::<FIVE>(start, limit, out)
        }
    }

    /// A block by hashes of eight bytes without the last of so many bits.
    fn encode_by<const NOT_HASHED: u32>(
        &mut self,
        start: usize,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Block {
        let mut sequences = Sequences::new(self.data, start, limit, out);
        let data = &self.data[start..];
        let mut search = Search::<NOT_HASHED>::new(data, limit, self.youngest, self.skip_bits);
        let mut at = 1;
        while let Some(found) = search.find(at, sequences.anchor - start, sequences.room()) {
            sequences.put(Match { at: start + found.at, ..found });
            if sequences.is_full {
                break;
            }
            at = found.end();
            search.note(at - 2);
        }
        sequences.end()
    }
}

/// The search in one block. Places are counted from its start: what lies before it is out of reach.
struct Search<'a, const NOT_HASHED: u32> {
    /// The content from the start of the block on.
    data: &'a [u8],
    youngest: &'a mut Table,
    shift: u32,
    skip_bits: u32,
}

impl<'a, const NOT_HASHED: u32> Search<'a, NOT_HASHED> {
    /// Clears as much of the table as a block of `limit` bytes needs: then any slot names a place that can be looked
    /// at, and whether there is a match is the only thing that is hard to foretell. A table that outlives the block
    /// would have to be asked first whether what it names is in reach, which is as hard; and one that is no
    /// larger than need be stays in the nearest cache.
    fn new(data: &'a [u8], limit: usize, youngest: &'a mut Table, skip_bits: u32) -> Self {
        let places = limit.min(data.len());
        let bits = (2 * places).next_power_of_two().ilog2().clamp(8, MAX_HASH_BITS);
        youngest[..1 << bits].fill(0);
        Self { data, youngest, shift: u64::BITS - bits, skip_bits }
    }

    /// The next match at `at` or later, or none within `room` bytes or before the margin at the end of the data. What
    /// lies before `anchor` is written already.
    #[inline(always)]
    fn find(&mut self, mut at: usize, anchor: usize, room: usize) -> Option<Match> {
        let last = self.data.len().checked_sub(MATCH_MARGIN)?.min(anchor + room);
        if at > last {
            return None;
        }
        let mut misses = 1_usize << self.skip_bits;
        let mut bytes = read64(self.data, at);
        loop {
            let slot = self.slot(bytes);
            let candidate = std::mem::replace(slot, at as u32) as usize;
            if read32(self.data, candidate) == bytes as u32 && at - candidate <= MAX_DISTANCE {
                return Some(extend(self.data, at, candidate, anchor));
            }
            at += misses >> self.skip_bits;
            misses += 1;
            if at > last {
                return None;
            }
            bytes = read64(self.data, at);
        }
    }

    /// Remembers a place, so that a later match can find it.
    #[inline]
    fn note(&mut self, at: usize) {
        if at + 8 <= self.data.len() {
            *self.slot(read64(self.data, at)) = at as u32;
        }
    }

    /// The slot for the first of eight bytes.
    #[inline]
    fn slot(&mut self, bytes: u64) -> &mut u32 {
        let hash = (bytes << NOT_HASHED).wrapping_mul(889_523_592_379) >> self.shift;
        &mut self.youngest[hash as usize % (1 << MAX_HASH_BITS)]
    }
}

/// Grows a match of 4 bytes to both sides. The first byte of a block stays a literal: its token is then never zero,
/// which tells it from the padding in front of it.
#[inline(always)]
fn extend(data: &[u8], mut at: usize, mut candidate: usize, anchor: usize) -> Match {
    let end = data.len() - LAST_LITERALS;
    let mut length = MIN_MATCH + common(&data[candidate + MIN_MATCH..], &data[at + MIN_MATCH..end]);
    let floor = anchor.max(1);
    while at > floor && candidate > 0 && data[at - 1] == data[candidate - 1] {
        at -= 1;
        candidate -= 1;
        length += 1;
    }
    Match { at, distance: at - candidate, length }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lz4::{Workspace, is_noise, tests::noise, zeros};

    /// Bytes of content in three blocks of 4 KiB, and whether four bytes are hashed then.
    fn held(data: &[u8], is_four: bool) -> ([usize; 3], bool) {
        let mut table = zeros();
        let mut fast = Fast::new(data, &mut table, 6);
        fast.is_four = is_four;
        let mut at = 0;
        let held = [(); 3].map(|()| {
            let mut out = Vec::new();
            let Block { consumed } = fast.block(at, 4096, &mut out);
            let decoded = lz4_flex::block::decompress(&out, consumed).unwrap();
            assert_eq!(decoded, data[at..][..consumed]);
            at += consumed;
            consumed
        });
        (held, fast.is_four)
    }

    #[test]
    fn four_bytes_are_hashed_where_blocks_hold_more_by_that() {
        let (words, noise) = (noise(200, 256), noise(40_000, 256));
        let word = |nth: usize| &words[usize::from(noise[nth]) % 10 * 20..];
        // Words of four bytes, each with another one behind it.
        let other = |nth: usize| &noise[20_000 + nth..][..1];
        let short: Vec<_> = (0..20_000).map(|nth| [&word(nth)[..4], other(nth)].concat()).collect();
        let ([first, second, third], is_four) = held(&short.concat(), false);
        assert!(second > first + first / GAIN && third > first + first / GAIN && is_four);
        // Long words are found by any hash.
        let long: Vec<_> = (0..20_000).map(|nth| &word(nth)[..20]).collect();
        assert!(!held(&long.concat(), true).1);
    }

    #[test]
    fn what_has_something_to_save_is_no_noise() {
        let (mut data, mut workspace) = (noise(100_000, 256), Workspace::default());
        assert!(is_noise(&data, &mut workspace));
        // Bytes are as frequent as before.
        data.copy_within(20_000..20_150, 60_000);
        assert!(is_noise(&data, &mut workspace));
        data.copy_within(20_000..21_000, 60_000);
        assert!(!is_noise(&data, &mut workspace));
        // Nor is what is out of the ordinary.
        assert!(!is_noise(&noise(100_000, 200), &mut workspace));
    }

    #[test]
    fn a_block_of_noise_is_looked_through_no_farther_than_it_reaches() {
        let (data, mut table) = (noise(1 << 20, 256), zeros());
        Fast::new(&data, &mut table, 6).block(300_000, 4096, &mut Vec::new());
        let farthest = table.iter().max();
        assert!(farthest < Some(&5000), "{farthest:?}");
    }
}
