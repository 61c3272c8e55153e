//! Two files for one place in the image.

use rpm::{File, Package};

use super::entries::Origin;
use crate::finding::{Check, Finding, Severity};

/// Chooses between two files for one place, the first of which came first; says so where they differ.
pub(super) fn settle(
    packages: &[Package],
    place: &[u8],
    first: Origin,
    second: Origin,
    findings: &mut Vec<Finding>,
) -> Origin {
    let file = |origin: Origin| &packages[origin.0].files[origin.1];
    let (a, b) = (file(first), file(second));
    // After the merge of `sbin` into `bin` a link between them would lead to itself.
    for (link, other) in [(first, second), (second, first)] {
        if file(link).is_symlink() && !file(other).is_symlink() && leads_to(file(link), place) {
            return other;
        }
    }
    let (nevra_a, nevra_b) = (packages[first.0].nevra(), packages[second.0].nevra());
    let report = |severity, check, message: String| {
        let finding = Finding::new(severity, check, message);
        finding.package(&nevra_b).path(&b.path)
    };
    let name = b.display();
    if a.file_type() != b.file_type() {
        let (kind_a, kind_b) = (kind(a), kind(b));
        let message = format!("{name} is {kind_a} in {nevra_a} and {kind_b} in {nevra_b}");
        findings.push(
            report(Severity::Error, Check::TypeConflict, message).fix("leave one of the two out"),
        );
    } else if !same_content(a, b) {
        let message = format!("{name} differs between {nevra_a} and {nevra_b}");
        let fix =
            format!("leave it out of one of the two, of {} for instance", packages[second.0].name);
        findings.push(report(Severity::Error, Check::FileConflict, message).fix(fix));
    } else if (a.mode, &a.user, &a.group, &a.capabilities)
        != (b.mode, &b.user, &b.group, &b.capabilities)
    {
        let describe =
            |file: &File| format!("{:04o} {}:{}", file.mode & 0o7777, file.user, file.group);
        let message = format!(
            "{name} is {} in {nevra_a} and {} in {nevra_b}; the first is taken",
            describe(a),
            describe(b)
        );
        findings.push(report(Severity::Warning, Check::MetadataConflict, message));
    }
    first
}

fn same_content(a: &File, b: &File) -> bool {
    if a.is_directory() {
        return true;
    }
    if a.is_file() {
        let empty = a.size == 0 && b.size == 0;
        let digests = (a.digest_algorithm, &a.digest) == (b.digest_algorithm, &b.digest);
        return empty || a.size == b.size && digests && !a.digest.is_empty();
    }
    a.link_target == b.link_target && a.rdev == b.rdev
}

/// Whether a link leads to the file of its own name in one of the folders that are one.
fn leads_to(link: &File, place: &[u8]) -> bool {
    let last = |path: &[u8]| path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
    let folder =
        |path: &[u8]| path.rsplit(|byte| *byte == b'/').nth(1).unwrap_or_default().to_vec();
    let merged = |name: &[u8]| matches!(name, b"bin" | b"sbin" | b"lib" | b"lib64");
    last(&link.link_target) == last(place)
        && merged(&folder(&link.link_target))
        && merged(&folder(place))
}

fn kind(file: &File) -> &'static str {
    match file.file_type() {
        0o040_000 => "a folder",
        0o100_000 => "a file",
        0o120_000 => "a link",
        _ => "a special file",
    }
}
