//! One walker for both sides of a comparison: a folder as lines of text.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// Every path below a folder with all that `stat`, `listxattr` and `read` tell of it.
pub(crate) fn walk(root: &Path) -> BTreeMap<Vec<u8>, String> {
    let mut lines = BTreeMap::new();
    let mut below = vec![root.to_owned()];
    // Inode numbers differ; the first name of each does not.
    let mut names = BTreeMap::new();
    while let Some(path) = below.pop() {
        let metadata = path.symlink_metadata().unwrap();
        let relative = path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec();
        if metadata.is_dir() {
            below.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let names: &mut Vec<Vec<u8>> = names.entry(metadata.ino()).or_default();
            names.push(relative.clone());
        }
        lines.insert(relative, describe(&path, &metadata));
    }
    for mut set in names.into_values().filter(|set| set.len() > 1) {
        set.sort();
        let first = String::from_utf8_lossy(&set[0]).into_owned();
        for name in set {
            lines.get_mut(&name).unwrap().push_str(&format!(" = {first}"));
        }
    }
    lines
}

fn describe(path: &Path, metadata: &fs::Metadata) -> String {
    let kind = metadata.file_type();
    let (mut links, mut content) = (metadata.nlink(), String::new());
    if kind.is_dir() {
        // File systems count and size folders each in their own way.
        links = 0;
    } else if kind.is_symlink() {
        content = format!("-> {:?}", fs::read_link(path).unwrap());
    } else if kind.is_file() {
        content = format!("{} bytes {}", metadata.len(), sha256(path));
    } else if kind.is_char_device() || kind.is_block_device() {
        content = format!("device {}", metadata.rdev());
    }
    let (mode, uid, gid) = (metadata.mode(), metadata.uid(), metadata.gid());
    let time = format!("{}.{:09}", metadata.mtime(), metadata.mtime_nsec());
    format!("{mode:o} {uid}:{gid} x{links} {time} {:?} {content}", xattrs(path))
}

fn sha256(path: &Path) -> String {
    let mut file = File::open(path).unwrap();
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).unwrap_or_else(|error| panic!("{}: {error}", path.display())) {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    sysext::rpm::hex(&hash.finalize())
}

/// The extended attributes of a path.
pub(crate) fn xattrs(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut names = vec![0; 1 << 16];
    let length = match rustix::fs::llistxattr(path, &mut names[..]) {
        Err(rustix::io::Errno::OPNOTSUPP) => 0,
        length => length.unwrap(),
    };
    let names = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let value = |name: &[u8]| {
        let mut value = vec![0; 1 << 16];
        let length = rustix::fs::lgetxattr(path, name, &mut value[..]).unwrap();
        value.truncate(length);
        (String::from_utf8_lossy(name).into_owned(), value)
    };
    names.map(value).collect()
}

/// Fails with the first differences.
pub(crate) fn assert_same(expected: &BTreeMap<Vec<u8>, String>, found: &BTreeMap<Vec<u8>, String>) {
    let mut differences = Vec::new();
    for path in expected.keys().chain(found.keys().filter(|path| !expected.contains_key(*path))) {
        if expected.get(path) != found.get(path) {
            let (a, b) = (expected.get(path), found.get(path));
            differences.push(format!("{}\n  {a:?}\n  {b:?}", String::from_utf8_lossy(path)));
        }
    }
    let shown = differences.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(
        differences.is_empty(),
        "{} paths differ, expected and found:\n{shown}",
        differences.len()
    );
}
