//! Which of several candidates is the best: the order of libsolv's `policy.c`, which is dnf's.

mod order;

use std::cmp::Ordering;

use order::{
    back, base_names_first, by_name_and_base, keep_best_arch, keep_highest_priority, reachable,
    sort_by_common_provides,
};
use rpm::evr;

use crate::lists::Bits;
use crate::pool::{Dep, List, Pool, Relation};
use crate::rich::{Form, Normal, is_complex, normalize};
use crate::search::Search;

/// How far candidates are told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    /// One will be chosen: the best comes first.
    Choose,
    /// Drops what is not best, and leaves the order of the rest.
    Prune,
    /// All may come: drops lower versions only.
    Recommend,
    /// All come: brings them into an order only.
    Supplement,
}

/// Packages that those which are there recommend and suggest, kept up to date with the decisions.
#[derive(Debug)]
pub(crate) struct Weak {
    recommended: Bits,
    suggested: Bits,
    /// Rich recommendations and suggestions of packages that are there.
    rich: Vec<(List, Dep)>,
    /// Decisions that have been looked at; `None` if all must be looked at again.
    upto: Option<usize>,
}

impl Weak {
    pub(crate) fn new(pool: &Pool) -> Self {
        let count = pool.packages.len();
        Self {
            recommended: Bits::new(count),
            suggested: Bits::new(count),
            rich: Vec::new(),
            upto: None,
        }
    }

    /// Notes packages that one which is there recommends, or else suggests.
    fn note(&mut self, list: List, ids: &[i32]) {
        let into = match list {
            List::Recommends => &mut self.recommended,
            _ => &mut self.suggested,
        };
        ids.iter().for_each(|id| into.set(*id));
    }

    /// Says that decisions were taken back and so many are left.
    pub(crate) fn reverted(&mut self, left: usize) {
        if self.upto.is_some_and(|upto| upto > left) {
            self.upto = None;
        }
    }
}

impl Search<'_> {
    /// Takes the decisions since the last time into account.
    pub(crate) fn update_weak(&mut self) {
        let from = self.weak.upto.unwrap_or_else(|| {
            self.weak.recommended.clear();
            self.weak.suggested.clear();
            self.weak.rich.clear();
            0
        });
        if from == self.decisions.len() {
            return;
        }
        self.weak.upto = Some(self.decisions.len());
        for at in from..self.decisions.len() {
            let id = self.decisions[at];
            if id < 0 {
                continue;
            }
            let pool = self.lists.pool;
            for list in [List::Recommends, List::Suggests] {
                for dep in pool.list_of(id, list) {
                    if is_complex(&self.lists, *dep) {
                        self.weak.rich.push((list, *dep));
                        continue;
                    }
                    let span = self.lists.providers(*dep);
                    self.weak.note(list, self.lists.get(span));
                }
            }
        }
        for at in 0..self.weak.rich.len() {
            let (list, dep) = self.weak.rich[at];
            let Normal::Blocks(blocks) = normalize(&mut self.lists, dep, Form::Conjunctive) else {
                continue;
            };
            for block in blocks {
                let (not, wanted): (Vec<i32>, Vec<i32>) =
                    block.iter().partition(|literal| **literal < 0);
                if not.iter().all(|literal| self.is_true(-*literal)) {
                    self.weak.note(list, &wanted);
                }
            }
        }
    }

    /// Whether a package is recommended by one that is there, or supplements it.
    pub(crate) fn is_recommended(&mut self, id: i32) -> bool {
        self.weak.recommended.has(id) || self.fulfils_any(id, List::Supplements)
    }

    fn is_suggested(&mut self, id: i32) -> bool {
        self.weak.suggested.has(id) || self.fulfils_any(id, List::Enhances)
    }

    pub(crate) fn fulfils_any(&mut self, id: i32, list: List) -> bool {
        let pool = self.lists.pool;
        pool.list_of(id, list).iter().any(|dep| self.is_fulfilled(*dep))
    }

    /// Whether packages that are there fulfil a dependency.
    pub(crate) fn is_fulfilled(&mut self, dep: Dep) -> bool {
        use rpm::Operator::{And, Else, If, Or, Unless};
        match self.lists.pool.get(dep) {
            Relation::Rich(operator @ (If | Unless), left, right) => {
                if let Relation::Rich(Else, condition, otherwise) = self.lists.pool.get(right) {
                    let holds = self.is_fulfilled(condition) == (operator == If);
                    return self.is_fulfilled(if holds { left } else { otherwise });
                }
                match operator {
                    If => self.is_fulfilled(left) || !self.is_fulfilled(right),
                    _ => self.is_fulfilled(left) && !self.is_fulfilled(right),
                }
            }
            Relation::Rich(And, left, right) => self.is_fulfilled(left) && self.is_fulfilled(right),
            Relation::Rich(Or, left, right) => self.is_fulfilled(left) || self.is_fulfilled(right),
            _ => {
                let span = self.lists.providers(dep);
                self.lists.get(span).iter().any(|id| self.is_true(*id))
            }
        }
    }

    /// Sorts candidates and drops those that will not do.
    pub(crate) fn filter(&mut self, candidates: &mut Vec<i32>, mode: Mode) {
        if candidates.len() < 2 {
            return;
        }
        let pool = self.lists.pool;
        if mode == Mode::Supplement {
            self.old_versions_last(candidates);
            sort_by_common_provides(&self.lists, candidates);
            self.suggested_first(candidates);
            return;
        }
        keep_highest_priority(&self.lists, candidates);
        keep_best_arch(pool, candidates);
        self.keep_best_version(candidates);
        if mode == Mode::Recommend {
            return;
        }
        self.keep_recommended(candidates);
        if mode == Mode::Choose && candidates.len() > 1 {
            self.old_versions_last(candidates);
            sort_by_common_provides(&self.lists, candidates);
            base_names_first(&self.lists, candidates);
            self.suggested_first(candidates);
        }
    }

    /// Keeps the highest version of each name, and drops packages that others of them replace.
    fn keep_best_version(&mut self, candidates: &mut Vec<i32>) {
        let pool = self.lists.pool;
        candidates.sort_by(|a, b| by_name_and_base(&self.lists, *a, *b));
        let mut best: Vec<i32> = Vec::new();
        for id in candidates.iter() {
            let package = pool.package(*id);
            match best.last_mut() {
                Some(last) if pool.package(*last).name == package.name => {
                    let evr = pool.strings.get(pool.package(*last).evr);
                    if evr::compare(evr, pool.strings.get(package.evr)) == Ordering::Less {
                        *last = *id;
                    }
                }
                _ => best.push(*id),
            }
        }
        *candidates = best;
        if candidates.len() > 1 {
            self.drop_obsoleted(candidates);
        }
    }

    /// Drops candidates that another candidate obsoletes, unless the two obsolete each other.
    fn drop_obsoleted(&mut self, candidates: &mut Vec<i32>) {
        let all = candidates.clone();
        let replaces: Vec<Vec<usize>> =
            all.iter().map(|id| self.obsoleted_among(*id, &all)).collect();
        if replaces.iter().all(Vec::is_empty) {
            return;
        }
        // What can be reached from each: those in one circle replace each other and stay together.
        let reach: Vec<std::collections::BTreeSet<usize>> =
            (0..all.len()).map(|start| reachable(&replaces, start)).collect();
        let dropped = |at: usize| {
            (0..all.len()).any(|other| reach[other].contains(&at) && !reach[at].contains(&other))
        };
        let mut at = 0;
        candidates.retain(|_| {
            at += 1;
            !dropped(at - 1)
        });
    }

    fn obsoleted_among(&mut self, id: i32, all: &[i32]) -> Vec<usize> {
        let pool = self.lists.pool;
        let mut found = Vec::new();
        for dep in pool.list_of(id, List::Obsoletes) {
            let span = self.lists.providers(*dep);
            for other in self.lists.get(span) {
                if pool.package(*other).name == pool.package(id).name
                    || !pool.is_named(*other, *dep)
                {
                    continue;
                }
                found.extend(all.iter().position(|candidate| candidate == other));
            }
        }
        found
    }

    fn keep_recommended(&mut self, candidates: &mut Vec<i32>) {
        if candidates.iter().filter(|id| !self.lists.is_base(**id)).count() < 2 {
            return;
        }
        self.update_weak();
        let recommended: Vec<bool> = candidates
            .iter()
            .map(|id| !self.lists.is_base(*id) && self.is_recommended(*id))
            .collect();
        if recommended.contains(&true) {
            let mut recommended = recommended.into_iter();
            candidates.retain(|id| recommended.next().unwrap_or(false) || self.lists.is_base(*id));
        }
    }

    /// Packages of which a higher version or a repository of higher priority has the name go to the end.
    fn old_versions_last(&self, candidates: &mut [i32]) {
        let pool = self.lists.pool;
        let is_old = |id: i32| {
            let package = pool.package(id);
            !self.lists.is_base(id)
                && self.lists.named(id).any(|other| {
                    if other == id
                        || pool.package(other).arch != package.arch
                        || !self.lists.possible.has(other)
                    {
                        return false;
                    }
                    // Repositories' priorities are better the lower they are.
                    match pool.priority(other).cmp(&pool.priority(id)) {
                        Ordering::Less => true,
                        Ordering::Greater => false,
                        Ordering::Equal => {
                            let [other, own] =
                                [other, id].map(|id| pool.strings.get(pool.package(id).evr));
                            evr::compare(other, own) == Ordering::Greater
                        }
                    }
                })
        };
        back(candidates, is_old);
    }

    fn suggested_first(&mut self, candidates: &mut [i32]) {
        self.update_weak();
        let suggested: Vec<i32> = candidates
            .iter()
            .copied()
            .filter(|id| self.lists.is_base(*id) || self.is_suggested(*id))
            .collect();
        back(candidates, |id| !suggested.contains(&id));
    }
}
