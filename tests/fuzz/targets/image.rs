//! Any bytes as an image: all of its tree, all of its content. Errors are fine; panics, hangs and memory beyond what
//! the bytes justify are bugs.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use sysext::erofs::{Image, Kind};

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    // Without the checksum's bit the reader goes on to what is behind the superblock.
    if let Some(compat) = bytes.get_mut(1032) {
        *compat &= !1;
    }
    let Ok(mut image) = Image::open(Cursor::new(bytes)) else { return };
    let Ok(tree) = image.tree() else { return };
    let _ = image.map();
    for id in tree.ids() {
        if let Kind::File(content) = &tree.node(id).kind {
            let mut chunks = image.chunks(content);
            while let Ok(Some(_)) = chunks.next_chunk() {}
        }
    }
});
