//! The model of a file tree: what [`crate::Writer`] takes and [`crate::Image::tree`] gives.
//!
//! Names and link targets are bytes, since a file system does not know of Unicode. A tree cannot be wrong: names
//! are checked when they are added, and every entry but the root has a folder above it.

mod node;
mod xattrs;

pub use node::{Kind, Meta, Name, Node, Rdev, Time};
pub use xattrs::Xattrs;

/// A tree of entries; `T` is what is known of a file's content (its size before writing, its place after reading).
#[derive(Clone, Debug)]
pub struct Tree<T> {
    nodes: Vec<Node<T>>,
    known: xattrs::Known,
}

/// An entry of a [`Tree`]. Several names may lead to one entry: those are hard links.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeId(u32);

impl NodeId {
    /// The entry that was added after so many others.
    pub(crate) fn new(index: usize) -> Self {
        Self::from_number(index as u64).expect("a tree of fewer than four billion entries")
    }

    /// The entry with that index, if there may be one.
    pub(crate) fn from_number(index: u64) -> Option<Self> {
        index.try_into().ok().map(Self)
    }

    /// How many entries were added before it.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A tree with something that an image cannot hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// A name is empty, longer than 255 bytes, `.`, `..`, or has a slash or a NUL in it.
    #[error("not a file name: {:?}", String::from_utf8_lossy(.0))]
    Name(Vec<u8>),
    /// A folder has two entries of one name.
    #[error("two entries named {:?} in one folder", String::from_utf8_lossy(.0))]
    Exists(Vec<u8>),
    /// An entry was to be added below something that is not a folder.
    #[error("not a folder")]
    NotDirectory,
    /// A hard link to a folder.
    #[error("a folder cannot have a second name")]
    DirectoryLink,
    /// A link's target is empty, longer than 4095 bytes or has a NUL in it.
    #[error("not a link target: {:?}", String::from_utf8_lossy(.0))]
    Target(Vec<u8>),
    /// An extended attribute that EROFS cannot store.
    #[error("cannot store the extended attribute {:?}", String::from_utf8_lossy(.0))]
    Xattr(Vec<u8>),
}

impl<T> Tree<T> {
    /// A tree of one folder, the root.
    pub fn new(root: Meta) -> Self {
        let root = Node { meta: root, kind: Kind::Directory(Box::default()) };
        Self { nodes: vec![root], known: xattrs::Known::default() }
    }

    /// The root folder.
    pub fn root(&self) -> NodeId {
        NodeId::new(0)
    }

    /// Number of entries, hard links counted once.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the tree is only its root.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 1
    }

    /// An entry of this tree.
    pub fn node(&self, id: NodeId) -> &Node<T> {
        &self.nodes[id.index()]
    }

    /// Sets an extended attribute of an entry.
    pub fn set_xattr(&mut self, id: NodeId, name: &[u8], value: &[u8]) {
        let xattrs = &mut self.nodes[id.index()].meta.xattrs;
        xattrs.insert(name, value);
        *xattrs = self.known.share(std::mem::take(xattrs));
    }

    /// All entries, in the order in which they were added.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<T> {
        (0..self.nodes.len()).map(NodeId::new)
    }

    /// The entry of that name in a folder.
    pub fn child(&self, folder: NodeId, name: &[u8]) -> Option<NodeId> {
        match &self.node(folder).kind {
            Kind::Directory(entries) => entries.get(name).copied(),
            _ => None,
        }
    }

    /// The entry of a path, without a slash in front.
    pub fn find(&self, path: &[u8]) -> Option<NodeId> {
        let mut parts = path.split(|byte| *byte == b'/');
        parts.try_fold(self.root(), |folder, part| self.child(folder, part))
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// The name or the link target is not one, the name is taken, or `folder` is not a folder.
    pub fn add(
        &mut self,
        folder: NodeId,
        name: &[u8],
        mut node: Node<T>,
    ) -> Result<NodeId, TreeError> {
        if let Kind::Symlink(target) = &node.kind
            && (target.is_empty() || target.len() > 4095 || target.contains(&0))
        {
            return Err(TreeError::Target(target.to_vec()));
        }
        let id = NodeId::new(self.nodes.len());
        self.enter(folder, name, id)?;
        node.meta.xattrs = self.known.share(node.meta.xattrs);
        self.nodes.push(node);
        Ok(id)
    }

    /// Adds a folder. Errors as [`Tree::add`].
    pub fn directory(
        &mut self,
        folder: NodeId,
        name: &[u8],
        meta: Meta,
    ) -> Result<NodeId, TreeError> {
        self.add(folder, name, Node { meta, kind: Kind::Directory(Box::default()) })
    }

    /// Adds a regular file. Errors as [`Tree::add`].
    pub fn file(
        &mut self,
        folder: NodeId,
        name: &[u8],
        meta: Meta,
        content: T,
    ) -> Result<NodeId, TreeError> {
        self.add(folder, name, Node { meta, kind: Kind::File(content) })
    }

    /// Gives an entry one more name.
    ///
    /// # Errors
    /// As [`Tree::add`], and `target` must not be a folder.
    pub fn link(&mut self, folder: NodeId, name: &[u8], target: NodeId) -> Result<(), TreeError> {
        if matches!(self.node(target).kind, Kind::Directory(_)) {
            return Err(TreeError::DirectoryLink);
        }
        self.enter(folder, name, target)
    }

    fn enter(&mut self, folder: NodeId, name: &[u8], id: NodeId) -> Result<(), TreeError> {
        let bad = name.is_empty()
            || name.len() > 255
            || name == b"."
            || name == b".."
            || name.iter().any(|byte| matches!(byte, b'/' | 0));
        if bad {
            return Err(TreeError::Name(name.to_vec()));
        }
        let Kind::Directory(entries) = &mut self.nodes[folder.index()].kind else {
            return Err(TreeError::NotDirectory);
        };
        if entries.contains_key(name) {
            return Err(TreeError::Exists(name.to_vec()));
        }
        entries.insert(Name::from_slice(name), id);
        Ok(())
    }

    /// Gives back memory that was room for more entries: names that came in order left half of what they are kept in.
    pub(crate) fn shrink(&mut self) {
        self.nodes.shrink_to_fit();
        for node in &mut self.nodes {
            if let Kind::Directory(entries) = &mut node.kind {
                **entries = std::mem::take(&mut **entries).into_iter().collect();
            }
        }
    }

    /// Every path with its entry: the root as the empty path, then depth first in byte order of the names.
    pub fn paths(&self) -> impl Iterator<Item = (Vec<u8>, NodeId)> + '_ {
        let entries = |id| match &self.node(id).kind {
            Kind::Directory(entries) => Some(entries.iter()),
            _ => None,
        };
        // The folders down to where it is, with what is left of each.
        let mut open = Vec::from_iter(entries(self.root()).map(|left| (Vec::new(), left)));
        let below = std::iter::from_fn(move || {
            loop {
                let (folder, left) = open.last_mut()?;
                let Some((name, &id)) = left.next() else {
                    open.pop();
                    continue;
                };
                let slash: &[u8] = if folder.is_empty() { b"" } else { b"/" };
                let path = [folder, slash, name].concat();
                open.extend(entries(id).map(|left| (path.clone(), left)));
                return Some((path, id));
            }
        });
        std::iter::once((Vec::new(), self.root())).chain(below)
    }

    /// Every entry but the root, folder by folder: the entries of one in byte order of their names, then those of each
    /// folder among them.
    pub(crate) fn by_folder(&self) -> impl Iterator<Item = NodeId> + '_ {
        let mut folders = vec![self.root()];
        let entries = std::iter::from_fn(move || {
            let Kind::Directory(entries) = &self.node(folders.pop()?).kind else {
                unreachable!("only folders are kept");
            };
            let is_folder = |id: &&NodeId| matches!(self.node(**id).kind, Kind::Directory(_));
            folders.extend(entries.values().rev().filter(is_folder));
            Some(entries.values().copied())
        });
        entries.flatten()
    }

    /// The folder and number of links of every entry, indexed as the entries are.
    ///
    /// A folder is linked by its parent, itself (`.`) and each folder in it (`..`).
    pub(crate) fn links(&self) -> Links {
        let mut parent = vec![self.root(); self.nodes.len()];
        let mut nlink = vec![0_u32; self.nodes.len()];
        nlink[0] = 1;
        for (id, node) in self.nodes.iter().enumerate() {
            let Kind::Directory(entries) = &node.kind else { continue };
            nlink[id] += 1;
            for child in entries.values() {
                nlink[child.index()] += 1;
                if matches!(self.nodes[child.index()].kind, Kind::Directory(_)) {
                    nlink[id] += 1;
                    parent[child.index()] = NodeId::new(id);
                }
            }
        }
        Links { parent, nlink }
    }
}

/// What [`Tree::links`] counts.
#[derive(Debug)]
pub(crate) struct Links {
    /// The folder that a folder is in; the root is in itself.
    pub(crate) parent: Vec<NodeId>,
    /// `st_nlink`.
    pub(crate) nlink: Vec<u32>,
}
