//! Files of the host and their content.

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::Hasher as _;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Context as _, Result, bail};
use rustix::fs::{self as unix, Mode, OFlags};
use sysext::erofs::NodeId;
use twox_hash::xxhash3_64;

/// A file of the tree and where its content is.
pub(super) struct Source {
    pub(super) node: NodeId,
    pub(super) folder: Rc<Folder>,
    pub(super) name: OsString,
    pub(super) size: u64,
    /// The content, if it has been read and kept.
    pub(super) content: Option<Content>,
}

/// A folder that is opened once a file of it is read. From there the way to each of its files is short, which saves 3 % of
/// the time where all are small.
pub(super) struct Folder {
    path: PathBuf,
    opened: OnceCell<OwnedFd>,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, opened: OnceCell::new() }
    }

    /// Opens a file of it.
    fn open(&self, name: &OsStr) -> io::Result<File> {
        let opened = match self.opened.get() {
            Some(opened) => opened,
            None => {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let opened = unix::open(&self.path, flags, Mode::empty())?;
                self.opened.get_or_init(|| opened)
            }
        };
        let file = unix::openat(opened, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(file.into())
    }
}

/// Content that is kept in memory.
pub(super) type Content = Rc<Vec<u8>>;

impl Source {
    fn path(&self) -> PathBuf {
        self.folder.path.join(&self.name)
    }

    /// Reads the content and keeps it: opening a small file a second time costs more than its bytes.
    pub(super) fn keep_content(&mut self) -> Result<()> {
        let mut content = Vec::new();
        Pieces::new(self)?.read(self.size, &mut content)?;
        self.content = Some(Rc::new(content));
        Ok(())
    }

    /// A hash that is fast and easy to collide with: what has the same is compared.
    pub(super) fn hash(&self) -> Result<u64> {
        if let Some(content) = &self.content {
            return Ok(xxhash3_64::Hasher::oneshot(content));
        }
        let (mut pieces, mut piece) = (Pieces::new(self)?, Vec::new());
        let mut hash = xxhash3_64::Hasher::new();
        while pieces.left > 0 {
            pieces.read(Pieces::SIZE, &mut piece)?;
            hash.write(&piece);
        }
        Ok(hash.finish())
    }

    /// Whether it has the content of another file of its size.
    pub(super) fn has_content_of(&self, other: &Self) -> Result<bool> {
        if let (Some(one), Some(other)) = (&self.content, &other.content) {
            return Ok(one == other);
        }
        let (mut ours, mut theirs) = (Pieces::new(self)?, Pieces::new(other)?);
        let (mut one, mut two) = (Vec::new(), Vec::new());
        while ours.left > 0 {
            ours.read(Pieces::SIZE, &mut one)?;
            theirs.read(Pieces::SIZE, &mut two)?;
            if one != two {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A file from its start to the size that it had when the folder was read.
pub(super) struct Pieces<'a> {
    source: &'a Source,
    file: File,
    /// Bytes that have not been read.
    pub(super) left: u64,
}

impl<'a> Pieces<'a> {
    /// Small enough to stay in the cache.
    pub(super) const SIZE: u64 = 256 << 10;

    pub(super) fn new(source: &'a Source) -> Result<Self> {
        let opened = source.folder.open(&source.name);
        let file = opened.with_context(|| format!("cannot open {}", source.path().display()))?;
        Ok(Self { source, file, left: source.size })
    }

    /// Reads the next bytes, at most `most`, in place of what `piece` had.
    pub(super) fn read(&mut self, most: u64, piece: &mut Vec<u8>) -> Result<()> {
        let want = self.left.min(most);
        piece.clear();
        piece.reserve_exact(want as usize);
        let read = self.file.by_ref().take(want).read_to_end(piece);
        let path = || self.source.path();
        let read = read.with_context(|| format!("cannot read {}", path().display()))?;
        if (read as u64) < want {
            bail!("{} became shorter while it was read", path().display());
        }
        self.left -= want;
        Ok(())
    }
}
