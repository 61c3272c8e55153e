//! Content that looks like noise: what is compressed or encrypted already.

/// Places that are looked at.
const PIECES: usize = 16;
/// Most bytes of each.
const PIECE: usize = 256;
/// Fewer bytes say nothing about what is frequent.
const LEAST: usize = 512;

/// Whether all bytes are about equally frequent: two of them are the same hardly more often than by chance, by a
/// thirtieth and three standard deviations of that at most. (Pictures are a little more orderly than archives, and can
/// be compressed.)
pub(super) fn is_even(content: &[u8]) -> bool {
    if content.len() < LEAST {
        return false;
    }
    let stride = content.len() / PIECES;
    let mut counts = [0_u32; 256];
    for piece in content.chunks_exact(stride).take(PIECES) {
        piece.iter().take(PIECE).for_each(|byte| counts[usize::from(*byte)] += 1);
    }
    let pairs = |count: u32| u64::from(count) * u64::from(count.saturating_sub(1));
    let same: u64 = counts.iter().map(|count| pairs(*count)).sum();
    let chance = pairs(counts.iter().sum()) / 256;
    same <= chance + chance / 30 + 3 * chance.isqrt()
}

#[cfg(test)]
mod tests {
    use super::super::tests::noise;
    use super::*;

    #[test]
    fn what_is_compressed_is_noise_and_what_can_be_is_not() {
        for length in [LEAST, 1000, 4096, 70_000] {
            assert!(is_even(&noise(length, 256)), "{length}");
            assert!(!is_even(&noise(length, 200)), "{length}");
        }
        let mut half = noise(70_000, 256);
        half[35_000..].fill(0);
        assert!(!is_even(&half));
        assert!(!is_even(&noise(LEAST - 1, 256)));
    }
}
