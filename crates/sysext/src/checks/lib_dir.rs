//! `lib-dir`: libraries in folders of their own, which the linker knows by /etc/ld.so.conf.d alone.

use super::{Image, some};
use crate::extension::Task;
use crate::finding::{Check, Severity};

/// Where an image has such files, whatever the recipe says of /etc.
const FOLDERS: [&str; 3] =
    ["usr/etc/ld.so.conf.d", "usr/share/factory/etc/ld.so.conf.d", "usr/lib/ld.so.conf.d"];

pub(super) fn check(image: &mut Image<'_, '_>) {
    let files: Vec<Vec<u8>> =
        FOLDERS.iter().flat_map(|folder| image.below(folder, &[".conf"])).collect();
    let mut folders: Vec<String> = Vec::new();
    for path in &files {
        let text = image.text(path).unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with('/'));
        folders.extend(lines.map(str::to_owned));
    }
    folders.sort();
    folders.dedup();
    if folders.is_empty() {
        return;
    }
    let (severity, _) = image.who_does(Task::Ldconfig);
    let (what, fix) = match severity {
        Severity::Info => ("the set-up unit has the linker look there", ""),
        _ => ("nobody tells the linker", "leave `ldconfig` out of `setup.without`"),
    };
    let message = format!("libraries are in {}: {what}", some(&folders));
    image.add(severity, Check::LibDir, files.first().map(Vec::as_slice), message, fix);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, findings};
    use super::*;
    use crate::extension::{EtcPolicy, Extension, Setup};

    #[test]
    fn folders_of_libraries_are_told() {
        let check = |path: &str, etc, without: Vec<Task>| {
            let setup = Setup { without, ..Setup::default() };
            let extension = Extension { setup, etc, ..Extension::default() };
            // libvirt's, which come with QEMU.
            let files = vec![file(path, "# iSCSI\n/usr/lib64/iscsi\n")];
            let found = findings(files, extension, None);
            let found = found.into_iter().find(|finding| finding.check == Check::LibDir);
            found.map(|finding| finding.severity)
        };
        let conf = "/etc/ld.so.conf.d/libiscsi-x86_64.conf";
        assert_eq!(check(conf, EtcPolicy::UsrEtc, vec![]), Some(Severity::Info));
        assert_eq!(check(conf, EtcPolicy::Factory, vec![]), Some(Severity::Info));
        assert_eq!(check(conf, EtcPolicy::UsrEtc, vec![Task::Ldconfig]), Some(Severity::Warning));
        assert_eq!(check(conf, EtcPolicy::Drop, vec![]), None);
        assert_eq!(check("/etc/ld.so.conf", EtcPolicy::UsrEtc, vec![]), None);
    }
}
