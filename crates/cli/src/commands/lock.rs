//! `sysext-composer lock`: exactly which packages an extension is made of.
#![expect(clippy::disallowed_methods, reason = "this crate is the outside world")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sysext::rpm::repodata::Checksum;
use sysext::{About, Lock, LockedPackage};

use super::build::{Bases, Job, choice, jobs, order, release, sources, systems};
use super::obtain::{Obtained, fetch_all, obtain, obtain_one};
use super::shelf::Shelf;
use crate::args::{Choice, Obtain, Repositories};
use crate::fetch::{Fetcher, Place, Wanted, matches, sha256_of};
use crate::output::{create_folder, write_file};
use crate::recipes::{self, OnDisk};
use crate::terminal::Terminal;
use crate::{Outcome, args};

pub(crate) fn run(args: &args::Lock, terminal: &Terminal) -> Result<Outcome> {
    match &args.output {
        Some(output) => packages_of(args, output, terminal),
        None => recipes_of(args, terminal),
    }
}

/// A lock of packages that are named.
fn packages_of(args: &args::Lock, output: &Path, terminal: &Terminal) -> Result<Outcome> {
    let &[arch] = args.whom.arches.as_slice() else { bail!("--arch: expected one architecture") };
    let base = match args.whom.bases.as_slice() {
        [] => None,
        [base] => Some(base.path.clone()),
        _ => bail!("--base: expected one"),
    };
    let from = Repositories {
        repos: args.whom.repos.clone(),
        described: String::new(),
        release: args.release.clone(),
        base,
        arch,
    };
    let choice = Choice { from, how: args.how.clone(), specs: args.names.clone() };
    let obtain_args = Obtain { choice, network: args.network.clone(), trust: args.trust.clone() };
    let Some((packages, loaded)) = obtain(&obtain_args, terminal)? else {
        return Ok(Outcome::Refused);
    };
    let lock = lock(&obtain_args.choice, packages, &loaded.repositories.base().about)?;
    let lock = write(lock, output)?;
    if terminal.json {
        terminal.result(&lock);
    } else {
        println!("{}: {} packages", output.display(), lock.packages.len());
    }
    Ok(Outcome::Done)
}

/// Locks of recipes, each for all systems that it is for. What fails for one does not stop the others.
fn recipes_of(args: &args::Lock, terminal: &Terminal) -> Result<Outcome> {
    let found = recipes::find(&args.names, &args.collection.extensions)?;
    let jobs = jobs(&found, &args.whom)?;
    let fetcher = Fetcher::new(&args.network)?;
    let bases = Bases::make(&args.whom.bases, systems(&jobs), &args.network, terminal)?;
    let shelf = Shelf::new(1);
    let mut results = BTreeMap::new();
    for at in order(&jobs) {
        let job = &jobs[at];
        let path = path(job);
        let locked =
            one(job, args, &fetcher, &shelf, &bases, terminal).and_then(|lock| write(lock, &path));
        let (extension, target, arch) = (&job.recipe.name, &job.target, job.arch.rpm());
        match (&locked, terminal.json) {
            (Ok(lock), false) => println!(
                "{}: {} packages, {} sources",
                path.display(),
                lock.packages.len(),
                lock.sources.len()
            ),
            (Err(error), false) => eprintln!("{extension} for {target}, {arch}: {error:#}"),
            (_, true) => {}
        }
        let error = locked.as_ref().err().map(|error| format!("{error:#}"));
        let result = serde_json::json!({
            "extension": extension, "target": target, "arch": arch, "path": path,
            "lock": locked.as_ref().ok(), "error": error,
        });
        results.insert(at, result);
    }
    let results: Vec<_> = results.into_values().collect();
    let failed = results.iter().filter(|result| !result["error"].is_null()).count();
    if terminal.json {
        terminal.result(&serde_json::json!({ "locks": results, "failed": failed }));
    }
    Ok(if failed == 0 { Outcome::Done } else { Outcome::Refused })
}

/// The lock of a recipe for a system.
fn one(
    job: &Job<'_>,
    args: &args::Lock,
    fetcher: &Fetcher,
    shelf: &Shelf,
    bases: &Bases,
    terminal: &Terminal,
) -> Result<Lock> {
    let known = bases.of(&job.target, job.arch)?;
    let release = release(job, &known.base)?;
    let mut choice = choice(job, &args.whom.repos, known, &release)?;
    let how = &args.how;
    choice.how.absent.extend(how.absent.iter().cloned());
    choice.how.exclude.extend(how.exclude.iter().cloned());
    choice.how.no_weak |= how.no_weak;
    (choice.how.no_best, choice.how.no_multilib) = (how.no_best, how.no_multilib);
    choice.how.no_filelists = how.no_filelists;
    let mut locked = Lock { release: Some(release), ..Lock::new(job.arch) };
    if !job.extension.packages.is_empty() {
        let packages = obtain_one(&choice, &args.trust, shelf, fetcher, terminal)?;
        locked = lock(&choice, packages, &known.base.about)?;
    }
    locked.sources = sources::fetch(&job.extension, job.arch, fetcher, &args.trust)?.locked;
    Ok(locked)
}

/// What has been obtained, as a lock says it.
fn lock(choice: &Choice, packages: Vec<Obtained>, about: &About) -> Result<Lock> {
    let from = &choice.from;
    let mut lock = Lock::new(from.arch);
    lock.specs.clone_from(&choice.specs);
    lock.release = from.release.clone().or_else(|| about.os("VERSION_ID").map(str::to_owned));
    lock.image = (!about.digest.is_empty()).then(|| about.digest.clone());
    lock.base = from.base.as_deref().map(sha256_of).transpose()?;
    for Obtained { nevra, origin, repository, url, keys, .. } in packages {
        lock.packages.push(LockedPackage {
            nevra,
            repository,
            url,
            size: origin.size,
            checksum: format!("{}:{}", origin.checksum.algorithm, origin.checksum.hex),
            keys,
        });
    }
    Ok(lock)
}

/// Writes a lock; what has not changed stays where it was.
fn write(mut lock: Lock, path: &Path) -> Result<Lock> {
    if path.exists() {
        lock.keep_places(&read(path)?);
    }
    create_folder(path)?;
    let text = serde_json::to_string_pretty(&lock)? + "\n";
    write_file(path, text.into_bytes())?;
    Ok(lock)
}

/// Where the lock of a recipe for a system is.
pub(crate) fn path(job: &Job<'_>) -> PathBuf {
    let Job { recipe, target, arch, .. } = job;
    let recipe: &OnDisk = recipe;
    recipe.beside("locks").join(format!("{}-{}.json", target.replace(':', "-"), arch.rpm()))
}

/// Reads a lock.
pub(crate) fn read(path: &Path) -> Result<Lock> {
    let name = path.display();
    let text = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    let lock: Lock = serde_json::from_slice(&text).with_context(|| format!("{name} is no lock"))?;
    lock.check().with_context(|| name.to_string())?;
    Ok(lock)
}

/// The packages of a lock and nothing else: fetched, and held against its digests.
pub(crate) fn packages(
    lock: &Lock,
    fetcher: &Fetcher,
    terminal: &Terminal,
) -> Result<Vec<PathBuf>> {
    let mut wanted = Vec::new();
    for package in &lock.packages {
        let (algorithm, hex) = package.digest().context("the lock has been checked")?;
        let checksum = Checksum { algorithm: algorithm.to_owned(), hex: hex.to_owned() };
        let (folder, name) = package.url.rsplit_once('/').unwrap_or((".", &package.url));
        wanted.push(Wanted {
            size: Some(package.size),
            checksum: Some(checksum),
            ..Wanted::unknown(Place::new(folder)?, name)
        });
    }
    let paths = fetch_all(&wanted, fetcher, terminal)?;
    for ((path, package), wanted) in paths.iter().zip(&lock.packages).zip(&wanted) {
        // What the cache has was held against its digest; what lies in folders was not.
        let checksum = wanted.checksum.as_ref().context("every package has one")?;
        if !matches(path, checksum)? {
            bail!("{} at {} is not the one of the lock", package.nevra, package.url);
        }
    }
    Ok(paths)
}
