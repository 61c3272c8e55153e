//! Images that fuzzing found to reach new code, read again: whatever is in them, readers end with an answer or an error.
//!
//! `tests/fuzz/README.md` says how they are made.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use sysext::erofs::{Image, Kind};

#[test]
fn what_fuzzing_kept_is_read_or_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/kept/image");
    let (mut files, mut opened, mut trees, mut whole) = (0, 0, 0, 0);
    for entry in fs::read_dir(folder).expect("the corpus") {
        let mut bytes = fs::read(entry.expect("an entry").path()).expect("an image");
        files += 1;
        // Without the checksum's bit the reader goes on to what is behind the superblock, as in the fuzz target.
        if let Some(compat) = bytes.get_mut(1032) {
            *compat &= !1;
        }
        let Ok(mut image) = Image::open(Cursor::new(bytes)) else { continue };
        opened += 1;
        let Ok(tree) = image.tree() else { continue };
        trees += 1;
        let _ = image.map();
        whole += usize::from(tree.ids().all(|id| {
            let Kind::File(content) = &tree.node(id).kind else { return true };
            let mut chunks = image.chunks(content);
            loop {
                match chunks.next_chunk() {
                    Ok(Some(_)) => {}
                    Ok(None) => return true,
                    Err(_) => return false,
                }
            }
        }));
    }
    // Each way out of the reader is among them.
    assert!(
        files > opened && opened > trees && trees > whole && whole > 0,
        "{files} files, {opened} opened, {trees} with a tree, {whole} whole"
    );
}
