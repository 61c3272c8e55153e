//! What a target has already: its base.
//!
//! # The format of a base pack, version 3
//!
//! The 8 bytes `SYSXBAS\x03`, then sections as in [`resolve::index`]: `A` lines of where it is from (`from`, `digest`),
//! `R` os-release, `U` passwd, `G` group, `C` file_contexts, `X` file_contexts.subs_dist; then, unless dependencies are
//! lacking, what the paths of its packages are (`files.rs`) and an index of the packages with all their files; else `N`, a
//! list of packages. The names of libraries are among what packages provide, those of units among the paths, the versions
//! of systemd and the kernel those of their packages.

mod files;

use std::collections::BTreeMap;

use resolve::index::{self, BadIndex, Index};
use rpm::repodata::RepoPackage;
use rpm::{Dependency, Sense};

use crate::error::Error;
use files::Files;
pub use files::{BaseFile, Installed};
pub(crate) use files::{BaseFiles, within};

const MAGIC: &[u8] = b"SYSXBAS\x03";

/// The packages of a target's base image, and what else is known of it.
#[derive(Clone, Debug, Default)]
pub struct Base {
    packages: BTreeMap<String, Nevra>,
    index: Option<Index>,
    files: Files,
    /// What it was made from, and texts of the image.
    pub about: About,
}

/// What is known of a base besides its packages. Empty is unknown.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct About {
    /// What it was made from: `image`, `root`, `rpmdb`, `list`.
    pub from: String,
    /// Digest of the image.
    pub digest: String,
    /// `/usr/lib/os-release`
    pub os_release: String,
    /// `/usr/lib/passwd` and `/etc/passwd`, one after the other.
    pub passwd: String,
    /// `/usr/lib/group` and `/etc/group`, one after the other.
    pub group: String,
    /// SELinux's `file_contexts` of the targeted policy.
    pub file_contexts: String,
    /// And its `file_contexts.subs_dist`.
    pub file_contexts_subs: String,
}

/// Name, epoch, version, release and architecture of a package, in one text with places in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Nevra {
    text: String,
    name: usize,
    evr: usize,
}

impl Nevra {
    /// Parses `name-[epoch:]version-release.arch`, with or without an epoch of 0.
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, arch) = text.rsplit_once('.')?;
        let (rest, release) = rest.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        let version = version.strip_prefix("0:").unwrap_or(version);
        if [name, version, release, arch].iter().any(|part| part.is_empty())
            || text.contains(char::is_whitespace)
        {
            return None;
        }
        let evr = format!("{version}-{release}");
        let text = format!("{name}-{evr}.{arch}");
        Some(Self { text, name: name.len(), evr: name.len() + 1 + evr.len() })
    }

    /// All of it, without an epoch of 0.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.text[..self.name]
    }

    /// `[epoch:]version-release`
    pub fn evr(&self) -> &str {
        &self.text[self.name + 1..self.evr]
    }

    /// The architecture.
    pub fn arch(&self) -> &str {
        &self.text[self.evr + 1..]
    }

    /// A package of which no more is known.
    pub(crate) fn package(&self) -> RepoPackage {
        let own = Dependency {
            name: self.name().to_owned(),
            sense: Sense::EQUAL,
            evr: self.evr().to_owned(),
        };
        RepoPackage {
            name: self.name().to_owned(),
            evr: self.evr().to_owned(),
            arch: self.arch().to_owned(),
            provides: vec![own],
            ..RepoPackage::default()
        }
    }
}

impl About {
    /// What is not known.
    pub fn lacks(&self) -> Vec<&'static str> {
        let parts = [
            ("os-release", &self.os_release),
            ("passwd", &self.passwd),
            ("group", &self.group),
            ("file_contexts", &self.file_contexts),
        ];
        parts.into_iter().filter(|(_, text)| text.is_empty()).map(|(name, _)| name).collect()
    }

    /// A value of os-release.
    pub fn os(&self, key: &str) -> Option<&str> {
        let line =
            self.os_release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(line.trim_matches(['"', '\'']))
    }
}

impl Base {
    /// Reads a list of packages, one `name-[epoch:]version-release.arch` a line, as `rpm -qa` prints them. Empty lines,
    /// lines that start with `#` and rpm's own keys are skipped.
    ///
    /// # Errors
    /// A line is something else.
    pub fn parse_list(text: &str) -> Result<Self, Error> {
        let mut packages = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line.starts_with("gpg-pubkey-") {
                continue;
            }
            let nevra = Nevra::parse(line)
                .ok_or_else(|| Error::BaseList { line: number + 1, found: line.to_owned() })?;
            packages.insert(nevra.text.clone(), nevra);
        }
        let about = About { from: "list".into(), ..About::default() };
        Ok(Self { packages, index: None, files: Files::default(), about })
    }

    /// Reads a base pack, or a list of packages.
    ///
    /// # Errors
    /// It is neither.
    pub fn read(file: &[u8]) -> Result<Self, Error> {
        if let Some(&[version]) = file.strip_prefix(&MAGIC[..7]).and_then(|rest| rest.first_chunk())
            && version != MAGIC[7]
        {
            return Err(Error::BaseVersion { expected: MAGIC[7], found: version });
        }
        let Some(rest) = file.strip_prefix(MAGIC) else {
            return Self::parse_list(&String::from_utf8_lossy(file));
        };
        let broken = |error: BadIndex| Error::BasePack { error };
        let (sections, rest) = index::read_sections(rest, b"ARUGCX").map_err(broken)?;
        let text = |at: usize| {
            let bytes = sections.get(at).map(Vec::as_slice).unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        let first = text(0);
        let line = |key: &str| {
            let mut lines =
                first.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
            lines.next().unwrap_or_default().to_owned()
        };
        let about = About {
            from: line("from"),
            digest: line("digest"),
            os_release: text(1),
            passwd: text(2),
            group: text(3),
            file_contexts: text(4),
            file_contexts_subs: text(5),
        };
        if rest.starts_with(b"N") {
            let (list, _) = index::read_sections(rest, b"N").map_err(broken)?;
            let list = list.first().map(Vec::as_slice).unwrap_or_default();
            return Ok(Self { about, ..Self::parse_list(&String::from_utf8_lossy(list))? });
        }
        let (mut sections, rest) = index::read_sections(rest, files::TAGS).map_err(broken)?;
        let index = Index::read(rest).map_err(broken)?;
        let files = Files::new(&mut sections, &index).map_err(broken)?;
        let nevras = index
            .nevras()
            .filter_map(|[name, evr, arch]| Nevra::parse(&format!("{name}-{evr}.{arch}")));
        let packages = nevras.map(|nevra| (nevra.text.clone(), nevra)).collect();
        Ok(Self { packages, index: Some(index), files, about })
    }

    /// A base pack of which only the names and versions of packages are known.
    pub fn write_list(&self) -> Vec<u8> {
        let mut file = Self::write_about(&self.about);
        let lines: String = self.packages.keys().map(|nevra| format!("{nevra}\n")).collect();
        index::section(&mut file, b'N', lines.as_bytes());
        file
    }

    fn write_about(about: &About) -> Vec<u8> {
        let About { from, digest, os_release, passwd, group, file_contexts, file_contexts_subs } =
            about;
        let mut file = MAGIC.to_vec();
        let first = format!("from {from}\ndigest {digest}\n");
        let texts = [&first, os_release, passwd, group, file_contexts, file_contexts_subs];
        for (tag, text) in b"ARUGCX".iter().zip(texts) {
            index::section(&mut file, *tag, text.as_bytes());
        }
        file
    }

    /// Dependencies and files of the packages, if they are known.
    pub fn index(&self) -> Option<&Index> {
        self.index.as_ref()
    }

    /// All packages, in the order of their texts.
    pub fn packages(&self) -> impl Iterator<Item = &Nevra> {
        self.packages.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_what_is_none_is_refused() {
        let base = Base::parse_list(
            "# rpm -qa\nbash-0:5.2.37-1.fc43.x86_64\n\ngpg-pubkey-1-2\nvim-2:9.1-1.noarch\n",
        );
        let base = base.unwrap();
        let all: Vec<_> =
            base.packages().map(|nevra| (nevra.name(), nevra.evr(), nevra.arch())).collect();
        let expected = [("bash", "5.2.37-1.fc43", "x86_64"), ("vim", "2:9.1-1", "noarch")];
        assert_eq!(all, expected);
        let error = Base::parse_list("bash-5.2-1.x86_64\nbash\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2 of the base's list: expected name-[epoch:]version-release.arch, found `bash`"
        );
    }
}
