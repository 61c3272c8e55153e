//! `sysext-composer why`: the way from what was asked for to a package.

use anyhow::Result;
use sysext::resolve::PackageId;
use sysext::rpm::signature::Keyring;

use super::deps;
use super::load::Loaded;
use crate::fetch::Fetcher;
use crate::terminal::Terminal;
use crate::{Outcome, args};

pub(crate) fn run(args: &args::Why, terminal: &Terminal) -> Result<Outcome> {
    let fetcher = Fetcher::new(&args.network)?;
    let solved = Loaded::solved(&args.choice, &fetcher, &Keyring::default(), terminal)?;
    let Some((loaded, solution)) = solved else { return Ok(Outcome::Refused) };
    let pool = loaded.repositories.pool();
    let named = loaded.packages(&args.package);
    let come: Vec<PackageId> =
        named.iter().copied().filter(|id| solution.packages.contains(id)).collect();
    if come.is_empty() {
        let in_base = named.iter().find(|id| pool.repo(**id).base);
        let why = match (in_base, named.is_empty()) {
            (Some(id), _) => format!("the base has {}", pool.nevra(*id)),
            (None, true) => format!("no package matches `{}`", args.package),
            (None, false) => "nothing that was asked for needs it".to_owned(),
        };
        if terminal.json {
            terminal.result(&serde_json::json!({ "packages": [], "message": why }));
        } else {
            eprintln!("{} does not come along: {why}", args.package);
        }
        return Ok(Outcome::Refused);
    }
    let mut packages = Vec::new();
    for id in come {
        let way = loaded.repositories.way(&loaded.selection, &solution, id);
        if terminal.json {
            let way =
                way.map(|way| way.iter().map(|need| deps::json(pool, need)).collect::<Vec<_>>());
            packages.push(serde_json::json!({ "nevra": pool.nevra(id), "way": way }));
            continue;
        }
        println!("{}", pool.nevra(id));
        match way {
            None => println!("  is needed by a package of the base"),
            Some(way) => {
                for need in way.iter().rev() {
                    println!("  {}", need.describe(pool));
                }
                let first = pool.nevra(way.first().map_or(id, |need| need.by));
                println!("  {first} was asked for");
            }
        }
    }
    if terminal.json {
        terminal.result(&serde_json::json!({ "packages": packages }));
    }
    Ok(Outcome::Done)
}
