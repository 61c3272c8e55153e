//! A folder of the host as a tree: modes, owners, times, extended attributes, hard links.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use rustix::fs as unix;
use sysext::erofs::{self, Kind, Meta, Node, NodeId, Rdev, Time, Tree, Xattrs};

use super::files::Files;
use crate::interrupt;

/// A folder of the host as a tree, and where its files lie.
pub(super) struct Folder {
    pub(super) tree: Tree<u64>,
    pub(super) files: Files,
}

impl Folder {
    pub(super) fn scan(root: &Path, epoch: Option<i64>) -> Result<Self> {
        let metadata =
            fs::metadata(root).with_context(|| format!("cannot read {}", root.display()))?;
        if !metadata.is_dir() {
            bail!("{} is not a folder", root.display());
        }
        let mut folder =
            Self { tree: Tree::new(meta(root, &metadata, epoch)?), files: Files::default() };
        let mut known = BTreeMap::<(u64, u64), NodeId>::new();
        let mut below = vec![(root.to_owned(), folder.tree.root())];
        while let Some((path, id)) = below.pop() {
            interrupt::check()?;
            let listed = fs::read_dir(&path).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
            let mut listed = listed.with_context(|| format!("cannot read {}", path.display()))?;
            listed.sort_by_key(fs::DirEntry::file_name);
            folder.files.push_folder(path);
            for entry in listed {
                let path = entry.path();
                let metadata =
                    entry.metadata().with_context(|| format!("cannot read {}", path.display()))?;
                let name = entry.file_name();
                let same = (metadata.dev(), metadata.ino());
                if let Some(&first) = known.get(&same).filter(|_| !metadata.is_dir()) {
                    folder.tree.link(id, name.as_bytes(), first)?;
                    continue;
                }
                let node =
                    Node { meta: meta(&path, &metadata, epoch)?, kind: kind(&path, &metadata)? };
                let added = folder.tree.add(id, name.as_bytes(), node);
                let child = added.with_context(|| format!("cannot pack {}", path.display()))?;
                if metadata.nlink() > 1 {
                    known.insert(same, child);
                }
                if metadata.is_dir() {
                    below.push((path, child));
                } else if metadata.is_file() {
                    folder.files.push(child, &name);
                }
            }
        }
        Ok(folder)
    }
}

fn kind(path: &Path, metadata: &fs::Metadata) -> Result<Kind<u64>> {
    let file_type = metadata.file_type();
    let rdev = Rdev { major: unix::major(metadata.rdev()), minor: unix::minor(metadata.rdev()) };
    Ok(if file_type.is_dir() {
        Kind::Directory(Box::default())
    } else if file_type.is_file() {
        Kind::File(metadata.len())
    } else if file_type.is_symlink() {
        let target =
            fs::read_link(path).with_context(|| format!("cannot read {}", path.display()))?;
        Kind::Symlink(target.into_os_string().into_vec().into())
    } else if file_type.is_fifo() {
        Kind::Fifo
    } else if file_type.is_socket() {
        Kind::Socket
    } else if file_type.is_char_device() {
        Kind::CharDevice(rdev)
    } else {
        Kind::BlockDevice(rdev)
    })
}

fn meta(path: &Path, metadata: &fs::Metadata, epoch: Option<i64>) -> Result<Meta> {
    let mut mtime = Time { seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec() as u32 };
    if let Some(seconds) = epoch {
        mtime = mtime.min(Time { seconds, nanoseconds: 0 });
    }
    let (uid, gid, mode) = (metadata.uid(), metadata.gid(), (metadata.mode() & 0o7777) as u16);
    let xattrs = xattrs(path)
        .with_context(|| format!("cannot read the attributes of {}", path.display()))?;
    Ok(Meta { mode, uid, gid, mtime, xattrs })
}

/// The extended attributes of a file that EROFS can store.
fn xattrs(path: &Path) -> Result<Xattrs> {
    let names = match read_growing(|buffer| unix::llistxattr(path, buffer)) {
        Ok(names) => names,
        Err(rustix::io::Errno::OPNOTSUPP) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut xattrs = Xattrs::default();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        if !erofs::can_store_xattr(name) {
            let name = String::from_utf8_lossy(name);
            eprintln!("warning: {}: EROFS cannot store the attribute {name}", path.display());
            continue;
        }
        match read_growing(|buffer| unix::lgetxattr(path, name, buffer)) {
            Ok(value) => {
                xattrs.insert(name, &value);
            }
            // Some file systems list attributes that they do not give.
            Err(rustix::io::Errno::NODATA) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(xattrs)
}

/// Reads what a system call writes into a buffer, which it may find too small.
fn read_growing(
    mut call: impl FnMut(&mut [u8]) -> rustix::io::Result<usize>,
) -> rustix::io::Result<Vec<u8>> {
    let mut buffer = vec![0; 1024];
    loop {
        match call(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            Err(rustix::io::Errno::RANGE) => buffer.resize(buffer.len() * 4, 0),
            Err(error) => return Err(error),
        }
    }
}
