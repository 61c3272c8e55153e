//! `sysext-composer pack`: a folder to an image.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rustix::fs as unix;
use sysext::erofs::{
    self, Job, Kind, Meta, Node, NodeId, Options, Rdev, SEGMENT, Time, Tree, Writer,
};

use crate::output::Output;
use crate::terminal::{Terminal, bytes};
use crate::{Outcome, args, interrupt, workers};

/// Content that is gathered before it is compressed.
const BATCH: usize = 4 * SEGMENT;

pub(crate) fn run(args: &args::Pack, terminal: &Terminal) -> Result<Outcome> {
    let Folder { tree, files } = Folder::scan(&args.dir, args.source_date_epoch)?;
    let entries = tree.len();
    let content: u64 = files.iter().map(|(_, _, size)| *size).sum();
    let mut writer = Writer::new(tree, Options { profile: args.profile.into() })?;
    let output = Output::new(&args.output)?;
    let bar = terminal.progress(content);
    bar.set_message("Packing");
    let (mut jobs, mut gathered) = (Vec::new(), 0);
    for (node, path, size) in files {
        let mut file =
            File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut left = size;
        while left > 0 {
            interrupt::check()?;
            let want = left.min(SEGMENT as u64);
            let mut content = Vec::with_capacity(want as usize);
            let read = file.by_ref().take(want).read_to_end(&mut content);
            read.with_context(|| format!("cannot read {}", path.display()))?;
            if (content.len() as u64) < want {
                bail!("{} became shorter while it was read", path.display());
            }
            left -= want;
            gathered += content.len();
            jobs.push(Job::new(&writer, node, content));
            if gathered >= BATCH {
                add(&mut writer, &output, std::mem::take(&mut jobs))?;
                bar.inc(gathered as u64);
                gathered = 0;
            }
        }
    }
    add(&mut writer, &output, jobs)?;
    let finished = writer.finish()?;
    finished.writes.iter().try_for_each(|write| output.write(write))?;
    bar.finish_and_clear();
    output.finish()?;
    if terminal.json {
        terminal.result(&serde_json::json!({
            "image": args.output, "size": finished.size, "entries": entries, "content_size": content,
        }));
    } else {
        let (before, after) = (bytes(content), bytes(finished.size));
        println!(
            "{}: {entries} entries, {after} ({before} before compression)",
            args.output.display()
        );
    }
    Ok(Outcome::Done)
}

/// Compresses content and writes what comes of it.
fn add(writer: &mut Writer, output: &Output, jobs: Vec<Job>) -> Result<()> {
    for packed in workers::run(jobs) {
        writer.add(packed)?;
        writer.writes().try_for_each(|write| output.write(&write))?;
    }
    Ok(())
}

/// A folder of the host as a tree, and where its files lie.
struct Folder {
    tree: Tree<u64>,
    files: Vec<(NodeId, PathBuf, u64)>,
}

impl Folder {
    fn scan(root: &Path, epoch: Option<i64>) -> Result<Self> {
        let metadata =
            fs::metadata(root).with_context(|| format!("cannot read {}", root.display()))?;
        if !metadata.is_dir() {
            bail!("{} is not a folder", root.display());
        }
        let mut folder = Self { tree: Tree::new(meta(root, &metadata, epoch)?), files: Vec::new() };
        let mut known = BTreeMap::<(u64, u64), NodeId>::new();
        let mut below = vec![(root.to_owned(), folder.tree.root())];
        while let Some((path, id)) = below.pop() {
            interrupt::check()?;
            let listed = fs::read_dir(&path).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
            let mut listed = listed.with_context(|| format!("cannot read {}", path.display()))?;
            listed.sort_by_key(fs::DirEntry::file_name);
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
                    folder.files.push((child, path, metadata.len()));
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
        Kind::Directory(BTreeMap::new())
    } else if file_type.is_file() {
        Kind::File(metadata.len())
    } else if file_type.is_symlink() {
        let target =
            fs::read_link(path).with_context(|| format!("cannot read {}", path.display()))?;
        Kind::Symlink(target.into_os_string().into_vec())
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
fn xattrs(path: &Path) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let names = match read_growing(|buffer| unix::llistxattr(path, buffer)) {
        Ok(names) => names,
        Err(rustix::io::Errno::OPNOTSUPP) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut xattrs = BTreeMap::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        if !erofs::can_store_xattr(name) {
            let name = String::from_utf8_lossy(name);
            eprintln!("warning: {}: EROFS cannot store the attribute {name}", path.display());
            continue;
        }
        match read_growing(|buffer| unix::lgetxattr(path, name, buffer)) {
            Ok(value) => {
                xattrs.insert(name.to_vec(), value);
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
