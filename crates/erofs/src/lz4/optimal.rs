//! The encoder that looks for the shortest blocks.
//!
//! Every match of LZ4 costs the same, however far back it lies, and a match can be cut short at either end. So of all
//! matches at a place only the longest counts, and the shortest way from a place to the end is either a literal and
//! the shortest way from the next place, or the longest match and the shortest way from behind it. Chains of equal
//! hashes find the longest match, a pass from the end to the start the shortest way.

use super::{Block, LAST_LITERALS, MATCH_MARGIN, MAX_DISTANCE, MIN_MATCH};
use super::{common, extra, fitting, hash_bits, literals_that_fit, put_last, put_sequence, read32};

/// Content that is parsed at once, at most and at least. What is parsed beyond the end of a block is lost.
const CHUNK: (usize, usize) = (256, 16 << 10);
/// Longest match that is looked for: a longer one is two.
const MAX_LENGTH: usize = 64 << 10;
/// Matches of this length are taken without looking for a longer one.
const NICE_LENGTH: usize = 96;
/// log2 of the slots that hold the youngest place of each hash.
const HEAD_BITS: u32 = 15;
/// Places whose predecessors are kept: twice the farthest distance, since places are entered ahead of the search.
const KEPT: usize = 1 << 17;
/// Candidates that are looked at for each place.
const DEPTH: usize = 32;

/// Encoder of one segment.
pub(crate) struct Optimal<'a> {
    data: &'a [u8],
    /// The youngest place of each hash, plus one.
    head: Vec<u32>,
    /// The place of the same hash before each place, plus one.
    previous: Vec<u32>,
    /// Places entered so far.
    entered: usize,
    /// Length and distance of the longest match at each place of the chunk.
    longest: Vec<(u32, u32)>,
    /// Bytes from each place of the chunk to its end.
    cost: Vec<u32>,
}

impl<'a> Optimal<'a> {
    /// An encoder for `data`, shorter than 4 GiB.
    pub(crate) fn new(data: &'a [u8]) -> Self {
        assert!(u32::try_from(data.len()).is_ok(), "a segment is far below 4 GiB");
        Self {
            data,
            head: vec![0; 1 << HEAD_BITS],
            previous: vec![0; KEPT.min(data.len().next_power_of_two())],
            entered: 0,
            longest: Vec::new(),
            cost: Vec::new(),
        }
    }

    /// As [`super::Encoder::block`].
    pub(crate) fn block(&mut self, start: usize, limit: usize, out: &mut Vec<u8>) -> Block {
        let begin = out.len();
        let chunk = limit.clamp(CHUNK.0, CHUNK.1);
        let (mut anchor, mut at) = (start, start);
        'full: while at < self.data.len() && at - anchor <= limit {
            let from = at;
            let end = self.data.len().min(from + chunk);
            self.parse(from, end, start);
            while at < end {
                let (length, distance) = self.longest[at - from];
                if length == 0 {
                    at += 1;
                    continue;
                }
                let room = limit - (out.len() - begin);
                let Some(fit) = fitting(at - anchor, length as usize, room) else { break 'full };
                put_sequence(out, &self.data[anchor..at], distance as usize, fit);
                at += fit;
                anchor = at;
                if fit < length as usize {
                    break 'full;
                }
            }
        }
        let room = limit - (out.len() - begin);
        let literals = literals_that_fit(room).min(self.data.len() - anchor);
        put_last(out, &self.data[anchor..anchor + literals]);
        Block { consumed: anchor + literals - start }
    }

    /// Finds the shortest way through a chunk: afterwards `longest` has a length where a match is taken.
    fn parse(&mut self, from: usize, end: usize, start: usize) {
        self.longest.clear();
        let mut inherited = (0, 0);
        for at in from..end {
            self.enter(at);
            let found = if inherited.0 >= NICE_LENGTH {
                inherited
            } else {
                self.search(at, start, inherited)
            };
            self.longest.push((found.0 as u32, found.1 as u32));
            // Without its first byte a match is still one.
            inherited = if found.0 > MIN_MATCH { (found.0 - 1, found.1) } else { (0, 0) };
        }
        let count = end - from;
        self.cost.clear();
        self.cost.resize(count + 1, 0);
        for place in (0..count).rev() {
            let literal = self.cost[place + 1] + 1;
            let (length, _) = self.longest[place];
            let behind = self.cost[count.min(place + length as usize)];
            // What reaches beyond the chunk pays for what is in it.
            let inside = (length as usize).min(count - place);
            let matched = 3 + extra(inside.saturating_sub(MIN_MATCH)) as u32 + behind;
            if length > 0 && matched <= literal {
                self.cost[place] = matched;
            } else {
                self.cost[place] = literal;
                self.longest[place] = (0, 0);
            }
        }
    }

    /// Enters all places up to and with `at`.
    fn enter(&mut self, at: usize) {
        while self.entered <= at && self.entered + MIN_MATCH <= self.data.len() {
            let slot = &mut self.head[hash_bits(read32(self.data, self.entered), HEAD_BITS)];
            let mask = self.previous.len() - 1;
            self.previous[self.entered & mask] = *slot;
            self.entered += 1;
            *slot = self.entered as u32;
        }
    }

    /// The longest match at a place that does not begin before `start`, if it is longer than the one that is known.
    fn search(&self, at: usize, start: usize, known: (usize, usize)) -> (usize, usize) {
        if at + MATCH_MARGIN > self.data.len() {
            return (0, 0);
        }
        let mask = self.previous.len() - 1;
        let most = MAX_LENGTH.min(self.data.len() - LAST_LITERALS - at);
        let here = &self.data[at..at + most];
        let (mut length, mut distance) = known;
        if length >= most {
            return (most, distance);
        }
        let mut best = length.max(MIN_MATCH - 1);
        let mut next = self.previous[at & mask] as usize;
        for _ in 0..DEPTH {
            let Some(candidate) = next.checked_sub(1) else { break };
            if candidate < start || candidate >= at || at - candidate > MAX_DISTANCE {
                break;
            }
            if self.data[candidate + best] == here[best] {
                let found = common(&self.data[candidate..], here);
                if found > best {
                    (best, length, distance) = (found, found, at - candidate);
                    if found >= NICE_LENGTH || found == most {
                        break;
                    }
                }
            }
            next = self.previous[candidate & mask] as usize;
        }
        (length, distance)
    }
}
