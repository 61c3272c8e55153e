//! From packages on disk to an image on disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use indicatif::ProgressBar;
use sysext::rpm::Package;
use sysext::{Base, Compose, Contents, Phase, Plan, Recipe, Report, Step};

use crate::interrupt;
use crate::output::Output;
use crate::workers::Workers;

/// A plan, and where its packages lie.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    /// In the plan's order.
    sources: Vec<PathBuf>,
}

impl Planned {
    /// Plans an image of packages on disk, and looks into those that the plan asks for.
    pub(crate) fn new(
        paths: &[PathBuf],
        recipe: &Recipe,
        base: Option<&Base>,
        mut contents: Contents,
    ) -> Result<Self> {
        let mut by_header = BTreeMap::new();
        let mut packages = Vec::with_capacity(paths.len());
        for path in paths {
            let package = Package::read(open(path)?)
                .with_context(|| format!("cannot read {}", path.display()))?;
            by_header.insert(package.header_sha256, path.clone());
            packages.push(package);
        }
        let mut plan = Plan::of(packages, recipe, base, &contents)?;
        // The plan has the packages in its own order, and each once.
        let found = |package: &Package| by_header.get(&package.header_sha256).cloned();
        let sources: Vec<PathBuf> = plan.packages().iter().filter_map(found).collect();
        for _ in 0..Plan::ROUNDS {
            let wanted = plan.wanted();
            if wanted.is_empty() {
                break;
            }
            for (package, files) in wanted {
                interrupt::check()?;
                let path = sources
                    .get(package)
                    .context("the plan asks for a package that it does not have")?;
                contents.read(open(path)?, &files)?;
            }
            plan = Plan::of(plan.into_packages(), recipe, base, &contents)?;
        }
        Ok(Self { plan, sources })
    }

    /// Does what the core asks for until the image is done.
    pub(crate) fn write(
        self,
        path: &Path,
        workers: &mut Workers,
        bar: &ProgressBar,
    ) -> Result<Report> {
        let Self { plan, sources } = self;
        let output = Output::new(path)?;
        let mut compose = Compose::new(plan)?;
        let report = loop {
            interrupt::check()?;
            show(bar, &compose);
            while let Some(packed) = workers.ready() {
                compose.compressed(packed)?;
            }
            match compose.step()? {
                Step::Package(index) => {
                    let source = sources
                        .get(index)
                        .context("the plan names a package that was not given")?;
                    compose.package(open(source)?)?;
                }
                Step::Compress(jobs) => workers.begin(jobs),
                Step::Wait => compose.compressed(workers.wait())?,
                Step::Write(write) => output.write(&write)?,
                Step::Read { at, length } => compose.image(&output.read(at, length)?)?,
                Step::Digest(_) => unreachable!("digests are the core's here"),
                Step::Done(report) => break report,
            }
        };
        bar.finish_and_clear();
        output.finish()?;
        Ok(report)
    }
}

fn open(path: &Path) -> Result<BufReader<File>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    Ok(BufReader::with_capacity(256 << 10, file))
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
