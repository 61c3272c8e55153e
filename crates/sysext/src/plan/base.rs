//! What an extension has that its base has already. A merged extension lies over the base and hides what has the same path,
//! with a version that nothing else of the base was built for.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use erofs::Kind;
use rpm::{Package, evr};

use super::Plan;
use super::entries::{Entries, Entry, What};
use crate::base::{self, Base, BaseFile, BaseFiles, Nevra};
use crate::finding::{Check, Finding, Severity};
use crate::layout;
use crate::path::display;

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

/// Leaves out what the base has just so: file or link, mode, owner and content.
pub(super) fn leave_out_same(entries: &mut Entries<'_>, base_files: &BaseFiles<'_>) {
    let extension = &entries.recipe.extension;
    let release = &entries.recipe.target.release;
    // What a recipe requires shall be in the image.
    let required: BTreeSet<Vec<u8>> = extension
        .required
        .iter()
        .filter_map(|path| layout::merged(path.as_bytes(), false, release))
        .filter_map(|path| layout::within(&path, extension))
        .collect();
    let same: BTreeSet<Vec<u8>> = base::within(base_files, extension)
        .filter(|(place, _)| !required.contains(place))
        .filter(|(place, file)| {
            entries.entries.get(place).is_some_and(|entry| is_same(entries, entry, file))
        })
        .map(|(place, _)| place)
        .collect();
    let Some(first) = same.first().map(|path| display(path)) else { return };
    let message = match same.len() {
        1 => format!("{first} is left out: the base has just the same"),
        count => {
            format!("{count} files are left out, the first is {first}: the base has just the same")
        }
    };
    let finding = Finding::new(Severity::Info, Check::BaseCollideSame, message);
    entries.findings.push(finding.path(first.as_bytes()));
    for path in &same {
        entries.entries.remove(path);
        prune(entries, path);
    }
}

/// Removes folders above a path in which nothing is left.
fn prune(entries: &mut Entries<'_>, path: &[u8]) {
    let mut path = path;
    while let Some(end) = path.iter().rposition(|byte| *byte == b'/') {
        path = &path[..end];
        if entries.has_below(path) {
            break;
        }
        entries.entries.remove(path);
    }
}

/// Whether an entry is what the base has.
fn is_same(entries: &Entries<'_>, entry: &Entry, file: &BaseFile<'_>) -> bool {
    if entries.owner(entry) != (file.user, file.group) {
        return false;
    }
    if let Some(target) = entries.link_target(entry) {
        return file.is_link() && file.target == target;
    }
    let (What::Packaged, Some(origin)) = (&entry.what, entry.origin) else { return false };
    let (_, own) = entries.file(origin);
    let has_capabilities = !own.capabilities.is_empty() || entry.capabilities().is_some();
    let mode = own.file_type() | entries.mode(entry);
    !has_capabilities && file.is_file_of(mode, &own.digest, own.digest_algorithm)
}

/// Reports packages and files of a plan that the base has.
pub(super) fn check(plan: &mut Plan, base: &Base, base_files: Option<&BaseFiles<'_>>) {
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
        hidden(plan, base_files).into_iter().partition(|path| is_library(path));
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
fn hidden(plan: &Plan, base_files: Option<&BaseFiles<'_>>) -> Vec<String> {
    let is_folder = |kind: &Kind<u64>| matches!(kind, Kind::Directory(_));
    let own: BTreeSet<Vec<u8>> = plan
        .tree
        .paths()
        .filter(|(_, node)| !is_folder(&plan.tree.node(*node).kind))
        .map(|(path, _)| path)
        .collect();
    let hidden: BTreeSet<Vec<u8>> = base_files
        .into_iter()
        .flat_map(|files| base::within(files, &plan.recipe.extension))
        .map(|(place, _)| place)
        .filter(|place| own.contains(place))
        .collect();
    hidden.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use rpm::NewFile;

    use super::*;
    use crate::checks::testing::{base_of, file, findings, plan};
    use crate::extension::Extension;

    /// What an image of files has, on a base of files.
    fn paths(files: Vec<NewFile>, base: &Base, extension: Extension) -> Vec<String> {
        let plan = plan(files, extension, Some(base));
        let paths = plan.tree().paths().map(|(path, _)| display(&path));
        paths.filter(|path| !path.contains("extension-release")).collect()
    }

    #[test]
    fn what_the_base_has_just_so_is_left_out() {
        let base = base_of(vec![
            file("/usr/bin/same", "content"),
            file("/usr/bin/other", "content of the base"),
            NewFile::file("/usr/bin/mode", 0o755, b"content".to_vec()),
            NewFile::directory("/usr/share/doc/same", 0o755),
            file("/usr/share/doc/same/README", "text"),
            NewFile::symlink("/usr/bin/link", "same"),
            NewFile::symlink("/usr/bin/elsewhere", "same"),
        ]);
        let files = || {
            vec![
                file("/usr/bin/same", "content"),
                file("/usr/bin/other", "content of the extension"),
                NewFile::file("/usr/bin/mode", 0o4755, b"content".to_vec()),
                NewFile::directory("/usr/share/doc/same", 0o755),
                file("/usr/share/doc/same/README", "text"),
                NewFile::symlink("/usr/bin/link", "same"),
                NewFile::symlink("/usr/bin/elsewhere", "other"),
                file("/usr/bin/own", ""),
            ]
        };
        let found = paths(files(), &base, Extension::default());
        let programs: Vec<_> = found.iter().filter(|path| path.starts_with("/usr/bin/")).collect();
        assert_eq!(
            programs,
            ["/usr/bin/elsewhere", "/usr/bin/mode", "/usr/bin/other", "/usr/bin/own"]
        );
        assert!(!found.iter().any(|path| path.contains("/doc")), "{found:?}");

        let messages: Vec<_> = findings(files(), Extension::default(), Some(&base))
            .into_iter()
            .filter(|finding| matches!(finding.check, Check::BaseCollideSame | Check::BaseShadow))
            .map(|finding| finding.message)
            .collect();
        let expected = [
            "3 files are in the base as well, the first is /usr/bin/elsewhere",
            "3 files are left out, the first is /usr/bin/link: the base has just the same",
        ];
        assert_eq!(messages, expected);

        let required = Extension { required: vec!["/usr/bin/same".into()], ..Extension::default() };
        assert!(paths(files(), &base, required).contains(&"/usr/bin/same".to_owned()));
    }

    #[test]
    fn what_is_required_stays_however_it_is_called() {
        let base = base_of(vec![file("/etc/app.conf", "text")]);
        let has = |required: &[&str]| {
            let required = required.iter().map(|path| (*path).to_owned()).collect();
            let extension = Extension { required, ..Extension::default() };
            let files = vec![file("/etc/app.conf", "text"), file("/usr/bin/own", "")];
            paths(files, &base, extension).contains(&"/usr/etc/app.conf".to_owned())
        };
        assert!(!has(&[]));
        assert!(has(&["/etc/app.conf"]) && has(&["/usr/etc/app.conf"]));
    }
}
