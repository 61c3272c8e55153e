//! `etc-config`: units that want a file of /etc which the extension has elsewhere.

use super::Image;
use crate::extension::EtcPolicy;
use crate::finding::{Check, Severity};

pub(super) fn check(image: &mut Image<'_, '_>) {
    if image.recipe.extension.etc == EtcPolicy::Factory {
        return;
    }
    for (name, path) in image.units() {
        let Some(text) = image.text(&path) else { continue };
        let drop_ins: Vec<String> = image
            .below(&format!("usr/lib/systemd/system/{name}.d"), &[".conf"])
            .iter()
            .filter_map(|path| image.text(path))
            .collect();
        // An empty line resets what comes before it.
        if drop_ins.iter().any(|text| super::values(text, "EnvironmentFile").any(str::is_empty)) {
            continue;
        }
        let wanted: Vec<String> = super::values(&text, "EnvironmentFile")
            .filter(|file| file.starts_with("/etc/"))
            .map(str::to_owned)
            .collect();
        for file in wanted {
            let moved = format!("usr{file}");
            if !image.paths.contains_key(moved.as_bytes()) {
                continue;
            }
            let message = format!(
                "{name} does not start without {file}, which the extension has in /usr/etc"
            );
            let fix = "add a drop-in that resets EnvironmentFile= and names it there, or take `etc = \"factory\"`";
            image.add(Severity::Warning, Check::EtcConfig, Some(&path), message, fix);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, messages};
    use super::*;
    use crate::extension::Extension;

    fn check(unit: &str, drop_in: &str, etc: EtcPolicy) -> usize {
        // tailscaled's, as its recipe resets it.
        let files = vec![
            file("/usr/lib/systemd/system/tailscaled.service", unit),
            file("/usr/lib/systemd/system/tailscaled.service.d/10.conf", drop_in),
            file("/etc/default/tailscaled", "PORT=1\n"),
        ];
        messages(Check::EtcConfig, files, Extension { etc, ..Extension::default() }, None).len()
    }

    #[test]
    fn files_of_etc_that_units_need_are_told() {
        let needs = "[Service]\nEnvironmentFile=/etc/default/tailscaled\n";
        assert_eq!(check(needs, "", EtcPolicy::UsrEtc), 1);
        assert_eq!(check(needs, "[Service]\nEnvironmentFile=\n", EtcPolicy::UsrEtc), 0);
        assert_eq!(check(needs, "", EtcPolicy::Factory), 0);
        assert_eq!(
            check("[Service]\nEnvironmentFile=-/etc/default/tailscaled\n", "", EtcPolicy::UsrEtc),
            0
        );
        assert_eq!(check("[Service]\nEnvironmentFile=/etc/os-release\n", "", EtcPolicy::UsrEtc), 0);
    }
}
