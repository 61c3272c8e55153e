//! A compact form of the packages of a repository: what choosing and fetching needs, loaded without parsing XML.
//!
//! # Format, version 3
//!
//! A file is the 8 bytes `SYSXIDX\x03`, then the lengths in bytes of three parts (32 bits each, little endian), the parts, and
//! chunks up to its end. Parts may be read apart ([`Parts`]): the first is what choosing needs (`S` to `U`), the second what
//! fetching needs (`T` to `H`), the third tells which chunk has which paths (`Q`; empty where there are none).
//!
//! All other numbers are LEB128 varints; signed ones are zigzag-coded. Parts are sections. A section is its tag (one byte),
//! the length of its content before compression, the length of what follows, and that: the content as a raw deflate stream.
//! The sections come in this order, each once:
//!
//! | tag | content |
//! |---|---|
//! | `S` | texts in the order of their bytes: count, then of each: bytes shared with the one before, bytes that follow, those bytes. Text 0 is empty. |
//! | `D` | dependencies, ordered: count, then of each: name (text, as a difference to the one before), sense (0 to 7, or 8 for a rich one, whose name is its text), and for senses but 0 and 8 the version (text) |
//! | `P` | packages: count, then column by column: names (text, difference, signed), versions (text), architectures (text), and of each of the eight lists of dependencies the counts, then the dependencies (difference to the one before in the same list, signed) |
//! | `F` | paths that others may require: of each package the count, then texts (difference, signed) |
//! | `G` | groups of packages, as text whose form is the affair of who writes it |
//! | `U` | the repository as a section of a `.repo` file, for what is fetched from it; empty if that lies beside the index |
//! | `T` | more texts, as `S`, for what follows |
//! | `O` | where packages are: of each package the kind of its place (0: `Packages/X/NAME-VERSION-RELEASE.ARCH.rpm` with X the first letter of the name in lower case; 1: a text of its own, which follows), then of each: bytes of the file, bytes installed; then of each the summary (text) |
//! | `H` | the algorithm of the digests (text), bytes of one digest, then all of them |
//! | `Q` | count of the chunks, then of each: its first path (bytes, and they), its bytes in the file; the first starts behind this part |
//!
//! A chunk is a section `N`: paths, each as the bytes shared with the one before, the bytes that follow, those bytes; then
//! the count of packages that have it, and their places (difference, signed). Paths are in the order of their folders, those of
//! a folder in the order of their last parts. What `F` has is not among them.
//!
//! The lists are, in order: provides, requires, conflicts, obsoletes, recommends, suggests, supplements, enhances.
//! Packages come in the order of the repository, which decides between equals. Texts of `O` and `H` are those of `T`, so
//! that choosing needs only what is before. A reader refuses what it does not know.

mod paths;
mod read;
mod write;

use std::ops::Range;

use rpm::repodata::Checksum;

pub use paths::{AllPaths, PathTable, read_chunk};
pub use read::read_sections;
pub use write::{More, section, write};

const MAGIC: &[u8; 8] = b"SYSXIDX\x03";
/// Bytes in front of the parts.
const HEAD: usize = MAGIC.len() + 12;
/// The sense that stands for a rich dependency.
const RICH: u64 = 8;
/// Bytes that all sections may have: a few hundred million dependencies.
const MAX_CONTENT: u64 = 1 << 30;

/// Why an index cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadIndex {
    /// The section, or 0 for the file itself.
    section: u8,
    what: &'static str,
}

impl BadIndex {
    /// Something is wrong in a section, for what embeds an index.
    pub fn new(section: u8, what: &'static str) -> Self {
        Self { section, what }
    }
}

impl std::fmt::Display for BadIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.section {
            0 => write!(f, "the index is broken: {}", self.what),
            tag => write!(f, "the index is broken in section {}: {}", char::from(tag), self.what),
        }
    }
}

impl std::error::Error for BadIndex {}

/// Where a package is, and what it is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Origin {
    /// Path below the repository's URL, or a URL of its own.
    pub location: String,
    /// Digest of the package file.
    pub checksum: Checksum,
    /// Bytes of the package file.
    pub size: u64,
    /// Bytes of its files.
    pub installed_size: u64,
    /// One line about it.
    pub summary: String,
}

/// Where the parts of an index are in its file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parts {
    /// What choosing and fetching need: what [`Index::read`] takes.
    pub packages: Range<u64>,
    /// The table of the chunks of paths, for [`PathTable::read`]; empty where there are none. The chunks follow.
    pub paths: Range<u64>,
}

impl Parts {
    /// Bytes of a file that tell of its parts.
    pub const HEAD: usize = HEAD;

    /// Reads the first bytes of a file.
    ///
    /// # Errors
    /// It is no index, or of another version.
    pub fn read(head: &[u8]) -> Result<Self, BadIndex> {
        let [choosing, fetching, paths] = read::lengths(head)?;
        let packages = HEAD as u64 + choosing + fetching;
        Ok(Self { packages: 0..packages, paths: packages..packages + paths })
    }
}

/// What choosing needs of an index: columns, and texts by number.
#[derive(Clone, Debug)]
pub struct Index {
    pub(crate) texts: TextTable,
    /// Name, sense or 8, version.
    pub(crate) dependencies: Vec<(u32, u8, u32)>,
    /// Name, version, architecture.
    pub(crate) packages: Vec<[u32; 3]>,
    pub(crate) lists: [Lengths; 8],
    pub(crate) paths: Lengths,
    groups: String,
    repository: String,
    /// The sections that tell where packages are, still compressed.
    origins: Vec<u8>,
}

/// Lists one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lengths {
    pub(crate) lengths: Vec<u32>,
    pub(crate) all: Vec<u32>,
}

/// Texts one after the other, the first empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextTable {
    pub(crate) text: String,
    pub(crate) ends: Vec<usize>,
}

impl TextTable {
    pub(crate) fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.text[start..self.ends[number]]
    }
}

/// Where the packages of an index are.
#[derive(Clone, Debug)]
pub struct Origins {
    texts: TextTable,
    locations: Vec<Option<u32>>,
    sizes: Vec<[u64; 2]>,
    summaries: Vec<u32>,
    algorithm: u32,
    digest_size: usize,
    digests: Vec<u8>,
}

/// Where Fedora's repositories have a package.
fn usual_location(name: &str, evr: &str, arch: &str) -> String {
    let letter = name.chars().next().unwrap_or_default().to_ascii_lowercase();
    let evr = evr.split_once(':').map_or(evr, |(_, rest)| rest);
    format!("Packages/{letter}/{name}-{evr}.{arch}.rpm")
}

/// A path as its folder and its last part.
fn split_path(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
