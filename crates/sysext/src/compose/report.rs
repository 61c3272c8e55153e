//! What composing says of itself: how far it has come, and what was made.

use serde::{Deserialize, Serialize};

use crate::finding::Finding;

/// What was made.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Report {
    /// Name of the extension.
    pub name: String,
    /// The name that the image is published under.
    pub file_name: String,
    /// Bytes of the image.
    pub size: u64,
    /// SHA-256 of the image.
    pub sha256: String,
    /// Entries of the image that are not folders.
    pub files: usize,
    /// Bytes of its files before compression.
    pub content_size: u64,
    /// What is in it: name, version, release, architecture.
    pub packages: Vec<String>,
    /// All that a person should know.
    pub findings: Vec<Finding>,
}

/// How far composing has come.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Bytes done in this phase.
    pub done: u64,
    /// Bytes to be done in this phase.
    pub total: u64,
}

impl Progress {
    /// Hard links may bring content more or less often than their number says.
    pub(super) fn advance(&mut self, bytes: u64) {
        self.done = self.done.saturating_add(bytes).min(self.total);
    }
}

/// What is being done.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Reading packages, checking and compressing their files.
    Packing,
    /// Computing the image's digest.
    Hashing,
}
