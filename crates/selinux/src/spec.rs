//! Lines of `file_contexts`.

use crate::error::{Error, Place, corrupt};

/// Characters that make a line a pattern, as `label_file.h` has them.
pub(crate) const META: &str = ".^$?*+|[({";

/// What a path is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// Not known: lines for any type count.
    Any,
    /// A regular file (`--`).
    File,
    /// A folder (`-d`).
    Dir,
    /// A symbolic link (`-l`).
    Link,
    /// A character device (`-c`).
    Char,
    /// A block device (`-b`).
    Block,
    /// A named pipe (`-p`).
    Fifo,
    /// A socket (`-s`).
    Socket,
}

/// A line: what matches it, and what context that has.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) place: Place,
    pub(crate) regex: String,
    /// [`Kind::Any`] if it is for all.
    pub(crate) kind: Kind,
    /// `None` is `<<none>>`: not to be labelled.
    pub(crate) context: Option<String>,
    pub(crate) is_pattern: bool,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Any,
        Self::File,
        Self::Dir,
        Self::Link,
        Self::Char,
        Self::Block,
        Self::Fifo,
        Self::Socket,
    ];

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "--" => Self::File,
            "-d" => Self::Dir,
            "-l" => Self::Link,
            "-c" => Self::Char,
            "-b" => Self::Block,
            "-p" => Self::Fifo,
            "-s" => Self::Socket,
            _ => return None,
        })
    }
}

impl Spec {
    /// Reads all lines of a file.
    pub(crate) fn read_all(text: &str) -> Result<Vec<Self>, Error> {
        let mut specs = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start();
            if !line.is_empty() && !line.starts_with('#') {
                specs.push(Self::parse(line, Place::Line(number.saturating_add(1)))?);
            }
        }
        Ok(specs)
    }

    pub(crate) fn parse(line: &str, place: Place) -> Result<Self, Error> {
        let mut words = line.split_ascii_whitespace();
        let (regex, second, third) = (words.next(), words.next(), words.next());
        let (Some(regex), Some(second)) = (regex, second) else {
            return Err(corrupt(place, "PATH [TYPE] CONTEXT", format!("`{}`", line.trim_end())));
        };
        let (kind, context) = match third {
            Some(context) => (Some(second), context),
            None => (None, second),
        };
        if let Some(word) =
            [Some(regex), kind, Some(context)].into_iter().flatten().find(|word| !word.is_ascii())
        {
            return Err(corrupt(place, "ASCII", format!("`{word}`")));
        }
        let kind = match kind {
            None => Kind::Any,
            Some(text) => Kind::parse(text).ok_or_else(|| {
                corrupt(place, "a type of -- -d -l -c -b -p -s", format!("`{text}`"))
            })?,
        };
        Ok(Self {
            place,
            regex: regex.to_owned(),
            kind,
            context: (context != "<<none>>").then(|| context.to_owned()),
            is_pattern: is_pattern(regex),
        })
    }

    /// How much a line tells, the less the smaller: the order in which libsemanage puts lines of several modules.
    pub(crate) fn specificity(&self) -> (bool, usize, usize, bool) {
        let (mut stem, mut length) = (0_usize, 0_usize);
        let mut only_plain = true;
        let mut rest = self.regex.chars();
        while let Some(character) = rest.next() {
            if META.contains(character) && character != '\\' {
                only_plain = false;
            } else if character == '\\' {
                rest.next();
            }
            length = length.saturating_add(1);
            if only_plain {
                stem = stem.saturating_add(1);
            }
        }
        (!self.is_pattern, stem, length, self.kind != Kind::Any)
    }
}

fn is_pattern(regex: &str) -> bool {
    let mut rest = regex.chars();
    while let Some(character) = rest.next() {
        if META.contains(character) {
            return true;
        }
        if character == '\\' {
            rest.next();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let specs = Spec::read_all(
            "# comment\n\n  /usr/.*  system_u:object_r:usr_t:s0\n/dev/null\t-c\t<<none>>\n/a\\.b x:y:z:s0\n",
        )
        .unwrap();
        let [usr, null, plain] = specs.as_slice() else { panic!("{specs:?}") };
        assert_eq!((usr.kind, usr.is_pattern), (Kind::Any, true));
        assert_eq!(usr.context.as_deref(), Some("system_u:object_r:usr_t:s0"));
        assert_eq!((null.kind, &null.context, null.is_pattern), (Kind::Char, &None, false));
        // As libselinux has it: three words, the second is the type.
        assert!(Spec::read_all("/a x:y:z:s0 more\n").is_err());
        assert!(!plain.is_pattern);
    }

    #[test]
    fn other_lines_are_refused_with_their_number() {
        let check = |text: &str, expected: &str| {
            assert_eq!(Spec::read_all(text).unwrap_err().to_string(), expected);
        };
        check("/usr\n", "file_contexts: line 1: expected PATH [TYPE] CONTEXT, found `/usr`");
        check(
            "\n/usr -x a:b:c\n",
            "file_contexts: line 2: expected a type of -- -d -l -c -b -p -s, found `-x`",
        );
        check("/\u{e9} a:b:c\n", "file_contexts: line 1: expected ASCII, found `/\u{e9}`");
    }
}
