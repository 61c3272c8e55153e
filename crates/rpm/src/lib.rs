//! RPM packages and repositories, without I/O: what a package says of itself, which files it has, and their content;
//! what the metadata of a repository says of its packages ([`repodata`]); which are installed ([`database`]); how versions compare ([`evr`]).
//!
//! Reads the formats that rpm has written since 1996 (v3, v4, v6), with payloads in cpio's `newc` form and in the
//! stripped form of packages with files of 4 GiB and more, packed with zstd, xz, lzma, gzip, bzip2 or not at all. See
//! <https://rpm-software-management.github.io/rpm/manual/format.html>.
//!
//! A package comes in as a stream and is read once, front to back. Its digests are checked on the way: of the header,
//! the payload and every file.
//!
//! ```
//! use rpm::{NewFile, NewPackage, Payload};
//!
//! let package = NewPackage {
//!     files: vec![NewFile::file("/usr/bin/hello", 0o755, b"#!/bin/sh\necho hello\n".to_vec())],
//!     ..NewPackage::new("hello", "1.0", "1", "noarch")
//! };
//! let bytes = package.write(&rpm::Compression::Gzip);
//!
//! let mut payload = Payload::open(bytes.as_slice())?;
//! assert_eq!(payload.package().nevra(), "hello-1.0-1.noarch");
//! while let Some(member) = payload.next_member()? {
//!     println!("{}: {} bytes", payload.package().files[member.file].display(), member.size);
//! }
//! # Ok::<(), rpm::Error>(())
//! ```
//!
//! Not here: installing, choosing packages (the crate `resolve`), delta packages.
#![warn(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

mod capabilities;
mod compression;
pub mod database;
mod dependency;
mod digest;
mod error;
pub mod evr;
mod header;
mod package;
mod payload;
pub mod repodata;
#[cfg(feature = "openpgp")]
pub mod signature;
mod source;
mod tag;
mod write;

pub use capabilities::Capabilities;
pub use dependency::{Dependency, Operator, Rich, Sense};
pub use digest::{Check, Digesting, Digests, Found, Sum, Ticket, hex};
pub use error::{Corrupt, Error};
pub use evr::Evr;
pub use package::{File, FileFlags, HardLinks, Package, Scriptlet};
pub use payload::{Member, Payload};
pub use write::{Compression, NewFile, NewPackage};
