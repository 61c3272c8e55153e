//! What is known besides the headers of packages: contents of files, what lies beside a recipe, files of sources.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use fast_glob::glob_match;
use rpm::{Package, Payload};

use super::entries::Origin;
use crate::checks::{Elf, read_elf};
use crate::error::Error;
use crate::extension::Install;

/// Larger files are not looked at,
const MAX_CONTENT: u64 = 16 << 20;
/// but for programs and libraries, of which little is kept.
const MAX_ELF: u64 = 256 << 20;
/// Bytes that a file of an archive may have.
const MAX_MEMBER: u64 = 512 << 20;

/// What a plan may be made with. Hosts fill it.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Contents of packages' files, by digest of the package's header and index of the file.
    files: BTreeMap<([u8; 32], usize), Vec<u8>>,
    /// What programs and libraries say of themselves.
    elves: BTreeMap<([u8; 32], usize), Elf>,
    /// Files that lie beside `extension.toml`, by their paths.
    pub beside: BTreeMap<String, BesideFile>,
    /// What sources hold, by their names.
    pub sources: BTreeMap<String, Held>,
}

/// A file that lies beside `extension.toml`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BesideFile {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Permissions.
    pub mode: u16,
}

/// What a source holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Held {
    /// A file.
    File(Vec<u8>),
    /// Files of an archive, by their paths.
    Archive(BTreeMap<String, Vec<u8>>),
}

impl Held {
    /// Reads the files of an archive, plain or compressed, that one of the patterns matches.
    ///
    /// # Errors
    /// It is no archive, or is cut off.
    pub fn read_archive(source: impl Read, patterns: &[&str]) -> std::io::Result<Self> {
        let mut archive =
            tar::Archive::new(rpm::repodata::open(source).map_err(std::io::Error::other)?);
        let mut files = BTreeMap::new();
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let path = path.trim_start_matches("./").to_owned();
            let is_meant = |pattern: &&str| path == **pattern || glob_match(pattern, &path);
            if !entry.header().entry_type().is_file() || !patterns.iter().any(is_meant) {
                continue;
            }
            let mut content = Vec::new();
            (&mut entry).take(MAX_MEMBER + 1).read_to_end(&mut content)?;
            if content.len() as u64 > MAX_MEMBER {
                let message = format!("{path} has more than {MAX_MEMBER} bytes");
                return Err(std::io::Error::other(message));
            }
            files.insert(path, content);
        }
        Ok(Self::Archive(files))
    }
}

impl Contents {
    /// Reads contents of a package's files, which [`crate::Plan::wanted`] names by their indexes.
    ///
    /// # Errors
    /// The package cannot be read.
    pub fn read(&mut self, source: impl Read, wanted: &[usize]) -> Result<(), Error> {
        let wrong = |package: &str, error| Error::Package { package: package.to_owned(), error };
        let mut payload = Payload::open(source).map_err(|error| wrong("a package", error))?;
        let (nevra, digest) = (payload.package().nevra(), payload.package().header_sha256);
        let mut left = wanted.len();
        while left > 0
            && let Some(member) = payload.next_member().map_err(|error| wrong(&nevra, error))?
        {
            if !wanted.contains(&member.file) {
                continue;
            }
            left -= 1;
            let mut content = Vec::new();
            let mut buffer = vec![0; 64 << 10];
            loop {
                let read = payload.read(&mut buffer).map_err(|error| wrong(&nevra, error))?;
                if read == 0 {
                    break;
                }
                content.extend_from_slice(&buffer[..read]);
            }
            let key = (digest, member.file);
            if let Some(elf) = read_elf(&content) {
                self.elves.insert(key, elf);
            }
            if content.len() as u64 > MAX_CONTENT || content.starts_with(b"\x7FELF") {
                content.clear();
            }
            self.files.insert(key, content);
        }
        Ok(())
    }
}

/// What is known while a plan is made, and what it lacks.
pub(crate) struct Known<'a> {
    packages: &'a [Package],
    contents: &'a Contents,
    /// Files whose contents would be looked at.
    pub(super) wanted: BTreeSet<Origin>,
    /// Whether the plan cannot be carried out without one of them.
    pub(super) incomplete: bool,
}

impl<'a> Known<'a> {
    pub(super) fn new(packages: &'a [Package], contents: &'a Contents) -> Self {
        Self { packages, contents, wanted: BTreeSet::new(), incomplete: false }
    }

    /// The content of a package's file. If nobody has read it, it is wanted; `needed` says whether there can be no image without
    /// it.
    pub(crate) fn content(&mut self, origin: Origin, needed: bool) -> Option<&'a [u8]> {
        let package = self.packages.get(origin.0)?;
        let file = package.files.get(origin.1)?;
        // Of several names of a file the last one has the content.
        let index = file.hard_links.map_or(origin.1, |links| links.last);
        if file.size == 0 {
            return Some(&[]);
        }
        let found = self.contents.files.get(&(package.header_sha256, index));
        if found.is_none() && file.size <= MAX_CONTENT {
            self.wanted.insert((origin.0, index));
            self.incomplete |= needed;
        }
        found.map(Vec::as_slice)
    }

    /// What a program or library of a package says of itself, if it is one; wanted, if nobody has read it.
    pub(crate) fn elf(&mut self, origin: Origin) -> Option<Elf> {
        let package = self.packages.get(origin.0)?;
        let file = package.files.get(origin.1)?;
        let index = file.hard_links.map_or(origin.1, |links| links.last);
        let key = (package.header_sha256, index);
        if let Some(elf) = self.contents.elves.get(&key) {
            return Some(elf.clone());
        }
        if !self.contents.files.contains_key(&key) && file.is_file() && file.size <= MAX_ELF {
            self.wanted.insert((origin.0, index));
        }
        None
    }

    pub(super) fn beside(&self, path: &str) -> Result<Vec<u8>, String> {
        let file = self.contents.beside.get(path);
        file.map(|file| file.bytes.clone())
            .ok_or_else(|| format!("there is no {path} beside the recipe"))
    }

    /// The files of a folder beside the recipe, by their paths in it.
    pub(super) fn folder_beside(&self, folder: &str) -> Vec<(&'a str, &'a BesideFile)> {
        let folder = format!("{}/", folder.trim_end_matches('/'));
        let files = self.contents.beside.iter();
        files.filter_map(|(path, file)| Some((path.strip_prefix(&folder)?, file))).collect()
    }

    /// The file of a source, if it has it.
    pub(super) fn installed(&self, install: &Install) -> Result<Option<Vec<u8>>, String> {
        let source = &install.source;
        let held = self.contents.sources.get(source);
        let held = held.ok_or_else(|| format!("{source} has not been fetched"))?;
        let (Held::Archive(files), Some(from)) = (held, &install.from) else {
            return match held {
                Held::File(content) => Ok(Some(content.clone())),
                Held::Archive(_) => Err(format!("{source} is an archive")),
            };
        };
        let matches = |path: &str| path == from || glob_match(from, path);
        let mut found = files.iter().filter(|(path, _)| matches(path));
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some((_, content)), None) => Ok(Some(content.clone())),
            (Some((first, _)), Some((second, _))) => {
                Err(format!("{first} and {second} of {source} both match {from}"))
            }
        }
    }

    /// A gzip file of stored blocks (RFC 1951, 1952), as pages of manuals must be: what compresses differs between processors,
    /// and the image is compressed anyway.
    pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
        // Deflate, no flags, no time, no system.
        let mut file = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];
        let mut blocks = content.chunks(usize::from(u16::MAX)).peekable();
        if blocks.peek().is_none() {
            file.extend([1, 0, 0, 0xFF, 0xFF]);
        }
        while let Some(block) = blocks.next() {
            let length = block.len() as u16;
            file.push(u8::from(blocks.peek().is_none()));
            file.extend(length.to_le_bytes());
            file.extend((!length).to_le_bytes());
            file.extend_from_slice(block);
        }
        let mut crc = flate2::Crc::new();
        crc.update(content);
        file.extend(crc.sum().to_le_bytes());
        file.extend(crc.amount().to_le_bytes());
        file
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::Known;

    #[test]
    fn stored_blocks_are_gzip() {
        for size in [0, 1, 65_535, 65_536, 200_000] {
            let content: Vec<u8> = (0..size).map(|byte: u32| byte as u8).collect();
            let file = Known::gzip(&content);
            let mut read = Vec::new();
            flate2::read::GzDecoder::new(file.as_slice()).read_to_end(&mut read).unwrap();
            assert_eq!(read, content, "{size} bytes");
        }
    }
}
