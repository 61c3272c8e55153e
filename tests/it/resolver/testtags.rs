//! Packages in the line format of libsolv's test cases.

use sysext::resolve::{Pool, RepoId};
use sysext::rpm::Dependency;
use sysext::rpm::repodata::{FileKind, RepoFile, RepoPackage};

/// Adds the packages of lines like `=Pkg: NAME VERSION RELEASE ARCH` and `=Req: DEPENDENCY`. `None` if a line is of
/// another kind.
pub(super) fn add<'a>(
    pool: &mut Pool,
    repo: RepoId,
    lines: impl Iterator<Item = &'a str>,
) -> Option<()> {
    let mut current: Option<RepoPackage> = None;
    for line in lines {
        let (tag, rest) = line.split_once(' ').unwrap_or((line, ""));
        if tag == "=Pkg:" {
            if let Some(package) = current.take() {
                pool.add(repo, &package);
            }
            let [name, version, release, arch] =
                rest.split(' ').collect::<Vec<_>>().try_into().ok()?;
            let evr = format!("{version}-{release}");
            let provides = vec![Dependency::parse(&format!("{name} = {evr}"))?];
            let (name, arch) = (name.to_owned(), arch.to_owned());
            current = Some(RepoPackage { name, evr, arch, provides, ..RepoPackage::default() });
            continue;
        }
        if tag == "=Ver:" {
            continue;
        }
        let package = current.as_mut()?;
        let list = match tag {
            "=Prv:" => &mut package.provides,
            "=Req:" => &mut package.requires,
            "=Con:" => &mut package.conflicts,
            "=Obs:" => &mut package.obsoletes,
            "=Rec:" => &mut package.recommends,
            "=Sug:" => &mut package.suggests,
            "=Sup:" => &mut package.supplements,
            "=Enh:" => &mut package.enhances,
            "=Vnd:" => continue,
            "=Fls:" => {
                package.files.push(RepoFile { path: rest.to_owned(), kind: FileKind::File });
                continue;
            }
            _ => return None,
        };
        list.push(dependency(rest)?);
    }
    if let Some(package) = current {
        pool.add(repo, &package);
    }
    Some(())
}

/// A dependency as libsolv writes it, `A & (B <IF> C)`, or `None` if rpm has no such thing.
pub(super) fn dependency(text: &str) -> Option<Dependency> {
    let rich = [" & ", " | ", "<IF>", "<UNLESS>", "<ELSE>", " + ", " - "];
    if !rich.iter().any(|sign| text.contains(sign)) {
        return Dependency::parse(text);
    }
    let mut words = Words { rest: text.trim() };
    let name = words.expression()?;
    words.rest.is_empty().then_some(())?;
    // Nothing but a plain dependency in brackets.
    Some(match name.starts_with('(') {
        true => Dependency { name, ..Dependency::default() },
        false => Dependency::parse(&name)?,
    })
}

struct Words<'a> {
    rest: &'a str,
}

impl Words<'_> {
    /// An expression up to the end or a closing bracket, in rpm's words; in brackets if it has an operator.
    fn expression(&mut self) -> Option<String> {
        let left = self.operand()?;
        let operators = [
            ("& ", "and"),
            ("| ", "or"),
            ("<IF> ", "if"),
            ("<UNLESS> ", "unless"),
            ("<ELSE> ", "else"),
            ("+ ", "with"),
            ("- ", "without"),
        ];
        let found = operators.iter().find(|(sign, _)| self.rest.starts_with(sign));
        let Some((sign, word)) = found else { return Some(left) };
        self.rest = &self.rest[sign.len()..];
        let mut right = self.expression()?;
        // rpm writes `A if B else C`, libsolv `A <IF> (B <ELSE> C)`.
        if matches!(*word, "if" | "unless") && has_else(&right) {
            right = right[1..right.len() - 1].to_owned();
        }
        Some(format!("({left} {word} {right})"))
    }

    fn operand(&mut self) -> Option<String> {
        if let Some(rest) = self.rest.strip_prefix('(') {
            self.rest = rest;
            let inner = self.expression()?;
            self.rest = self.rest.strip_prefix(')')?.trim_start();
            return Some(inner);
        }
        let mut name = self.word()?;
        for operator in ["<= ", ">= ", "< ", "> ", "= "] {
            if let Some(rest) = self.rest.strip_prefix(operator) {
                self.rest = rest;
                name = format!("{name} {operator}{}", self.word()?);
                break;
            }
        }
        Some(name)
    }

    fn word(&mut self) -> Option<String> {
        let end = self.rest.find([' ', ')', '(']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        (!word.is_empty() && !word.starts_with('<')).then(|| word.to_owned())
    }
}

/// Whether the outermost operator is `else`.
fn has_else(text: &str) -> bool {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ' ' if depth == 1 => {
                let word = text[at + 1..].split(' ').next().unwrap_or_default();
                if matches!(word, "and" | "or" | "if" | "unless" | "else" | "with" | "without") {
                    return word == "else";
                }
            }
            _ => {}
        }
    }
    false
}
