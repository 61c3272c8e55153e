//! Images as another reader sees them: erofs-rs, which shares nothing with ours, reads the tree that was packed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use erofs_rs::EroFS;
use erofs_rs::backend::SliceImage;
use testdata::tools::{composer, run};

use crate::images::{some_folder, strange_tree};
use crate::walk::xattrs;

/// Packs a folder with every profile and holds what erofs-rs reads against it.
fn check(folder: &Path) -> usize {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("image.raw");
    let mut compared = 0;
    for profile in ["none", "compat", "default", "small"] {
        run(composer().args(["pack", "--profile", profile, "-o"]).arg(&path).arg(folder));
        let image = fs::read(&path).unwrap();
        let system = EroFS::new(SliceImage::new(&image)).unwrap();
        for entry in system.walk_dir("/").unwrap() {
            let entry = entry.unwrap_or_else(|error| panic!("{profile}: {error}"));
            let path = entry.dir_entry.path();
            let relative = path.as_bytes().strip_prefix(b"/").unwrap_or(path.as_bytes());
            let source = folder.join(OsStr::from_bytes(relative));
            check_entry(&system, &entry.inode, &source, profile);
            compared += 1;
        }
    }
    compared
}

fn check_entry(
    system: &EroFS<SliceImage<'_>>,
    inode: &erofs_rs::types::Inode,
    source: &Path,
    profile: &str,
) {
    let what = format!("{profile}: {}", source.display());
    let expected = source.symlink_metadata().unwrap_or_else(|error| panic!("{what}: {error}"));
    let mode = inode.file_type().as_raw_mode() | inode.permissions().mode() & 0o7777;
    assert_eq!(mode, expected.mode(), "{what}");
    assert_eq!((inode.uid(), inode.gid()), (expected.uid(), expected.gid()), "{what}");
    let time = (expected.mtime(), u32::try_from(expected.mtime_nsec()).unwrap());
    assert_eq!(inode.modified_unix(), time, "{what}");
    let expected_xattrs: BTreeMap<Vec<u8>, Vec<u8>> =
        xattrs(source).into_iter().map(|(name, value)| (name.into_bytes(), value)).collect();
    assert_eq!(system.xattrs_inode(*inode).unwrap(), expected_xattrs, "{what}");
    let kind = expected.file_type();
    if kind.is_symlink() {
        let target = system.read_link_inode(*inode).unwrap();
        assert_eq!(
            target.as_bytes(),
            fs::read_link(source).unwrap().as_os_str().as_bytes(),
            "{what}"
        );
    } else if kind.is_file() {
        let mut content = Vec::new();
        let mut file = system.open_inode_file(*inode).unwrap();
        file.read_to_end(&mut content).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(content == fs::read(source).unwrap(), "content of {what}");
    }
    if let Some((major, minor)) = inode.device() {
        assert_eq!(rustix::fs::makedev(major, minor), expected.rdev(), "{what}");
    }
}

#[test]
fn erofs_rs_reads_every_profile() {
    assert!(check(some_folder()) > 400);
}

#[test]
fn erofs_rs_reads_every_type_of_file() {
    if rustix::process::geteuid().is_root() {
        let (_scratch, root) = strange_tree();
        check(&root);
    }
}
