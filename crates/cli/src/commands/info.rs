//! `sysext-composer info`: what is known of packages.

use anyhow::Result;
use sysext::resolve::PackageId;

use super::load::Loaded;
use crate::fetch::Fetcher;
use crate::terminal::{Terminal, bytes};
use crate::{Outcome, args};

pub(crate) fn run(args: &args::Info, terminal: &Terminal) -> Result<Outcome> {
    let fetcher = Fetcher::new(&args.network)?;
    let loaded = Loaded::open(&args.from, &fetcher, terminal)?;
    let mut outcome = Outcome::Done;
    let mut ids: Vec<PackageId> = Vec::new();
    for spec in &args.specs {
        let found = loaded.packages(spec);
        if found.is_empty() {
            terminal.error(&anyhow::anyhow!("no package matches `{spec}`"));
            outcome = Outcome::Refused;
        }
        for id in found {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    if terminal.json {
        let packages: Vec<_> = ids.iter().map(|id| json(&loaded, *id)).collect();
        terminal.result(&serde_json::json!({ "packages": packages }));
        return Ok(outcome);
    }
    for (at, id) in ids.iter().enumerate() {
        if at > 0 {
            println!();
        }
        show(&loaded, *id, args.dependencies);
    }
    Ok(outcome)
}

fn show(loaded: &Loaded, id: PackageId, dependencies: bool) {
    let pool = loaded.repositories.pool();
    println!("{}", pool.nevra(id));
    let line = |key: &str, value: &str| println!("  {key:10} {value}");
    line("repository", loaded.repository(id));
    if let Some(origin) = loaded.repositories.origin(id) {
        line("summary", &origin.summary);
        line(
            "size",
            &format!("{}, installed {}", bytes(origin.size), bytes(origin.installed_size)),
        );
        line("location", &origin.location);
        line(&origin.checksum.algorithm, &origin.checksum.hex);
    }
    if dependencies {
        for (name, all) in pool.dependency_lists(id) {
            all.iter().for_each(|dependency| line(name, dependency));
        }
    }
}

fn json(loaded: &Loaded, id: PackageId) -> serde_json::Value {
    let pool = loaded.repositories.pool();
    let mut json = serde_json::json!({
        "nevra": pool.nevra(id),
        "name": pool.package_name(id),
        "evr": pool.package_evr(id),
        "arch": pool.package_arch(id),
        "repository": loaded.repository(id),
    });
    if let Some(origin) = loaded.repositories.origin(id) {
        json["summary"] = origin.summary.into();
        json["size"] = origin.size.into();
        json["installed_size"] = origin.installed_size.into();
        json["location"] = origin.location.into();
        json["checksum"] = format!("{}:{}", origin.checksum.algorithm, origin.checksum.hex).into();
    }
    for (name, all) in pool.dependency_lists(id) {
        json[name] = all.into();
    }
    json
}
