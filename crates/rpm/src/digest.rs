//! Digest algorithms by the numbers that rpm gives them (those of OpenPGP, RFC 9580 section 9.5).

use std::fmt::Write as _;

use sha2::digest::DynDigest;

/// MD5, which packages without a digest algorithm use.
pub(crate) const MD5: u32 = 1;
pub(crate) const SHA1: u32 = 2;
pub(crate) const SHA256: u32 = 8;
pub(crate) const SHA3_256: u32 = 12;

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
pub(crate) fn hex(bytes: &[u8]) -> String {
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
