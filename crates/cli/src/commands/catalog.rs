//! `sysext-composer catalog`: what the page chooses packages from.
#![expect(clippy::disallowed_methods, reason = "this crate is the outside world")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use sysext::catalog::{CATALOG, CatalogFile, CatalogRepository};
use sysext::rpm::signature::Keyring;
use sysext::{Arch, Catalog, CatalogSystem, Targets};

use super::build::{Bases, Known, release_of};
use super::checksig::keyring;
use super::index;
use crate::fetch::{Fetcher, Place, sha256};
use crate::output::write_file;
use crate::sources::{Source, sources};
use crate::terminal::{Terminal, bytes};
use crate::{Outcome, args, interrupt};

/// Digits of the hash in a file's name.
const HASH: usize = 16;

pub(crate) fn run(args: &args::Catalog, terminal: &Terminal) -> Result<Outcome> {
    let wanted: Vec<(&str, Arch)> = args
        .targets
        .iter()
        .flat_map(|target| args.arches.iter().map(|arch| (target.as_str(), *arch)))
        .collect();
    let published = Targets::published();
    let mut titles = Vec::new();
    for (target, arch) in &wanted {
        let found = published.kept(target).filter(|(system, _)| system.arches.contains(arch));
        let Some((system, tag)) = found else {
            bail!(
                "there is no target {target} for {}: `sysext-composer targets` lists those that are",
                arch.rpm()
            );
        };
        titles.push(format!("{} {tag}", system.title));
    }
    fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot make {}", args.output.display()))?;
    let bases = Bases::make(&args.bases, wanted.iter().copied(), &args.network, terminal)?;
    let mut indexes = Indexes {
        args,
        fetcher: Fetcher::new(&args.network)?,
        keys: keyring(&args.keys)?,
        made: BTreeMap::new(),
        terminal,
    };
    let mut systems = Vec::new();
    for ((target, arch), title) in wanted.into_iter().zip(titles) {
        let known = bases.of(target, arch)?;
        let release = release_of(target, &known.base)?;
        let repositories = indexes.of(&release, arch)?;
        let base = base(known, target, arch, &args.output)?;
        systems.push(CatalogSystem {
            target: target.to_owned(),
            title,
            release,
            arch,
            base,
            repositories,
        });
    }
    let catalog = Catalog::new(systems);
    let text = serde_json::to_string_pretty(&catalog)? + "\n";
    write_file(&args.output.join(CATALOG), text.into_bytes())?;
    if terminal.json {
        terminal.result(&catalog);
    } else {
        println!("{}: {} systems", args.output.join(CATALOG).display(), catalog.systems.len());
    }
    Ok(Outcome::Done)
}

/// Indexes of repositories, each made once.
struct Indexes<'a> {
    args: &'a args::Catalog,
    fetcher: Fetcher,
    keys: Keyring,
    /// By release and architecture.
    made: BTreeMap<(String, Arch), Vec<CatalogRepository>>,
    terminal: &'a Terminal,
}

impl Indexes<'_> {
    /// Those of a system's repositories.
    fn of(&mut self, release: &str, arch: Arch) -> Result<Vec<CatalogRepository>> {
        let key = (release.to_owned(), arch);
        if let Some(made) = self.made.get(&key) {
            return Ok(made.clone());
        }
        let sources = sources(&self.args.repos, "", Some(release), arch.rpm(), &self.fetcher)?;
        let mut made = Vec::new();
        for source in sources {
            interrupt::check()?;
            let file = self.index(&source).with_context(|| source.name().to_owned())?;
            let name = format!("{}-{release}-{}", file_name(source.name()), arch.rpm());
            let index = keep(&name, "index", file, &self.args.output)?;
            if !self.terminal.json {
                println!("{}: {}", index.name, bytes(index.size));
            }
            let (name, priority) = (source.repository.name, source.repository.priority);
            made.push(CatalogRepository { name, priority, index });
        }
        self.made.insert(key, made.clone());
        Ok(made)
    }

    fn index(&self, source: &Source) -> Result<Vec<u8>> {
        // Packages will not lie beside the index.
        let described = match &source.place {
            Place::Folder(folder) => {
                let folder = fs::canonicalize(folder)
                    .with_context(|| format!("cannot find {}", folder.display()))?;
                format!("[{}]\nbaseurl=file://{}\n", source.name(), folder.display())
            }
            Place::Web(_) => source.described.clone(),
        };
        match &source.index {
            Some(index) => bail!("{index} is an index: name the repository"),
            None => index::make(source, &described, true, &self.fetcher, &self.keys),
        }
    }
}

/// Puts a base pack into the catalog.
fn base(known: &Known, target: &str, arch: Arch, folder: &Path) -> Result<CatalogFile> {
    let path = &known.path;
    let pack = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    keep(&format!("{}-{}", file_name(target), arch.rpm()), "base", pack, folder)
}

/// Writes a file whose name says what it holds.
fn keep(name: &str, kind: &str, content: Vec<u8>, folder: &Path) -> Result<CatalogFile> {
    let name = format!("{name}-{}.{kind}", &sha256(&content)[..HASH]);
    let size = content.len() as u64;
    write_file(&folder.join(&name), content)?;
    Ok(CatalogFile { name, size })
}

/// A name as part of a file's, which is also part of a URL.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    name.chars().map(plain).collect()
}
