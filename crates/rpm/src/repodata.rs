//! The metadata of a repository: what `createrepo_c` writes and dnf reads.
//!
//! `repodata/repomd.xml` names the other files with their digests ([`Repomd`]); `primary` has the packages with their
//! dependencies and the files that others may require ([`Primary`]), `filelists` all their files ([`Filelists`]),
//! `comps` the groups ([`Comps`]), `modules` which packages are in streams that are not used ([`Modules`]). All come plain
//! or compressed; [`open`] knows how by their first bytes. Where repositories are is in `.repo` files ([`RepoConfig`]),
//! where their mirrors are in metalinks and lists ([`Metalink`]).
//!
//! ```
//! use rpm::repodata::{Primary, open};
//!
//! let xml = r#"<metadata packages="1"><package type="rpm">
//!   <name>hello</name><arch>noarch</arch><version epoch="0" ver="1.0" rel="1"/>
//!   <checksum type="sha256" pkgid="YES">00</checksum><location href="hello.rpm"/>
//! </package></metadata>"#;
//! for package in Primary::new(open(xml.as_bytes())?) {
//!     assert_eq!(package?.nevra(), "hello-1.0-1.noarch");
//! }
//! # Ok::<(), rpm::Error>(())
//! ```
//!
//! Not here: updateinfo, deltas, the sqlite form.

mod comps;
mod filelists;
mod metalink;
mod modules;
pub(crate) mod package;
mod primary;
mod repo_file;
mod repomd;
mod xml;
mod zchunk;

use std::io::{self, BufRead as _, BufReader, Read};

pub use comps::{Comps, Environment, Group, GroupPackage, PackageType};
pub use filelists::{FileKind, Filelists, PackageFiles};
pub use metalink::{Metalink, State};
pub use modules::{ModuleFilter, Modules};
pub use primary::{Checksum, Primary, RepoFile, RepoPackage};
pub use repo_file::{RepoConfig, Variables};
pub use repomd::{Record, Repomd};

use crate::compression::Decoder;
use crate::error::Error;

/// Metadata, decompressed.
pub struct Metadata<R: Read>(Inner<R>);

enum Inner<R: Read> {
    Stream(Decoder<BufReader<R>>),
    Zchunk(Box<zchunk::Zchunk<BufReader<R>>>),
}

impl<R: Read> std::fmt::Debug for Metadata<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metadata")
    }
}

impl<R: Read> Read for Metadata<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Inner::Stream(decoder) => decoder.read(into),
            Inner::Zchunk(decoder) => decoder.read(into),
        }
    }
}

/// Decompresses metadata by what it starts with: gzip, xz, bzip2, zstd, zchunk, or nothing of these.
///
/// # Errors
/// The source fails, or a zchunk header is broken.
pub fn open<R: Read>(source: R) -> Result<Metadata<R>, Error> {
    let mut reader = BufReader::with_capacity(64 << 10, source);
    if reader.fill_buf().map_err(Error::Io)?.starts_with(zchunk::MAGIC) {
        return Ok(Metadata(Inner::Zchunk(Box::new(zchunk::Zchunk::new(reader)?))));
    }
    Ok(Metadata(Inner::Stream(Decoder::by_magic(reader).map_err(Error::Io)?)))
}
