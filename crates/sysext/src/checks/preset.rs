//! `preset`: files that say which units are enabled, which nobody applies to an extension.

use super::{Image, display};
use crate::finding::{Check, Severity};

pub(super) fn check(image: &mut Image<'_, '_>) {
    for folder in ["usr/lib/systemd/system-preset", "usr/lib/systemd/user-preset"] {
        for path in image.below(folder, &[".preset"]) {
            let message = format!(
                "{} is read when a unit is installed, not when an extension is merged",
                display(&path)
            );
            image.add(
                Severity::Warning,
                Check::Preset,
                Some(&path),
                message,
                "name the units in `services`",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::count;
    use super::*;

    #[test]
    fn presets_are_told() {
        let check = |path: &str| count(Check::Preset, path);
        assert_eq!(check("/usr/lib/systemd/system-preset/90-x.preset"), 1);
        assert_eq!(check("/usr/lib/systemd/system/x.service"), 0);
    }
}
