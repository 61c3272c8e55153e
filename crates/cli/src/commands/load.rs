//! Repositories and a base, loaded as far as a command needs them.
#![expect(clippy::disallowed_methods, reason = "this crate is the outside world")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use sysext::resolve::{PackageId, Solution, Spec};
use sysext::rpm::signature::Keyring;
use sysext::{Base, Repositories, Selection, Wanted};

use super::resolve::refuse;
use crate::fetch::{self, Fetcher};
use crate::sources::{Source, sources};
use crate::terminal::Terminal;
use crate::{args, interrupt};

/// Repositories that are ready to be chosen from, and what is wanted of them.
pub(crate) struct Loaded {
    pub(crate) repositories: Repositories,
    pub(crate) sources: Vec<Source>,
    pub(crate) selection: Selection,
    /// The keys that packages of each source must be signed by, once packages are to be fetched.
    pub(crate) keyrings: Option<Arc<Vec<Option<Keyring>>>>,
    /// Whether lists of all files were read for what was wanted. Who knows more paths may choose otherwise.
    pub(crate) has_more_paths: bool,
}

impl Loaded {
    /// Reads the base and all that is needed to look at packages; nothing is wanted of them.
    pub(crate) fn open(
        from: &args::Repositories,
        fetcher: &Fetcher,
        terminal: &Terminal,
    ) -> Result<Self> {
        let mut loaded = Self::read(from, fetcher, &Keyring::default(), terminal)?;
        loaded.repositories.read_origins()?;
        Ok(loaded)
    }

    /// Has packages be wanted, and reads what only choosing these needs. Signed metadata is held against the repositories'
    /// keys and others.
    pub(crate) fn want(
        &mut self,
        how: &args::Choosing,
        specs: &[String],
        fetcher: &Fetcher,
        keys: &Keyring,
    ) -> Result<()> {
        self.selection = Selection {
            specs: specs.to_vec(),
            exclude: how.exclude.clone(),
            absent: how.absent.clone(),
            weak: !how.no_weak,
            best: !how.no_best,
            multilib: !how.no_multilib,
        };
        let base = self.repositories.base();
        let is_there = |name: &String| base.packages().any(|nevra| nevra.name() == name);
        if let Some(name) = how.absent.iter().find(|name| !is_there(name)) {
            bail!("--absent {name}: the base has no package of this name; --base says what it is");
        }
        if specs.iter().any(|spec| spec.starts_with('@')) {
            self.read_metadata(true, fetcher, keys)?;
        }
        if !how.no_filelists {
            self.read_paths(fetcher, keys)?;
        }
        Ok(())
    }

    /// Reads metadata of the repositories, perhaps with groups.
    fn read_metadata(&mut self, groups: bool, fetcher: &Fetcher, keys: &Keyring) -> Result<()> {
        loop {
            let wanted = self.repositories.wanted(groups);
            if wanted.is_empty() {
                return Ok(());
            }
            for wanted in wanted {
                let bytes = get(&wanted, &self.sources, fetcher, keys)?;
                self.repositories.provide(&wanted, &bytes)?;
            }
        }
    }

    /// Reads who has paths that are needed and that only lists of all files have.
    fn read_paths(&mut self, fetcher: &Fetcher, keys: &Keyring) -> Result<()> {
        let Self { repositories, sources, selection, has_more_paths, .. } = self;
        loop {
            let wanted = repositories.wanted_for_paths(selection);
            if wanted.is_empty() {
                return Ok(());
            }
            let mut files = Vec::new();
            for wanted in wanted {
                let bytes = get(&wanted, sources, fetcher, keys)?;
                files.push((wanted, bytes));
            }
            repositories.provide_paths(selection, &files)?;
            *has_more_paths = true;
        }
    }

    /// Reads the base and all that choosing needs of the repositories; nothing is wanted of them.
    pub(crate) fn read(
        from: &args::Repositories,
        fetcher: &Fetcher,
        keys: &Keyring,
        terminal: &Terminal,
    ) -> Result<Self> {
        let base = from.base.as_deref().map_or_else(|| Ok(Base::default()), base)?;
        let release = from.release.as_deref().or_else(|| base.about.os("VERSION_ID"));
        let sources = sources(&from.repos, &from.described, release, from.arch.rpm(), fetcher)?;
        let repositories = sources.iter().map(|source| source.repository.clone()).collect();
        let mut repositories = Repositories::new(from.arch.rpm(), repositories, base);
        for (at, source) in sources.iter().enumerate() {
            if let Some(index) = &source.index {
                repositories.provide_index(at, &index.packages(fetcher)?)?;
            }
        }
        let selection = Selection::default();
        let mut loaded =
            Self { repositories, sources, selection, keyrings: None, has_more_paths: false };
        loaded.read_metadata(false, fetcher, keys)?;
        note_unknown(&loaded.repositories.index(), terminal);
        Ok(loaded)
    }

    /// Reads repositories, has packages be wanted, and gives the packages that must come along. If there are none, why has
    /// been said, and nothing comes back.
    pub(crate) fn solved(
        args: &args::Choice,
        fetcher: &Fetcher,
        keys: &Keyring,
        terminal: &Terminal,
    ) -> Result<Option<(Self, Solution)>> {
        let mut loaded = Self::read(&args.from, fetcher, keys, terminal)?;
        loaded.want(&args.how, &args.specs, fetcher, keys)?;
        match loaded.repositories.resolve(&loaded.selection) {
            Ok(solution) => Ok(Some((loaded, solution))),
            Err(problems) => {
                refuse(&problems, terminal);
                Ok(None)
            }
        }
    }

    /// The packages that are meant, the newest first, each name and architecture together.
    pub(crate) fn packages(&self, spec: &str) -> Vec<PackageId> {
        let pool = self.repositories.pool();
        let mut found = Spec::parse(spec).packages(pool);
        found.sort_by(|a, b| {
            let key = |id: &PackageId| (pool.package_name(*id), pool.package_arch(*id));
            let newest = || sysext::rpm::evr::compare(pool.package_evr(*b), pool.package_evr(*a));
            key(a).cmp(&key(b)).then_with(newest).then_with(|| a.cmp(b))
        });
        found
    }

    /// The name of a package's repository; the base has none of its own.
    pub(crate) fn repository(&self, id: PackageId) -> &str {
        let source = self.repositories.repository(id).and_then(|at| self.sources.get(at));
        source.map_or("base", Source::name)
    }
}

/// A file of a repository.
fn get(wanted: &Wanted, sources: &[Source], fetcher: &Fetcher, keys: &Keyring) -> Result<Vec<u8>> {
    interrupt::check()?;
    let source = &sources[wanted.repository];
    if let (Some(range), Some(index)) = (&wanted.range, &source.index) {
        return index.read(range, fetcher);
    }
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

/// Reads a base pack or a list of packages.
pub(crate) fn base(path: &Path) -> Result<Base> {
    let name = path.display();
    let file = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    Base::read(&file).with_context(|| name.to_string())
}
