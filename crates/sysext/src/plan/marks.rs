//! Files that systemd reads and that somebody has marked as programs: it complains of each at every boot.

use super::entries::Entries;
use crate::finding::{Check, Severity};
use crate::path::display;

/// Where systemd reads configuration.
const FOLDERS: [&str; 6] = [
    "usr/lib/tmpfiles.d/",
    "usr/lib/sysusers.d/",
    "usr/lib/systemd/system/",
    "usr/lib/systemd/user/",
    "usr/lib/modules-load.d/",
    "usr/lib/sysctl.d/",
];

/// Takes the marks off.
pub(super) fn mend(entries: &mut Entries<'_>) {
    let mut mended = Vec::new();
    for folder in FOLDERS {
        let top = folder.as_bytes();
        let below = entries.entries.range(top.to_vec()..);
        let below = below.take_while(|(path, _)| path.starts_with(top));
        let marked =
            below.filter(|(_, entry)| entries.is_file(entry) && entries.mode(entry) & 0o111 != 0);
        mended.extend(marked.map(|(path, _)| path.clone()));
    }
    for path in mended {
        let Some(entry) = entries.entries.get_mut(&path) else { continue };
        entry.mode = Some(0o644);
        let entry = entry.clone();
        let message = format!("{} was marked as a program", display(&path));
        entries.report(Severity::Info, Check::Tmpfiles, &message, &path, &entry);
    }
}

#[cfg(test)]
mod tests {
    use rpm::NewFile;

    use super::*;
    use crate::checks::testing::{messages, plan};
    use crate::extension::Extension;

    #[test]
    fn marks_are_taken_off() {
        let files = |path: &str, mode| vec![NewFile::file(path, mode, b"d /x\n".to_vec())];
        let check = |path: &str, mode| {
            messages(Check::Tmpfiles, files(path, mode), Extension::default(), None).len()
        };
        // nordvpn's.
        let path = "/usr/lib/tmpfiles.d/nordvpn.conf";
        assert_eq!(check(path, 0o755), 1);
        assert_eq!(check(path, 0o644), 0);
        assert_eq!(check("/usr/lib/systemd/system-generators/x", 0o755), 0);
        let plan = plan(files(path, 0o755), Extension::default(), None);
        let node = plan.tree().find(&path.as_bytes()[1..]).unwrap();
        assert_eq!(plan.tree().node(node).meta.mode, 0o644);
    }
}
