//! `user-units`: units of people's own managers, which do not hear of a merge.

use super::{Image, names, some};
use crate::finding::{Check, Severity};

pub(super) fn check(image: &mut Image<'_, '_>) {
    let units =
        image.below("usr/lib/systemd/user", &[".service", ".socket", ".timer", ".path", ".target"]);
    let Some(first) = units.first().cloned() else { return };
    let names = names(&units);
    let message = format!(
        "managers of people who are logged in do not know {} yet, and nobody enables them",
        some(&names)
    );
    image.add(
        Severity::Warning,
        Check::UserUnits,
        Some(&first),
        message,
        "each person runs `systemctl --user daemon-reload` and enables what they want",
    );
}

#[cfg(test)]
mod tests {
    use super::super::testing::count;
    use super::*;

    #[test]
    fn units_of_people_are_told() {
        let check = |path: &str| count(Check::UserUnits, path);
        // sunshine's.
        assert_eq!(check("/usr/lib/systemd/user/sunshine.service"), 1);
        assert_eq!(check("/usr/lib/systemd/system/x.service"), 0);
    }
}
