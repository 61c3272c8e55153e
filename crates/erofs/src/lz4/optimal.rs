//! The shortest way through the longest matches of all places.
//!
//! Every match of LZ4 costs the same, however far back it lies, and can be cut short at either end. So of all matches
//! at a place only the longest counts, whole or as long as is free of a byte for its length, and the shortest way from
//! a place to the end is either a literal and the shortest way from the next place, or such a match and the shortest
//! way from behind it. A pass from the end to the start finds it.

use super::chains::{Chains, Tables};
use super::{Block, MIN_MATCH, Match, SHORT_LENGTH, Sequences, extra};

/// Content that is parsed at once, at most and at least. What is parsed beyond the end of a block is lost.
const CHUNK: (usize, usize) = (256, 16 << 10);
/// Within a match of this length no longer one is looked for until shortly before its end.
const NICE_LENGTH: usize = 128;
/// Bytes of a sequence with a short match, without its literals.
const SEQUENCE: u32 = 3;

pub(crate) struct Optimal<'a> {
    chains: Chains<'a>,
    depth: usize,
    /// Length and distance of the longest match at each place of the chunk.
    longest: Vec<(u32, u32)>,
    /// Bytes from each place of the chunk to its end.
    cost: Vec<u32>,
}

impl<'a> Optimal<'a> {
    pub(super) fn new(data: &'a [u8], tables: &'a mut Tables, depth: usize) -> Self {
        Self { chains: Chains::new(data, tables), depth, longest: Vec::new(), cost: Vec::new() }
    }

    pub(crate) fn block(&mut self, start: usize, limit: usize, out: &mut Vec<u8>) -> Block {
        self.chains.begin(start);
        let data = self.chains.data;
        let chunk = limit.clamp(CHUNK.0, CHUNK.1);
        let mut sequences = Sequences::new(data, start, limit, out);
        let mut at = start;
        while at < data.len() && at - sequences.anchor <= sequences.room() && !sequences.is_full {
            let (from, end) = (at, data.len().min(at + chunk));
            self.search(from, end, start);
            self.shorten();
            while at < end && !sequences.is_full {
                let (length, distance) = self.longest[at - from];
                let (length, distance) = (length as usize, distance as usize);
                if length > 0 {
                    sequences.put(Match { at, distance, length });
                }
                at += length.max(1);
            }
        }
        sequences.end()
    }

    /// Finds the longest match of each place of a chunk.
    fn search(&mut self, from: usize, end: usize, start: usize) {
        self.longest.clear();
        let last = self.chains.last().map_or(0, |last| last + 1);
        let (mut length, mut distance) = (0, 0);
        // The first byte of a block stays a literal, as in the other encoders.
        for at in from..end {
            if at > start && at < last && length < NICE_LENGTH {
                let known = length.max(MIN_MATCH - 1);
                if let Some(found) = self.chains.longest(at, at, start, known, self.depth) {
                    (length, distance) = (found.length, found.distance);
                }
            }
            self.longest.push((length as u32, distance as u32));
            // Without its first byte a match is still one.
            length = if length > MIN_MATCH { length - 1 } else { 0 };
        }
    }

    /// Finds the shortest way through a chunk: afterwards `longest` has a length where a match is taken.
    fn shorten(&mut self) {
        let count = self.longest.len();
        self.cost.clear();
        self.cost.resize(count + 1, 0);
        for place in (0..count).rev() {
            let mut best = (self.cost[place + 1] + 1, 0);
            let (length, distance) = self.longest[place];
            // What reaches beyond the chunk pays for what is in it.
            let whole = (length as usize).min(count - place);
            if whole >= MIN_MATCH {
                let byte = extra(whole - MIN_MATCH) as u32;
                let taken = SEQUENCE + byte + self.cost[place + whole];
                // Of equal ways the one with fewer literals: their number may take a byte as well.
                if taken <= best.0 {
                    best = (taken, length);
                }
                if whole > SHORT_LENGTH {
                    let short = SEQUENCE + self.cost[place + SHORT_LENGTH];
                    if short < best.0 {
                        best = (short, SHORT_LENGTH as u32);
                    }
                }
            }
            self.cost[place] = best.0;
            self.longest[place] = (best.1, distance);
        }
    }
}
