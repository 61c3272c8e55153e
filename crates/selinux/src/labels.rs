//! Looking labels up.
//!
//! Lines of `file_contexts` are sorted by the folder that all of their paths are below. A look-up asks the folders above a
//! path, a few, for the last of their lines that matches, by one automaton for each folder and type of file: built when it
//! is first asked for, and grown as paths come.

use std::collections::BTreeMap;

use regex_automata::Input;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;

use crate::error::{Error, Unsupported};
use crate::expression::Expression;
use crate::spec::{Kind, Spec};
use crate::subs::Subs;

/// Bytes that the automata of all lines may take by themselves; Fedora's need 4 MiB. Repetitions of repetitions in a few bytes
/// would take more than there is.
const MAX_AUTOMATA: usize = 64 << 20;

/// Texts of a policy, as they lie in `/etc/selinux/TYPE/contexts/files/`. Empty is not there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy<'a> {
    /// `file_contexts`
    pub file_contexts: &'a str,
    /// Further files of the same form, whose lines come after it: `file_contexts.homedirs`, `file_contexts.local`.
    pub more: &'a [&'a str],
    /// Lines of modules that packages bring, which are sorted in as `semodule` would.
    pub modules: &'a [&'a str],
    /// `file_contexts.subs`
    pub subs: &'a str,
    /// `file_contexts.subs_dist`
    pub subs_dist: &'a str,
}

/// The labels of a policy.
#[derive(Debug)]
pub struct Labels {
    /// In the order of precedence, the last first.
    contexts: Vec<Option<String>>,
    /// Paths, and lines for just them.
    literals: BTreeMap<Vec<u8>, Vec<(Kind, usize)>>,
    /// Folders, and patterns for what is below.
    folders: BTreeMap<Vec<u8>, Folder>,
    subs: Subs,
    subs_dist: Subs,
}

/// The patterns of a folder.
#[derive(Debug, Default)]
struct Folder {
    /// The last line first.
    patterns: Vec<Pattern>,
    /// One for each kind, once it has been asked for.
    automata: BTreeMap<Kind, Automaton>,
}

#[derive(Debug)]
struct Pattern {
    /// Number of its line in the order of precedence.
    number: usize,
    kind: Kind,
    pattern: String,
}

#[derive(Debug)]
struct Automaton {
    dfa: DFA,
    cache: Cache,
    /// The line of each of its patterns.
    numbers: Vec<usize>,
}

impl Labels {
    /// Reads a policy.
    ///
    /// # Errors
    /// A line is broken, or has an expression that is not known here.
    pub fn new(policy: &Policy<'_>) -> Result<Self, Error> {
        let mut labels = Self {
            contexts: Vec::new(),
            literals: BTreeMap::new(),
            folders: BTreeMap::new(),
            subs: Subs::parse(policy.subs),
            subs_dist: Subs::parse(policy.subs_dist),
        };
        let mut left = MAX_AUTOMATA;
        for (number, spec) in specs(policy)?.into_iter().rev().enumerate() {
            let unsupported = |what: &str| {
                let what = format!("{what} in `{}`", spec.regex);
                Error::Unsupported(Unsupported { place: spec.place, what })
            };
            match Expression::parse(&spec.regex).map_err(unsupported)? {
                Expression::Literal(path) => {
                    labels.literals.entry(path).or_default().push((spec.kind, number));
                }
                Expression::Pattern { folder, pattern } => {
                    let parsed = syntax::parse_with(&pattern, &config());
                    let parsed = parsed.map_err(|_| unsupported("an expression"))?;
                    let built = thompson::Compiler::new()
                        .configure(thompson::Config::new().nfa_size_limit(Some(left)))
                        .build_from_hir(&parsed);
                    let built =
                        built.map_err(|_| unsupported("more than an automaton can hold"))?;
                    left = left.saturating_sub(built.memory_usage());
                    let folder = labels.folders.entry(folder).or_default();
                    folder.patterns.push(Pattern { number, kind: spec.kind, pattern });
                }
            }
            labels.contexts.push(spec.context);
        }
        Ok(labels)
    }

    /// The context of a path, or `None` if nothing matches or what matches says `<<none>>`.
    ///
    /// Slashes that are doubled or at the end do not count. The path is absolute and need not be UTF-8.
    pub fn lookup(&mut self, path: &[u8], kind: Kind) -> Option<&str> {
        let mut clean: Vec<u8> = Vec::with_capacity(path.len());
        for byte in path {
            if *byte != b'/' || clean.last() != Some(&b'/') {
                clean.push(*byte);
            }
        }
        if clean.len() > 1 && clean.last() == Some(&b'/') {
            clean.pop();
        }
        // Both kinds of substitutions, one of each.
        let own = self.subs.apply(&clean);
        let path = self.subs_dist.apply(own.as_deref().unwrap_or(&clean)).or(own).unwrap_or(clean);
        let number = self.best(&path, kind)?;
        self.contexts.get(number)?.as_deref()
    }

    /// The number of the last line that matches.
    fn best(&mut self, path: &[u8], kind: Kind) -> Option<usize> {
        let mut best = None;
        let stripped = path.strip_suffix(b"\n");
        for literal in [Some(path), stripped].into_iter().flatten() {
            let all = self.literals.get(literal).into_iter().flatten();
            let own = all.filter(|(of, _)| fits(*of, kind)).map(|(_, number)| *number).min();
            best = nearest(best, own);
        }
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let ends = slashes.map(|(at, _)| at.saturating_add(1));
        for end in std::iter::once(0).chain(ends) {
            let above = path.get(..end).unwrap_or_default();
            if let Some(folder) = self.folders.get_mut(above) {
                best = nearest(best, folder.find(path, kind, best));
            }
        }
        best
    }
}

/// The lower of two numbers.
fn nearest(a: Option<usize>, b: Option<usize>) -> Option<usize> {
    a.into_iter().chain(b).min()
}

/// Whether a line for files of a type counts for a file of a type.
fn fits(of: Kind, kind: Kind) -> bool {
    of == Kind::Any || kind == Kind::Any || of == kind
}

/// All lines in the order of precedence, the last counts: patterns, then those without special characters.
fn specs(policy: &Policy<'_>) -> Result<Vec<Spec>, Error> {
    let mut specs = Spec::read_all(policy.file_contexts)?;
    for text in policy.modules {
        for spec in Spec::read_all(text)? {
            let place = specs.partition_point(|other| other.specificity() <= spec.specificity());
            specs.insert(place, spec);
        }
    }
    for text in policy.more {
        specs.extend(Spec::read_all(text)?);
    }
    // The sort is stable.
    specs.sort_by_key(|spec| !spec.is_pattern);
    Ok(specs)
}

/// Bytes rather than characters, as libselinux asks PCRE for; a dot is any of them.
fn config() -> syntax::Config {
    syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true)
}

impl Folder {
    /// The number of the last line that matches, if it is before another.
    fn find(&mut self, path: &[u8], kind: Kind, before: Option<usize>) -> Option<usize> {
        let first = self.patterns.first()?.number;
        if before.is_some_and(|before| before < first) {
            return None;
        }
        let Self { patterns, automata } = self;
        let automaton = automata.entry(kind).or_insert_with(|| Automaton::new(patterns, kind));
        automaton.find(path)
    }
}

impl Automaton {
    fn new(patterns: &[Pattern], kind: Kind) -> Self {
        let own = patterns.iter().filter(|pattern| fits(pattern.kind, kind));
        let (numbers, texts): (Vec<usize>, Vec<&str>) =
            own.map(|pattern| (pattern.number, pattern.pattern.as_str())).unzip();
        let config_dfa = DFA::config().skip_cache_capacity_check(true);
        let dfa = DFA::builder()
            .configure(config_dfa)
            .syntax(config())
            .thompson(thompson::Config::new().utf8(false))
            .build_many(&texts)
            .expect("each pattern has been parsed");
        let cache = dfa.create_cache();
        Self { dfa, cache, numbers }
    }

    fn find(&mut self, path: &[u8]) -> Option<usize> {
        let input = Input::new(path).anchored(regex_automata::Anchored::Yes);
        let found = self.dfa.try_search_fwd(&mut self.cache, &input);
        let found = found.expect("it neither quits nor gives up, as it was configured")?;
        self.numbers.get(found.pattern().as_usize()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_that_would_fill_memory_are_refused() {
        let file_contexts = "/a\tu:r:t:s0\n/((x{900}){900}){900}\tu:r:t:s0\n";
        let error = Labels::new(&Policy { file_contexts, ..Policy::default() }).unwrap_err();
        let expected = "file_contexts: line 2: more than an automaton can hold in `/((x{900}){900}){900}` is not supported";
        assert_eq!(error.to_string(), expected);
    }
}
