//! Trees, options and damage at random.

use std::io::Cursor;

use erofs::{Image, Kind, Level, Meta, Node, Options, Pcluster, Profile, Time, Tree};
use proptest::prelude::*;

use crate::support::{Contents, below, check, check_with, noise, text, write};

/// What may happen to a tree: names and contents are made from the numbers.
fn arbitrary_tree() -> impl Strategy<Value = Contents> {
    let entry = (
        0..8_u8,
        any::<u16>(),
        prop::collection::vec(any::<u8>(), 1..20),
        0..20_000_usize,
        any::<u32>(),
    );
    prop::collection::vec(entry, 0..60).prop_map(|entries| {
        let mut tree: Contents = Tree::new(Meta::new(0o755));
        let mut folders = vec![tree.root()];
        let mut others = Vec::new();
        for (kind, pick, name, length, number) in entries {
            let folder = folders[usize::from(pick) % folders.len()];
            let mut meta = Meta { uid: number, gid: number >> 16, ..Meta::new(pick) };
            meta.mtime = Time { seconds: i64::from(number % 3), nanoseconds: 0 };
            if number % 4 == 0 {
                meta.xattrs.insert(b"user.x", &name);
            }
            let kind = match kind {
                0 => Kind::Directory(Box::default()),
                1 => Kind::File(text(length)),
                // Longer ones that begin alike, end alike, or are the same.
                2 => Kind::File([text(length), noise(60_000 + length)].concat()),
                3 => Kind::File([noise(length), noise(50_000)].concat()),
                4 => Kind::Symlink(text(length % 4095 + 1).into()),
                5 => Kind::Fifo,
                // Nearly the same, as long as LZ4 sees or a little longer.
                6 => Kind::File(with_marks(below(200, 60_000 + length), number as u8)),
                _ => {
                    if let Some(&target) = others.first() {
                        let _ = tree.link(folder, &name, target);
                    }
                    continue;
                }
            };
            let is_folder = matches!(kind, Kind::Directory(_));
            if let Ok(id) = tree.add(folder, &name, Node { meta, kind }) {
                if is_folder { folders.push(id) } else { others.push(id) }
            }
        }
        tree
    })
}

/// Content from its end to its start, with marks so that no block is as without.
fn with_marks(mut content: Vec<u8>, mark: u8) -> Vec<u8> {
    content.iter_mut().step_by(700).for_each(|byte| *byte ^= mark);
    content.reverse();
    content
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn any_tree(tree in arbitrary_tree()) {
        check(&tree);
    }

    #[test]
    fn any_knobs(tree in arbitrary_tree(), profile in prop::sample::select(&Profile::ALL), blocks in 1..=256_usize, level in 1..=12_u8) {
        let (pcluster, level) = (Pcluster::new(blocks * 4096), Level::new(level));
        check_with(&tree, Options { profile, level, pcluster });
    }

    /// Errors are fine; panics are bugs.
    #[test]
    fn mutated_images_do_not_panic(tree in arbitrary_tree(), profile in prop::sample::select(&Profile::ALL), changes in prop::collection::vec((any::<u32>(), any::<u8>()), 1..20), cut in any::<u32>()) {
        let mut bytes = write(&tree, Options::new(profile));
        for (at, value) in changes {
            let length = bytes.len();
            // Metadata lies in the first and the last blocks.
            let at = if at % 2 == 0 { 1024 + at as usize % 400 } else { length - 1 - at as usize % length.min(20_000) };
            bytes[at] = value;
        }
        if cut % 4 == 0 {
            bytes.truncate(cut as usize % bytes.len());
        }
        // Without the checksum's bit the reader goes on to the rest.
        if let Some(compat) = bytes.get_mut(1032) {
            *compat &= !1;
        }
        if let Ok(mut image) = Image::open(Cursor::new(bytes))
            && let Ok(tree) = image.tree()
        {
            let _ = image.map();
            for id in tree.ids() {
                if let Kind::File(content) = &tree.node(id).kind {
                    let mut chunks = image.chunks(content);
                    while let Ok(Some(_)) = chunks.next_chunk() {}
                }
            }
        }
    }
}
