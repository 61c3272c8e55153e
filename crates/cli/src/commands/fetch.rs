//! `sysext-composer fetch`: the packages that must come along, checked.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sysext::Origin;
use sysext::rpm::signature::{Keyring, Verdict};

use super::checksig;
use super::load::Loaded;
use super::resolve::refuse;
use crate::fetch::{Fetcher, Wanted, matches};
use crate::sources::Source;
use crate::terminal::{Terminal, bytes};
use crate::{Outcome, args, interrupt};

pub(crate) fn run(args: &args::Fetch, terminal: &Terminal) -> Result<Outcome> {
    let keys = checksig::keyring(&args.keys)?;
    let fetcher = Fetcher::new(&args.network)?;
    let mut loaded = Loaded::new(&args.choice, &fetcher, &keys, terminal)?;
    let keyrings = keyrings(&loaded.sources, &fetcher, &keys, args.allow_unsigned)?;
    let solution = match loaded.resolve() {
        Ok(solution) => solution,
        Err(problems) => {
            refuse(&problems, terminal);
            return Ok(Outcome::Refused);
        }
    };
    loaded.repositories.read_origins()?;
    let repositories = &loaded.repositories;
    let mut origins = Vec::new();
    let mut wanted = Vec::new();
    for id in solution.packages {
        let nevra = repositories.pool().nevra(id);
        let (Some(origin), Some(repository)) =
            (repositories.origin(id), repositories.repository(id))
        else {
            continue;
        };
        let place = loaded.sources[repository].place.clone();
        wanted.push(Wanted {
            size: Some(origin.size),
            checksum: Some(origin.checksum.clone()),
            ..Wanted::unknown(place, &origin.location)
        });
        origins.push((nevra, origin, repository));
    }
    let total = origins.iter().map(|(_, origin, _)| origin.size).sum();
    let progress = terminal.progress(total);
    progress.set_message("fetching");
    let paths = fetcher.all(&wanted, &progress)?;
    progress.finish_and_clear();
    let mut refused = Vec::new();
    for ((nevra, origin, repository), path) in origins.iter().zip(&paths) {
        interrupt::check()?;
        if let Some(why) = check(origin, path, keyrings[*repository].as_ref())? {
            refused.push(format!("{nevra}: {why}"));
        }
    }
    if !refused.is_empty() {
        for why in &refused {
            terminal.error(&anyhow::anyhow!("{why}"));
        }
        return Ok(Outcome::Refused);
    }
    place(args, &origins, &paths, terminal, total)
}

/// The keys of each repository, or nothing where signatures are not asked for, which is said aloud.
fn keyrings(
    sources: &[Source],
    fetcher: &Fetcher,
    keys: &Keyring,
    allow_unsigned: bool,
) -> Result<Vec<Option<Keyring>>> {
    if allow_unsigned {
        eprintln!("warning: signatures are NOT asked for: these packages may be anybody's");
        return Ok(sources.iter().map(|_| None).collect());
    }
    let keyring = |source: &Source| {
        let name = source.name();
        if !source.gpgcheck {
            eprintln!(
                "warning: {name} has gpgcheck=0: signatures of its packages are NOT asked for"
            );
            return Ok(None);
        }
        let keyring = source.keyring(fetcher, keys)?;
        let keyring = keyring.with_context(|| {
            format!("{name} names no keys: say which are trusted with --key, or --allow-unsigned")
        });
        keyring.map(Some)
    };
    sources.iter().map(keyring).collect()
}

/// Why a package cannot be taken. Without keys its signature is not asked for.
fn check(origin: &Origin, path: &Path, keyring: Option<&Keyring>) -> Result<Option<String>> {
    if !matches(path, &origin.checksum)? {
        let algorithm = &origin.checksum.algorithm;
        return Ok(Some(format!("its {algorithm} is not what the repository says")));
    }
    let Some(keyring) = keyring else { return Ok(None) };
    let name = path.display();
    let file = fs::File::open(path).with_context(|| format!("cannot open {name}"))?;
    Ok(match keyring.verify_package(std::io::BufReader::new(file)) {
        Ok(Verdict::Signed(_)) => None,
        Ok(Verdict::Unsigned) => Some("it is not signed (--allow-unsigned takes it)".into()),
        Ok(Verdict::NoKey(keys)) => {
            Some(format!("it is signed by {}, which is none of the keys", keys.join(", ")))
        }
        Ok(Verdict::Bad(why)) => Some(format!("bad signature: {why}")),
        Err(error) => Some(error.to_string()),
    })
}

/// Puts the packages into the folder that was asked for.
fn place(
    args: &args::Fetch,
    origins: &[(String, Origin, usize)],
    paths: &[PathBuf],
    terminal: &Terminal,
    total: u64,
) -> Result<Outcome> {
    let folder = &args.output;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut placed = Vec::new();
    for ((_, origin, _), path) in origins.iter().zip(paths) {
        let name = origin.location.rsplit('/').next().unwrap_or(&origin.location);
        let target = folder.join(name);
        let temporary = folder.join(format!(".{name}.partial"));
        let copied = fs::copy(path, &temporary).and_then(|_| fs::rename(&temporary, &target));
        copied.with_context(|| format!("cannot write {}", target.display()))?;
        placed.push(target.display().to_string());
    }
    if terminal.json {
        terminal.result(&serde_json::json!({ "packages": placed, "size": total }));
    } else {
        println!("{} packages, {}, in {}", placed.len(), bytes(total), folder.display());
    }
    Ok(Outcome::Done)
}
