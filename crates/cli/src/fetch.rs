//! Files of repositories.
#![expect(clippy::disallowed_methods, reason = "this crate is the outside world")]

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// Where a repository is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A folder here.
    Folder(PathBuf),
}

impl Place {
    /// A folder, or a URL of a folder.
    pub(crate) fn new(text: &str) -> Result<Self> {
        match text.split_once("://") {
            None => Ok(Self::Folder(PathBuf::from(text))),
            Some(("file", path)) => Ok(Self::Folder(PathBuf::from(path))),
            Some((scheme, _)) => {
                bail!("{text}: {scheme} is not supported, expected a folder or file:")
            }
        }
    }

    /// A file below it.
    pub(crate) fn get(&self, path: &str) -> Result<Vec<u8>> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(path);
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
            }
        }
    }
}
