//! Extensions as data: `extensions/NAME/extension.toml`.
//!
//! [`Extension::read`] parses one and tells everything that is wrong with it, with lines and columns. What an extension
//! says is the same for every target; with a target it is a [`crate::Recipe`].

mod check;
mod explain;
mod published;
mod read;
mod source;
mod step;

use serde::{Deserialize, Serialize};

pub use explain::Answer;
pub use published::{Build, table};
pub use read::{BadExtension, Mistake};
pub use source::{Discover, Source, SourceKind};
pub use step::{
    Action, DropIn, File, FileMode, Files, FolderMode, Install, Mkdir, Mode, Move, Remove, Replace,
    SetCapabilities, SetOwner, Step, Symlink, When,
};

use crate::finding::Check;
use crate::recipe::Arch;

/// What an extension is, for every target.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Extension {
    /// One line about it.
    pub summary: String,
    /// More about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where people read about the programs in it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub homepage: String,
    /// The collection that it is published with: `fedora` or `community`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub collection: String,
    /// Name of the extension and its image; that of its folder if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `sysext` for programs in /usr, `confext` for configuration in /etc.
    #[serde(skip_serializing_if = "is_default")]
    pub class: Class,

    /// Packages, as dnf names them: NAME, NAME.ARCH, what packages provide, paths, @GROUP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
    /// Packages that must not come along.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Whether packages that others recommend come along.
    #[serde(skip_serializing_if = "is_true")]
    pub weak_dependencies: bool,
    /// Packages of the base that are taken for absent, where the base has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
    /// Repositories besides `fedora` and `updates`: names of `extensions/repositories.repo`, `copr:OWNER/PROJECT`, URLs of
    /// `.repo` files; `$releasever` and `$basearch` in URLs are the target's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<String>,
    /// Whether packages come from `fedora` and `updates`.
    #[serde(skip_serializing_if = "is_true")]
    pub default_repositories: bool,
    /// Repositories that are described here, in the words of `dnf5.conf(5)`.
    #[serde(rename = "repository", skip_serializing_if = "Vec::is_empty")]
    pub own_repositories: Vec<OwnRepository>,
    /// Packages, archives and files that no repository has.
    #[serde(rename = "source", skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,

    /// The systems that it is for, names of `extensions/targets.toml`: `coreos`, or `coreos:stable` for one tag. What is
    /// built for `base-atomic` fits all desktops.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// The only Fedora releases that it is for, of those that its targets have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<String>,
    /// The only architectures that it is for, of those that its targets have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arches: Vec<Arch>,
    /// Whether it may be merged on any distribution and release (`ID=_any`). Right for programs that need nothing of
    /// the system; anything else breaks on the next release.
    #[serde(skip_serializing_if = "is_default")]
    pub any_release: bool,
    /// Where its version is from; else the package that bears its name, or the only one that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,

    /// Files of packages that are left out: paths and patterns, `PACKAGE:PATTERN` for one package.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leave_out: Vec<String>,
    /// What becomes of packages' files in /etc.
    #[serde(skip_serializing_if = "is_default")]
    pub etc: EtcPolicy,
    /// Units that are started when the extension is merged, and kept running (`Upholds=`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// What is done on the running system before they start.
    #[serde(skip_serializing_if = "is_default")]
    pub setup: Setup,
    /// Changes, in this order, of what the packages have.
    #[serde(rename = "step", skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Paths that the image must have in the end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// Findings that somebody has looked at, and why they are fine.
    #[serde(rename = "allow", skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<Allow>,
    /// Checks whose findings are errors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<Check>,
}

/// Where an extension is laid over.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// /usr, by `systemd-sysext`.
    #[default]
    Sysext,
    /// /etc, by `systemd-confext`.
    Confext,
}

impl Class {
    /// Folder of units of the system manager, in an image of this class.
    pub(crate) fn units(self) -> &'static str {
        match self {
            Self::Sysext => "usr/lib/systemd/system",
            Self::Confext => "etc/systemd/system",
        }
    }
}

/// A repository that the extension describes itself.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OwnRepository {
    /// Its name.
    pub id: String,
    /// Where it is.
    pub baseurl: String,
    /// Keys that its packages are signed by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpgkey: Vec<String>,
    /// Whether its packages must be signed.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub gpgcheck: bool,
    /// Whether its metadata must be signed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub repo_gpgcheck: bool,
}

/// Where the version of an extension is from: one of these.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum Version {
    /// This package.
    Package(String),
    /// This source.
    Source(String),
    /// It is this one.
    Text(String),
}

/// What becomes of files in /etc, which an extension of /usr cannot have.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EtcPolicy {
    /// They go to /usr/etc, where people and programs find them.
    #[default]
    UsrEtc,
    /// They go to /usr/share/factory/etc, and systemd-tmpfiles copies those that /etc lacks.
    Factory,
    /// They are left out.
    Drop,
}

impl std::str::FromStr for EtcPolicy {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "usr-etc" => Ok(Self::UsrEtc),
            "factory" => Ok(Self::Factory),
            "drop" => Ok(Self::Drop),
            _ => Err("expected usr-etc, factory or drop".to_owned()),
        }
    }
}

/// What the generated unit does on the running system before the services start. What an image needs is found out from
/// its files; this says what differs.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Setup {
    /// What is not done, though files ask for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Task>,
    /// Units of the base that are restarted if they run, since they read what the extension brings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restart: Vec<String>,
    /// Paths outside /usr whose SELinux labels are set anew.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relabel: Vec<String>,
}

/// What the generated unit can do.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Users and groups of `sysusers.d(5)` are created.
    Sysusers,
    /// Files and folders of `tmpfiles.d(5)` are created.
    Tmpfiles,
    /// The linker's cache is made anew: there are folders of libraries of their own.
    Ldconfig,
    /// Modules of the SELinux policy are loaded.
    Semodule,
    /// Kernel modules of `modules-load.d(5)` are loaded.
    Modules,
    /// Kernel parameters of `sysctl.d(5)` are set.
    Sysctl,
    /// Formats of `binfmt.d(5)` are registered.
    Binfmt,
    /// Rules of udev are read and devices asked again.
    Udev,
    /// D-Bus reads its policies and services anew.
    Dbus,
}

/// A finding that is fine.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// The check.
    pub check: Check,
    /// Only for paths that match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Why it is fine.
    pub reason: String,
}

/// The systems that extensions are for if they do not say.
pub const DEFAULT_TARGETS: [&str; 1] = ["base-atomic"];
/// The repositories that packages come from if an extension does not say otherwise.
pub const DEFAULT_REPOSITORIES: [&str; 2] = ["fedora", "updates"];

impl Default for Extension {
    fn default() -> Self {
        Self {
            summary: String::new(),
            description: String::new(),
            homepage: String::new(),
            collection: String::new(),
            name: None,
            class: Class::Sysext,
            packages: Vec::new(),
            exclude: Vec::new(),
            weak_dependencies: true,
            absent: Vec::new(),
            repositories: Vec::new(),
            default_repositories: true,
            own_repositories: Vec::new(),
            sources: Vec::new(),
            targets: Vec::new(),
            releases: Vec::new(),
            arches: Vec::new(),
            any_release: false,
            version: None,
            leave_out: Vec::new(),
            etc: EtcPolicy::UsrEtc,
            services: Vec::new(),
            setup: Setup::default(),
            steps: Vec::new(),
            required: Vec::new(),
            allowed: Vec::new(),
            deny: Vec::new(),
        }
    }
}

impl Extension {
    /// The JSON schema of `extension.toml`, for editors.
    #[cfg(feature = "schema")]
    pub fn schema() -> String {
        let schema = schemars::schema_for!(Self);
        format!("{:#}", schema.as_value())
    }

    /// The systems that it is for.
    pub fn target_names(&self) -> Vec<&str> {
        match self.targets.as_slice() {
            [] => DEFAULT_TARGETS.to_vec(),
            names => names.iter().map(String::as_str).collect(),
        }
    }

    /// Names and URLs of the repositories that it takes packages from, besides those that it describes.
    pub fn repository_names(&self) -> Vec<&str> {
        let usual = DEFAULT_REPOSITORIES.iter().filter(|_| self.default_repositories).copied();
        usual.chain(self.repositories.iter().map(String::as_str)).collect()
    }

    /// The repositories that it describes, as a `.repo` file has them.
    pub fn repo_file(&self) -> String {
        let flag = |value| i32::from(value);
        let section = |repo: &OwnRepository| {
            format!(
                "[{}]\nname={}\nbaseurl={}\ngpgcheck={}\nrepo_gpgcheck={}\ngpgkey={}\n",
                repo.id,
                repo.id,
                repo.baseurl,
                flag(repo.gpgcheck),
                flag(repo.repo_gpgcheck),
                repo.gpgkey.join(" ")
            )
        };
        self.own_repositories.iter().map(section).collect()
    }
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_true(value: &bool) -> bool {
    *value
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
