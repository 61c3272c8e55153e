//! What an entry is: type, mode, owner, time, attributes.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::{NodeId, Xattrs};
use crate::format::mode;

/// What an entry is and what it is called by: everything but its names.
#[derive(Clone, Debug)]
pub struct Node<T> {
    /// Mode, owner, time, extended attributes.
    pub meta: Meta,
    /// Type of the entry and what belongs to the type.
    pub kind: Kind<T>,
}

/// Type of an entry and what belongs to the type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Kind<T> {
    /// A folder: its entries by name, in byte order, without `.` and `..`.
    Directory(Box<BTreeMap<Name, NodeId>>),
    /// A regular file.
    File(T),
    /// A symbolic link with its target, 1 to 4095 bytes.
    Symlink(Box<[u8]>),
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character device.
    CharDevice(Rdev),
    /// A block device.
    BlockDevice(Rdev),
}

/// The name of an entry: 1 to 255 bytes without a slash or a NUL. Most are short, and need no memory of their own.
pub type Name = SmallVec<[u8; 16]>;

/// Number of a device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rdev {
    /// 12 bits.
    pub major: u32,
    /// 20 bits.
    pub minor: u32,
}

/// Mode, owner, time and extended attributes of an entry.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Meta {
    /// Permission, set-id and sticky bits (`0o7777`).
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Time of the last modification.
    pub mtime: Time,
    /// Extended attributes.
    pub xattrs: Xattrs,
}

/// A moment: seconds since 1970 (negative before) and nanoseconds.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Time {
    /// Seconds since 1970-01-01 00:00 UTC.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
}

impl Meta {
    /// The mode, owned by root, at the start of 1970, without attributes.
    pub fn new(mode: u16) -> Self {
        Self { mode: mode & mode::PERMISSIONS, ..Self::default() }
    }
}

impl Kind<u64> {
    /// Bytes of content, if it is a file.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::File(size) => Some(*size),
            _ => None,
        }
    }
}

impl<T> Node<T> {
    /// The file type bits of `st_mode`, as in `stat(2)`.
    pub fn file_type(&self) -> u16 {
        match self.kind {
            Kind::Directory(_) => mode::S_IFDIR,
            Kind::File(_) => mode::S_IFREG,
            Kind::Symlink(_) => mode::S_IFLNK,
            Kind::Fifo => mode::S_IFIFO,
            Kind::Socket => mode::S_IFSOCK,
            Kind::CharDevice(_) => mode::S_IFCHR,
            Kind::BlockDevice(_) => mode::S_IFBLK,
        }
    }
}
