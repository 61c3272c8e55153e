//! What an extension has that its base has already. A merged extension lies over the base and hides what has the same path,
//! with a version that nothing else of the base was built for.

use std::collections::BTreeSet;

use erofs::Kind;

use super::Plan;
use crate::base::{Base, Nevra};
use crate::finding::{Check, Finding, Severity};
use crate::layout;
use crate::recipe::Recipe;

/// Reports packages and files of a plan that the base has.
pub(super) fn check(plan: &mut Plan, base: &Base) {
    let mut findings = Vec::new();
    for package in &plan.packages {
        let nevra = package.nevra();
        let same = base
            .packages()
            .find(|other| other.name() == package.name && other.arch() == package.arch);
        let Some(other) = same else { continue };
        // Read, for an epoch of 0 is told or not.
        let message = match Nevra::parse(&nevra).as_ref() == Some(other) {
            true => format!("the base has {nevra}"),
            false => format!("{nevra} hides {} of the base", other.text()),
        };
        let finding = Finding::new(Severity::Warning, Check::InBase, message);
        findings.push(
            finding.package(nevra).fix("leave it out, unless it is meant to hide the base's"),
        );
    }
    let hidden = hidden(plan, base);
    if let Some(first) = hidden.first() {
        let message = match hidden.len() {
            1 => format!("/{first} is in the base as well"),
            count => format!("{count} files are in the base as well, the first is /{first}"),
        };
        let finding = Finding::new(Severity::Warning, Check::BaseShadow, message);
        findings.push(finding.path(format!("/{first}").as_bytes()));
    }
    plan.findings.extend(findings);
}

/// Files of a plan whose paths packages of the base have, in order.
fn hidden(plan: &Plan, base: &Base) -> Vec<String> {
    let Some(index) = base.index() else { return Vec::new() };
    let is_folder = |kind: &Kind<u64>| matches!(kind, Kind::Directory(_));
    let own: BTreeSet<Vec<u8>> = plan
        .tree
        .paths()
        .filter(|(_, node)| !is_folder(&plan.tree.node(*node).kind))
        .map(|(path, _)| path)
        .collect();
    let Recipe { extension, target, .. } = &plan.recipe;
    let hidden: BTreeSet<Vec<u8>> = index
        .paths()
        .filter_map(|path| layout::merged(path.as_bytes(), false, &target.release))
        .filter_map(|path| layout::within(&path, extension))
        .filter(|place| own.contains(place))
        .collect();
    hidden.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect()
}
