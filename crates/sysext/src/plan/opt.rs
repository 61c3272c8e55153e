//! Folders of vendors in /opt, which an extension cannot have: what no step has moved goes to /usr/lib, and links and entries of
//! menus that lead to it follow.

use std::collections::{BTreeMap, BTreeSet};

use super::entries::{Entries, What};
use super::known::Known;
use super::steps::replace;
use crate::extension::Class;
use crate::finding::{Check, Finding, Severity};
use crate::path::{display, is_within};

/// Moves what is left in /opt.
pub(super) fn relocate(entries: &mut Entries<'_>, known: &mut Known<'_>) {
    if entries.recipe.extension.class == Class::Confext {
        return;
    }
    let moves = moves(entries);
    if moves.is_empty() {
        return;
    }
    for (path, entry) in std::mem::take(&mut entries.entries) {
        let to = moved(&path, &moves).unwrap_or(path);
        entries.entries.insert(to, entry);
    }
    // A folder of nothing but such folders.
    entries.entries.remove(b"opt".as_slice());
    let paths: Vec<Vec<u8>> = entries.entries.keys().cloned().collect();
    for path in paths {
        follow(entries, &path, &moves);
        if path.starts_with(b"usr/share/applications/") && path.ends_with(b".desktop") {
            rewrite(entries, &path, &moves, known);
        }
    }
    for (from, to) in &moves {
        let message = format!(
            "{} is in {}, and links and entries of menus follow",
            display(from),
            display(to)
        );
        let finding = Finding::new(Severity::Info, Check::PathOpt, message);
        entries.findings.push(finding.path(&[b"/", from.as_slice()].concat()));
    }
}

/// Folders of /opt, and where they go. Those of vendors that have folders of programs go as these.
fn moves(entries: &Entries<'_>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let tops: BTreeSet<Vec<u8>> = entries
        .entries
        .iter()
        .filter(|(_, entry)| !entries.is_directory(entry))
        .filter_map(|(path, _)| {
            let rest = path.strip_prefix(b"opt/")?;
            let name = rest.split(|byte| *byte == b'/').next()?;
            // A file right in /opt is nobody's folder.
            (name.len() < rest.len()).then(|| name.to_vec())
        })
        .collect();
    let free = |to: &Vec<u8>| !entries.entries.contains_key(to) && !entries.has_below(to);
    tops.into_iter()
        .map(|name| ([b"opt/", name.as_slice()].concat(), [b"usr/lib/", name.as_slice()].concat()))
        .filter(|(_, to)| free(to))
        .collect()
}

/// The new path of what lies in one of the folders.
fn moved(path: &[u8], moves: &BTreeMap<Vec<u8>, Vec<u8>>) -> Option<Vec<u8>> {
    moves
        .iter()
        .find_map(|(from, to)| is_within(path, from).then(|| [to, &path[from.len()..]].concat()))
}

/// Lets a link follow.
fn follow(entries: &mut Entries<'_>, path: &[u8], moves: &BTreeMap<Vec<u8>, Vec<u8>>) {
    let Some(entry) = entries.entries.get(path) else { return };
    let target = entries.link_target(entry).and_then(|target| target.strip_prefix(b"/"));
    let new = target.and_then(|target| moved(target, moves));
    if let (Some(new), Some(entry)) = (new, entries.entries.get_mut(path)) {
        entry.what = What::Symlink([b"/", new.as_slice()].concat());
    }
}

/// Puts new paths into an entry of a menu.
fn rewrite(
    entries: &mut Entries<'_>,
    path: &[u8],
    moves: &BTreeMap<Vec<u8>, Vec<u8>>,
    known: &mut Known<'_>,
) {
    let Some(entry) = entries.entries.get(path).filter(|entry| entries.is_file(entry)) else {
        return;
    };
    let Some(mut text) = entries.text(entry, known) else { return };
    let mut changed = false;
    for (from, to) in moves {
        let slash = |path: &[u8]| [b"/", path, b"/"].concat();
        if let Some(new) = replace(&text, &slash(from), &slash(to)) {
            (text, changed) = (new, true);
        }
    }
    if let (true, Some(entry)) = (changed, entries.entries.get_mut(path)) {
        entry.what = What::File(text);
    }
}

#[cfg(test)]
mod tests {
    use rpm::NewFile;

    use crate::checks::testing::{file, findings, plan};
    use crate::extension::Extension;
    use crate::finding::Check;

    fn paths(files: Vec<NewFile>) -> Vec<String> {
        let plan = plan(files, Extension::default(), None);
        let paths = plan.tree().paths().map(|(path, _)| String::from_utf8(path).unwrap());
        paths.filter(|path| !path.contains("extension-release")).collect()
    }

    #[test]
    fn folders_of_vendors_move() {
        // Bitwarden's.
        let files = || {
            vec![
                file("/opt/Bitwarden/bitwarden", "program"),
                NewFile::symlink("/usr/bin/bitwarden", "/opt/Bitwarden/bitwarden"),
                file(
                    "/usr/share/applications/b.desktop",
                    "Exec=/opt/Bitwarden/bitwarden %U\nIcon=b\n",
                ),
            ]
        };
        let found = paths(files());
        assert!(found.contains(&"usr/lib/Bitwarden/bitwarden".to_owned()), "{found:?}");
        let messages = findings(files(), Extension::default(), None);
        assert_eq!(messages.iter().filter(|finding| finding.check == Check::PathOpt).count(), 1);
        let plan = plan(files(), Extension::default(), None);
        let node = |path: &str| plan.tree().find(path.as_bytes()).unwrap();
        let link = &plan.tree().node(node("usr/bin/bitwarden")).kind;
        assert_eq!(*link, erofs::Kind::Symlink((*b"/usr/lib/Bitwarden/bitwarden").into()));
        let desktop = node("usr/share/applications/b.desktop");
        let text = &plan.texts.iter().find(|(known, _)| *known == desktop).unwrap().1;
        assert_eq!(text, b"Exec=/usr/lib/Bitwarden/bitwarden %U\nIcon=b\n");
    }

    #[test]
    fn what_has_no_place_stays_and_is_told() {
        let files = vec![file("/opt/x/y", ""), file("/usr/lib/x/z", ""), file("/opt/file", "")];
        let found = findings(files, Extension::default(), None);
        let outside = found.iter().filter(|finding| finding.check == Check::PathRoot);
        assert_eq!(outside.count(), 2);
    }
}
