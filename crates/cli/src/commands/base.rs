//! `sysext-composer base`: packs of what targets have already.

mod make;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde_json::Value;
use sysext::{Base, BaseFile};

use super::load;
use crate::Outcome;
use crate::args::BaseCommand;
use crate::terminal::{Terminal, list};

pub(crate) use make::write;

pub(crate) fn run(args: &BaseCommand, terminal: &Terminal) -> Result<Outcome> {
    match args {
        BaseCommand::Make(args) => make::run(args, terminal),
        BaseCommand::Show { pack, packages, files } => show(pack, *packages, *files, terminal),
        BaseCommand::Diff { old, new } => diff(old, new, terminal),
    }
}

fn lacks(base: &Base) -> Vec<&'static str> {
    let mut lacks = base.about.lacks();
    if base.index().is_none() {
        lacks.insert(0, "dependencies and files of packages");
    }
    lacks
}

fn show(path: &Path, packages: bool, files: bool, terminal: &Terminal) -> Result<Outcome> {
    let base = load::base(path)?;
    let all: Vec<&str> = base.packages().map(sysext::Nevra::text).collect();
    if terminal.json {
        let mut shown = serde_json::json!({
            "from": base.about.from,
            "digest": base.about.digest,
            "id": base.about.os("ID"),
            "version_id": base.about.os("VERSION_ID"),
            "name": base.about.os("PRETTY_NAME"),
            "lacks": lacks(&base),
            "packages": all,
        });
        if files {
            shown["files"] = base.files().map(|(path, file)| json(path, &file)).collect();
        }
        terminal.result(&shown);
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
    list(|output| {
        if packages {
            all.iter().try_for_each(|package| writeln!(output, "{package}"))?;
        }
        if files {
            for (path, file) in base.files() {
                let BaseFile { mode, user, group, target, .. } = file;
                let arrow = if file.is_link() { " -> " } else { "" };
                let target = String::from_utf8_lossy(target);
                writeln!(output, "{mode:06o} {user} {group} {path}{arrow}{target}")?;
            }
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}

fn json(path: &str, file: &BaseFile<'_>) -> Value {
    let BaseFile { mode, user, group, target, digest } = file;
    let mut json = serde_json::json!({
        "path": path, "mode": format!("{mode:06o}"), "user": user, "group": group,
    });
    if file.is_link() {
        json["target"] = String::from_utf8_lossy(target).into();
    }
    if let Some(digest) = digest {
        json["sha256_starts"] = sysext::rpm::hex(digest).into();
    }
    json
}

fn diff(old: &Path, new: &Path, terminal: &Terminal) -> Result<Outcome> {
    let (old, new) = (load::base(old)?, load::base(new)?);
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
