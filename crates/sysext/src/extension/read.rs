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
