//! Digest algorithms by the numbers that rpm gives them (those of OpenPGP, RFC 9580 section 9.5).

use std::fmt::{Debug, Write as _};

use sha2::digest::DynDigest;

use crate::error::{Error, corrupt};

/// MD5, which packages without a digest algorithm use.
pub(crate) const MD5: u32 = 1;
pub(crate) const SHA1: u32 = 2;
pub(crate) const SHA256: u32 = 8;
pub(crate) const SHA3_256: u32 = 12;

/// By this a host finds a digest that it computes.
pub type Ticket = u64;

/// A host's own way to digests, where it has a faster one than the core: Web Crypto in a browser, say. It answers later.
///
/// Algorithms are numbered as in RFC 9580, section 9.5: 8 is SHA-256, 9 SHA-384, 10 SHA-512.
pub trait Digests: Debug {
    /// Begins the digest of that many bytes, or leaves it to the core.
    fn begin(&self, algorithm: u32, size: u64) -> Option<Box<dyn Digesting>>;
}

/// A digest that a host computes.
pub trait Digesting: Debug {
    /// The next bytes.
    fn update(&mut self, bytes: &[u8]);

    /// There are no more bytes: the host will know the digest by this number.
    fn finish(self: Box<Self>) -> Ticket;
}

/// A digest that the host has yet to tell, and what it must be.
#[derive(Debug)]
pub struct Check {
    /// The host's number for it.
    pub ticket: Ticket,
    /// Byte offset up to which the package was read.
    at: u64,
    what: String,
    expected: Vec<u8>,
}

impl Check {
    /// Holds what the host found against what the package says.
    ///
    /// # Errors
    /// They differ.
    pub fn verify(&self, found: &[u8]) -> Result<(), Error> {
        if found == self.expected {
            return Ok(());
        }
        Err(differ(self.at, &self.what, &self.expected, found))
    }
}

/// The error for a digest that is not what the package says.
pub(crate) fn differ(at: u64, what: &str, expected: &[u8], found: &[u8]) -> Error {
    corrupt(at, what, hex(expected), hex(found))
}

/// A digest in the making, here or at the host.
#[derive(Debug)]
pub struct Sum(Place);

#[derive(Debug)]
enum Place {
    Here(Hash),
    There(Box<dyn Digesting>),
}

/// A digest, or by which number the host will know it.
#[derive(Debug)]
pub enum Found {
    /// The digest.
    Digest(Vec<u8>),
    /// The host's number for it.
    Ticket(Ticket),
}

impl Sum {
    /// A digest of that many bytes, by the host if it takes it, or none if the algorithm is unknown.
    pub fn new(digests: Option<&dyn Digests>, algorithm: u32, size: u64) -> Option<Self> {
        Some(Self(match digests.and_then(|digests| digests.begin(algorithm, size)) {
            Some(digesting) => Place::There(digesting),
            None => Place::Here(Hash::new(algorithm)?),
        }))
    }

    /// The SHA-256 of that many bytes.
    pub fn sha256(digests: Option<&dyn Digests>, size: u64) -> Self {
        Self::new(digests, SHA256, size).expect("a known algorithm")
    }

    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Place::Here(hash) => hash.update(bytes),
            Place::There(digesting) => digesting.update(bytes),
        }
    }

    /// There are no more bytes.
    pub fn finish(self) -> Found {
        match self.0 {
            Place::Here(hash) => Found::Digest(hash.finish()),
            Place::There(digesting) => Found::Ticket(digesting.finish()),
        }
    }

    /// Holds the digest against what the package says, or gives what is to be held against it later. `at` is how far
    /// the package was read, `what` the digest's name.
    pub(crate) fn verify(
        self,
        expected: &[u8],
        at: u64,
        what: impl FnOnce() -> String,
    ) -> Result<Option<Check>, Error> {
        match self.finish() {
            Found::Digest(found) if found == expected => Ok(None),
            Found::Digest(found) => Err(differ(at, &what(), expected, &found)),
            Found::Ticket(ticket) => {
                Ok(Some(Check { ticket, at, what: what(), expected: expected.to_vec() }))
            }
        }
    }
}

/// A digest in the making.
pub(crate) struct Hash(Box<dyn DynDigest>);

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash")
    }
}

impl Hash {
    /// A hash of the algorithm, if it is a known one.
    pub(crate) fn new(algorithm: u32) -> Option<Self> {
        Some(Self(match algorithm {
            MD5 => Box::new(md5::Md5::default()),
            SHA1 => Box::new(sha1::Sha1::default()),
            SHA256 => Box::new(sha2::Sha256::default()),
            9 => Box::new(sha2::Sha384::default()),
            10 => Box::new(sha2::Sha512::default()),
            11 => Box::new(sha2::Sha224::default()),
            SHA3_256 => Box::new(sha3::Sha3_256::default()),
            14 => Box::new(sha3::Sha3_512::default()),
            _ => return None,
        }))
    }

    /// A hash by the name that metadata has for its algorithm.
    pub(crate) fn named(algorithm: &str) -> Option<Self> {
        Self::new(match algorithm {
            "md5" => MD5,
            "sha" | "sha1" => SHA1,
            "sha224" => 11,
            "sha256" => SHA256,
            "sha384" => 9,
            "sha512" => 10,
            _ => return None,
        })
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0.finalize().to_vec()
    }

    /// The digest of `bytes` alone.
    pub(crate) fn of(algorithm: u32, bytes: &[u8]) -> Vec<u8> {
        let mut hash = Self::new(algorithm).expect("called with the constants above");
        hash.update(bytes);
        hash.finish()
    }
}

/// Lower case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of hexadecimal digits, or `None` if they are not that.
pub(crate) fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}
