//! `stack-depth`: kernels that refuse to mount EROFS images of files below an overlay.

use rpm::evr;

use super::Image;
use crate::finding::{Check, Severity};

/// From the first version that counts a file system in a file as a level of its own to the first that does so no more.
const BAD: [(&str, &str); 2] = [("6.12.63", "6.12.65"), ("6.18.3", "6.18.5")];

pub(super) fn check(image: &mut Image<'_, '_>) {
    let Some(kernel) = image.base_package("kernel-core").or_else(|| image.base_package("kernel"))
    else {
        return;
    };
    let version = kernel.evr().split('-').next().unwrap_or_default().to_owned();
    let is_bad = |(first, fixed): &(&str, &str)| {
        evr::compare(&version, first).is_ge() && evr::compare(&version, fixed).is_lt()
    };
    if let Some((_, fixed)) = BAD.iter().find(|range| is_bad(range)) {
        let message =
            format!("Linux {version} of the base refuses EROFS images in files below an overlay");
        image.add(
            Severity::Warning,
            Check::StackDepth,
            None,
            message,
            &format!("update the base to Linux {fixed}"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{base, file, messages};
    use super::*;
    use crate::extension::Extension;

    #[test]
    fn kernels_that_refuse_are_told() {
        let check = |kernel: &str| {
            let base = base(&[&format!("kernel-core-{kernel}-200.fc43")]);
            messages(
                Check::StackDepth,
                vec![file("/usr/bin/x", "")],
                Extension::default(),
                Some(&base),
            )
            .len()
        };
        assert_eq!(check("6.18.3"), 1);
        assert_eq!(check("6.18.5"), 0);
        assert_eq!(check("6.17.12"), 0);
    }
}
