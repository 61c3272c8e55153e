//! `nss`: modules for names and log-ins, which files in /etc would have to name.

use super::{Image, display};
use crate::finding::{Check, Severity};

pub(super) fn check(image: &mut Image<'_, '_>) {
    let libraries = ["usr/lib64", "usr/lib"].map(|folder| image.below(folder, &[]));
    for path in libraries.concat() {
        let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        let (what, file) = match parts.as_slice() {
            [_, _, name] if name.starts_with(b"libnss_") => ("finds names", "/etc/nsswitch.conf"),
            [_, _, b"security", name] if name.starts_with(b"pam_") => {
                ("lets people in", "/etc/pam.d")
            }
            _ => continue,
        };
        let message = format!("{} {what} only where {file} names it", display(&path));
        image.add(
            Severity::Warning,
            Check::Nss,
            Some(&path),
            message,
            "name it there, with authselect on Fedora",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::count;
    use super::*;

    #[test]
    fn modules_for_names_and_logins_are_told() {
        let check = |path: &str| count(Check::Nss, path);
        assert_eq!(check("/lib64/libnss_winbind.so.2"), 1);
        assert_eq!(check("/usr/lib64/security/pam_u2f.so"), 1);
        assert_eq!(check("/usr/lib64/libnss3.so"), 0);
        assert_eq!(check("/usr/lib64/security/other.so"), 0);
    }
}
