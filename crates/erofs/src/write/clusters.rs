//! What clusters in the image hold, so that none is there twice.
//!
//! The encoder makes the same clusters of the same content, so files that begin alike have their first clusters in
//! common, and so have stored ones wherever their blocks are the same. What else long files have in common
//! [`Repeats`] finds.

use std::collections::BTreeMap;

use super::index::Runs;
use super::output::Output;
use super::repeats::Repeats;
use crate::compress::{Chunk, Digest, Extent};
use crate::format::BLOCK;
use crate::options::Features;

/// Clusters that are in the image.
#[derive(Debug)]
pub(super) struct Clusters {
    /// Their addresses.
    at: BTreeMap<Digest, u64>,
    /// None where clusters are not shared.
    repeats: Option<Repeats>,
}

/// Clusters of a piece of content, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) parts: Vec<Part>,
    /// Those clusters that are not known to be in the image.
    pub(super) bytes: Vec<u8>,
    /// Where the last part ends, counted as the starts of extents are.
    pub(super) end: usize,
    /// The content in chunks, if it is to be found in other content.
    pub(super) chunks: Vec<Chunk>,
}

/// An extent and its cluster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) extent: Extent,
    /// What the cluster holds, if it may be shared.
    pub(super) digest: Option<Digest>,
    /// Where it is, if it is known to be in the image.
    pub(super) at: Option<u64>,
    /// Whether it decodes to more than the extent has.
    pub(super) is_partial: bool,
}

impl Part {
    pub(super) fn blocks(&self) -> usize {
        self.extent.blocks.into()
    }
}

impl Piece {
    /// New clusters of content up to byte `end`, and their digests, which are missing where clusters are not shared.
    pub(super) fn new(
        (extents, bytes): (Vec<Extent>, Vec<u8>),
        end: usize,
        digests: Vec<Digest>,
        chunks: Vec<Chunk>,
    ) -> Self {
        let digests = digests.into_iter().map(Some).chain(std::iter::repeat(None));
        let part = |(extent, digest)| Part { extent, digest, at: None, is_partial: false };
        Self { parts: extents.into_iter().zip(digests).map(part).collect(), bytes, end, chunks }
    }

    /// Where each part ends.
    pub(super) fn ends(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().skip(1).map(|next| next.extent.start as usize).chain([self.end])
    }

    /// Blocks of all its clusters. What follows an inode is in none.
    pub(super) fn blocks(&self) -> u64 {
        let known = self.parts.iter().filter(|part| part.at.is_some()).map(Part::blocks);
        (self.bytes.len() / BLOCK + known.sum::<usize>()) as u64
    }
}

impl Clusters {
    pub(super) fn new(features: Option<Features>) -> Self {
        let shared = features.filter(|features| features.fragments);
        Self { at: BTreeMap::new(), repeats: shared.map(Repeats::new) }
    }

    /// How many blocks of a piece are in the image.
    pub(super) fn count(&self, piece: &Piece) -> u64 {
        let is_known = |part: &&Part| {
            part.at.is_some() || part.digest.is_some_and(|digest| self.at.contains_key(&digest))
        };
        piece.parts.iter().filter(is_known).map(Part::blocks).sum::<usize>() as u64
    }

    /// The piece with clusters of the image in place of its own, where they hold what comes again.
    pub(super) fn repeated(&mut self, piece: &Piece) -> Option<Piece> {
        self.repeats.as_mut()?.replace(piece)
    }

    /// Writes clusters whose heads have these places in the index, and notes where they are; with `share` only those that
    /// are not in the image.
    pub(super) fn put(
        &mut self,
        mut piece: Piece,
        places: &[usize],
        share: bool,
        runs: &mut Runs,
        output: &mut Output,
    ) {
        let bytes = std::mem::take(&mut piece.bytes);
        let (mut next, mut rest) = (output.block(), bytes.as_slice());
        for (part, place) in piece.parts.iter_mut().zip(places) {
            let known = part.at.or_else(|| {
                let first = *self.at.entry(part.digest?).or_insert(next);
                (share && first < next).then_some(first)
            });
            if share && part.at.is_none() {
                let (cluster, behind) = rest.split_at(part.blocks() * BLOCK);
                rest = behind;
                if known.is_none() {
                    output.append(cluster);
                }
            }
            let at = known.unwrap_or(next);
            next += if known.is_none() { part.blocks() as u64 } else { 0 };
            runs.push(*place, at, part.blocks() as u64);
            part.at = Some(at);
        }
        if let Some(repeats) = self.repeats.as_mut().filter(|_| !piece.chunks.is_empty()) {
            repeats.insert(piece);
        }
        if !share {
            output.append_owned(bytes);
        }
    }
}
