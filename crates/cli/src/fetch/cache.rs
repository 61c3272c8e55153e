//! Files by their digests, shared by all runs, and what is known of URLs whose files have none.
//!
//! A file is written beside its place and gets its name once it is whole and right, so that a run that was killed leaves
//! nothing wrong, and the next goes on where it stopped.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use sysext::rpm::repodata::Checksum;

use crate::output::{create_folder, write_file};

/// A folder of files.
pub(crate) struct Cache {
    folder: PathBuf,
}

/// A file of a URL as it was last seen.
#[derive(Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) url: String,
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
    #[serde(skip)]
    pub(crate) path: PathBuf,
}

/// A file on its way in. It is locked against other runs until it is dropped.
pub(crate) struct Partial {
    pub(crate) file: File,
    path: PathBuf,
}

impl Cache {
    /// The folder that is given, or the user's own for caches.
    pub(crate) fn new(folder: Option<&Path>) -> Result<Self> {
        Ok(Self { folder: Self::folder(folder)? })
    }

    /// The same folder, for what else is kept there.
    pub(crate) fn folder(folder: Option<&Path>) -> Result<PathBuf> {
        if let Some(folder) = folder {
            return Ok(folder.to_owned());
        }
        let own = std::env::var_os("XDG_CACHE_HOME").filter(|home| !home.is_empty());
        let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
        let base = own.map(PathBuf::from).or_else(home);
        let base =
            base.context("there is no home folder: say where files are kept with --cache")?;
        Ok(base.join("sysext-composer"))
    }

    /// A file without a name.
    pub(crate) fn scratch(&self) -> Result<File> {
        let name = self.folder.display();
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot make {name}"))?;
        tempfile::tempfile_in(&self.folder).with_context(|| format!("cannot write into {name}"))
    }

    fn place(&self, checksum: &Checksum) -> Result<PathBuf> {
        let Checksum { algorithm, hex } = checksum;
        let fine =
            |text: &str| text.len() > 2 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !fine(algorithm) || !fine(hex) {
            bail!("`{algorithm}:{hex}` is no digest");
        }
        Ok(self.folder.join("files").join(algorithm).join(&hex[..2]).join(hex))
    }

    /// A file that is here. Its content is held against its digest, for disks and people can change it.
    pub(crate) fn find(&self, checksum: &Checksum) -> Result<Option<PathBuf>> {
        let path = self.place(checksum)?;
        if !path.exists() {
            return Ok(None);
        }
        if super::matches(&path, checksum)? {
            return Ok(Some(path));
        }
        let removed = fs::remove_file(&path);
        removed.with_context(|| format!("cannot remove the damaged {}", path.display()))?;
        Ok(None)
    }

    /// Opens what has come so far of a file, and keeps other runs from it.
    pub(crate) fn partial(&self, checksum: &Checksum) -> Result<Partial> {
        let path = self.place(checksum)?.with_extension("partial");
        create_folder(&path)?;
        let name = path.display();
        loop {
            let file = OpenOptions::new().create(true).append(true).read(true).open(&path);
            let file = file.with_context(|| format!("cannot write {name}"))?;
            file.lock().with_context(|| format!("cannot lock {name}"))?;
            // The run that held the lock may have finished the file: then this is no longer it.
            let number = file.metadata().with_context(|| name.to_string())?.ino();
            if fs::metadata(&path).is_ok_and(|now| now.ino() == number) {
                return Ok(Partial { file, path: path.clone() });
            }
        }
    }

    /// Gives a file that is whole its name.
    pub(crate) fn finish(&self, partial: &Partial, checksum: &Checksum) -> Result<PathBuf> {
        let place = self.place(checksum)?;
        let name = place.display().to_string();
        partial.file.sync_all().with_context(|| format!("cannot write {name}"))?;
        fs::rename(&partial.path, &place).with_context(|| format!("cannot write {name}"))?;
        Ok(place)
    }

    fn url_place(&self, url: &str) -> PathBuf {
        self.folder.join("urls").join(super::sha256(url.as_bytes()))
    }

    /// The file that a URL had, if it is here.
    pub(crate) fn by_url(&self, url: &str) -> Option<Known> {
        let path = self.url_place(url);
        let known = fs::read(path.with_extension("json")).ok()?;
        let mut known: Known = serde_json::from_slice(&known).ok()?;
        known.path = path;
        (known.url == url && known.path.exists()).then_some(known)
    }

    /// Keeps what a URL has.
    pub(crate) fn keep(&self, mut known: Known, content: &[u8]) -> Result<Known> {
        known.path = self.url_place(&known.url);
        let about = known.path.with_extension("json");
        create_folder(&about)?;
        // First away with what was known of the old content: between the two a new ETag must not stand for it.
        let _ = fs::remove_file(&about);
        write_file(&known.path, content.to_vec())?;
        write_file(&about, serde_json::to_vec(&known)?)?;
        Ok(known)
    }
}

impl Partial {
    /// Bytes that are there.
    pub(crate) fn length(&self) -> Result<u64> {
        Ok(self.file.metadata().with_context(|| self.path.display().to_string())?.len())
    }

    /// Forgets what is there.
    pub(crate) fn clear(&self) -> Result<()> {
        self.file.set_len(0).with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Whether it holds what it should.
    pub(crate) fn matches(&self, checksum: &Checksum) -> Result<bool> {
        super::matches(&self.path, checksum)
    }
}
