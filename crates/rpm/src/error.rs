//! What can go wrong when a package or a repository's metadata is read.

use std::fmt;

/// A package, or metadata, that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The package breaks the format, or what it holds is not what its digests say.
    #[error("corrupt package: {0}")]
    Corrupt(Corrupt),
    /// A repository's metadata breaks its format.
    #[error("corrupt metadata: {0}")]
    Metadata(Corrupt),
    /// The package may be fine, but this crate does not know one of its features.
    #[error("unsupported package feature: {0}")]
    Unsupported(&'static str),
    /// The source of the package's bytes failed.
    #[error("cannot read the package: {0}")]
    Io(std::io::Error),
}

/// Where a package breaks the format, what was expected there and what was found.
#[derive(Debug)]
pub struct Corrupt(Box<Where>);

#[derive(Debug)]
struct Where {
    at: u64,
    what: String,
    expected: String,
    found: String,
}

impl Corrupt {
    fn new(
        at: u64,
        what: impl fmt::Display,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Self(Box::new(Where {
            at,
            what: what.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
        }))
    }

    /// Byte offset in the package, or in the decompressed metadata, at which reading stopped or the broken structure lies.
    pub fn offset(&self) -> u64 {
        self.0.at
    }
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Where { at, what, expected, found } = &*self.0;
        write!(f, "{what} at byte {at}: expected {expected}, found {found}")
    }
}

/// The error for a broken structure at byte `at`.
pub(crate) fn corrupt(
    at: u64,
    what: impl fmt::Display,
    expected: impl fmt::Display,
    found: impl fmt::Display,
) -> Error {
    Error::Corrupt(Corrupt::new(at, what, expected, found))
}

/// The error for broken metadata; `at` counts decompressed bytes.
pub(crate) fn broken(
    at: u64,
    what: impl fmt::Display,
    expected: impl fmt::Display,
    found: impl fmt::Display,
) -> Error {
    Error::Metadata(Corrupt::new(at, what, expected, found))
}
