//! The way from a request to a solution.

use crate::arch::Fit;
use crate::check;
use crate::explain::{Problem, explain};
use crate::lists::{Bits, Lists};
use crate::pool::{List, PackageId, Pool, SYSTEM};
use crate::rules::{Rules, Why};
use crate::search::Search;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Request {
    /// What shall be there. See [`crate::Spec`].
    pub wishes: Vec<Wish>,
    /// Packages that must not come along.
    pub exclude: Vec<PackageId>,
    /// Packages of the base that are taken for absent.
    pub absent: Vec<PackageId>,
    /// Whether recommended and supplementing packages come along.
    pub weak: bool,
    /// Whether only the best candidates of a wish will do, as dnf has it since Fedora 41; otherwise an older version is
    /// taken where the newest cannot be installed.
    pub best: bool,
    /// Whether packages of one name may be there for 32 and for 64 bits, as Fedora has it.
    pub multilib: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            wishes: Vec::new(),
            exclude: Vec::new(),
            absent: Vec::new(),
            weak: true,
            best: true,
            multilib: true,
        }
    }
}

/// Packages of which one shall be there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wish {
    /// As a person wrote it.
    pub text: String,
    /// Any one of these will do.
    pub candidates: Vec<PackageId>,
}

/// What comes of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Solution {
    /// Packages that come along, besides the base, in the order of the pool.
    pub packages: Vec<PackageId>,
}

/// Finds the packages that must come along.
///
/// # Errors
/// All that stands in the way; never empty.
///
/// # Panics
/// The solution breaks a rule, which is a mistake of this crate: each is checked by other code than found it.
pub fn solve(pool: &Pool, request: &Request) -> Result<Solution, Vec<Problem>> {
    let missing: Vec<Problem> = request
        .wishes
        .iter()
        .filter(|wish| wish.candidates.is_empty())
        .map(|wish| Problem::NoMatch { wish: wish.text.clone() })
        .collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let mut search = prepare(pool, request);
    search.run(request.weak, request.multilib);
    if !search.problems.is_empty() {
        return Err(explain(&search, request));
    }
    let there = search.decisions.iter().copied().filter(|id| *id > SYSTEM);
    let mut packages: Vec<PackageId> =
        there.filter(|id| !search.lists.is_base(*id)).map(PackageId).collect();
    packages.sort_unstable();
    let violations = check::violations(pool, request, &packages);
    assert!(violations.is_empty(), "a wrong solution: {violations:?}");
    Ok(Solution { packages })
}

/// Paths that packages which could come along require and nobody provides, as far as is known: the lists of all files may
/// tell who does.
pub fn missing_paths(pool: &Pool, request: &Request) -> Vec<String> {
    let search = prepare(pool, request);
    let mut missing = std::collections::BTreeSet::new();
    for rule in &search.rules {
        if let Why::NobodyProvides(_, dep) = rule.why {
            missing.extend(pool.paths_in(dep));
        }
    }
    missing.into_iter().collect()
}

/// Whether there is a solution.
pub(crate) fn is_solvable(pool: &Pool, request: &Request) -> bool {
    let mut search = prepare(pool, request);
    search.run(false, request.multilib);
    search.problems.is_empty()
}

/// Makes all rules.
fn prepare<'p>(pool: &'p Pool, request: &Request) -> Search<'p> {
    let count = pool.packages.len();
    let (mut possible, mut base) = (Bits::new(count), Bits::new(count));
    possible.set(SYSTEM);
    base.set(SYSTEM);
    for id in pool.ids() {
        if pool.is_base(id.0) {
            base.set(id.0);
        }
        if pool.is_base(id.0) || pool.package(id.0).fit != Fit::Foreign {
            possible.set(id.0);
        }
    }
    for id in &request.absent {
        base.unset(id.0);
        possible.unset(id.0);
    }
    for id in request.exclude.iter().filter(|id| !base.has(id.0)) {
        possible.unset(id.0);
    }
    let mut lists = Lists::new(pool, possible, base);
    let base: Vec<i32> = pool.ids().map(|id| id.0).filter(|id| lists.is_base(*id)).collect();
    let mut rules = Rules::new(&mut lists, request.multilib);
    for id in &base {
        rules.add_package(*id);
    }
    for id in request.wishes.iter().flat_map(|wish| &wish.candidates) {
        rules.add_package(id.0);
    }
    let weak: Vec<i32> = pool
        .ids()
        .map(|id| id.0)
        .filter(|id| {
            [List::Supplements, List::Enhances]
                .iter()
                .any(|list| !pool.list_of(*id, *list).is_empty())
        })
        .collect();
    rules.add_supplements(&weak);
    rules.unify();
    for id in &base {
        rules.push(*id, &[], Why::Base(*id));
    }
    let from = rules.rules.len();
    for (number, wish) in request.wishes.iter().enumerate() {
        let candidates: Vec<i32> = wish.candidates.iter().map(|id| id.0).collect();
        if let Some((first, rest)) = candidates.split_first() {
            rules.push(*first, rest, Why::Wish(u32::try_from(number).unwrap_or(u32::MAX)));
        }
    }
    let wishes = from..rules.rules.len();
    rules.inferior_archs();
    let all = std::mem::take(&mut rules.rules);
    let mut search = Search::new(lists, all, wishes);
    if request.best {
        search.add_best(request);
    }
    search
}
