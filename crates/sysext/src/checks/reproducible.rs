//! `reproducible`: whoever makes an image again must get the same bytes, or nobody can tell whether it was tampered with.

use crate::compose::Report;
use crate::finding::{Check, Finding, Severity};

/// What is to be said of an image that was made twice of the same packages and the same recipe.
pub fn reproducible(first: &Report, second: &Report) -> Option<Finding> {
    if first.sha256 == second.sha256 {
        return None;
    }
    let message = format!(
        "made twice, the image differs: SHA-256 {} and then {}, {} and {} bytes",
        first.sha256, second.sha256, first.size, second.size
    );
    let finding = Finding::new(Severity::Error, Check::Reproducible, message);
    Some(
        finding
            .fix("report it with the recipe: it is a mistake of this program or of this machine"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_differ_are_told() {
        let report =
            |sha256: &str, size| Report { sha256: sha256.to_owned(), size, ..Report::default() };
        assert_eq!(reproducible(&report("aa", 4096), &report("aa", 4096)), None);
        let found = reproducible(&report("aa", 4096), &report("bb", 8192)).unwrap();
        assert_eq!(
            found.message,
            "made twice, the image differs: SHA-256 aa and then bb, 4096 and 8192 bytes"
        );
    }
}
