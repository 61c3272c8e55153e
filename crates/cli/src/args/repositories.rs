//! The arguments of what is about repositories, packages to choose, and bases.

use std::num::NonZero;
use std::path::PathBuf;

use clap::Subcommand;
use sysext::Arch;

use super::build::Whom;
use super::recipes::Collection;

/// Find the packages that must come along
///
/// SPEC names packages as dnf does: NAME, NAME.ARCH, NAME-VERSION-RELEASE, with * and ?; what packages provide, such as
/// 'pkgconfig(zlib) >= 1.2'; a path; @GROUP.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sysext-composer resolve --repo ./fedora --arch x86_64 htop
  sysext-composer resolve --repo ./fedora --repo updates=./updates --base base.txt --arch x86_64 --no-weak libvirt

Exit codes: 0 found, 1 there is no solution (it says why), 2 bad use or bad input.")]
pub(crate) struct Resolve {
    /// Say of each package why it comes along
    #[arg(long)]
    pub(crate) why: bool,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) network: Network,
}

/// Fetch the packages that must come along
///
/// Each is held against the repository's digest and against its signature. What was fetched before is not fetched
/// again, and what broke off goes on where it stopped.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sysext-composer fetch --repo fedora --repo updates --release 43 --arch x86_64 --base silverblue-43.txt \\
      -o packages/ htop
  sysext-composer fetch --repo https://example.org/43/x86_64/os --arch x86_64 --base silverblue-43.txt \\
      --key RPM-GPG-KEY-example -o packages/ htop

Exit codes: 0 fetched, 1 there is no solution or a package is not signed as it must be, 2 bad use or bad input.")]
pub(crate) struct Fetch {
    #[command(flatten)]
    pub(crate) obtain: Obtain,
    /// Folder that the packages are put into
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
}

/// Write which packages an extension is made of, so that it can be made again of the same
///
/// Of a recipe, by its name: a lock for each system that it is for, in the folder `locks` beside it, which `build --locked`
/// uses. With --repo and -o, of packages that are named: `compose --locked` makes the extension of them and of nothing else.
/// Packages are chosen, fetched and checked as by `fetch`. The same packages give the same file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sysext-composer lock htop --target silverblue:43 --arch x86_64
  sysext-composer build htop --target silverblue:43 --arch x86_64 --locked
  sysext-composer lock --repo fedora --repo updates --base silverblue-43.base --arch x86_64 -o htop.lock htop
  sysext-composer compose --name htop --release 43 --arch x86_64 --locked htop.lock -o htop.raw

Exit codes: 0 written, 1 there is no solution or a package is not signed as it must be, 2 bad use or bad input.")]
pub(crate) struct Lock {
    /// Names of extensions, or paths of their folders; with -o, packages as for `resolve`
    #[arg(required = true, value_name = "NAME|SPEC")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) collection: Collection,
    #[command(flatten)]
    pub(crate) whom: Whom,
    #[command(flatten)]
    pub(crate) how: Choosing,
    /// The lock of packages that are named; without it, names are those of recipes
    #[arg(short, long, value_name = "FILE", requires = "repos", requires = "arches")]
    pub(crate) output: Option<PathBuf>,
    /// Release of the target, for packages that are named [default: the base's]
    #[arg(long, value_name = "NUMBER", requires = "output")]
    pub(crate) release: Option<String>,
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// Which packages are fetched, how, and whose.
#[derive(Debug, clap::Args)]
pub(crate) struct Obtain {
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// Whose packages are taken.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Trust {
    /// File of OpenPGP keys that packages may be signed by, beside those that a repository names
    #[arg(long = "key", value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    /// Take packages whatever their signatures say
    #[arg(long)]
    pub(crate) allow_unsigned: bool,
}

/// Make an index of a repository: all that choosing needs, in a small file that loads fast
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sysext-composer index --repo ./fedora -o fedora/fedora.index
  sysext-composer index --repo updates --release 43 --arch x86_64 -o updates.index

Exit codes: 0 written, 2 bad use or bad input.")]
pub(crate) struct Index {
    /// The repository: the folder or URL that has repodata/ in it, ID=FILE.repo, or a name such as fedora
    #[arg(long, value_name = "[ID=]URL|DIR|FILE|NAME")]
    pub(crate) repo: Repo,
    /// Release that $releasever stands for in the repository's URLs
    #[arg(long, value_name = "NUMBER")]
    pub(crate) release: Option<String>,
    /// Architecture that $basearch stands for
    #[arg(long, default_value = "x86_64")]
    pub(crate) arch: Arch,
    /// File of OpenPGP keys that metadata may be signed by, beside those that the repository names
    #[arg(long = "key", value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    /// Leave out the paths that only the list of all files has, which nobody reads until one is asked for
    #[arg(long)]
    pub(crate) no_paths: bool,
    /// The index; `--repo` takes it in place of the repository. Packages of a folder must lie beside it, others are fetched
    /// from where the repository has them
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) network: Network,
}

/// What targets have already: make packs of that, look into them, compare them
#[derive(Debug, Subcommand)]
pub(crate) enum BaseCommand {
    Make(BaseMake),
    /// Show what is known of a base
    Show {
        /// The pack, or a list of packages
        pack: PathBuf,
        /// All packages as well
        #[arg(long)]
        packages: bool,
        /// The paths of all packages as well, with mode, owner and where links lead
        #[arg(long)]
        files: bool,
    },
    /// Show which packages differ between two bases
    #[command(
        after_help = "Exit codes: 0 they have the same packages, 1 they differ, 2 bad use or bad input."
    )]
    Diff {
        /// The first pack or list
        old: PathBuf,
        /// The second
        new: PathBuf,
    },
}

/// Make a base pack of an image in a registry, an unpacked image, a database of packages, or a list of CoreOS
///
/// Of an image come packages with dependencies and files, os-release, users, groups and SELinux file contexts; of a
/// database (rpmdb.sqlite) packages with dependencies and files; of manifest-lock.*.json or commitmeta.json names and
/// versions of packages. Images are read without a container engine and without root; their layers are kept in the cache.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sysext-composer base make silverblue:43 --arch x86_64 -o silverblue-43.base
  sysext-composer base make quay.io/fedora/fedora-bootc:43 --arch aarch64 -o bootc-43.base
  sysext-composer base make /mnt/root -o root.base
  sysext-composer base make manifest-lock.x86_64.json -o coreos.base")]
pub(crate) struct BaseMake {
    /// What `targets` lists, as ID:TAG; REGISTRY/NAME:TAG or REGISTRY/NAME@DIGEST; root folder of an image; rpmdb.sqlite; a
    /// JSON file of CoreOS
    #[arg(value_name = "TARGET|IMAGE|DIR|FILE")]
    pub(crate) source: String,
    /// Which of the images of a name: x86_64, aarch64, ppc64le, s390x or riscv64
    #[arg(long)]
    pub(crate) arch: Option<Arch>,
    /// The pack
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Digest of the image, kept in the pack
    #[arg(long, default_value = "")]
    pub(crate) digest: String,
    #[command(flatten)]
    pub(crate) network: Network,
}

/// Which repositories, for which target.
#[derive(Clone, Debug, Eq, PartialEq, clap::Args)]
pub(crate) struct Repositories {
    /// A repository; may be given several times
    ///
    /// The folder or URL that has repodata/ in it, or a file that `index` made (of a URL it ends with .index), with a
    /// name before `=` if the last part of it will not do. A .repo file or its URL, for all that is enabled in it;
    /// ID=FILE.repo for one section. A name: fedora, updates, rpmfusion-free, copr:OWNER/PROJECT and what else
    /// extensions/repositories.repo has; with * for all that begin so. `,priority=N` after it prefers lower numbers
    /// [default: 99].
    #[arg(long = "repo", required = true, value_name = "[NAME=]URL|DIR|FILE|NAME")]
    pub(crate) repos: Vec<Repo>,
    /// More repositories, as a `.repo` file has them.
    #[arg(skip)]
    pub(crate) described: String,
    /// Release of the target, which $releasever stands for in repositories [default: the base's]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) release: Option<String>,
    /// What the target has already: a pack that `base make` made, or a list of NEVRAs, one a line, as `rpm -qa` prints
    #[arg(long, value_name = "FILE")]
    pub(crate) base: Option<PathBuf>,
    /// Architecture of the target: x86_64, aarch64, ppc64le, s390x or riscv64
    #[arg(long)]
    pub(crate) arch: Arch,
}

/// What is chosen of which repositories.
#[derive(Debug, clap::Args)]
pub(crate) struct Choice {
    #[command(flatten)]
    pub(crate) from: Repositories,
    #[command(flatten)]
    pub(crate) how: Choosing,
    /// What is wanted
    #[arg(required = true, value_name = "SPEC")]
    pub(crate) specs: Vec<String>,
}

/// How packages are chosen.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Choosing {
    /// Take a package of the base for absent
    #[arg(long, value_name = "NAME")]
    pub(crate) absent: Vec<String>,
    /// Leave out packages that are only recommended
    #[arg(long)]
    pub(crate) no_weak: bool,
    /// Take an older version where the newest cannot be installed
    #[arg(long)]
    pub(crate) no_best: bool,
    /// Let no package of another word size come along beside one of the same name
    #[arg(long)]
    pub(crate) no_multilib: bool,
    /// Never read the lists of all files, as dnf does: paths that only they know are nobody's then
    #[arg(long)]
    pub(crate) no_filelists: bool,
    /// Packages that must not come along
    #[arg(long, value_name = "SPEC")]
    pub(crate) exclude: Vec<String>,
}

/// Search for packages: all words in the name, or else in the summary
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 found, 1 there is no such package, 2 bad use or bad input.")]
pub(crate) struct Search {
    #[command(flatten)]
    pub(crate) from: Repositories,
    #[command(flatten)]
    pub(crate) network: Network,
    /// What is looked for; capital letters are as good as small ones
    #[arg(required = true, value_name = "WORD")]
    pub(crate) words: Vec<String>,
}

/// Show what is known of packages
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 found, 1 there is no such package, 2 bad use or bad input.")]
pub(crate) struct Info {
    #[command(flatten)]
    pub(crate) from: Repositories,
    #[command(flatten)]
    pub(crate) network: Network,
    /// Show all dependencies as well
    #[arg(long)]
    pub(crate) dependencies: bool,
    /// Which packages, as for `resolve`
    #[arg(required = true, value_name = "SPEC")]
    pub(crate) specs: Vec<String>,
}

/// Show which of the packages that come along needs which
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 found, 1 there is no solution (it says why), 2 bad use or bad input."
)]
pub(crate) struct Deps {
    /// As a tree, from what was asked for
    #[arg(long)]
    pub(crate) tree: bool,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) network: Network,
}

/// Show why a package comes along: the way there from what was asked for
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  sysext-composer why pcre2 --repo fedora --release 43 --arch x86_64 htop vim

Exit codes: 0 it comes along, 1 it does not, or there is no solution, 2 bad use or bad input.")]
pub(crate) struct Why {
    /// The package
    #[arg(value_name = "PACKAGE")]
    pub(crate) package: String,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) network: Network,
}

/// How files are fetched.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct Network {
    /// Folder where fetched files are kept [default: sysext-composer in the user's folder for caches]
    #[arg(long, value_name = "DIR", env = "SYSEXT_COMPOSER_CACHE")]
    pub(crate) cache: Option<PathBuf>,
    /// Use only what has been fetched before
    #[arg(long)]
    pub(crate) offline: bool,
    /// How often a file is tried again
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    pub(crate) retries: u32,
    /// Seconds that a server may be silent
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    pub(crate) timeout: NonZero<u64>,
    /// Files that are fetched side by side
    #[arg(long, value_name = "NUMBER", default_value = "4")]
    pub(crate) downloads: NonZero<usize>,
}

/// Hold packages against their digests and signatures
///
/// Every byte is read: header, payload and files against their digests, then all signatures against the keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 all are signed by one of the keys and whole, 1 one of them is not, 2 bad use or a file that is no package.")]
pub(crate) struct Checksig {
    /// File of OpenPGP keys that are trusted, armored or not
    #[arg(long = "key", value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    /// Let packages without a signature pass
    #[arg(long)]
    pub(crate) allow_unsigned: bool,
    /// The packages
    #[arg(required = true, value_name = "PACKAGE.rpm")]
    pub(crate) packages: Vec<PathBuf>,
}

/// A repository in the arguments.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Repo {
    /// What it shall be called, or which section of a `.repo` file is meant.
    pub(crate) name: Option<String>,
    /// Folder, URL, index, `.repo` file, or a name that is known.
    pub(crate) place: String,
    /// Lower is preferred.
    pub(crate) priority: Option<i32>,
}

impl std::str::FromStr for Repo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (text, priority) = match text.rsplit_once(",priority=") {
            Some((text, number)) => {
                let number = number.parse().map_err(|_| format!("`{number}` is no priority"))?;
                (text, Some(number))
            }
            None => (text, None),
        };
        let (name, place) = match text.split_once('=') {
            Some((name, place)) if !name.contains(['/', ':', '?']) => (Some(name), place),
            _ => (None, text),
        };
        if name.is_some_and(str::is_empty) || place.is_empty() {
            return Err("expected a folder, URL or name, perhaps with NAME= before it".into());
        }
        let place = place.trim_end_matches('/').to_owned();
        Ok(Self { name: name.map(str::to_owned), place, priority })
    }
}

impl Repo {
    /// Its name for messages.
    pub(crate) fn display_name(&self) -> String {
        let last = || self.place.rsplit('/').next().unwrap_or(&self.place);
        self.name.as_deref().unwrap_or_else(last).to_owned()
    }
}

impl std::fmt::Display for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}={}", self.place),
            None => f.write_str(&self.place),
        }
    }
}
