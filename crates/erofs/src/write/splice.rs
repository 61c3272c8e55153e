//! Clusters of a piece give way to clusters of the image that hold the same.
//!
//! Those are taken whole, but for the last of a run, of which the front may be enough. What is in front of the first and
//! behind the last was in clusters together with what they hold, and is put into ones of its own.

use super::clusters::{Part, Piece};
use crate::compress::Extent;
use crate::format::BLOCK;

/// How often it is tried to cut what is beside a run, which is a cluster shorter each time.
const TRIES: usize = 4;
/// Of which part of a cluster's content on the front of it is worth to be taken: all of the cluster is read for it.
const WORTH: usize = 4;

/// A cluster of the image for an extent of a piece of content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cluster {
    pub(super) extent: Extent,
    /// Where the extent ends.
    pub(super) end: usize,
    /// The address of the cluster.
    pub(super) block: u64,
    /// Whether it decodes to more than the extent has.
    pub(super) is_partial: bool,
}

impl Cluster {
    pub(super) fn start(&self) -> usize {
        self.extent.start as usize
    }

    /// What of it is in front of byte `to`, if that is worth to be read with the rest.
    pub(super) fn up_to(self, to: usize) -> Option<Self> {
        if self.end <= to {
            return Some(self);
        }
        let (some, all) = (to.checked_sub(self.start())?, self.end - self.start());
        // The index tells how many blocks a cluster has behind its head, before the next.
        let is_worth_it = self.extent.compressed && some >= 2 * BLOCK && some >= all / WORTH;
        is_worth_it.then_some(Self { end: to, is_partial: true, ..self })
    }
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
pub(super) struct Splice<'a> {
    old: &'a Piece,
    /// Where each part of the old piece ends in the content, and its cluster in the bytes.
    ends: Vec<(usize, usize)>,
    /// The first part that is not yet in the new piece.
    next: usize,
    new: Piece,
}

impl<'a> Splice<'a> {
    pub(super) fn new(old: &'a Piece) -> Self {
        let mut at = 0;
        let ends = old.parts.iter().zip(old.ends()).map(|(part, end)| {
            at += part.blocks() * BLOCK;
            (end, at)
        });
        let (end, chunks) = (old.end, old.chunks.clone());
        let new = Piece { end, chunks, ..Piece::default() };
        Self { old, ends: ends.collect(), next: 0, new }
    }

    /// Takes as much of a run as can be taken, if it is worth it. What else is in clusters at its ends goes through
    /// `encode`.
    pub(super) fn take(
        &mut self,
        run: &[Cluster],
        mut encode: impl FnMut(&[u8]) -> Option<Vec<u8>>,
    ) {
        let Some((head, run, tail)) = self.cut(run, &mut encode) else { return };
        let dropped: usize = (head.part..=tail.part).map(|nth| self.cluster(nth).len()).sum();
        if dropped <= head.size() + tail.size() {
            return;
        }
        self.keep(head.part);
        self.put(head.clusters);
        let known = |cluster: &Cluster| Part {
            extent: cluster.extent,
            digest: None,
            at: Some(cluster.block),
            is_partial: cluster.is_partial,
        };
        self.new.parts.extend(run.iter().map(known));
        self.put(tail.clusters);
        self.next = tail.part + 1;
    }

    /// What can be taken of a run, and what is left beside it.
    fn cut<'r>(
        &self,
        run: &'r [Cluster],
        encode: &mut impl FnMut(&[u8]) -> Option<Vec<u8>>,
    ) -> Option<(Rest, &'r [Cluster], Rest)> {
        let first = run.partition_point(|cluster| self.part_at(cluster.start()) < self.next);
        // What is behind the parts is elsewhere.
        let end = run.partition_point(|cluster| cluster.end <= self.old.end);
        let run = run.get(first..end)?;
        let (first, head) = (0..run.len())
            .take(TRIES)
            .find_map(|nth| Some((nth, self.head(run[nth].start(), encode)?)))?;
        let (last, tail) = (first..run.len())
            .rev()
            .take(TRIES - first)
            .find_map(|nth| Some((nth, self.tail(run[nth].end, encode)?)))?;
        Some((head, &run[first..=last], tail))
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
            self.new.parts.push(Part { extent, digest: None, at: None, is_partial: false });
            self.new.bytes.extend(cluster);
        }
    }

    /// The new piece, if anything was replaced.
    pub(super) fn finish(mut self) -> Option<Piece> {
        if self.next == 0 {
            return None;
        }
        self.keep(self.old.parts.len());
        Some(self.new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fronts_of_clusters_are_long_enough_to_tell_their_blocks() {
        let extent = Extent { start: 1000, compressed: true, blocks: 3 };
        let cluster = Cluster { extent, end: 21_000, block: 7, is_partial: false };
        let up_to = |to| cluster.up_to(to).map(|cluster| (cluster.end, cluster.is_partial));
        assert_eq!(up_to(21_000), Some((21_000, false)));
        assert_eq!(up_to(1000 + 2 * BLOCK), Some((1000 + 2 * BLOCK, true)));
        assert_eq!(up_to(999 + 2 * BLOCK), None);
        assert_eq!(up_to(500), None);
        let longer = Cluster { end: 1_000_000, ..cluster };
        assert!(longer.up_to(240_000).is_none() && longer.up_to(260_000).is_some());
    }
}
