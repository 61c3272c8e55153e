//! Files of repositories that are wanted.

use std::ops::Range;

use rpm::repodata::{Checksum, Record, Repomd};

/// A file that is wanted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wanted {
    /// Which repository, in the order in which they were given.
    pub repository: usize,
    /// Path below the repository's URL; empty is the index that the repository came as.
    pub path: String,
    /// Bytes, if they are known.
    pub size: Option<u64>,
    /// Which bytes of the file; all, if nothing is said.
    pub range: Option<Range<u64>>,
    pub(super) what: What,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum What {
    Repomd,
    Record(Record),
    /// Which chunk of an index has which paths.
    PathTable,
    /// A chunk of paths, by its number.
    PathChunk(usize),
}

impl Wanted {
    /// Whether it is the table of the repository's metadata, whose digest only a metalink tells.
    pub fn is_repomd(&self) -> bool {
        matches!(self.what, What::Repomd)
    }

    /// Digest of the file, if it is known.
    pub fn checksum(&self) -> Option<&Checksum> {
        match &self.what {
            What::Record(record) => record.checksum.as_ref(),
            _ => None,
        }
    }

    /// The file of a kind, if the repository has it. Streams are preferred to zchunk, which is larger.
    pub(super) fn new(repository: usize, repomd: &Repomd, kind: &str) -> Option<Self> {
        let record = [kind.to_owned(), format!("{kind}_gz"), format!("{kind}_zck")]
            .iter()
            .find_map(|kind| repomd.record(kind))?;
        let record = Record { kind: kind.to_owned(), ..record.clone() };
        let (path, size) = (record.location.clone(), record.size);
        Some(Self { repository, path, size, range: None, what: What::Record(record) })
    }

    /// Bytes of a repository's index.
    pub(super) fn of_index(repository: usize, range: Range<u64>, what: What) -> Self {
        let size = Some(range.end - range.start);
        Self { repository, path: String::new(), size, range: Some(range), what }
    }
}
