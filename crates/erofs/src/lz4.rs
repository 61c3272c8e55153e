//! LZ4 encoder that fills a destination of fixed size: EROFS wants as much content as fits into a physical cluster.
//!
//! The format is LZ4's block format, <https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>. One pass, greedy,
//! one candidate per hash, as the fast mode of the reference encoder. The same bytes on every target: the hash is
//! of 4 bytes whatever the word size, and positions are 32 bits wide.
//!
//! lz4_flex decodes what this writes; it has no limit for its output and hashes differently on 32 and 64 bit
//! targets, so it does not encode here.

mod optimal;

pub(crate) use optimal::Optimal;

/// log2 of the hash table's slots: 8,192 positions of 4 bytes stay in the first-level cache.
const HASH_BITS: u32 = 13;
/// Shortest match of the format.
const MIN_MATCH: usize = 4;
/// Farthest match of the format.
const MAX_DISTANCE: usize = 65_535;
/// A block ends with at least this many literals.
const LAST_LITERALS: usize = 5;
/// The last match starts at least this far from the end of the block.
const MATCH_MARGIN: usize = 12;
/// After `1 << SKIP_BITS` misses the search steps by one byte more.
const SKIP_BITS: u32 = 6;

/// Encoder of one segment. The table outlives a block, so that nothing is cleared per physical cluster.
pub(crate) struct Encoder<'a> {
    data: &'a [u8],
    table: Vec<u32>,
}

/// One block: `consumed` bytes of content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Block {
    pub(crate) consumed: usize,
}

/// A match: it starts at `at`, `length` bytes that also lie `distance` bytes back.
struct Match {
    at: usize,
    distance: usize,
    length: usize,
}

impl<'a> Encoder<'a> {
    /// An encoder for `data`, shorter than 4 GiB.
    pub(crate) fn new(data: &'a [u8]) -> Self {
        assert!(u32::try_from(data.len()).is_ok(), "a segment is far below 4 GiB");
        Self { data, table: vec![0; 1 << HASH_BITS] }
    }

    /// Appends to `out` a block of at most `limit` bytes with the content from `start` on, as much as fits.
    ///
    /// `limit` must be 16 or more and `start` below the end of the data.
    pub(crate) fn block(&mut self, start: usize, limit: usize, out: &mut Vec<u8>) -> Block {
        let begin = out.len();
        let mut anchor = start;
        let mut at = start + 1;
        while let Some(found) = self.find(at, anchor, start) {
            let room = limit - (out.len() - begin);
            let literals = found.at - anchor;
            let Some(length) = fitting(literals, found.length, room) else { break };
            put_sequence(out, &self.data[anchor..found.at], found.distance, length);
            anchor = found.at + length;
            at = anchor;
            if length < found.length {
                break;
            }
            self.note(anchor - 2);
        }
        let room = limit - (out.len() - begin);
        let literals = literals_that_fit(room).min(self.data.len() - anchor);
        put_last(out, &self.data[anchor..anchor + literals]);
        Block { consumed: anchor + literals - start }
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
            let slot = &mut self.table[hash(sequence)];
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
            self.table[hash(read32(self.data, at))] = at as u32;
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

/// Number of equal bytes at the start of both, at most the length of `b`; `a` is not shorter.
#[inline]
fn common(a: &[u8], b: &[u8]) -> usize {
    let mut length = 0;
    let (a_words, b_words) = (a.chunks_exact(8), b.chunks_exact(8));
    for (x, y) in a_words.zip(b_words) {
        let (x, y) = (word(x), word(y));
        if x != y {
            return length + ((x ^ y).trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    length + a[length..].iter().zip(&b[length..]).take_while(|(x, y)| x == y).count()
}

#[inline]
fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("chunks of eight bytes"))
}

#[inline]
fn read32(data: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(data[at..at + 4].try_into().expect("four bytes"))
}

#[inline]
fn hash(sequence: u32) -> usize {
    hash_bits(sequence, HASH_BITS)
}

/// A hash of so many bits.
#[inline]
fn hash_bits(sequence: u32, bits: u32) -> usize {
    (sequence.wrapping_mul(2_654_435_761) >> (32 - bits)) as usize
}

/// Bytes that a length takes beyond the four bits in the token.
#[inline]
fn extra(length: usize) -> usize {
    if length < 15 { 0 } else { 1 + (length - 15) / 255 }
}

/// The length that a match may have so that its sequence and the literals that must end a block fit into `room`.
#[inline]
fn fitting(literals: usize, length: usize, room: usize) -> Option<usize> {
    let fixed = 1 + extra(literals) + literals + 2;
    let ending = |length: usize| 1 + LAST_LITERALS.max(MATCH_MARGIN.saturating_sub(length));
    if fixed + extra(length - MIN_MATCH) + ending(length) <= room {
        return Some(length);
    }
    // A shorter match helps only where its length takes extra bytes.
    if length < MIN_MATCH + 15 {
        return None;
    }
    let left = room.checked_sub(fixed + 1 + LAST_LITERALS)?;
    let longest = if left == 0 { MIN_MATCH + 14 } else { MIN_MATCH + 14 + left * 255 };
    Some(length.min(longest))
}

/// How many literals can end a block in `room` bytes, token included.
fn literals_that_fit(room: usize) -> usize {
    let mut literals = room - 1;
    while 1 + extra(literals) + literals > room {
        literals -= 1;
    }
    literals
}

#[inline]
fn put_sequence(out: &mut Vec<u8>, literals: &[u8], distance: usize, length: usize) {
    let code = length - MIN_MATCH;
    out.push(((literals.len().min(15) << 4) | code.min(15)) as u8);
    put_length(out, literals.len());
    out.extend_from_slice(literals);
    out.extend_from_slice(&(distance as u16).to_le_bytes());
    put_length(out, code);
}

fn put_last(out: &mut Vec<u8>, literals: &[u8]) {
    out.push((literals.len().min(15) << 4) as u8);
    put_length(out, literals.len());
    out.extend_from_slice(literals);
}

#[inline]
fn put_length(out: &mut Vec<u8>, length: usize) {
    if length < 15 {
        return;
    }
    let mut rest = length - 15;
    while rest >= 255 {
        out.push(255);
        rest -= 255;
    }
    out.push(rest as u8);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Encodes all of `data` in blocks of at most `limit` bytes and decodes each with lz4_flex. Gives the size.
    fn round_trip(data: &[u8], limit: usize) -> usize {
        let (mut fast, mut optimal) = (Encoder::new(data), Optimal::new(data));
        let size = round_trip_by(data, limit, |at, out| fast.block(at, limit, out));
        let shorter = round_trip_by(data, limit, |at, out| optimal.block(at, limit, out));
        // Blocks that are cut elsewhere may differ by a little.
        assert!(shorter <= size + size / 50 + 64, "{shorter} bytes are more than {size}");
        size
    }

    fn round_trip_by(
        data: &[u8],
        limit: usize,
        mut encode: impl FnMut(usize, &mut Vec<u8>) -> Block,
    ) -> usize {
        let (mut at, mut size) = (0, 0);
        while at < data.len() {
            let mut out = Vec::new();
            let Block { consumed } = encode(at, &mut out);
            assert!(consumed > 0 && out.len() <= limit, "{consumed} bytes in {}", out.len());
            assert_ne!(out[0], 0, "a block must not look like padding");
            let decoded = lz4_flex::block::decompress(&out, consumed).unwrap();
            assert_eq!(decoded, data[at..at + consumed]);
            check_end_rules(&out, consumed);
            at += consumed;
            size += out.len();
        }
        size
    }

    /// The last 5 bytes are literals and the last match starts 12 bytes before the end, or the kernel's decoder
    /// may refuse the block.
    fn check_end_rules(block: &[u8], size: usize) {
        let (mut at, mut decoded, mut last_match) = (0, 0, None);
        loop {
            let token = block[at];
            at += 1;
            let length = |first: u8, at: &mut usize| {
                let mut length = usize::from(first);
                if first == 15 {
                    loop {
                        length += usize::from(block[*at]);
                        *at += 1;
                        if block[*at - 1] != 255 {
                            break;
                        }
                    }
                }
                length
            };
            let literals = length(token >> 4, &mut at);
            at += literals;
            decoded += literals;
            if at == block.len() {
                assert!(last_match.is_none() || literals >= LAST_LITERALS);
                break;
            }
            at += 2;
            last_match = Some(decoded);
            decoded += MIN_MATCH + length(token & 15, &mut at);
        }
        assert_eq!(decoded, size);
        assert!(last_match.is_none_or(|at| at + MATCH_MARGIN <= size));
    }

    /// Pseudorandom bytes below `alphabet`.
    pub(crate) fn noise(length: usize, alphabet: u32) -> Vec<u8> {
        let mut state = 1_u32;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) % alphabet) as u8
        };
        (0..length).map(next).collect()
    }

    #[test]
    fn every_alphabet_and_limit_round_trips() {
        for alphabet in [1, 2, 3, 4, 16, 256] {
            for length in [1, 5, 12, 13, 4095, 4096, 4097, 70_000, 300_000] {
                for limit in [16, 64, 4096, 65_536] {
                    round_trip(&noise(length, alphabet), limit);
                }
            }
        }
    }

    #[test]
    fn repeated_content_fills_the_limit_and_shrinks() {
        let zeros = vec![0; 4 << 20];
        assert_eq!(round_trip(&zeros, 4096).div_ceil(4096), 5);
        let text = b"The quick brown fox jumps over the lazy dog. ".repeat(2000);
        assert!(round_trip(&text, 4096) < 1500);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_round_trip(
            data in proptest::collection::vec(0_u8..6, 1..20_000),
            limit in 16_usize..5000,
        ) {
            round_trip(&data, limit);
        }
    }
}
