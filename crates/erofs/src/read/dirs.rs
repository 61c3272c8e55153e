//! Entries of folders.

use std::io::{Read, Seek};

use zerocopy::FromBytes as _;

use super::Image;
use super::inodes::Inode;
use crate::error::{Error, corrupt};
use crate::format::{BLOCK, Dirent};

/// A name in a folder and whom it leads to.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) nid: u64,
    pub(super) file_type: u8,
}

impl<R: Read + Seek> Image<R> {
    /// The entries of a folder without `.` and `..`, which must lead to itself and to `parent`.
    pub(super) fn entries(&mut self, inode: &Inode, parent: u64) -> Result<Vec<Entry>, Error> {
        let content = self.content(inode)?;
        let bytes = self.read_all(&content)?;
        let mut entries = Vec::new();
        let mut previous = Vec::new();
        for block in bytes.chunks(BLOCK) {
            for entry in block_entries(block, inode.at)? {
                if entry.name <= previous {
                    return Err(corrupt(
                        inode.at,
                        "order of names",
                        format_args!("more than {:?}", String::from_utf8_lossy(&previous)),
                        format_args!("{:?}", String::from_utf8_lossy(&entry.name)),
                    ));
                }
                previous.clone_from(&entry.name);
                let expected = match entry.name.as_slice() {
                    b"." => inode.nid,
                    b".." => parent,
                    _ => {
                        entries.push(entry);
                        continue;
                    }
                };
                if entry.nid != expected {
                    return Err(corrupt(inode.at, "inode of . or ..", expected, entry.nid));
                }
            }
        }
        Ok(entries)
    }
}

/// The entries of one block: as many as the place of the first name says.
fn block_entries(block: &[u8], at: u64) -> Result<Vec<Entry>, Error> {
    let wrong = |what: &'static str, found: usize| {
        corrupt(at, what, format_args!("one within {} bytes", block.len()), found)
    };
    let Ok((first, _)) = Dirent::read_from_prefix(block) else {
        return Err(wrong("folder entry", block.len()));
    };
    let names = usize::from(first.nameoff.get());
    let Some((table, _)) = block.split_at_checked(names).filter(|(table, _)| !table.is_empty())
    else {
        return Err(wrong("place of the first name", names));
    };
    let (dirents, []) = table.as_chunks::<{ size_of::<Dirent>() }>() else {
        return Err(wrong("place of the first name", names));
    };
    let dirents: Vec<Dirent> = dirents.iter().map(|bytes| zerocopy::transmute!(*bytes)).collect();
    let ends = dirents.iter().skip(1).map(|next| usize::from(next.nameoff.get()));
    let ends = ends.chain([block.len()]);
    let mut entries = Vec::with_capacity(dirents.len());
    for (dirent, end) in dirents.iter().zip(ends) {
        let start = usize::from(dirent.nameoff.get());
        let Some(mut name) = block.get(start..end) else {
            return Err(wrong("place of a name", start));
        };
        if end == block.len()
            && let Some(length) = name.iter().position(|byte| *byte == 0)
        {
            name = name.get(..length).unwrap_or_default();
        }
        entries.push(Entry {
            name: name.to_vec(),
            nid: dirent.nid.get(),
            file_type: dirent.file_type,
        });
    }
    Ok(entries)
}
