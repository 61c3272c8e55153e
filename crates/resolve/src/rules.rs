//! What must hold, as clauses: one literal of each rule must be true. A positive literal is a package that is there, a
//! negative one a package that is not.
//!
//! Rules are made for all packages that could come along, which are few of those that there are.

use std::cmp::Ordering;

use crate::arch::Fit;
use crate::lists::{Bits, Lists, Span};
use crate::pool::{Dep, List, Relation, SYSTEM};
use crate::rich::{Form, Normal, invert, is_complex, normalize};

/// Why a rule is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Why {
    /// The package does not run on the target or is excluded.
    NotInstallable(i32),
    /// Nobody provides what the package requires.
    NobodyProvides(i32, Dep),
    /// The package requires this.
    Requires(i32, Dep),
    /// The first package conflicts with the second.
    Conflicts(i32, Dep, i32),
    /// The first package replaces the second.
    Obsoletes(i32, Dep, i32),
    /// Two packages of one name.
    SameName(i32, i32),
    /// The base stays as it is.
    Base(i32),
    /// It was asked for; which of the wishes.
    Wish(u32),
    /// Of what was asked for, only the best will do.
    Best(u32),
    /// A better architecture of the package is there.
    InferiorArch(i32),
    /// Follows from other rules; which of them is in the solver's `learnt`.
    Learnt(u32),
}

/// A clause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// The first literal.
    pub(crate) first: i32,
    /// The others; empty if there are one or two literals.
    pub(crate) rest: Span,
    /// The literals that are watched; without `rest` the second is the rule's second literal, or 0.
    pub(crate) watch: [i32; 2],
    /// The next rules that watch the same literals.
    pub(crate) next: [u32; 2],
    pub(crate) disabled: bool,
    pub(crate) why: Why,
}

impl Why {
    /// Whether a rule can be given up: somebody wished it.
    pub(crate) fn is_wish(self) -> bool {
        matches!(self, Self::Wish(_) | Self::Best(_))
    }
}

impl Rule {
    pub(crate) fn new(lists: &Lists<'_>, first: i32, rest: Span, why: Why) -> Self {
        let rule = |first, second, rest| Self {
            first,
            rest,
            watch: [first, second],
            next: [0; 2],
            disabled: false,
            why,
        };
        match *lists.get(rest) {
            [] => rule(first, 0, Span::default()),
            [second] => rule(first, second, Span::default()),
            [second, ..] => rule(first, second, rest),
        }
    }

    /// Whether it has one literal.
    pub(crate) fn is_assertion(&self) -> bool {
        self.rest.is_empty() && self.watch[1] == 0
    }

    /// How many literals follow the first.
    pub(crate) fn others(&self) -> u32 {
        if self.rest.is_empty() { u32::from(self.watch[1] != 0) } else { self.rest.length }
    }

    /// A literal: 0 is the first, the others follow.
    pub(crate) fn literal(&self, lists: &Lists<'_>, index: u32) -> i32 {
        match index {
            0 => self.first,
            _ if self.rest.is_empty() => self.watch[1],
            _ => lists.at(self.rest, index - 1),
        }
    }

    /// All literals.
    pub(crate) fn literals<'a>(&self, lists: &'a Lists<'_>) -> impl Iterator<Item = i32> + use<'a> {
        let rule = *self;
        (0..=rule.others()).map(move |index| rule.literal(lists, index))
    }

    /// The order in which rules are decided: as libsolv sorts them.
    fn order(&self, other: &Self, lists: &Lists<'_>) -> Ordering {
        self.first.cmp(&other.first).then_with(|| {
            let (a, b) = (lists.get(self.rest), lists.get(other.rest));
            match (a, b) {
                ([], []) => self.watch[1].cmp(&other.watch[1]),
                ([], [first, ..]) => self.watch[1].cmp(first).then(Ordering::Less),
                ([first, ..], []) => first.cmp(&other.watch[1]).then(Ordering::Greater),
                _ => a.cmp(b),
            }
        })
    }
}

/// Makes the rules of packages.
pub(crate) struct Rules<'l, 'p> {
    pub(crate) lists: &'l mut Lists<'p>,
    pub(crate) rules: Vec<Rule>,
    /// Packages whose rules are there.
    pub(crate) seen: Bits,
    work: std::collections::VecDeque<i32>,
    /// Whether packages of one name may be there for 32 and for 64 bits.
    pub(crate) multilib: bool,
}

impl<'l, 'p> Rules<'l, 'p> {
    pub(crate) fn new(lists: &'l mut Lists<'p>, multilib: bool) -> Self {
        let mut seen = Bits::new(lists.pool.packages.len());
        seen.set(SYSTEM);
        Self { lists, rules: Vec::new(), seen, work: std::collections::VecDeque::new(), multilib }
    }

    /// Makes the rules of a package and of all that it could bring along.
    pub(crate) fn add_package(&mut self, id: i32) {
        self.work.push_back(id);
        while let Some(id) = self.work.pop_front() {
            if self.seen.has(id) {
                continue;
            }
            self.seen.set(id);
            let base = self.lists.is_base(id);
            if !base && !self.lists.possible.has(id) {
                self.push(-id, &[], Why::NotInstallable(id));
            }
            self.requires(id, base);
            self.conflicts(id, base);
            self.obsoletes(id, base);
            if !base {
                self.same_name(id);
            }
            self.reach_weak(id);
        }
    }

    /// Makes the rules of packages that come along because of others, until there are no more.
    pub(crate) fn add_supplements(&mut self, with_supplements: &[i32]) {
        let mut left = with_supplements.to_vec();
        loop {
            let before = left.len();
            for id in std::mem::take(&mut left) {
                if self.seen.has(id) || !self.lists.possible.has(id) {
                    continue;
                }
                let pool = self.lists.pool;
                let supplements = pool.list_of(id, List::Supplements);
                let enhances = pool.list_of(id, List::Enhances);
                if supplements.iter().chain(enhances).any(|dep| self.may_hold(*dep)) {
                    self.add_package(id);
                } else {
                    left.push(id);
                }
            }
            if left.len() == before {
                break;
            }
        }
    }

    /// Whether a dependency could be fulfilled by packages that have rules.
    fn may_hold(&mut self, dep: Dep) -> bool {
        use rpm::Operator::{And, If, Or, Unless};
        match self.lists.pool.get(dep) {
            Relation::Rich(If | Unless, ..) => true,
            Relation::Rich(And, left, right) => self.may_hold(left) && self.may_hold(right),
            Relation::Rich(Or, left, right) => self.may_hold(left) || self.may_hold(right),
            _ => {
                let span = self.lists.providers(dep);
                self.lists.get(span).iter().any(|id| self.seen.has(*id))
            }
        }
    }

    fn requires(&mut self, id: i32, base: bool) {
        for dep in self.lists.pool.list_of(id, List::Requires) {
            if is_complex(self.lists, *dep) {
                let normal = normalize(self.lists, *dep, Form::Conjunctive);
                self.complex(id, *dep, normal, base, false);
                continue;
            }
            if base {
                // What the base fulfils stays so, and what it does not fulfil is nobody's task.
                continue;
            }
            let providers = self.lists.providers(*dep);
            let all = self.lists.get(providers);
            if all.first() == Some(&SYSTEM) || all.contains(&id) {
                continue;
            }
            let why = match all {
                [] => Why::NobodyProvides(id, *dep),
                _ => Why::Requires(id, *dep),
            };
            self.work.extend(all.iter().filter(|other| !self.seen.has(**other)));
            self.rules.push(Rule::new(self.lists, -id, providers, why));
        }
    }

    fn conflicts(&mut self, id: i32, base: bool) {
        let pool = self.lists.pool;
        for dep in pool.list_of(id, List::Conflicts) {
            if is_complex(self.lists, *dep) {
                let normal = invert(normalize(self.lists, *dep, Form::Disjunctive));
                self.complex(id, *dep, normal, base, true);
                continue;
            }
            let providers = self.lists.providers(*dep);
            for index in 0..providers.length {
                let other = self.lists.at(providers, index);
                // rpm lets a package conflict with what it provides itself: "only I".
                if other != id && !(base && self.lists.is_base(other)) {
                    self.push(-id, &[-other], Why::Conflicts(id, *dep, other));
                }
            }
        }
    }

    fn obsoletes(&mut self, id: i32, base: bool) {
        let pool = self.lists.pool;
        for dep in pool.list_of(id, List::Obsoletes) {
            let providers = self.lists.providers(*dep);
            for index in 0..providers.length {
                let other = self.lists.at(providers, index);
                // Obsoletes mean names of packages, not what they provide.
                if other != id && !(base && self.lists.is_base(other)) && pool.is_named(other, *dep)
                {
                    self.push(-id, &[-other], Why::Obsoletes(id, *dep, other));
                }
            }
        }
    }

    fn same_name(&mut self, id: i32) {
        let pool = self.lists.pool;
        for other in self.lists.named(id) {
            if other == id || self.multilib && !pool.same_color(id, other) {
                continue;
            }
            if self.lists.possible.has(other) {
                self.push(-id, &[-other], Why::SameName(id, other));
            }
        }
        if self.multilib
            && let Fit::Native(place) = pool.package(id).fit
            && place > 0
        {
            // A package for another word size keeps step with the one for the target's own.
            let evr = pool.package(id).evr;
            self.work.extend(self.lists.named(id).filter(|other| {
                let other = pool.package(*other);
                other.evr == evr && matches!(other.fit, Fit::Native(better) if better < place)
            }));
        }
    }

    /// Makes a rule of every block of a rich dependency.
    fn complex(&mut self, id: i32, dep: Dep, normal: Normal, base: bool, conflict: bool) {
        let why = if conflict { Why::Conflicts(id, dep, 0) } else { Why::Requires(id, dep) };
        let blocks = match normal {
            Normal::Always => return,
            Normal::Never if base => return,
            Normal::Never => {
                let why = if conflict { why } else { Why::NobodyProvides(id, dep) };
                return self.push(-id, &[], why);
            }
            Normal::Blocks(blocks) => blocks,
        };
        for mut block in blocks {
            let holds = |literal: &i32| {
                if *literal > 0 {
                    self.lists.is_base(*literal)
                } else {
                    !self.lists.is_base(*literal)
                }
            };
            if base && !block.iter().any(holds) || block.contains(&id) {
                continue;
            }
            if conflict && block == [-id] {
                continue;
            }
            self.work
                .extend(block.iter().filter(|literal| **literal > 0 && !self.seen.has(**literal)));
            block.push(-id);
            block.sort_unstable();
            block.dedup();
            let (first, rest) = block.split_first().expect("it has the package itself");
            let (first, rest) = (*first, rest.to_vec());
            self.push(first, &rest, why);
        }
    }

    /// Packages that are recommended or suggested could come along.
    fn reach_weak(&mut self, id: i32) {
        let pool = self.lists.pool;
        for list in [List::Recommends, List::Suggests] {
            for dep in pool.list_of(id, list) {
                self.reach(*dep, false);
            }
        }
    }

    fn reach(&mut self, dep: Dep, not: bool) {
        use rpm::Operator::{And, Else, If, Or, Unless};
        match self.lists.pool.get(dep) {
            Relation::Rich(And | Or, left, right) => {
                self.reach(left, not);
                self.reach(right, not);
            }
            Relation::Rich(If | Unless, left, right) => {
                self.reach(left, not);
                match self.lists.pool.get(right) {
                    Relation::Rich(Else, condition, otherwise) => {
                        self.reach(condition, not);
                        self.reach(otherwise, not);
                        self.reach(condition, !not);
                    }
                    _ => self.reach(right, !not),
                }
            }
            _ if not => {}
            _ => {
                let span = self.lists.providers(dep);
                self.work.extend(self.lists.get(span).iter().filter(|id| !self.seen.has(**id)));
            }
        }
    }

    /// Adds a rule.
    pub(crate) fn push(&mut self, first: i32, rest: &[i32], why: Why) {
        let rest = self.lists.add(rest);
        self.rules.push(Rule::new(self.lists, first, rest, why));
    }

    /// Sorts the rules and drops those that say the same.
    pub(crate) fn unify(&mut self) {
        let lists = &*self.lists;
        for rule in &mut self.rules {
            if rule.rest.is_empty() && rule.watch[1] != 0 {
                rule.watch.sort_unstable();
                rule.first = rule.watch[0];
            }
        }
        self.rules.sort_by(|a, b| a.order(b, lists));
        self.rules.dedup_by(|a, b| a.order(b, lists) == Ordering::Equal);
    }

    /// Forbids packages of an architecture that is not the best there is of their name.
    pub(crate) fn inferior_archs(&mut self) {
        let pool = self.lists.pool;
        let native = |id: i32| match pool.package(id).fit {
            Fit::Native(place) => Some(place),
            _ => None,
        };
        for id in pool.ids() {
            if !self.seen.has(id.0) {
                continue;
            }
            let group: Vec<i32> =
                self.lists.named(id.0).filter(|other| self.seen.has(*other)).collect();
            if group.first() != Some(&id.0) {
                continue;
            }
            let best = group
                .iter()
                .filter(|id| !self.lists.is_base(**id))
                .filter_map(|id| native(*id))
                .min();
            let Some(best) = best else { continue };
            for id in &group {
                let allowed = |place| {
                    // The base may have packages of another architecture; their kin are fine, too.
                    group
                        .iter()
                        .any(|other| self.lists.is_base(*other) && native(*other) == Some(place))
                };
                let worse = native(*id).is_some_and(|place| place != best && !allowed(place));
                if !worse || self.lists.is_base(*id) {
                    continue;
                }
                let evr = pool.package(*id).evr;
                let in_step: Vec<i32> = if self.multilib {
                    let others = self.lists.named(*id).filter(|other| {
                        let package = pool.package(*other);
                        let suits = package.fit == Fit::Any || native(*other) == Some(best);
                        *other != *id && package.evr == evr && suits
                    });
                    others.collect()
                } else {
                    Vec::new()
                };
                self.push(-*id, &in_step, Why::InferiorArch(*id));
            }
        }
    }
}
