//! Inodes: compact where everything fits, extended elsewhere.

use zerocopy::IntoBytes as _;

use crate::format::{self, InodeCompact, InodeExtended, mode};
use crate::tree::{Kind, Links, Node, NodeId, Rdev, Time, Tree};

/// `i_u` of an inode without blocks.
const NO_BLOCK: u32 = u32::MAX;

/// What an inode says of its content, and what follows the inode.
#[derive(Debug)]
pub(super) struct Body {
    layout: u16,
    i_u: u32,
    /// Inline tail, or map header and index.
    follows: Vec<u8>,
    /// What follows starts at a multiple of this.
    align: usize,
    /// Bytes at the end of what follows that must be in one block: an inline tail.
    pub(super) whole: usize,
}

impl Body {
    pub(super) fn empty() -> Self {
        Self::new(format::LAYOUT_FLAT_PLAIN, NO_BLOCK, Vec::new())
    }

    /// Whole blocks from `start` on.
    pub(super) fn plain(start: u64) -> Self {
        Self::new(format::LAYOUT_FLAT_PLAIN, start as u32, Vec::new())
    }

    /// Whole blocks, if there are any, and a tail behind the inode.
    pub(super) fn inline(start: Option<u64>, tail: Vec<u8>) -> Self {
        let start = start.map_or(NO_BLOCK, |start| start as u32);
        Self { whole: tail.len(), ..Self::new(format::LAYOUT_FLAT_INLINE, start, tail) }
    }

    /// `blocks` compressed blocks; map header, index and an inline tail, if there is one, follow.
    pub(super) fn compressed(layout: u16, blocks: u64, index: &[&[u8]], tail: &[u8]) -> Self {
        let mut follows = index.concat();
        follows.extend_from_slice(tail);
        Self { align: 8, whole: tail.len(), ..Self::new(layout, blocks as u32, follows) }
    }

    /// Nothing but a fragment: content of the packed inode from byte `at` on.
    pub(super) fn fragment(at: u64) -> Self {
        // The map header is one number then.
        let header = (at | 1 << 63).to_le_bytes();
        Self::compressed(format::LAYOUT_COMPRESSED_COMPACT, 0, &[&header], &[])
    }

    pub(super) fn device(rdev: u32) -> Self {
        Self::new(format::LAYOUT_FLAT_PLAIN, rdev, Vec::new())
    }

    fn new(layout: u16, i_u: u32, follows: Vec<u8>) -> Self {
        Self { layout, i_u, follows, align: 1, whole: 0 }
    }
}

/// An entry of the tree as an inode.
pub(super) struct Inode<'a> {
    pub(super) id: NodeId,
    pub(super) tree: &'a Tree<u64>,
    pub(super) links: &'a Links,
    pub(super) epoch: Time,
}

impl Inode<'_> {
    /// Inode, `xattrs` and what follows.
    pub(super) fn bytes(&self, body: &Body, size: u64, xattrs: &[u8]) -> Vec<u8> {
        let node = self.tree.node(self.id);
        let meta = &node.meta;
        let nlink = self.links.nlink[self.id.index()];
        let icount = if xattrs.is_empty() { 0 } else { (xattrs.len() - 12) / 4 + 1 };
        let i_mode = (node.file_type() | meta.mode).into();
        let i_xattr_icount = (icount as u16).into();
        let i_ino = (self.id.index() as u32 + 1).into();
        let i_format = body.layout << 1;
        let mut bytes = if is_compact(self.tree, self.links, self.epoch, self.id) {
            let inode = InodeCompact {
                i_format: i_format.into(),
                i_xattr_icount,
                i_mode,
                i_nlink: (nlink as u16).into(),
                i_size: (size as u32).into(),
                i_u: body.i_u.into(),
                i_ino,
                i_uid: (meta.uid as u16).into(),
                i_gid: (meta.gid as u16).into(),
                ..InodeCompact::default()
            };
            inode.as_bytes().to_vec()
        } else {
            let inode = InodeExtended {
                i_format: (i_format | 1).into(),
                i_xattr_icount,
                i_mode,
                i_size: size.into(),
                i_u: body.i_u.into(),
                i_ino,
                i_uid: meta.uid.into(),
                i_gid: meta.gid.into(),
                i_mtime: meta.mtime.seconds.cast_unsigned().into(),
                i_mtime_nsec: meta.mtime.nanoseconds.into(),
                i_nlink: nlink.into(),
                ..InodeExtended::default()
            };
            inode.as_bytes().to_vec()
        };
        bytes.extend_from_slice(xattrs);
        bytes.resize(bytes.len().next_multiple_of(body.align), 0);
        bytes.extend_from_slice(&body.follows);
        bytes
    }
}

/// The packed inode, which has no name; `size` are the bytes of its content.
pub(super) fn packed(body: &Body, size: u64, i_ino: u32) -> Vec<u8> {
    let inode = InodeCompact {
        i_format: (body.layout << 1).into(),
        i_mode: mode::S_IFREG.into(),
        i_nlink: 1.into(),
        i_size: (size as u32).into(),
        i_u: body.i_u.into(),
        i_ino: i_ino.into(),
        ..InodeCompact::default()
    };
    [inode.as_bytes(), &body.follows].concat()
}

/// Bytes of an entry's inode without xattrs.
pub(super) fn size(tree: &Tree<u64>, links: &Links, epoch: Time, id: NodeId) -> usize {
    if is_compact(tree, links, epoch, id) {
        size_of::<InodeCompact>()
    } else {
        size_of::<InodeExtended>()
    }
}

fn is_compact(tree: &Tree<u64>, links: &Links, epoch: Time, id: NodeId) -> bool {
    let Node { meta, kind } = tree.node(id);
    let small = |value: u32| value <= u32::from(u16::MAX);
    let short = match kind {
        Kind::File(size) => u32::try_from(*size).is_ok(),
        // 4 GiB of entries need 16 million of the longest names.
        Kind::Directory(entries) => entries.len() < 1 << 23,
        _ => true,
    };
    short
        && small(meta.uid)
        && small(meta.gid)
        && small(links.nlink[id.index()])
        && meta.mtime == epoch
}

/// `new_encode_dev()` of the kernel.
pub(super) fn new_encode_dev(Rdev { major, minor }: Rdev) -> u32 {
    (minor & 0xFF) | (major & 0xFFF) << 8 | (minor & !0xFF) << 12
}
