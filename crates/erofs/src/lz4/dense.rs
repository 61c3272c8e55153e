//! The shortest way through dense content, where trees find more than chains in less time.

use super::density::Density;
use super::trees::{Tables, Trees};
use super::way::{Way, end_of_part};
use super::{MIN_MATCH, Sequences};

/// Places for each that begins with other four bytes than all before it, at least: elsewhere chains are short.
const ALIKE: usize = 32;

pub(super) struct Dense<'a> {
    trees: Trees<'a>,
    way: Way,
}

impl<'a> Dense<'a> {
    pub(super) fn new(data: &'a [u8], tables: &'a mut Tables) -> Self {
        Self { trees: Trees::new(data, tables), way: Way::default() }
    }

    /// Appends a part of the content from `from` on to the block that starts at `start`, and gives its end. Says so
    /// if the content is not dense.
    pub(super) fn put(
        &mut self,
        from: usize,
        start: usize,
        limit: usize,
        density: &mut Density,
        sequences: &mut Sequences<'_>,
    ) -> usize {
        let Self { trees, way } = self;
        let end = end_of_part(from, trees.data.len(), start, limit);
        trees.resume(from, start);
        let next = way.put((from, end), sequences, |at, known| {
            let (length, distance) = trees.longest(at);
            (length > known && length >= MIN_MATCH).then_some((length, distance))
        });
        if trees.fresh * ALIKE > end - from {
            *density = Density::default();
        }
        next
    }
}
