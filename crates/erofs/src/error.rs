//! What can go wrong when an image is written or read.

use std::fmt;

use crate::tree::TreeError;

/// An image that cannot be read, or a tree that cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The image breaks the format.
    #[error("corrupt EROFS image: {0}")]
    Corrupt(Corrupt),
    /// The image may be fine, but this crate does not know one of its features.
    #[error("unsupported EROFS feature: {0}")]
    Unsupported(&'static str),
    /// The source of the image's bytes failed.
    #[error("cannot read the image: {0}")]
    Io(std::io::Error),
    /// The tree has something that an image cannot hold.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A file had more or less content than its size in the tree said.
    #[error("a file of {expected} bytes was given {found} bytes of content")]
    ContentSize {
        /// Bytes that the tree announced.
        expected: u64,
        /// Bytes that came.
        found: u64,
    },
    /// Content was given for something that is not a file, or twice.
    #[error("content was given for an entry that takes none")]
    ContentNotWanted,
    /// Jobs of the writer's own were not asked for or not run before the end.
    #[error("content that was gathered from many files was not packed")]
    JobsLeft,
    /// The image would outgrow 2^32 blocks of 4 KiB.
    #[error("the image would be larger than 16 TiB")]
    TooLarge,
}

/// Where an image breaks the format, what was expected there and what was found.
#[derive(Debug)]
pub struct Corrupt(Box<Where>);

#[derive(Debug)]
struct Where {
    at: u64,
    what: &'static str,
    expected: String,
    found: String,
}

impl Corrupt {
    /// Byte offset in the image at which the broken structure lies.
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
    what: &'static str,
    expected: impl fmt::Display,
    found: impl fmt::Display,
) -> Error {
    let (expected, found) = (expected.to_string(), found.to_string());
    Error::Corrupt(Corrupt(Box::new(Where { at, what, expected, found })))
}
