//! Where fragments are cut so that their ends meet.
//!
//! LZ4 looks 64 KiB back. Of long fragments that are alike, such as fonts of one family or programs of one package, none sees
//! what it is like in the one before. But if only their ends are fragments, they do: what is in front of an end fills blocks
//! of its file.

use super::data::Incoming;
use super::similar::strings;
use crate::lz4::MAX_DISTANCE;

/// Most bytes of an end: a little less than LZ4 sees, since what is alike in two ends is not as far from the end in both.
const END: usize = 62 << 10;
/// One string of `1 << RARE` is a sample.
const RARE: u32 = 7;
/// Samples that must come in sight for a cut to be worth it: those of 6 KiB, since the front fills its last block by half, and
/// takes an index, and short matches are not counted.
const WORTH: usize = 50;

/// Bytes in front of the end of content that comes behind `placed`; 0 if it is better not cut.
pub(super) fn front(file: &Incoming, content: &[u8], placed: &[u8]) -> usize {
    if content.len() <= MAX_DISTANCE {
        return 0;
    }
    let front = file.front(content.len(), END);
    let sees = |part| strings(part, RARE);
    let (before, end) = (sees(last(placed)), sees(&content[front..]));
    let cut = common(&end, &before);
    if cut < WORTH {
        return 0;
    }
    let (own, head) = (sees(last(&content[..front])), sees(&content[..front.min(MAX_DISTANCE)]));
    let uncut = common(&end, &own) + common(&head, &before);
    if cut >= uncut + WORTH { front } else { 0 }
}

/// What LZ4 sees from the end of content.
fn last(content: &[u8]) -> &[u8] {
    &content[content.len().saturating_sub(MAX_DISTANCE)..]
}

/// How many of the samples are also among others.
fn common(samples: &[u32], others: &[u32]) -> usize {
    samples.iter().filter(|sample| others.binary_search(sample).is_ok()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::BLOCK;
    use crate::lz4::tests::noise;
    use crate::tree::NodeId;

    /// Where content of that file is cut behind what was placed.
    fn cut(content: &[u8], placed: &[u8]) -> usize {
        let mut file = Incoming::new(NodeId::new(1), content.len() as u64, 0, true);
        file.add_fragment(content.len());
        front(&file, content, placed)
    }

    #[test]
    fn long_content_is_cut_where_its_end_meets_what_it_is_like() {
        let bytes = noise(400_000, 256);
        let [one, other, end] = [0, 100_000, 200_000].map(|at| &bytes[at..][..80_000]);
        let (placed, content) = ([one, end].concat(), [other, end].concat());
        let front = cut(&content, &placed);
        assert!(front.is_multiple_of(BLOCK) && (1..=END).contains(&(content.len() - front)));
        assert_eq!(cut(&content, one), 0, "it is like nothing");
        assert_eq!(cut(&end[..MAX_DISTANCE], &placed), 0, "all of it is in sight");
        assert_eq!(cut(&content, &[&placed, one].concat()), 0, "what it is like is not");
        let little = [other, &end[..2000]].concat();
        assert_eq!(cut(&little, &placed[..82_000]), 0, "it is too little");
    }

    #[test]
    fn content_that_sees_as_much_as_it_is_is_not_cut() {
        let bytes = noise(200_000, 256);
        let (half, other) = (&bytes[..60_000], &bytes[100_000..][..60_000]);
        assert_eq!(cut(&[half, half].concat(), half), 0, "its end is like its own front");
        let placed = [half, &other[..5000]].concat();
        let content = [half, &other[..5000], other].concat();
        assert_eq!(cut(&content, &placed), 0, "its front is like what is placed");
    }
}
