//! `mutable-host`: what is meant to be written at run time, in a file system that is read-only once the extension is merged.

use std::collections::BTreeMap;

use erofs::Kind;

use super::{Image, display, path, some, values};
use crate::finding::{Check, Severity};
use crate::layout;
use crate::recipe::Recipe;

/// What belongs to a service so that it can read it and nobody else can, and what is copied to where it is written.
const READ_ONLY: [&str; 3] = ["usr/share/polkit-1/rules.d", "usr/etc/", "usr/share/factory/"];
/// Types of lines of `tmpfiles.d(5)` that read or remove at most.
const HARMLESS: &[u8] = b"xXrRzZ";

pub(super) fn check(image: &mut Image<'_, '_>) {
    writable(image);
    units(image);
    tmpfiles(image);
}

/// Files and folders that somebody but root may write.
fn writable(image: &mut Image<'_, '_>) {
    let owners = owners(image);
    let mut found = Vec::new();
    for (path, node) in &image.paths {
        let entry = image.tree.node(*node);
        let is_meant = matches!(entry.kind, Kind::File(_) | Kind::Directory(_));
        if !is_meant || !path.starts_with(b"usr/") || is_read_only(path) {
            continue;
        }
        let own = (entry.meta.uid != 0, entry.meta.gid != 0);
        let (user, group) = owners.get(path).copied().unwrap_or(own);
        let mode = entry.meta.mode;
        // Programs belong to others for the sake of their set-id bits.
        let is_program = matches!(entry.kind, Kind::File(_)) && mode & 0o111 != 0;
        let others = [(user && !is_program, 0o200), (group, 0o020), (true, 0o002)];
        if others.iter().any(|(is_other, bit)| *is_other && mode & bit != 0) {
            found.push(path.clone());
        }
    }
    let Some(first) = found.first().cloned() else { return };
    let paths: Vec<String> = found.iter().map(|path| display(path)).collect();
    let message = format!("others than root are meant to write to {}", some(&paths));
    warn(image, &first, message);
}

/// Paths that packages have with a user or a group that is not root: names that the target does not know have become root's
/// in the image.
fn owners(image: &Image<'_, '_>) -> BTreeMap<Vec<u8>, (bool, bool)> {
    let Recipe { extension, target, .. } = image.recipe;
    let files = image.packages.iter().flat_map(|package| &package.files);
    let owned = files.filter_map(|file| {
        let others = (*file.user != *"root", *file.group != *"root");
        let path = layout::merged(&file.path, false, &target.release)?;
        (others != (false, false)).then_some((layout::within(&path, extension)?, others))
    });
    owned.collect()
}

fn is_read_only(path: &[u8]) -> bool {
    READ_ONLY.iter().any(|folder| path.starts_with(folder.as_bytes()))
}

/// Services that want to write to /usr.
fn units(image: &mut Image<'_, '_>) {
    for path in image.units().into_values() {
        let Some(text) = image.text(&path) else { continue };
        let wanted = values(&text, "ReadWritePaths").flat_map(str::split_whitespace);
        let wanted: Vec<String> = wanted
            .map(|path| path.trim_start_matches(['-', '+']))
            .filter(|path| path.starts_with("/usr/"))
            .map(str::to_owned)
            .collect();
        if !wanted.is_empty() {
            let message = format!("{} wants to write to {}", path::name(&path), some(&wanted));
            warn(image, &path, message);
        }
    }
}

/// Lines of `tmpfiles.d` that make something in /usr.
fn tmpfiles(image: &mut Image<'_, '_>) {
    for path in image.below("usr/lib/tmpfiles.d", &[".conf"]) {
        let Some(text) = image.text(&path) else { continue };
        let made = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let (kind, place) = (words.next()?, words.next()?.trim_matches('"'));
            let makes = !kind.starts_with('#') && !HARMLESS.contains(kind.as_bytes().first()?);
            (makes && place.starts_with("/usr/")).then(|| place.to_owned())
        });
        let made: Vec<String> = made.collect();
        if !made.is_empty() {
            let message = format!("{} is to make {}", display(&path), some(&made));
            warn(image, &path, message);
        }
    }
}

fn warn(image: &mut Image<'_, '_>, path: &[u8], message: String) {
    let message = message + ": /usr is read-only where extensions are merged";
    let fix = "have it in /var, by the program's configuration or a link";
    image.add(Severity::Warning, Check::MutableHost, Some(path), message, fix);
}

#[cfg(test)]
mod tests {
    use rpm::NewFile;

    use super::super::testing::{file, messages};
    use super::*;
    use crate::extension::Extension;

    fn check(files: Vec<NewFile>) -> Vec<String> {
        messages(Check::MutableHost, files, Extension::default(), None)
    }

    fn owned(path: &str, mode: u16, user: &str, group: &str) -> NewFile {
        let (user, group) = (user.to_owned(), group.to_owned());
        NewFile { user, group, ..NewFile::directory(path, mode) }
    }

    #[test]
    fn what_others_may_write_is_told() {
        for folder in [
            owned("/usr/share/games/scores", 0o775, "root", "games"),
            owned("/usr/share/wiki/data", 0o755, "apache", "apache"),
            owned("/usr/lib/app/cache", 0o1777, "root", "root"),
        ] {
            let path = folder.path.clone();
            let expected = format!(
                "others than root are meant to write to {path}: /usr is read-only where extensions are merged"
            );
            assert_eq!(check(vec![folder]), [expected]);
        }
        let fine = vec![
            owned("/usr/lib/app", 0o775, "root", "root"),
            owned("/usr/share/polkit-1/rules.d", 0o700, "polkitd", "root"),
            NewFile {
                group: "wireshark".into(),
                ..NewFile::file("/usr/bin/dumpcap", 0o750, vec![1])
            },
            NewFile { user: "nobody".into(), ..NewFile::file("/usr/bin/x", 0o4755, vec![1]) },
            NewFile { user: "app".into(), ..NewFile::file("/etc/app.conf", 0o660, vec![1]) },
            NewFile::symlink("/usr/bin/link", "dumpcap"),
        ];
        assert_eq!(check(fine), [""; 0]);
    }

    #[test]
    fn services_and_tmpfiles_that_write_there_are_told() {
        let unit = |line: &str| {
            let text = format!("[Service]\nExecStart=/usr/bin/x\n{line}\n");
            check(vec![file("/usr/lib/systemd/system/x.service", &text)])
        };
        let found = unit("ReadWritePaths=/var/lib/x -/usr/share/x/state");
        assert!(
            found[0].starts_with("x.service wants to write to /usr/share/x/state:"),
            "{found:?}"
        );
        assert_eq!(unit("ReadWritePaths=/var/lib/x"), [""; 0]);
        let tmpfiles = |line: &str| check(vec![file("/usr/lib/tmpfiles.d/x.conf", line)]);
        assert_eq!(tmpfiles("d /usr/share/x/state 0755 x x -").len(), 1);
        assert_eq!(tmpfiles("#d /usr/share/x/state\nd /var/lib/x\nz /usr/share/x 0755"), [""; 0]);
    }
}
