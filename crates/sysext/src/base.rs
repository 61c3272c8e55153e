//! What a target has already: its base.

use std::collections::BTreeMap;

use rpm::repodata::RepoPackage;
use rpm::{Dependency, Sense};

use crate::error::Error;

/// The packages of a target's base image.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Base {
    packages: BTreeMap<String, Nevra>,
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
        Ok(Self { packages })
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
