//! `filecon` statements of the Common Intermediate Language.

use std::collections::BTreeMap;

use crate::error::{Error, Place, Unsupported, corrupt};

/// How deep lists may be in each other.
const MAX_DEPTH: usize = 100;

/// A part of CIL and where it starts.
struct Node<'a> {
    at: usize,
    kind: NodeKind<'a>,
}

enum NodeKind<'a> {
    Word(&'a str),
    List(Vec<Node<'a>>),
}

/// What statements can name instead of saying it.
#[derive(Default)]
struct Names<'a, 'n> {
    contexts: BTreeMap<&'a str, &'n Node<'a>>,
    ranges: BTreeMap<&'a str, &'n Node<'a>>,
    levels: BTreeMap<&'a str, &'n Node<'a>>,
}

/// The lines of `file_contexts` that the statements of a module add.
pub(super) fn contexts(text: &str) -> Result<String, Error> {
    let nodes = parse(text)?;
    let mut statements = Vec::new();
    flatten(&nodes, &mut statements);
    let mut names = Names::default();
    for (word, list) in &statements {
        if let [_, Node { kind: NodeKind::Word(name), .. }, value] = list {
            match *word {
                "context" => drop(names.contexts.insert(name, value)),
                "levelrange" => drop(names.ranges.insert(name, value)),
                "level" => drop(names.levels.insert(name, value)),
                _ => {}
            }
        }
    }
    let mut lines = String::new();
    for (word, list) in statements {
        let Some(first) = list.first().filter(|_| word == "filecon") else { continue };
        let [_, path, kind, context] = list else {
            let expected = "(filecon PATH TYPE CONTEXT)";
            return Err(corrupt(Place::Byte(first.at), expected, "another number of parts"));
        };
        let (path, kind) = (path.word("a path")?, kind.filecon_type()?);
        let context = names.context(context)?;
        lines.push_str(&format!("{path}\t{kind}\t{context}\n"));
    }
    Ok(lines)
}

/// All lists that start with a word, those in blocks and conditions as well.
fn flatten<'a, 'n>(nodes: &'n [Node<'a>], into: &mut Vec<(&'a str, &'n [Node<'a>])>) {
    for node in nodes {
        let NodeKind::List(list) = &node.kind else { continue };
        if let Some(Node { kind: NodeKind::Word(word), .. }) = list.first() {
            into.push((word, list));
            if matches!(
                *word,
                "block" | "optional" | "in" | "booleanif" | "tunableif" | "true" | "false"
            ) {
                flatten(list, into);
            }
        }
    }
}

fn parse(text: &str) -> Result<Vec<Node<'_>>, Error> {
    let mut stack: Vec<(usize, Vec<Node<'_>>)> = vec![(0, Vec::new())];
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        let rest = text.get(at..).unwrap_or_default();
        let length = match byte {
            _ if byte.is_ascii_whitespace() => 1,
            b';' => rest.find('\n').unwrap_or(rest.len()),
            b'(' if stack.len() > MAX_DEPTH => {
                return Err(corrupt(Place::Byte(at), "at most 100 lists in each other", "more"));
            }
            b'(' => {
                stack.push((at, Vec::new()));
                1
            }
            b')' => {
                let list = stack.pop();
                let (Some((start, list)), Some((_, above))) = (list, stack.last_mut()) else {
                    return Err(corrupt(
                        Place::Byte(at),
                        "an open list",
                        "a bracket that ends one",
                    ));
                };
                above.push(Node { at: start, kind: NodeKind::List(list) });
                1
            }
            _ => {
                let (word, length) = word(rest, at)?;
                if let Some((_, list)) = stack.last_mut() {
                    list.push(Node { at, kind: NodeKind::Word(word) });
                }
                length
            }
        };
        at = at.saturating_add(length);
    }
    match stack.pop() {
        Some((_, nodes)) if stack.is_empty() => Ok(nodes),
        Some((start, _)) => Err(corrupt(Place::Byte(start), "the end of a list", "none")),
        None => Ok(Vec::new()),
    }
}

/// A word, in quotes or not, and how many bytes it takes.
fn word(rest: &str, at: usize) -> Result<(&str, usize), Error> {
    if let Some(quoted) = rest.strip_prefix('"') {
        let end =
            quoted.find('"').ok_or_else(|| corrupt(Place::Byte(at), "a closing quote", "none"))?;
        return Ok((quoted.get(..end).unwrap_or_default(), end.saturating_add(2)));
    }
    let end = rest.find(|c: char| c.is_ascii_whitespace() || "();\"".contains(c));
    let end = end.unwrap_or(rest.len());
    Ok((rest.get(..end).unwrap_or_default(), end))
}

impl<'a> Node<'a> {
    fn word(&self, expected: &'static str) -> Result<&'a str, Error> {
        match self.kind {
            NodeKind::Word(word) => Ok(word),
            NodeKind::List(_) => Err(corrupt(Place::Byte(self.at), expected, "a list")),
        }
    }

    /// Categories: names, ranges of them, and lists of these.
    fn categories(&self, into: &mut Vec<String>) -> Result<(), Error> {
        match &self.kind {
            NodeKind::Word(name) => into.push((*name).to_owned()),
            NodeKind::List(list) => match list.as_slice() {
                [Self { kind: NodeKind::Word("range"), .. }, low, high] => {
                    let (low, high) = (low.word("a category")?, high.word("a category")?);
                    into.push(format!("{low}.{high}"));
                }
                list => list.iter().try_for_each(|node| node.categories(into))?,
            },
        }
        Ok(())
    }

    /// A type of file as `file_contexts` writes it.
    fn filecon_type(&self) -> Result<&'static str, Error> {
        Ok(match self.word("a type of file")? {
            "any" => "",
            "file" => "--",
            "dir" => "-d",
            "char" => "-c",
            "block" => "-b",
            "socket" => "-s",
            "pipe" => "-p",
            "symlink" => "-l",
            other => {
                let expected = "any, file, dir, char, block, socket, pipe or symlink";
                return Err(corrupt(Place::Byte(self.at), expected, format!("`{other}`")));
            }
        })
    }
}

impl<'a> Names<'a, '_> {
    /// `user:role:type:range`, or `<<none>>` for an empty list.
    fn context(&self, node: &Node<'a>) -> Result<String, Error> {
        let list = Self::named(node, &self.contexts)?;
        let [user, role, kind, range] = list else {
            if list.is_empty() {
                return Ok("<<none>>".to_owned());
            }
            return Err(corrupt(Place::Byte(node.at), "(USER ROLE TYPE RANGE)", "another list"));
        };
        let (user, role) = (user.word("a user")?, role.word("a role")?);
        let kind = kind.word("a type")?;
        let [low, high] = Self::named(range, &self.ranges)? else {
            return Err(corrupt(Place::Byte(range.at), "(LOW HIGH)", "another list"));
        };
        let (low, high) = (self.level(low)?, self.level(high)?);
        let range = if low == high { low } else { format!("{low}-{high}") };
        Ok(format!("{user}:{role}:{kind}:{range}"))
    }

    /// `s0` or `s0:c0,c1.c5`
    fn level(&self, node: &Node<'a>) -> Result<String, Error> {
        let list = Self::named(node, &self.levels)?;
        let Some((sensitivity, categories)) = list.split_first() else {
            return Err(corrupt(Place::Byte(node.at), "a level such as (s0)", "an empty list"));
        };
        let mut level = sensitivity.word("a sensitivity")?.to_owned();
        let mut names = Vec::new();
        categories.iter().try_for_each(|node| node.categories(&mut names))?;
        if !names.is_empty() {
            level.push(':');
            level.push_str(&names.join(","));
        }
        Ok(level)
    }

    /// What a name stands for, or the list itself.
    fn named<'n>(
        node: &'n Node<'a>,
        names: &BTreeMap<&'a str, &'n Node<'a>>,
    ) -> Result<&'n [Node<'a>], Error> {
        let unknown = |name: &str| {
            let what = format!("the name `{name}`, which this module does not explain,");
            Error::Unsupported(Unsupported { place: Place::Byte(node.at), what })
        };
        match &node.kind {
            NodeKind::List(list) => Ok(list),
            NodeKind::Word(name) => match names.get(name).map(|node| &node.kind) {
                Some(NodeKind::List(list)) => Ok(list),
                _ => Err(unknown(name)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_become_lines() {
        let text = r#"
; (filecon "/no" any ())
(type x_t) (roletype object_r x_t)
(level low (s0)) (levelrange all (low (s0 ((range c0 c1023)))))
(context shared (system_u object_r x_t all))
(block b (optional o
  (filecon "/usr/bin/x\.y(.*)?" file (system_u object_r x_t ((s0) (s0))))))
(filecon "/run/x" any ())
(filecon "/var/x" dir shared)
(filecon "/var/y" socket (system_u object_r x_t ((s0 (c1)) (s0 (c1 c2)))))
"#;
        let lines = "/usr/bin/x\\.y(.*)?\t--\tsystem_u:object_r:x_t:s0\n/run/x\t\t<<none>>\n\
            /var/x\t-d\tsystem_u:object_r:x_t:s0-s0:c0.c1023\n\
            /var/y\t-s\tsystem_u:object_r:x_t:s0:c1-s0:c1,c2\n";
        assert_eq!(contexts(text).as_deref(), Ok(lines));
    }

    #[test]
    fn what_is_broken_is_told() {
        let check = |text: &str, expected: &str| {
            let error = contexts(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("(a", "byte 0: expected the end of a list");
        check("(a))", "byte 3: expected an open list");
        check("(filecon \"/x", "byte 9: expected a closing quote");
        check("(filecon \"/x\" file)", "(filecon PATH TYPE CONTEXT)");
        check("(filecon \"/x\" door ())", "found `door`");
        check(
            "(filecon \"/x\" file other)",
            "the name `other`, which this module does not explain",
        );
        check(&"(".repeat(1000), "at most 100 lists");
        // Any white space is passed over; a form feed once was an empty word without end.
        assert_eq!(contexts("(a\u{c}b)\u{c}").as_deref(), Ok(""));
    }
}
