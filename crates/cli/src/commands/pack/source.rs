//! Files of the host and their content.

use std::fs::File;
use std::hash::Hasher as _;
use std::io::Read as _;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Context as _, Result, bail};
use sysext::erofs::NodeId;
use twox_hash::xxhash3_64;

/// A file of the tree and where its content is.
pub(super) struct Source {
    pub(super) node: NodeId,
    pub(super) path: PathBuf,
    pub(super) size: u64,
    /// The content, if it has been read and kept.
    pub(super) content: Option<Content>,
}

/// Content that is kept in memory.
pub(super) type Content = Rc<Vec<u8>>;

impl Source {
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
        let file = File::open(&source.path)
            .with_context(|| format!("cannot open {}", source.path.display()))?;
        Ok(Self { source, file, left: source.size })
    }

    /// Reads the next bytes, at most `most`, in place of what `piece` had.
    pub(super) fn read(&mut self, most: u64, piece: &mut Vec<u8>) -> Result<()> {
        let want = self.left.min(most);
        piece.clear();
        piece.reserve_exact(want as usize);
        let path = self.source.path.display();
        let read = self.file.by_ref().take(want).read_to_end(piece);
        if (read.with_context(|| format!("cannot read {path}"))? as u64) < want {
            bail!("{path} became shorter while it was read");
        }
        self.left -= want;
        Ok(())
    }
}
