//! Steps as they are written: tables of which exactly one key is a change.

use serde::{Deserialize, Serialize};

use super::{
    Action, DropIn, File, Files, Install, Mkdir, Mode, Move, Remove, Replace, SetCapabilities,
    SetOwner, Step, Symlink, When,
};

/// A step as it is written: exactly one of the changes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Step"))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Written {
    /// Writes a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File>,
    /// Puts all files of a folder beside `extension.toml` below a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Files>,
    /// Puts a file of a source at a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    install: Option<Install>,
    /// Makes a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    mkdir: Option<Mkdir>,
    /// Gives a file or folder another path; what is in a folder comes along.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#move: Option<Move>,
    /// Makes symbolic links.
    #[serde(skip_serializing_if = "Option::is_none")]
    symlink: Option<Symlink>,
    /// Takes out what matches, folders with all that is in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    remove: Option<Remove>,
    /// Sets permissions of what matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    /// Sets owner and group of what matches, by the base's numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<SetOwner>,
    /// Sets capabilities of the files that match.
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<SetCapabilities>,
    /// Puts one text in the place of another in the files that match.
    #[serde(skip_serializing_if = "Option::is_none")]
    replace: Option<Replace>,
    /// Writes a drop-in of a unit of systemd.
    #[serde(skip_serializing_if = "Option::is_none")]
    drop_in: Option<DropIn>,
    /// When the change is made.
    #[serde(skip_serializing_if = "crate::extension::is_default")]
    when: When,
    /// Whether it is fine if there is nothing to change.
    #[serde(skip_serializing_if = "crate::extension::is_default")]
    optional: bool,
}

impl TryFrom<Written> for Step {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { when, optional, .. } = written;
        let actions = [
            written.file.map(Action::File),
            written.files.map(Action::Files),
            written.install.map(Action::Install),
            written.mkdir.map(Action::Mkdir),
            written.r#move.map(Action::Move),
            written.symlink.map(Action::Symlink),
            written.remove.map(Action::Remove),
            written.mode.map(Action::Mode),
            written.owner.map(Action::SetOwner),
            written.capabilities.map(Action::SetCapabilities),
            written.replace.map(Action::Replace),
            written.drop_in.map(Action::DropIn),
        ];
        let mut actions = actions.into_iter().flatten();
        match (actions.next(), actions.next()) {
            (Some(action), None) => Ok(Self { action, when, optional }),
            (None, _) => Err(format!("expected a change, one of {}", Action::VERBS.join(", "))),
            (Some(first), Some(second)) => Err(format!(
                "expected one change per step, found `{}` and `{}`: make two steps of them",
                first.verb(),
                second.verb()
            )),
        }
    }
}

impl From<Step> for Written {
    fn from(Step { action, when, optional }: Step) -> Self {
        let none = Self { when, optional, ..Self::default() };
        match action {
            Action::File(step) => Self { file: Some(step), ..none },
            Action::Files(step) => Self { files: Some(step), ..none },
            Action::Install(step) => Self { install: Some(step), ..none },
            Action::Mkdir(step) => Self { mkdir: Some(step), ..none },
            Action::Move(step) => Self { r#move: Some(step), ..none },
            Action::Symlink(step) => Self { symlink: Some(step), ..none },
            Action::Remove(step) => Self { remove: Some(step), ..none },
            Action::Mode(step) => Self { mode: Some(step), ..none },
            Action::SetOwner(step) => Self { owner: Some(step), ..none },
            Action::SetCapabilities(step) => Self { capabilities: Some(step), ..none },
            Action::Replace(step) => Self { replace: Some(step), ..none },
            Action::DropIn(step) => Self { drop_in: Some(step), ..none },
        }
    }
}
