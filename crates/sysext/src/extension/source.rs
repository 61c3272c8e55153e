//! Packages, archives and files that no repository has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::recipe::Arch;

/// Something that is fetched from a URL.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Source {
    /// What steps and messages call it.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: SourceKind,
    /// Where it is. `{version}` and `{arch}` stand for its version and what `arch` says of the target's.
    pub url: String,
    /// Its version, if it is pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where the newest version is told, if it is not pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discover: Option<Discover>,
    /// What `{arch}` stands for; else it is rpm's word.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arch: BTreeMap<Arch, String>,
    /// SHA-256 per architecture, if it is pinned.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sha256: BTreeMap<Arch, String>,
    /// URL of a file with its SHA-256: alone, or in lines of digest and name as `sha256sum` writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256_url: Option<String>,
    /// URL of the key that the package is signed by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What a source is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// An RPM package, whose files are as those of other packages.
    Rpm,
    /// A tar archive, plain or compressed, of which steps install files.
    Archive,
    /// One file, which a step installs.
    File,
}

/// Where the newest version of a source is told: one of these.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Discover {
    /// The newest release of a project on GitHub, `OWNER/PROJECT`; it also tells digests of its files.
    Github(String),
    /// The newest release of a project on GitLab, `GROUP/PROJECT`.
    Gitlab(String),
    /// A URL of a text that is nothing but the version.
    Text(String),
    /// A URL of JSON and where the version is in it, as RFC 6901 has it.
    Json {
        /// The URL.
        url: String,
        /// The place, such as `/version`.
        pointer: String,
    },
}

impl Source {
    /// What `{arch}` stands for.
    pub fn arch_word(&self, arch: Arch) -> &str {
        self.arch.get(&arch).map_or_else(|| arch.rpm(), String::as_str)
    }

    /// Puts version and architecture into a text.
    pub fn fill(&self, text: &str, version: &str, arch: Arch) -> String {
        text.replace("{version}", version).replace("{arch}", self.arch_word(arch))
    }
}
