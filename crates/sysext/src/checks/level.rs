//! `level`: what the base's systemd is too old for.

use rpm::evr;

use super::Image;
use crate::finding::{Check, Severity};
use crate::release;

/// Since which version `EXTENSION_RELOAD_MANAGER=` counts, see the news of systemd.
const RELOAD_MANAGER: &str = "255";
/// Since which version systemd-tmpfiles runs after extensions are merged.
const TMPFILES: &str = "254";
/// Since which version `ID_LIKE=` of the system counts.
const ID_LIKE: &str = "258";

pub(super) fn check(image: &mut Image<'_, '_>) {
    let Some(systemd) = image.base_package("systemd") else { return };
    let version = systemd.evr().split('-').next().unwrap_or_default().to_owned();
    let is_older = |than: &str| evr::compare(&version, than).is_lt();
    let mut lacks = Vec::new();
    let release = release::path(image.recipe);
    let reloads = image
        .text(release.as_bytes())
        .is_some_and(|text| text.contains("EXTENSION_RELOAD_MANAGER=1"));
    if reloads && is_older(RELOAD_MANAGER) {
        lacks.push(format!("it does not read units anew after the merge (that takes {RELOAD_MANAGER}): run `systemctl daemon-reload`"));
    }
    if is_older(TMPFILES) && !image.below("usr/lib/tmpfiles.d", &[".conf"]).is_empty() {
        lacks.push(format!("systemd-tmpfiles runs before the merge (until {TMPFILES}): the set-up unit does what it did not"));
    }
    let os_release = image.base.map(|base| base.about.os("ID").unwrap_or_default().to_owned());
    let is_other = os_release.is_some_and(|id| !id.is_empty() && id != "fedora");
    if is_other && !image.recipe.extension.any_release && is_older(ID_LIKE) {
        lacks.push(format!("it merges extensions of Fedora on Fedora alone (until {ID_LIKE})"));
    }
    for lack in lacks {
        let message = format!("the base has systemd {version}: {lack}");
        image.add(Severity::Warning, Check::Level, None, message, "");
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{base, file, messages};
    use super::*;
    use crate::extension::Extension;

    #[test]
    fn what_an_old_systemd_cannot_do_is_told() {
        let check = |systemd: &str, services: &[&str]| {
            let base = base(&[&format!("systemd-{systemd}-1.fc43")]);
            let services = services.iter().map(|unit| (*unit).to_owned()).collect();
            let extension = Extension { services, ..Extension::default() };
            messages(
                Check::Level,
                vec![file("/usr/lib/systemd/system/x.service", "")],
                extension,
                Some(&base),
            )
            .len()
        };
        assert_eq!(check("254.9", &["x.service"]), 1);
        assert_eq!(check("255", &["x.service"]), 0);
        assert_eq!(check("258~rc1", &["x.service"]), 0);
        assert_eq!(check("252", &[]), 0);
    }
}
