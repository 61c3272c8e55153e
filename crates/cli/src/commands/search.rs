//! `sysext-composer search`: packages by words in their names and summaries.

use std::collections::BTreeMap;

use anyhow::Result;
use sysext::resolve::PackageId;
use sysext::rpm::evr;

use super::load::Loaded;
use crate::fetch::Fetcher;
use crate::terminal::Terminal;
use crate::{Outcome, args};

/// How well a package fits, the best first.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Fit {
    Name,
    Start,
    InName,
    InSummary,
}

pub(crate) fn run(args: &args::Search, terminal: &Terminal) -> Result<Outcome> {
    let fetcher = Fetcher::new(&args.network)?;
    let loaded = Loaded::open(&args.from, &fetcher, terminal)?;
    let words: Vec<String> = args.words.iter().map(|word| word.to_lowercase()).collect();
    let pool = loaded.repositories.pool();
    let mut found: BTreeMap<(Fit, &str, &str), (PackageId, String)> = BTreeMap::new();
    for id in pool.ids() {
        let Some(origin) = loaded.repositories.origin(id) else { continue };
        let (name, arch) = (pool.package_name(id), pool.package_arch(id));
        if arch == "src" {
            continue;
        }
        let Some(fit) = fit(&words, name, &origin.summary) else { continue };
        let newest = found.entry((fit, name, arch)).or_insert_with(|| (id, origin.summary.clone()));
        if evr::compare(pool.package_evr(id), pool.package_evr(newest.0)).is_gt() {
            *newest = (id, origin.summary);
        }
    }
    if terminal.json {
        let packages: Vec<_> = found
            .iter()
            .map(|((_, name, arch), (id, summary))| {
                serde_json::json!({
                    "name": name,
                    "evr": pool.package_evr(*id),
                    "arch": arch,
                    "repository": loaded.repository(*id),
                    "summary": summary,
                })
            })
            .collect();
        terminal.result(&serde_json::json!({ "packages": packages }));
    } else if found.is_empty() {
        eprintln!("no package has {} in its name or summary", args.words.join(" and "));
    } else {
        for ((_, name, arch), (id, summary)) in &found {
            println!("{name}.{arch} {}: {summary}", pool.package_evr(*id));
        }
    }
    Ok(if found.is_empty() { Outcome::Refused } else { Outcome::Done })
}

/// How well a package fits words in small letters, if it does.
fn fit(words: &[String], name: &str, summary: &str) -> Option<Fit> {
    let name = name.to_lowercase();
    let has_all = |text: &str| words.iter().all(|word| text.contains(word.as_str()));
    match words {
        [word] if name == *word => Some(Fit::Name),
        [word] if name.starts_with(word.as_str()) => Some(Fit::Start),
        _ if has_all(&name) => Some(Fit::InName),
        _ => has_all(&format!("{name} {}", summary.to_lowercase())).then_some(Fit::InSummary),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_better_than_summaries() {
        let check = |words: &[&str], expected: Option<Fit>| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert!(fit(&words, "Vim-enhanced", "An editor in Python's Realm") == expected);
        };
        check(&["vim-enhanced"], Some(Fit::Name));
        check(&["vim"], Some(Fit::Start));
        check(&["enhanced"], Some(Fit::InName));
        check(&["enhanced", "vim"], Some(Fit::InName));
        check(&["vim", "python"], Some(Fit::InSummary));
        check(&["emacs"], None);
    }
}
