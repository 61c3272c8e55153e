//! Where real data lies, and how a test says that it was skipped.

use std::path::{Path, PathBuf};

/// A file or folder of the shared data, or `None` with a word on the terminal where there is no such data.
pub(crate) fn data(path: &str) -> Option<PathBuf> {
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

/// Says that a test, or a part of one, did not run. `cargo xtask test` collects these lines.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so out loud")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
