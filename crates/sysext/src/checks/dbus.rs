//! `dbus`: policies and services of D-Bus, which a bus that runs does not read by itself.

use super::{Image, displays, some};
use crate::extension::Task;
use crate::finding::Check;

pub(super) fn check(image: &mut Image<'_, '_>) {
    let policies = image.below("usr/share/dbus-1/system.d", &[".conf"]);
    let services = image.below("usr/share/dbus-1/system-services", &[".service"]);
    let files = [policies, services].concat();
    let Some(first) = files.first().cloned() else { return };
    let (severity, who) = image.who_does(Task::Dbus);
    let paths = some(&displays(&files));
    let message = format!("{paths}; {who} has the bus read them after the merge");
    image.add(severity, Check::Dbus, Some(&first), message, "");
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, findings};
    use super::*;
    use crate::extension::{Extension, Setup};
    use crate::finding::Severity;

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
