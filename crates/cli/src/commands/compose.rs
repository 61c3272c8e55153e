//! `sysext-composer compose`: packages to an extension.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;
use serde::Serialize;
use sysext::erofs::Options;
use sysext::rpm::Package;
use sysext::{Compose, Finding, Phase, Plan, Recipe, Report, Step, Target};

use super::{load, lock};
use crate::fetch::Fetcher;
use crate::output::Output;
use crate::terminal::{Terminal, bytes};
use crate::workers::Workers;
use crate::{Outcome, args, interrupt};

/// What `--json` prints.
#[derive(Serialize)]
#[serde(untagged)]
enum Printed<'a> {
    Written {
        image: &'a Path,
        #[serde(flatten)]
        report: &'a Report,
    },
    Refused {
        image: Option<&'a Path>,
        findings: &'a [Finding],
    },
}

pub(crate) fn run(args: &args::Compose, terminal: &Terminal) -> Result<Outcome> {
    let recipe = recipe(args)?;
    let (packages, paths) = match &args.locked {
        Some(lock) => read_packages(&locked(lock, args, terminal)?)?,
        None => read_packages(&args.packages)?,
    };
    let plan = match &args.base {
        Some(base) => Plan::on_base(packages, &recipe, &load::base(base)?)?,
        None => Plan::new(packages, &recipe)?,
    };
    if plan.has_errors() {
        if terminal.json {
            terminal.result(&Printed::Refused { image: None, findings: plan.findings() });
        } else {
            terminal.findings(plan.findings(), args.verbose);
            eprintln!("no image was written");
        }
        return Ok(Outcome::Refused);
    }
    let path =
        if args.output.is_dir() { args.output.join(plan.file_name()) } else { args.output.clone() };
    // The plan has the packages in its own order, and each once.
    let sources: Vec<PathBuf> = plan
        .packages()
        .iter()
        .filter_map(|package| paths.get(&package.header_sha256).cloned())
        .collect();
    let mut workers = Workers::new(args.storage.workers);
    let report = write_image(plan, &sources, &path, &mut workers, terminal)?;
    if terminal.json {
        terminal.result(&Printed::Written { image: &path, report: &report });
    } else {
        terminal.findings(&report.findings, args.verbose);
        summarize(&report, &recipe, &path);
    }
    Ok(Outcome::Done)
}

fn recipe(args: &args::Compose) -> Result<Recipe> {
    let Options { profile, level, pcluster } = args.storage.options()?;
    Ok(Recipe {
        name: args.name.clone(),
        target: Target { release: args.release.clone(), arch: args.arch },
        any_release: args.any_release,
        exclude: args.exclude.clone(),
        profile,
        level,
        pcluster,
        source_date_epoch: args.source_date_epoch,
    })
}

/// The packages of a lock, which must be for the same target.
fn locked(path: &Path, args: &args::Compose, terminal: &Terminal) -> Result<Vec<PathBuf>> {
    let lock = lock::read(path)?;
    if lock.arch != args.arch {
        bail!("{} is for {}, not for {}", path.display(), lock.arch.rpm(), args.arch.rpm());
    }
    if let Some(release) = lock.release.as_ref().filter(|release| **release != args.release) {
        bail!("{} is for release {release}, not for {}", path.display(), args.release);
    }
    lock::packages(&lock, &Fetcher::new(&args.network)?, terminal)
}

/// Where a package lies, by the digest of its header.
type Paths = std::collections::BTreeMap<[u8; 32], PathBuf>;

fn read_packages(paths: &[PathBuf]) -> Result<(Vec<Package>, Paths)> {
    let mut packages = Vec::with_capacity(paths.len());
    let mut by_header = Paths::new();
    for path in paths {
        let package = Package::read(open(path)?)
            .with_context(|| format!("cannot read {}", path.display()))?;
        by_header.insert(package.header_sha256, path.clone());
        packages.push(package);
    }
    Ok((packages, by_header))
}

fn open(path: &Path) -> Result<BufReader<File>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    Ok(BufReader::with_capacity(256 << 10, file))
}

/// Does what the core asks for until the image is done.
fn write_image(
    plan: Plan,
    sources: &[PathBuf],
    path: &Path,
    workers: &mut Workers,
    terminal: &Terminal,
) -> Result<Report> {
    let output = Output::new(path)?;
    let mut compose = Compose::new(plan)?;
    let bar = terminal.progress(compose.progress().total);
    let report = loop {
        interrupt::check()?;
        show(&bar, &compose);
        match compose.step()? {
            Step::Package(index) => {
                let source =
                    sources.get(index).context("the plan names a package that was not given")?;
                compose.package(open(source)?)?;
            }
            Step::Compress(jobs) => compose.compressed(workers.run(jobs))?,
            Step::Write(write) => output.write(&write)?,
            Step::Read { at, length } => compose.image(&output.read(at, length)?)?,
            Step::Done(report) => break report,
        }
    };
    bar.finish_and_clear();
    output.finish()?;
    Ok(report)
}

fn show(bar: &ProgressBar, compose: &Compose<BufReader<File>>) {
    let progress = compose.progress();
    bar.set_message(match progress.phase {
        Phase::Packing => "Packing",
        Phase::Hashing => "Hashing",
    });
    bar.set_length(progress.total);
    bar.set_position(progress.done);
}

fn summarize(report: &Report, recipe: &Recipe, path: &Path) {
    let Recipe { name, target, .. } = recipe;
    let whom = if recipe.any_release {
        "any release".to_owned()
    } else {
        format!("Fedora {}", target.release)
    };
    println!("{}: the extension {name} for {whom}, {}", path.display(), target.arch.rpm());
    println!("  packages  {}", report.packages.join(", "));
    println!("  files     {}", report.files);
    println!(
        "  size      {} ({} before compression)",
        bytes(report.size),
        bytes(report.content_size)
    );
    println!("  sha256    {}", report.sha256);
    println!("Install it as /var/lib/extensions/{name}.raw and run `systemd-sysext refresh`.");
}
