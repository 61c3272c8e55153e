//! `sysext-composer extract`: an image to a folder.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rustix::fs::{self as unix, AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};
use sysext::erofs::{Content, Kind, Meta, NodeId, Rdev};

use super::{OpenImage, open};
use crate::output::{folder, sync_folder};
use crate::terminal::Terminal;
use crate::{Outcome, args, interrupt};

pub(crate) fn run(args: &args::Extract, terminal: &Terminal) -> Result<Outcome> {
    let mut image = open(&args.image)?;
    let dir = &args.dir;
    if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty", dir.display());
    }
    // Below a temporary name until all of it is there.
    let temporary = tempfile::Builder::new().prefix(".extract.").tempdir_in(folder(dir));
    let temporary =
        temporary.with_context(|| format!("cannot write into {}", folder(dir).display()))?;
    let root = temporary.path().join("root");
    let entries = Extraction::new().run(&mut image, &root)?;
    fs::rename(&root, dir).with_context(|| format!("cannot write {}", dir.display()))?;
    sync_folder(dir)?;
    if terminal.json {
        terminal.result(&serde_json::json!({ "folder": dir, "entries": entries }));
    } else {
        println!("{}: {entries} entries", dir.display());
    }
    Ok(Outcome::Done)
}

struct Extraction {
    /// Without root's rights, owners and devices cannot be made.
    is_root: bool,
    first_names: BTreeMap<NodeId, PathBuf>,
    /// Folders get their mode and time when all is in them.
    folders: Vec<(PathBuf, Meta)>,
    refused: usize,
}

impl Extraction {
    fn new() -> Self {
        let is_root = rustix::process::geteuid().is_root();
        Self { is_root, first_names: BTreeMap::new(), folders: Vec::new(), refused: 0 }
    }

    fn run(mut self, image: &mut OpenImage, root: &Path) -> Result<usize> {
        let tree = image.tree()?;
        for (path, id) in tree.paths() {
            interrupt::check()?;
            let path =
                if path.is_empty() { root.to_owned() } else { root.join(OsStr::from_bytes(&path)) };
            let node = tree.node(id);
            self.entry(image, &path, id, &node.kind, &node.meta)
                .with_context(|| format!("cannot make {}", path.display()))?;
        }
        for (path, meta) in std::mem::take(&mut self.folders).into_iter().rev() {
            self.apply(&path, &meta, false)
                .with_context(|| format!("cannot make {}", path.display()))?;
        }
        if self.refused > 0 {
            eprintln!("warning: {} owners, devices or attributes need root's rights", self.refused);
        }
        Ok(tree.len())
    }

    fn entry(
        &mut self,
        image: &mut OpenImage,
        path: &Path,
        id: NodeId,
        kind: &Kind<Content>,
        meta: &Meta,
    ) -> Result<()> {
        if let Some(first) = self.first_names.get(&id) {
            fs::hard_link(first, path)?;
            return Ok(());
        }
        match kind {
            Kind::Directory(_) => {
                fs::create_dir(path)?;
                self.folders.push((path.to_owned(), meta.clone()));
                return Ok(());
            }
            Kind::File(content) => {
                let mut file = fs::File::create_new(path)?;
                let mut chunks = image.chunks(content);
                while let Some(chunk) = chunks.next_chunk()? {
                    interrupt::check()?;
                    file.write_all(&chunk)?;
                }
            }
            Kind::Symlink(target) => symlink(OsStr::from_bytes(target), path)?,
            Kind::Fifo => self.make_node(path, FileType::Fifo, None)?,
            Kind::Socket => self.make_node(path, FileType::Socket, None)?,
            Kind::CharDevice(rdev) => {
                self.make_node(path, FileType::CharacterDevice, Some(*rdev))?;
            }
            Kind::BlockDevice(rdev) => self.make_node(path, FileType::BlockDevice, Some(*rdev))?,
        }
        if path.symlink_metadata().is_ok() {
            self.apply(path, meta, matches!(kind, Kind::Symlink(_)))?;
            self.first_names.insert(id, path.to_owned());
        }
        Ok(())
    }

    fn make_node(&mut self, path: &Path, kind: FileType, rdev: Option<Rdev>) -> Result<()> {
        if rdev.is_some() && !self.is_root {
            self.refused += 1;
            return Ok(());
        }
        let device = rdev.map_or(0, |rdev| unix::makedev(rdev.major, rdev.minor));
        unix::mknodat(CWD, path, kind, Mode::RUSR | Mode::WUSR, device)?;
        Ok(())
    }

    /// Owner, then mode (a change of owner takes set-id bits off), attributes, time.
    fn apply(&mut self, path: &Path, meta: &Meta, is_link: bool) -> Result<()> {
        if self.is_root {
            lchown(path, Some(meta.uid), Some(meta.gid))?;
        } else {
            let now = path.symlink_metadata()?;
            self.refused += usize::from((now.uid(), now.gid()) != (meta.uid, meta.gid));
        }
        for (name, value) in meta.xattrs.iter() {
            match unix::lsetxattr(path, name, value, XattrFlags::empty()) {
                Ok(()) => {}
                Err(rustix::io::Errno::PERM | rustix::io::Errno::OPNOTSUPP) if !self.is_root => {
                    self.refused += 1;
                }
                Err(error) => {
                    return Err(error).context(String::from_utf8_lossy(name).into_owned());
                }
            }
        }
        if !is_link {
            fs::set_permissions(path, fs::Permissions::from_mode(u32::from(meta.mode)))?;
        }
        let time =
            Timespec { tv_sec: meta.mtime.seconds, tv_nsec: i64::from(meta.mtime.nanoseconds) };
        let times = Timestamps { last_access: time, last_modification: time };
        unix::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(())
    }
}
