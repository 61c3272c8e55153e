//! The shortest way through the longest matches that chains lead to.

use super::chains::{self, Chains};
use super::dense::Dense;
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
            at = if self.chains.density.is_crowded() {
                self.dense.put(at, start, limit, &mut self.chains.density, &mut sequences)
            } else {
                self.put(at, start, limit, &mut sequences)
            };
        }
        sequences.end()
    }

    /// Appends a part of the content from `from` on to the block that starts at `start`, and gives its end.
    fn put(
        &mut self,
        from: usize,
        start: usize,
        limit: usize,
        sequences: &mut Sequences<'_>,
    ) -> usize {
        let Self { chains, depth, way, .. } = self;
        let end = end_of_part(from, chains.data.len(), start, limit);
        way.put((from, end), sequences, |at, known| {
            if known >= NICE_LENGTH {
                return None;
            }
            let found = chains.longest(at, at, start, known.max(MIN_MATCH - 1), *depth)?;
            Some((found.length, found.distance))
        })
    }
}
