//! Folders that the base has as well: theirs is the mode and owner. On the running system, the folder of the topmost layer is
//! seen, so that an extension would change what it only passes through.

use std::collections::{BTreeMap, BTreeSet};

use super::entries::{Entries, Entry, What};
use crate::base::{self, BaseFiles};
use crate::finding::{Check, Finding, Severity};
use crate::path::display;

/// Gives folders of an image mode and owner of the base's.
pub(super) fn keep(entries: &mut Entries<'_>, base: &BaseFiles<'_>) {
    let own = folders(entries);
    let of_base: BTreeMap<Vec<u8>, _> = base::within(base, &entries.recipe.extension)
        .filter(|(path, _)| own.contains(path))
        .collect();
    let mut changed = Vec::new();
    for (path, file) in of_base {
        let (mode, user, group) = match file.is_folder() {
            true => (file.mode & 0o7777, file.user, file.group),
            // Folders that packages of the base have something in, and none lists.
            false => (0o755, "root", "root"),
        };
        let before = match entries.entries.get(&path) {
            Some(entry) => (entries.mode(entry), entries.owner(entry)),
            None => (0o755, ("root", "root")),
        };
        if before == (mode, (user, group)) {
            continue;
        }
        let entry = entries.entries.entry(path.clone());
        let entry = entry.or_insert_with(|| Entry::new(What::Directory, mode));
        entry.mode = Some(mode);
        let own = entry.own_mut();
        (own.user, own.group) = (Some(user.to_owned()), Some(group.to_owned()));
        changed.push((path, mode, user, group));
    }
    if let Some((path, mode, user, group)) = changed.first() {
        let count = match changed.len() {
            1 => "a folder keeps".to_owned(),
            count => format!("{count} folders keep"),
        };
        let shown = display(path);
        let message =
            format!("{count} mode and owner of the base: {shown} {mode:04o} {user}:{group}");
        let finding = Finding::new(Severity::Info, Check::DirMeta, message);
        let finding = finding.path(&[b"/", path.as_slice()].concat());
        entries.findings.push(finding);
    }
}

/// All folders of an image, also those that nobody lists.
fn folders(entries: &Entries<'_>) -> BTreeSet<Vec<u8>> {
    let mut folders = BTreeSet::new();
    for (path, entry) in &entries.entries {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        folders.extend(ends.map(|(end, _)| path[..end].to_vec()));
        if entries.is_directory(entry) {
            folders.insert(path.clone());
        }
    }
    folders
}
