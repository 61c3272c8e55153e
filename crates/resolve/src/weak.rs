//! Packages that others recommend, and those that supplement others: they come along where they can.

use crate::lists::Bits;
use crate::policy::Mode;
use crate::pool::{Dep, List, Relation};
use crate::rich::{Form, Normal, is_complex, normalize};
use crate::search::{Level, Search};

/// Whether a dependency is fulfilled, and by whom.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Fulfilled {
    No,
    ByBase,
    ByNew,
}

impl Fulfilled {
    fn is(self) -> bool {
        self != Self::No
    }
}

impl Search<'_> {
    /// Installs what is recommended or supplements. The new level, or `None` if there was nothing to be done.
    pub(crate) fn add_weak(&mut self, mut level: Level, multilib: bool) -> Option<Level> {
        let recommended = self.recommended();
        let mut supplements = self.supplementing(multilib);
        let mut all = recommended;
        for id in &supplements {
            if !all.contains(id) {
                all.push(*id);
            }
        }
        match all.as_slice() {
            [] => return None,
            [one] => return Some(self.install(level, *one)),
            _ => {}
        }
        self.filter(&mut all, Mode::Recommend);
        let mut wanted = Bits::new(self.decided.len());
        all.iter().for_each(|id| wanted.set(*id));
        supplements.retain(|id| wanted.has(*id));
        self.filter(&mut supplements, Mode::Supplement);
        let decisions = self.decisions.len();
        for id in supplements {
            if !self.is_open(id) {
                continue;
            }
            let before = level;
            level = self.install(level, id);
            if level <= before {
                return Some(level);
            }
        }
        if self.decisions.len() < decisions {
            return Some(level);
        }
        Some(self.install_recommended(level, decisions, &wanted))
    }

    /// Installs what the first so many decisions recommend.
    fn install_recommended(&mut self, mut level: Level, decisions: usize, wanted: &Bits) -> Level {
        let pool = self.lists.pool;
        for at in 0..decisions {
            let id = self.decisions[at];
            if id < 0 || self.lists.is_base(id) {
                continue;
            }
            for dep in pool.list_of(id, List::Recommends) {
                let mut candidates = self.candidates(*dep);
                candidates.retain(|id| wanted.has(*id));
                if candidates.is_empty() {
                    continue;
                }
                self.filter(&mut candidates, Mode::Choose);
                self.branch(level, &candidates);
                let before = level;
                level = self.install(level, candidates[0]);
                if level <= before || self.decisions.len() < decisions {
                    return level;
                }
            }
        }
        level
    }

    /// Open packages that packages outside the base recommend.
    fn recommended(&mut self) -> Vec<i32> {
        let pool = self.lists.pool;
        let mut there: Vec<i32> = self
            .decisions
            .iter()
            .copied()
            .filter(|id| *id > 0 && !self.lists.is_base(*id))
            .collect();
        there.sort_unstable();
        let mut found = Vec::new();
        let mut seen = Bits::new(self.decided.len());
        for id in there {
            for dep in pool.list_of(id, List::Recommends) {
                for candidate in self.candidates(*dep) {
                    if !seen.has(candidate) {
                        seen.set(candidate);
                        found.push(candidate);
                    }
                }
            }
        }
        found
    }

    /// Open packages that would fulfil a recommendation; none if it is fulfilled.
    fn candidates(&mut self, dep: Dep) -> Vec<i32> {
        let blocks = if is_complex(&self.lists, dep) {
            match normalize(&mut self.lists, dep, Form::Conjunctive) {
                Normal::Blocks(blocks) => blocks,
                _ => return Vec::new(),
            }
        } else {
            let span = self.lists.providers(dep);
            vec![self.lists.get(span).to_vec()]
        };
        let mut found = Vec::new();
        for block in blocks {
            let holds = |literal: &i32| {
                if *literal > 0 { self.is_true(*literal) } else { !self.is_true(-*literal) }
            };
            if !block.iter().any(holds) {
                found.extend(block.into_iter().filter(|id| *id > 0 && self.is_open(*id)));
            }
        }
        let mut unique = Vec::with_capacity(found.len());
        for id in found {
            if !unique.contains(&id) {
                unique.push(id);
            }
        }
        unique
    }

    /// Open packages that supplement what is there, something outside the base among it.
    fn supplementing(&mut self, multilib: bool) -> Vec<i32> {
        let pool = self.lists.pool;
        let mut found = Vec::new();
        for id in pool.ids().map(|id| id.0) {
            let supplements = pool.list_of(id, List::Supplements);
            if supplements.is_empty() || !self.is_open(id) || !self.lists.possible.has(id) {
                continue;
            }
            if !supplements.iter().any(|dep| self.fulfilled_by(*dep) == Fulfilled::ByNew) {
                continue;
            }
            let other_arch = |other: i32| {
                self.is_true(other) && pool.package(other).arch != pool.package(id).arch
            };
            if !(multilib && self.lists.named(id).any(other_arch)) {
                found.push(id);
            }
        }
        found
    }

    /// Whether what is there fulfils a dependency, and whether something outside the base is needed for that.
    fn fulfilled_by(&mut self, dep: Dep) -> Fulfilled {
        use rpm::Operator::{And, Else, If, Or, Unless};
        let new_if = |first: Fulfilled| match first {
            Fulfilled::ByNew => Fulfilled::ByNew,
            _ => Fulfilled::ByBase,
        };
        match self.lists.pool.get(dep) {
            Relation::Rich(operator @ (If | Unless), left, right) => {
                if let Relation::Rich(Else, condition, otherwise) = self.lists.pool.get(right) {
                    let condition = self.fulfilled_by(condition);
                    let (then, otherwise) =
                        if operator == If { (left, otherwise) } else { (otherwise, left) };
                    if !condition.is() {
                        return self.fulfilled_by(otherwise);
                    }
                    let then = self.fulfilled_by(then);
                    return if then.is() && condition == Fulfilled::ByNew {
                        condition
                    } else {
                        then
                    };
                }
                let first = self.fulfilled_by(left);
                let absent = !self.fulfilled_by(right).is();
                let holds =
                    if operator == If { first.is() || absent } else { first.is() && absent };
                if holds { new_if(first) } else { Fulfilled::No }
            }
            Relation::Rich(And, left, right) => {
                let (left, right) = (self.fulfilled_by(left), self.fulfilled_by(right));
                if left.is() && right.is() { left.max(right) } else { Fulfilled::No }
            }
            Relation::Rich(Or, left, right) => {
                self.fulfilled_by(left).max(self.fulfilled_by(right))
            }
            _ => {
                let span = self.lists.providers(dep);
                let there = self.lists.get(span).iter().filter(|id| self.is_true(**id));
                let how = |id: &i32| {
                    if self.lists.is_base(*id) { Fulfilled::ByBase } else { Fulfilled::ByNew }
                };
                there.map(how).max().unwrap_or(Fulfilled::No)
            }
        }
    }
}
