//! `primary.xml`: the packages of a repository, with all that choosing and fetching needs.

use std::io::Read;

use super::filelists::FileKind;
use super::xml::{Element, Item, Xml};
use crate::dependency::{Dependency, Sense};
use crate::digest::{self, Hash};
use crate::error::{Error, broken};

/// A digest with its algorithm.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Checksum {
    /// `sha256`, `sha512`, `sha1` (also written `sha`), `md5` ...
    pub algorithm: String,
    /// Lower-case hexadecimal digits.
    pub hex: String,
}

impl Checksum {
    /// Holds what a stream has against the digest.
    ///
    /// # Errors
    /// The stream fails, or the digest is of an algorithm that is not known.
    pub fn matches(&self, mut source: impl Read) -> Result<bool, Error> {
        let mut hash = Hash::named(&self.algorithm)
            .ok_or(Error::Unsupported("a digest of an unknown algorithm"))?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => hash.update(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Io(error)),
            }
        }
        Ok(digest::hex(&hash.finish()).eq_ignore_ascii_case(&self.hex))
    }

    /// Holds bytes against the digest.
    pub(super) fn verify(&self, what: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut hash = Hash::named(&self.algorithm)
            .ok_or(Error::Unsupported("a digest of an unknown algorithm in repomd.xml"))?;
        hash.update(bytes);
        let found = digest::hex(&hash.finish());
        let algorithm = &self.algorithm;
        if found.eq_ignore_ascii_case(&self.hex) {
            return Ok(());
        }
        let expected = format_args!("{algorithm} {}", self.hex);
        Err(broken(0, what, expected, format_args!("{algorithm} {found}")))
    }
}

/// A file that other packages may require.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RepoFile {
    /// Absolute path.
    pub path: String,
    /// File, folder or ghost.
    pub kind: FileKind,
}

/// A package as a repository tells of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RepoPackage {
    /// Name.
    pub name: String,
    /// Architecture.
    pub arch: String,
    /// `[epoch:]version-release`, without an epoch of 0.
    pub evr: String,
    /// Digest of the package file, its identity in the repository.
    pub checksum: Checksum,
    /// One line about it.
    pub summary: String,
    /// Paragraphs about it.
    pub description: String,
    /// The project's page.
    pub url: String,
    /// SPDX expression, as the package writes it.
    pub license: String,
    /// Who made it.
    pub vendor: String,
    /// File name of the source package.
    pub source_rpm: String,
    /// When it was built, in seconds since 1970.
    pub build_time: u64,
    /// Bytes of the package file.
    pub package_size: u64,
    /// Bytes of its files.
    pub installed_size: u64,
    /// Where the package file is, below `location_base` or the repository's URL.
    pub location: String,
    /// Another place to start from than the repository's URL.
    pub location_base: Option<String>,
    /// First byte of the header in the package file, and the byte after its last.
    pub header_range: Option<[u64; 2]>,
    /// What it provides, its own name among them.
    pub provides: Vec<Dependency>,
    /// What must be there.
    pub requires: Vec<Dependency>,
    /// What must not be there.
    pub conflicts: Vec<Dependency>,
    /// What it replaces.
    pub obsoletes: Vec<Dependency>,
    /// What should be there.
    pub recommends: Vec<Dependency>,
    /// What might be of use with it.
    pub suggests: Vec<Dependency>,
    /// With what it should be there.
    pub supplements: Vec<Dependency>,
    /// With what it might be of use.
    pub enhances: Vec<Dependency>,
    /// From a repository: files in `/etc`, in folders named `bin` or `sbin`, and `/usr/lib/sendmail`.
    pub files: Vec<RepoFile>,
}

impl RepoPackage {
    /// `name-[epoch:]version-release.arch`
    pub fn nevra(&self) -> String {
        format!("{}-{}.{}", self.name, self.evr, self.arch)
    }

    /// Provides, requires, conflicts, obsoletes, recommends, suggests, supplements and enhances, in this order.
    pub fn lists(&self) -> [&[Dependency]; 8] {
        [
            &self.provides,
            &self.requires,
            &self.conflicts,
            &self.obsoletes,
            &self.recommends,
            &self.suggests,
            &self.supplements,
            &self.enhances,
        ]
    }

    /// Where the package file is: a path below the repository's URL, or a URL if the package has a base of its own.
    pub fn href(&self) -> String {
        match &self.location_base {
            Some(base) => format!("{}/{}", base.trim_end_matches('/'), self.location),
            None => self.location.clone(),
        }
    }

    fn list(&mut self, element: &str) -> Option<&mut Vec<Dependency>> {
        Some(match element {
            "provides" => &mut self.provides,
            "requires" => &mut self.requires,
            "conflicts" => &mut self.conflicts,
            "obsoletes" => &mut self.obsoletes,
            "recommends" => &mut self.recommends,
            "suggests" => &mut self.suggests,
            "supplements" => &mut self.supplements,
            "enhances" => &mut self.enhances,
            _ => return None,
        })
    }
}

/// The packages of a `primary.xml`, one after the other.
pub struct Primary<R: Read> {
    xml: Xml<R>,
    done: bool,
}

impl<R: Read> std::fmt::Debug for Primary<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Primary").field("done", &self.done).finish_non_exhaustive()
    }
}

impl<R: Read> Primary<R> {
    /// Reads decompressed metadata.
    pub fn new(source: R) -> Self {
        Self { xml: Xml::new(source, "primary.xml"), done: false }
    }

    fn next_package(&mut self) -> Result<Option<RepoPackage>, Error> {
        loop {
            match self.xml.next()? {
                Item::Open(element) if element.name() == "package" => {
                    // Patches and products of other distributions are no packages.
                    let kind = self.xml.attribute(&element, "type")?;
                    let package = self.package()?;
                    if kind.is_none_or(|kind| kind == "rpm") {
                        return Ok(Some(package));
                    }
                }
                Item::End => return Ok(None),
                _ => {}
            }
        }
    }

    /// Reads up to the end of a package whose start has been read.
    fn package(&mut self) -> Result<RepoPackage, Error> {
        let mut package = RepoPackage::default();
        let mut list = None;
        loop {
            match self.xml.next()? {
                Item::Open(element) => match element.name() {
                    "package" => return Err(self.broken(&package, "package", "its end", "another")),
                    "entry" => {
                        let list: Option<&str> = list.as_deref();
                        if let Some(list) = list {
                            let entry = self.dependency(&package, list, &element)?;
                            if let (Some(list), Some(entry)) = (package.list(list), entry) {
                                list.push(entry);
                            }
                        }
                    }
                    "file" => {
                        let kind = self.xml.attribute(&element, "type")?;
                        let kind = FileKind::from_attribute(kind.as_deref());
                        package.files.push(RepoFile { path: String::new(), kind });
                    }
                    name if package.list(name).is_some() => list = Some(name.to_owned()),
                    _ => self.attributes(&mut package, &element)?,
                },
                Item::Close(name) if name == "package" => {
                    self.check(&package)?;
                    return Ok(package);
                }
                Item::Close(name) if list.as_ref() == Some(&name) => list = None,
                Item::Close(name) => self.text(&mut package, &name),
                Item::End => return Ok(package),
            }
        }
    }

    /// Takes what an element bears as attributes.
    fn attributes(&mut self, package: &mut RepoPackage, element: &Element) -> Result<(), Error> {
        let value = |name| self.xml.attribute(element, name).map(Option::unwrap_or_default);
        match element.name() {
            "version" => {
                let (version, release) = (value("ver")?, value("rel")?);
                if version.is_empty() {
                    return Err(self.broken(package, "version", "a version in `ver`", "none"));
                }
                package.evr = evr(&value("epoch")?, &version, &release);
            }
            "checksum" => package.checksum.algorithm = value("type")?,
            "time" => {
                package.build_time = self.number(package, "time", "build", &value("build")?)?;
            }
            "size" => {
                package.package_size =
                    self.number(package, "size", "package", &value("package")?)?;
                package.installed_size =
                    self.number(package, "size", "installed", &value("installed")?)?;
            }
            "location" => {
                package.location = value("href")?;
                package.location_base = self.xml.attribute(element, "base")?;
            }
            "header-range" => {
                let start = self.number(package, "header-range", "start", &value("start")?)?;
                let end = self.number(package, "header-range", "end", &value("end")?)?;
                package.header_range = Some([start, end]);
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes the text of an element that has ended.
    fn text(&mut self, package: &mut RepoPackage, element: &str) {
        let into = match element {
            "name" => &mut package.name,
            "arch" => &mut package.arch,
            "checksum" => &mut package.checksum.hex,
            "summary" => &mut package.summary,
            "description" => &mut package.description,
            "url" => &mut package.url,
            "license" => &mut package.license,
            "vendor" => &mut package.vendor,
            "sourcerpm" => &mut package.source_rpm,
            "file" => match package.files.last_mut() {
                Some(file) => &mut file.path,
                None => return,
            },
            _ => return,
        };
        *into = self.xml.take_text();
    }

    /// A dependency, or `None` for one that rpm itself fulfils.
    fn dependency(
        &self,
        package: &RepoPackage,
        list: &str,
        element: &Element,
    ) -> Result<Option<Dependency>, Error> {
        let [mut name, mut flags, mut epoch, mut version, mut release] =
            [const { String::new() }; 5];
        self.xml.attributes(element, |key, value| match key {
            "name" => name = value.into_owned(),
            "flags" => flags = value.into_owned(),
            "epoch" => epoch = value.into_owned(),
            "ver" => version = value.into_owned(),
            "rel" => release = value.into_owned(),
            _ => {}
        })?;
        if name.is_empty() {
            return Err(self.broken(package, list, "a name in `name`", "none"));
        }
        if name.starts_with("rpmlib(") {
            return Ok(None);
        }
        if flags.is_empty() {
            return Ok(Some(Dependency { name, sense: Sense::ANY, evr: String::new() }));
        }
        let Some(sense) = Sense::from_flags(&flags) else {
            let found = format_args!("`{flags}` for {name}");
            return Err(self.broken(package, list, "LT, LE, EQ, GE or GT in `flags`", found));
        };
        Ok(Some(Dependency { name, sense, evr: evr(&epoch, &version, &release) }))
    }

    fn number(
        &self,
        package: &RepoPackage,
        field: &str,
        attribute: &str,
        text: &str,
    ) -> Result<u64, Error> {
        if text.is_empty() {
            return Ok(0);
        }
        text.parse().map_err(|_| {
            self.broken(
                package,
                field,
                format_args!("a number in `{attribute}`"),
                format_args!("`{text}`"),
            )
        })
    }

    /// Whether a package has what it cannot do without.
    fn check(&self, package: &RepoPackage) -> Result<(), Error> {
        for (field, value) in
            [("name", &package.name), ("arch", &package.arch), ("version", &package.evr)]
        {
            if value.is_empty() {
                return Err(self.broken(package, field, "a value", "none"));
            }
        }
        Ok(())
    }

    fn broken(
        &self,
        package: &RepoPackage,
        field: &str,
        expected: impl std::fmt::Display,
        found: impl std::fmt::Display,
    ) -> Error {
        let name = if package.name.is_empty() { "without a name" } else { &package.name };
        self.xml.broken(format_args!("package {name}: <{field}>"), expected, found)
    }
}

impl<R: Read> Iterator for Primary<R> {
    type Item = Result<RepoPackage, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.next_package().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}

/// `[epoch:]version[-release]`, without an epoch of 0.
pub(super) fn evr(epoch: &str, version: &str, release: &str) -> String {
    let mut evr = String::with_capacity(
        epoch.len().saturating_add(version.len()).saturating_add(release.len()).saturating_add(2),
    );
    if !epoch.is_empty() && epoch != "0" {
        evr.push_str(epoch);
        evr.push(':');
    }
    evr.push_str(version);
    if !release.is_empty() {
        evr.push('-');
        evr.push_str(release);
    }
    evr
}
