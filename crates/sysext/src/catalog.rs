//! What a page chooses from: systems with their base packs, and indexes of their repositories, in one folder.
//!
//! `catalog.json` names the files beside it. Each has a hash of what it holds in its name, so that hosts may let browsers
//! keep it for ever, and what is fetched of it in parts belongs together. Packages may lie there as well, by their digests
//! ([`package_path`]); a host that can fetches them when they are asked for.

use rpm::repodata::Checksum;
use serde::{Deserialize, Serialize};

use crate::recipe::Arch;

/// The name of the file that describes a catalog.
pub const CATALOG: &str = "catalog.json";
/// The version of the format.
const VERSION: u32 = 1;

/// What can be chosen from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// Version of the format; it comes first, so that others are refused for it.
    pub version: Version,
    /// The systems.
    pub systems: Vec<CatalogSystem>,
}

/// A system, as far as choosing packages for it goes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogSystem {
    /// `ID:TAG`
    pub target: String,
    /// Its name for people: `Fedora Silverblue 43`.
    pub title: String,
    /// Fedora release.
    pub release: String,
    /// Architecture.
    pub arch: Arch,
    /// The base pack.
    pub base: CatalogFile,
    /// The repositories that packages are chosen from.
    pub repositories: Vec<CatalogRepository>,
}

/// A repository of a catalog.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogRepository {
    /// Its name.
    pub name: String,
    /// Lower numbers are preferred.
    pub priority: i32,
    /// Its index.
    pub index: CatalogFile,
}

/// A file beside `catalog.json`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogFile {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size: u64,
}

/// The version of the format: 1. Others are refused.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Version;

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        if version == VERSION {
            return Ok(Self);
        }
        Err(format!("expected a catalog of version {VERSION}, found version {version}"))
    }
}

impl From<Version> for u32 {
    fn from(_: Version) -> Self {
        VERSION
    }
}

impl Catalog {
    /// A catalog of systems.
    pub fn new(systems: Vec<CatalogSystem>) -> Self {
        Self { version: Version, systems }
    }
}

/// Where a catalog has a package: `packages/sha256-HEX.rpm`.
pub fn package_path(checksum: &Checksum) -> String {
    format!("packages/{}-{}.rpm", checksum.algorithm, checksum.hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogs_of_other_versions_are_told_apart_from_broken_ones() {
        // Any form that serde knows will do.
        let empty = toml::from_str::<Catalog>("version = 1\nsystems = []\n");
        assert_eq!(empty.unwrap(), Catalog::new(Vec::new()));
        let check = |text: &str, expected: &str| {
            let error = toml::from_str::<Catalog>(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("version = 2\nwhatever = []\n", "of version 1, found version 2");
        check("version = 1\n", "missing field `systems`");
    }
}
