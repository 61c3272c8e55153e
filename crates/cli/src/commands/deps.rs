//! `sysext-composer deps`: which of the packages that come along needs which.

use std::collections::BTreeSet;

use anyhow::Result;
use sysext::resolve::{Need, PackageId, Pool, needs};
use sysext::rpm::signature::Keyring;

use super::load::Loaded;
use crate::fetch::Fetcher;
use crate::terminal::Terminal;
use crate::{Outcome, args};

pub(crate) fn run(args: &args::Deps, terminal: &Terminal) -> Result<Outcome> {
    let fetcher = Fetcher::new(&args.network)?;
    let solved = Loaded::solved(&args.choice, &fetcher, &Keyring::default(), terminal)?;
    let Some((loaded, solution)) = solved else { return Ok(Outcome::Refused) };
    let pool = loaded.repositories.pool();
    let needs = needs(pool, &solution.packages);
    if terminal.json {
        let all: Vec<_> = needs.iter().map(|need| json(pool, need)).collect();
        let mut packages: Vec<String> =
            solution.packages.iter().map(|id| pool.nevra(*id)).collect();
        packages.sort();
        terminal.result(&serde_json::json!({ "packages": packages, "needs": all }));
        return Ok(Outcome::Done);
    }
    let mut sorted = solution.packages.clone();
    sorted.sort_by_cached_key(|id| pool.nevra(*id));
    if !args.tree {
        for id in sorted {
            println!("{}", pool.nevra(id));
            for need in below(pool, &needs, id) {
                match need.verb {
                    "supplements" => println!("  {}", need.describe(pool)),
                    verb => println!("  {verb} {}: {}", need.dependency, pool.nevra(need.of)),
                }
            }
        }
        return Ok(Outcome::Done);
    }
    let mut tree = Tree { pool, needs: &needs, shown: BTreeSet::new() };
    let asked = loaded.repositories.asked(&loaded.selection, &solution);
    let (roots, others): (Vec<_>, Vec<_>) = sorted.into_iter().partition(|id| asked.contains(id));
    roots.into_iter().for_each(|id| tree.show(id, ""));
    // What packages of the base need has nothing above it.
    for id in others {
        if !tree.shown.contains(&id) {
            tree.show(id, "");
        }
    }
    Ok(Outcome::Done)
}

/// A need, for machines.
pub(super) fn json(pool: &Pool, need: &Need) -> serde_json::Value {
    serde_json::json!({
        "by": pool.nevra(need.by),
        "of": pool.nevra(need.of),
        "verb": need.verb,
        "dependency": need.dependency,
    })
}

/// What a package needs, by name.
fn below<'a>(pool: &Pool, needs: &'a [Need], by: PackageId) -> Vec<&'a Need> {
    let mut below: Vec<&Need> = needs.iter().filter(|need| need.by == by).collect();
    below.sort_by_cached_key(|need| pool.nevra(need.of));
    below
}

/// What is printed, each package with what is below it once.
struct Tree<'a> {
    pool: &'a Pool,
    needs: &'a [Need],
    shown: BTreeSet<PackageId>,
}

impl Tree<'_> {
    fn show(&mut self, id: PackageId, indent: &str) {
        println!("{}", self.pool.nevra(id));
        self.shown.insert(id);
        self.children(id, indent);
    }

    fn children(&mut self, id: PackageId, indent: &str) {
        let below = below(self.pool, self.needs, id);
        for (at, need) in below.iter().enumerate() {
            let is_last = at + 1 == below.len();
            let (branch, rest) = if is_last {
                ("\u{2514}\u{2500} ", "   ")
            } else {
                ("\u{251c}\u{2500} ", "\u{2502}  ")
            };
            let weak = if need.verb == "requires" { "" } else { " (recommended)" };
            let again = !self.shown.insert(need.of);
            let more = again && self.needs.iter().any(|other| other.by == need.of);
            let above = if more { " (see above)" } else { "" };
            println!("{indent}{branch}{}{weak}{above}", self.pool.nevra(need.of));
            if !again {
                self.children(need.of, &format!("{indent}{rest}"));
            }
        }
    }
}
