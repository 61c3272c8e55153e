//! Locks: exactly which packages an extension is made of, for which target.
//!
//! A lock is JSON. The same packages give the same lock, byte for byte.

use serde::{Deserialize, Serialize};

use crate::recipe::Arch;

/// The version of the format.
const VERSION: u32 = 1;

/// Which packages, for which target.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Version of the format: 1.
    pub version: u32,
    /// What was asked for.
    pub specs: Vec<String>,
    /// Architecture of the target.
    pub arch: Arch,
    /// Release of the target, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// SHA-256 of the base pack or list that it was resolved on, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Digest of the base's image, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The packages, by name.
    pub packages: Vec<LockedPackage>,
    /// What is from no repository, by the recipe's names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<LockedSource>,
}

/// A source of a recipe, in a lock.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LockedSource {
    /// What the recipe calls it.
    pub name: String,
    /// Its version, `[epoch:]version-release` of a package; empty if it has none.
    pub version: String,
    /// Where it was.
    pub url: String,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// A package of a lock.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPackage {
    /// `name-[epoch:]version-release.arch`
    pub nevra: String,
    /// Name of its repository.
    pub repository: String,
    /// Where it was.
    pub url: String,
    /// Bytes of the package file.
    pub size: u64,
    /// Its digest, `sha256:...`.
    pub checksum: String,
    /// Fingerprints of the keys that it was signed by when it was locked; empty if nobody asked.
    pub keys: Vec<String>,
}

/// Why a lock cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadLock {
    /// It is of another version of the format.
    #[error("expected a lock of version {VERSION}, found version {0}")]
    Version(u32),
    /// A digest is none.
    #[error("{package}: expected a digest such as sha256:..., found `{found}`")]
    Checksum {
        /// The package.
        package: String,
        /// What is there.
        found: String,
    },
}

impl Lock {
    /// A lock of no packages yet.
    pub fn new(arch: Arch) -> Self {
        Self {
            version: VERSION,
            specs: Vec::new(),
            arch,
            release: None,
            base: None,
            image: None,
            packages: Vec::new(),
            sources: Vec::new(),
        }
    }

    /// Holds what was read against what this version of the format allows.
    ///
    /// # Errors
    /// It is of another version, or a digest is none.
    pub fn check(&self) -> Result<(), BadLock> {
        if self.version != VERSION {
            return Err(BadLock::Version(self.version));
        }
        let wrong = self.packages.iter().find(|package| package.digest().is_none());
        wrong.map_or(Ok(()), |package| {
            let (package, found) = (package.nevra.clone(), package.checksum.clone());
            Err(BadLock::Checksum { package, found })
        })
    }

    /// Keeps the places of packages that another lock has as well: which mirror is first today changes nothing.
    pub fn keep_places(&mut self, old: &Self) {
        for package in &mut self.packages {
            let same = |other: &&LockedPackage| {
                other.nevra == package.nevra && other.checksum == package.checksum
            };
            if let Some(old) = old.packages.iter().find(same) {
                package.url.clone_from(&old.url);
            }
        }
    }
}

impl LockedPackage {
    /// Algorithm and hexadecimal digits of the digest.
    pub fn digest(&self) -> Option<(&str, &str)> {
        let (algorithm, hex) = self.checksum.split_once(':')?;
        let fine = hex.len() >= 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        (fine && !algorithm.is_empty()).then_some((algorithm, hex))
    }
}
