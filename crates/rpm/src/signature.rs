//! OpenPGP signatures of packages, and of the metadata of repositories (the feature `openpgp`).
//!
//! A package is signed by one signature or several over its header, which has the digest of the payload; packages of old
//! also over header and payload. See <https://rpm-software-management.github.io/rpm/manual/format_v4.html> and RFC 9580.
//! Keys are those that the caller trusts: what other keys say of them is not asked, nor the time.

use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom};

use pgp::composed::{Deserializable as _, SignedPublicKey};
use pgp::packet::{Packet, PacketParser, Signature as PgpSignature};
use pgp::types::VerifyingKey;

use crate::error::{Error, broken};
use crate::package::Headers;
use crate::payload::Payload;
use crate::source::Source;
use crate::tag;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// Keys that are trusted.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: Vec<SignedPublicKey>,
}

/// What signatures say of a package or a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// All signatures are right; the keys that made them, as hexadecimal fingerprints or key IDs.
    Signed(Vec<String>),
    /// There are no signatures.
    Unsigned,
    /// Signatures by keys that are not in the keyring: their IDs.
    NoKey(Vec<String>),
    /// A signature is wrong, and how.
    Bad(String),
}

impl Keyring {
    /// Adds the keys of a file: armored, several blocks after each other, or binary. How many there are comes back.
    ///
    /// # Errors
    /// There is no key in it that can be read.
    pub fn add(&mut self, file: &[u8]) -> Result<usize, Error> {
        let before = self.keys.len();
        let mut failure = None;
        let mut take = |key: pgp::errors::Result<SignedPublicKey>| match key {
            Ok(key) => self.keys.push(key),
            Err(error) => failure = Some(error.to_string()),
        };
        let text = String::from_utf8_lossy(file);
        if text.contains(BEGIN) {
            for block in text.split(BEGIN).skip(1) {
                let block = block.split(END).next().unwrap_or_default();
                let block = format!("{BEGIN}{block}{END}\n");
                match SignedPublicKey::from_armor_many(io::Cursor::new(block)) {
                    Ok((keys, _)) => keys.for_each(&mut take),
                    Err(error) => take(Err(error)),
                }
            }
        } else {
            match SignedPublicKey::from_bytes_many(file) {
                Ok(keys) => keys.for_each(&mut take),
                Err(error) => take(Err(error)),
            }
        }
        let added = self.keys.len().saturating_sub(before);
        if added == 0 {
            let found = failure.unwrap_or_else(|| "none".into());
            return Err(broken(0, "file of keys", "an OpenPGP public key", found));
        }
        Ok(added)
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Holds data against one signature.
    fn verify<D: Read>(&self, signature: &PgpSignature, data: impl Fn() -> io::Result<D>) -> Check {
        let ids: Vec<String> =
            signature.issuer_key_id().into_iter().map(ToString::to_string).collect();
        let prints: Vec<String> =
            signature.issuer_fingerprint().into_iter().map(ToString::to_string).collect();
        let is_meant = |key: &dyn pgp::types::KeyDetails| {
            let (id, print) = (key.legacy_key_id().to_string(), key.fingerprint().to_string());
            if prints.is_empty() { ids.contains(&id) } else { prints.contains(&print) }
        };
        let name = prints.first().or(ids.first()).cloned().unwrap_or_else(|| "unknown".into());
        let mut wrong = None;
        let mut is_there = false;
        for key in &self.keys {
            if is_meant(&key.primary_key) {
                is_there = true;
                if !key.details.revocation_signatures.is_empty() {
                    return Check::Bad(format!("the key {name} is revoked"));
                }
                match verify_with(signature, &key.primary_key, &data) {
                    Ok(()) => return Check::Right(name),
                    Err(error) => wrong = error.or(wrong),
                }
            }
            for subkey in key.public_subkeys.iter().filter(|subkey| is_meant(&subkey.key)) {
                is_there = true;
                if let Err(error) = subkey.verify_bindings(&key.primary_key) {
                    if !is_unsupported(&error) {
                        wrong = Some(format!("the subkey is not bound to its key: {error}"));
                    }
                    continue;
                }
                match verify_with(signature, &subkey.key, &data) {
                    Ok(()) => return Check::Right(name),
                    Err(error) => wrong = error.or(wrong),
                }
            }
        }
        match wrong {
            Some(wrong) => Check::Bad(format!("key {name}: {wrong}")),
            None if is_there => Check::Unjudged(name),
            None => Check::NoKey(name),
        }
    }

    /// Holds a file against its detached signature, armored or not.
    ///
    /// # Errors
    /// The signature's file is none.
    pub fn verify_detached(&self, file: &[u8], signature: &[u8]) -> Result<Verdict, Error> {
        let text = String::from_utf8_lossy(signature);
        let packets = if text.contains("-----BEGIN PGP SIGNATURE-----") {
            let mut binary = Vec::new();
            let mut armor = pgp::armor::Dearmor::new(io::Cursor::new(signature));
            let read = armor.read_to_end(&mut binary);
            read.map_err(|error| broken(0, "signature", "an OpenPGP signature", error))?;
            binary
        } else {
            signature.to_vec()
        };
        let mut verdict = Verdicts::default();
        for signature in signatures(&packets)
            .map_err(|found| broken(0, "signature", "an OpenPGP signature", found))?
        {
            verdict.add(self.verify(&signature, || Ok(file)));
        }
        Ok(verdict.finish())
    }

    /// Holds a package against all its digests and signatures; reads all of it.
    ///
    /// # Errors
    /// The package cannot be read, or a digest is wrong.
    pub fn verify_package<R: Read + Seek>(&self, mut package: R) -> Result<Verdict, Error> {
        let mut payload = Payload::open(&mut package)?;
        while payload.next_member()?.is_some() {}
        drop(payload);
        package.rewind().map_err(Error::Io)?;
        let mut source = Source::new(&mut package);
        let headers = Headers::read(&mut source)?;
        drop(source);
        let header_at = headers.payload_at.saturating_sub(headers.header.bytes.len() as u64);
        let package = RefCell::new(package);
        let mut verdict = Verdicts::default();
        for (packets, whole) in blobs(&headers)? {
            let found = match signatures(&packets) {
                Ok(found) if !found.is_empty() => found,
                Ok(_) => return Ok(Verdict::Bad("no signature where one belongs".into())),
                Err(error) => return Ok(Verdict::Bad(error)),
            };
            for signature in found {
                let header = || Ok(headers.header.bytes.as_slice());
                let all = || {
                    package.borrow_mut().seek(SeekFrom::Start(header_at))?;
                    Ok(Shared(&package))
                };
                verdict.add(match whole {
                    true => self.verify(&signature, all),
                    false => self.verify(&signature, header),
                });
            }
        }
        Ok(verdict.finish())
    }
}

/// A package that is read once for each key.
struct Shared<'a, R>(&'a RefCell<R>);

impl<R: Read> Read for Shared<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(into)
    }
}

/// `Err(None)` for an algorithm that is not known: of such a signature nothing can be said.
fn verify_with<D: Read>(
    signature: &PgpSignature,
    key: &impl VerifyingKey,
    data: &impl Fn() -> io::Result<D>,
) -> Result<(), Option<String>> {
    let data = data().map_err(|error| Some(error.to_string()))?;
    let verified = signature.verify(key, data);
    verified.map_err(|error| (!is_unsupported(&error)).then(|| error.to_string()))
}

fn is_unsupported(error: &pgp::errors::Error) -> bool {
    use pgp::errors::Error::{Unimplemented, Unsupported};
    matches!(error, Unimplemented { .. } | Unsupported { .. })
}

/// The packets of signatures that a package has, and whether they cover the payload as well.
fn blobs(headers: &Headers) -> Result<Vec<(Vec<u8>, bool)>, Error> {
    let signature = &headers.signature;
    let mut blobs = Vec::new();
    for base64 in signature.strings(tag::sig::OPENPGP)? {
        let text: Vec<u8> =
            base64.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let mut packets = Vec::new();
        let mut decoder =
            pgp::base64::Base64Decoder::new(pgp::base64::Base64Reader::new(io::Cursor::new(text)));
        decoder
            .read_to_end(&mut packets)
            .map_err(|error| signature.wrong_value(tag::sig::OPENPGP, "base64", error))?;
        blobs.push((packets, false));
    }
    let v4 = [
        (tag::sig::RSAHEADER, false),
        (tag::sig::DSAHEADER, false),
        (tag::sig::PGP, true),
        (tag::sig::GPG, true),
    ];
    for (tag, whole) in v4 {
        blobs.extend(signature.binary(tag)?.map(|packets| (packets.to_vec(), whole)));
    }
    Ok(blobs)
}

fn signatures(packets: &[u8]) -> Result<Vec<PgpSignature>, String> {
    let mut found = Vec::new();
    for packet in PacketParser::new(packets) {
        match packet {
            Ok(Packet::Signature(signature)) => found.push(signature),
            Ok(_) => {}
            Err(error) => return Err(format!("not an OpenPGP signature: {error}")),
        }
    }
    Ok(found)
}

enum Check {
    Right(String),
    NoKey(String),
    /// The key is there, and its algorithm is not known.
    Unjudged(String),
    Bad(String),
}

/// All signatures together: one wrong signature is worse than one unknown, and that is worse than none.
#[derive(Default)]
struct Verdicts {
    right: Vec<String>,
    /// Keys that are not known, and those whose algorithm is not.
    unknown: Vec<String>,
    unjudged: usize,
    bad: Option<String>,
}

impl Verdicts {
    fn add(&mut self, check: Check) {
        match check {
            Check::Right(key) if !self.right.contains(&key) => self.right.push(key),
            Check::NoKey(key) if !self.unknown.contains(&key) => self.unknown.push(key),
            Check::Unjudged(key) if !self.unknown.contains(&key) => {
                self.unknown.push(key);
                self.unjudged = self.unjudged.saturating_add(1);
            }
            Check::Bad(why) => self.bad = Some(why),
            _ => {}
        }
    }

    fn finish(self) -> Verdict {
        match self {
            Self { bad: Some(bad), .. } => Verdict::Bad(bad),
            // A new algorithm beside a known one is how algorithms change; what is known decides.
            Self { right, unknown, unjudged, .. }
                if !right.is_empty() && unknown.len() == unjudged =>
            {
                Verdict::Signed(right)
            }
            Self { unknown, .. } if !unknown.is_empty() => Verdict::NoKey(unknown),
            _ => Verdict::Unsigned,
        }
    }
}
