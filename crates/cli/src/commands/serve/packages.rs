//! Packages of a catalog, which are fetched when a page asks for them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;
use sysext::Catalog;
use sysext::catalog::package_path;
use sysext::resolve::index::{Index, Origins};
use sysext::rpm::signature::Keyring;

use crate::args::{Network, Repo, Trust};
use crate::commands::checksig::keyring;
use crate::commands::obtain::{check, keyrings};
use crate::fetch::{Fetcher, Place, Wanted};
use crate::sources::{IndexFile, source};

/// The packages that a catalog's indexes have, and nothing else.
pub(super) struct Packages {
    indexes: Vec<Indexed>,
    /// Index, and the place in it, by where a catalog has a package.
    places: BTreeMap<String, (usize, usize)>,
    fetcher: Fetcher,
    keys: Keyring,
    allow_unsigned: bool,
}

/// An index, and where its repository is once somebody has asked for one of its packages.
struct Indexed {
    name: String,
    path: PathBuf,
    index: Index,
    origins: Origins,
    settled: Mutex<Option<Settled>>,
}

#[derive(Clone)]
struct Settled {
    place: Place,
    /// The keys that packages must be signed by; none if signatures are not asked for.
    keyring: Option<Keyring>,
}

impl Packages {
    /// The packages of a catalog in a folder.
    pub(super) fn new(
        catalog: &Catalog,
        folder: &Path,
        network: &Network,
        trust: &Trust,
    ) -> Result<Self> {
        let repositories = catalog.systems.iter().flat_map(|system| &system.repositories);
        let named: BTreeSet<(&str, &str)> = repositories
            .map(|repository| (repository.index.name.as_str(), repository.name.as_str()))
            .collect();
        let fetcher = Fetcher::new(network)?;
        let (mut indexes, mut places) = (Vec::new(), BTreeMap::new());
        for (file, name) in named {
            let path = folder.join(file);
            let indexed =
                Indexed::read(name, &path, &fetcher).with_context(|| path.display().to_string())?;
            for at in 0..indexed.index.len() {
                if let Some(origin) = indexed.origins.get(&indexed.index, at) {
                    places.insert(package_path(&origin.checksum), (indexes.len(), at));
                }
            }
            indexes.push(indexed);
        }
        Ok(Self {
            indexes,
            places,
            fetcher,
            keys: keyring(&trust.keys)?,
            allow_unsigned: trust.allow_unsigned,
        })
    }

    /// The package that a catalog has at a path, fetched and held against its digest and keys.
    pub(super) fn get(&self, path: &str) -> Result<Option<PathBuf>> {
        let Some(&(index, at)) = self.places.get(path) else { return Ok(None) };
        let indexed = &self.indexes[index];
        let Some(origin) = indexed.origins.get(&indexed.index, at) else { return Ok(None) };
        let Settled { place, keyring } = self.settle(indexed)?;
        let wanted = Wanted::package(place, &origin);
        let file = self.fetcher.file(&wanted, &ProgressBar::hidden())?;
        match check(&origin, &file, keyring.as_ref())? {
            Ok(_) => Ok(Some(file)),
            Err(why) => bail!("{}: {why}", origin.location),
        }
    }

    /// Where the packages of an index are, and who signs them.
    fn settle(&self, indexed: &Indexed) -> Result<Settled> {
        let mut settled = indexed.settled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(settled) = &*settled {
            return Ok(settled.clone());
        }
        let place = indexed.path.display().to_string();
        let repo = Repo { name: Some(indexed.name.clone()), place, priority: None };
        let mut source = source(&repo, None, "", &self.fetcher)?;
        source.settle(indexed.index.repository(), &self.fetcher)?;
        let sources = std::slice::from_ref(&source);
        let mut keyrings = keyrings(sources, &self.fetcher, &self.keys, self.allow_unsigned)?;
        let keyring = keyrings.pop().flatten();
        Ok(settled.insert(Settled { place: source.place, keyring }).clone())
    }
}

impl Indexed {
    fn read(name: &str, path: &Path, fetcher: &Fetcher) -> Result<Self> {
        let index = Index::read(&IndexFile::Here(path.to_owned()).packages(fetcher)?)?;
        let origins = index.origins()?;
        let (name, path) = (name.to_owned(), path.to_owned());
        Ok(Self { name, path, index, origins, settled: Mutex::default() })
    }
}
