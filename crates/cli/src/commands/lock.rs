//! `sysext-composer lock`: exactly which packages an extension is made of.
#![expect(clippy::disallowed_methods, reason = "this crate is the outside world")]

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sysext::rpm::repodata::Checksum;
use sysext::{Lock, LockedPackage};

use super::obtain::{Obtained, fetch_all, obtain};
use crate::fetch::{Fetcher, Place, Wanted, matches, sha256};
use crate::output::write_file;
use crate::terminal::Terminal;
use crate::{Outcome, args};

pub(crate) fn run(args: &args::Lock, terminal: &Terminal) -> Result<Outcome> {
    let Some((packages, loaded)) = obtain(&args.obtain, terminal)? else {
        return Ok(Outcome::Refused);
    };
    let from = &args.obtain.choice.from;
    let about = &loaded.repositories.base().about;
    let mut lock = Lock::new(from.arch);
    lock.specs.clone_from(&args.obtain.choice.specs);
    lock.release = from.release.clone().or_else(|| about.os("VERSION_ID").map(str::to_owned));
    lock.image = (!about.digest.is_empty()).then(|| about.digest.clone());
    if let Some(base) = &from.base {
        let file = fs::read(base).with_context(|| format!("cannot read {}", base.display()))?;
        lock.base = Some(sha256(&file));
    }
    for Obtained { nevra, origin, source, keys, .. } in packages {
        let source = &loaded.sources[source];
        lock.packages.push(LockedPackage {
            nevra,
            repository: source.name().to_owned(),
            url: source.place.url(&origin.location)?,
            size: origin.size,
            checksum: format!("{}:{}", origin.checksum.algorithm, origin.checksum.hex),
            keys,
        });
    }
    if args.output.exists() {
        lock.keep_places(&read(&args.output)?);
    }
    let text = serde_json::to_string_pretty(&lock)? + "\n";
    write_file(&args.output, text.into_bytes())?;
    if terminal.json {
        terminal.result(&lock);
    } else {
        println!("{}: {} packages", args.output.display(), lock.packages.len());
    }
    Ok(Outcome::Done)
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
