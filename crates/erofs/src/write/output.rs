//! The bytes that go out: one ascending run behind the head of the image.

use std::collections::VecDeque;

use sha2::{Digest as _, Sha256};

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

/// A run of bytes with a running hash, handed out in pieces.
#[derive(Debug)]
pub(super) struct Output {
    /// Offset of the first byte of `gathered`.
    start: u64,
    gathered: Vec<u8>,
    ready: VecDeque<Write>,
    hash: Sha256,
}

impl Output {
    /// Starts behind a head of `head` bytes.
    pub(super) fn new(head: usize) -> Self {
        Self {
            start: head as u64,
            gathered: Vec::new(),
            ready: VecDeque::new(),
            hash: Sha256::new(),
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

    /// Fills the block up with zeros.
    pub(super) fn align(&mut self) {
        let missing = self.at().next_multiple_of(BLOCK as u64) - self.at();
        self.append(&[0; BLOCK][..missing as usize]);
    }

    /// Makes all that is gathered ready.
    pub(super) fn flush(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.gathered);
        self.hash.update(&bytes);
        let at = self.start;
        self.start += bytes.len() as u64;
        self.ready.push_back(Write { at, bytes });
    }

    pub(super) fn ready(&mut self) -> impl Iterator<Item = Write> + '_ {
        self.ready.drain(..)
    }

    /// The hash of all bytes so far.
    pub(super) fn hash(&mut self) -> Sha256 {
        self.flush();
        self.hash.clone()
    }
}
