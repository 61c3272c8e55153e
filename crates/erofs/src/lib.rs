//! File trees to EROFS images and back.
//!
//! [EROFS](https://erofs.docs.kernel.org/en/latest/core_ondisk.html) is the read-only file system of the Linux
//! kernel that system extensions are shipped in. This crate writes and reads its images; it opens no file,
//! starts no thread and knows no clock, so the same code gives the same bytes natively and in a browser.
//!
//! Writing takes a [`Tree`] whose files are only sizes, then the content of each file piece by piece:
//!
//! ```
//! use erofs::{Job, Meta, Options, Tree, Workspace, Writer};
//!
//! let mut tree = Tree::new(Meta::new(0o755));
//! let hello = tree.file(tree.root(), b"hello", Meta::new(0o644), 5)?;
//!
//! let mut writer = Writer::new(tree, Options::default())?;
//! writer.add(Job::new(&writer, hello, b"world".to_vec(), 0).run(&mut Workspace::default()))?;
//! let mut image = Vec::new();
//! writer.finish(|write| write.put(&mut image))?;
//!
//! let mut image = erofs::Image::open(std::io::Cursor::new(image))?;
//! let tree = image.tree()?;
//! assert_eq!(tree.paths().map(|(path, _)| path).collect::<Vec<_>>(), [b"".to_vec(), b"hello".to_vec()]);
//! # Ok::<(), erofs::Error>(())
//! ```
//!
//! How the format is used, by [`Profile`]:
//!
//! - a file is cut into *logical clusters* of a block (4 KiB), which an index maps to *physical clusters*: LZ4 or stored
//!   content in whole blocks. An entry of the index says that an extent starts in its cluster and at which byte of it, or
//!   how far the start of the extent is;
//! - an index is *compact*: packs of 2 or 16 entries share the address of their first cluster, the others follow from
//!   it, so the clusters of a pack lie behind one another (a *full* index has 8 bytes per entry and needs no order);
//! - with *big physical clusters* an extent fills up to 1 MiB, and the entry behind its start has the number of blocks;
//! - with *ztailpacking* the last cluster of a file follows its index, with *fragments* the end of a file, or all of it,
//!   is a run of bytes of the *packed inode*, a file without a name that is compressed like any other;
//! - files of equal content ([`Writer::share`]) have the same blocks in their inodes. Where there are fragments, readers
//!   are new enough for more: files that begin alike have their first clusters in common, files that end alike a run of
//!   the packed inode, and long files all whole clusters of what they share, wherever it lies in them. Their clusters lie
//!   here and there, which takes a full index where several are in a pack.
//!
//! [`Image::map`] shows all that in an image at hand: what every byte is.
//!
//! Data goes out as it is packed and metadata follows it; only the first block is written at the very end.
//! Memory therefore depends on the number of files, not on the size of the image.
//!
//! Not here: mounting, changing an image, compressors other than LZ4, labels and policies.

mod compress;
mod error;
mod format;
mod lz4;
mod options;
mod read;
mod tree;
mod write;

pub use compress::{Batch, Bundle, Job, Packed, Results, SEGMENT};
pub use error::{Corrupt, Error};
pub use format::{BLOCK, SUPERBLOCK_AT, SuperBlock};
pub use lz4::{Level, Workspace};
pub use options::{Feature, Kernel, Options, Pcluster, Profile};
pub use read::{Area, Chunks, Content, Damage, Image, Part};
pub use tree::{Kind, Meta, Name, Node, NodeId, Rdev, Time, Tree, TreeError, Xattrs};
pub use write::{Finished, Write, Writer, can_store_xattr};
