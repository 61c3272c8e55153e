//! `desktop`: entries of menus whose programs or icons are not there.

use super::{Image, display};
use crate::finding::{Check, Severity};

pub(super) fn check(image: &mut Image<'_, '_>) {
    for path in image.below("usr/share/applications", &[".desktop"]) {
        let Some(text) = image.text(&path) else { continue };
        let mut missing: Vec<String> = Vec::new();
        for key in ["Exec", "TryExec"] {
            let programs = super::values(&text, key).filter_map(program);
            missing.extend(programs.filter(|program| !is_there(image, program)));
        }
        let icons = super::values(&text, "Icon").filter(|icon| icon.starts_with('/'));
        missing.extend(icons.filter(|icon| !image.exists(icon.as_bytes())).map(str::to_owned));
        missing.dedup();
        for word in missing {
            let message = format!(
                "{} names {word}, which neither the image nor the base has",
                display(&path)
            );
            let fix = if word.starts_with("/opt/") {
                "replace the path by the one that it has in /usr"
            } else {
                ""
            };
            image.add(Severity::Warning, Check::Desktop, Some(&path), message, fix);
        }
    }
}

/// The program of an `Exec=` line.
fn program(line: &str) -> Option<String> {
    let word = match line.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => line.split_whitespace().next()?,
    };
    // `env NAME=VALUE program` and its like run what comes later.
    (!word.is_empty() && !matches!(word, "env" | "sh" | "bash")).then(|| word.to_owned())
}

fn is_there(image: &Image<'_, '_>, program: &str) -> bool {
    match program.strip_prefix('/') {
        Some(_) => image.exists(program.as_bytes()),
        None => image.exists(format!("/usr/bin/{program}").as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{base, file, messages};
    use super::*;
    use crate::extension::Extension;

    #[test]
    fn entries_without_programs_are_told() {
        let base = base(&["gjs-1-1 /usr/bin/gjs"]);
        let check = |entry: &str| {
            let files = vec![
                file("/usr/share/applications/x.desktop", entry),
                file("/usr/bin/x", ""),
                file("/usr/share/x.png", ""),
            ];
            messages(Check::Desktop, files, Extension::default(), Some(&base)).len()
        };
        // Bitwarden's, before its recipe replaces it.
        assert_eq!(check("[Desktop Entry]\nExec=/opt/Bitwarden/bitwarden %U\n"), 1);
        assert_eq!(check("[Desktop Entry]\nExec=\"/opt/Mullvad VPN/mullvad-vpn\" %U\n"), 1);
        assert_eq!(check("[Desktop Entry]\nTryExec=nothing\nIcon=/usr/share/y.png\n"), 2);
        assert_eq!(
            check("[Desktop Entry]\nExec=/usr/bin/x %U\nTryExec=gjs\nIcon=/usr/share/x.png\n"),
            0
        );
        assert_eq!(check("[Desktop Entry]\nExec=env A=B x\nIcon=org.example.X\n"), 0);
    }
}
