//! The shortest way through the longest matches that chains lead to.

use super::chains::{self, Chains};
use super::dense::Dense;
use super::density::Parse;
use super::trees;
use super::way::{Way, end_of_part};
use super::{Block, MIN_MATCH, Sequences};

/// Within a match of this length no longer one is looked for until shortly before its end.
const NICE_LENGTH: usize = 128;

pub(crate) struct Optimal<'a> {
    chains: Chains<'a>,
    depth: usize,
    dense: Dense<'a>,
    way: Way,
}

impl<'a> Optimal<'a> {
    pub(super) fn new(
        data: &'a [u8],
        tables: &'a mut chains::Tables,
        trees: &'a mut trees::Tables,
        depth: usize,
    ) -> Self {
        let chains = Chains::new(data, tables);
        Self { chains, depth, dense: Dense::new(data, trees), way: Way::default() }
    }

    pub(crate) fn block(&mut self, start: usize, limit: usize, out: &mut Vec<u8>) -> Block {
        self.chains.begin(start);
        let data = self.chains.data;
        let mut sequences = Sequences::new(data, start, limit, out);
        // The first byte of a block stays a literal, as in the other encoders.
        let mut at = start + 1;
        while sequences.may_take(at) {
            at = if self.chains.density.parse() == Parse::Trees {
                self.dense.put(at, start, limit, &mut self.chains.density, &mut sequences)
            } else {
                let end = end_of_part(at, data.len(), start, limit);
                put((at, end), start, self.depth, &mut self.chains, &mut self.way, &mut sequences)
            };
        }
        sequences.end()
    }
}

/// Appends a part of the content to the block that starts at `start`, by searches of `depth` candidates, and gives its
/// end.
pub(super) fn put(
    part: (usize, usize),
    start: usize,
    depth: usize,
    chains: &mut Chains<'_>,
    way: &mut Way,
    sequences: &mut Sequences<'_>,
) -> usize {
    way.put(part, sequences, |at, known| {
        if known >= NICE_LENGTH {
            return None;
        }
        let found = chains.longest(at, at, start, known.max(MIN_MATCH - 1), depth)?;
        Some((found.length, found.distance))
    })
}
