//! Groups of packages in an index: what choosing needs of `comps.xml`, as lines of a letter, a tab and fields.
//!
//! | line | |
//! |---|---|
//! | `g ID NAME` | a group; what follows up to the next `g` or `e` belongs to it |
//! | `m NAME`, `d NAME`, `o NAME` | its packages: mandatory, default, optional |
//! | `c NAME OTHER` | a package that comes with another one |
//! | `e ID NAME` | an environment |
//! | `i ID`, `x ID` | its groups, and those that can be had with it |

use std::fmt::Write as _;

use rpm::repodata::{Comps, Environment, Group, GroupPackage, PackageType};

/// Writes groups for an index.
pub(crate) fn write(comps: &Comps) -> String {
    let mut text = String::new();
    for group in &comps.groups {
        let _ = writeln!(text, "g\t{}\t{}", field(&group.id), field(&group.name));
        for package in &group.packages {
            let name = field(&package.name);
            let _ = match package.kind {
                PackageType::Mandatory => writeln!(text, "m\t{name}"),
                PackageType::Default => writeln!(text, "d\t{name}"),
                PackageType::Optional => writeln!(text, "o\t{name}"),
                PackageType::Conditional => {
                    let other = field(package.requires.as_deref().unwrap_or_default());
                    writeln!(text, "c\t{name}\t{other}")
                }
            };
        }
    }
    for environment in &comps.environments {
        let _ = writeln!(text, "e\t{}\t{}", field(&environment.id), field(&environment.name));
        for (letter, groups) in [('i', &environment.groups), ('x', &environment.options)] {
            for group in groups {
                let _ = writeln!(text, "{letter}\t{}", field(group));
            }
        }
    }
    text
}

/// Reads what [`write()`] wrote. Lines that are none of these are passed over.
pub(crate) fn read(text: &str) -> Comps {
    let mut comps = Comps::default();
    for line in text.lines() {
        let mut fields = line.split('\t');
        let (letter, first) =
            (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let (first, second) = (first.to_owned(), fields.next().unwrap_or_default().to_owned());
        let kind = match letter {
            "g" => {
                comps.groups.push(Group { id: first, name: second, ..Group::default() });
                continue;
            }
            "e" => {
                let environment = Environment { id: first, name: second, ..Environment::default() };
                comps.environments.push(environment);
                continue;
            }
            "i" | "x" => {
                if let Some(environment) = comps.environments.last_mut() {
                    let of = if letter == "i" {
                        &mut environment.groups
                    } else {
                        &mut environment.options
                    };
                    of.push(first);
                }
                continue;
            }
            "m" => PackageType::Mandatory,
            "d" => PackageType::Default,
            "o" => PackageType::Optional,
            "c" => PackageType::Conditional,
            _ => continue,
        };
        if let Some(group) = comps.groups.last_mut() {
            let requires = (kind == PackageType::Conditional).then_some(second);
            group.packages.push(GroupPackage { name: first, kind, requires });
        }
    }
    comps
}

/// A field has neither tabs nor ends of lines.
fn field(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let package = |name: &str, kind, requires: Option<&str>| GroupPackage {
            name: name.into(),
            kind,
            requires: requires.map(str::to_owned),
        };
        let comps = Comps {
            groups: vec![
                Group {
                    id: "core".into(),
                    name: "Core \u{e9}".into(),
                    packages: vec![
                        package("bash", PackageType::Mandatory, None),
                        package("vim", PackageType::Default, None),
                        package("emacs", PackageType::Optional, None),
                        package("lang-de", PackageType::Conditional, Some("office")),
                    ],
                    ..Group::default()
                },
                Group { id: "empty".into(), name: "Empty".into(), ..Group::default() },
            ],
            environments: vec![Environment {
                id: "server".into(),
                name: "Server".into(),
                groups: vec!["core".into()],
                options: vec!["empty".into()],
            }],
        };
        assert_eq!(read(&write(&comps)), comps);
        assert_eq!(read("i\tx\nm\tbash\nzzz\n\n"), Comps::default());
    }
}
