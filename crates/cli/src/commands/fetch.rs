//! `sysext-composer fetch`: the packages that must come along, checked, in a folder.

use std::fs;

use anyhow::{Context as _, Result};

use super::obtain::{Obtained, obtain};
use crate::terminal::{Terminal, bytes};
use crate::{Outcome, args};

pub(crate) fn run(args: &args::Fetch, terminal: &Terminal) -> Result<Outcome> {
    let Some((packages, _)) = obtain(&args.obtain, terminal)? else {
        return Ok(Outcome::Refused);
    };
    let folder = &args.output;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut placed = Vec::new();
    for Obtained { origin, path, .. } in &packages {
        let name = origin.location.rsplit('/').next().unwrap_or(&origin.location);
        let target = folder.join(name);
        let temporary = folder.join(format!(".{name}.partial"));
        let copied = fs::copy(path, &temporary).and_then(|_| fs::rename(&temporary, &target));
        copied.with_context(|| format!("cannot write {}", target.display()))?;
        placed.push(target.display().to_string());
    }
    let total: u64 = packages.iter().map(|package| package.origin.size).sum();
    if terminal.json {
        terminal.result(&serde_json::json!({ "packages": placed, "size": total }));
    } else {
        println!("{} packages, {}, in {}", placed.len(), bytes(total), folder.display());
    }
    Ok(Outcome::Done)
}
