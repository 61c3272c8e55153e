//! `dangling`: links that lead nowhere.

use erofs::Kind;

use super::{Image, display};
use crate::finding::{Check, Severity};

/// Where things come to be on a running system, so that nobody knows before.
const LATER: [&str; 7] = ["etc/", "var/", "run/", "proc/", "sys/", "dev/", "tmp/"];

pub(super) fn check(image: &mut Image<'_, '_>) {
    let links: Vec<(Vec<u8>, Vec<u8>)> = image
        .paths
        .iter()
        .filter_map(|(path, node)| match &image.tree.node(*node).kind {
            Kind::Symlink(target) => Some((path.clone(), target.to_vec())),
            _ => None,
        })
        .collect();
    for (path, target) in links {
        let Some(to) = resolve(&path, &target) else { continue };
        if comes_later(&to) || image.exists(&[b"/", to.as_slice()].concat()) {
            continue;
        }
        let message = format!(
            "{} leads to {}, which neither the image nor the base has",
            display(&path),
            display(&to)
        );
        image.add(
            Severity::Warning,
            Check::Dangling,
            Some(&path),
            message,
            "add the package that has it, or remove the link",
        );
    }
}

/// Whether a path is where things come to be on a running system.
pub(super) fn comes_later(path: &[u8]) -> bool {
    LATER.iter().any(|top| path.starts_with(top.as_bytes()))
}

/// Where a link leads, relative to the root; nothing if it leads above it.
pub(super) fn resolve(link: &[u8], target: &[u8]) -> Option<Vec<u8>> {
    let mut parts: Vec<&[u8]> = match target.first() {
        Some(b'/') => Vec::new(),
        _ => link.split(|byte| *byte == b'/').collect(),
    };
    // The link's own name.
    parts.pop();
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join(&b'/'))
}

#[cfg(test)]
mod tests {
    use rpm::NewFile;

    use super::super::testing::{base, base_of, file, messages};
    use super::*;
    use crate::extension::Extension;

    #[test]
    fn links_to_nowhere_are_told() {
        let base = base(&["nc-1-1 /usr/bin/netcat /usr/lib/x/y"]);
        let check = |link: &str, target: &str| {
            let files = vec![NewFile::symlink(link, target), file("/usr/bin/own", "")];
            messages(Check::Dangling, files, Extension::default(), Some(&base)).len()
        };
        // netcat's alternatives, as rpm would have them in /etc.
        assert_eq!(check("/usr/bin/nc", "/usr/bin/ncat"), 1);
        assert_eq!(check("/usr/bin/nc", "../lib/nowhere"), 1);
        for fine in [
            "/etc/alternatives/nc",
            "netcat",
            "/bin/netcat",
            "own",
            "../bin/own",
            "/usr/lib/x",
            "/proc/self",
            "../../..",
        ] {
            assert_eq!(check("/usr/bin/nc", fine), 0, "{fine}");
        }
        // What a base has is not known without it.
        let files = vec![NewFile::symlink("/usr/bin/nc", "/usr/bin/ncat")];
        assert!(messages(Check::Dangling, files, Extension::default(), None).is_empty());
    }
    #[test]
    fn links_of_the_base_are_followed() {
        let base = base_of(vec![
            NewFile::symlink("/usr/lib/jvm/current", "jdk-21"),
            file("/usr/lib/jvm/jdk-21/bin/java", ""),
            NewFile::symlink("/usr/bin/old", "gone"),
            NewFile::symlink("/usr/bin/state", "/var/lib/state"),
            NewFile::symlink("/usr/bin/circle", "circle"),
        ]);
        let check = |target: &str| {
            let files = vec![NewFile::symlink("/usr/bin/own", target)];
            messages(Check::Dangling, files, Extension::default(), Some(&base)).len()
        };
        for fine in ["/usr/lib/jvm/current/bin/java", "../lib/jvm/current", "state", "/bin/state"] {
            assert_eq!(check(fine), 0, "{fine}");
        }
        for nowhere in ["/usr/lib/jvm/current/bin/javac", "old", "circle"] {
            assert_eq!(check(nowhere), 1, "{nowhere}");
        }
    }
}
