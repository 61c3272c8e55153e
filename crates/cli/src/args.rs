//! The arguments.

mod build;
mod catalog;
mod recipes;
mod repositories;

use std::num::NonZero;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use sysext::erofs::{Kernel, Level, Options, Pcluster};
use sysext::extension::EtcPolicy;
use sysext::{Arch, Exclude, Profile};

pub(crate) use build::{Build, Judge, NamedBase, Whom};
pub(crate) use catalog::{Catalog, Serve};
pub(crate) use recipes::{Check, Checks, Explain, Fmt, New};
pub(crate) use repositories::{
    BaseCommand, BaseMake, Checksig, Choice, Choosing, Deps, Fetch, Index, Info, Lock, Network,
    Obtain, Repo, Repositories, Resolve, Search, Trust, Why,
};

/// Makes systemd system extensions from RPM packages.
///
/// An extension is an EROFS image that `systemd-sysext` lays over the read-only /usr of image based systems. The
/// same input gives the same bytes, here and on the page in the browser.
#[derive(Debug, Parser)]
#[command(name = "sysext-composer", version, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Args {
    /// Print the result as JSON, for machines
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Compose(Compose),
    Build(Build),
    New(New),
    Check(Check),
    Checks(Checks),
    Fmt(Fmt),
    Explain(Explain),
    /// Print the JSON schema of extension.toml, for editors
    Schema,
    Pack(Pack),
    Search(Search),
    Info(Info),
    Resolve(Resolve),
    Deps(Deps),
    Why(Why),
    Lock(Lock),
    Fetch(Fetch),
    Index(Index),
    Catalog(Catalog),
    Serve(Serve),
    #[command(subcommand)]
    Base(BaseCommand),
    /// List the systems that extensions are for
    Targets,
    Checksig(Checksig),
    Label(Label),
    Inspect(Inspect),
    Extract(Extract),
    Verify(Verify),
}

/// Make an extension from packages
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sysext-composer compose --name htop --release 43 --arch x86_64 -o htop.raw htop-*.rpm
  sysext-composer compose --name vim --release 43 --arch x86_64 --exclude /usr/share/doc \\
      --exclude 'vim-common:/usr/share/man/**' -o out/ vim-*.rpm

Exit codes: 0 done, 1 findings of severity error (nothing written), 2 bad use or bad input.")]
pub(crate) struct Compose {
    /// Name of the extension; its image is to be installed as NAME.raw
    #[arg(long)]
    pub(crate) name: String,
    /// Fedora release that it is for, such as 43
    #[arg(long)]
    pub(crate) release: String,
    /// Architecture that it is for: x86_64, aarch64, ppc64le, s390x or riscv64
    #[arg(long)]
    pub(crate) arch: Arch,
    #[command(flatten)]
    pub(crate) storage: Storage,
    /// Leave out what matches; a folder takes all that is below with it. PACKAGE:GLOB for one package only
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<Exclude>,
    /// What the target has already, a pack that `base make` made: owners get its numbers, files the labels of its SELinux
    /// policy
    #[arg(long, value_name = "FILE")]
    pub(crate) base: Option<PathBuf>,
    /// Start a unit when the extension is merged, and keep it running
    #[arg(long = "service", value_name = "UNIT")]
    pub(crate) services: Vec<String>,
    /// What becomes of files in /etc: usr-etc (they go to /usr/etc), factory (systemd-tmpfiles copies them to /etc) or drop
    #[arg(long, value_name = "POLICY", default_value = "usr-etc")]
    pub(crate) etc: EtcPolicy,
    /// Merge on any distribution and release (ID=_any): only for programs that need nothing of the system
    #[arg(long)]
    pub(crate) any_release: bool,
    /// No time in the image is later than this: seconds since 1970
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH")]
    pub(crate) source_date_epoch: Option<i64>,
    /// The image; a folder gets NAME-VERSION-RELEASE-ARCH.raw
    #[arg(short, long, value_name = "FILE.raw")]
    pub(crate) output: PathBuf,
    /// Show every finding
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Make it of the packages of a lock, which are fetched, and of nothing else
    #[arg(long, value_name = "FILE")]
    pub(crate) locked: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
    pub(crate) judge: Judge,
    /// The packages
    #[arg(
        required_unless_present = "locked",
        conflicts_with = "locked",
        value_name = "PACKAGE.rpm"
    )]
    pub(crate) packages: Vec<PathBuf>,
}

/// Make an image of a folder, with modes, owners, extended attributes and hard links
#[derive(Debug, clap::Args)]
pub(crate) struct Pack {
    /// The folder
    pub(crate) dir: PathBuf,
    /// The image
    #[arg(short, long, value_name = "FILE.raw")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) storage: Storage,
    /// No time in the image is later than this: seconds since 1970
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH")]
    pub(crate) source_date_epoch: Option<i64>,
}

/// How files are stored.
#[derive(Debug, clap::Args)]
pub(crate) struct Storage {
    /// How files are stored: none, compat, default or small
    ///
    /// none: as they are, for those who compress the download. Linux 5.4.
    /// compat: LZ4 in clusters of 4 KiB, as Fedora's extensions are today. Linux 5.4.
    /// default: a quarter smaller, slower to make: clusters of 64 KiB. Linux 5.17.
    /// small: the smallest, above all where files are small: clusters of 256 KiB, small files together. Linux 6.1.
    #[arg(long, default_value = "compat", verbatim_doc_comment)]
    pub(crate) profile: Profile,
    /// How hard to compress, from 1 to 12, in place of the profile's (compat 1, default 6, small 4)
    #[arg(long)]
    pub(crate) level: Option<Level>,
    /// Size of physical clusters, 4K to 1M, in place of the profile's: larger ones are smaller in all and slower to
    /// read here and there
    #[arg(long, value_name = "SIZE")]
    pub(crate) pcluster: Option<Pcluster>,
    /// Refuse what that version of Linux cannot read, such as 5.15
    #[arg(long, value_name = "VERSION")]
    pub(crate) kernel: Option<Kernel>,
    /// Threads that compress [default: one per core]. The image is the same for any number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) workers: Option<NonZero<usize>>,
}

impl Storage {
    /// The options of the image, held against the kernel that is to read it.
    pub(crate) fn options(&self) -> Result<Options> {
        let Self { profile, level, pcluster, kernel, .. } = *self;
        if profile == Profile::None && (level.is_some() || pcluster.is_some()) {
            bail!("the profile none compresses nothing: leave out --level and --pcluster");
        }
        let options = Options { profile, level, pcluster };
        let Some(kernel) = kernel else { return Ok(options) };
        let lacks: Vec<_> = options
            .features()
            .into_iter()
            .filter(|feature| feature.since > kernel)
            .map(|feature| format!("{} (Linux {})", feature.name, feature.since))
            .collect();
        if lacks.is_empty() {
            return Ok(options);
        }
        let fits =
            Profile::ALL.into_iter().rfind(|profile| Options::new(*profile).kernel() <= kernel);
        let advice =
            fits.map(|profile| format!("; --profile {profile} would do")).unwrap_or_default();
        bail!("Linux {kernel} cannot read this image, it lacks {}{advice}", lacks.join(", "))
    }
}

/// Print the SELinux labels of paths by a policy
///
/// Reads lines of a type, a tab and a path from standard input and prints the label of each as matchpathcon does. Types are
/// file, dir, link, char, block, fifo, socket and any.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  find usr -printf 'any\\t/%p\\n' | sysext-composer label \\
      --policy /etc/selinux/targeted/contexts/files/file_contexts")]
pub(crate) struct Label {
    /// The policy's file_contexts; what lies beside it (.subs, .subs_dist, .homedirs, .local) is read as well
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// A policy module (.pp, .pp.bz2 or .cil) whose labels count as if it were loaded
    #[arg(long = "module", value_name = "FILE")]
    pub(crate) modules: Vec<PathBuf>,
}

/// Show what an image holds: superblock, release file, files
#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// The image
    pub(crate) image: PathBuf,
    /// Account for every byte: what it is, and whose
    #[arg(long)]
    pub(crate) map: bool,
}

/// Unpack an image into a new or empty folder
#[derive(Debug, clap::Args)]
pub(crate) struct Extract {
    /// The image
    pub(crate) image: PathBuf,
    /// The folder
    pub(crate) dir: PathBuf,
}

/// Decode every byte of an image
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 the image is whole, 1 it is corrupt, 2 it cannot be read.")]
pub(crate) struct Verify {
    /// The image
    pub(crate) image: PathBuf,
}
