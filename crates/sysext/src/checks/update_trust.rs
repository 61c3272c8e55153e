//! `update-trust`: transfers of `systemd-sysupdate` that take what nobody has signed, and keys where systemd does not look.

use super::{Image, display, values};
use crate::finding::{Check, Severity};

/// What `systemd` takes for no (`parse_boolean()`).
const NO: [&str; 6] = ["no", "n", "false", "f", "off", "0"];
/// Keys of vendors, as they are called since systemd 261, and before.
const KEYS: &str = "usr/lib/systemd/import-pubring.pgp";
const OLD_KEYS: &str = "usr/lib/systemd/import-pubring.gpg";

pub(super) fn check(image: &mut Image<'_, '_>) {
    for path in image.below("usr/lib", &[".transfer", ".conf"]) {
        let folder = path.split(|byte| *byte == b'/').nth(2).unwrap_or_default();
        let is_transfer = folder.starts_with(b"sysupdate.") && folder.ends_with(b".d");
        if !is_transfer {
            continue;
        }
        let Some(text) = image.text(&path) else { continue };
        let is_no = |value: &str| NO.contains(&value.to_ascii_lowercase().as_str());
        if values(&text, "Verify").any(is_no) {
            let message = format!(
                "{} has Verify=no: whoever controls the server or the way to it decides what is installed",
                display(&path)
            );
            let fix = "sign SHA256SUMS, ship the key in /usr/lib/systemd/import-pubring.pgp, and leave the line out";
            warn(image, &path, message, fix);
        }
    }
    if image.paths.contains_key(OLD_KEYS.as_bytes()) && !image.paths.contains_key(KEYS.as_bytes()) {
        let message =
            format!("systemd 261 and later do not read /{OLD_KEYS}: updates would not be verified");
        warn(image, OLD_KEYS.as_bytes(), message, "ship it as import-pubring.pgp as well");
    }
}

fn warn(image: &mut Image<'_, '_>, path: &[u8], message: String, fix: &str) {
    image.add(Severity::Warning, Check::UpdateTrust, Some(path), message, fix);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, messages};
    use super::*;
    use crate::extension::Extension;

    fn check(files: Vec<rpm::NewFile>) -> Vec<String> {
        messages(Check::UpdateTrust, files, Extension::default(), None)
    }

    #[test]
    fn transfers_that_verify_nothing_are_told() {
        let transfer = |path: &str, verify: &str| {
            let text = format!("[Transfer]\n{verify}\n[Source]\nType=url-file\n");
            check(vec![file(path, &text)]).len()
        };
        // As the configuration that Fedora's extensions are published with.
        assert_eq!(transfer("/usr/lib/sysupdate.d/htop.conf", "Verify=false"), 1);
        assert_eq!(transfer("/usr/lib/sysupdate.htop.d/htop.transfer", "Verify = no"), 1);
        assert_eq!(transfer("/usr/lib/sysupdate.htop.d/htop.transfer", "Verify=yes"), 0);
        assert_eq!(transfer("/usr/lib/sysupdate.htop.d/htop.transfer", ""), 0);
        assert_eq!(transfer("/usr/lib/other.d/htop.conf", "Verify=no"), 0);
    }

    #[test]
    fn keys_under_the_old_name_alone_are_told() {
        let (old, new) = (format!("/{OLD_KEYS}"), format!("/{KEYS}"));
        assert_eq!(check(vec![file(&old, "key")]).len(), 1);
        assert_eq!(check(vec![file(&new, "key")]).len(), 0);
        assert_eq!(check(vec![file(&old, "key"), file(&new, "key")]).len(), 0);
    }
}
