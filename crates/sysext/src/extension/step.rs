//! Steps: what an extension changes of what its packages have.

mod mode;
mod written;

use serde::{Deserialize, Serialize};

pub use mode::{FileMode, FolderMode};
use written::Written;

use crate::recipe::Arch;

/// A change, and when it is made.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Written", into = "Written")]
pub struct Step {
    /// The change.
    pub action: Action,
    /// When it is made; always, if it is empty.
    pub when: When,
    /// Whether it is fine if there is nothing to change.
    pub optional: bool,
}

/// When a step is taken: when all of this is true.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct When {
    /// There is such a path; patterns are fine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exists: Option<String>,
    /// There is no such path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// The target is of one of these releases.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<String>,
    /// The target is of one of these architectures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arches: Vec<Arch>,
}

/// A change. Paths are absolute, as the packages have them or as steps before have made them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// Writes a file.
    File(File),
    /// Puts all files of a folder beside `extension.toml` below a path.
    Files(Files),
    /// Puts a file of a source at a path.
    Install(Install),
    /// Makes a folder.
    Mkdir(Mkdir),
    /// Gives a file or folder another path; what is in a folder comes along.
    Move(Move),
    /// Makes symbolic links.
    Symlink(Symlink),
    /// Takes out what matches, folders with all that is in them.
    Remove(Remove),
    /// Sets permissions of what matches.
    Mode(Mode),
    /// Sets owner and group of what matches, by the base's numbers.
    SetOwner(SetOwner),
    /// Sets capabilities of the files that match.
    SetCapabilities(SetCapabilities),
    /// Puts one text in the place of another in the files that match.
    Replace(Replace),
    /// Writes a drop-in of a unit of systemd.
    DropIn(DropIn),
}

/// [`Action::File`]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Path.
    pub path: String,
    /// What is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Or the file beside `extension.toml` that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Permissions.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub mode: FileMode,
}

/// [`Action::Files`]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// The folder.
    pub from: String,
    /// The path.
    pub to: String,
}

/// [`Action::Install`]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// Name of the source.
    pub source: String,
    /// Path in its archive; patterns are fine if one file matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Path.
    pub path: String,
    /// Permissions.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub mode: FileMode,
    /// Whether it is compressed, as pages of manuals are.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub gzip: bool,
}

/// [`Action::Mkdir`]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mkdir {
    /// Path.
    pub path: String,
    /// Permissions.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub mode: FolderMode,
}

/// [`Action::Move`]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// The path that it has; patterns are fine if one path matches.
    pub from: String,
    /// The path that it gets. Into a folder that is there already goes what is in the folder.
    pub to: String,
}

/// [`Action::Symlink`]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Symlink {
    /// Path of the link.
    pub path: String,
    /// Where it leads.
    pub target: String,
    /// Makes one link for each of these, which `{}` stands for in both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<String>,
}

/// [`Action::Remove`]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// The paths, or a pattern.
    pub path: String,
}

/// [`Action::Mode`]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mode {
    /// The paths, or a pattern.
    pub path: String,
    /// Permissions, set-id bits included.
    pub mode: FileMode,
}

/// [`Action::SetOwner`]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetOwner {
    /// The paths, or a pattern.
    pub path: String,
    /// The owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// [`Action::SetCapabilities`]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetCapabilities {
    /// The paths, or a pattern.
    pub path: String,
    /// Capabilities as `cap_from_text(3)` has them.
    pub set: String,
}

/// [`Action::Replace`]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Replace {
    /// The paths, or a pattern.
    pub path: String,
    /// What is there, letter by letter.
    pub find: String,
    /// What takes its place.
    pub with: String,
}

/// [`Action::DropIn`]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DropIn {
    /// The unit.
    pub unit: String,
    /// Name of the drop-in, which ends with `.conf`.
    pub name: String,
    /// What is in it.
    pub text: String,
}

impl Action {
    /// All words for changes.
    pub const VERBS: [&str; 12] = [
        "file",
        "files",
        "install",
        "mkdir",
        "move",
        "symlink",
        "remove",
        "mode",
        "owner",
        "capabilities",
        "replace",
        "drop-in",
    ];

    /// The file or folder beside `extension.toml` that it takes, if it takes one.
    pub fn beside(&self) -> Option<&str> {
        match self {
            Self::File(file) => file.from.as_deref(),
            Self::Files(files) => Some(&files.from),
            _ => None,
        }
    }

    /// Its word.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Files(_) => "files",
            Self::Install(_) => "install",
            Self::Mkdir(_) => "mkdir",
            Self::Move(_) => "move",
            Self::Symlink(_) => "symlink",
            Self::Remove(_) => "remove",
            Self::Mode(_) => "mode",
            Self::SetOwner(_) => "owner",
            Self::SetCapabilities(_) => "capabilities",
            Self::Replace(_) => "replace",
            Self::DropIn(_) => "drop-in",
        }
    }
}
