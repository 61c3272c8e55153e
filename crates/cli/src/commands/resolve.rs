//! `sysext-composer resolve`: the packages that must come along.

use anyhow::Result;
use serde::Serialize;
use sysext::resolve::{PackageId, Problem};
use sysext::rpm::signature::Keyring;

use super::load::Loaded;
use crate::fetch::Fetcher;
use crate::terminal::Terminal;
use crate::{Outcome, args};

/// A package that comes along.
#[derive(Serialize)]
struct Package<'a> {
    nevra: String,
    name: &'a str,
    evr: &'a str,
    arch: &'a str,
    repository: &'a str,
    location: String,
    checksum: String,
    size: u64,
    installed_size: u64,
    summary: String,
}

/// Something that stands in the way.
#[derive(Serialize)]
struct Obstacle<'a> {
    message: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    specs: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    because: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    base: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    help: &'a [String],
}

pub(crate) fn run(args: &args::Resolve, terminal: &Terminal) -> Result<Outcome> {
    let fetcher = Fetcher::new(&args.network)?;
    let solved = Loaded::solved(&args.choice, &fetcher, &Keyring::default(), terminal)?;
    let Some((mut loaded, solution)) = solved else { return Ok(Outcome::Refused) };
    if terminal.json {
        loaded.repositories.read_origins()?;
        print(&loaded, &solution.packages, terminal);
        return Ok(Outcome::Done);
    }
    let pool = loaded.repositories.pool();
    let mut lines: Vec<String> = solution.packages.iter().map(|id| pool.nevra(*id)).collect();
    if args.why {
        let reasons = loaded.repositories.reasons(&loaded.selection, &solution);
        lines.iter_mut().zip(reasons).for_each(|(line, why)| *line += &format!(": {why}"));
    }
    lines.sort();
    lines.iter().for_each(|line| println!("{line}"));
    Ok(Outcome::Done)
}

/// Prints all that is known of the packages, for machines.
fn print(loaded: &Loaded, ids: &[PackageId], terminal: &Terminal) {
    let repositories = &loaded.repositories;
    let pool = repositories.pool();
    let mut packages: Vec<Package<'_>> = ids
        .iter()
        .filter_map(|id| {
            let origin = repositories.origin(*id)?;
            Some(Package {
                nevra: pool.nevra(*id),
                name: pool.package_name(*id),
                evr: pool.package_evr(*id),
                arch: pool.package_arch(*id),
                repository: loaded.sources.get(repositories.repository(*id)?)?.name(),
                location: origin.location,
                checksum: format!("{}:{}", origin.checksum.algorithm, origin.checksum.hex),
                size: origin.size,
                installed_size: origin.installed_size,
                summary: origin.summary,
            })
        })
        .collect();
    packages.sort_by(|a, b| a.nevra.cmp(&b.nevra));
    terminal.result(&serde_json::json!({ "packages": packages }));
}

/// Says what stands in the way.
pub(crate) fn refuse(problems: &[Problem], terminal: &Terminal) {
    if !terminal.json {
        for problem in problems {
            eprintln!("error: {problem}");
        }
        return;
    }
    let obstacles: Vec<Obstacle<'_>> = problems
        .iter()
        .map(|problem| {
            let message = problem.to_string();
            match problem {
                Problem::NoMatch { wish } => Obstacle {
                    message,
                    specs: std::slice::from_ref(wish),
                    because: &[],
                    base: &[],
                    help: &[],
                },
                Problem::Contradiction { wishes, because, base, help } => {
                    Obstacle { message, specs: wishes, because, base, help }
                }
            }
        })
        .collect();
    terminal.result(&serde_json::json!({ "problems": obstacles }));
}
