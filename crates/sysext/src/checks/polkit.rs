//! `polkit`: rules in /etc, where polkit looks and the extension cannot be.

use super::{Image, display};
use crate::finding::{Check, Severity};

pub(super) fn check(image: &mut Image<'_, '_>) {
    for path in image.below("usr/etc/polkit-1/rules.d", &[".rules"]) {
        let message = format!("polkit does not read {}", display(&path));
        let fix = "move it to /usr/share/polkit-1/rules.d, which polkit watches";
        image.add(Severity::Warning, Check::Polkit, Some(&path), message, fix);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::count;
    use super::*;

    #[test]
    fn rules_that_nobody_reads_are_told() {
        let check = |path: &str| count(Check::Polkit, path);
        // libvirt's are in /usr.
        assert_eq!(check("/usr/share/polkit-1/rules.d/50-libvirt.rules"), 0);
        assert_eq!(check("/etc/polkit-1/rules.d/50-x.rules"), 1);
    }
}
