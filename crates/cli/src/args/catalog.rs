//! The arguments of what is about the page: its catalog, and serving it.

use std::path::PathBuf;

use sysext::Arch;

use super::build::NamedBase;
use super::repositories::{Network, Repo, Trust};

/// Make what the page chooses packages from: base packs of systems and indexes of their repositories, in one folder
///
/// Put the folder beside the page as `catalog`, or give it to `serve`. Every file has a hash of what it holds in its name;
/// those of an earlier catalog stay where they are.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sysext-composer catalog -o catalog/ silverblue:43 coreos:stable
  sysext-composer catalog -o catalog/ --arch aarch64 --repo fedora --repo updates --repo copr:OWNER/PROJECT iot:43

Exit codes: 0 written, 2 bad use or bad input.")]
pub(crate) struct Catalog {
    /// The systems; `targets` lists them
    #[arg(required = true, value_name = "ID:TAG")]
    pub(crate) targets: Vec<String>,
    /// Architecture; may be given several times
    #[arg(long = "arch", value_name = "ARCH", default_value = "x86_64")]
    pub(crate) arches: Vec<Arch>,
    /// What systems, or one of them, have already: a pack that `base make` made [default: made of the system's image]
    #[arg(long = "base", value_name = "[ID:TAG[/ARCH]=]FILE")]
    pub(crate) bases: Vec<NamedBase>,
    /// A repository, as for `resolve`; may be given several times
    #[arg(long = "repo", value_name = "[NAME=]URL|DIR|FILE|NAME", default_values = ["fedora", "updates"])]
    pub(crate) repos: Vec<Repo>,
    /// File of OpenPGP keys that metadata may be signed by, beside those that repositories name
    #[arg(long = "key", value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    /// The folder
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) network: Network,
}

/// Serve the page on this machine, with packages to choose from
///
/// Browsers do not let a page fetch from Fedora's mirrors. This does: a package of the catalog is fetched when the page asks
/// for it, held against its digest and the keys of its repository, and kept. Nothing else is fetched for anybody, and nobody
/// but this machine is answered.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sysext-composer serve target/site
  sysext-composer serve target/site --catalog catalog/ --port 8080

Exit codes: 0 ended by Ctrl-C, 2 bad use or bad input.")]
pub(crate) struct Serve {
    /// The folder of the page, as `cargo xtask build` makes it
    #[arg(value_name = "DIR")]
    pub(crate) page: PathBuf,
    /// The folder that `catalog` made
    #[arg(long, value_name = "DIR")]
    pub(crate) catalog: Option<PathBuf>,
    /// Port; 0 is any that is free [default: the first free one from 8080 to 8089]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) port: Option<u16>,
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
    pub(crate) trust: Trust,
}
