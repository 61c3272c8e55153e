//! Packages that must come along: chosen, fetched, and held against digests and signatures.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use sysext::Origin;
use sysext::resolve::Solution;
use sysext::rpm::signature::{Keyring, Verdict};

use super::checksig;
use super::load::Loaded;
use super::shelf::Shelf;
use crate::fetch::{Fetcher, Wanted, matches};
use crate::sources::Source;
use crate::terminal::Terminal;
use crate::{args, interrupt};

/// A package that is here and is what it should be.
pub(crate) struct Obtained {
    pub(crate) nevra: String,
    pub(crate) origin: Origin,
    /// Name of its repository.
    pub(crate) repository: String,
    /// Where it was.
    pub(crate) url: String,
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
    let Some((mut loaded, solution)) = solved else { return Ok(None) };
    let chosen = Chosen::new(&mut loaded, &solution, &keys, trust, fetcher)?;
    match chosen.fetch(fetcher, terminal)? {
        Ok(obtained) => Ok(Some((obtained, loaded))),
        Err(refused) => {
            for why in refused {
                terminal.error(&anyhow!(why));
            }
            Ok(None)
        }
    }
}

/// As [`obtain`], for one of many that share repositories: why it cannot be is an error.
pub(crate) fn obtain_one(
    choice: &args::Choice,
    trust: &args::Trust,
    shelf: &Shelf,
    fetcher: &Fetcher,
    terminal: &Terminal,
) -> Result<Vec<Obtained>> {
    let keys = checksig::keyring(&trust.keys)?;
    let chosen = shelf.with(&choice.from, fetcher, &keys, terminal, |loaded| {
        loaded.want(&choice.how, &choice.specs, fetcher, &keys)?;
        let solution = loaded.repositories.resolve(&loaded.selection).map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            anyhow!(problems.join("\n"))
        })?;
        Chosen::new(loaded, &solution, &keys, trust, fetcher)
    })?;
    chosen.fetch(fetcher, terminal)?.map_err(|refused| anyhow!(refused.join("\n")))
}

/// Packages that were chosen, before they are fetched.
struct Chosen {
    /// What is wanted, the number of its source, and what it will be.
    packages: Vec<(Wanted, usize, Obtained)>,
    keyrings: Arc<Vec<Option<Keyring>>>,
}

impl Chosen {
    fn new(
        loaded: &mut Loaded,
        solution: &Solution,
        keys: &Keyring,
        trust: &args::Trust,
        fetcher: &Fetcher,
    ) -> Result<Self> {
        let keyrings = loaded.settle(fetcher, keys, trust.allow_unsigned)?;
        let (repositories, sources) = (&loaded.repositories, &loaded.sources);
        let mut packages = Vec::new();
        for id in &solution.packages {
            let Some((origin, at)) = repositories.origin(*id).zip(repositories.repository(*id))
            else {
                continue;
            };
            let source = &sources[at];
            let wanted = Wanted::package(source.place.clone(), &origin);
            let obtained = Obtained {
                nevra: repositories.pool().nevra(*id),
                repository: source.name().to_owned(),
                url: source.place.url(&origin.location)?,
                origin,
                path: PathBuf::new(),
                keys: Vec::new(),
            };
            packages.push((wanted, at, obtained));
        }
        packages.sort_by(|(.., a), (.., b)| a.nevra.cmp(&b.nevra));
        Ok(Self { packages, keyrings })
    }

    /// Fetches the packages and holds them against digests and keys; or gives why some of them are refused.
    fn fetch(
        self,
        fetcher: &Fetcher,
        terminal: &Terminal,
    ) -> Result<Result<Vec<Obtained>, Vec<String>>> {
        let wanted: Vec<Wanted> = self.packages.iter().map(|(wanted, ..)| wanted.clone()).collect();
        let paths = fetch_all(&wanted, fetcher, terminal)?;
        let (mut obtained, mut refused) = (Vec::new(), Vec::new());
        for ((_, source, package), path) in self.packages.into_iter().zip(paths) {
            interrupt::check()?;
            match check(&package.origin, &path, self.keyrings[source].as_ref())? {
                Ok(keys) => obtained.push(Obtained { path, keys, ..package }),
                Err(why) => refused.push(format!("{}: {why}", package.nevra)),
            }
        }
        Ok(if refused.is_empty() { Ok(obtained) } else { Err(refused) })
    }
}

impl Loaded {
    /// Finds out where packages are and who must have signed them, once. Gives the keys.
    fn settle(
        &mut self,
        fetcher: &Fetcher,
        keys: &Keyring,
        allow_unsigned: bool,
    ) -> Result<Arc<Vec<Option<Keyring>>>> {
        if let Some(keyrings) = &self.keyrings {
            return Ok(Arc::clone(keyrings));
        }
        for (at, source) in self.sources.iter_mut().enumerate() {
            source.settle(self.repositories.described(at), fetcher)?;
        }
        let keyrings = Arc::new(keyrings(&self.sources, fetcher, keys, allow_unsigned)?);
        self.repositories.read_origins()?;
        Ok(Arc::clone(self.keyrings.insert(keyrings)))
    }
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
