//! `sysext-composer schema`: the JSON schema of `extension.toml`.

use anyhow::Result;
use sysext::Extension;

use crate::Outcome;
use crate::terminal::Terminal;

#[expect(clippy::unnecessary_wraps, reason = "all commands have this form")]
pub(crate) fn run(_terminal: &Terminal) -> Result<Outcome> {
    println!("{}", Extension::schema());
    Ok(Outcome::Done)
}
