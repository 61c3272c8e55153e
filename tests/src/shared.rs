//! Where real data lies, and how a test says that it was skipped.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A file or folder of the shared data, or `None` with a word on the terminal where there is no such data.
pub fn data(path: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("SYSEXT_DATA") {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
    };
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    skipped(&format!("no shared data at {}", path.display()));
    None
}

/// Says that a test, or a part of one, did not run: on the terminal and to `cargo xtask test`, which collects it.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so out loud")]
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
    if let Some(list) = std::env::var_os("SYSEXT_SKIPPED") {
        let mut list = OpenOptions::new().append(true).create(true).open(list).unwrap();
        // One call, so that tests side by side do not mix their lines.
        list.write_all(format!("{why}\n").as_bytes()).unwrap();
    }
}
