//! Blocks of all levels, as lz4_flex decodes them.

use super::sequences::length;
use super::*;

/// Encodes all of `data` in blocks of at most `limit` bytes and decodes each with lz4_flex. Gives the size.
fn round_trip(data: &[u8], limit: usize) -> usize {
    let mut workspace = Workspace::default();
    let sizes = [1, 4, 6, 10].map(|level| {
        let mut encoder = Encoder::new(data, Level(level), &mut workspace);
        round_trip_by(data, limit, |at, out| encoder.block(at, limit, out))
    });
    // Blocks that are cut elsewhere may differ by a little.
    let grows = |pair: &[usize]| pair[1] > pair[0] + pair[0] / 50 + 64;
    assert!(!sizes.windows(2).any(grows), "higher levels do worse: {sizes:?}");
    sizes[0]
}

fn round_trip_by(
    data: &[u8],
    limit: usize,
    mut encode: impl FnMut(usize, &mut Vec<u8>) -> Block,
) -> usize {
    let (mut at, mut size) = (0, 0);
    while at < data.len() {
        let mut out = Vec::new();
        let Block { consumed } = encode(at, &mut out);
        assert!(consumed > 0 && out.len() <= limit, "{consumed} bytes in {}", out.len());
        assert_ne!(out[0], 0, "a block must not look like padding");
        let decoded = lz4_flex::block::decompress(&out, consumed).unwrap();
        assert_eq!(decoded, data[at..at + consumed]);
        check_end_rules(&out, consumed);
        check_cut(&out, &data[at..at + consumed]);
        at += consumed;
        size += out.len();
    }
    size
}

/// How large `data` is in one block at each level.
fn sizes<const N: usize>(data: &[u8], levels: [u8; N]) -> [usize; N] {
    let mut workspace = Workspace::default();
    levels.map(|level| {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(data, Level(level), &mut workspace);
        assert_eq!(encoder.block(0, 1 << 22, &mut out).consumed, data.len());
        out.len()
    })
}

/// A block that is cut short decodes to a prefix of its content.
fn check_cut(block: &[u8], content: &[u8]) {
    for limit in [16, block.len() / 2, block.len()] {
        let mut short = Vec::new();
        let Block { consumed } = cut(block, content, limit.max(16), &mut short);
        assert!(short.len() <= limit.max(16));
        let decoded = lz4_flex::block::decompress(&short, consumed).unwrap();
        assert_eq!(decoded, content[..consumed]);
        assert!(limit < block.len() || limit < 16 || consumed == content.len());
    }
}

/// The last 5 bytes are literals and the last match starts 12 bytes before the end, or the kernel's decoder
/// may refuse the block.
fn check_end_rules(block: &[u8], size: usize) {
    let (mut at, mut decoded, mut last_match) = (0, 0, None);
    loop {
        let token = block[at];
        at += 1;
        let literals = length(token >> 4, block, &mut at);
        at += literals;
        decoded += literals;
        if at == block.len() {
            assert!(last_match.is_none() || literals >= LAST_LITERALS);
            break;
        }
        at += 2;
        last_match = Some(decoded);
        decoded += MIN_MATCH + length(token & 15, block, &mut at);
    }
    assert_eq!(decoded, size);
    assert!(last_match.is_none_or(|at| at + MATCH_MARGIN <= size));
}

/// Pseudorandom bytes below `alphabet`.
pub(crate) fn noise(length: usize, alphabet: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 16) % alphabet) as u8
    };
    (0..length).map(next).collect()
}

#[test]
fn every_alphabet_and_limit_round_trips() {
    for alphabet in [1, 2, 3, 4, 16, 256] {
        for length in [1, 5, 12, 13, 4095, 4096, 4097, 70_000, 300_000] {
            // Tiny blocks of long content take long and show nothing that those of short content do not.
            for limit in [16, 64, 4096, 65_536].iter().filter(|limit| length / *limit < 5000) {
                round_trip(&noise(length, alphabet), *limit);
            }
        }
    }
}

#[test]
fn sequences_of_few_different_bytes_take_little_more_than_their_entropy() {
    // Chains of any length that is worth its time leave 28 and 43 %, an ideal code would leave 12.5 and 25.
    for (alphabet, percent) in [(2, 20), (4, 39)] {
        let data = noise(400_000, alphabet);
        let most = data.len() * percent / 100;
        let sizes = sizes(&data, [4, 6, 10]);
        assert!(sizes.iter().all(|size| *size < most), "{alphabet}: {sizes:?} of {most}");
    }
}

#[test]
fn lists_of_numbers_take_little_more_than_the_shortest_way() {
    let (mut list, mut number) = (String::new(), 16_777_216_u32);
    for step in noise(300_000, 256).chunks(3) {
        let end = number + 256 * u32::from(step[0] % 8) + u32::from(step[1]);
        list += &format!("{number},{end},{}\n", ["AU", "CN", "JP", "TH"][usize::from(step[2] % 4)]);
        number = end + 1;
    }
    let [good, high, shortest] = sizes(list.as_bytes(), [4, 6, 10]);
    let most = shortest + shortest / 100;
    assert!(good < most && high < most, "{good} and {high} of {most}");
}

#[test]
fn words_at_random_take_little_more_than_the_shortest_way() {
    let letters = noise(70, 26);
    let word = |number: &u8| &letters[usize::from(*number) * 7..][..5 + usize::from(number % 4)];
    let words: Vec<u8> = noise(60_000, 10).iter().flat_map(word).copied().collect();
    let [good, high, shortest] = sizes(&words, [4, 6, 12]);
    let most = shortest + shortest / 50;
    assert!(good < most && high < most, "{good} and {high} of {most}");
}

#[test]
fn records_take_little_more_than_the_shortest_way() {
    let record = |[number, kind]: &[u8; 2]| {
        let name = ["Reference", "Value", "Footprint", "Datasheet"][usize::from(kind % 4)];
        let hide = ["", " hide"][usize::from(kind / 4 % 2)];
        format!(
            "    (property \"{name}\" \"\" (id {}) (at 0 {} 0)\n\
             \x20     (effects (font (size 1.27 1.27)){hide})\n    )\n",
            kind % 4,
            number % 8,
        )
    };
    let records: String = noise(16_000, 256).as_chunks().0.iter().map(record).collect();
    let [good, high, shorter, shortest] = sizes(records.as_bytes(), [4, 6, 10, 12]);
    assert!(good < shortest + shortest / 16, "{good} of {shortest}");
    assert!(high < shortest + shortest / 20, "{high} of {shortest}");
    // Most matches are far longer than what is much of one elsewhere.
    assert!(shorter < shortest + shortest / 100, "{shorter} of {shortest}");
    for level in [Level::GOOD, Level::HIGH] {
        let mut workspace = Workspace::default();
        let mut encoder = Encoder::new(records.as_bytes(), level, &mut workspace);
        round_trip_by(records.as_bytes(), 4096, |at, out| encoder.block(at, 4096, out));
    }
}

#[test]
fn dumps_of_databases_take_little_more_than_the_shortest_way() {
    let syllables =
        ["an", "ber", "co", "dis", "er", "in", "la", "mo", "ness", "re", "si", "ter", "un"];
    let row = |(nth, bytes): (usize, &[u8; 8])| {
        let name = |bytes: &[u8]| -> String {
            bytes.iter().map(|byte| syllables[usize::from(*byte) % syllables.len()]).collect()
        };
        let (one, other) = (name(&bytes[..3]), name(&bytes[3..6]));
        let (age, day) = (bytes[6] % 90, bytes[7] % 28);
        format!(
            "INSERT INTO `users` VALUES ({nth},'{one}','{other}@example.com',{age},'2024-01-{day:02}');\n"
        )
    };
    let rows: String = noise(80_000, 256).as_chunks().0.iter().enumerate().map(row).collect();
    let [good, shortest] = sizes(rows.as_bytes(), [4, 12]);
    assert!(good < shortest + shortest / 40, "{good} of {shortest}");
}

#[test]
fn lines_of_words_in_any_order_take_little_more_than_the_shortest_way() {
    let line = |[what, one, two, number]: &[u8; 4]| {
        let what =
            ["mov", "add", "lea", "cmp", "jmp", "call", "push", "pop"][usize::from(what % 8)];
        let register = |byte: u8| ["eax", "ebx", "rcx", "rdx", "rsi", "rdi"][usize::from(byte % 6)];
        let (one, two) = (register(*one), register(*two));
        if number % 2 == 0 {
            format!("  {what} {one}, {two}\n")
        } else {
            format!("  {what} {one}, [rbp-{number:#x}]\n")
        }
    };
    let lines: String = noise(120_000, 256).as_chunks().0.iter().map(line).collect();
    let [good, shortest] = sizes(lines.as_bytes(), [4, 12]);
    assert!(good < shortest + shortest / 8, "{good} of {shortest}");
}

#[test]
fn repeated_content_fills_the_limit_and_shrinks() {
    let zeros = vec![0; 4 << 20];
    assert_eq!(round_trip(&zeros, 4096).div_ceil(4096), 5);
    let text = b"The quick brown fox jumps over the lazy dog. ".repeat(2000);
    assert!(round_trip(&text, 4096) < 1500);
}

proptest::proptest! {
    #[test]
    fn any_bytes_round_trip(
        data in proptest::collection::vec(0_u8..6, 1..20_000),
        limit in 16_usize..5000,
    ) {
        round_trip(&data, limit);
    }
}
