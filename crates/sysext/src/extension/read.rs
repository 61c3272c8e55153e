//! From the text of `extension.toml` to an [`Extension`], or to everything that is wrong with it.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Extension, check};

/// Everything that is wrong with an `extension.toml`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadExtension(pub Vec<Mistake>);

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// Line, from 1 on.
    pub line: usize,
    /// Column, from 1 on, in characters.
    pub column: usize,
    /// What is wrong, and what was meant.
    pub message: String,
}

/// A place in the text: keys of tables and numbers in arrays, from the top.
pub(super) type Way = Vec<Part>;

/// A part of a [`Way`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Part {
    Key(&'static str),
    At(usize),
}

impl Extension {
    /// Reads the text of an `extension.toml`.
    ///
    /// # Errors
    /// It is no TOML, has keys or values that are not known, or says what cannot be. What is no TOML ends at the first mistake,
    /// else all of them come at once.
    pub fn read(text: &str) -> Result<Self, BadExtension> {
        let place = |span: Option<Range<usize>>, message: String| {
            let (line, column) = position(text, span.map_or(0, |span| span.start));
            Mistake { line, column, message }
        };
        let table = DeTable::parse(text)
            .map_err(|error| BadExtension(vec![place(error.span(), error.message().to_owned())]))?;
        let extension: Self = toml::from_str(text).map_err(|error| {
            BadExtension(vec![place(error.span(), with_suggestion(error.message()))])
        })?;
        let mistakes: Vec<Mistake> = check::check(&extension)
            .into_iter()
            .map(|(way, message)| place(Some(span(&table, &way)), message))
            .collect();
        if mistakes.is_empty() { Ok(extension) } else { Err(BadExtension(mistakes)) }
    }
}

impl fmt::Display for BadExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.0.iter().enumerate() {
            let line_break = if number == 0 { "" } else { "\n" };
            write!(f, "{line_break}{}:{}: {}", mistake.line, mistake.column, mistake.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for BadExtension {}

/// Where a value is in the text, or the nearest thing around it.
fn span(table: &Spanned<DeTable<'_>>, way: &[Part]) -> Range<usize> {
    let mut found = 0..0;
    let mut value: Option<&Spanned<DeValue<'_>>> = None;
    for part in way {
        let next = match (part, value.map(Spanned::get_ref)) {
            (Part::Key(key), None) => table.get_ref().get(*key),
            (Part::Key(key), Some(DeValue::Table(table))) => table.get(*key),
            (Part::At(index), Some(DeValue::Array(array))) => array.get(*index),
            _ => None,
        };
        let Some(next) = next else { break };
        found = next.span();
        value = Some(next);
    }
    found
}

fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// Adds to serde's "unknown field `x`, expected one of `a`, `b`" which of them may have been meant.
fn with_suggestion(message: &str) -> String {
    let mut words = message.split('`').skip(1).step_by(2);
    let is_choice = message.starts_with("unknown field") || message.starts_with("unknown variant");
    let (Some(found), true) = (words.next(), is_choice) else { return message.to_owned() };
    let choices: Vec<&str> = words.collect();
    let kind = if message.starts_with("unknown field") { "key" } else { "value" };
    match closest(found, choices.iter().copied()) {
        Some(meant) => format!("unknown {kind} `{found}`: did you mean `{meant}`?"),
        None => format!("unknown {kind} `{found}`: expected one of {}", choices.join(", ")),
    }
}

/// The word that is nearest to another, if one is near enough to have been meant.
pub(super) fn closest<'a>(found: &str, choices: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let found = found.to_lowercase().replace('_', "-");
    let near = choices.map(|choice| (distance(&found, choice), choice));
    let allowed = (found.chars().count() / 3).max(1);
    near.filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, choice)| choice)
}

/// How many letters must be added, taken off, changed or swapped with their neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = usize::from(a[i - 1] != b[j - 1]);
                let mut least =
                    (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found = match Extension::read(text) {
            Ok(_) => Vec::new(),
            Err(BadExtension(mistakes)) => mistakes,
        };
        let found: Vec<String> = found
            .iter()
            .map(|mistake| format!("{}:{}: {}", mistake.line, mistake.column, mistake.message))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_is_not_known_is_refused_with_what_was_meant() {
        check(
            "summary = \"x\"\npakages = [\"htop\"]\n",
            &["2:1: unknown key `pakages`: did you mean `packages`?"],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\n[[step]]\nsymlinks = { path = \"/usr/a\", target = \"b\" }\n",
            &["4:1: unknown key `symlinks`: did you mean `symlink`?"],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\nweak_dependencies = false\n",
            &["3:1: unknown key `weak_dependencies`: did you mean `weak-dependencies`?"],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\netc = \"factroy\"\n",
            &["3:7: unknown value `factroy`: did you mean `factory`?"],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\ntargets = [\"silverbleu\"]\n",
            &["3:12: no target is known as `silverbleu`: did you mean `silverblue`?"],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\ntargets = [\"coreos:41\"]\n",
            &["3:12: `coreos` has no `41`: expected one of stable, testing, next"],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\nrepositories = [\"rpmfusion-fre\"]\n",
            &["3:17: no repository is known as `rpmfusion-fre`: did you mean `rpmfusion-free`?"],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\nrepositories = [\"rpmfusion*\", \"copr:a/b-$releasever\", \"copr:a/b/c\"]\n",
            &[
                "3:55: no repository is known as `copr:a/b/c`, and it is neither copr:OWNER/PROJECT nor the URL of a .repo file",
            ],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\nservices = [\"docker\"]\n",
            &["3:13: `docker` is no unit: did you mean `docker.service`?"],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\nqqqqqqqq = 1\n",
            &[
                "3:1: unknown key `qqqqqqqq`: expected one of summary, description, homepage, collection, name, class, packages, exclude, weak-dependencies, absent, repositories, default-repositories, repository, source, targets, releases, arches, any-release, version, leave-out, etc, services, setup, step, required, allow, deny",
            ],
        );
    }

    #[test]
    fn what_is_of_another_type_is_refused() {
        check("summary = 1\n", &["1:11: invalid type: integer `1`, expected a string"]);
        check(
            "summary = \"x\"\npackages = \"a\"\n",
            &["2:12: invalid type: string \"a\", expected a sequence"],
        );
        check("summary = \"x\"\npackages = [\"a\"\n", &["2:16: unclosed array, expected `]`"]);
        check(
            "summary = \"x\"\npackages = [\"a\"]\n[[step]]\nmode = { path = \"/usr/bin/a\", mode = \"99\" }\n",
            &["4:38: expected permissions such as \"0755\", found \"99\""],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\n[[step]]\nmode = { path = \"/usr/bin/a\", mode = 755 }\n",
            &["4:38: invalid type: integer `755`, expected a string"],
        );
    }

    #[test]
    fn what_cannot_be_is_refused_all_at_once() {
        check(
            "",
            &[
                "1:1: expected `summary`, one line about the extension",
                "1:1: expected `packages`, a `source` or steps that write files: there is nothing to put into the image",
                "1:1: expected `[version]` with `package`, `source` or `text`: nothing is asked for whose version it could be",
            ],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\nexclude = [\"a\"]\n\n[[step]]\nmkdir = { path = \"/var/lib/a\" }\n\n[[step]]\ncapabilities = { path = \"/usr/bin/a\", set = \"cap_nothing=ep\" }\n",
            &[
                "3:12: `a` is asked for in `packages` and excluded as well",
                "6:18: an extension only has /usr, found `/var/lib/a`",
                "9:45: expected capabilities such as \"cap_net_raw=ep\", found `cap_nothing=ep`",
            ],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\n[[step]]\nmkdir = { path = \"/usr/a\" }\nremove = { path = \"/usr/b\" }\n",
            &[
                "3:1: expected one change per step, found `mkdir` and `remove`: make two steps of them",
            ],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\n[[step]]\noptional = true\n",
            &[
                "3:1: expected a change, one of file, files, install, mkdir, move, symlink, remove, mode, owner, capabilities, replace, drop-in",
            ],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\ndefault-repositories = false\n",
            &[
                "3:24: without `fedora` and `updates` there is no repository that packages could come from",
            ],
        );
        check(
            "summary = \"x\"\n[version]\nsource = \"b\"\n[[source]]\nname = \"a\"\ntype = \"file\"\nurl = \"https://example.org/{version}\"\n",
            &[
                "7:7: expected `version` or `discover`, which say what {version} stands for",
                "4:1: nothing says what `a` must be: expected `sha256` or `sha256-url`",
                "4:1: no step installs anything of `a`",
                "3:10: there is no source `b`",
            ],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\n[[step]]\nsymlink = { path = \"/usr/bin/{}\", target = \"b\" }\n",
            &["4:11: expected `each`, which says what `{}` stands for"],
        );
        check(
            "summary = \"x\"\npackages = [\"a\"]\ndeny = [\"kmod\"]\n[[allow]]\ncheck = \"kmod\"\nreason = \"\"\n",
            &["6:10: expected why it is fine", "5:9: this check is in `deny` as well"],
        );
    }

    #[test]
    fn words_that_are_near_are_meant() {
        let words = ["symlink", "services", "setup"];
        let check = |found: &str, expected: Option<&str>| {
            assert_eq!(closest(found, words.into_iter()), expected, "{found}");
        };
        check("symlinks", Some("symlink"));
        check("Service", Some("services"));
        check("stepu", None);
        check("sevrices", Some("services"));
        check("x", None);
    }
}
