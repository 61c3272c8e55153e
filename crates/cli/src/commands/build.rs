//! `sysext-composer build`: images of recipes, for all systems that they are for.

mod bases;
mod extension;
mod jobs;
pub(crate) mod sources;
mod summary;

use std::fs;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};

use super::shelf::Shelf;
use crate::fetch::Fetcher;
use crate::terminal::Terminal;
use crate::{Outcome, args, interrupt, recipes};

pub(crate) use bases::{Bases, Known};
pub(crate) use extension::{choice, release, release_of};
pub(crate) use jobs::{Job, jobs, order, systems};

use summary::{Built, Row};

pub(crate) fn run(args: &args::Build, terminal: &Terminal) -> Result<Outcome> {
    let found = recipes::find(&args.names, &args.collection.extensions)?;
    let jobs = jobs(&found, &args.whom)?;
    fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot make {}", args.output.display()))?;
    let fetcher = Fetcher::new(&args.network)?;
    let bases = Bases::make(&args.whom.bases, systems(&jobs), &args.network, terminal)?;
    let rows = all(&jobs, args, &fetcher, &bases, terminal)?;
    let failed = rows.iter().filter(|row| !row.is_written()).count();
    if terminal.json {
        let collisions = summary::collide(&rows);
        terminal.result(
            &serde_json::json!({ "builds": rows, "failed": failed, "collisions": collisions }),
        );
    } else {
        summary::print(&rows);
        terminal.findings(&summary::collide(&rows), args.verbose);
    }
    Ok(if failed == 0 { Outcome::Done } else { Outcome::Refused })
}

/// Builds everything, several images side by side. What fails is a row as well.
fn all(
    jobs: &[Job<'_>],
    args: &args::Build,
    fetcher: &Fetcher,
    bases: &Bases,
    terminal: &Terminal,
) -> Result<Vec<Row>> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let side_by_side = args.jobs.map_or(cores, NonZero::get).min(jobs.len()).max(1);
    let workers = args.storage.workers.map_or_else(|| (cores / side_by_side).max(1), NonZero::get);
    let order = order(jobs);
    let shelf = Shelf::new(side_by_side);
    let next = AtomicUsize::new(0);
    let bar = terminal.counter(jobs.len(), "building");
    let rows = Mutex::new(Vec::new());
    let work = || {
        loop {
            let at = order.get(next.fetch_add(1, Ordering::Relaxed));
            let Some((at, job)) = at.and_then(|at| Some((*at, jobs.get(*at)?))) else { return };
            if interrupt::check().is_err() {
                return;
            }
            let built = extension::build(job, args, fetcher, &shelf, bases, workers);
            let row = Row::new(job, built);
            if let Ok(mut rows) = rows.lock() {
                if !terminal.json {
                    bar.suspend(|| summary::tell(&row, args.verbose, terminal));
                }
                bar.inc(1);
                rows.push((at, row));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..side_by_side {
            scope.spawn(work);
        }
    });
    bar.finish_and_clear();
    interrupt::check()?;
    let mut rows = rows.into_inner().unwrap_or_default();
    rows.sort_by_key(|(at, _)| *at);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}
