//! What the systems have already that extensions are built for.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};
use sysext::{Arch, Base};

use crate::args::{BaseMake, NamedBase, Network};
use crate::commands::{base, load};
use crate::terminal::Terminal;

/// Base packs by system and architecture; of some it is known why there is none.
pub(crate) struct Bases(BTreeMap<(String, Arch), Result<Known, String>>);

/// A base pack.
pub(crate) struct Known {
    pub(crate) base: Base,
    pub(crate) path: PathBuf,
}

impl Bases {
    /// The packs that images are made on: those that are given, and the others made of the systems' images.
    pub(crate) fn make<'s>(
        given: &[NamedBase],
        systems: impl Iterator<Item = (&'s str, Arch)>,
        network: &Network,
        terminal: &Terminal,
    ) -> Result<Self> {
        let mut bases = BTreeMap::new();
        for (target, arch) in systems {
            let key = (target.to_owned(), arch);
            if bases.contains_key(&key) {
                continue;
            }
            let is_meant = |named: &&NamedBase| {
                named.target.as_ref().is_none_or(|named| named == target)
                    && named.arch.is_none_or(|named| named == arch)
            };
            let known = match given.iter().find(is_meant) {
                Some(named) => {
                    Ok(Known { base: load::base(&named.path)?, path: named.path.clone() })
                }
                None => made(target, arch, network, terminal).map_err(|error| format!("{error:#}")),
            };
            bases.insert(key, known);
        }
        Ok(Self(bases))
    }

    /// The pack of a system.
    pub(crate) fn of(&self, target: &str, arch: Arch) -> Result<&Known> {
        let known =
            self.0.get(&(target.to_owned(), arch)).context("every system has been asked for")?;
        known.as_ref().map_err(|why| anyhow!("the base {target}: {why}"))
    }
}

/// A pack of a system's image, which stays in the cache.
fn made(target: &str, arch: Arch, network: &Network, terminal: &Terminal) -> Result<Known> {
    let folder = crate::fetch::cache_folder(network.cache.as_deref())?.join("bases");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(format!("{}-{}.base", target.replace(':', "-"), arch.rpm()));
    if !(network.offline && path.exists()) {
        let args = BaseMake {
            source: target.to_owned(),
            arch: Some(arch),
            output: path.clone(),
            digest: String::new(),
            network: network.clone(),
        };
        base::write(&args, terminal)?;
    }
    Ok(Known { base: load::base(&path)?, path })
}
