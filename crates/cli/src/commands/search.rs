//! `sysext-composer search`: packages by words in their names and summaries.

use anyhow::Result;

use super::load::Loaded;
use crate::fetch::Fetcher;
use crate::terminal::Terminal;
use crate::{Outcome, args};

pub(crate) fn run(args: &args::Search, terminal: &Terminal) -> Result<Outcome> {
    let fetcher = Fetcher::new(&args.network)?;
    let loaded = Loaded::open(&args.from, &fetcher, terminal)?;
    let repositories = &loaded.repositories;
    let pool = repositories.pool();
    let found = repositories.search(&args.words.join(" "));
    if terminal.json {
        let packages: Vec<_> = found
            .iter()
            .map(|id| {
                serde_json::json!({
                    "name": pool.package_name(*id),
                    "evr": pool.package_evr(*id),
                    "arch": pool.package_arch(*id),
                    "repository": loaded.repository(*id),
                    "summary": repositories.summary(*id),
                })
            })
            .collect();
        terminal.result(&serde_json::json!({ "packages": packages }));
    } else if found.is_empty() {
        eprintln!("no package has {} in its name or summary", args.words.join(" and "));
    } else {
        for id in &found {
            let (name, arch) = (pool.package_name(*id), pool.package_arch(*id));
            let summary = repositories.summary(*id).unwrap_or_default();
            println!("{name}.{arch} {}: {summary}", pool.package_evr(*id));
        }
    }
    Ok(if found.is_empty() { Outcome::Refused } else { Outcome::Done })
}
