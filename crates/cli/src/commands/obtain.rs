//! Packages that must come along: chosen, fetched, and held against digests and signatures.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use sysext::Origin;
use sysext::resolve::Solution;
use sysext::rpm::signature::{Keyring, Verdict};

use super::checksig;
use super::load::Loaded;
use crate::fetch::{Fetcher, Wanted, matches};
use crate::sources::Source;
use crate::terminal::Terminal;
use crate::{args, interrupt};

/// A package that is here and is what it should be.
pub(crate) struct Obtained {
    pub(crate) nevra: String,
    pub(crate) origin: Origin,
    /// Which of the sources it is from.
    pub(crate) source: usize,
    pub(crate) path: PathBuf,
    /// Fingerprints of the keys that it is signed by, unless signatures were not asked for.
    pub(crate) keys: Vec<String>,
}

/// Obtains all packages that must come along, in the order of their names. If that cannot be, why has been said, and
/// nothing comes back.
pub(crate) fn obtain(
    args: &args::Obtain,
    terminal: &Terminal,
) -> Result<Option<(Vec<Obtained>, Loaded)>> {
    let args::Obtain { choice, network, trust } = args;
    let fetcher = &Fetcher::new(network)?;
    let keys = checksig::keyring(&trust.keys)?;
    let solved = Loaded::solved(choice, fetcher, &keys, terminal)?;
    let Some((loaded, solution)) = solved else { return Ok(None) };
    match fetch_solution(loaded, &solution, &keys, trust, fetcher, terminal)? {
        Ok(obtained) => Ok(Some(obtained)),
        Err(refused) => {
            for why in refused {
                terminal.error(&anyhow!(why));
            }
            Ok(None)
        }
    }
}

/// As [`obtain`], for one of many: why it cannot be is an error.
pub(crate) fn obtain_one(
    args: &args::Obtain,
    fetcher: &Fetcher,
    terminal: &Terminal,
) -> Result<(Vec<Obtained>, Loaded)> {
    let keys = checksig::keyring(&args.trust.keys)?;
    let loaded = Loaded::new(&args.choice, fetcher, &keys, terminal)?;
    let solution = loaded.repositories.resolve(&loaded.selection).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow!(problems.join("\n"))
    })?;
    let obtained = fetch_solution(loaded, &solution, &keys, &args.trust, fetcher, terminal)?;
    obtained.map_err(|refused| anyhow!(refused.join("\n")))
}

/// Packages and where they are from, or why some of them are refused.
type Fetched = Result<(Vec<Obtained>, Loaded), Vec<String>>;

fn fetch_solution(
    mut loaded: Loaded,
    solution: &Solution,
    keys: &Keyring,
    trust: &args::Trust,
    fetcher: &Fetcher,
    terminal: &Terminal,
) -> Result<Fetched> {
    for (at, source) in loaded.sources.iter_mut().enumerate() {
        source.settle(loaded.repositories.described(at), fetcher)?;
    }
    let keyrings = keyrings(&loaded.sources, fetcher, keys, trust.allow_unsigned)?;
    loaded.repositories.read_origins()?;
    let repositories = &loaded.repositories;
    let mut packages: Vec<Obtained> = solution
        .packages
        .iter()
        .filter_map(|id| {
            let (origin, source) = (repositories.origin(*id)?, repositories.repository(*id)?);
            let nevra = repositories.pool().nevra(*id);
            Some(Obtained { nevra, origin, source, path: PathBuf::new(), keys: Vec::new() })
        })
        .collect();
    packages.sort_by(|a, b| a.nevra.cmp(&b.nevra));
    let wanted: Vec<Wanted> = packages
        .iter()
        .map(|Obtained { origin, source, .. }| Wanted {
            size: Some(origin.size),
            checksum: Some(origin.checksum.clone()),
            ..Wanted::unknown(loaded.sources[*source].place.clone(), &origin.location)
        })
        .collect();
    let paths = fetch_all(&wanted, fetcher, terminal)?;
    let mut refused = Vec::new();
    for (package, path) in packages.iter_mut().zip(paths) {
        interrupt::check()?;
        match check(&package.origin, &path, keyrings[package.source].as_ref())? {
            Ok(keys) => (package.path, package.keys) = (path, keys),
            Err(why) => refused.push(format!("{}: {why}", package.nevra)),
        }
    }
    Ok(if refused.is_empty() { Ok((packages, loaded)) } else { Err(refused) })
}

/// Fetches files and shows how far it is.
pub(crate) fn fetch_all(
    wanted: &[Wanted],
    fetcher: &Fetcher,
    terminal: &Terminal,
) -> Result<Vec<PathBuf>> {
    let progress = terminal.progress(wanted.iter().filter_map(|wanted| wanted.size).sum());
    progress.set_message("fetching");
    let paths = fetcher.all(wanted, &progress)?;
    progress.finish_and_clear();
    Ok(paths)
}

/// The keys of each repository, or nothing where signatures are not asked for, which is said aloud.
pub(crate) fn keyrings(
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

/// The keys that a package is signed by, or why it cannot be taken. Without keys its signature is not asked for.
pub(crate) fn check(
    origin: &Origin,
    path: &Path,
    keyring: Option<&Keyring>,
) -> Result<Result<Vec<String>, String>> {
    if !matches(path, &origin.checksum)? {
        let algorithm = &origin.checksum.algorithm;
        return Ok(Err(format!("its {algorithm} is not what the repository says")));
    }
    let Some(keyring) = keyring else { return Ok(Ok(Vec::new())) };
    let name = path.display();
    let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    Ok(match keyring.verify_package(BufReader::new(file)) {
        Ok(Verdict::Signed(mut keys)) => {
            keys.sort();
            Ok(keys)
        }
        Ok(Verdict::Unsigned) => Err("it is not signed (--allow-unsigned takes it)".into()),
        Ok(Verdict::NoKey(keys)) => {
            Err(format!("it is signed by {}, which is none of the keys", keys.join(", ")))
        }
        Ok(Verdict::Bad(why)) => Err(format!("bad signature: {why}")),
        Err(error) => Err(error.to_string()),
    })
}
