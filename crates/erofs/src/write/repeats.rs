//! Content that is in the image already, at whatever place of whatever file: it is found by its chunks, and instead of
//! clusters of its own it gets those that hold it.
//!
//! Clusters are found whole. What is in front of the first and behind the last was in clusters together with content that
//! repeats, and is put into ones of its own.

use std::collections::BTreeMap;

use super::clusters::{Part, Piece};
use crate::compress::{Chunk, Digest, Extent, one_cluster};
use crate::format::BLOCK;
use crate::lz4::Workspace;
use crate::options::Features;

/// How often a run is shortened by a cluster whose neighbour cannot be cut.
const TRIES: usize = 4;

/// Long content whose clusters are in the image.
#[derive(Debug)]
pub(super) struct Repeats {
    features: Features,
    pieces: Vec<Known>,
    /// Where a chunk was first: its piece, its number there.
    at: BTreeMap<Digest, (usize, usize)>,
    workspace: Workspace,
}

#[derive(Debug)]
struct Known {
    chunks: Vec<Chunk>,
    clusters: Vec<Cluster>,
}

/// A cluster of the image, and the bytes of a piece of content that it holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Cluster {
    start: usize,
    end: usize,
    block: u64,
    blocks: u16,
    compressed: bool,
}

impl Repeats {
    pub(super) fn new(features: Features) -> Self {
        let (pieces, at) = (Vec::new(), BTreeMap::new());
        Self { features, pieces, at, workspace: Workspace::default() }
    }

    /// Remembers the chunks of a piece, whose clusters are at these addresses.
    pub(super) fn insert(&mut self, piece: &Piece, addresses: &[u64]) {
        let parts = piece.parts.iter().zip(addresses).zip(ends(piece));
        let clusters = parts.map(|((part, &block), end)| {
            let Extent { start, blocks, compressed } = part.extent;
            Cluster { start: start as usize, end, block, blocks, compressed }
        });
        // Elsewhere a short one could begin and end in the same logical cluster, of which only one start can be told.
        let clusters = clusters.filter(|cluster| cluster.end - cluster.start >= BLOCK).collect();
        for (nth, chunk) in piece.chunks.iter().enumerate() {
            self.at.entry(chunk.digest).or_insert((self.pieces.len(), nth));
        }
        self.pieces.push(Known { chunks: piece.chunks.clone(), clusters });
    }

    /// The piece with clusters of the image in place of some of its own, if there are any.
    pub(super) fn replace(&mut self, piece: &Piece) -> Option<Piece> {
        let runs = self.runs(&piece.chunks);
        if runs.is_empty() {
            return None;
        }
        let mut new = Splice::new(piece);
        for run in runs {
            new.take(&run, |content| one_cluster(content, self.features, &mut self.workspace));
        }
        new.finish()
    }

    /// Clusters of the image that hold what is in these chunks, behind one another in each run.
    fn runs(&self, chunks: &[Chunk]) -> Vec<Vec<Cluster>> {
        let mut runs: Vec<Vec<Cluster>> = Vec::new();
        let mut nth = 0;
        while nth < chunks.len() {
            let Some(&(piece, first)) = self.at.get(&chunks[nth].digest) else {
                nth += 1;
                continue;
            };
            let known = &self.pieces[piece];
            let pairs = chunks[nth..].iter().zip(&known.chunks[first..]);
            let same = pairs.take_while(|(one, other)| one.digest == other.digest).count();
            let (here, from) = (start(chunks, nth), start(&known.chunks, first));
            let to = start(&known.chunks, first + same);
            let begin = known.clusters.partition_point(|cluster| cluster.start < from);
            for cluster in known.clusters[begin..].iter().take_while(|cluster| cluster.end <= to) {
                let (start, end) = (cluster.start - from + here, cluster.end - from + here);
                let moved = Cluster { start, end, ..*cluster };
                let follows =
                    |run: &&mut Vec<Cluster>| run.last().is_some_and(|last| last.end == start);
                match runs.last_mut().filter(follows) {
                    Some(run) => run.push(moved),
                    None => runs.push(vec![moved]),
                }
            }
            nth += same;
        }
        runs
    }
}

/// Where a chunk starts.
fn start(chunks: &[Chunk], nth: usize) -> usize {
    nth.checked_sub(1).map_or(0, |before| chunks[before].end as usize)
}

/// Where each part of a piece ends.
fn ends(piece: &Piece) -> impl Iterator<Item = usize> {
    piece.parts.iter().skip(1).map(|next| next.extent.start as usize).chain([piece.end])
}

/// What is left of content beside a run.
struct Rest {
    /// The first or the last part from which it is.
    part: usize,
    /// New clusters for it, and where in the content they start.
    clusters: Vec<(usize, Vec<u8>)>,
}

impl Rest {
    /// Bytes of its clusters.
    fn size(&self) -> usize {
        self.clusters.iter().map(|(_, cluster)| cluster.len()).sum()
    }
}

/// Content in so many clusters of about the same length, none of which may take as many blocks as its content. In front of
/// a run there may be so little that a cluster saves nothing; with what is in front of that it does.
fn encode_parts(
    start: usize,
    content: &[u8],
    count: usize,
    encode: &mut impl FnMut(&[u8]) -> Option<Vec<u8>>,
) -> Option<Vec<(usize, Vec<u8>)>> {
    let length = content.len().div_ceil(count).max(1);
    let clusters = content.chunks(length).enumerate();
    clusters.map(|(nth, content)| Some((start + nth * length, encode(content)?))).collect()
}

/// A piece in which clusters are replaced from the front to the back.
struct Splice<'a> {
    old: &'a Piece,
    /// Where each part of the old piece ends in the content, and its cluster in the bytes.
    ends: Vec<(usize, usize)>,
    /// The first part that is not yet in the new piece.
    next: usize,
    new: Piece,
}

impl<'a> Splice<'a> {
    fn new(old: &'a Piece) -> Self {
        let mut at = 0;
        let ends = old.parts.iter().zip(ends(old)).map(|(part, end)| {
            at += part.blocks() * BLOCK;
            (end, at)
        });
        let (end, chunks) = (old.end, old.chunks.clone());
        let new = Piece { end, chunks, ..Piece::default() };
        Self { old, ends: ends.collect(), next: 0, new }
    }

    /// Takes as much of a run as is worth it. What else is in clusters at its ends goes through `encode`.
    fn take(&mut self, mut run: &[Cluster], mut encode: impl FnMut(&[u8]) -> Option<Vec<u8>>) {
        let mut tries = TRIES;
        while let (Some(first), Some(last)) = (run.first(), run.last()) {
            // What is behind the parts is elsewhere.
            if last.end > self.old.end {
                run = &run[..run.len() - 1];
                continue;
            }
            if self.part_at(first.start) < self.next {
                run = &run[1..];
                continue;
            }
            let Some(left) = tries.checked_sub(1) else { return };
            tries = left;
            let Some(head) = self.head(first.start, &mut encode) else {
                run = &run[1..];
                continue;
            };
            let Some(tail) = self.tail(last.end, &mut encode) else {
                run = &run[..run.len() - 1];
                continue;
            };
            let dropped: usize = (head.part..=tail.part).map(|nth| self.cluster(nth).len()).sum();
            if dropped > head.size() + tail.size() {
                self.keep(head.part);
                self.put(head.clusters);
                self.new.parts.extend(run.iter().map(|cluster| {
                    let &Cluster { start, block, blocks, compressed, .. } = cluster;
                    let extent = Extent { start: start as u32, compressed, blocks };
                    Part { extent, digest: None, at: Some(block) }
                }));
                self.put(tail.clusters);
                self.next = tail.part + 1;
            }
            return;
        }
    }

    /// New clusters for what is in front of a byte of the content, in its part or also in the one before.
    fn head(&self, to: usize, encode: &mut impl FnMut(&[u8]) -> Option<Vec<u8>>) -> Option<Rest> {
        let part = self.part_at(to);
        let fewest = self.next.max(part.saturating_sub(1));
        (fewest..=part).rev().find_map(|first| {
            let content = self.content(first, part)?;
            let start = self.start(first);
            let clusters =
                encode_parts(start, content.get(..to - start)?, part - first + 1, encode)?;
            Some(Rest { part: first, clusters })
        })
    }

    /// New clusters for what is from a byte of the content on, in the part in front of it or also in the next.
    fn tail(&self, from: usize, encode: &mut impl FnMut(&[u8]) -> Option<Vec<u8>>) -> Option<Rest> {
        let part = self.part_at(from - 1);
        let most = (part + 1).min(self.old.parts.len() - 1);
        (part..=most).find_map(|last| {
            let content = self.content(part, last)?;
            let content = content.get(from - self.start(part)..)?;
            let clusters = encode_parts(from, content, last - part + 1, encode)?;
            Some(Rest { part: last, clusters })
        })
    }

    /// The number of the part that has a byte of the content.
    fn part_at(&self, at: usize) -> usize {
        self.ends.partition_point(|(end, _)| *end <= at)
    }

    fn start(&self, nth: usize) -> usize {
        self.old.parts[nth].extent.start as usize
    }

    /// The cluster of a part, as it is in the image.
    fn cluster(&self, nth: usize) -> &'a [u8] {
        let end = self.ends[nth].1;
        &self.old.bytes[end - self.old.parts[nth].blocks() * BLOCK..end]
    }

    /// The content of parts, the last one included.
    fn content(&self, first: usize, last: usize) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        for nth in first..=last {
            let length = self.ends[nth].0 - self.start(nth);
            let cluster = self.cluster(nth);
            if !self.old.parts[nth].extent.compressed {
                content.extend_from_slice(cluster.get(..length)?);
                continue;
            }
            let padding = cluster.iter().take_while(|byte| **byte == 0).count();
            content.extend(lz4_flex::block::decompress(&cluster[padding..], length).ok()?);
        }
        Some(content)
    }

    /// Takes over the parts up to one.
    fn keep(&mut self, end: usize) {
        for nth in self.next..end {
            self.new.parts.push(self.old.parts[nth]);
            self.new.bytes.extend_from_slice(self.cluster(nth));
        }
    }

    /// Appends new clusters.
    fn put(&mut self, clusters: Vec<(usize, Vec<u8>)>) {
        for (start, cluster) in clusters {
            let blocks = (cluster.len() / BLOCK) as u16;
            let extent = Extent { start: start as u32, compressed: true, blocks };
            self.new.parts.push(Part { extent, digest: None, at: None });
            self.new.bytes.extend(cluster);
        }
    }

    fn finish(mut self) -> Option<Piece> {
        if self.next == 0 {
            return None;
        }
        self.keep(self.old.parts.len());
        Some(self.new)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::lz4::tests::noise;
    use crate::options::{Options, Pcluster, Profile};
    use crate::write::tests::pack;

    fn size(contents: &[Vec<u8>]) -> usize {
        pack(contents, Options::new(Profile::Small), |_| {}).len()
    }

    #[test]
    fn what_comes_again_at_another_place_is_there_once() {
        let common = noise(10_000_000, 16);
        let other = [noise(12_345, 60).as_slice(), &common, &noise(70_000, 60)].concat();
        let end = [noise(2_000_000, 60).as_slice(), &common[3_333_333..]].concat();
        let alone = size(std::slice::from_ref(&common)) + size(&[noise(2_082_345, 60)]);
        let together = size(&[common, other, end]);
        // What is in a cluster with something else is there again: at both ends, and where a segment ends.
        assert!(together < alone + 3_000_000, "{together} bytes, without repeats {alone}");
    }

    #[test]
    fn a_file_that_repeats_itself_has_that_once() {
        let common = noise(9_000_000, 16);
        let twice = [common.as_slice(), b"and again", &common].concat();
        let (one, two) = (size(&[common]), size(&[twice]));
        assert!(two < one + one / 4, "{two} bytes, once {one}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        /// Slices of the same bytes in any order, in clusters of any size.
        #[test]
        fn any_repeats(
            files in prop::collection::vec(
                prop::collection::vec((0_usize..500_000, 1_usize..400_000), 1..5), 1..5
            ),
            blocks in prop::sample::select(vec![1_usize, 2, 3, 16]),
        ) {
            let pool = [noise(300_000, 16), noise(100_000, 256), vec![0; 100_000]].concat();
            let slice = |&(start, length): &(usize, usize)| {
                pool[start..(start + length).min(pool.len())].to_vec()
            };
            let contents: Vec<Vec<u8>> =
                files.iter().map(|slices| slices.iter().flat_map(slice).collect()).collect();
            let pcluster = Pcluster::new(blocks * 4096);
            pack(&contents, Options { pcluster, ..Options::new(Profile::Small) }, |_| {});
        }
    }
}
