//! Chunks of content that end where the bytes before say so. What comes again is divided alike then, wherever in a file
//! it lies, and known by its digests.
//!
//! The bytes are hashed by a gear: what is more than 64 bytes back is shifted out of it (W. Xia et al., FastCDC, 2016).

use sha2::{Digest as _, Sha256};

use super::Digest;

/// Fewest bytes of a chunk, but for the last.
const LEAST: usize = 48 << 10;
/// Most bytes of a chunk.
const MOST: usize = 128 << 10;
/// A chunk ends behind one of `1 << BITS` bytes.
const BITS: u32 = 14;
/// Bytes that the hash remembers.
const WINDOW: usize = 64;
/// A number for each byte.
const GEAR: [u64; 256] = gear();

/// A chunk of content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Chunk {
    /// Byte of the content behind it.
    pub(crate) end: u32,
    pub(crate) digest: Digest,
}

/// The chunks of content of less than 4 GiB.
pub(super) fn chunks(content: &[u8]) -> Vec<Chunk> {
    let (mut chunks, mut start) = (Vec::new(), 0);
    while start < content.len() {
        let length = length(&content[start..]);
        let digest = Sha256::digest(&content[start..start + length]).into();
        start += length;
        chunks.push(Chunk { end: start as u32, digest });
    }
    chunks
}

/// The length of the chunk at the start of the content.
fn length(content: &[u8]) -> usize {
    let most = content.len().min(MOST);
    if most <= LEAST {
        return most;
    }
    let mut hash = 0_u64;
    let hashed = content[LEAST - WINDOW..most].iter().map(|byte| {
        hash = (hash << 1).wrapping_add(GEAR[usize::from(*byte)]);
        hash
    });
    let end = hashed.skip(WINDOW).position(|hash| hash >> (u64::BITS - BITS) == 0);
    end.map_or(most, |end| LEAST + end + 1)
}

/// Numbers in which each bit is set as often as not: those of the generator SplitMix64.
const fn gear() -> [u64; 256] {
    let (mut numbers, mut state, mut at) = ([0; 256], 0_u64, 0);
    while at < numbers.len() {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        numbers[at] = mixed ^ (mixed >> 31);
        at += 1;
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lz4::tests::noise;

    #[test]
    fn what_comes_again_is_divided_alike() {
        let content = noise(3_000_000, 256);
        let known = chunks(&content);
        assert!(known.len() > 20, "{} chunks", known.len());
        let starts = [0].into_iter().chain(known.iter().map(|chunk| chunk.end as usize));
        let lengths: Vec<_> =
            known.iter().zip(starts).map(|(chunk, start)| chunk.end as usize - start).collect();
        let (_, most) = lengths.split_last().expect("there are some");
        assert!(most.iter().all(|length| (LEAST..=MOST).contains(length)), "{lengths:?}");
        let again = chunks(&[noise(77_777, 100).as_slice(), &content].concat());
        let found =
            known.iter().filter(|chunk| again.iter().any(|other| other.digest == chunk.digest));
        assert!(found.count() >= known.len() - 3);
        assert_eq!(chunks(&[0; MOST + 1]).len(), 2);
        assert!(chunks(&[]).is_empty());
    }
}
