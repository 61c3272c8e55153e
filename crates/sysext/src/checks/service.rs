//! `service`: units that would be enabled on another system, and nobody starts; and units without what they run.

use super::{Image, display};
use crate::finding::{Check, Severity};

/// Keys of commands in units.
const COMMANDS: [&str; 4] = ["ExecStart", "ExecStartPre", "ExecStartPost", "ExecReload"];

pub(super) fn check(image: &mut Image<'_, '_>) {
    let units = image.units();
    let upheld = image.recipe.extension.services.clone();
    for service in &upheld {
        let template = service.split_once('@').map(|(name, end)| {
            let kind = end.rsplit('.').next().unwrap_or_default();
            format!("{name}@.{kind}")
        });
        let is_here = units.contains_key(service)
            || template.is_some_and(|template| units.contains_key(&template));
        if !is_here && !image.exists(format!("/usr/lib/systemd/system/{service}").as_bytes()) {
            let message =
                format!("{service} is to be started, and neither the image nor the base has it");
            image.add(Severity::Error, Check::Service, None, message, "");
        }
    }
    for (name, path) in &units {
        let Some(text) = image.text(path) else { continue };
        missing_programs(image, name, path, &text);
        if !text.lines().any(|line| line.trim() == "[Install]") || upheld.contains(name) {
            continue;
        }
        // A socket starts its service, and a service may bring its socket.
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
        let has_kin =
            upheld.iter().any(|unit| unit.rsplit_once('.').is_some_and(|(other, _)| other == stem));
        if has_kin || name.contains('@') {
            continue;
        }
        let socket = format!("{stem}.socket");
        let fix = match units.contains_key(&socket) {
            true if *name != socket => format!(
                "name `{socket}` in `services` if it is to be started when somebody asks for it"
            ),
            _ => format!("name `{name}` in `services` if it is to be started"),
        };
        let message = format!("{name} is not started when the extension is merged");
        image.add(Severity::Info, Check::Service, Some(path), message, &fix);
    }
}

/// Commands of a unit whose programs are nowhere.
fn missing_programs(image: &mut Image<'_, '_>, name: &str, path: &[u8], text: &str) {
    for command in COMMANDS.iter().flat_map(|key| super::values(text, key)) {
        let may_fail = command.starts_with('-');
        let word = command.trim_start_matches(['-', '@', ':', '+', '!', '|']);
        let Some(program) = word.split_whitespace().next().filter(|word| word.starts_with('/'))
        else {
            continue;
        };
        let program = program.trim_matches('"');
        if may_fail || program.contains(['%', '$']) || image.exists(program.as_bytes()) {
            continue;
        }
        let message = format!(
            "{name} runs {program}, which neither the image nor the base has ({})",
            display(path)
        );
        image.add(Severity::Warning, Check::Service, Some(path), message, "");
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{base, file, messages};
    use super::*;
    use crate::extension::Extension;

    fn check(units: &[(&str, &str)], services: &[&str]) -> Vec<String> {
        let base = base(&["coreutils-1-1 /usr/bin/true"]);
        let files = units
            .iter()
            .map(|(name, text)| file(&format!("/usr/lib/systemd/system/{name}"), text))
            .collect();
        let services = services.iter().map(|unit| (*unit).to_owned()).collect();
        messages(Check::Service, files, Extension { services, ..Extension::default() }, Some(&base))
    }

    #[test]
    fn units_that_nobody_starts_are_told() {
        let service = (
            "docker.service",
            "[Service]\nExecStart=/usr/bin/true\n[Install]\nWantedBy=multi-user.target\n",
        );
        let socket = ("docker.socket", "[Socket]\n[Install]\nWantedBy=sockets.target\n");
        assert_eq!(check(&[service], &[]).len(), 1);
        assert_eq!(check(&[service], &["docker.service"]).len(), 0);
        assert_eq!(check(&[service, socket], &["docker.socket"]).len(), 0);
        assert_eq!(check(&[("x.service", "[Service]\nExecStart=/bin/true\n")], &[]).len(), 0);
        assert_eq!(check(&[], &["nowhere.service"]).len(), 1);
        assert_eq!(check(&[("x@.service", "[Service]\n[Install]\n")], &["x@a.service"]).len(), 0);
    }

    #[test]
    fn units_without_programs_are_told() {
        let check = |command: &str| {
            check(&[("x.service", &format!("[Service]\nExecStart={command}\n"))], &[]).len()
        };
        assert_eq!(check("/usr/bin/nowhere --x"), 1);
        assert_eq!(check("+/usr/bin/nowhere"), 1);
        for fine in ["-/usr/bin/nowhere", "/usr/bin/true", "@/bin/true true", "true", "/usr/bin/%i"]
        {
            assert_eq!(check(fine), 0, "{fine}");
        }
    }
}
