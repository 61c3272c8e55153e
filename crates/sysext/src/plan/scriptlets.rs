//! What rpm would run with packages, and an extension does not: how much that matters.
//!
//! Each line of a script is one of three: harmless (it is about removing, or about caches that the base makes itself), covered
//! (files of the image say the same, and the set-up unit does it), or unknown, and then a person gets to see it. Links that
//! `alternatives(8)` would make are made.

use rpm::{Package, Scriptlet};

use super::entries::{Entries, Entry, What};
use crate::finding::{Check, Finding, Severity};
use crate::layout;

/// Programs whose calls do not matter, and why not, as words that follow "it".
const HARMLESS: [&str; 34] = [
    // Words of the shell, and looking.
    ":",
    "[",
    "test",
    "true",
    "exit",
    "echo",
    "if",
    "then",
    "else",
    "elif",
    "fi",
    "for",
    "do",
    "done",
    "case",
    "esac",
    "set",
    "local",
    "export",
    "unset",
    "return",
    "shift",
    "{",
    // Caches of the base: those of the extension would hide them.
    "gtk-update-icon-cache",
    "update-desktop-database",
    "update-mime-database",
    "glib-compile-schemas",
    "fc-cache",
    "install-info",
    "gio-querymodules-64",
    "gdk-pixbuf-query-loaders-64",
    "scrollkeeper-update",
    "touch",
    "}",
];

/// Programs whose work the set-up unit does.
const COVERED: [&str; 24] = [
    "ldconfig",
    "systemd-sysusers",
    "systemd-tmpfiles",
    "useradd",
    "groupadd",
    "usermod",
    "getent",
    "udevadm",
    "systemd-hwdb",
    "semodule",
    "selinuxenabled",
    "fixfiles",
    "restorecon",
    "load_policy",
    "sepolgen-ifgen",
    "systemctl",
    "systemd-update-helper",
    "systemd-sysctl",
    "systemd-modules-load",
    "systemd-binfmt",
    "alternatives",
    "update-alternatives",
    "sysctl",
    "modprobe",
];

/// How a line of a script is covered.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Class {
    Harmless,
    Covered,
    Unknown,
}

/// Reports scripts, and makes the links that they would make.
pub(super) fn check(entries: &mut Entries<'_>) {
    for package in entries.packages {
        let mut unknown = Vec::new();
        let mut covered = Vec::new();
        for scriptlet in
            package.scriptlets.iter().filter(|scriptlet| is_about_installing(scriptlet))
        {
            for link in alternatives(&scriptlet.body) {
                add_link(entries, &link);
            }
            match classify(scriptlet) {
                Class::Unknown => unknown.push(describe(scriptlet)),
                Class::Covered => covered.push(scriptlet.name),
                Class::Harmless => {}
            }
        }
        report(entries, package, &unknown, &covered);
    }
}

fn report(entries: &mut Entries<'_>, package: &Package, unknown: &[String], covered: &[&str]) {
    let nevra = package.nevra();
    if !unknown.is_empty() {
        let message = format!("rpm would run {}", unknown.join("; "));
        let finding = Finding::new(Severity::Warning, Check::Scriptlets, message);
        let finding =
            finding.package(&nevra).fix("do by hand what the scripts do, where it is needed");
        entries.findings.push(finding);
    }
    if !covered.is_empty() {
        let message = format!(
            "what {} of {nevra} would do, the image and its set-up unit do",
            covered.join(", ")
        );
        let finding = Finding::new(Severity::Info, Check::Scriptlets, message);
        entries.findings.push(finding.package(nevra));
    }
}

/// Whether a script is run when its package is installed. Those that remove have nothing to do: an extension goes as a whole.
fn is_about_installing(scriptlet: &Scriptlet) -> bool {
    let name = scriptlet.name;
    !name.contains("preun") && !name.contains("postun") && !name.contains("verify")
}

/// The gravest class of a script's lines.
fn classify(scriptlet: &Scriptlet) -> Class {
    let program = scriptlet.interpreter.split_whitespace().next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    if scriptlet.body.trim().is_empty() {
        return class_of(program);
    }
    if !matches!(program, "sh" | "bash" | "") {
        return Class::Unknown;
    }
    let text = scriptlet.body.replace("\\\n", " ");
    let mut heredoc: Option<String> = None;
    let mut gravest = Class::Harmless;
    for line in text.lines() {
        if let Some(end) = &heredoc {
            if line.trim() == end {
                heredoc = None;
            }
            continue;
        }
        if let Some((_, end)) = line.split_once("<<") {
            heredoc = Some(end.trim().trim_matches(['-', '\'', '"', ' ']).to_owned());
            gravest = Class::Unknown;
        }
        gravest = commands(line).map(|command| class_of(&command)).fold(gravest, Ord::max);
    }
    gravest
}

/// Names of the programs that a line runs.
fn commands(line: &str) -> impl Iterator<Item = String> + '_ {
    let line = line.trim();
    let line = if line.starts_with('#') { "" } else { line };
    let parts = line.split([';', '|', '&']).map(str::trim).filter(|part| !part.is_empty());
    parts.filter_map(|part| {
        let mut words = part.split_whitespace().filter(|word| {
            // What is before the program: words of the shell, assignments, redirections.
            !matches!(
                *word,
                "!" | "if"
                    | "then"
                    | "else"
                    | "elif"
                    | "do"
                    | "while"
                    | "until"
                    | "exec"
                    | "("
                    | "command"
            ) && !is_assignment(word)
        });
        let word = words.next()?;
        if word.starts_with('>')
            || word.starts_with("1>")
            || word.starts_with("2>")
            || word == "1"
            || word == "2"
        {
            return None;
        }
        Some(
            word.trim_matches(['"', '\'', '(', ')'])
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned(),
        )
    })
}

/// `NAME=VALUE`, which runs nothing unless the value does.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, value)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !name.is_empty() && name.chars().all(plain) && !value.contains("$(") && !value.contains('`')
    })
}

fn class_of(program: &str) -> Class {
    if program.is_empty() || HARMLESS.contains(&program) {
        Class::Harmless
    } else if COVERED.contains(&program) {
        Class::Covered
    } else {
        Class::Unknown
    }
}

/// A link that `alternatives --install` would make of LINK to PATH.
#[derive(Debug, Eq, PartialEq)]
struct Link {
    link: String,
    path: String,
}

/// `--install LINK NAME PATH PRIORITY` and `--slave LINK NAME PATH` in a script.
fn alternatives(body: &str) -> Vec<Link> {
    let text = body.replace("\\\n", " ");
    let mut links = Vec::new();
    for line in text.lines().filter(|line| line.contains("alternatives")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        for (at, word) in words.iter().enumerate() {
            if !matches!(*word, "--install" | "--slave" | "--follower") {
                continue;
            }
            let (Some(link), Some(path)) = (words.get(at + 1), words.get(at + 3)) else { continue };
            let is_path = |path: &str| path.starts_with("/usr/") && !path.contains(['$', '`', '"']);
            if is_path(link) && is_path(path) {
                links.push(Link { link: (*link).to_owned(), path: (*path).to_owned() });
            }
        }
    }
    links
}

/// Makes a link where there is nothing and what it leads to is there.
fn add_link(entries: &mut Entries<'_>, Link { link, path }: &Link) {
    let release = &entries.recipe.target.release;
    let place = |path: &str| layout::merged(path.as_bytes(), false, release);
    let (Some(at), Some(to)) = (place(link), place(path)) else { return };
    if entries.entries.contains_key(&at) || !entries.entries.contains_key(&to) || at == to {
        return;
    }
    let finding = Finding::new(
        Severity::Info,
        Check::Alternatives,
        format!("{link} is a link to {path}, as alternatives would make it"),
    );
    entries.findings.push(finding.path(link.as_bytes()));
    entries.entries.insert(at, Entry::new(What::Symlink(path.clone().into_bytes()), 0o777));
}

/// Name, interpreter and first line of a script.
fn describe(scriptlet: &Scriptlet) -> String {
    let line = scriptlet
        .body
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'));
    let more = scriptlet.body.lines().filter(|line| !line.trim().is_empty()).count() > 1;
    let line = line.unwrap_or_default();
    let short: String = line.chars().take(60).collect();
    let dots = if more || short.len() < line.len() { " ..." } else { "" };
    match short.as_str() {
        "" => format!("{} ({})", scriptlet.name, scriptlet.interpreter),
        _ => format!("{} ({}): {short}{dots}", scriptlet.name, scriptlet.interpreter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(interpreter: &str, body: &str) -> Class {
        classify(&Scriptlet { name: "%post", interpreter: interpreter.into(), body: body.into() })
    }

    #[test]
    fn lines_of_scripts_have_classes() {
        let check = |body: &str, expected: Class| {
            assert_eq!(class("/bin/sh", body), expected, "{body}");
        };
        check("exit 0\n", Class::Harmless);
        check("# a comment\n:\n", Class::Harmless);
        check(
            "if [ $1 -eq 1 ] ; then\n  /usr/bin/gtk-update-icon-cache /usr/share/icons/hicolor &>/dev/null || :\nfi\n",
            Class::Harmless,
        );
        check("getent group app >/dev/null || groupadd -r app\nexit 0", Class::Covered);
        check(
            "if [ -x /usr/lib/systemd/systemd-update-helper ]; then\n /usr/lib/systemd/systemd-update-helper install-system-units a.service || :\nfi",
            Class::Covered,
        );
        check(
            "/usr/sbin/alternatives --install /usr/bin/nc nc \\\n  /usr/bin/netcat 10\n",
            Class::Covered,
        );
        check("curl https://example.org | sh\n", Class::Unknown);
        check("X=$(make-a-key)\n", Class::Unknown);
        check("LANG=C ldconfig\n", Class::Covered);
        check("cat > /etc/app.conf <<EOF\nldconfig\nEOF\n", Class::Unknown);
        assert_eq!(class("/sbin/ldconfig", ""), Class::Covered);
        assert_eq!(class("<lua>", "posix.symlink('a', 'b')"), Class::Unknown);
        assert_eq!(class("/usr/bin/python3", "print()"), Class::Unknown);
    }

    #[test]
    fn alternatives_are_links() {
        let link = |link: &str, path: &str| Link { link: link.into(), path: path.into() };
        let body = "/usr/sbin/update-alternatives --install /usr/bin/etags emacs.etags /usr/bin/etags.emacs 80 \\\n \
                    --slave /usr/share/man/man1/etags.1.gz emacs.etags.man /usr/share/man/man1/etags.emacs.1.gz\n";
        assert_eq!(
            alternatives(body),
            [
                link("/usr/bin/etags", "/usr/bin/etags.emacs"),
                link("/usr/share/man/man1/etags.1.gz", "/usr/share/man/man1/etags.emacs.1.gz"),
            ]
        );
        assert_eq!(alternatives("alternatives --install $X name /usr/bin/a 10\n"), []);
        assert_eq!(alternatives("alternatives --install /usr/bin/a\n"), []);
    }
}
