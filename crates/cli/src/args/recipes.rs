//! The arguments of what is about recipes.

use std::path::PathBuf;

use sysext::Arch;

/// Recipes that are meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Recipes {
    /// Names of extensions, or paths of their folders or extension.toml; all, if there are none
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) collection: Collection,
}

/// The folder that recipes are in.
#[derive(Debug, clap::Args)]
pub(crate) struct Collection {
    /// The folder that has a folder for each extension
    #[arg(long, value_name = "DIR", default_value = "extensions", env = "SYSEXT_EXTENSIONS")]
    pub(crate) extensions: PathBuf,
}

/// Begin a recipe: write extensions/NAME/extension.toml
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  sysext-composer new htop --summary 'htop, which shows and steers processes'
  sysext-composer new tailscale --repository https://pkgs.tailscale.com/stable/fedora/tailscale.repo \\
      --service tailscaled.service")]
pub(crate) struct New {
    /// Name of the extension
    pub(crate) name: String,
    /// One line about it
    #[arg(long)]
    pub(crate) summary: Option<String>,
    /// A package of it [default: the one of its name]
    #[arg(long = "package", value_name = "SPEC")]
    pub(crate) packages: Vec<String>,
    /// A repository besides fedora and updates: a name, copr:OWNER/PROJECT or the URL of a .repo file
    #[arg(long = "repository", value_name = "NAME|URL")]
    pub(crate) repositories: Vec<String>,
    /// A system that it is for [default: base-atomic]
    #[arg(long = "target", value_name = "ID[:TAG]")]
    pub(crate) targets: Vec<String>,
    /// An architecture that it is for [default: x86_64 and aarch64]
    #[arg(long = "arch", value_name = "ARCH")]
    pub(crate) arches: Vec<Arch>,
    /// A unit that is started when the extension is merged
    #[arg(long = "service", value_name = "UNIT")]
    pub(crate) services: Vec<String>,
    #[command(flatten)]
    pub(crate) collection: Collection,
}

/// Find what is wrong with recipes
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 nothing, 1 something is wrong with one, 2 bad use or bad input."
)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) recipes: Recipes,
}

/// Say what a check is about, or list all
///
/// Checks look at what an extension will do on the running system. A recipe allows a finding with `[[allow]]`, or denies a check;
/// so do --allow and --deny of `build` and `compose`.
#[derive(Debug, clap::Args)]
pub(crate) struct Checks {
    /// The check
    #[arg(value_name = "CHECK")]
    pub(crate) check: Option<sysext::Check>,
}

/// Write recipes in the usual form; comments stay
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 done, 1 --check found some that are not, 2 bad use or bad input."
)]
pub(crate) struct Fmt {
    #[command(flatten)]
    pub(crate) recipes: Recipes,
    /// Write nothing, and tell which ones would be changed
    #[arg(long)]
    pub(crate) check: bool,
}

/// Say in words what an extension does, also on the running system
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// Name of the extension, or the path of its folder or extension.toml
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) collection: Collection,
}
