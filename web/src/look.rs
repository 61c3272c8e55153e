//! What the page knows of an image that it looks into.

use std::collections::BTreeMap;
use std::rc::Rc;

use sysext::{Entry, EntryKind, Inspection, PathBytes};
use yew::Reducible;

use crate::protocol::{FileInfo, PackageInfo};
use crate::tree::{FileTree, Index};

/// An image, its files as a tree, and what was asked of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Look {
    pub(crate) name: String,
    /// What it holds, or why it is none; nothing until the worker has read it.
    pub(crate) image: Option<Result<Rc<Inspection>, String>>,
    pub(crate) tree: Rc<FileTree>,
    /// Entries of the image by their path.
    places: Rc<BTreeMap<Vec<u8>, usize>>,
    /// The entry that is shown in full.
    current: Option<Index>,
    pub(crate) verdict: Verdict,
    /// Why a file could not be saved.
    pub(crate) failed: Option<String>,
}

/// Whether all of an image decodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Verdict {
    #[default]
    NotAsked,
    /// So many bytes of so many are decoded.
    Running(u64, u64),
    /// Bytes of content.
    Whole(u64),
    Broken(String),
}

/// What happens.
#[derive(Debug)]
pub(crate) enum LookAction {
    Began(String),
    Looked(Result<Box<Inspection>, String>),
    Opened(Index, bool),
    Filtered(String),
    Current(Index),
    Judged(Verdict),
    NotSaved(String),
}

impl Look {
    /// The entry that is shown in full, and its place in the image.
    pub(crate) fn current(&self) -> Option<(usize, &Entry)> {
        let Some(Ok(image)) = &self.image else { return None };
        let path = match self.tree.path(self.current?) {
            b"" => b"/",
            path => path,
        };
        let &place = self.places.get(path)?;
        Some((place, image.files.get(place)?))
    }

    fn set_image(&mut self, image: Result<Box<Inspection>, String>) {
        if let Ok(image) = &image {
            let mut tree = FileTree::default();
            tree.add(0, &contents(&self.name, image));
            self.tree = Rc::new(tree);
            let places = image.files.iter().enumerate();
            let places = places.map(|(place, entry)| (entry.path.clone().into_bytes(), place));
            self.places = Rc::new(places.collect());
        }
        self.image = Some(image.map(Rc::from));
    }
}

/// An image's files as those of a package, which the tree knows.
fn contents(name: &str, image: &Inspection) -> PackageInfo {
    let files = image.files.iter().map(|entry| FileInfo {
        path: PathBytes(entry.path.clone().into_bytes()),
        size: entry.size.unwrap_or_default(),
        is_folder: entry.kind == EntryKind::Directory,
    });
    PackageInfo {
        name: name.to_owned(),
        nevra: name.to_owned(),
        evr: String::new(),
        arch: String::new(),
        summary: String::new(),
        installed: 0,
        files: files.collect(),
    }
}

impl Reducible for Look {
    type Action = LookAction;

    fn reduce(self: Rc<Self>, action: LookAction) -> Rc<Self> {
        let mut look = Rc::unwrap_or_clone(self);
        match action {
            LookAction::Began(name) => look = Self { name, ..Self::default() },
            LookAction::Looked(image) => look.set_image(image),
            LookAction::Opened(index, open) => Rc::make_mut(&mut look.tree).set_open(index, open),
            LookAction::Filtered(filter) => Rc::make_mut(&mut look.tree).set_filter(&filter),
            LookAction::Current(index) => look.current = Some(index),
            LookAction::Judged(verdict) => look.verdict = verdict,
            LookAction::NotSaved(error) => look.failed = Some(error),
        }
        Rc::new(look)
    }
}
