//! `sysext-composer resolve`: the packages that must come along.
#![expect(clippy::disallowed_methods, reason = "this crate is the outside world")]

use std::fs;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use sysext::resolve::{PackageId, Problem, Solution};
use sysext::rpm::signature::Keyring;
use sysext::{Base, Repositories, Selection, Wanted};

use crate::fetch::{self, Fetcher, Place};
use crate::sources::{Source, sources};
use crate::terminal::Terminal;
use crate::{Outcome, args, interrupt};

/// A package that comes along.
#[derive(Serialize)]
struct Package<'a> {
    nevra: String,
    name: &'a str,
    evr: &'a str,
    arch: &'a str,
    repository: &'a str,
    location: String,
    checksum: String,
    size: u64,
    installed_size: u64,
    summary: String,
}

/// Something that stands in the way.
#[derive(Serialize)]
struct Obstacle<'a> {
    message: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    specs: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    because: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    base: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    help: &'a [String],
}

pub(crate) fn run(args: &args::Resolve, terminal: &Terminal) -> Result<Outcome> {
    let fetcher = Fetcher::new(&args.network)?;
    let mut loaded = Loaded::new(&args.choice, &fetcher, &Keyring::default(), terminal)?;
    match loaded.resolve() {
        Ok(solution) => {
            if terminal.json {
                loaded.repositories.read_origins()?;
                print(&loaded, &solution.packages, terminal);
            } else {
                let pool = loaded.repositories.pool();
                let mut lines: Vec<String> =
                    solution.packages.iter().map(|id| pool.nevra(*id)).collect();
                if args.why {
                    let reasons =
                        loaded.repositories.reasons(&loaded.selection, &solution).into_iter();
                    lines
                        .iter_mut()
                        .zip(reasons)
                        .for_each(|(line, why)| *line += &format!(": {why}"));
                }
                lines.sort();
                lines.iter().for_each(|line| println!("{line}"));
            }
            Ok(Outcome::Done)
        }
        Err(problems) => {
            refuse(&problems, terminal);
            Ok(Outcome::Refused)
        }
    }
}

/// Repositories that are ready to be chosen from, and what is wanted of them.
pub(crate) struct Loaded {
    pub(crate) repositories: Repositories,
    pub(crate) sources: Vec<Source>,
    selection: Selection,
}

impl Loaded {
    /// Reads the base and all that choosing needs of the repositories. Signed metadata is held against their keys and
    /// others.
    pub(crate) fn new(
        args: &args::Choice,
        fetcher: &Fetcher,
        keys: &Keyring,
        terminal: &Terminal,
    ) -> Result<Self> {
        let selection = Selection {
            specs: args.specs.clone(),
            exclude: args.exclude.clone(),
            absent: args.absent.clone(),
            weak: !args.no_weak,
            best: !args.no_best,
            multilib: !args.no_multilib,
        };
        let base = base(args)?;
        let release = args.release.as_deref().or_else(|| base.about.os("VERSION_ID"));
        let sources = sources(&args.repos, release, args.arch.rpm(), fetcher)?;
        let repositories = sources.iter().map(|source| source.repository.clone()).collect();
        let mut repositories = Repositories::new(args.arch.rpm(), repositories, base);
        for (at, source) in sources.iter().enumerate() {
            if let Place::Index(path) = &source.place {
                let name = path.display();
                let file = fs::read(path).with_context(|| format!("cannot read {name}"))?;
                repositories.provide_index(at, &file)?;
            }
        }
        let groups = selection.specs.iter().any(|spec| spec.starts_with('@'));
        let get = |wanted: &Wanted| {
            interrupt::check()?;
            let source = &sources[wanted.repository];
            let got = if wanted.is_repomd() {
                source.repomd(fetcher, keys)
            } else {
                fetcher.get(&fetch::Wanted {
                    size: wanted.size,
                    checksum: wanted.checksum().cloned(),
                    ..fetch::Wanted::unknown(source.place.clone(), &wanted.path)
                })
            };
            got.with_context(|| source.name().to_owned())
        };
        loop {
            let wanted = repositories.wanted(groups);
            if wanted.is_empty() {
                break;
            }
            for wanted in wanted {
                let bytes = get(&wanted)?;
                repositories.provide(&wanted, &bytes)?;
            }
        }
        note_unknown(&repositories.index(), terminal);
        let wanted = match args.no_filelists {
            true => Vec::new(),
            false => repositories.wanted_for_paths(&selection),
        };
        if !wanted.is_empty() {
            let mut files = Vec::new();
            for wanted in wanted {
                let bytes = get(&wanted)?;
                files.push((wanted, bytes));
            }
            repositories.provide_paths(&selection, &files)?;
        }
        Ok(Self { repositories, sources, selection })
    }

    /// The packages that must come along, or why there are none.
    pub(crate) fn resolve(&self) -> Result<Solution, Vec<Problem>> {
        self.repositories.resolve(&self.selection)
    }
}

/// Says which packages of the base no repository knows.
fn note_unknown(unknown: &[String], terminal: &Terminal) {
    if unknown.is_empty() || terminal.json {
        return;
    }
    let some: Vec<&str> = unknown.iter().map(String::as_str).take(3).collect();
    let more = if unknown.len() > some.len() { " ..." } else { "" };
    eprintln!(
        "note: no repository has {} packages of the base; what other versions of them say is taken for theirs: {}{more}",
        unknown.len(),
        some.join(", ")
    );
}

fn base(args: &args::Choice) -> Result<Base> {
    let Some(path) = &args.base else {
        if !args.absent.is_empty() {
            bail!("--absent takes packages out of the base: it needs --base");
        }
        return Ok(Base::default());
    };
    let name = path.display();
    let file = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    let base = Base::read(&file).with_context(|| name.to_string())?;
    let is_there = |name: &String| base.packages().any(|nevra| nevra.name() == name);
    if let Some(name) = args.absent.iter().find(|name| !is_there(name)) {
        bail!("--absent {name}: the base has no package of this name");
    }
    Ok(base)
}

/// Prints all that is known of the packages, for machines.
fn print(loaded: &Loaded, ids: &[PackageId], terminal: &Terminal) {
    let repositories = &loaded.repositories;
    let pool = repositories.pool();
    let mut packages: Vec<Package<'_>> = ids
        .iter()
        .filter_map(|id| {
            let origin = repositories.origin(*id)?;
            Some(Package {
                nevra: pool.nevra(*id),
                name: pool.package_name(*id),
                evr: pool.package_evr(*id),
                arch: pool.package_arch(*id),
                repository: loaded.sources.get(repositories.repository(*id)?)?.name(),
                location: origin.location,
                checksum: format!("{}:{}", origin.checksum.algorithm, origin.checksum.hex),
                size: origin.size,
                installed_size: origin.installed_size,
                summary: origin.summary,
            })
        })
        .collect();
    packages.sort_by(|a, b| a.nevra.cmp(&b.nevra));
    terminal.result(&serde_json::json!({ "packages": packages }));
}

/// Says what stands in the way.
pub(crate) fn refuse(problems: &[Problem], terminal: &Terminal) {
    if !terminal.json {
        for problem in problems {
            eprintln!("error: {problem}");
        }
        return;
    }
    let obstacles: Vec<Obstacle<'_>> = problems
        .iter()
        .map(|problem| {
            let message = problem.to_string();
            match problem {
                Problem::NoMatch { wish } => Obstacle {
                    message,
                    specs: std::slice::from_ref(wish),
                    because: &[],
                    base: &[],
                    help: &[],
                },
                Problem::Contradiction { wishes, because, base, help } => {
                    Obstacle { message, specs: wishes, because, base, help }
                }
            }
        })
        .collect();
    terminal.result(&serde_json::json!({ "problems": obstacles }));
}
