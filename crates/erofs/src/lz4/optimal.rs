//! The shortest way through the longest matches, everywhere.

use super::chains::{self, Chains};
use super::density::Worth;
use super::shortest::{Effort, Shortest};
use super::{Block, Sequences, trees};

/// Most bytes of a known match where one is looked for since matches are long.
const LONG: usize = 192;

pub(crate) struct Optimal<'a> {
    chains: Chains<'a>,
    effort: Effort,
    shortest: Shortest<'a>,
}

impl<'a> Optimal<'a> {
    pub(super) fn new(
        data: &'a [u8],
        tables: &'a mut chains::Tables,
        trees: &'a mut trees::Tables,
        effort: Effort,
    ) -> Self {
        let chains = Chains::new(data, tables, Worth::EVERYWHERE);
        Self { chains, effort, shortest: Shortest::new(data, trees) }
    }

    pub(crate) fn block(&mut self, start: usize, limit: usize, out: &mut Vec<u8>) -> Block {
        let Self { chains, effort, shortest } = self;
        chains.begin(start);
        let mut sequences = Sequences::new(chains.data, start, limit, out);
        // The first byte of a block stays a literal, as in the other encoders.
        let mut at = start + 1;
        while sequences.may_take(at) {
            // What is known of a match is much only beside what others have.
            let much = (shortest.stride() * 3 / 2).min(LONG);
            let effort = Effort::new(effort.depth, effort.nice.max(much));
            at = shortest.put(at, (start, limit), effort, chains, &mut sequences);
        }
        sequences.end()
    }
}
