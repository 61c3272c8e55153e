//! Folders: blocks of entries, each an array of `struct erofs_dirent` and the names behind it.

use std::collections::BTreeMap;

use zerocopy::IntoBytes as _;

use super::inodes::Body;
use super::output::{Output, Write};
use crate::format::{self, BLOCK, Dirent};
use crate::tree::{Kind, Links, NodeId, Tree};

/// Sizes and places of all folders.
#[derive(Debug)]
pub(super) struct Plan {
    folders: BTreeMap<NodeId, Folder>,
    blocks: u64,
}

#[derive(Debug)]
struct Folder {
    /// Bytes of entries.
    size: u64,
    /// Address of the first block.
    start: u64,
    blocks: u64,
    /// Bytes of the last block that go behind the inode, if they do.
    tail: usize,
}

impl Plan {
    /// Measures every folder; `inode_size` tells the bytes of an inode and its xattrs.
    pub(super) fn new(tree: &Tree<u64>, inode_size: impl Fn(NodeId) -> usize) -> Self {
        let mut folders = BTreeMap::new();
        for id in tree.ids() {
            if !matches!(tree.node(id).kind, Kind::Directory(_)) {
                continue;
            }
            let (count, last) = measure(tree, id);
            let size = (count - 1) * BLOCK as u64 + last as u64;
            let start = if id == tree.root() { super::ROOT_AT } else { 0 };
            let tail = tail(last, start + inode_size(id));
            let blocks = if tail > 0 { count - 1 } else { count };
            folders.insert(id, Folder { size, start: 0, blocks, tail });
        }
        Self { folders, blocks: 0 }
    }

    /// Bytes of the root's tail behind an inode of so many bytes.
    pub(super) fn root_tail(tree: &Tree<u64>, inode_size: usize) -> usize {
        let (_, last) = measure(tree, tree.root());
        tail(last, super::ROOT_AT + inode_size)
    }

    /// Gives every folder its blocks, from address `start` on.
    pub(super) fn allocate(&mut self, start: u64) {
        for folder in self.folders.values_mut() {
            folder.start = start + self.blocks;
            self.blocks += folder.blocks;
        }
    }

    /// Blocks of all folders.
    pub(super) fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Bytes that follow the folder's inode.
    pub(super) fn tail(&self, id: NodeId) -> usize {
        self.folders[&id].tail
    }

    /// Bytes of a folder's entries.
    pub(super) fn size(&self, id: NodeId) -> u64 {
        self.folders[&id].size
    }

    /// What the inode of a folder says and what follows it.
    pub(super) fn body(&self, tree: &Tree<u64>, id: NodeId, nids: &[u64], links: &Links) -> Body {
        let folder = &self.folders[&id];
        if folder.tail == 0 {
            return Body::plain(folder.start);
        }
        let tail = layout(tree, id).last().expect("a folder has entries");
        Body::inline((folder.blocks > 0).then_some(folder.start), tail.bytes(tree, id, nids, links))
    }

    /// Writes the whole blocks of all folders, in the order of their addresses, and gives them away as they are made.
    pub(super) fn write(
        &self,
        tree: &Tree<u64>,
        nids: &[u64],
        links: &Links,
        output: &mut Output,
        mut put: impl FnMut(Write),
    ) {
        for (&id, folder) in &self.folders {
            for block in layout(tree, id).take(folder.blocks as usize) {
                output.append(&block.bytes(tree, id, nids, links));
                output.align();
                output.ready().for_each(&mut put);
            }
        }
    }
}

/// Entries that share a block.
struct Block<'a> {
    entries: Vec<(&'a [u8], Entry)>,
    /// Bytes that they take.
    size: usize,
}

/// Whom an entry leads to.
#[derive(Clone, Copy)]
enum Entry {
    Itself,
    Parent,
    Child(NodeId),
}

/// The blocks that the entries of a folder take, and the bytes of the last.
fn measure(tree: &Tree<u64>, id: NodeId) -> (u64, usize) {
    layout(tree, id).fold((0, 0), |(count, _), block| (count + 1, block.size))
}

/// As many of the last block's bytes as go behind an inode that ends so many bytes behind the start of a block: all or none.
fn tail(last: usize, inode_end: usize) -> usize {
    if last < BLOCK && inode_end + last <= BLOCK { last } else { 0 }
}

/// The entries of a folder in byte order over the whole folder, cut into blocks.
fn layout(tree: &Tree<u64>, id: NodeId) -> impl Iterator<Item = Block<'_>> {
    let mut entries = entries(tree, id).peekable();
    std::iter::from_fn(move || {
        let mut block = Block { entries: Vec::new(), size: 0 };
        let size = |name: &[u8]| size_of::<Dirent>() + name.len();
        while let Some((name, entry)) =
            entries.next_if(|(name, _)| block.size + size(name) <= BLOCK)
        {
            block.size += size(name);
            block.entries.push((name, entry));
        }
        (block.size > 0).then_some(block)
    })
}

/// The entries of a folder, with `.` and `..` among them.
fn entries(tree: &Tree<u64>, id: NodeId) -> impl Iterator<Item = (&[u8], Entry)> {
    let children = match &tree.node(id).kind {
        Kind::Directory(children) => Some(children.iter()),
        _ => None,
    };
    let children = children.into_iter().flatten();
    let mut children = children.map(|(name, &id)| (name.as_slice(), Entry::Child(id))).peekable();
    let dots = [(b".".as_slice(), Entry::Itself), (b"..", Entry::Parent)];
    let mut dots = dots.into_iter().peekable();
    std::iter::from_fn(move || match (dots.peek(), children.peek()) {
        (Some((dot, _)), Some((name, _))) if name < dot => children.next(),
        (Some(_), _) => dots.next(),
        _ => children.next(),
    })
}

impl Block<'_> {
    fn bytes(&self, tree: &Tree<u64>, id: NodeId, nids: &[u64], links: &Links) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.size);
        let mut nameoff = self.entries.len() * size_of::<Dirent>();
        for (name, entry) in &self.entries {
            let target = match entry {
                Entry::Itself => id,
                Entry::Parent => links.parent[id.index()],
                Entry::Child(child) => *child,
            };
            let dirent = Dirent {
                nid: nids[target.index()].into(),
                nameoff: (nameoff as u16).into(),
                file_type: format::file_type(tree.node(target).file_type()),
                reserved: 0,
            };
            bytes.extend_from_slice(dirent.as_bytes());
            nameoff += name.len();
        }
        for (name, _) in &self.entries {
            bytes.extend_from_slice(name);
        }
        bytes
    }
}
