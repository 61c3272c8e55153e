//! Whether a solution is one: straight from what the dependencies mean, by none of the code that searches.

use std::collections::BTreeSet;

use rpm::Operator;

use crate::arch::Fit;
use crate::pool::{Dep, List, PackageId, Pool, Relation, SYSTEM};
use crate::solve::Request;

/// Everything that is wrong with a solution, as text.
pub fn violations(pool: &Pool, request: &Request, packages: &[PackageId]) -> Vec<String> {
    let is_base = |id: &PackageId| pool.is_base(id.0) && !request.absent.contains(id);
    let base: BTreeSet<i32> = pool.ids().filter(is_base).map(|id| id.0).collect();
    let all = base.iter().copied().chain(packages.iter().map(|id| id.0)).collect();
    let check = Check { pool, base, all };
    let mut found = Vec::new();
    for wish in &request.wishes {
        if !wish.candidates.iter().any(|id| check.all.contains(&id.0)) {
            found.push(format!("`{}` is not there", wish.text));
        }
    }
    for id in packages {
        check.package(*id, request, &mut found);
    }
    for id in &check.base {
        check.base(*id, &mut found);
    }
    found
}

struct Check<'p> {
    pool: &'p Pool,
    base: BTreeSet<i32>,
    all: BTreeSet<i32>,
}

impl Check<'_> {
    fn package(&self, id: PackageId, request: &Request, found: &mut Vec<String>) {
        let pool = self.pool;
        let name = pool.nevra(id);
        if pool.package(id.0).fit == Fit::Foreign || request.exclude.contains(&id) {
            found.push(format!("{name} cannot be installed"));
        }
        for dep in pool.list_of(id.0, List::Requires) {
            // A package may fulfil its own requirements.
            if !self.holds(*dep) && !self.provides(id.0, *dep) {
                found.push(format!("{name} lacks {}", pool.show(*dep)));
            }
        }
        for dep in pool.list_of(id.0, List::Conflicts) {
            if self.conflicts(id.0, *dep) {
                found.push(format!("{name} conflicts with {}", pool.show(*dep)));
            }
        }
        for other in self.all.iter().filter(|other| **other != id.0) {
            let other_name = || pool.nevra(PackageId(*other));
            let same = pool.package(*other).name == pool.package(id.0).name;
            if same && (!request.multilib || pool.same_color(id.0, *other)) {
                found.push(format!("{name} and {} have one name", other_name()));
            }
        }
        for dep in pool.list_of(id.0, List::Obsoletes) {
            if self.all.iter().any(|other| *other != id.0 && self.obsoletes(*other, *dep)) {
                found.push(format!("{name} obsoletes {}", pool.show(*dep)));
            }
        }
    }

    /// What a package of the base forbids.
    fn base(&self, id: i32, found: &mut Vec<String>) {
        let name = || self.pool.nevra(PackageId(id));
        let is_new = |other: &&i32| !self.base.contains(*other);
        for dep in self.pool.list_of(id, List::Conflicts) {
            if matches!(self.pool.get(*dep), Relation::Plain(..))
                && self.all.iter().filter(is_new).any(|other| self.provides(*other, *dep))
            {
                found.push(format!("{} conflicts with {}", name(), self.pool.show(*dep)));
            }
        }
        for dep in self.pool.list_of(id, List::Obsoletes) {
            if self.all.iter().filter(is_new).any(|other| self.obsoletes(*other, *dep)) {
                found.push(format!("{} obsoletes {}", name(), self.pool.show(*dep)));
            }
        }
    }

    fn obsoletes(&self, other: i32, dep: Dep) -> bool {
        self.provides(other, dep) && self.pool.is_named(other, dep)
    }

    /// A conflict holds against others; a package may provide what it conflicts with.
    fn conflicts(&self, id: i32, dep: Dep) -> bool {
        match self.pool.get(dep) {
            Relation::Rich(Operator::And | Operator::Or | Operator::If | Operator::Unless, ..) => {
                let base = BTreeSet::new();
                let alone = Self { pool: self.pool, base, all: BTreeSet::from([id]) };
                self.holds(dep) && !alone.holds(dep)
            }
            _ => self.all.iter().any(|other| *other != id && self.provides(*other, dep)),
        }
    }

    /// Whether what is there fulfils a dependency.
    fn holds(&self, dep: Dep) -> bool {
        match self.pool.get(dep) {
            Relation::Rich(Operator::And, left, right) => self.holds(left) && self.holds(right),
            Relation::Rich(Operator::Or, left, right) => self.holds(left) || self.holds(right),
            Relation::Rich(operator @ (Operator::If | Operator::Unless), left, right) => {
                let (condition, otherwise) = match self.pool.get(right) {
                    Relation::Rich(Operator::Else, condition, otherwise) => {
                        (condition, Some(otherwise))
                    }
                    _ => (right, None),
                };
                if self.holds(condition) == (operator == Operator::If) {
                    return self.holds(left);
                }
                otherwise.map_or(operator == Operator::If, |otherwise| self.holds(otherwise))
            }
            _ => self.provides(SYSTEM, dep) || self.all.iter().any(|id| self.provides(*id, dep)),
        }
    }

    /// Whether one package fulfils a dependency.
    fn provides(&self, id: i32, dep: Dep) -> bool {
        match self.pool.get(dep) {
            Relation::Plain(name, ..) if self.pool.strings.get(name).starts_with("rpmlib(") => {
                id == SYSTEM
            }
            Relation::Plain(name, sense, evr) => {
                self.pool.by_name(name).binary_search(&id).is_ok()
                    && self.pool.provides(id, name, sense, self.pool.strings.get(evr))
            }
            Relation::Rich(Operator::With, left, right) => {
                self.provides(id, left) && self.provides(id, right)
            }
            Relation::Rich(Operator::Without, left, right) => {
                self.provides(id, left) && !self.provides(id, right)
            }
            Relation::Rich(..) => false,
        }
    }
}
