//! `dbus`: policies and services of D-Bus, which a bus that runs does not read by itself.

use super::{Image, some};
use crate::extension::Task;
use crate::finding::{Check, Severity};

pub(super) fn check(image: &mut Image<'_, '_>) {
    let policies = image.below("usr/share/dbus-1/system.d", &[".conf"]);
    let services = image.below("usr/share/dbus-1/system-services", &[".service"]);
    let files = [policies, services].concat();
    let Some(first) = files.first().cloned() else { return };
    let names: Vec<String> = files.iter().map(|path| super::display(path)).collect();
    let without = image.recipe.extension.setup.without.contains(&Task::Dbus);
    let (severity, who) = match without {
        true => (Severity::Warning, "nobody has the bus read them after the merge"),
        false => (Severity::Info, "the set-up unit has the bus read them after the merge"),
    };
    let message = format!("{}; {who}", some(&names));
    image.add(severity, Check::Dbus, Some(&first), message, "");
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, findings};
    use super::*;
    use crate::extension::{Extension, Setup};

    #[test]
    fn what_the_bus_must_read_is_told() {
        let check = |path: &str, without: Vec<Task>| {
            let setup = Setup { without, ..Setup::default() };
            let extension = Extension { setup, ..Extension::default() };
            let found = findings(vec![file(path, "")], extension, None);
            let found = found.into_iter().find(|finding| finding.check == Check::Dbus);
            found.map(|finding| finding.severity)
        };
        // ratbagd's.
        let policy = "/usr/share/dbus-1/system.d/org.freedesktop.ratbag1.conf";
        assert_eq!(check(policy, vec![]), Some(Severity::Info));
        assert_eq!(check(policy, vec![Task::Dbus]), Some(Severity::Warning));
        let service = "/usr/share/dbus-1/system-services/org.freedesktop.ratbag1.service";
        assert_eq!(check(service, vec![]), Some(Severity::Info));
        assert_eq!(check("/usr/share/dbus-1/services/org.example.x.service", vec![]), None);
    }
}
