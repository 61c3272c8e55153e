//! Who needs whom among the packages of a solution.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rpm::Operator;

use crate::pool::{Dep, List, PackageId, Pool, Relation};
use crate::solve::Request;

/// How a package needs another, the strongest first.
const VERBS: [&str; 3] = ["requires", "recommends", "supplements"];

/// One package of a solution has another come along.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Need {
    /// Who needs it.
    pub by: PackageId,
    /// What is needed.
    pub of: PackageId,
    /// `requires`, `recommends`, or `supplements`: this one is said by the package that is needed.
    pub verb: &'static str,
    /// The dependency.
    pub dependency: String,
}

impl Need {
    /// The need in words, such as `htop-3.3-1.x86_64 requires libncursesw.so.6`.
    pub fn describe(&self, pool: &Pool) -> String {
        let says = if self.verb == VERBS[2] { self.of } else { self.by };
        format!("{} {} {}", pool.nevra(says), self.verb, self.dependency)
    }
}

/// All that packages of a solution need of each other, each pair once, by the strongest of their dependencies.
pub fn needs(pool: &Pool, packages: &[PackageId]) -> Vec<Need> {
    let all: BTreeSet<i32> = packages.iter().map(|id| id.0).collect();
    let mut found: BTreeMap<(PackageId, PackageId), Need> = BTreeMap::new();
    let mut add = |by: PackageId, of: PackageId, verb, dep| {
        if by != of {
            let need = || Need { by, of, verb, dependency: pool.show(dep) };
            found.entry((by, of)).or_insert_with(need);
        }
    };
    for (list, verb) in [List::Requires, List::Recommends].into_iter().zip(VERBS) {
        for by in packages {
            for dep in pool.list_of(by.0, list) {
                named(pool, &all, *dep).iter().for_each(|of| add(*by, PackageId(*of), verb, *dep));
            }
        }
    }
    for of in packages {
        for dep in pool.list_of(of.0, List::Supplements) {
            let all = named(pool, &all, *dep);
            all.iter().for_each(|by| add(PackageId(*by), *of, VERBS[2], *dep));
        }
    }
    found.into_values().collect()
}

/// Why each package of a solution is there, in words: it was asked for, or another of them or of the base needs it.
pub fn reasons(pool: &Pool, request: &Request, packages: &[PackageId]) -> Vec<String> {
    let needs = needs(pool, packages);
    let reason = |id: &PackageId| {
        if let Some(wish) = request.wishes.iter().find(|wish| wish.candidates.contains(id)) {
            return format!("asked for as `{}`", wish.text);
        }
        let rank = |need: &&Need| VERBS.iter().position(|verb| *verb == need.verb);
        match needs.iter().filter(|need| need.of == *id).min_by_key(rank) {
            Some(need) => need.describe(pool),
            None => "needed by a package of the base".to_owned(),
        }
    };
    packages.iter().map(reason).collect()
}

/// The packages of a solution that were asked for by themselves.
pub fn asked(request: &Request, packages: &[PackageId]) -> Vec<PackageId> {
    let is_asked = |id: &&PackageId| request.wishes.iter().any(|wish| wish.candidates.contains(id));
    packages.iter().filter(is_asked).copied().collect()
}

/// The way from what was asked for to a package of a solution, the shortest there is, and by requirements rather than
/// recommendations. Empty if it was asked for itself; `None` if nothing in the solution leads there.
pub fn way(
    pool: &Pool,
    request: &Request,
    packages: &[PackageId],
    to: PackageId,
) -> Option<Vec<Need>> {
    let needs = needs(pool, packages);
    let asked = asked(request, packages).into_iter();
    let mut last: BTreeMap<PackageId, Option<&Need>> = asked.map(|id| (id, None)).collect();
    // Weak dependencies are only gone along where no others lead.
    for strong in [true, false] {
        let mut queue: VecDeque<PackageId> = last.keys().copied().collect();
        while let Some(by) = queue.pop_front() {
            for need in needs.iter().filter(|need| need.by == by) {
                if (need.verb == VERBS[0] || !strong) && !last.contains_key(&need.of) {
                    last.insert(need.of, Some(need));
                    queue.push_back(need.of);
                }
            }
        }
    }
    let mut way = Vec::new();
    let mut at = to;
    while let Some(need) = last.get(&at)? {
        way.push((*need).clone());
        at = need.by;
    }
    way.reverse();
    Some(way)
}

/// The packages among some that a dependency speaks of.
fn named(pool: &Pool, all: &BTreeSet<i32>, dep: Dep) -> BTreeSet<i32> {
    match pool.get(dep) {
        Relation::Plain(name, sense, evr) => {
            let evr = pool.strings.get(evr);
            let known = pool.by_name(name).iter().copied().filter(|id| all.contains(id));
            known.filter(|id| pool.provides(*id, name, sense, evr)).collect()
        }
        Relation::Rich(operator, left, condition) => {
            let (mut left, right) = (named(pool, all, left), named(pool, all, condition));
            match operator {
                Operator::With => left.retain(|id| right.contains(id)),
                Operator::Without => left.retain(|id| !right.contains(id)),
                // Conditions are not what is needed, but what is after `else` is.
                Operator::If | Operator::Unless => {
                    if let Relation::Rich(Operator::Else, _, otherwise) = pool.get(condition) {
                        left.extend(named(pool, all, otherwise));
                    }
                }
                _ => left.extend(right),
            }
            left
        }
    }
}
