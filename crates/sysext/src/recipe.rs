//! What an extension is: its name, its target, what is left out. The command line's arguments and the page's choices
//! are both this type.

use erofs::{Level, Pcluster, Profile};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::extension::Extension;
use crate::select::Exclude;
use crate::text;

/// What an extension is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Recipe {
    /// Name of the extension and of its image: `NAME.raw`.
    pub name: String,
    /// The systems that it is for.
    pub target: Target,
    /// What it is for every target.
    #[serde(default)]
    pub extension: Extension,
    /// Version of the source that gives the extension's, if one does.
    #[serde(default)]
    pub source_version: Option<String>,
    /// What is left out.
    #[serde(default)]
    pub exclude: Vec<Exclude>,
    /// How file data is stored.
    #[serde(default, with = "text")]
    pub profile: Profile,
    /// How hard to compress, 1 to 12, if not as the profile says.
    #[serde(default, with = "text::option")]
    pub level: Option<Level>,
    /// Size of physical clusters, if not the profile's.
    #[serde(default, with = "text::option")]
    pub pcluster: Option<Pcluster>,
    /// `SOURCE_DATE_EPOCH`: no time in the image is later, and what we add bears it. Seconds since 1970.
    #[serde(default)]
    pub source_date_epoch: Option<i64>,
}

/// The systems that an extension is for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Target {
    /// Fedora release: `VERSION_ID` of os-release.
    pub release: String,
    /// Architecture.
    pub arch: Arch,
}

/// An architecture that Fedora builds for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Arch {
    /// 64-bit Intel and AMD.
    #[serde(rename = "x86_64")]
    X86_64,
    /// 64-bit Arm.
    #[serde(rename = "aarch64")]
    Aarch64,
    /// 64-bit Power, little endian.
    #[serde(rename = "ppc64le")]
    Ppc64le,
    /// IBM Z.
    #[serde(rename = "s390x")]
    S390x,
    /// 64-bit RISC-V.
    #[serde(rename = "riscv64")]
    Riscv64,
}

impl Recipe {
    /// An extension of everything in its packages.
    pub fn new(name: &str, target: Target) -> Self {
        Self {
            name: name.to_owned(),
            target,
            extension: Extension::default(),
            source_version: None,
            exclude: Vec::new(),
            profile: Profile::default(),
            level: None,
            pcluster: None,
            source_date_epoch: None,
        }
    }

    /// An extension for a target. `name` is its own if it has none.
    ///
    /// # Errors
    /// What it leaves out is no pattern.
    pub fn of(extension: Extension, name: &str, target: Target) -> Result<Self, Error> {
        let exclude = extension.leave_out.iter().map(|text| text.parse());
        let exclude = exclude.collect::<Result<_, String>>().map_err(Error::LeaveOut)?;
        let name = extension.name.clone().unwrap_or_else(|| name.to_owned());
        Ok(Self { extension, exclude, ..Self::new(&name, target) })
    }

    /// How the image is written.
    pub fn options(&self) -> erofs::Options {
        erofs::Options { profile: self.profile, level: self.level, pcluster: self.pcluster }
    }

    /// Holds name and release against what systemd takes.
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_name(&self.name)?;
        let release = &self.target.release;
        let number = !release.is_empty() && release.bytes().all(|byte| byte.is_ascii_digit());
        if number { Ok(()) } else { Err(Error::Release(release.clone())) }
    }
}

/// Whether an extension can have that name.
///
/// # Errors
/// [`Error::Name`].
pub fn check_name(name: &str) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    let starts = name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    // The name of the release file is longer by 18 bytes and must be a file name.
    let valid = starts && name.len() <= 200 && name.bytes().all(plain) && !name.ends_with(".raw");
    if valid { Ok(()) } else { Err(Error::Name(name.to_owned())) }
}

impl Arch {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::X86_64, Self::Aarch64, Self::Ppc64le, Self::S390x, Self::Riscv64];

    /// As rpm names it.
    pub fn rpm(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
            Self::Ppc64le => "ppc64le",
            Self::S390x => "s390x",
            Self::Riscv64 => "riscv64",
        }
    }

    /// As systemd names it (`ARCHITECTURE=` of extension-release).
    pub fn systemd(self) -> &'static str {
        match self {
            Self::X86_64 => "x86-64",
            Self::Aarch64 => "arm64",
            Self::Ppc64le => "ppc64-le",
            Self::S390x => "s390x",
            Self::Riscv64 => "riscv64",
        }
    }

    /// As images of containers name it (`GOARCH`).
    pub fn oci(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
            Self::Ppc64le => "ppc64le",
            Self::S390x => "s390x",
            Self::Riscv64 => "riscv64",
        }
    }

    /// Whether programs of a package's architecture run on it.
    pub(crate) fn runs(self, package: &str) -> bool {
        package == "noarch"
            || package == self.rpm()
            || self == Self::X86_64
                && (package.starts_with("x86_64_v")
                    || matches!(package, "i386" | "i486" | "i586" | "i686"))
    }
}

impl std::str::FromStr for Arch {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|arch| arch.rpm() == name || arch.systemd() == name)
            .ok_or_else(|| format!("expected one of {}", Self::ALL.map(Self::rpm).join(", ")))
    }
}
