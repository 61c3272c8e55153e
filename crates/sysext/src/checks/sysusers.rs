//! `sysusers`: users and groups that come to be on the running system.

use super::Image;
use crate::extension::Task;
use crate::finding::Check;

pub(super) fn check(image: &mut Image<'_, '_>) {
    let mut names = Vec::new();
    let files = image.below("usr/lib/sysusers.d", &[".conf"]);
    for path in &files {
        let Some(text) = image.text(path) else { continue };
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [kind, name, ..] if kind.starts_with('u') => names.push(format!("the user {name}")),
                ["g", name, ..] => names.push(format!("the group {name}")),
                ["m", user, group, ..] => names.push(format!("{user} in the group {group}")),
                _ => {}
            }
        }
    }
    if names.is_empty() {
        return;
    }
    let (severity, who) = image.who_does(Task::Sysusers);
    let message = format!(
        "{who} creates {}: systemd-sysusers has run before extensions are merged",
        super::some(&names)
    );
    image.add(severity, Check::Sysusers, files.first().map(Vec::as_slice), message, "");
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, findings};
    use super::*;
    use crate::extension::{Extension, Setup};
    use crate::finding::Severity;

    #[test]
    fn users_are_told() {
        let check = |text: &str, without: Vec<Task>| {
            let extension =
                Extension { setup: Setup { without, ..Setup::default() }, ..Extension::default() };
            let found =
                findings(vec![file("/usr/lib/sysusers.d/docker.conf", text)], extension, None);
            found
                .into_iter()
                .find(|finding| finding.check == Check::Sysusers)
                .map(|finding| (finding.severity, finding.message))
        };
        let (severity, message) =
            check("# the daemon's\ng docker -\nu! qemu 107 - /\nm qemu kvm\n", vec![]).unwrap();
        assert_eq!(severity, Severity::Info);
        assert!(
            message.contains("the group docker, the user qemu, qemu in the group kvm"),
            "{message}"
        );
        assert_eq!(check("g docker -\n", vec![Task::Sysusers]).unwrap().0, Severity::Warning);
        assert_eq!(check("# nobody\n", vec![]), None);
    }
}
