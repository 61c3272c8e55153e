//! The page served on this machine, by the command line.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};

use crate::page;
use crate::shell::{run as run_command, target};

/// Builds the page and serves it until the person ends the command. Arguments are those of `sysext-composer serve`.
pub(crate) fn run(args: &[&str]) -> Result<()> {
    run_command(command(&page::build()?).args(args))
}

/// The page while this program serves it.
pub(crate) struct Served {
    server: Child,
    pub(crate) address: String,
    /// The folder of the page.
    pub(crate) page: PathBuf,
}

/// Builds the page and serves it until the value is dropped.
pub(crate) fn in_background() -> Result<Served> {
    let page = page::build()?;
    let mut server = command(&page).args(["--port", "0"]).stdout(Stdio::piped()).spawn()?;
    let output = BufReader::new(server.stdout.take().context("no output")?);
    let line = output.lines().next().context("the server has not begun")??;
    let address = line.split_whitespace().find(|word| word.starts_with("http://"));
    let address = address.with_context(|| format!("no address: {line}"))?.to_owned();
    Ok(Served { server, address, page })
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The server of a page, which is built with it.
fn command(page: &Path) -> Command {
    let mut command = Command::new(target().join("release/sysext-composer"));
    command.arg("serve").arg(page);
    command
}
