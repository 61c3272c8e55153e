//! Inodes, compact and extended.

use std::io::{Read, Seek};

use super::Image;
use crate::error::{Error, corrupt};
use crate::format::{self, BLOCK_BYTES, InodeCompact, InodeExtended, mode};
use crate::tree::{Rdev, Time};

/// An inode in better types.
#[derive(Debug)]
pub(super) struct Inode {
    pub(super) nid: u64,
    /// Byte offset in the image.
    pub(super) at: u64,
    pub(super) mode: u16,
    pub(super) size: u64,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mtime: Time,
    pub(super) layout: u16,
    pub(super) i_u: u32,
    /// Bytes of the inode itself.
    isize: u64,
    /// Bytes of its attributes.
    pub(super) xattr_size: u64,
}

impl Inode {
    pub(super) fn file_type(&self) -> u16 {
        self.mode & mode::S_IFMT
    }

    pub(super) fn is_directory(&self) -> bool {
        self.file_type() == mode::S_IFDIR
    }

    /// Byte offset of the attributes.
    pub(super) fn xattrs_at(&self) -> u64 {
        self.at.saturating_add(self.isize)
    }

    /// Byte offset behind the attributes.
    pub(super) fn end(&self) -> u64 {
        self.xattrs_at().saturating_add(self.xattr_size)
    }

    /// `new_decode_dev()` of the kernel.
    pub(super) fn rdev(&self) -> Rdev {
        Rdev {
            major: (self.i_u >> 8) & 0xFFF,
            minor: (self.i_u & 0xFF) | ((self.i_u >> 12) & 0xF_FF00),
        }
    }
}

impl<R: Read + Seek> Image<R> {
    /// The inode of that number.
    pub(super) fn inode(&mut self, nid: u64) -> Result<Inode, Error> {
        let Some(at) = self.inode_at(nid) else {
            return Err(corrupt(0, "inode number", "one within the image", nid));
        };
        let compact: InodeCompact = self.read_struct(at, "inode")?;
        let i_format = compact.i_format.get();
        if i_format & !0xF != 0 {
            return Err(Error::Unsupported("an inode format newer than this program"));
        }
        let icount = u64::from(compact.i_xattr_icount.get());
        let xattr_size = match icount.checked_sub(1) {
            Some(more) => more.saturating_mul(4).saturating_add(12),
            None => 0,
        };
        let layout = i_format >> 1;
        let mode = compact.i_mode.get();
        let inode = if i_format & 1 == 0 {
            let seconds = self.superblock.epoch.get().cast_signed();
            let nanoseconds = self.superblock.fixed_nsec.get();
            Inode {
                nid,
                at,
                mode,
                size: u64::from(compact.i_size.get()),
                uid: u32::from(compact.i_uid.get()),
                gid: u32::from(compact.i_gid.get()),
                mtime: Time { seconds, nanoseconds },
                layout,
                i_u: compact.i_u.get(),
                isize: 32,
                xattr_size,
            }
        } else {
            let extended: InodeExtended = self.read_struct(at, "extended inode")?;
            Inode {
                nid,
                at,
                mode,
                size: extended.i_size.get(),
                uid: extended.i_uid.get(),
                gid: extended.i_gid.get(),
                mtime: Time {
                    seconds: extended.i_mtime.get().cast_signed(),
                    nanoseconds: extended.i_mtime_nsec.get(),
                },
                layout,
                i_u: extended.i_u.get(),
                isize: 64,
                xattr_size,
            }
        };
        self.check_layout(&inode)?;
        Ok(inode)
    }

    /// Refuses layouts that are unknown, and content that lies outside the image.
    fn check_layout(&self, inode: &Inode) -> Result<(), Error> {
        let is_file = inode.file_type() == mode::S_IFREG;
        let has_blocks = matches!(inode.file_type(), mode::S_IFREG | mode::S_IFDIR | mode::S_IFLNK);
        let stored = match inode.layout {
            _ if !has_blocks => return Ok(()),
            format::LAYOUT_FLAT_PLAIN => inode.size,
            format::LAYOUT_FLAT_INLINE => inode.size.saturating_sub(inode.size % BLOCK_BYTES),
            format::LAYOUT_COMPRESSED_FULL | format::LAYOUT_COMPRESSED_COMPACT if is_file => {
                return Ok(());
            }
            format::LAYOUT_COMPRESSED_FULL | format::LAYOUT_COMPRESSED_COMPACT => {
                return Err(Error::Unsupported("compressed folders and links"));
            }
            format::LAYOUT_CHUNK_BASED => return Err(Error::Unsupported("files in chunks")),
            found => return Err(corrupt(inode.at, "data layout", "0 to 4", found)),
        };
        let end = u64::from(inode.i_u).saturating_mul(BLOCK_BYTES).saturating_add(stored);
        if stored > 0 && end > self.size {
            return Err(corrupt(
                inode.at,
                "end of the content",
                format_args!("<= {}", self.size),
                end,
            ));
        }
        let tail = inode.size % BLOCK_BYTES;
        if inode.layout == format::LAYOUT_FLAT_INLINE
            && (inode.end() % BLOCK_BYTES).saturating_add(tail) > BLOCK_BYTES
        {
            return Err(corrupt(inode.at, "inline tail", "one within a block", "one across two"));
        }
        Ok(())
    }
}
