//! What becomes of content: blocks, what follows an inode, and fragments.

use super::*;
use crate::lz4::Level;
use crate::options::{Options, Profile};

fn compress(content: &[u8], profile: Profile) -> Option<Data> {
    let features = Options::new(profile).compression().expect("compresses");
    super::compress(content, Some(content.len() as u64), features, &mut Workspace::default())
}

#[test]
fn content_without_gain_is_stored() {
    assert!(compress(&[7; BLOCK], Profile::Compat).is_none());
    for profile in [Profile::Compat, Profile::Default] {
        assert!(compress(&crate::lz4::tests::noise(100_000, 256), profile).is_none());
    }
}

#[test]
fn extents_cross_logical_clusters() {
    let mut content = b"some text that repeats, some that does not: ".repeat(5000);
    for (at, byte) in content.iter_mut().enumerate() {
        if at % 977 == 0 {
            *byte = (at / 977) as u8;
        }
    }
    let Some(Data::Compressed { blocks, extents, end: End::Blocks }) =
        compress(&content, Profile::Compat)
    else {
        panic!("text compresses")
    };
    assert_eq!(blocks.len(), extents.len() * BLOCK);
    let starts: Vec<_> = extents.iter().map(|extent| extent.start as usize / BLOCK).collect();
    assert!(starts.is_sorted_by(|a, b| a < b), "one start per logical cluster: {starts:?}");
}

#[test]
fn a_last_cluster_that_fills_its_blocks_is_written_once() {
    let content = crate::lz4::tests::noise(14_000, 8);
    let mut workspace = Workspace::default();
    let mut fills = |length: &usize| {
        let mut lz4 = Vec::new();
        let mut encoder = Encoder::new(&content[..*length], Level::HIGH, &mut workspace);
        encoder.block(0, 1 << 20, &mut lz4).consumed == *length && lz4.len() == 2 * BLOCK
    };
    let length = (9_000..content.len()).find(&mut fills).expect("some length does");
    let Some(Data::Compressed { blocks, extents, end: End::Blocks }) =
        compress(&content[..length], Profile::Default)
    else {
        panic!("it compresses into blocks alone")
    };
    assert_eq!((blocks.len(), extents.len()), (2 * BLOCK, 1));
}

#[test]
fn what_is_left_behind_whole_blocks_follows_the_inode_as_it_is() {
    // Text, and then noise of which LZ4 makes nothing.
    let text = crate::lz4::tests::noise(14_000, 8);
    let content = [text.as_slice(), &crate::lz4::tests::noise(3_000, 256)].concat();
    let Some(Data::Compressed { extents, end: End::Tail(tail), .. }) =
        compress(&content, Profile::Default)
    else {
        panic!("the end follows the inode")
    };
    let last = extents.last().expect("the tail's");
    assert!(!last.compressed);
    assert_eq!(tail.bytes, content[last.start as usize..]);
}

#[test]
fn noise_that_fills_blocks_is_no_fragment() {
    let noise = |length| crate::lz4::tests::noise(length, 256);
    assert!(compress(&noise(MIN_NOISE), Profile::Small).is_none());
    for content in [noise(MIN_NOISE - 1), crate::lz4::tests::noise(MIN_NOISE, 200)] {
        let data = compress(&content, Profile::Small);
        assert!(matches!(data, Some(Data::Compressed { end: End::Fragment(_), .. })));
    }
}

#[test]
fn content_is_a_fragment_if_the_middles_of_its_thirds_say_that_it_fits() {
    let text = b"some text that repeats itself ".repeat(5_000);
    let noise = crate::lz4::tests::noise(150_000, 256);
    let is_all_fragment = |parts: [&[u8]; 6]| {
        let data = compress(&parts.concat(), Profile::Small);
        let Some(Data::Compressed { blocks, end: End::Fragment(_), .. }) = data else {
            panic!("the end is a fragment")
        };
        blocks.is_empty()
    };
    // What does not fit is known only to those who compress it.
    assert!(is_all_fragment([&noise, &text, &noise, &text, &noise, &text]));
    assert!(!is_all_fragment([&text, &noise, &text, &noise, &text, &text]));
    assert!(!is_all_fragment([&text, &text, &text, &noise, &text, &noise]));
}

#[test]
fn ends_of_files_become_fragments() {
    let content = crate::lz4::tests::noise(400_000, 16);
    let Some(Data::Compressed { blocks, extents, end: End::Fragment(rest) }) =
        compress(&content, Profile::Small)
    else {
        panic!("the end is a fragment")
    };
    let counted: usize = extents.iter().map(|extent| usize::from(extent.blocks)).sum();
    assert_eq!(blocks.len(), counted * BLOCK);
    assert_eq!(extents.last().map(|extent| extent.start as usize), Some(400_000 - rest.len()));
}

#[test]
fn the_end_of_an_archive_is_a_fragment_unless_its_index_costs_more() {
    let noise = crate::lz4::tests::noise(600_000, 256);
    let list = (0..4000).flat_map(|number| format!("folder/file-{number}\n").into_bytes());
    let archive: Vec<u8> = noise.iter().copied().chain(list).collect();
    let compress = |content: &[u8], size| {
        let features = Options::new(Profile::Small).compression().expect("compresses");
        super::compress(content, Some(size), features, &mut Workspace::default())
    };
    let size = archive.len() as u64;
    let Some(Data::Compressed { end: End::Fragment(end), .. }) = compress(&archive, size) else {
        panic!("its list is a fragment")
    };
    assert!(archive.ends_with(&end) && end.len() > archive.len() - noise.len());
    // The last piece of a file of a gigabyte.
    assert!(compress(&archive, 1 << 30).is_none());
    assert!(compress(&noise, noise.len() as u64).is_none());
}
