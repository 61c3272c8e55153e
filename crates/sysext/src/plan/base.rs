//! What an extension has that its base has already. A merged extension lies over the base and hides what has the same path,
//! with a version that nothing else of the base was built for.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use erofs::Kind;
use rpm::{Package, evr};

use super::Plan;
use crate::base::{Base, Nevra};
use crate::finding::{Check, Finding, Severity};
use crate::layout;

/// Numbers of the packages that the base has exactly.
pub(super) fn same(packages: &[Package], base: Option<&Base>) -> BTreeSet<usize> {
    let Some(base) = base else { return BTreeSet::new() };
    let has = |package: &Package| {
        // Read, for an epoch of 0 is told or not.
        let nevra = Nevra::parse(&package.nevra());
        base.packages().any(|other| Some(other) == nevra.as_ref())
    };
    (0..packages.len()).filter(|number| has(&packages[*number])).collect()
}

/// Reports packages and files of a plan that the base has.
pub(super) fn check(plan: &mut Plan, base: &Base, base_paths: Option<&BTreeSet<Vec<u8>>>) {
    let mut findings = Vec::new();
    for package in &plan.packages {
        let nevra = package.nevra();
        let same = base
            .packages()
            .find(|other| other.name() == package.name && other.arch() == package.arch);
        let Some(other) = same else { continue };
        let (severity, word) = match evr::compare(&package.evr(), other.evr()) {
            Ordering::Equal => continue,
            Ordering::Less => (Severity::Error, ", which is newer"),
            Ordering::Greater => (Severity::Warning, ""),
        };
        let message = format!("{nevra} hides {} of the base{word}", other.text());
        let finding = Finding::new(severity, Check::InBase, message);
        findings.push(
            finding.package(nevra).fix("leave it out, unless it is meant to hide the base's"),
        );
    }
    let (libraries, others): (Vec<String>, Vec<String>) =
        hidden(plan, base_paths).into_iter().partition(|path| is_library(path));
    for (paths, severity, fix) in [
        (others, Severity::Warning, ""),
        (libraries, Severity::Error, "leave them out: all programs of the base would use them"),
    ] {
        let Some(first) = paths.first() else { continue };
        let message = match paths.len() {
            1 => format!("/{first} is in the base as well"),
            count => format!("{count} files are in the base as well, the first is /{first}"),
        };
        let finding = Finding::new(severity, Check::BaseShadow, message);
        let finding = finding.path(format!("/{first}").as_bytes());
        findings.push(if fix.is_empty() { finding } else { finding.fix(fix) });
    }
    plan.findings.extend(findings);
}

/// Whether a path is where the linker looks for libraries.
fn is_library(path: &str) -> bool {
    let name = path.strip_prefix("usr/lib64/").or_else(|| path.strip_prefix("usr/lib/"));
    name.is_some_and(|name| !name.contains('/') && name.contains(".so"))
}

/// Files of a plan whose paths packages of the base have, in order.
fn hidden(plan: &Plan, base_paths: Option<&BTreeSet<Vec<u8>>>) -> Vec<String> {
    let is_folder = |kind: &Kind<u64>| matches!(kind, Kind::Directory(_));
    let own: BTreeSet<Vec<u8>> = plan
        .tree
        .paths()
        .filter(|(_, node)| !is_folder(&plan.tree.node(*node).kind))
        .map(|(path, _)| path)
        .collect();
    let hidden: BTreeSet<Vec<u8>> = base_paths
        .into_iter()
        .flatten()
        .filter_map(|path| layout::within(path, &plan.recipe.extension))
        .filter(|place| own.contains(place))
        .collect();
    hidden.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect()
}
