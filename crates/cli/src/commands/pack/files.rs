//! The files of a folder in few bytes each, since there may be a million of them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use sysext::erofs::NodeId;

use super::source::{Content, Source};

/// Where files of the host are, in the order in which they were found.
#[derive(Default)]
pub(super) struct Files {
    folders: Vec<PathBuf>,
    /// Names behind one another.
    names: Vec<u8>,
    files: Vec<Place>,
    /// What has been read and kept.
    contents: BTreeMap<NodeId, Content>,
}

/// Where a file is.
#[derive(Clone, Copy)]
pub(super) struct Place {
    node: NodeId,
    pub(super) size: u64,
    folder: u32,
    name: u32,
    name_length: u8,
}

impl Files {
    /// Adds a folder; the files that are added next are in it.
    pub(super) fn push_folder(&mut self, path: PathBuf) {
        self.folders.push(path);
    }

    /// Adds a file of the last folder.
    pub(super) fn push(&mut self, node: NodeId, name: &OsStr, size: u64) {
        let (folder, start) = (self.folders.len() as u32 - 1, self.names.len() as u32);
        self.names.extend_from_slice(name.as_bytes());
        self.files.push(Place { node, size, folder, name: start, name_length: name.len() as u8 });
    }

    /// The files. They are taken out, so that some may be put back.
    pub(super) fn take(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.files)
    }

    /// Puts files back.
    pub(super) fn set(&mut self, files: Vec<Place>) {
        self.files = files;
    }

    /// Bytes of all files.
    pub(super) fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// A file, to be read.
    pub(super) fn source(&self, place: Place) -> Source {
        let Place { node, size, folder, name, name_length } = place;
        let name = &self.names[name as usize..][..usize::from(name_length)];
        let path = self.folders[folder as usize].join(OsStr::from_bytes(name));
        Source { node, path, size, content: self.contents.get(&node).cloned() }
    }

    /// Keeps what was read of a file.
    pub(super) fn keep(&mut self, source: &Source) {
        if let Some(content) = &source.content {
            self.contents.insert(source.node, Content::clone(content));
        }
    }

    /// Forgets what was read of a file that is read no more.
    pub(super) fn forget(&mut self, node: NodeId) {
        self.contents.remove(&node);
    }
}
