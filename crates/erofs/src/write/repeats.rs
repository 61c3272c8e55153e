//! Content that is in the image already, at whatever place of whatever file: it is found by its chunks, and instead of
//! clusters of its own it gets those that hold it.

use std::collections::BTreeMap;

use super::clusters::{Part, Piece};
use super::splice::{Cluster, Splice};
use crate::compress::{Chunk, Digest, Extent, one_cluster};
use crate::format::BLOCK;
use crate::lz4::Workspace;
use crate::options::Features;

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

impl Repeats {
    pub(super) fn new(features: Features) -> Self {
        let (pieces, at) = (Vec::new(), BTreeMap::new());
        Self { features, pieces, at, workspace: Workspace::default() }
    }

    /// Remembers the chunks of a piece whose clusters are in the image.
    pub(super) fn insert(&mut self, piece: Piece) {
        let parts = piece.parts.iter().zip(piece.ends());
        let clusters = parts.filter_map(|(part, end)| {
            let &Part { extent, at, is_partial, .. } = part;
            Some(Cluster { extent, end, block: at?, is_partial })
        });
        // Elsewhere a short one could begin and end in the same logical cluster, of which only one start can be told.
        let clusters = clusters.filter(|cluster| cluster.end - cluster.start() >= BLOCK).collect();
        for (nth, chunk) in piece.chunks.iter().enumerate() {
            self.at.entry(chunk.digest).or_insert((self.pieces.len(), nth));
        }
        self.pieces.push(Known { chunks: piece.chunks, clusters });
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
            let begin = known.clusters.partition_point(|cluster| cluster.start() < from);
            for cluster in known.clusters[begin..].iter().map_while(|cluster| cluster.up_to(to)) {
                let (start, end) = (cluster.start() - from + here, cluster.end - from + here);
                let extent = Extent { start: start as u32, ..cluster.extent };
                let moved = Cluster { extent, end, ..cluster };
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

    #[test]
    fn the_front_of_a_cluster_is_shared() {
        let (common, other) = (noise(300_000, 16), [noise(900_000, 20), noise(900_000, 24)]);
        // A cluster takes more than what the files have in common.
        let [one, two] = other.map(|other| [common.as_slice(), &other].concat());
        let alone = size(std::slice::from_ref(&one)) + size(std::slice::from_ref(&two));
        let together = size(&[one, two]);
        assert!(together + 150_000 < alone, "{together} bytes, {alone} if nothing is shared");
    }

    #[test]
    fn a_file_of_hardly_anything_but_zeros_has_few_of_them() {
        let zeros = vec![0; 64 << 20];
        let (few, alone) = (size(&[zeros[..8 << 20].to_vec()]), size(&[zeros]));
        // The index alone is four blocks of a piece. Some pieces come before it is known that it gains to share them.
        assert!(alone < 5 * few, "{alone} bytes, an eighth {few}");
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
