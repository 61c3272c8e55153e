//! Folders that the base has as well: theirs is the mode and owner. On the running system, the folder of the topmost layer is
//! seen, so that an extension would change what it only passes through.

use std::collections::{BTreeMap, BTreeSet};

use super::entries::{Entries, Entry, What};
use crate::base::Base;
use crate::finding::{Check, Finding, Severity};
use crate::layout;

/// Gives folders of an image mode and owner of the base's.
pub(super) fn keep(entries: &mut Entries<'_>, base: &Base) {
    let Some(index) = base.index() else { return };
    let (recipe, release) = (entries.recipe, &entries.recipe.target.release);
    let place = |path: &str| {
        let merged = layout::merged(path.as_bytes(), false, release)?;
        layout::within(&merged, &recipe.extension)
    };
    let special: BTreeMap<Vec<u8>, _> = base
        .about
        .special_folders()
        .filter_map(|folder| Some((place(folder.path)?, folder)))
        .collect();
    let own = folders(entries);
    let of_base = index.paths().filter_map(place).filter(|path| own.contains(path));
    let mut changed = Vec::new();
    for path in of_base.collect::<BTreeSet<_>>() {
        let (mode, user, group) = match special.get(&path) {
            Some(folder) => (folder.mode, folder.user, folder.group),
            None => (0o755, "root", "root"),
        };
        let known = entries.entries.get(&path);
        let before =
            known.map_or((0o755, "root".into(), "root".into()), |entry| meta(entries, entry));
        if before == (mode, user.to_owned(), group.to_owned()) {
            continue;
        }
        let entry = entries.entries.entry(path.clone());
        let entry = entry.or_insert_with(|| Entry::new(What::Directory, mode));
        entry.mode = Some(mode);
        (entry.user, entry.group) = (Some(user.to_owned()), Some(group.to_owned()));
        changed.push((path, mode, user, group));
    }
    if let Some((path, mode, user, group)) = changed.first() {
        let count = match changed.len() {
            1 => "a folder keeps".to_owned(),
            count => format!("{count} folders keep"),
        };
        let path = [b"/", path.as_slice()].concat();
        let message = format!(
            "{count} mode and owner of the base: {} {mode:04o} {user}:{group}",
            String::from_utf8_lossy(&path)
        );
        let finding = Finding::new(Severity::Info, Check::DirMeta, message).path(&path);
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

/// Mode, user and group of an entry.
fn meta(entries: &Entries<'_>, entry: &Entry) -> (u16, String, String) {
    let file = entry.origin.map(|origin| entries.file(origin).1);
    let mode = entry.mode.or(file.map(|file| file.mode)).unwrap_or(0o755) & 0o7777;
    let name = |own: &Option<String>, packaged: Option<&String>| {
        own.as_ref().or(packaged).map_or_else(|| "root".to_owned(), Clone::clone)
    };
    let user = name(&entry.user, file.map(|file| &file.user));
    (mode, user, name(&entry.group, file.map(|file| &file.group)))
}
