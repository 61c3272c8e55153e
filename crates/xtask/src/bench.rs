//! Speed, size and memory against the tools that we replace, on the same input in the same run.

mod compose;
mod erofs;
mod reads;
mod resolve;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::page;
use crate::shell::{self, cargo, output, target};

/// Runs its arguments and prints user and system seconds, seconds, and the most memory of a process in KiB.
const MEASURE: &str = "
import resource, subprocess, sys, time
start = time.monotonic()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
wall = time.monotonic() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime, used.ru_stime, wall, used.ru_maxrss)
sys.exit(code)";

pub(crate) fn run(args: &[&str]) -> Result<()> {
    match args {
        [] => compose::run(),
        ["erofs", folders @ ..] => erofs::run(folders),
        ["page"] => page(),
        ["reads", folder] => reads::run(folder),
        ["resolve", primaries @ ..] => resolve::run(primaries),
        other => bail!("unknown benchmark: {}", other.join(" ")),
    }
}

/// The page against the command line.
fn page() -> Result<()> {
    let composer = composer()?;
    let site = page::build()?;
    let mut tests = cargo();
    tests.env("SYSEXT_SITE", site).env("SYSEXT_COMPOSER", composer);
    let names = ["--ignored", "--nocapture", "page_and_command_line"];
    shell::run(tests.args(["test", "--package", "testdata", "--test", "e2e", "--"]).args(names))
}

/// What a command takes: seconds, and MiB.
#[derive(Clone, Copy)]
struct Cost {
    user: f64,
    system: f64,
    wall: f64,
    memory: f64,
}

impl Cost {
    fn cpu(self) -> f64 {
        self.user + self.system
    }

    /// Keeps the run that took the least CPU time.
    fn best(best: &mut Option<Self>, cost: Self) {
        if best.is_none_or(|best| cost.cpu() < best.cpu()) {
            *best = Some(cost);
        }
    }
}

fn measure(command: &Command) -> Result<Cost> {
    let mut python = Command::new("python3");
    python.args(["-c", MEASURE]).arg(command.get_program()).args(command.get_args());
    let printed = output(&mut python)?;
    let numbers: Vec<f64> = printed.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [user, system, wall, memory] = numbers[..] else { bail!("cannot measure: {printed}") };
    Ok(Cost { user, system, wall, memory: memory / 1024.0 })
}

/// The mkfs.erofs to compare with, and its first arguments: `MKFS_EROFS`, or that of the path.
fn mkfs() -> Result<(String, Vec<String>)> {
    let named = std::env::var("MKFS_EROFS").unwrap_or_else(|_| "mkfs.erofs".to_owned());
    let mut words = named.split_whitespace().map(str::to_owned);
    let program = words.next().context("MKFS_EROFS is empty")?;
    Ok((program, words.collect()))
}

/// The released build of the command line.
fn composer() -> Result<PathBuf> {
    shell::run(cargo().args(["build", "--release", "--package", "sysext-composer"]))?;
    Ok(target().join("release/sysext-composer"))
}
