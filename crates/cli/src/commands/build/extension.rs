//! One image of a recipe.
#![expect(clippy::disallowed_methods, reason = "this crate is the outside world")]

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZero;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;
use sysext::checks::reproducible;
use sysext::erofs::Options;
use sysext::rpm::repodata::Variables;
use sysext::{Base, BesideFile, Contents, Extension, Recipe, Report, Target};

use super::bases::Known;
use super::sources::Fetched;
use super::{Bases, Built, Job, sources};
use crate::args::{self, Choice, Choosing, Repo, Repositories};
use crate::commands::make::Planned;
use crate::commands::shelf::Shelf;
use crate::commands::{lock, obtain};
use crate::fetch::Fetcher;
use crate::recipes::OnDisk;
use crate::terminal::Terminal;
use crate::workers::Workers;

/// Builds one image.
pub(super) fn build(
    job: &Job<'_>,
    args: &args::Build,
    fetcher: &Fetcher,
    shelf: &Shelf,
    bases: &Bases,
    workers: usize,
) -> Result<Built> {
    let known = bases.of(&job.target, job.arch)?;
    let release = release(job, &known.base)?;
    let (packages, held) = if args.locked {
        locked(job, fetcher)?
    } else {
        chosen(job, args, fetcher, shelf, known, &release)?
    };
    let Options { profile, level, pcluster } = args.storage.options()?;
    let mut extension = job.extension.clone();
    extension.deny.extend(&args.judge.deny);
    extension.allowed.extend(args.judge.allowed());
    let mut recipe = Recipe {
        profile,
        level,
        pcluster,
        source_date_epoch: args.source_date_epoch,
        ..Recipe::of(extension, &job.recipe.name, Target { release, arch: job.arch })?
    };
    recipe.source_version = held.version(&recipe.extension);
    let mut contents = Contents::default();
    contents.beside = beside(job.recipe, &recipe.extension)?;
    contents.sources = held.sources;
    let plan = || Planned::new(&packages, &recipe, Some(&known.base), contents.clone());
    let planned = plan()?;
    if planned.plan.has_errors() {
        return Ok(Built::Refused { findings: planned.plan.findings().to_vec() });
    }
    let image = args.output.join(planned.plan.file_name());
    let inventory = planned.plan.inventory();
    let report = write(planned, &image, workers)?;
    if args.twice {
        let again = image.with_extension("again");
        let second = write(plan()?, &again, if workers == 1 { 2 } else { 1 });
        let _ = fs::remove_file(&again);
        if let Some(finding) = reproducible(&report, &second?) {
            fs::remove_file(&image)
                .with_context(|| format!("cannot remove {}", image.display()))?;
            return Ok(Built::Refused { findings: [report.findings, vec![finding]].concat() });
        }
    }
    Ok(Built::Written { image, report, inventory })
}

fn write(planned: Planned, image: &Path, workers: usize) -> Result<Report> {
    let mut pool = Workers::new(NonZero::new(workers));
    planned.write(image, &mut pool, &ProgressBar::hidden())
}

/// The Fedora release of a system: its own word, or its tag.
pub(crate) fn release_of(target: &str, base: &Base) -> Result<String> {
    let tag = target.split_once(':').map(|(_, tag)| tag).filter(|tag| tag.parse::<u32>().is_ok());
    let release = base.about.os("VERSION_ID").or(tag).map(str::to_owned);
    release.with_context(|| format!("the base of {target} does not say which release it is"))
}

/// The Fedora release of a job's system, if the recipe is for it.
pub(crate) fn release(job: &Job<'_>, base: &Base) -> Result<String> {
    let release = release_of(&job.target, base)?;
    if !job.extension.is_for_release(&release) {
        bail!(
            "{} is Fedora {release} now, and the recipe is for {}",
            job.target,
            job.extension.releases.join(", ")
        );
    }
    Ok(release)
}

/// Packages of repositories and sources, as they are now.
fn chosen(
    job: &Job<'_>,
    args: &args::Build,
    fetcher: &Fetcher,
    shelf: &Shelf,
    known: &Known,
    release: &str,
) -> Result<(Vec<PathBuf>, Fetched)> {
    let mut packages = Vec::new();
    if !job.extension.packages.is_empty() {
        let choice = choice(job, &args.whom.repos, known, release)?;
        // What is said of single downloads and problems goes with the image that it is about.
        let quiet = Terminal { json: true };
        let obtained = obtain::obtain_one(&choice, &args.trust, shelf, fetcher, &quiet)?;
        packages.extend(obtained.into_iter().map(|package| package.path));
    }
    let mut fetched = sources::fetch(&job.extension, job.arch, fetcher, &args.trust)?;
    packages.append(&mut fetched.packages);
    Ok((packages, fetched))
}

/// Packages and sources of a lock, and nothing else.
fn locked(job: &Job<'_>, fetcher: &Fetcher) -> Result<(Vec<PathBuf>, Fetched)> {
    let path = lock::path(job);
    if !path.exists() {
        bail!(
            "there is no lock {}: `sysext-composer lock {}` writes it",
            path.display(),
            job.recipe.name
        );
    }
    let lock = lock::read(&path)?;
    let mut packages = lock::packages(&lock, fetcher, &Terminal { json: true })?;
    let mut fetched = sources::locked(&job.extension, &lock.sources, fetcher)?;
    packages.append(&mut fetched.packages);
    Ok((packages, fetched))
}

/// What a recipe chooses of which repositories, for a system.
pub(crate) fn choice(
    job: &Job<'_>,
    instead: &[Repo],
    known: &Known,
    release: &str,
) -> Result<Choice> {
    let extension = &job.extension;
    let variables = Variables::new(Some(release), job.arch.rpm());
    let mut repos = instead.to_vec();
    let mut described = String::new();
    if instead.is_empty() {
        for name in extension.repository_names() {
            let name = variables
                .replace(name)
                .map_err(|(unknown, _)| anyhow::anyhow!("{name}: ${unknown} is not known"))?;
            repos.push(Repo { name: None, place: name, priority: None });
        }
        described = extension.repo_file();
    }
    let is_there = |name: &&String| known.base.packages().any(|package| package.name() == **name);
    Ok(Choice {
        from: Repositories {
            repos,
            described,
            release: Some(release.to_owned()),
            base: Some(known.path.clone()),
            arch: job.arch,
        },
        how: Choosing {
            absent: extension.absent.iter().filter(is_there).cloned().collect(),
            no_weak: !extension.weak_dependencies,
            exclude: extension.exclude.clone(),
            ..Choosing::default()
        },
        specs: extension.packages.clone(),
    })
}

/// Files that lie beside a recipe and that its steps name.
fn beside(recipe: &OnDisk, extension: &Extension) -> Result<BTreeMap<String, BesideFile>> {
    let mut files = BTreeMap::new();
    for from in extension.steps.iter().filter_map(|step| step.action.beside()) {
        read_beside(&recipe.beside(from), from.trim_end_matches('/'), &mut files)?;
    }
    Ok(files)
}

fn read_beside(path: &Path, name: &str, files: &mut BTreeMap<String, BesideFile>) -> Result<()> {
    let cannot = || format!("cannot read {}", path.display());
    let about = fs::metadata(path).with_context(cannot)?;
    if about.is_dir() {
        for entry in fs::read_dir(path).with_context(cannot)? {
            let entry = entry.with_context(cannot)?;
            let below = format!("{name}/{}", entry.file_name().to_string_lossy());
            read_beside(&entry.path(), &below, files)?;
        }
        return Ok(());
    }
    // As git keeps it: whether it is a program, and nothing else.
    let mode = if about.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 };
    files.insert(name.to_owned(), BesideFile { bytes: fs::read(path).with_context(cannot)?, mode });
    Ok(())
}
