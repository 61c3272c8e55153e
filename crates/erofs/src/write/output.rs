//! The bytes that go out: one ascending run behind the head of the image.

use std::collections::VecDeque;
use std::fmt;

use twox_hash::xxhash3_128::Hasher;

use crate::format::BLOCK;

/// Bytes gathered before they are handed out, so that hosts see few and large writes.
const GATHERED: usize = 1 << 20;

/// Bytes for the image and where they belong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Write {
    /// Byte offset in the image.
    pub at: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Write {
    /// Writes the bytes into an image that is held in memory, which grows to hold them.
    pub fn put(&self, image: &mut Vec<u8>) {
        let at = self.at as usize;
        let end = at + self.bytes.len();
        image.resize(image.len().max(end), 0);
        image[at..end].copy_from_slice(&self.bytes);
    }
}

/// A run of bytes with a running hash, handed out in pieces.
///
/// The hash tells images apart and nothing more, so it is a fast one: a cryptographic one would take as long as all
/// the rest where content is stored as it is.
pub(super) struct Output {
    /// Offset of the first byte of `gathered`.
    start: u64,
    gathered: Vec<u8>,
    ready: VecDeque<Write>,
    hash: Hasher,
}

impl Output {
    /// Starts behind a head of `head` bytes.
    pub(super) fn new(head: usize) -> Self {
        Self {
            start: head as u64,
            gathered: Vec::new(),
            ready: VecDeque::new(),
            hash: Hasher::new(),
        }
    }

    /// Offset of the next byte.
    pub(super) fn at(&self) -> u64 {
        self.start + self.gathered.len() as u64
    }

    /// Address of the next block; the output must be at the start of one.
    pub(super) fn block(&self) -> u64 {
        debug_assert!(self.at().is_multiple_of(BLOCK as u64), "blocks are whole");
        self.at() / BLOCK as u64
    }

    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= GATHERED {
            self.flush();
        }
    }

    /// Appends bytes without copying them, if they are many.
    pub(super) fn append_owned(&mut self, bytes: Vec<u8>) {
        if bytes.len() < GATHERED / 4 {
            self.append(&bytes);
            return;
        }
        self.flush();
        self.push(bytes);
    }

    /// Appends zeros up to that offset, at most a block away.
    pub(super) fn fill(&mut self, end: u64) {
        let missing = end - self.at();
        self.append(&[0; BLOCK][..missing as usize]);
    }

    /// Fills the block up with zeros.
    pub(super) fn align(&mut self) {
        self.fill(self.at().next_multiple_of(BLOCK as u64));
    }

    /// Makes all that is gathered ready.
    pub(super) fn flush(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.gathered);
        self.push(bytes);
    }

    fn push(&mut self, bytes: Vec<u8>) {
        self.hash.write(&bytes);
        let at = self.start;
        self.start += bytes.len() as u64;
        self.ready.push_back(Write { at, bytes });
    }

    pub(super) fn ready(&mut self) -> impl Iterator<Item = Write> + '_ {
        self.ready.drain(..)
    }

    /// The hash of all bytes so far and of these.
    pub(super) fn hash(&mut self, head: &[u8]) -> u128 {
        self.flush();
        self.hash.write(head);
        self.hash.finish_128()
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("at", &self.at()).finish_non_exhaustive()
    }
}
