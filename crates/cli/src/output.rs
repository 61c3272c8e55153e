//! Files that appear whole or not at all: a temporary name, fsync, rename.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sysext::erofs::Write;
use tempfile::NamedTempFile;

/// A file in the making.
pub(crate) struct Output {
    file: NamedTempFile,
    path: PathBuf,
}

impl Output {
    /// Begins a file that will be `path`; it lies beside it until then.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let folder = folder(path);
        let name = path.file_name().with_context(|| format!("{} names no file", path.display()))?;
        let file = tempfile::Builder::new()
            .prefix(&format!(".{}.", name.to_string_lossy()))
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .with_context(|| format!("cannot write into {}", folder.display()))?;
        Ok(Self { file, path: path.to_owned() })
    }

    pub(crate) fn write(&self, write: &Write) -> Result<()> {
        let written = self.file.as_file().write_all_at(&write.bytes, write.at);
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// What has been written at that place.
    pub(crate) fn read(&self, at: u64, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let read = self.file.as_file().read_exact_at(&mut bytes, at);
        read.with_context(|| format!("cannot read {} back", self.path.display()))?;
        Ok(bytes)
    }

    /// Gives the file its name, once all of it is on the disk.
    pub(crate) fn finish(self) -> Result<()> {
        let path = self.path.display().to_string();
        self.file.as_file().sync_all().with_context(|| format!("cannot write {path}"))?;
        self.file
            .persist(&self.path)
            .map_err(|error| error.error)
            .with_context(|| format!("cannot write {path}"))?;
        sync_folder(&self.path)
    }
}

/// Writes a small file, whole or not at all.
pub(crate) fn write_file(path: &Path, bytes: Vec<u8>) -> Result<()> {
    let output = Output::new(path)?;
    output.write(&Write { at: 0, bytes })?;
    output.finish()
}

/// Puts a folder's entries on the disk, so that a rename survives a power cut.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    let folder = folder(path);
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.with_context(|| format!("cannot write {}", folder.display()))
}

/// Makes the folder that a path is to be in.
pub(crate) fn create_folder(path: &Path) -> Result<()> {
    let folder = folder(path);
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// The folder that a path is in.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
