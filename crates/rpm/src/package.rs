//! What a package says of itself: name, files, scripts. No payload here.

mod files;

use std::io::Read;

use crate::dependency::Dependency;
use crate::digest::{self, Hash};
use crate::error::{Error, corrupt};
use crate::header::Header;
use crate::repodata::package::{PROVIDES, REQUIRES, list};
use crate::source::Source;
use crate::tag;
pub use files::{File, FileFlags, HardLinks};

/// Bytes of the lead, which old programs look at.
const LEAD: usize = 96;
/// The lead's magic.
const LEAD_MAGIC: [u8; 4] = [0xED, 0xAB, 0xEE, 0xDB];

/// A package's header in better types. Text that is not UTF-8 has replacement characters; paths are bytes.
#[derive(Clone, Debug)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Epoch, where the package has one.
    pub epoch: Option<u64>,
    /// Version.
    pub version: String,
    /// Release.
    pub release: String,
    /// Architecture: `x86_64`, `noarch` ...
    pub arch: String,
    /// One line about it.
    pub summary: String,
    /// Seconds since 1970.
    pub build_time: u64,
    /// Whether this is a source package, whose files are not for a system.
    pub is_source: bool,
    /// What it provides.
    pub provides: Vec<Dependency>,
    /// What it requires, without what it requires of rpm itself.
    pub requires: Vec<Dependency>,
    /// Files in the header's order.
    pub files: Vec<File>,
    /// Scripts that rpm would run, triggers included.
    pub scriptlets: Vec<Scriptlet>,
    /// SHA-256 of the header: two packages with the same one are the same package.
    pub header_sha256: [u8; 32],
    /// Byte offset of the payload in the package.
    pub payload_at: u64,
}

/// A script of a package.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scriptlet {
    /// `%post` and its like.
    pub name: &'static str,
    /// The program that runs it, with its arguments.
    pub interpreter: String,
    /// The script, which may be empty (`%post -p /sbin/ldconfig`).
    pub body: String,
}

impl Package {
    /// Reads a package up to its payload.
    ///
    /// # Errors
    /// Not a package, a header that breaks the format, or one whose digest is wrong.
    pub fn read(source: impl Read) -> Result<Self, Error> {
        let mut source = Source::new(source);
        let headers = Headers::read(&mut source)?;
        Self::from_headers(&headers, None)
    }

    /// `name-[epoch:]version-release.arch`.
    pub fn nevra(&self) -> String {
        format!("{}-{}.{}", self.name, self.evr(), self.arch)
    }

    /// `[epoch:]version-release`.
    pub fn evr(&self) -> String {
        let epoch = self.epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        format!("{epoch}{}-{}", self.version, self.release)
    }

    /// What headers say; where it is `known` what the same header says, that.
    pub(crate) fn from_headers(headers: &Headers, known: Option<Self>) -> Result<Self, Error> {
        let Headers { signature, header, .. } = headers;
        check_digests(signature, header)?;
        let mut package = match known.filter(|known| known.header_sha256 == sha256(header)) {
            Some(known) => known,
            None => Self::from_header(header)?,
        };
        package.is_source |= headers.lead_is_source && !header.has(tag::SOURCERPM);
        package.payload_at = headers.payload_at;
        Ok(package)
    }

    /// What a header says alone, without a file around it.
    pub(crate) fn from_header(header: &Header) -> Result<Self, Error> {
        let text = |tag| header.text(tag).map(Option::unwrap_or_default);
        let name = text(tag::NAME)?;
        if name.is_empty() {
            return Err(header.wrong_value(tag::NAME, "a name", "none"));
        }
        Ok(Self {
            name,
            epoch: header.number(tag::EPOCH)?,
            version: text(tag::VERSION)?,
            release: text(tag::RELEASE)?,
            arch: text(tag::ARCH)?,
            summary: text(tag::SUMMARY)?,
            build_time: header.number(tag::BUILDTIME)?.unwrap_or_default(),
            // Binary packages name the source package that they are from; some tools forget to.
            is_source: header.has(tag::SOURCEPACKAGE),
            provides: list(header, PROVIDES)?,
            requires: list(header, REQUIRES)?,
            files: files::files(header)?,
            scriptlets: scriptlets(header)?,
            header_sha256: sha256(header),
            payload_at: 0,
        })
    }
}

/// All of a package but its payload.
#[derive(Debug)]
pub(crate) struct Headers {
    pub(crate) signature: Header,
    pub(crate) header: Header,
    lead_is_source: bool,
    pub(crate) payload_at: u64,
}

impl Headers {
    pub(crate) fn read<R: Read>(source: &mut Source<R>) -> Result<Self, Error> {
        let lead = source.read_vec(LEAD, "lead")?;
        if !lead.starts_with(&LEAD_MAGIC) {
            let found = digest::hex(lead.get(..4).unwrap_or_default());
            return Err(corrupt(0, "magic of an RPM package", "edabeedb", found));
        }
        let signature = Header::read(source, "signature header")?;
        let padding = source.at().next_multiple_of(8).saturating_sub(source.at());
        source
            .read_vec(usize::try_from(padding).unwrap_or_default(), "padding of the signature")?;
        let header = Header::read(source, "header")?;
        let lead_is_source = lead.get(6..8) == Some(&[0, 1]);
        Ok(Self { signature, header, lead_is_source, payload_at: source.at() })
    }
}

fn sha256(header: &Header) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.iter_mut().zip(Hash::of(digest::SHA256, &header.bytes)).for_each(|(to, from)| *to = from);
    sum
}

/// Holds the header against every digest of it.
fn check_digests(signature: &Header, header: &Header) -> Result<(), Error> {
    for (tag, algorithm) in [
        (tag::sig::SHA3_256HEADER, digest::SHA3_256),
        (tag::sig::SHA256HEADER, digest::SHA256),
        (tag::sig::SHA1HEADER, digest::SHA1),
    ] {
        let Some(expected) = signature.text(tag)? else { continue };
        let found = digest::hex(&Hash::of(algorithm, &header.bytes));
        if !expected.eq_ignore_ascii_case(&found) {
            return Err(signature.wrong_value(tag, expected, found));
        }
    }
    Ok(())
}

fn scriptlets(header: &Header) -> Result<Vec<Scriptlet>, Error> {
    let mut scriptlets = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for (name, script, program) in tag::SCRIPTLETS {
        let bodies = header.strings(script)?;
        let programs = header.strings(program)?;
        if name.ends_with("trigger") {
            for (index, body) in bodies.iter().enumerate() {
                let interpreter =
                    programs.get(index).map(|program| text(program)).unwrap_or_default();
                scriptlets.push(Scriptlet { name, interpreter, body: text(body) });
            }
        } else if !bodies.is_empty() || !programs.is_empty() {
            let interpreter = programs.iter().map(|part| text(part)).collect::<Vec<_>>().join(" ");
            let body = bodies.first().map(|body| text(body)).unwrap_or_default();
            scriptlets.push(Scriptlet { name, interpreter, body });
        }
    }
    Ok(scriptlets)
}
