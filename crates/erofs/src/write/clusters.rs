//! What clusters in the image hold, so that none is there twice.
//!
//! The encoder makes the same clusters of the same content, so files that begin alike have their first clusters in
//! common, and so have stored ones wherever their blocks are the same.

use std::collections::BTreeMap;

use super::index::Runs;
use super::output::Output;
use crate::compress::Digest;
use crate::format::BLOCK;

/// Clusters that are in the image.
#[derive(Debug, Default)]
pub(super) struct Clusters {
    /// Their addresses.
    at: BTreeMap<Digest, u64>,
}

/// Clusters of a piece of content, one behind the other.
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    /// For each its blocks, and the place of its head in the index.
    pub(super) heads: Vec<(usize, usize)>,
    /// What each holds; none where clusters are not shared.
    pub(super) digests: Vec<Digest>,
}

impl Clusters {
    /// How many blocks of clusters with these digests and numbers of blocks are in the image.
    pub(super) fn count(
        &self,
        digests: &[Digest],
        blocks: impl IntoIterator<Item = usize>,
    ) -> usize {
        let known = |&(digest, _): &(&Digest, usize)| self.at.contains_key(digest);
        digests.iter().zip(blocks).filter(known).map(|(_, blocks)| blocks).sum()
    }

    /// Writes clusters and notes where they are; with `share` only those that are not in the image.
    pub(super) fn put(&mut self, piece: Piece, share: bool, runs: &mut Runs, output: &mut Output) {
        let Piece { bytes, heads, digests } = piece;
        if !share {
            let mut next = output.block();
            for (nth, &(blocks, place)) in heads.iter().enumerate() {
                if let Some(digest) = digests.get(nth) {
                    self.at.entry(*digest).or_insert(next);
                }
                runs.push(place, next, blocks as u64);
                next += blocks as u64;
            }
            output.append_owned(bytes);
            return;
        }
        let mut rest = bytes.as_slice();
        for ((blocks, place), digest) in heads.into_iter().zip(digests) {
            let (cluster, behind) = rest.split_at(blocks * BLOCK);
            rest = behind;
            let next = output.block();
            let at = *self.at.entry(digest).or_insert(next);
            if at == next {
                output.append(cluster);
            }
            runs.push(place, at, blocks as u64);
        }
    }
}
