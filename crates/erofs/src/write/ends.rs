//! Ends of content: where the packed inode has one already, another file that ends alike uses it.
//!
//! Blocks are hashed from the last to the first, each with the digest of those behind it. So two contents have as many
//! digests in common as blocks at their ends, and nothing but digests is kept.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::compress::Digest;
use crate::format::BLOCK;
use crate::lz4::MAX_DISTANCE;

/// Blocks of the shortest end that is known of content that is longer: what is in front of it, if it begins differently,
/// fills blocks of its own and takes an index.
const LEAST: usize = 8;

/// Where known ends are.
#[derive(Debug, Default)]
pub(super) struct Ends {
    at: BTreeMap<Digest, u64>,
}

/// Digests of the ends of some content.
pub(super) struct Chain {
    /// Those of 1, 2 and more blocks.
    blocks: Vec<Digest>,
    whole: Digest,
    length: usize,
}

/// An end that is known: its place, and its bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Known {
    pub(super) at: u64,
    pub(super) length: usize,
}

impl Chain {
    pub(super) fn new(content: &[u8]) -> Self {
        let mut before = Digest::default();
        let mut next = |part: &[u8]| {
            before = Sha256::new().chain_update(before).chain_update(part).finalize().into();
            before
        };
        let mut parts = content.rchunks_exact(BLOCK);
        let blocks: Vec<_> = parts.by_ref().map(&mut next).collect();
        let whole = match (parts.remainder(), blocks.last()) {
            ([], Some(&last)) => last,
            (rest, _) => next(rest),
        };
        Self { blocks, whole, length: content.len() }
    }
}

impl Ends {
    /// The longest end that is known of content that would be at `at`, if it is worth it.
    pub(super) fn longest(&self, chain: &Chain, at: u64) -> Option<Known> {
        if let Some(&at) = self.at.get(&chain.whole) {
            return Some(Known { at, length: chain.length });
        }
        let known = chain.blocks.iter().enumerate().skip(LEAST - 1).map_while(|(nth, digest)| {
            Some(Known { at: *self.at.get(digest)?, length: (nth + 1) * BLOCK })
        });
        // LZ4 finds an end that is near, too, and what is in front stays with what it is like.
        known.last().filter(|known| {
            let distance = at + (chain.length - known.length) as u64 - known.at;
            distance > MAX_DISTANCE as u64
        })
    }

    /// Content is at `at` from now on, behind all that is known.
    pub(super) fn insert(&mut self, chain: &Chain, at: u64) {
        for (nth, digest) in chain.blocks.iter().enumerate().skip(LEAST - 1) {
            let start = chain.length - (nth + 1) * BLOCK;
            self.at.insert(*digest, at + start as u64);
        }
        self.at.insert(chain.whole, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(first: u8, length: usize) -> Vec<u8> {
        (0..length).rev().map(|at| if at + 1 == length { first } else { (at / 7) as u8 }).collect()
    }

    #[test]
    fn the_longest_common_end_is_found_in_whole_blocks() {
        let mut ends = Ends::default();
        ends.insert(&Chain::new(&content(0, 50_000)), 1000);
        let longest = |content: &[u8]| ends.longest(&Chain::new(content), 200_000);
        assert_eq!(longest(&content(0, 50_000)), Some(Known { at: 1000, length: 50_000 }));
        // All but the first bytes.
        let length = 40_001 / BLOCK * BLOCK;
        let known = Known { at: 1000 + 50_000 - length as u64, length };
        assert_eq!(longest(&content(9, 40_001)), Some(known));
        assert_eq!(longest(&content(9, LEAST * BLOCK)), None, "too short to be worth it");
        // However much is in front of it.
        let end = &content(0, 50_000)[50_000 - LEAST * BLOCK..];
        let known = Known { at: 1000 + 50_000 - end.len() as u64, length: end.len() };
        assert_eq!(longest(&[&[5; 200_000], end].concat()), Some(known));
        assert_eq!(longest(&[content(0, 50_000), vec![1]].concat()), None);
    }

    #[test]
    fn an_end_is_known_where_it_was_last_unless_lz4_sees_it() {
        let (first, other) = (content(0, 50_000), content(9, 50_000));
        let mut ends = Ends::default();
        ends.insert(&Chain::new(&first), 0);
        ends.insert(&Chain::new(&first), 300_000);
        let (start, length) = (50_000 % BLOCK as u64, 50_000 / BLOCK * BLOCK);
        let far = 300_000 + MAX_DISTANCE as u64 + 1;
        let longest = |at| ends.longest(&Chain::new(&other), at);
        assert_eq!(longest(far), Some(Known { at: 300_000 + start, length }));
        assert_eq!(longest(far - 1), None);
        let whole = ends.longest(&Chain::new(&first), 350_000);
        assert_eq!(whole, Some(Known { at: 300_000, length: 50_000 }), "all of it is known");
    }

    #[test]
    fn content_that_is_the_end_of_another_is_known_whole() {
        let mut ends = Ends::default();
        ends.insert(&Chain::new(&content(0, 50_000)), 0);
        let end = content(0, 50_000)[50_000 - LEAST * BLOCK..].to_vec();
        let known = Known { at: 50_000 - end.len() as u64, length: end.len() };
        assert_eq!(ends.longest(&Chain::new(&end), 50_000), Some(known));
    }
}
