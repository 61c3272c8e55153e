//! `udev`: what the kernel and udev have to be told after the merge.

use super::{Image, displays, some};
use crate::extension::Task;
use crate::finding::Check;

/// Folders, ends of names, what they are, and the task that has them read.
const FOLDERS: [(&str, &str, &str, Task); 5] = [
    ("usr/lib/udev/rules.d", ".rules", "rules for devices", Task::Udev),
    ("usr/lib/udev/hwdb.d", ".hwdb", "data of devices", Task::Udev),
    ("usr/lib/modules-load.d", ".conf", "kernel modules", Task::Modules),
    ("usr/lib/sysctl.d", ".conf", "kernel parameters", Task::Sysctl),
    ("usr/lib/binfmt.d", ".conf", "formats of programs", Task::Binfmt),
];

pub(super) fn check(image: &mut Image<'_, '_>) {
    for (folder, end, what, task) in FOLDERS {
        let files = image.below(folder, &[end]);
        let Some(first) = files.first().cloned() else { continue };
        let (severity, who) = image.who_does(task);
        let paths = some(&displays(&files));
        let message = format!("{what}: {paths}; {who} has them read after the merge");
        image.add(severity, Check::Udev, Some(&first), message, "");
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, findings};
    use super::*;
    use crate::extension::{Extension, Setup};
    use crate::finding::Severity;

    #[test]
    fn what_must_be_read_is_told() {
        let check = |path: &str, without: Vec<Task>| {
            let extension =
                Extension { setup: Setup { without, ..Setup::default() }, ..Extension::default() };
            let found = findings(vec![file(path, "")], extension, None);
            found
                .into_iter()
                .find(|finding| finding.check == Check::Udev)
                .map(|finding| finding.severity)
        };
        // steam-devices.
        let rules = "/usr/lib/udev/rules.d/60-steam-input.rules";
        assert_eq!(check(rules, vec![]), Some(Severity::Info));
        assert_eq!(check(rules, vec![Task::Udev]), Some(Severity::Warning));
        assert_eq!(check("/usr/lib/modules-load.d/x.conf", vec![Task::Udev]), Some(Severity::Info));
        assert_eq!(check("/usr/lib/udev/x", vec![]), None);
    }
}
