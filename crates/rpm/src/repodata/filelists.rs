//! `filelists.xml`: all files of the packages of a repository.

use std::io::Read;

use super::primary::evr;
use super::xml::{Item, Xml};
use crate::error::Error;

/// What a path of a package is.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum FileKind {
    /// A file, a link, anything that is not a folder.
    #[default]
    File,
    /// A folder.
    Folder,
    /// A path that belongs to the package without being in it.
    Ghost,
}

impl FileKind {
    pub(super) fn from_attribute(kind: Option<&str>) -> Self {
        match kind {
            Some("dir") => Self::Folder,
            Some("ghost") => Self::Ghost,
            _ => Self::File,
        }
    }
}

/// A package as `filelists.xml` tells of it. Its files come through the function given to
/// [`Filelists::next_package`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PackageFiles {
    /// Digest of the package file, as in `primary.xml`.
    pub pkgid: String,
    /// Name.
    pub name: String,
    /// Architecture.
    pub arch: String,
    /// `[epoch:]version-release`
    pub evr: String,
}

/// Reads a `filelists.xml`.
pub struct Filelists<R: Read> {
    xml: Xml<R>,
}

impl<R: Read> std::fmt::Debug for Filelists<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Filelists")
    }
}

impl<R: Read> Filelists<R> {
    /// Reads decompressed metadata.
    pub fn new(source: R) -> Self {
        Self { xml: Xml::new(source, "filelists.xml") }
    }

    /// The next package, or `None` at the end. `file` is called with each of its paths; there are millions.
    ///
    /// # Errors
    /// The file is broken.
    pub fn next_package(
        &mut self,
        mut file: impl FnMut(&PackageFiles, FileKind, &str),
    ) -> Result<Option<PackageFiles>, Error> {
        let mut package = None;
        let mut kind = FileKind::File;
        loop {
            match (self.xml.next()?, &mut package) {
                (Item::Open(element), None) if element.name() == "package" => {
                    package = Some(PackageFiles {
                        pkgid: self.xml.required(&element, "pkgid")?,
                        name: self.xml.required(&element, "name")?,
                        arch: self.xml.required(&element, "arch")?,
                        evr: String::new(),
                    });
                }
                (Item::Open(element), Some(package)) => match element.name() {
                    "version" => {
                        let value = |name| {
                            self.xml.attribute(&element, name).map(Option::unwrap_or_default)
                        };
                        package.evr = evr(&value("epoch")?, &value("ver")?, &value("rel")?);
                    }
                    "file" => {
                        let found = self.xml.attribute(&element, "type")?;
                        kind = FileKind::from_attribute(found.as_deref());
                    }
                    _ => {}
                },
                (Item::Close(name), Some(found)) => match name.as_str() {
                    "file" => file(found, kind, &self.xml.take_text()),
                    "package" => return Ok(package),
                    _ => {}
                },
                (Item::End, _) => return Ok(package),
                _ => {}
            }
        }
    }
}
