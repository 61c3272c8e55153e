//! An account of every byte of an image: what it is, and whose.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Seek};

use super::Image;
use super::content::Run;
use super::inodes::Inode;
use crate::error::{Error, corrupt};
use crate::format::{INCOMPAT_BIG_PCLUSTER, SUPERBLOCK_AT, SuperBlock};

/// A run of bytes of an image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Area {
    /// Byte offset in the image.
    pub at: u64,
    /// Number of bytes.
    pub length: u64,
    /// What they are.
    pub part: Part,
    /// The first path that they belong to, or to none.
    pub path: Option<Vec<u8>>,
}

/// What bytes of an image are.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// The superblock.
    Superblock,
    /// Configuration of compressors, right behind the superblock.
    Configuration,
    /// An inode.
    Inode,
    /// Extended attributes of one inode.
    Xattrs,
    /// An extended attribute that inodes share.
    SharedXattr,
    /// Map header and index of a compressed file.
    Index,
    /// Content behind an inode: the end of a file, a link, entries.
    Inline,
    /// Entries of a folder.
    Entries,
    /// Content in blocks, compressed or stored.
    Data,
    /// Content of many files, in the blocks of the packed inode.
    Fragments,
    /// What nothing uses.
    Padding,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Superblock => "superblock",
            Self::Configuration => "configuration",
            Self::Inode => "inode",
            Self::Xattrs => "xattrs",
            Self::SharedXattr => "shared xattr",
            Self::Index => "index",
            Self::Inline => "inline",
            Self::Entries => "entries",
            Self::Data => "data",
            Self::Fragments => "fragments",
            Self::Padding => "padding",
        })
    }
}

impl<R: Read + Seek> Image<R> {
    /// What every byte of the image is, in the order of the bytes. Bytes that several files share are told once.
    ///
    /// # Errors
    /// A structure breaks the format or needs a feature that this crate lacks.
    pub fn map(&mut self) -> Result<Vec<Area>, Error> {
        // The tree is checked in ways that this walk then need not repeat.
        self.tree()?;
        let mut areas = vec![Area {
            at: SUPERBLOCK_AT,
            length: size_of::<SuperBlock>() as u64,
            part: Part::Superblock,
            path: None,
        }];
        if self.superblock.feature_incompat.get() & INCOMPAT_BIG_PCLUSTER != 0 {
            let at = SUPERBLOCK_AT.saturating_add(size_of::<SuperBlock>() as u64);
            let mut length = [0; 2];
            self.read_at(at, &mut length, "configuration of LZ4")?;
            let length = u64::from(u16::from_le_bytes(length)).saturating_add(2);
            areas.push(Area { at, length, part: Part::Configuration, path: None });
        }
        let packed = self.superblock.packed_nid.get();
        if packed != 0 {
            let inode = self.inode(packed)?;
            self.map_inode(&inode, None, &mut areas)?;
        }
        let root = u64::from(self.superblock.root_nid.get());
        let mut paths = BTreeMap::from([(root, Vec::new())]);
        let mut folders = vec![(root, root)];
        let inode = self.inode(root)?;
        self.map_inode(&inode, Some(b""), &mut areas)?;
        while let Some((nid, parent)) = folders.pop() {
            let folder = self.inode(nid)?;
            let path = paths.get(&nid).cloned().unwrap_or_default();
            for entry in self.entries(&folder, parent)? {
                if paths.contains_key(&entry.nid) {
                    continue;
                }
                let slash: &[u8] = if path.is_empty() { b"" } else { b"/" };
                let path = [path.as_slice(), slash, &entry.name].concat();
                let inode = self.inode(entry.nid)?;
                self.map_inode(&inode, Some(&path), &mut areas)?;
                if inode.is_directory() {
                    folders.push((entry.nid, nid));
                }
                paths.insert(entry.nid, path);
            }
        }
        Ok(account(areas, self.size))
    }

    /// All areas of an inode.
    fn map_inode(
        &mut self,
        inode: &Inode,
        path: Option<&[u8]>,
        areas: &mut Vec<Area>,
    ) -> Result<(), Error> {
        let mut push = |at: u64, end: u64, part| {
            let length = end.saturating_sub(at);
            areas.push(Area { at, length, part, path: path.map(<[u8]>::to_vec) });
        };
        push(inode.at, inode.xattrs_at(), Part::Inode);
        push(inode.xattrs_at(), inode.end(), Part::Xattrs);
        let in_blocks = match path {
            None => Part::Fragments,
            Some(_) if inode.is_directory() => Part::Entries,
            Some(_) => Part::Data,
        };
        let content = self.content(inode)?;
        for run in self.runs(inode, &content)? {
            match run {
                Run::Blocks { at, end } => push(at, end, in_blocks),
                Run::Inline { at, end } => push(at, end, Part::Inline),
                Run::Index { at, end } => push(at, end, Part::Index),
            }
        }
        let body = self.xattr_body(inode)?;
        for (at, length) in self.shared_xattrs(inode, &body)? {
            areas.push(Area { at, length, part: Part::SharedXattr, path: None });
        }
        if areas.last().is_some_and(|area| area.at.saturating_add(area.length) > self.size) {
            return Err(corrupt(inode.at, "end of the content", self.size, "more"));
        }
        Ok(())
    }
}

/// Puts areas in order, tells what is shared once, and names what is between them.
fn account(mut areas: Vec<Area>, size: u64) -> Vec<Area> {
    areas.sort_by_key(|area| area.at);
    let mut account = Vec::with_capacity(areas.len());
    let mut at = 0_u64;
    let padding = |at, end: u64| {
        let length = end.saturating_sub(at);
        (length > 0).then_some(Area { at, length, part: Part::Padding, path: None })
    };
    for area in areas {
        let end = area.at.saturating_add(area.length).min(size);
        account.extend(padding(at, area.at.min(size)));
        let start = area.at.max(at);
        if end > start {
            account.push(Area { at: start, length: end.saturating_sub(start), ..area });
            at = end;
        }
        at = at.max(end);
    }
    account.extend(padding(at, size));
    account
}
