//! Regular expressions as libselinux hands them to PCRE, for a library that knows no backtracking.
//!
//! libselinux puts `^` before and `$` behind an expression, so that an alternative at the top level, as in `/a|/b`, is bound
//! at one end only. An expression whose first folder is plain, its stem, is only held against paths below that folder.

use crate::spec::META;

/// What a line of `file_contexts` matches.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Expression {
    /// One path.
    Literal(Vec<u8>),
    /// All paths that a pattern matches from start to end.
    Pattern {
        /// The longest folder, with a slash at the end, that all of them are below; empty if there is none.
        folder: Vec<u8>,
        /// In the syntax of `regex-syntax`.
        pattern: String,
    },
}

impl Expression {
    /// Takes a text apart; the words say what is not known.
    pub(crate) fn parse(regex: &str) -> Result<Self, &'static str> {
        let (literal, plain) = literal(regex);
        let stem = regex.get(..stem(regex)).unwrap_or_default();
        // The stem is compared as it is written, backslashes and all.
        let below_stem = literal.starts_with(stem.as_bytes());
        if plain && below_stem {
            return Ok(Self::Literal(literal));
        }
        let alternatives = alternatives(regex);
        let end = literal.iter().rposition(|byte| *byte == b'/');
        let end = end.map_or(0, |end| end.saturating_add(1));
        let folder = if alternatives.len() == 1 && below_stem && end > stem.len() {
            literal.get(..end).unwrap_or_default().to_vec()
        } else if stem.is_empty() {
            Vec::new()
        } else {
            // An expression with a stem is only held against paths below it, not against the stem itself.
            [stem.as_bytes(), b"/"].concat()
        };
        let last = alternatives.len().saturating_sub(1);
        let mut pattern = "(?:".to_owned();
        for (at, alternative) in alternatives.into_iter().enumerate() {
            let before = if at == 0 { "" } else { "|.*" };
            let after = if at == last { "" } else { ".*" };
            pattern.push_str(before);
            pattern.push_str(&format!("(?:{}){after}", translate(alternative)?));
        }
        // PCRE's dollar allows a line feed after it.
        pattern.push_str(r")\n?\z");
        Ok(Self::Pattern { folder, pattern })
    }
}

/// What an expression starts with whatever it matches, and whether that is all of it.
fn literal(regex: &str) -> (Vec<u8>, bool) {
    let mut literal = Vec::new();
    let mut bytes = regex.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let plain = match byte {
            b'\\' => match bytes.next() {
                // A letter or digit after a backslash means something.
                Some(escaped) if !escaped.is_ascii_alphanumeric() => escaped,
                _ => return (literal, false),
            },
            _ if META.contains(char::from(byte)) || byte == b')' => return (literal, false),
            _ => byte,
        };
        if bytes.peek().is_some_and(|next| b"?*{".contains(next)) {
            return (literal, false);
        }
        if bytes.peek() == Some(&b'+') {
            literal.push(plain);
            return (literal, false);
        }
        literal.push(plain);
    }
    (literal, true)
}

/// Length of the first folder of an expression, if it has none of the special characters (`get_stem_from_spec`).
fn stem(regex: &str) -> usize {
    let slash = regex.get(1..).and_then(|rest| rest.find('/'));
    let Some(end) = slash.map(|slash| slash.saturating_add(1)) else { return 0 };
    let is_plain = regex.get(..end).is_some_and(|stem| !stem.contains(|c| META.contains(c)));
    if is_plain { end } else { 0 }
}

/// The alternatives at the top level of an expression.
fn alternatives(regex: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut in_class, mut start) = (0_usize, false, 0);
    let mut characters = regex.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '[' if !in_class => {
                in_class = true;
                skip_class_start(&mut characters);
            }
            ']' => in_class = false,
            '(' if !in_class => depth = depth.saturating_add(1),
            ')' if !in_class => depth = depth.saturating_sub(1),
            '|' if !in_class && depth == 0 => {
                parts.push(regex.get(start..at).unwrap_or_default());
                start = at.saturating_add(1);
            }
            _ => {}
        }
    }
    parts.push(regex.get(start..).unwrap_or_default());
    parts
}

/// Passes over `^` and a bracket that is meant as it is, right after the start of a class.
fn skip_class_start(characters: &mut std::str::CharIndices<'_>) {
    for expected in ['^', ']'] {
        let mut ahead = characters.clone();
        if ahead.next().is_some_and(|(_, character)| character == expected) {
            *characters = ahead;
        }
    }
}

/// PCRE's syntax in that of `regex-syntax`, where they differ.
fn translate(regex: &str) -> Result<String, &'static str> {
    let mut result = String::new();
    let mut rest = regex;
    while let Some(character) = rest.chars().next() {
        let (head, tail) = rest.split_at(character.len_utf8());
        rest = tail;
        match character {
            '\\' => {
                let escaped = tail.chars().next().ok_or("a backslash at the end")?;
                rest = tail.get(escaped.len_utf8()..).unwrap_or_default();
                match escaped {
                    '0'..='9' => return Err("a back reference"),
                    'Q' | 'E' | 'K' | 'G' | 'R' | 'X' | 'C' | 'N' | 'g' | 'k' | 'o' | 'c' => {
                        return Err("an escape of Perl");
                    }
                    'h' => result.push_str(r"[\t ]"),
                    'e' => result.push_str(r"\x1B"),
                    'Z' => result.push_str(r"\n?\z"),
                    _ if escaped.is_ascii_alphanumeric() => {
                        result.push('\\');
                        result.push(escaped);
                    }
                    _ => push_literal(&mut result, escaped),
                }
            }
            '[' => rest = translate_class(tail, &mut result)?,
            '{' => match repetition(tail) {
                Some((inside, after)) => {
                    result.push_str(&format!("{{{inside}}}"));
                    rest = after;
                }
                None => result.push_str(r"\{"),
            },
            '(' if tail.starts_with('?') => {
                if !tail.starts_with("?:") {
                    return Err("a group with a question mark");
                }
                result.push('(');
            }
            '*' | '+' | '?' if tail.starts_with('+') => {
                return Err("a possessive repetition");
            }
            _ if META.contains(character) || character == ')' => result.push_str(head),
            _ => push_literal(&mut result, character),
        }
    }
    Ok(result)
}

fn push_literal(into: &mut String, character: char) {
    if !character.is_ascii_alphanumeric()
        && !character.is_whitespace()
        && !"/_-<>".contains(character)
    {
        into.push('\\');
    }
    into.push(character);
}

/// What is in the braces of a repetition and what comes after them. PCRE takes other braces as they are.
fn repetition(rest: &str) -> Option<(&str, &str)> {
    let (inside, after) = rest.split_once('}')?;
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (!least.is_empty() && digits(least) && digits(most)).then_some((inside, after))
}

/// Translates a class from after its bracket; gives what follows it.
fn translate_class<'a>(class: &'a str, result: &mut String) -> Result<&'a str, &'static str> {
    result.push('[');
    let mut rest = class;
    if let Some(tail) = rest.strip_prefix('^') {
        result.push('^');
        rest = tail;
    }
    let mut is_first = true;
    loop {
        let character = rest.chars().next().ok_or("a class without an end")?;
        let tail = rest.get(character.len_utf8()..).unwrap_or_default();
        match character {
            ']' if !is_first => {
                result.push(']');
                return Ok(tail);
            }
            '[' if tail.starts_with(':') => {
                let (name, after) = tail.split_once(":]").ok_or("a class without an end")?;
                result.push_str(&format!("[{name}:]"));
                rest = after;
                is_first = false;
                continue;
            }
            '\\' => {
                let escaped = tail.chars().next().ok_or("a class without an end")?;
                if escaped.is_ascii_alphanumeric() && !"dDsSwWnrtfv".contains(escaped) {
                    return Err("an escape in a class");
                }
                result.push('\\');
                result.push(escaped);
                rest = tail.get(escaped.len_utf8()..).unwrap_or_default();
                is_first = false;
                continue;
            }
            // A dash between two characters makes a range; at the ends it is meant as it is.
            '-' if !is_first && !tail.starts_with(']') => result.push('-'),
            _ if character.is_ascii_alphanumeric() => result.push(character),
            _ => {
                result.push('\\');
                result.push(character);
            }
        }
        rest = tail;
        is_first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(regex: &str, folder: &str, pattern: &str) {
        let folder = folder.as_bytes().to_vec();
        let pattern = format!(r"{pattern}\n?\z");
        assert_eq!(
            Expression::parse(regex),
            Ok(Expression::Pattern { folder, pattern }),
            "{regex}"
        );
    }

    #[test]
    fn patterns_are_told_from_paths() {
        let literal = |regex: &str, path: &str| {
            let path = path.as_bytes().to_vec();
            assert_eq!(Expression::parse(regex), Ok(Expression::Literal(path)));
        };
        literal("/usr/bin/ls", "/usr/bin/ls");
        literal(r"/etc/resolv\.conf", "/etc/resolv.conf");
        literal(r"/usr/bin/\_kadmind", "/usr/bin/_kadmind");
        check(r"/dev/tty\d", "/dev/", r"(?:(?:/dev/tty\d))");
    }

    #[test]
    fn patterns_are_below_a_folder() {
        check("/usr/.*", "/usr/", "(?:(?:/usr/.*))");
        check("/usr(/.*)?", "/", "(?:(?:/usr(/.*)?))");
        check("/usr/lib64?/x", "/usr/", "(?:(?:/usr/lib64?/x))");
        check("/usr/lib/x+", "/usr/lib/", "(?:(?:/usr/lib/x+))");
        check("/usr/?lib", "/usr/", "(?:(?:/usr/?lib))");
        check(".*/core", "", "(?:(?:.*/core))");
    }

    #[test]
    fn alternatives_are_bound_at_one_end() {
        check("/usr/a|/b|/c", "/usr/", "(?:(?:/usr/a).*|.*(?:/b).*|.*(?:/c))");
        check("/a|/b", "", "(?:(?:/a).*|.*(?:/b))");
        check("/x/(a|b)", "/x/", "(?:(?:/x/(a|b)))");
        check("/x/[|]", "/x/", r"(?:(?:/x/[\|]))");
    }

    #[test]
    fn syntax_is_that_of_perl() {
        check("/x/[[]", "/x/", r"(?:(?:/x/[\[]))");
        check("/x/[]a]", "/x/", r"(?:(?:/x/[\]a]))");
        check("/x/[^/&&a-z-]", "/x/", r"(?:(?:/x/[^\/\&\&a-z\-]))");
        check(r"/x/[-\+]?", "/x/", r"(?:(?:/x/[\-\+]?))");
        check("/x/[[:digit:]]{2}", "/x/", "(?:(?:/x/[[:digit:]]{2}))");
        check("/x/a{1,2}", "/x/", "(?:(?:/x/a{1,2}))");
        check("/x/{a}.", "/x/", r"(?:(?:/x/\{a\}.))");
        check(r"/x/\<a\>.", "/x/", r"(?:(?:/x/<a>.))");
        for regex in [r"/(a)\1", "/(?=a).", "/a.*+", r"/a.\", "/[a.", r"/\Qa.\E"] {
            assert!(Expression::parse(regex).is_err(), "{regex}");
        }
    }
}
