//! The files of a folder in few bytes each, since there may be a million of them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::rc::Rc;

use sysext::erofs::{Kind, NodeId, Tree};

use super::source::{Content, Folder, Source};

/// Where files of the host are, in the order in which they were found.
#[derive(Default)]
pub(super) struct Files {
    folders: Vec<PathBuf>,
    /// Names behind one another, each behind its length.
    names: Vec<u8>,
    files: Vec<Place>,
    /// The folder of the last file that was asked for: the next is in the same, mostly.
    last: RefCell<Option<(u32, Rc<Folder>)>>,
    /// What has been read and kept.
    contents: BTreeMap<NodeId, Content>,
}

/// Where a file is. The tree knows its size.
#[derive(Clone, Copy)]
pub(super) struct Place {
    node: NodeId,
    folder: u32,
    /// Where its name is.
    name: u32,
}

impl Place {
    /// Bytes of the file.
    pub(super) fn size(self, tree: &Tree<u64>) -> u64 {
        let Kind::File(size) = tree.node(self.node).kind else {
            unreachable!("only files have a place");
        };
        size
    }
}

impl Files {
    /// Adds a folder; the files that are added next are in it.
    pub(super) fn push_folder(&mut self, path: PathBuf) {
        self.folders.push(path);
    }

    /// Adds a file of the last folder.
    pub(super) fn push(&mut self, node: NodeId, name: &OsStr) {
        let (folder, start) = (self.folders.len() as u32 - 1, self.names.len() as u32);
        self.names.push(name.len() as u8); // At most 255: it is in the tree.
        self.names.extend_from_slice(name.as_bytes());
        self.files.push(Place { node, folder, name: start });
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
    pub(super) fn size(&self, tree: &Tree<u64>) -> u64 {
        self.files.iter().map(|place| place.size(tree)).sum()
    }

    /// A file, to be read.
    pub(super) fn source(&self, place: Place, tree: &Tree<u64>) -> Source {
        let Place { node, folder, name } = place;
        let size = place.size(tree);
        let (length, names) = self.names[name as usize..].split_first().expect("a length");
        let name = OsStr::from_bytes(&names[..usize::from(*length)]).to_owned();
        let content = self.contents.get(&node).cloned();
        Source { node, folder: self.folder(folder), name, size, content }
    }

    fn folder(&self, nth: u32) -> Rc<Folder> {
        let mut last = self.last.borrow_mut();
        if let Some((_, folder)) = last.as_ref().filter(|(last, _)| *last == nth) {
            return Rc::clone(folder);
        }
        let folder = Rc::new(Folder::new(self.folders[nth as usize].clone()));
        *last = Some((nth, Rc::clone(&folder)));
        folder
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
