//! `size`: what takes much room and is read by few.

use erofs::Kind;
use fast_glob::glob_match;

use super::Image;
use crate::finding::{Check, Severity};

/// Kinds of files, and where they are.
const KINDS: [(&str, &str); 7] = [
    ("documentation", "usr/share/{doc,gtk-doc,info}/**"),
    ("manuals", "usr/share/man/**"),
    ("translations", "usr/share/locale/**"),
    ("files for debugging", "usr/lib/debug/**"),
    ("links to files for debugging", "usr/lib/.build-id/**"),
    ("headers", "usr/include/**"),
    ("libraries for building", "usr/lib{,64}/**/*.a"),
];
/// Less is not worth a word: this many bytes,
const LEAST: u64 = 4 << 20;
/// or this part of all.
const PART: u64 = 4;

pub(super) fn check(image: &mut Image<'_, '_>) {
    let mut sizes = [0_u64; KINDS.len()];
    let mut all = 0_u64;
    for (path, node) in &image.paths {
        let Kind::File(size) = image.tree.node(*node).kind else { continue };
        all = all.saturating_add(size);
        if let Some(kind) = KINDS.iter().position(|(_, pattern)| glob_match(pattern, path)) {
            sizes[kind] = sizes[kind].saturating_add(size);
        }
    }
    for ((what, pattern), size) in KINDS.iter().zip(sizes) {
        if size >= LEAST && size >= all / PART {
            let message =
                format!("{what} take {} MiB of {} MiB before compression", size >> 20, all >> 20);
            image.add(
                Severity::Info,
                Check::Size,
                None,
                message,
                &format!("leave out /{pattern} if nobody needs it there"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use rpm::NewFile;

    use super::super::testing::messages;
    use super::*;
    use crate::extension::Extension;

    #[test]
    fn what_takes_much_room_is_told() {
        let check = |path: &str, size: usize| {
            let files = vec![
                NewFile::file(path, 0o644, vec![0; size]),
                NewFile::file("/usr/bin/x", 0o755, vec![0; 1 << 20]),
            ];
            messages(Check::Size, files, Extension::default(), None).len()
        };
        assert_eq!(check("/usr/share/doc/x/manual.pdf", 5 << 20), 1);
        assert_eq!(check("/usr/share/doc/x/manual.pdf", 1 << 20), 0);
        assert_eq!(check("/usr/lib64/libx.so", 5 << 20), 0);
    }
}
