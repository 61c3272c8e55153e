//! Where a path lies in an extension, which has nothing but `/usr`, or `/etc` if it is a confext.

use crate::extension::{Class, EtcPolicy, Extension};
use crate::finding::{Check, Finding, Severity};
use crate::path::is_within;

/// Since which release `/usr/sbin` is `/usr/bin`
/// (<https://fedoraproject.org/wiki/Changes/Unify_bin_and_sbin>).
const SBIN_MERGED: u32 = 42;

/// Folders of old that are links into `/usr`, and where they lead.
const MERGED: [(&[u8], &[u8]); 4] =
    [(b"bin", b"usr/bin"), (b"sbin", b"usr/sbin"), (b"lib", b"usr/lib"), (b"lib64", b"usr/lib64")];

/// An absolute path as it is on a system of that Fedora release, without the slash in front: `/lib64` is `usr/lib64`. Empty if
/// the base system has it and nobody else can; nothing if it leads out of itself.
pub(crate) fn merged(path: &[u8], is_symlink: bool, release: &str) -> Option<Vec<u8>> {
    let mut parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    parts.retain(|part| !part.is_empty() && *part != b".");
    if parts.contains(&b"..".as_slice()) {
        return None;
    }
    let Some((&first, rest)) = parts.split_first() else { return Some(Vec::new()) };
    let mut place = match MERGED.iter().find(|(from, _)| *from == first) {
        Some((_, to)) => [vec![*to], rest.to_vec()].concat().join(&b'/'),
        None => parts.join(&b'/'),
    };
    let merges_sbin = release.parse::<u32>().is_ok_and(|release| release >= SBIN_MERGED);
    if merges_sbin && (place == b"usr/sbin" || place.starts_with(b"usr/sbin/")) {
        place = [b"usr/bin".as_slice(), &place[b"usr/sbin".len()..]].concat();
    }
    // The packages of the base have `/bin` and its like as links.
    let is_folder_of_old =
        matches!(place.as_slice(), b"usr/bin" | b"usr/sbin" | b"usr/lib" | b"usr/lib64");
    Some(if is_folder_of_old && is_symlink { Vec::new() } else { place })
}

/// Where a merged path goes in an extension, if it can have it.
pub(crate) fn within(path: &[u8], extension: &Extension) -> Option<Vec<u8>> {
    let is_in = |top: &[u8]| is_within(path, top);
    match (extension.class, extension.etc) {
        (Class::Sysext, _) if is_in(b"usr") => Some(path.to_vec()),
        (Class::Confext, _) if is_in(b"etc") => Some(path.to_vec()),
        (Class::Sysext, EtcPolicy::UsrEtc) if is_in(b"etc") => Some([b"usr/", path].concat()),
        (Class::Sysext, EtcPolicy::Factory) if is_in(b"etc") => {
            Some([b"usr/share/factory/", path].concat())
        }
        _ => None,
    }
}

/// What is to be said of a package's files that were in /etc.
pub(crate) fn moved_from_etc(paths: &[String], etc: EtcPolicy) -> Finding {
    let (whose, be) = match paths {
        [only] => (format!("its file {only}"), "is"),
        [first, ..] => (format!("{} of its files in /etc, such as {first},", paths.len()), "are"),
        [] => return Finding::new(Severity::Info, Check::EtcMoved, "nothing is in /etc"),
    };
    let finding =
        |what: &str| Finding::new(Severity::Info, Check::EtcMoved, format!("{whose} {be} {what}"));
    match etc {
        EtcPolicy::UsrEtc => {
            finding("in /usr/etc").fix("copy to /etc what the program needs there")
        }
        EtcPolicy::Factory => finding("copied to /etc by systemd-tmpfiles where it is missing"),
        EtcPolicy::Drop => finding("left out, as the recipe says"),
    }
}

/// Why only the base system may have a path, if so.
pub(crate) fn base_only(place: &[u8]) -> Option<&'static str> {
    match place {
        b"usr/lib/os-release" => Some("systemd refuses extensions that have an os-release file"),
        _ if place.starts_with(b"usr/lib/extension-release.d/")
            || place.starts_with(b"etc/extension-release.d/") =>
        {
            Some("the extension has a release file of its own")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_as_on_the_system() {
        let check = |path: &str, release: &str, expected: &str| {
            let merged = merged(path.as_bytes(), false, release);
            assert_eq!(merged.as_deref(), Some(expected.as_bytes()), "{path} on {release}");
        };
        check("/usr/bin/app", "43", "usr/bin/app");
        check("/bin/app", "43", "usr/bin/app");
        check("/sbin/app", "43", "usr/bin/app");
        check("/usr/sbin/app", "43", "usr/bin/app");
        check("/usr/sbin/app", "41", "usr/sbin/app");
        check("/sbin/app", "41", "usr/sbin/app");
        check("/usr/sbinx", "43", "usr/sbinx");
        check("/lib64/libx.so", "43", "usr/lib64/libx.so");
        check("/lib/systemd", "43", "usr/lib/systemd");
        check("/etc/app.conf", "43", "etc/app.conf");
        check("/opt//app/./x", "43", "opt/app/x");
        check("/", "43", "");
        assert_eq!(merged(b"/usr/../etc/shadow", false, "43"), None);
        assert_eq!(merged(b"/bin", true, "43"), Some(Vec::new()));
        assert_eq!(merged(b"/usr/sbin", true, "43"), Some(Vec::new()));
        assert_eq!(merged(b"/usr/bin/sh", true, "43"), Some(b"usr/bin/sh".to_vec()));
    }

    #[test]
    fn an_extension_has_usr_or_etc() {
        let check = |class, etc, path: &str, expected: Option<&str>| {
            let extension = Extension { class, etc, ..Extension::default() };
            let place = within(path.as_bytes(), &extension);
            assert_eq!(
                place.as_deref(),
                expected.map(str::as_bytes),
                "{path} in {class:?} {etc:?}"
            );
        };
        use {Class::*, EtcPolicy::*};
        check(Sysext, UsrEtc, "usr/bin/app", Some("usr/bin/app"));
        check(Sysext, UsrEtc, "etc/app.conf", Some("usr/etc/app.conf"));
        check(Sysext, Factory, "etc/app.conf", Some("usr/share/factory/etc/app.conf"));
        check(Sysext, Drop, "etc/app.conf", None);
        check(Confext, UsrEtc, "etc/app.conf", Some("etc/app.conf"));
        check(Confext, UsrEtc, "usr/bin/app", None);
        for path in ["var/lib/app", "opt/app", "boot/x", "srv", "usrx", "etcetera"] {
            check(Sysext, UsrEtc, path, None);
        }
    }
}
