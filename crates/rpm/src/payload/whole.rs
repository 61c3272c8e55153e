//! What covers all of a payload: its size, and one digest.

use std::io::Read;

use crate::digest::{self, Digests, Sum};
use crate::error::Error;
use crate::package::Headers;
use crate::source::Source;
use crate::tag;

/// What the payload as a whole must hold for.
#[derive(Debug)]
pub(super) struct Whole {
    /// Name and value of the digest that covers the payload.
    pub(super) digest: Option<(&'static str, Vec<u8>)>,
    /// Bytes of header and payload.
    pub(super) size: Option<u64>,
    pub(super) header_size: u64,
}

impl Whole {
    /// Chooses the digest that covers the payload and starts it.
    pub(super) fn new<R: Read>(
        headers: &Headers,
        source: &Source<R>,
        digests: Option<&dyn Digests>,
    ) -> Result<Self, Error> {
        let Headers { signature, header, .. } = headers;
        let size = match signature.number(tag::sig::LONGSIGSIZE)? {
            Some(size) => Some(size),
            None => signature.number(tag::sig::SIGSIZE)?,
        };
        let header_size = header.bytes.len() as u64;
        let mut whole = Self { digest: None, size, header_size };
        let algorithm = header.number(tag::PAYLOADDIGESTALGO)?.unwrap_or(u64::from(digest::SHA256));
        let algorithm = u32::try_from(algorithm).unwrap_or_default();
        let expected =
            header.strings(tag::PAYLOADDIGEST)?.first().and_then(|hex| digest::unhex(hex));
        // Only who says how much there is can leave it to the host.
        let payload_size = size.and_then(|size| size.checked_sub(header_size));
        let digests = digests.filter(|_| payload_size.is_some());
        let sum = || Sum::new(digests, algorithm, payload_size.unwrap_or_default());
        if let Some((expected, sum)) = expected.and_then(|expected| Some((expected, sum()?))) {
            whole.digest = Some(("payload digest", expected));
            source.set_sum(Some(sum));
        } else if let Some(expected) = signature.binary(tag::sig::SIGMD5)? {
            let mut sum = Sum::new(None, digest::MD5, size.unwrap_or_default());
            if let Some(sum) = &mut sum {
                sum.update(&header.bytes);
            }
            whole.digest = Some(("MD5 of header and payload", expected.to_vec()));
            source.set_sum(sum);
        }
        Ok(whole)
    }
}
