//! Why there is no solution, in words.

use std::collections::BTreeSet;
use std::fmt;

use crate::pool::{PackageId, Pool};
use crate::rules::Why;
use crate::search::Search;
use crate::solve::{Request, is_solvable};

/// Something that stands in the way of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Problem {
    /// No package has this name, provides this, or is at this path.
    NoMatch {
        /// What was asked for.
        wish: String,
    },
    /// Packages contradict each other.
    Contradiction {
        /// What was asked for and cannot be had together.
        wishes: Vec<String>,
        /// What leads there, one sentence each.
        because: Vec<String>,
        /// Packages of the base that would have to give way.
        base: Vec<String>,
        /// The smallest changes that help, one sentence each.
        help: Vec<String>,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMatch { wish } => write!(f, "no package is named `{wish}` or provides it"),
            Self::Contradiction { wishes, because, help, .. } => {
                match wishes.as_slice() {
                    [] => f.write_str("the base contradicts itself")?,
                    [one] => write!(f, "`{one}` cannot be installed")?,
                    all => write!(f, "`{}` cannot be installed together", all.join("`, `"))?,
                }
                for line in because {
                    write!(f, "\n  - {line}")?;
                }
                for line in help {
                    write!(f, "\n  help: {line}")?;
                }
                Ok(())
            }
        }
    }
}

/// How many sentences a person reads.
const MAX_LINES: usize = 12;

pub(crate) fn explain(search: &Search<'_>, request: &Request) -> Vec<Problem> {
    let problems = search.problems.iter();
    let mut problems: Vec<Problem> =
        problems.map(|rules| contradiction(search, request, rules)).collect();
    // Where neither the best candidates of a wish nor any others will do, the second says all of it.
    let mut at = 0;
    while at < problems.len() {
        let (first, later) = problems.split_at(at + 1);
        let said_again = matches!(&first[at], Problem::Contradiction { wishes, .. }
            if later.iter().any(|other| matches!(other, Problem::Contradiction { wishes: others, .. } if others == wishes)));
        if said_again {
            problems.remove(at);
        } else {
            at += 1;
        }
    }
    let first = |problem: &Problem| match problem {
        Problem::Contradiction { wishes, .. } => {
            request.wishes.iter().position(|wish| wishes.first() == Some(&wish.text))
        }
        Problem::NoMatch { .. } => None,
    };
    problems.sort_by_key(first);
    problems
}

fn contradiction(search: &Search<'_>, request: &Request, rules: &[usize]) -> Problem {
    let pool = search.lists.pool;
    let mut wishes = BTreeSet::new();
    let mut best = BTreeSet::new();
    let mut base = BTreeSet::new();
    // Those of them that would have to change their version.
    let mut replaced = BTreeSet::new();
    let mut lines = Vec::new();
    for rule in rules {
        let why = search.rules[*rule].why;
        if let Why::SameName(a, b) = why {
            replaced.extend([a, b].into_iter().filter(|id| search.lists.is_base(*id)));
        }
        match why {
            Why::Wish(at) => drop(wishes.insert(at as usize)),
            Why::Best(at) => drop(best.insert(at as usize)),
            Why::Base(id) => drop(base.insert(id)),
            Why::Learnt(_) => {}
            _ => lines.push((weight(why), sentence(search, why))),
        }
    }
    wishes.extend(&best);
    lines.sort();
    lines.dedup();
    let more = lines.len().saturating_sub(MAX_LINES);
    let mut because: Vec<String> =
        lines.into_iter().take(MAX_LINES).map(|(_, line)| line).collect();
    if more > 0 {
        because.push(format!("and {more} more like these"));
    }
    Problem::Contradiction {
        help: help(pool, request, &wishes, &best, &base, &replaced),
        wishes: wishes.iter().map(|at| request.wishes[*at].text.clone()).collect(),
        because,
        base: base.into_iter().map(|id| pool.nevra(PackageId(id))).collect(),
    }
}

/// What says most comes first.
fn weight(why: Why) -> u8 {
    match why {
        Why::NobodyProvides(..) => 0,
        Why::Obsoletes(..) => 1,
        Why::Conflicts(..) => 2,
        Why::SameName(..) => 3,
        Why::NotInstallable(_) | Why::InferiorArch(_) => 4,
        _ => 5,
    }
}

fn sentence(search: &Search<'_>, why: Why) -> String {
    let pool = search.lists.pool;
    let name = |id: i32| {
        let base = if search.lists.is_base(id) { " of the base" } else { "" };
        format!("{}{base}", pool.nevra(PackageId(id)))
    };
    match why {
        Why::NobodyProvides(id, dep) => {
            format!("nobody provides {}, which {} requires", pool.show(dep), name(id))
        }
        Why::Requires(id, dep) => format!("{} requires {}", name(id), pool.show(dep)),
        Why::Conflicts(id, dep, 0) => format!("{} conflicts with {}", name(id), pool.show(dep)),
        Why::Conflicts(id, dep, other) => {
            format!(
                "{} conflicts with {}, which {} provides",
                name(id),
                pool.show(dep),
                name(other)
            )
        }
        Why::Obsoletes(id, dep, other) => {
            format!("{} replaces {} ({})", name(id), name(other), pool.show(dep))
        }
        Why::SameName(new, old) | Why::SameName(old, new) if search.lists.is_base(old) => {
            format!("{} would replace {}, and an extension cannot", name(new), name(old))
        }
        Why::SameName(id, other) => {
            format!("{} and {} cannot be there together", name(id), name(other))
        }
        Why::NotInstallable(id) if pool.package(id).fit == crate::arch::Fit::Foreign => {
            format!("{} is for another architecture", name(id))
        }
        Why::NotInstallable(id) => format!("{} is excluded", name(id)),
        Why::InferiorArch(id) => format!("{} is there for a better architecture", name(id)),
        Why::Wish(_) | Why::Best(_) | Why::Base(_) | Why::Learnt(_) => String::new(),
    }
}

/// Changes to the request that were tried and lead to a solution, the smallest first.
fn help(
    pool: &Pool,
    request: &Request,
    wishes: &BTreeSet<usize>,
    best: &BTreeSet<usize>,
    base: &BTreeSet<i32>,
    replaced: &BTreeSet<i32>,
) -> Vec<String> {
    let mut found = Vec::new();
    let solvable = |request: &Request| {
        let plain = Request { weak: false, ..request.clone() };
        is_solvable(pool, &plain)
    };
    if !best.is_empty() && solvable(&Request { best: false, ..request.clone() }) {
        found.push("take an older version where the newest cannot be installed".to_owned());
    }
    if !request.exclude.is_empty() && solvable(&Request { exclude: Vec::new(), ..request.clone() })
    {
        found.push("exclude less".to_owned());
    }
    if wishes.len() > 1 || request.wishes.len() > 1 {
        for at in wishes {
            let mut fewer = request.clone();
            let left_out = fewer.wishes.remove(*at);
            if !fewer.wishes.is_empty() && solvable(&fewer) {
                found.push(format!("leave out `{}`", left_out.text));
            }
        }
    }
    for id in base.iter().map(|id| PackageId(*id)) {
        let mut without = request.clone();
        without.absent.push(id);
        let name = pool.package_name(id);
        if replaced.contains(&id.0) {
            found.push(format!("a newer base, with another {name}, might have what is needed"));
        } else if solvable(&without) {
            found.push(format!("take {name} of the base for absent"));
        }
    }
    found.dedup();
    found
}
