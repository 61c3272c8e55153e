//! What a package provides, requires, recommends and so on.
//!
//! A dependency is a name, perhaps with a comparison to a version; or a rich one, a boolean expression of such. See
//! rpm-dependencies(7) and <https://rpm-software-management.github.io/rpm/manual/boolean_dependencies.html>.

use std::cmp::Ordering;
use std::fmt;

use crate::evr::{Place, place};

/// Which side of a version is meant: rpm's `RPMSENSE_LESS`, `RPMSENSE_GREATER` and `RPMSENSE_EQUAL`, together.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Sense(u8);

impl Sense {
    /// Any version.
    pub const ANY: Self = Self(0);
    /// `<`
    pub const LESS: Self = Self(1);
    /// `>`
    pub const GREATER: Self = Self(2);
    /// `=`
    pub const EQUAL: Self = Self(4);
    /// `<=`
    pub const LESS_EQUAL: Self = Self(5);
    /// `>=`
    pub const GREATER_EQUAL: Self = Self(6);

    /// All of them, with the words of metadata (`flags="GE"`) and of spec files.
    const WORDS: [(Self, &'static str, &'static str); 5] = [
        (Self::LESS, "LT", "<"),
        (Self::GREATER, "GT", ">"),
        (Self::EQUAL, "EQ", "="),
        (Self::LESS_EQUAL, "LE", "<="),
        (Self::GREATER_EQUAL, "GE", ">="),
    ];

    /// From `LT`, `LE`, `EQ`, `GE` or `GT`.
    pub fn from_flags(flags: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, word, _)| *word == flags).map(|(sense, _, _)| *sense)
    }

    /// From `<`, `<=`, `=`, `==`, `>=` or `>`.
    pub fn from_operator(operator: &str) -> Option<Self> {
        let operator = if operator == "==" { "=" } else { operator };
        Self::WORDS.iter().find(|(_, _, word)| *word == operator).map(|(sense, _, _)| *sense)
    }

    /// `<`, `<=`, `=`, `>=`, `>`, or nothing for any version.
    pub fn operator(self) -> &'static str {
        Self::WORDS.iter().find(|(sense, _, _)| *sense == self).map_or("", |(_, _, word)| word)
    }

    /// The bits, 0 to 7.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// From [`Sense::bits`]; other bits are dropped.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & 7)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether a provide of `self provided` fulfils a requirement of `wanted version`: whether the two ranges share a
    /// version. What names no version fulfils all and is fulfilled by all, as in rpm.
    pub fn overlaps(self, provided: &str, wanted: Self, version: &str) -> bool {
        if self == Self::ANY || wanted == Self::ANY {
            return true;
        }
        let both = |side: Self| self.has(side) && wanted.has(side);
        if both(Self::LESS) || both(Self::GREATER) {
            return true;
        }
        match place(provided, version) {
            Place::Ordered(Ordering::Equal) => both(Self::EQUAL),
            Place::Ordered(Ordering::Less) => wanted.has(Self::LESS) || self.has(Self::GREATER),
            Place::Ordered(Ordering::Greater) => wanted.has(Self::GREATER) || self.has(Self::LESS),
            Place::FirstIsWider => self.has(Self::EQUAL),
            Place::SecondIsWider => wanted.has(Self::EQUAL),
        }
    }
}

/// A name, perhaps with a version; or, where the name starts with `(`, a rich dependency as text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Dependency {
    /// A package's name, a path, `libc.so.6()(64bit)`, `pkgconfig(zlib)` ...
    pub name: String,
    /// How the version is meant.
    pub sense: Sense,
    /// `[epoch:]version[-release]`, without an epoch of 0; empty where any version will do.
    pub evr: String,
}

impl Dependency {
    /// Parses `NAME` or `NAME OPERATOR VERSION`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let name = words.next()?.to_owned();
        let (sense, evr) = match words.next() {
            Some(operator) => (Sense::from_operator(operator)?, words.next()?),
            None => (Sense::ANY, ""),
        };
        let evr = evr.strip_prefix("0:").unwrap_or(evr).to_owned();
        words.next().is_none().then_some(Self { name, sense, evr })
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.sense != Sense::ANY {
            write!(f, " {} {}", self.sense.operator(), self.evr)?;
        }
        Ok(())
    }
}

/// The operators of rich dependencies.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(missing_docs, reason = "they are the words of the specification")]
pub enum Operator {
    And,
    Or,
    If,
    Unless,
    /// The second half of `if` and `unless`: `A if (B else C)`.
    Else,
    With,
    Without,
}

impl Operator {
    const WORDS: [(Self, &'static str); 7] = [
        (Self::And, "and"),
        (Self::Or, "or"),
        (Self::If, "if"),
        (Self::Unless, "unless"),
        (Self::Else, "else"),
        (Self::With, "with"),
        (Self::Without, "without"),
    ];

    /// The word in a dependency.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(operator, _)| *operator == self).map_or("", |(_, word)| word)
    }

    fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(operator, _)| *operator)
    }
}

/// A rich dependency. `A and B and C` is `A and (B and C)`; `A if B else C` is `A if (B else C)`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rich {
    /// A plain dependency.
    Plain(Dependency),
    /// Two joined by an operator.
    Joined(Operator, Box<[Self; 2]>),
}

/// How deep rich dependencies may nest; rpm's own parser allows no more.
const MAX_DEPTH: u32 = 64;

impl Rich {
    /// Parses a rich dependency with its outer brackets. `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { rest: text.trim() };
        let parsed = parser.group(MAX_DEPTH)?;
        parser.rest.is_empty().then_some(parsed)
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// `( OPERAND [OPERATOR OPERAND]... )`
    fn group(&mut self, depth: u32) -> Option<Rich> {
        self.rest = self.rest.strip_prefix('(')?;
        let parsed = self.chain(None, depth.checked_sub(1)?)?;
        self.rest = self.rest.strip_prefix(')')?.trim_start();
        Some(parsed)
    }

    /// Operands up to the closing bracket. `before` is the operator that led here: only some may follow it.
    fn chain(&mut self, before: Option<Operator>, depth: u32) -> Option<Rich> {
        self.rest = self.rest.trim_start();
        let first = if self.rest.starts_with('(') { self.group(depth)? } else { self.plain()? };
        if self.rest.starts_with(')') {
            return Some(first);
        }
        let operator = Operator::parse(self.word()?)?;
        let may_follow = match (before, operator) {
            (None, Operator::Else) => false,
            (None, _) => true,
            (Some(Operator::If | Operator::Unless), Operator::Else) => true,
            (Some(before), _) => {
                before == operator
                    && matches!(operator, Operator::And | Operator::Or | Operator::With)
            }
        };
        let rest = may_follow.then(|| self.chain(Some(operator), depth.checked_sub(1)?))??;
        Some(Rich::Joined(operator, Box::new([first, rest])))
    }

    fn plain(&mut self) -> Option<Rich> {
        let name = self.word()?.to_owned();
        let before = self.rest;
        let (mut sense, mut evr) = (Sense::ANY, String::new());
        if let Some(found) = self.word().and_then(Sense::from_operator) {
            sense = found;
            let version = self.word()?;
            version.strip_prefix("0:").unwrap_or(version).clone_into(&mut evr);
        } else {
            self.rest = before;
        }
        Some(Rich::Plain(Dependency { name, sense, evr }))
    }

    /// A word up to white space or the closing bracket that is not its own: names have brackets in pairs.
    fn word(&mut self) -> Option<&'a str> {
        let mut open = 0_u32;
        let mut end = self.rest.len();
        for (at, byte) in self.rest.bytes().enumerate() {
            match byte {
                b'(' => open = open.saturating_add(1),
                b')' if open == 0 => {
                    end = at;
                    break;
                }
                b')' => open = open.saturating_sub(1),
                b' ' | b'\t' | b'\n' | b',' => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.trim_start();
        (!word.is_empty()).then_some(word)
    }
}

impl fmt::Display for Rich {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(dependency) => dependency.fmt(f),
            Self::Joined(operator, operands) => {
                let [left, right] = &**operands;
                write!(f, "({left} {} {right})", operator.word())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_overlap_as_in_rpm() {
        let check = |provided: &str, wanted: &str, expected: bool| {
            let [provides, requires] =
                [provided, wanted].map(|text| Dependency::parse(&format!("x {text}")).unwrap());
            let found = provides.sense.overlaps(&provides.evr, requires.sense, &requires.evr);
            assert_eq!(found, expected, "{provided} fulfils {wanted}");
        };
        check("= 1.0-1", ">= 1.0", true);
        check("= 1.0-1", "= 1.0", true);
        check("= 1.0-1", "< 1.0", false);
        check("= 1.0-1", "> 1.0", false);
        check("= 1.0", "= 1.0-5", true);
        check("= 1.0", ">= 1.0-5", true);
        check("", ">= 5", true);
        check("= 5", "", true);
        check("< 2", "> 1", true);
        check("< 2", "> 2", false);
        check("<= 2", ">= 2", true);
        check("= 1:1-1", "< 2", false);
        check("= 1.0~rc1-1", ">= 1.0", false);
    }

    #[test]
    fn rich_dependencies_nest() {
        let check = |text: &str, expected: Option<&str>| {
            let found = Rich::parse(text).map(|rich| rich.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("(a if b)", Some("(a if b)"));
        check("(a >= 1.0 and b and c)", Some("(a >= 1.0 and (b and c))"));
        check("(a if b else c)", Some("(a if (b else c))"));
        check("((a or b) unless libc.so.6()(64bit))", Some("((a or b) unless libc.so.6()(64bit))"));
        check(
            "(pkgconfig(a) with pkgconfig(a) < 0:2)",
            Some("(pkgconfig(a) with pkgconfig(a) < 2)"),
        );
        check("(a and b or c)", None);
        check("(a else b)", None);
        check("(a", None);
        check("(a and)", None);
        check("(a) b", None);
        check(&"(".repeat(1 << 20), None);
        check(&format!("(a{})", " and a".repeat(1 << 12)), None);
    }
}
