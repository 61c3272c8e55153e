//! The shortest way, by what leads to the longest matches in least time: chains, or trees where content is dense.

use super::chains::Chains;
use super::density::{Density, Parse};
use super::trees::{Tables, Trees};
use super::way::{Way, end_of_part};
use super::{MIN_MATCH, Match, Sequences};

/// Places for each that begins with other four bytes than all before it, at least: elsewhere chains are short.
const ALIKE: usize = 32;

/// How hard matches are looked for.
#[derive(Clone, Copy)]
pub(super) struct Effort {
    /// Candidates that are looked at on chains.
    pub(super) depth: usize,
    /// Where so many bytes of a match are known, none is looked for.
    pub(super) nice: usize,
    /// The same where [trees](Parse::Trees) are worth their time at all places.
    pub(super) nice_in_crowd: usize,
}

impl Effort {
    /// As hard in crowds as elsewhere.
    pub(super) fn new(depth: usize, nice: usize) -> Self {
        Self { depth, nice, nice_in_crowd: nice }
    }
}

pub(super) struct Shortest<'a> {
    trees: Trees<'a>,
    way: Way,
}

impl<'a> Shortest<'a> {
    pub(super) fn new(data: &'a [u8], tables: &'a mut Tables) -> Self {
        Self { trees: Trees::new(data, tables), way: Way::default() }
    }

    /// Bytes from one match to the next, lately; 0 if there was none.
    pub(super) fn stride(&self) -> usize {
        self.way.stride
    }

    /// Appends a part of the content from `from` on to the block that starts at `start`, and gives its end.
    pub(super) fn put(
        &mut self,
        from: usize,
        (start, limit): (usize, usize),
        Effort { depth, nice, nice_in_crowd }: Effort,
        chains: &mut Chains<'_>,
        sequences: &mut Sequences<'_>,
    ) -> usize {
        let part = (from, end_of_part(from, chains.data.len(), start, limit));
        let nice_in_trees = match chains.density.parse() {
            Parse::Trees => Some(nice_in_crowd),
            Parse::FewTrees => Some(nice),
            Parse::AsEver | Parse::Overlaps | Parse::ShortestWay => None,
        };
        if let Some(nice) = nice_in_trees {
            return self.put_by_trees(part, start, nice, &mut chains.density, sequences);
        }
        self.way.put(part, nice, sequences, |at, known| {
            chains.longest(at, known.at, start, known.length.max(MIN_MATCH - 1), depth)
        })
    }

    /// The same by trees. Says so if the content is not dense.
    fn put_by_trees(
        &mut self,
        (from, end): (usize, usize),
        start: usize,
        nice: usize,
        density: &mut Density,
        sequences: &mut Sequences<'_>,
    ) -> usize {
        let Self { trees, way } = self;
        trees.resume(from, start);
        let next = way.put((from, end), nice, sequences, |at, known| {
            if known.at < at {
                return None;
            }
            let (length, distance) = trees.longest(at);
            let is_longer = length > known.length && length >= MIN_MATCH;
            is_longer.then_some(Match { at, distance, length })
        });
        if trees.fresh * ALIKE > end - from {
            density.forget();
        }
        next
    }
}
