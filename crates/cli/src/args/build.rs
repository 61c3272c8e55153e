//! The arguments of `build`.

use std::num::NonZero;
use std::path::PathBuf;

use sysext::extension::Allow;
use sysext::{Arch, Check};

use super::Storage;
use super::recipes::Collection;
use super::repositories::{Network, Repo, Trust};

/// Build extensions from their recipes, for all systems that they are for
///
/// Each is planned, fetched, composed, labelled, checked and written. What one of them lacks does not stop the others.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sysext-composer build htop --target silverblue:43 --arch x86_64
  sysext-composer build --all -o images/
  sysext-composer build tailscale --base base-atomic:43=base-atomic-43.base --offline

Exit codes: 0 all are written, 1 one of them is not, 2 bad use or bad input.")]
pub(crate) struct Build {
    /// Names of extensions, or paths of their folders or extension.toml
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) names: Vec<String>,
    /// All extensions of the folder
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) collection: Collection,
    #[command(flatten)]
    pub(crate) whom: Whom,
    /// Use the packages of locks, which `lock` has written beside the recipes, and nothing else
    #[arg(long)]
    pub(crate) locked: bool,
    /// Make each image a second time, and keep none that differs
    #[arg(long)]
    pub(crate) twice: bool,
    /// Folder that the images are put into
    #[arg(short, long, value_name = "DIR", default_value = "images")]
    pub(crate) output: PathBuf,
    /// Images that are made side by side [default: one per core]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) jobs: Option<NonZero<usize>>,
    #[command(flatten)]
    pub(crate) storage: Storage,
    #[command(flatten)]
    pub(crate) judge: Judge,
    /// No time in the image is later than this: seconds since 1970
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH")]
    pub(crate) source_date_epoch: Option<i64>,
    /// Show every finding
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// For which systems recipes are built, and where packages come from.
#[derive(Debug, clap::Args)]
pub(crate) struct Whom {
    /// Only for this system, also if the recipe does not name it; `targets` lists them
    #[arg(long = "target", value_name = "ID:TAG")]
    pub(crate) targets: Vec<String>,
    /// Only for this architecture [default: those of the recipe]
    #[arg(long = "arch", value_name = "ARCH")]
    pub(crate) arches: Vec<Arch>,
    /// What systems, or one of them, have already: a pack that `base make` made, or a list of NEVRAs [default: made of the
    /// system's image]
    #[arg(long = "base", value_name = "[ID:TAG[/ARCH]=]FILE")]
    pub(crate) bases: Vec<NamedBase>,
    /// A repository in place of all that the recipes name, as for `resolve`
    #[arg(long = "repo", value_name = "[NAME=]URL|DIR|FILE|NAME")]
    pub(crate) repos: Vec<Repo>,
}

/// Which findings matter.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Judge {
    /// Findings of this check are errors
    #[arg(long, value_name = "CHECK")]
    pub(crate) deny: Vec<Check>,
    /// Findings of this check are fine, unless there can be no image with them
    #[arg(long, value_name = "CHECK")]
    pub(crate) allow: Vec<Check>,
}

impl Judge {
    /// What is allowed, as recipes say it.
    pub(crate) fn allowed(&self) -> Vec<Allow> {
        let allow = |check: &Check| Allow { check: *check, path: None, reason: "--allow".into() };
        self.allow.iter().map(allow).collect()
    }
}

/// A base pack, and what it is of.
#[derive(Clone, Debug)]
pub(crate) struct NamedBase {
    /// `ID:TAG`; all, if there is none.
    pub(crate) target: Option<String>,
    pub(crate) arch: Option<Arch>,
    pub(crate) path: PathBuf,
}

impl std::str::FromStr for NamedBase {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((target, path)) = text.split_once('=').filter(|(target, _)| target.contains(':'))
        else {
            return Ok(Self { target: None, arch: None, path: PathBuf::from(text) });
        };
        let (target, arch) = match target.split_once('/') {
            Some((target, arch)) => (target, Some(arch.parse()?)),
            None => (target, None),
        };
        Ok(Self { target: Some(target.to_owned()), arch, path: PathBuf::from(path) })
    }
}
