//! `initrd`: files that matter before extensions are merged.

use super::{Image, display};
use crate::finding::{Check, Severity};

/// What is read in the initrd or before /usr is complete, and what it is.
const EARLY: [(&str, &str); 4] = [
    ("usr/lib/dracut", "is for the initrd"),
    ("usr/lib/firmware", "is firmware, which drivers ask for as soon as they are loaded"),
    (
        "usr/lib/systemd/system-generators",
        "is a generator, which systemd runs before extensions are merged",
    ),
    ("usr/lib/systemd/system/sysinit.target.wants", "is started before extensions are merged"),
];

pub(super) fn check(image: &mut Image<'_, '_>) {
    for (folder, what) in EARLY {
        let files = image.below(folder, &[]);
        let Some(first) = files.first().cloned() else { continue };
        let more = if files.len() == 1 {
            String::new()
        } else {
            format!(", and {} more like it", files.len() - 1)
        };
        let message = format!("{} {what}{more}", display(&first));
        image.add(
            Severity::Warning,
            Check::Initrd,
            Some(&first),
            message,
            "what is needed at boot belongs into the base image",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::count;
    use super::*;

    #[test]
    fn what_comes_too_late_is_told() {
        let check = |path: &str| count(Check::Initrd, path);
        assert_eq!(check("/usr/lib/dracut/modules.d/90x/module-setup.sh"), 1);
        assert_eq!(check("/lib/firmware/x.bin"), 1);
        assert_eq!(check("/usr/lib/systemd/system-generators/x"), 1);
        assert_eq!(check("/usr/lib/systemd/system/x.service"), 0);
    }
}
