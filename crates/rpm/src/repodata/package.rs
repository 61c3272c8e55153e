//! What a repository would tell of a package, from the package's own header.

use std::io::Read;

use super::filelists::FileKind;
use super::primary::{RepoFile, RepoPackage, evr};
use crate::dependency::{Dependency, Sense};
use crate::error::Error;
use crate::header::Header;
use crate::package::{FileFlags, Headers, Package};
use crate::source::Source;
use crate::tag;

/// Where a list of dependencies is in a header: names, flags, versions.
type Tags = [u32; 3];

pub(crate) const PROVIDES: Tags = [tag::PROVIDENAME, tag::PROVIDEFLAGS, tag::PROVIDEVERSION];
pub(crate) const REQUIRES: Tags = [tag::REQUIRENAME, tag::REQUIREFLAGS, tag::REQUIREVERSION];
const CONFLICTS: Tags = [1054, 1053, 1055];
const OBSOLETES: Tags = [1090, 1114, 1115];
pub(crate) const RECOMMENDS: Tags = [5046, 5048, 5047];
const SUGGESTS: Tags = [5049, 5051, 5050];
const SUPPLEMENTS: Tags = [5052, 5054, 5053];
const ENHANCES: Tags = [5055, 5057, 5056];

/// rpm's `RPMSENSE_LESS`, `RPMSENSE_GREATER`, `RPMSENSE_EQUAL`.
const SENSES: [(u64, Sense); 3] = [(2, Sense::LESS), (4, Sense::GREATER), (8, Sense::EQUAL)];
/// rpm's `RPMSENSE_RPMLIB`: a requirement of rpm itself.
const RPMLIB: u64 = 1 << 24;

impl RepoPackage {
    /// Reads the headers of a package. What only a repository knows, as the digest of the package, is empty; its files
    /// are all there.
    ///
    /// # Errors
    /// Not a package, a header that breaks the format, or one whose digest is wrong.
    pub fn from_package(source: impl Read) -> Result<Self, Error> {
        let headers = Headers::read(&mut Source::new(source))?;
        let package = Package::from_headers(&headers, None)?;
        Self::from_headers(&headers.header, &package)
    }

    /// Reads a header as the database of installed packages has it: without the magic before it. What it says of its files
    /// comes as well.
    ///
    /// # Errors
    /// A header that breaks the format.
    pub fn from_database(blob: &[u8]) -> Result<(Self, Package), Error> {
        let bytes = [&crate::header::MAGIC, blob].concat();
        let header = Header::read(&mut Source::new(bytes.as_slice()), "header")?;
        let package = Package::from_header(&header)?;
        Ok((Self::from_headers(&header, &package)?, package))
    }

    fn from_headers(header: &Header, package: &Package) -> Result<Self, Error> {
        let text = |tag| header.text(tag).map(Option::unwrap_or_default);
        let epoch = package.epoch.map(|epoch| epoch.to_string()).unwrap_or_default();
        let files = package.files.iter().map(|file| RepoFile {
            path: decode(&file.path),
            kind: if file.flags.contains(FileFlags::GHOST) {
                FileKind::Ghost
            } else if file.is_directory() {
                FileKind::Folder
            } else {
                FileKind::File
            },
        });
        Ok(Self {
            name: package.name.clone(),
            // Source packages bear the architecture that they were made on.
            arch: if package.is_source { "src".to_owned() } else { package.arch.clone() },
            evr: evr(&epoch, &package.version, &package.release),
            summary: package.summary.clone(),
            license: text(tag::LICENSE)?,
            source_rpm: text(tag::SOURCERPM)?,
            build_time: package.build_time,
            installed_size: header.number(tag::SIZE)?.unwrap_or_default(),
            provides: package.provides.clone(),
            requires: package.requires.clone(),
            conflicts: list(header, CONFLICTS)?,
            obsoletes: list(header, OBSOLETES)?,
            recommends: list(header, RECOMMENDS)?,
            suggests: list(header, SUGGESTS)?,
            supplements: list(header, SUPPLEMENTS)?,
            enhances: list(header, ENHANCES)?,
            files: files.collect(),
            ..Self::default()
        })
    }
}

/// Text of a header. What is not UTF-8 is taken for Latin-1, as createrepo_c does.
fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// A list of dependencies, each once, without those that rpm itself fulfils.
pub(crate) fn list(
    header: &Header,
    [names, flags, versions]: Tags,
) -> Result<Vec<Dependency>, Error> {
    let (all, flags) = (header.strings(names)?, header.numbers(flags)?);
    let versions = header.strings(versions)?;
    let mut list: Vec<Dependency> = Vec::new();
    for (at, name) in all.into_iter().enumerate() {
        let flags = flags.get(at).copied().unwrap_or_default();
        let version = versions.get(at).copied().unwrap_or_default();
        let name = decode(name);
        if flags & RPMLIB != 0 || name.starts_with("rpmlib(") {
            continue;
        }
        let bits =
            SENSES.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, sense)| sense.bits());
        let sense = Sense::from_bits(bits.fold(0, |all, bit| all | bit));
        let version = decode(version);
        let dependency = if version.is_empty() || sense == Sense::ANY {
            Dependency { name, ..Dependency::default() }
        } else {
            let evr = version.strip_prefix("0:").unwrap_or(&version).to_owned();
            Dependency { name, sense, evr }
        };
        list.push(dependency);
    }
    // In the order in which they come first: scripts and libraries name the same things again and again.
    let mut seen = std::collections::BTreeSet::new();
    list.retain(|one| seen.insert((one.name.clone(), one.sense, one.evr.clone())));
    Ok(list)
}
