//! Epoch, version and release, and how rpm compares them.
//!
//! Written `[epoch:]version[-release]`. `~` sorts before everything, `^` after the end of a version but before a longer
//! one. See rpm-version(7).

use std::cmp::Ordering;

/// An epoch, version and release, apart.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Evr<'a> {
    /// Digits; empty where there is none, which compares as 0.
    pub epoch: &'a str,
    /// Version.
    pub version: &'a str,
    /// Release; `None` in a dependency that does not care.
    pub release: Option<&'a str>,
}

impl<'a> Evr<'a> {
    /// Takes `[epoch:]version[-release]` apart; what comes after the last `-` is the release.
    pub fn parse(text: &'a str) -> Self {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => (epoch, rest),
            _ => ("", text),
        };
        match rest.rsplit_once('-') {
            Some((version, release)) => Self { epoch, version, release: Some(release) },
            None => Self { epoch, version: rest, release: None },
        }
    }
}

/// Compares two versions or two releases, as `rpmvercmp` does.
pub fn compare_version(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    rpm_version::Evr::new("", a, "").cmp(&rpm_version::Evr::new("", b, ""))
}

/// Compares two texts of the form `[epoch:]version[-release]`; without a release sorts before any release.
pub fn compare(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let (a, b) = (Evr::parse(a), Evr::parse(b));
    compare_epoch_version(a, b).then_with(|| match (a.release, b.release) {
        (Some(a), Some(b)) => compare_version(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    })
}

/// How two ranges of versions lie to each other: `Ordering` where both name a release or neither does.
pub(crate) enum Place {
    Ordered(Ordering),
    /// Equal but for the release, which the first lacks.
    FirstIsWider,
    /// Equal but for the release, which the second lacks.
    SecondIsWider,
}

/// Compares for dependencies, where a missing release stands for all of them.
pub(crate) fn place(a: &str, b: &str) -> Place {
    if a == b {
        return Place::Ordered(Ordering::Equal);
    }
    let (a, b) = (Evr::parse(a), Evr::parse(b));
    let ordering = compare_epoch_version(a, b);
    if ordering != Ordering::Equal {
        return Place::Ordered(ordering);
    }
    // rpm takes `4-` for `4`.
    fn release(evr: Evr<'_>) -> Option<&str> {
        evr.release.filter(|release| !release.is_empty())
    }
    match (release(a), release(b)) {
        (Some(a), Some(b)) => Place::Ordered(compare_version(a, b)),
        (None, None) => Place::Ordered(Ordering::Equal),
        (None, Some(_)) => Place::FirstIsWider,
        (Some(_), None) => Place::SecondIsWider,
    }
}

fn compare_epoch_version(a: Evr<'_>, b: Evr<'_>) -> Ordering {
    fn epoch(text: &str) -> &str {
        let text = text.trim_start_matches('0');
        if text.is_empty() { "0" } else { text }
    }
    compare_version(epoch(a.epoch), epoch(b.epoch))
        .then_with(|| compare_version(a.version, b.version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_as_rpm_does() {
        let check = |lower: &str, higher: &str| {
            assert_eq!(compare(lower, higher), Ordering::Less, "{lower} < {higher}");
            assert_eq!(compare(higher, lower), Ordering::Greater, "{higher} > {lower}");
            assert_eq!(compare(lower, lower), Ordering::Equal);
        };
        check("1.0-1", "1.0-2");
        check("1.9-1", "1.10-1");
        check("1.0~rc1-1", "1.0-1");
        check("1.0-1", "1.0^git1-1");
        check("1.0^git1-1", "1.0.1-1");
        check("9.0-1", "1:1.0-1");
        check("1.0", "1.0-1");
        check("1.a", "1.1");
        assert_eq!(compare("0:1.0-1", "1.0-1"), Ordering::Equal);
        assert_eq!(compare("1.05-1", "1.5-1"), Ordering::Equal);
    }
}
