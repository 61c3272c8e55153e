//! The page served on this machine, by the command line.

use std::process::Command;

use anyhow::Result;

use crate::page;
use crate::shell::{run as run_command, target};

/// Builds the page and serves it until the person ends the command. Arguments are those of `sysext-composer serve`.
pub(crate) fn run(args: &[&str]) -> Result<()> {
    // The page is built with its server.
    let page = page::build()?;
    run_command(
        Command::new(target().join("release/sysext-composer")).arg("serve").arg(page).args(args),
    )
}
