//! `sysext-composer base`: packs of what targets have already.
#![expect(clippy::disallowed_methods, reason = "this crate is the outside world")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use sysext::erofs::Write;
use sysext::rpm::database;
use sysext::rpm::repodata::RepoPackage;
use sysext::{About, Base};

use crate::args::BaseCommand;
use crate::output::Output;
use crate::terminal::{Terminal, bytes};
use crate::{Outcome, interrupt};

/// Where systems have the database of packages, below their root.
const DATABASES: [&str; 3] =
    ["usr/lib/sysimage/rpm/rpmdb.sqlite", "usr/share/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite"];
/// Where file contexts are, below the root: as installed, and as OSTree keeps them.
const CONTEXTS: [&str; 2] = [
    "etc/selinux/targeted/contexts/files/file_contexts",
    "usr/etc/selinux/targeted/contexts/files/file_contexts",
];

pub(crate) fn run(args: &BaseCommand, terminal: &Terminal) -> Result<Outcome> {
    match args {
        BaseCommand::Make { source, output, digest } => make(source, output, digest, terminal),
        BaseCommand::Show { pack, packages } => show(pack, *packages, terminal),
        BaseCommand::Diff { old, new } => diff(old, new, terminal),
    }
}

fn make(source: &Path, output: &Path, digest: &str, terminal: &Terminal) -> Result<Outcome> {
    let is_json = source.extension().is_some_and(|extension| extension == "json");
    let pack = if source.is_dir() {
        let database = DATABASES.iter().map(|path| source.join(path)).find(|path| path.exists());
        let database = database.with_context(|| {
            format!("{} has no database of packages at {}", source.display(), DATABASES.join(", "))
        })?;
        let mut about = about(source)?;
        digest.clone_into(&mut about.digest);
        Base::write(&packages(&database)?, &about)
    } else if is_json {
        let mut base = Base::parse_list(&coreos(source)?)?;
        digest.clone_into(&mut base.about.digest);
        base.write_list()
    } else {
        let about = About { from: "rpmdb".into(), digest: digest.to_owned(), ..About::default() };
        Base::write(&packages(source)?, &about)
    };
    let size = pack.len() as u64;
    let base = Base::read(&pack)?;
    let file = Output::new(output)?;
    file.write(&Write { at: 0, bytes: pack })?;
    file.finish()?;
    let count = base.packages().count();
    if terminal.json {
        terminal
            .result(&serde_json::json!({ "packages": count, "size": size, "lacks": lacks(&base) }));
    } else {
        println!("{}: {count} packages, {}", output.display(), bytes(size));
        let lacks = lacks(&base);
        if !lacks.is_empty() {
            eprintln!("note: it does not know {}", lacks.join(", "));
        }
    }
    Ok(Outcome::Done)
}

fn lacks(base: &Base) -> Vec<&'static str> {
    let mut lacks = base.about.lacks();
    if base.index().is_none() {
        lacks.insert(0, "dependencies and files of packages");
    }
    lacks
}

/// All packages of a database.
fn packages(path: &Path) -> Result<Vec<RepoPackage>> {
    let name = path.display();
    let log = path.with_extension("sqlite-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        bail!(
            "{name} has changes in {} that it has not taken over: run `rpm --rebuilddb`",
            log.display()
        );
    }
    let file = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    let mut packages = Vec::new();
    for header in database::headers(&file).with_context(|| name.to_string())? {
        interrupt::check()?;
        let package = RepoPackage::from_database(&header);
        packages.push(package.with_context(|| name.to_string())?);
    }
    Ok(packages)
}

/// Texts of an image.
fn about(root: &Path) -> Result<About> {
    let read = |path: &str| match fs::read_to_string(root.join(path)) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => {
            Err(error).with_context(|| format!("cannot read {}", root.join(path).display()))
        }
    };
    let both = |a: &str, b: &str| Ok::<_, anyhow::Error>(read(a)? + &read(b)?);
    let contexts =
        CONTEXTS.into_iter().find(|path| root.join(path).exists()).unwrap_or(CONTEXTS[0]);
    Ok(About {
        from: "root".into(),
        digest: String::new(),
        os_release: read("usr/lib/os-release")?,
        passwd: both("usr/lib/passwd", "etc/passwd")?,
        group: both("usr/lib/group", "etc/group")?,
        file_contexts: read(contexts)?,
        file_contexts_subs: read(&format!("{contexts}.subs_dist"))?,
    })
}

/// The list of packages in a file of CoreOS: `manifest-lock.ARCH.json`, or `commitmeta.json` of a build.
fn coreos(path: &Path) -> Result<String> {
    let name = path.display();
    let file = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    let json: Value = serde_json::from_slice(&file).with_context(|| name.to_string())?;
    let mut list = String::new();
    if let Some(packages) = json["packages"].as_object() {
        for (package, about) in packages {
            let evra = about["evra"].as_str().or(about["evr"].as_str());
            let evra = evra.with_context(|| format!("{name}: {package} has no evra"))?;
            list += &format!("{package}-{evra}\n");
        }
        return Ok(list);
    }
    let packages = json["rpmostree.rpmdb.pkglist"].as_array().with_context(|| {
        format!("{name}: expected `packages` or `rpmostree.rpmdb.pkglist`, found neither")
    })?;
    for package in packages {
        let part = |at: usize| package[at].as_str().with_context(|| format!("{name}: {package}"));
        list += &format!("{}-{}:{}-{}.{}\n", part(0)?, part(1)?, part(2)?, part(3)?, part(4)?);
    }
    Ok(list)
}

fn open(path: &Path) -> Result<Base> {
    let name = path.display();
    let file = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    Base::read(&file).with_context(|| name.to_string())
}

fn show(path: &Path, packages: bool, terminal: &Terminal) -> Result<Outcome> {
    let base = open(path)?;
    let all: Vec<&str> = base.packages().map(sysext::Nevra::text).collect();
    if terminal.json {
        terminal.result(&serde_json::json!({
            "from": base.about.from,
            "digest": base.about.digest,
            "id": base.about.os("ID"),
            "version_id": base.about.os("VERSION_ID"),
            "name": base.about.os("PRETTY_NAME"),
            "lacks": lacks(&base),
            "packages": all,
        }));
        return Ok(Outcome::Done);
    }
    println!("System    {}", base.about.os("PRETTY_NAME").unwrap_or("unknown"));
    println!("Made from {}", base.about.from);
    if !base.about.digest.is_empty() {
        println!("Digest    {}", base.about.digest);
    }
    println!("Packages  {}", all.len());
    let lacks = lacks(&base);
    if !lacks.is_empty() {
        println!("Unknown   {}", lacks.join(", "));
    }
    if packages {
        all.iter().for_each(|package| println!("{package}"));
    }
    Ok(Outcome::Done)
}

fn diff(old: &Path, new: &Path, terminal: &Terminal) -> Result<Outcome> {
    let (old, new) = (open(old)?, open(new)?);
    let versions = |base: &Base| -> BTreeMap<String, Vec<String>> {
        let mut versions = BTreeMap::<String, Vec<String>>::new();
        for nevra in base.packages() {
            let key = format!("{}.{}", nevra.name(), nevra.arch());
            versions.entry(key).or_default().push(nevra.evr().to_owned());
        }
        versions
    };
    let (old, new) = (versions(&old), versions(&new));
    let mut changes = Vec::new();
    for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
        let version = |map: &BTreeMap<String, Vec<String>>| map.get(key).map(|all| all.join(", "));
        let (before, after) = (version(&old), version(&new));
        if before != after {
            changes.push((key, before, after));
        }
    }
    changes.sort();
    if terminal.json {
        let changes: Vec<Value> = changes
            .iter()
            .map(|(package, old, new)| serde_json::json!({ "package": package, "old": old, "new": new }))
            .collect();
        terminal.result(&serde_json::json!({ "changes": changes }));
    } else {
        for (package, old, new) in &changes {
            match (old, new) {
                (Some(old), Some(new)) => println!("{package}: {old} -> {new}"),
                (Some(old), None) => println!("{package}: {old} is gone"),
                (_, new) => println!("{package}: {} is new", new.as_deref().unwrap_or_default()),
            }
        }
    }
    Ok(if changes.is_empty() { Outcome::Done } else { Outcome::Refused })
}
