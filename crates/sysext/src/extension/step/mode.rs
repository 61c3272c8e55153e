//! Permissions, as recipes say them.

use serde::{Deserialize, Serialize};

/// Permissions of a file, `0644` if nothing is said.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct FileMode(
    #[serde(with = "octal")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub u16,
);

/// Permissions of a folder, `0755` if nothing is said.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct FolderMode(
    #[serde(with = "octal")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub u16,
);

impl Default for FileMode {
    fn default() -> Self {
        Self(0o644)
    }
}

impl Default for FolderMode {
    fn default() -> Self {
        Self(0o755)
    }
}

/// Permissions as text of octal digits, as `chmod(1)` takes them: a number of TOML would be decimal.
mod octal {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(mode: &u16, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{mode:04o}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
        let text = String::deserialize(from)?;
        let mode = u16::from_str_radix(&text, 8).ok().filter(|mode| *mode <= 0o7777);
        let wrong =
            || D::Error::custom(format!("expected permissions such as \"0755\", found {text:?}"));
        mode.ok_or_else(wrong)
    }
}
