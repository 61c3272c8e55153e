//! A match gives way to a longer one that overlaps it, as in the high compression mode of the reference encoder.
//!
//! Up to three matches are held: the first is written once it is known where the second starts. Few places are
//! searched, none between a match's first byte and its end but one shortly before the end.

use super::chains::{self, Chains};
use super::density::{BRIEF, MANY, Parse, Worth};
use super::overlaps::Overlaps;
use super::shortest::{Effort, Shortest};
use super::trees;
use super::{Block, MIN_MATCH, Match, SHORT_LENGTH, Sequences, cheaper, sequence};

pub(crate) struct Lazy<'a> {
    chains: Chains<'a>,
    manner: Manner,
    overlaps: Overlaps,
    shortest: Shortest<'a>,
    start: usize,
}

/// How matches are looked for.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    depth: Depth,
    /// The same where matches are long, so that there are few searches.
    where_long: Depth,
    /// Whether more candidates are looked at where content is dense.
    deepens: bool,
    /// After `1 << skip_bits` misses the search steps by one byte more.
    skip_bits: u32,
    /// How hard it is looked where the shortest way is taken.
    effort: Effort,
    worth: Worth,
}

impl Manner {
    /// As hard everywhere.
    pub(super) const fn steady(depth: Depth) -> Self {
        Self {
            depth,
            where_long: depth,
            deepens: false,
            skip_bits: 10,
            effort: Effort { depth: BRIEF, nice: SHORT_LENGTH, nice_in_crowd: usize::MAX },
            worth: Worth::AS_EVER,
        }
    }

    /// Harder where it is worth more: where content is dense, or matches are long. Less hard where there are none.
    pub(super) const fn adaptive(depth: Depth) -> Self {
        Self {
            depth,
            where_long: Depth { first: 64, better: 128 },
            deepens: true,
            skip_bits: 6,
            effort: Effort { depth: MANY, nice: 24, nice_in_crowd: usize::MAX },
            worth: Worth::THOROUGH,
        }
    }
}

/// How many candidates are looked at.
#[derive(Clone, Copy)]
pub(super) struct Depth {
    /// For a match where none is known.
    pub(super) first: usize,
    /// For one that replaces another.
    pub(super) better: usize,
}

/// Sequences whose last match is held back, since the next may take bytes over from it.
struct Held<'a> {
    sequences: Sequences<'a>,
    last: Option<Match>,
}

/// How a run of overlapping matches goes on.
enum Next {
    /// The run ended there.
    Ended(usize),
    /// The first match is written and replaced by a later one; the second is what a squeeze may restore.
    Shifted(Match, Match),
}

impl<'a> Lazy<'a> {
    pub(super) fn new(
        data: &'a [u8],
        tables: &'a mut chains::Tables,
        trees: &'a mut trees::Tables,
        manner: Manner,
    ) -> Self {
        Self {
            chains: Chains::new(data, tables, manner.worth),
            manner,
            overlaps: Overlaps::default(),
            shortest: Shortest::new(data, trees),
            start: 0,
        }
    }

    pub(crate) fn block(&mut self, start: usize, limit: usize, out: &mut Vec<u8>) -> Block {
        self.start = start;
        self.chains.begin(start);
        let sequences = Sequences::new(self.chains.data, start, limit, out);
        let mut held = Held { sequences, last: None };
        // The first byte stays a literal: the block's first byte is then never zero, which tells it from the padding
        // in front of it.
        let mut at = start + 1;
        while !held.sequences.is_full {
            let parse = self.chains.density.parse();
            if parse.is_shortest_way() && held.sequences.may_take(at) {
                held.flush();
                let (chains, sequences) = (&mut self.chains, &mut held.sequences);
                at = self.shortest.put(at, (start, limit), self.manner.effort, chains, sequences);
                continue;
            }
            let Some(first) = self.first(at, held.sequences.room()) else { break };
            if parse == Parse::Overlaps {
                held.flush();
                let (chains, sequences) = (&mut self.chains, &mut held.sequences);
                at = self.overlaps.put(first, start, self.manner.where_long, chains, sequences);
            } else {
                at = self.run(first, &mut held);
            }
        }
        held.flush();
        held.sequences.end()
    }

    fn depth(&self) -> Depth {
        let Manner { depth, deepens, .. } = self.manner;
        if deepens { self.chains.density.depth(depth) } else { depth }
    }

    /// The next match at `at` or up to `room` bytes behind it.
    fn first(&mut self, mut at: usize, room: usize) -> Option<Match> {
        let last = self.chains.last()?.min(at + room);
        let skip_bits = self.manner.skip_bits;
        let (mut low, mut misses) = (at, 1 << skip_bits);
        while at <= last {
            if self.chains.has_candidate(at) {
                let depth = self.depth().first;
                let found = self.chains.longest(at, low, self.start, MIN_MATCH - 1, depth);
                if found.is_some() {
                    return found;
                }
            }
            // What is stepped over may still be the start of a match that is found behind it.
            low = at + 1;
            at += misses >> skip_bits;
            misses += 1;
        }
        None
    }

    /// A match longer than `known` that overlaps its last bytes.
    fn better(&mut self, known: Match, overlap: usize) -> Option<Match> {
        let at = known.end() - overlap;
        if at > self.chains.last()? {
            return None;
        }
        self.chains.longest(at, known.at, self.start, known.length, self.depth().better)
    }

    /// Writes matches as long as each is overlapped by a better one. Gives the end of the last.
    fn run(&mut self, mut one: Match, held: &mut Held<'_>) -> usize {
        let mut zero = one;
        loop {
            let Some(two) = self.better(one, 2) else {
                held.put(one);
                return one.end();
            };
            // The match that was given up fits in front of the one that comes now.
            if zero.at < one.at && two.at < one.at + zero.length {
                one = zero;
            }
            if two.at - one.at < 3 {
                one = two;
                continue;
            }
            match self.settle(one, two, held) {
                Next::Ended(at) => return at,
                Next::Shifted(next, before) => (one, zero) = (next, before),
            }
        }
    }

    /// Writes the first of two overlapping matches, once the third is known.
    fn settle(&mut self, mut one: Match, mut two: Match, held: &mut Held<'_>) -> Next {
        loop {
            two = make_room(one, two);
            let Some(three) = self.better(two, 3) else {
                held.put(cut(one, two.at));
                held.put(two);
                return Next::Ended(two.end());
            };
            if three.at >= one.end() + 3 {
                let two_after = make_room(one, two);
                held.put(cut(one, two_after.at));
                (one, two) = (two_after, three);
            } else if three.at >= one.end() {
                // The third leaves no room for the second.
                let overlap = one.end().saturating_sub(two.at);
                let squeezed =
                    if two.length < overlap + MIN_MATCH { three } else { two.skip(overlap) };
                held.put(one);
                return Next::Shifted(three, squeezed);
            } else {
                two = three;
            }
            if held.sequences.is_full {
                return Next::Ended(two.end());
            }
        }
    }
}

/// The second match without the bytes that the first may have for nothing.
fn make_room(one: Match, two: Match) -> Match {
    if two.at - one.at >= SHORT_LENGTH {
        return two;
    }
    let keeps = one.length.min(SHORT_LENGTH).min(two.end() - MIN_MATCH - one.at);
    two.skip(keeps.saturating_sub(two.at - one.at))
}

/// The first match without what the second, which starts at `at`, has.
fn cut(one: Match, at: usize) -> Match {
    Match { length: one.length.min(at - one.at), ..one }
}

impl Held<'_> {
    /// Writes the match that was held and holds this one.
    fn put(&mut self, mut found: Match) {
        if let Some(last) = &mut self.last
            && last.end() == found.at
            && let Some(cheaper) = cheaper(last.length)
        {
            // A byte of length is saved if the next match starts earlier.
            let over = last.length - cheaper;
            let longer = Match { at: found.at - over, length: found.length + over, ..found };
            let is_free = sequence(longer.length) == sequence(found.length);
            if is_free && self.sequences.has(longer) {
                last.length = cheaper;
                found = longer;
            }
        }
        if let Some(last) = self.last.replace(found) {
            self.sequences.put(last);
        }
    }

    fn flush(&mut self) {
        if let Some(last) = self.last.take() {
            self.sequences.put(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lz4::{depth, tests::noise};

    #[test]
    fn a_block_of_noise_is_looked_through_no_farther_than_it_reaches() {
        let (data, mut tables) = (noise(1 << 20, 256), chains::Tables::new());
        let mut trees = trees::Tables::new();
        let mut lazy = Lazy::new(&data, &mut tables, &mut trees, Manner::steady(depth(6)));
        for start in [0, 300_000] {
            lazy.block(start, 4096, &mut Vec::new());
            assert!(lazy.chains.entered < start + 5000, "{start} to {}", lazy.chains.entered);
        }
    }
}
