//! `sysext-composer compose`: packages to an extension.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::Serialize;
use sysext::erofs::Options;
use sysext::{Contents, Extension, Finding, Recipe, Report, Target};

use super::make::Planned;
use super::{load, lock};
use crate::fetch::Fetcher;
use crate::terminal::{Terminal, bytes};
use crate::workers::Workers;
use crate::{Outcome, args};

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
    let packages = match &args.locked {
        Some(lock) => locked(lock, args, terminal)?,
        None => args.packages.clone(),
    };
    let base = args.base.as_deref().map(load::base).transpose()?;
    let planned = Planned::new(&packages, &recipe, base.as_ref(), Contents::default())?;
    let plan = &planned.plan;
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
    let bar = terminal.progress(plan.content_size());
    let report = planned.write(&path, &mut Workers::new(args.storage.workers), &bar)?;
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
        extension: Extension {
            any_release: args.any_release,
            services: args.services.clone(),
            etc: args.etc,
            deny: args.judge.deny.clone(),
            allowed: args.judge.allowed(),
            ..Extension::default()
        },
        source_version: None,
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

fn summarize(report: &Report, recipe: &Recipe, path: &Path) {
    let Recipe { name, target, .. } = recipe;
    let whom = if recipe.extension.any_release {
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
