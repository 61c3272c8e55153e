//! What a person should know about an extension. All of it, as values; hosts show them.

use serde::{Deserialize, Serialize};

/// One thing that a person should know.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// Whether the image can be made nevertheless.
    pub severity: Severity,
    /// Which check found it.
    pub check: Check,
    /// The package that it is about: name, version, release, architecture.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<String>,
    /// The path that it is about, as the package has it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// What was found.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fix: Option<String>,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// No image is made.
    Error,
    /// The image is made, but something in it will not be as the packages meant it.
    Warning,
    /// Good to know.
    Info,
}

/// The checks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Check {
    /// Two packages have one path with different content.
    FileConflict,
    /// A path is a folder in one place and something else in another.
    TypeConflict,
    /// Two packages disagree on mode or owner of a path.
    MetadataConflict,
    /// A path outside `/usr`, which an extension cannot have.
    PathRoot,
    /// A package that the base has already.
    InBase,
    /// Files that the base has just so.
    BaseCollideSame,
    /// A path of the base that the extension hides.
    BaseShadow,
    /// A path that only the base system may have.
    BaseFile,
    /// A step of the recipe that cannot be taken.
    Step,
    /// A path that the recipe requires and the image does not have.
    Required,
    /// Configuration moves from `/etc` to `/usr/etc`.
    EtcMoved,
    /// An owner or group that cannot be resolved.
    Owner,
    /// A set-id bit that was taken off, because its owner cannot be resolved.
    SetId,
    /// Capabilities that are not understood.
    Capabilities,
    /// Folders that keep the base's mode and owner.
    DirMeta,
    /// Paths without an SELinux label.
    Label,
    /// A module of the SELinux policy.
    PolicyModule,
    /// Scripts that rpm would run and an extension does not.
    Scriptlets,
    /// Links that `alternatives(8)` would make.
    Alternatives,
    /// A package for another architecture.
    Architecture,
    /// A package that was given twice.
    Duplicate,
    /// `/usr/local` is a link on many systems.
    UsrLocal,
    /// A choice that matches nothing.
    Exclude,
    /// Something in /opt or a look into it.
    PathOpt,
    /// A unit that wants a file of /etc which is elsewhere.
    EtcConfig,
    /// Programs with more rights than their callers.
    Privileges,
    /// What is meant to be written at run time.
    MutableHost,
    /// Users and groups that are created on the running system.
    Sysusers,
    /// What D-Bus reads after the merge.
    Dbus,
    /// Libraries in folders of their own.
    LibDir,
    /// Files for systemd that were marked as programs.
    Tmpfiles,
    /// What the kernel and udev read after the merge.
    Udev,
    /// Units that are not started, not there, or cannot run.
    Service,
    /// Presets, which nobody applies.
    Preset,
    /// Units of people's own managers.
    UserUnits,
    /// Rules that polkit does not read.
    Polkit,
    /// Modules for names and log-ins.
    Nss,
    /// A file of which a system has one.
    Singleton,
    /// Schemas of settings that are not compiled.
    Gschema,
    /// Kernel modules of another kernel.
    Kmod,
    /// Files that come too late.
    Initrd,
    /// A link that leads nowhere.
    Dangling,
    /// An entry of the menus without its program or icon.
    Desktop,
    /// What packages require and nobody has.
    Deps,
    /// A library that nobody has.
    Soname,
    /// Programs of one release in an image for any.
    AnyId,
    /// What the base's systemd is too old for.
    Level,
    /// A kernel that refuses images below an overlay.
    StackDepth,
    /// A path that two extensions have.
    ExtCollide,
    /// What takes much room.
    Size,
    /// Updates that nobody has signed.
    UpdateTrust,
    /// An image that is another one when it is made again.
    Reproducible,
    /// Nothing is left to put into the image.
    Empty,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 53] = [
        Self::FileConflict,
        Self::TypeConflict,
        Self::MetadataConflict,
        Self::PathRoot,
        Self::InBase,
        Self::BaseCollideSame,
        Self::BaseShadow,
        Self::BaseFile,
        Self::Step,
        Self::Required,
        Self::EtcMoved,
        Self::Owner,
        Self::SetId,
        Self::Capabilities,
        Self::DirMeta,
        Self::Label,
        Self::PolicyModule,
        Self::Scriptlets,
        Self::Alternatives,
        Self::Architecture,
        Self::Duplicate,
        Self::UsrLocal,
        Self::Exclude,
        Self::PathOpt,
        Self::EtcConfig,
        Self::Privileges,
        Self::MutableHost,
        Self::Sysusers,
        Self::Dbus,
        Self::LibDir,
        Self::Tmpfiles,
        Self::Udev,
        Self::Service,
        Self::Preset,
        Self::UserUnits,
        Self::Polkit,
        Self::Nss,
        Self::Singleton,
        Self::Gschema,
        Self::Kmod,
        Self::Initrd,
        Self::Dangling,
        Self::Desktop,
        Self::Deps,
        Self::Soname,
        Self::AnyId,
        Self::Level,
        Self::StackDepth,
        Self::ExtCollide,
        Self::Size,
        Self::UpdateTrust,
        Self::Reproducible,
        Self::Empty,
    ];

    /// Whether there can be no image with such a finding, whatever a recipe allows.
    pub(crate) fn is_final(self) -> bool {
        use Check::*;
        matches!(self, FileConflict | TypeConflict | Step | Required)
    }

    /// What heads the findings of this check.
    pub fn title(self) -> &'static str {
        match self {
            Self::FileConflict => "Two packages have the same file with different content",
            Self::TypeConflict => "A folder in one place is something else in another",
            Self::MetadataConflict => "Packages disagree on mode or owner",
            Self::PathRoot => "Left out: an extension can only have files in /usr",
            Self::InBase => "The base has them already",
            Self::BaseCollideSame => "Files that the base has just so",
            Self::BaseShadow => "Hides files of the base",
            Self::BaseFile => "Left out: only the base system may have this file",
            Self::Step => "Steps of the recipe that cannot be taken",
            Self::Required => "What the recipe requires is missing",
            Self::EtcMoved => "Configuration in /etc",
            Self::Owner => "Owned by root in the image: the real owner is not known",
            Self::SetId => "Set-id bit taken off: its owner is not known",
            Self::Capabilities => "File capabilities that are not understood",
            Self::DirMeta => "Folders that keep the base's mode and owner",
            Self::Label => "Without an SELinux label",
            Self::PolicyModule => "Modules of the SELinux policy that are not loaded",
            Self::Scriptlets => "Scripts that do not run",
            Self::Alternatives => "Links that alternatives would make",
            Self::Architecture => "Built for another architecture",
            Self::Duplicate => "Given twice",
            Self::UsrLocal => "/usr/local is not part of /usr on image based systems",
            Self::Exclude => "Nothing to leave out",
            Self::PathOpt => "Out of /opt",
            Self::EtcConfig => "Units that want files of /etc which are elsewhere",
            Self::Privileges => "Programs with more rights than their callers",
            Self::MutableHost => "Meant to be written at run time",
            Self::Sysusers => "Users and groups that are created",
            Self::Dbus => "Read by D-Bus after the merge",
            Self::LibDir => "Libraries in folders of their own",
            Self::Tmpfiles => "Files for systemd that were marked as programs",
            Self::Udev => "Read after the merge",
            Self::Service => "Units that do not run",
            Self::Preset => "Presets that nobody applies",
            Self::UserUnits => "Units of people's own managers",
            Self::Polkit => "Rules that polkit does not read",
            Self::Nss => "Modules that files in /etc must name",
            Self::Singleton => "Left out: made of all that a system has",
            Self::Gschema => "Schemas of settings that are not compiled",
            Self::Kmod => "Kernel modules of another kernel",
            Self::Initrd => "Files that come too late",
            Self::Dangling => "Links that lead nowhere",
            Self::Desktop => "Entries of menus without program or icon",
            Self::Deps => "Packages lack what they require",
            Self::Soname => "Libraries that nobody has",
            Self::AnyId => "Programs of one release in an image for any",
            Self::Level => "The base's systemd is too old",
            Self::StackDepth => "The base's kernel refuses images",
            Self::ExtCollide => "Two extensions have the same file",
            Self::Size => "What takes much room",
            Self::UpdateTrust => "Updates that nobody has signed",
            Self::Reproducible => "Not the same when made again",
            Self::Empty => "Nothing in the image",
        }
    }
}

impl Finding {
    pub(crate) fn new(severity: Severity, check: Check, message: impl Into<String>) -> Self {
        Self { severity, check, package: None, path: None, message: message.into(), fix: None }
    }

    pub(crate) fn package(self, package: impl Into<String>) -> Self {
        Self { package: Some(package.into()), ..self }
    }

    pub(crate) fn path(self, path: &[u8]) -> Self {
        Self { path: Some(String::from_utf8_lossy(path).into_owned()), ..self }
    }

    pub(crate) fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

impl std::str::FromStr for Check {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        use serde::de::IntoDeserializer as _;
        use serde::de::value::{Error, StrDeserializer};
        let words: StrDeserializer<'_, Error> = name.into_deserializer();
        Self::deserialize(words).map_err(|error| error.to_string())
    }
}
