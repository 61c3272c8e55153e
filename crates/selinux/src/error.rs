//! Why a policy cannot be used.

use std::fmt;

/// A policy cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A line or a byte is not what belongs there.
    #[error("{0}")]
    Corrupt(Corrupt),
    /// The policy may be fine, but has something that is not known here.
    #[error("{0}")]
    Unsupported(Unsupported),
}

/// What is broken; its message says where, what was expected and what was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Corrupt {
    pub(crate) place: Place,
    pub(crate) expected: &'static str,
    pub(crate) found: String,
}

/// What is not known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unsupported {
    pub(crate) place: Place,
    pub(crate) what: String,
}

/// Where something is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// A line of `file_contexts`, from 1.
    Line(usize),
    /// A byte of a policy module.
    Byte(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "file_contexts: line {line}"),
            Self::Byte(at) => write!(f, "policy module: byte {at}"),
        }
    }
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.place, self.expected, self.found)
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} is not supported", self.place, self.what)
    }
}

pub(crate) fn corrupt(place: Place, expected: &'static str, found: impl Into<String>) -> Error {
    Error::Corrupt(Corrupt { place, expected, found: found.into() })
}
