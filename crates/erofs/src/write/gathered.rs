//! What may become a fragment: ends of files, small files, and noise.
//!
//! Noise has blocks of its own: LZ4 saves nothing of it, and readers get it block by block. Only where a good part of it
//! is in other content, but in no block that is there twice, it is worth more among that.

use std::collections::BTreeSet;

use super::data::Incoming;
use super::similar;
use crate::compress::{Data, Digest, Of, Packed};

/// Content that may become a fragment.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) file: Incoming,
    pub(super) content: Vec<u8>,
    /// The digests of its blocks, if it is noise and is stored in them.
    noise: Option<Vec<Digest>>,
}

impl Gathered {
    /// The end of a file whose other content is written.
    pub(super) fn end(file: Incoming, content: Vec<u8>) -> Self {
        Self { file, content, noise: None }
    }

    /// All of a file that is noise.
    pub(super) fn noise(mut file: Incoming, content: Vec<u8>, blocks: Vec<Digest>) -> Self {
        file.add_fragment(content.len());
        Self { file, content, noise: Some(blocks) }
    }

    /// Whether it is noise that becomes no fragment.
    pub(super) fn is_noise(&self) -> bool {
        self.noise.is_some()
    }

    /// The file of noise, as it is stored.
    pub(super) fn stored(self) -> Packed {
        let (of, size) = (Of::File(self.file.node), self.content.len());
        let (data, digests) = (Data::Stored(self.content), self.noise.unwrap_or_default());
        Packed { of, size, data, digests, chunks: Vec::new() }
    }
}

/// The places of a batch in an order in which like is next to like. What is noise then stays noise.
pub(super) fn order(batch: &mut [Gathered]) -> Vec<usize> {
    let contents: Vec<_> = batch.iter().map(|gathered| gathered.content.as_slice()).collect();
    let order = similar::order(&contents);
    let (mut once, mut often) = (BTreeSet::new(), BTreeSet::new());
    for digest in batch.iter().filter_map(|gathered| gathered.noise.as_ref()).flatten() {
        if !once.insert(*digest) {
            often.insert(*digest);
        }
    }
    for &(place, is_alike) in &order {
        let is_there_once = |blocks: &mut Vec<_>| !blocks.iter().any(|block| often.contains(block));
        batch[place].noise.take_if(|blocks| is_alike && is_there_once(blocks));
    }
    order.into_iter().map(|(place, _)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::BLOCK;
    use crate::lz4::tests::noise;
    use crate::tree::NodeId;

    /// Whether each stays as it is. What its blocks hold stands for their digests.
    fn stay(contents: &[Vec<u8>]) -> Vec<bool> {
        let digest = |block: &[u8]| *block.first_chunk().expect("long enough");
        let gathered = |(nth, content): (usize, &Vec<u8>)| {
            let file = Incoming::new(NodeId::new(nth), content.len() as u64, 0, true);
            let blocks = content.chunks(BLOCK).map(digest).collect();
            Gathered::noise(file, content.clone(), blocks)
        };
        let mut batch: Vec<_> = contents.iter().enumerate().map(gathered).collect();
        order(&mut batch);
        batch.iter().map(Gathered::is_noise).collect()
    }

    #[test]
    fn noise_stays_if_it_is_like_no_other_or_has_the_same_blocks() {
        let noise = noise(60_000, 256);
        let [one, other, third] = [0, 20_000, 40_000].map(|at| noise[at..at + 20_000].to_vec());
        let moved = [&[1, 2, 3], one.as_slice()].concat();
        let mut changed = other.clone();
        changed[10_000] ^= 1;
        assert_eq!(stay(&[one, other, third, moved, changed]), [false, true, true, false, true]);
    }
}
