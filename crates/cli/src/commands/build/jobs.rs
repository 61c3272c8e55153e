//! Which images are to be made.

use anyhow::{Result, bail};
use sysext::extension::Build;
use sysext::{Arch, Extension, Targets};

use crate::args::Whom;
use crate::recipes::OnDisk;

/// One image: a recipe for a system.
pub(crate) struct Job<'a> {
    pub(crate) recipe: &'a OnDisk,
    pub(crate) extension: Extension,
    /// `ID:TAG`
    pub(crate) target: String,
    pub(crate) arch: Arch,
}

/// The places of jobs in an order in which those follow one another that share a system and repositories.
pub(crate) fn order(jobs: &[Job<'_>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|at| {
        let Job { extension, target, arch, .. } = &jobs[*at];
        (target, *arch, extension.repository_names(), extension.repo_file(), *at)
    });
    order
}

/// All images that are to be made of recipes.
pub(crate) fn jobs<'a>(recipes: &'a [OnDisk], whom: &Whom) -> Result<Vec<Job<'a>>> {
    let targets = Targets::published();
    for target in &whom.targets {
        if targets.kept(target).is_none() {
            bail!("there is no target {target}: `sysext-composer targets` lists those that are");
        }
    }
    let mut jobs = Vec::new();
    for recipe in recipes {
        let extension = recipe.valid()?;
        for (target, arch) in builds(&extension, whom, &targets) {
            jobs.push(Job { recipe, extension: extension.clone(), target, arch });
        }
    }
    if jobs.is_empty() {
        bail!("none of the recipes is for such a system");
    }
    Ok(jobs)
}

/// The systems of jobs.
pub(crate) fn systems<'a>(jobs: &'a [Job<'_>]) -> impl Iterator<Item = (&'a str, Arch)> {
    jobs.iter().map(|job| (job.target.as_str(), job.arch))
}

/// The systems that a recipe is built for, of those that are asked for.
fn builds(extension: &Extension, whom: &Whom, targets: &Targets) -> Vec<(String, Arch)> {
    let asked = |arch: &Arch| whom.arches.is_empty() || whom.arches.contains(arch);
    let named = Extension { targets: whom.targets.clone(), ..extension.clone() };
    let extension = if whom.targets.is_empty() { extension } else { &named };
    let builds = extension.builds(targets).into_iter();
    builds
        .filter(|build| asked(&build.arch))
        .map(|build: Build<'_>| (build.target(), build.arch))
        .collect()
}
