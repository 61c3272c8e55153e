//! The tree of an image: entries of folders, and what their inodes say.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use super::inodes::Inode;
use super::{Content, Image, dirs};
use crate::error::{Error, corrupt};
use crate::format::{self, BLOCK_BYTES};
use crate::tree::{Kind, Meta, Node, NodeId, Tree};

impl<R: Read + Seek> Image<R> {
    /// The whole tree; the files' contents stay where they are, for [`Image::chunks`].
    ///
    /// # Errors
    /// A structure breaks the format or needs a feature that this crate lacks.
    pub fn tree(&mut self) -> Result<Tree<Content>, Error> {
        let root = self.inode(u64::from(self.superblock.root_nid.get()))?;
        if !root.is_directory() {
            return Err(corrupt(
                root.at,
                "root inode",
                "a folder",
                format_args!("{:#o}", root.mode),
            ));
        }
        let meta = self.meta(&root)?;
        let content = self.content(&root)?;
        let tree = Tree::new(meta);
        let top = tree.root();
        let mut walk = Walk {
            tree,
            known: BTreeMap::from([(root.nid, top)]),
            claims: vec![self.claim(&root, &content)?],
            folder_bytes: 0,
        };
        let mut folders = vec![(root.nid, root, top)];
        while let Some((parent, inode, id)) = folders.pop() {
            walk.folder_bytes = walk.folder_bytes.saturating_add(inode.size);
            if walk.folder_bytes > self.size {
                return Err(corrupt(
                    inode.at,
                    "bytes of all folders",
                    self.size,
                    walk.folder_bytes,
                ));
            }
            for entry in self.entries(&inode, parent)? {
                if let Some(folder) = self.enter(&mut walk, &inode, id, &entry)? {
                    folders.push((inode.nid, folder.0, folder.1));
                }
            }
        }
        check_claims(&mut walk.claims)?;
        Ok(walk.tree)
    }

    /// Adds one entry of a folder to the tree; gives it back if it is a folder itself.
    fn enter(
        &mut self,
        walk: &mut Walk,
        folder: &Inode,
        id: NodeId,
        entry: &dirs::Entry,
    ) -> Result<Option<(Inode, NodeId)>, Error> {
        let wrong = |error| corrupt(folder.at, "entry of the folder", "a valid one", error);
        if let Some(&known) = walk.known.get(&entry.nid) {
            walk.tree.link(id, &entry.name, known).map_err(wrong)?;
            return Ok(None);
        }
        let inode = self.inode(entry.nid)?;
        let meta = self.meta(&inode)?;
        let content = self.content(&inode)?;
        let kind = self.kind(&inode, &content)?;
        let node = Node { meta, kind };
        let found = format::file_type(node.file_type());
        if found != entry.file_type {
            return Err(corrupt(inode.at, "type of the inode", entry.file_type, found));
        }
        let child = walk.tree.add(id, &entry.name, node).map_err(wrong)?;
        walk.known.insert(entry.nid, child);
        walk.claims.push(self.claim(&inode, &content)?);
        Ok(inode.is_directory().then_some((inode, child)))
    }

    /// Type of an entry and what belongs to it.
    fn kind(&mut self, inode: &Inode, content: &Content) -> Result<Kind<Content>, Error> {
        use crate::format::mode::{S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK};
        Ok(match inode.file_type() {
            S_IFDIR => Kind::Directory(Box::default()),
            S_IFREG => Kind::File(content.clone()),
            S_IFLNK => {
                if inode.size == 0 || inode.size >= BLOCK_BYTES {
                    return Err(corrupt(inode.at, "size of a link", "1 to 4095", inode.size));
                }
                Kind::Symlink(self.read_all(content)?.into())
            }
            S_IFIFO => Kind::Fifo,
            S_IFSOCK => Kind::Socket,
            S_IFCHR => Kind::CharDevice(inode.rdev()),
            S_IFBLK => Kind::BlockDevice(inode.rdev()),
            found => {
                return Err(corrupt(
                    inode.at,
                    "file type",
                    "a known one",
                    format_args!("{found:#o}"),
                ));
            }
        })
    }

    /// Mode, owner, time and attributes.
    fn meta(&mut self, inode: &Inode) -> Result<Meta, Error> {
        Ok(Meta {
            mode: inode.mode & format::mode::PERMISSIONS,
            uid: inode.uid,
            gid: inode.gid,
            mtime: inode.mtime,
            xattrs: self.xattrs(inode)?,
        })
    }

    /// The bytes of the image that belong to an inode alone: itself, its attributes, index or tail.
    ///
    /// Two inodes that share some of them would let a small image claim content without end.
    fn claim(&self, inode: &Inode, content: &Content) -> Result<(u64, u64), Error> {
        let end = inode.end().saturating_add(Self::following(inode, content));
        if end > self.size {
            return Err(corrupt(
                inode.at,
                "end of the inode",
                format_args!("<= {}", self.size),
                end,
            ));
        }
        Ok((inode.at, end))
    }
}

/// State of [`Image::tree`].
struct Walk {
    tree: Tree<Content>,
    /// Entries by inode number: a second name is a hard link.
    known: BTreeMap<u64, NodeId>,
    claims: Vec<(u64, u64)>,
    folder_bytes: u64,
}

fn check_claims(claims: &mut [(u64, u64)]) -> Result<(), Error> {
    claims.sort_unstable();
    for pair in claims.windows(2) {
        if let [(first, end), (second, _)] = pair
            && end > second
        {
            return Err(corrupt(
                *second,
                "inode",
                format_args!("none within that at byte {first}"),
                "one",
            ));
        }
    }
    Ok(())
}
