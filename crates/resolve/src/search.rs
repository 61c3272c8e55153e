//! Deciding: what follows from a decision, and what to learn where it contradicts itself.
//!
//! Conflict-driven clause learning with two watched literals per rule, as in MiniSat: N. Een, N. Sorensson, "An Extensible
//! SAT-solver", 2003. The order in which rules are looked at is libsolv's, so that choices are the same.

use crate::lists::{Bits, Lists};
use crate::policy::Weak;
use crate::pool::SYSTEM;
use crate::rules::{Rule, Why};

/// A decision for which there were several candidates.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// The candidates; those that were tried are negative.
    pub(crate) candidates: Vec<i32>,
    /// The level before the decision.
    pub(crate) level: i32,
}

/// The state of a search.
pub(crate) struct Search<'p> {
    pub(crate) lists: Lists<'p>,
    /// Rule 0 is none.
    pub(crate) rules: Vec<Rule>,
    /// The rules that asked-for packages made.
    pub(crate) wishes: std::ops::Range<usize>,
    /// Where learnt rules start.
    pub(crate) learnt_from: usize,
    /// For each literal the first rule that watches it.
    watches: Vec<u32>,
    assertions: Vec<usize>,
    /// For each package the level at which it was decided, negative if it must not be there, 0 if it is open.
    pub(crate) decided: Vec<i32>,
    pub(crate) decisions: Vec<i32>,
    /// The rule that led to each decision; 0 for a free one.
    reasons: Vec<usize>,
    propagated: usize,
    pub(crate) branches: Vec<Branch>,
    /// The rules that each learnt rule follows from.
    learnt: Vec<Vec<usize>>,
    /// The proofs of contradictions: the rules of each.
    pub(crate) problems: Vec<Vec<usize>>,
    /// Whether the last problem is none of the wishes': the base itself breaks a rule.
    pub(crate) hopeless: bool,
    pub(crate) weak: Weak,
}

/// What a decision led to.
pub(crate) type Level = i32;

impl<'p> Search<'p> {
    pub(crate) fn new(
        lists: Lists<'p>,
        mut rules: Vec<Rule>,
        wishes: std::ops::Range<usize>,
    ) -> Self {
        let count = lists.pool.packages.len();
        let none = Rule::new(&lists, 0, crate::lists::Span::default(), Why::Wish(0));
        rules.insert(0, none);
        let mut search = Self {
            weak: Weak::new(lists.pool),
            lists,
            learnt_from: rules.len(),
            wishes: wishes.start + 1..wishes.end + 1,
            watches: vec![0; 2 * count],
            assertions: Vec::new(),
            decided: vec![0; count],
            decisions: Vec::new(),
            reasons: Vec::new(),
            propagated: 0,
            branches: Vec::new(),
            learnt: Vec::new(),
            problems: Vec::new(),
            hopeless: false,
            rules,
        };
        for rule in (1..search.rules.len()).rev() {
            search.watch(rule);
        }
        search.assertions =
            (1..search.rules.len()).filter(|rule| search.rules[*rule].is_assertion()).collect();
        search
    }

    /// Adds a rule before the search starts.
    pub(crate) fn add_rule(&mut self, first: i32, rest: &[i32], why: Why) {
        let rest = self.lists.add(rest);
        self.push(Rule::new(&self.lists, first, rest, why));
        self.learnt_from = self.rules.len();
    }

    /// Keeps a rule and gives its number back.
    fn push(&mut self, rule: Rule) -> usize {
        let number = self.rules.len();
        self.rules.push(rule);
        if rule.is_assertion() {
            self.assertions.push(number);
        }
        self.watch(number);
        number
    }

    fn head(&self, literal: i32) -> usize {
        let place = literal.unsigned_abs() as usize;
        if literal > 0 { 2 * place } else { 2 * place + 1 }
    }

    /// Puts a rule at the head of the chains of the literals that it watches.
    fn watch(&mut self, rule: usize) {
        if self.rules[rule].watch[1] == 0 {
            return;
        }
        for side in 0..2 {
            let head = self.head(self.rules[rule].watch[side]);
            self.rules[rule].next[side] = self.watches[head];
            self.watches[head] = u32::try_from(rule).expect("rules fit memory");
        }
    }

    pub(crate) fn is_true(&self, literal: i32) -> bool {
        let level = self.decided[literal.unsigned_abs() as usize];
        if literal > 0 { level > 0 } else { level < 0 }
    }

    fn is_false(&self, literal: i32) -> bool {
        let level = self.decided[literal.unsigned_abs() as usize];
        if literal > 0 { level < 0 } else { level > 0 }
    }

    pub(crate) fn is_open(&self, literal: i32) -> bool {
        self.decided[literal.unsigned_abs() as usize] == 0
    }

    fn decide(&mut self, literal: i32, level: Level, reason: usize) {
        self.decided[literal.unsigned_abs() as usize] = if literal > 0 { level } else { -level };
        self.decisions.push(literal);
        self.reasons.push(reason);
    }

    /// Decides what rules of one literal say. `false` if they contradict each other; the problem is kept.
    pub(crate) fn decide_assertions(&mut self) -> bool {
        self.decide(SYSTEM, 1, 0);
        for at in 0..self.assertions.len() {
            let rule = self.assertions[at];
            let Rule { first, disabled, .. } = self.rules[rule];
            if disabled {
                continue;
            }
            if self.is_open(first) {
                self.decide(first, 1, rule);
            } else if self.is_false(first) {
                let place = self.decisions.iter().position(|decision| *decision == -first);
                let other = place.map_or(0, |place| self.reasons[place]);
                self.problem([rule, other]);
                return false;
            }
        }
        true
    }

    /// Follows all decisions to what they imply. The rule that cannot hold, if there is one.
    fn propagate(&mut self, level: Level) -> Option<usize> {
        while let Some(decision) = self.decisions.get(self.propagated) {
            let falsified = -*decision;
            self.propagated += 1;
            let head = self.head(falsified);
            let mut before: Option<(usize, usize)> = None;
            let mut current = self.watches[head] as usize;
            while current != 0 {
                let rule = self.rules[current];
                let side = usize::from(rule.watch[0] != falsified);
                let other = rule.watch[1 - side];
                let next = rule.next[side] as usize;
                if rule.disabled || self.is_true(other) {
                    before = Some((current, side));
                    current = next;
                    continue;
                }
                if let Some(literal) = self.other_watch(&rule, other) {
                    // Out of this chain, into another.
                    match before {
                        Some((rule, side)) => self.rules[rule].next[side] = next as u32,
                        None => self.watches[head] = next as u32,
                    }
                    let new_head = self.head(literal);
                    self.rules[current].watch[side] = literal;
                    self.rules[current].next[side] = self.watches[new_head];
                    self.watches[new_head] = current as u32;
                    current = next;
                    continue;
                }
                if self.is_false(other) {
                    return Some(current);
                }
                self.decide(other, level, current);
                before = Some((current, side));
                current = next;
            }
        }
        None
    }

    /// A literal to watch instead of one that became false.
    fn other_watch(&self, rule: &Rule, other: i32) -> Option<i32> {
        if rule.rest.is_empty() {
            return None;
        }
        let fits = |literal: &i32| *literal != other && !self.is_false(*literal);
        if fits(&rule.first) {
            return Some(rule.first);
        }
        self.lists.get(rule.rest).iter().copied().find(fits)
    }

    /// Takes back all decisions above a level.
    pub(crate) fn revert(&mut self, level: Level) {
        while let Some(last) = self.decisions.last() {
            let last = last.unsigned_abs() as usize;
            if self.decided[last].abs() <= level {
                break;
            }
            self.decided[last] = 0;
            self.decisions.pop();
            self.reasons.pop();
        }
        self.propagated = self.propagated.min(self.decisions.len());
        while self.branches.last().is_some_and(|branch| branch.level >= level) {
            self.branches.pop();
        }
        self.weak.reverted(self.decisions.len());
    }

    /// Starts over.
    pub(crate) fn reset(&mut self) {
        for decision in self.decisions.drain(..) {
            self.decided[decision.unsigned_abs() as usize] = 0;
        }
        self.reasons.clear();
        self.propagated = 0;
        self.branches.clear();
        self.weak.reverted(0);
        for at in 0..self.learnt.len() {
            let holds = self.learnt[at].iter().all(|rule| !self.rules[*rule].disabled);
            self.rules[self.learnt_from + at].disabled = !holds;
        }
    }

    /// Decides freely, then all that follows. The level that was reached: lower than before if something was learnt on
    /// the way, 0 if the search must start over because a problem was found.
    pub(crate) fn install(&mut self, level: Level, literal: i32) -> Level {
        self.decide(literal, level + 1, 0);
        self.follow(level + 1)
    }

    /// Goes back to a branch and takes another of its candidates.
    pub(crate) fn take(&mut self, branch: usize, candidate: usize) -> Level {
        let mut taken = self.branches[branch].clone();
        let literal = taken.candidates[candidate];
        taken.candidates[candidate] = -literal;
        let level = taken.level;
        self.branches.truncate(branch);
        self.revert(level);
        self.branches.push(taken);
        self.install(level, literal)
    }

    /// Follows what is decided, learning from contradictions.
    pub(crate) fn follow(&mut self, mut level: Level) -> Level {
        while let Some(broken) = self.propagate(level) {
            if level == 1 {
                self.give_up(broken);
                return 0;
            }
            let learnt;
            (level, learnt) = self.learn(level, broken);
            let literal = self.rules[learnt].first;
            self.decide(literal, level, learnt);
        }
        level
    }

    /// Learns the rule that would have avoided a contradiction, and goes back to where it says something.
    fn learn(&mut self, level: Level, broken: usize) -> (Level, usize) {
        let mut seen = Bits::new(self.decided.len());
        let mut others = Vec::new();
        let mut from = Vec::new();
        let mut back_to = 1;
        // Literals still to be explained: of this level, and of the first.
        let (mut here, mut first_level) = (0_u32, 0_u32);
        let mut rule = broken;
        let mut at = self.decisions.len();
        let mut unique = 0;
        'rules: loop {
            from.push(rule);
            for literal in self.rules[rule].literals(&self.lists) {
                if self.is_true(literal) || seen.has(literal) {
                    continue;
                }
                seen.set(literal);
                match self.decided[literal.unsigned_abs() as usize].abs() {
                    1 => first_level += 1,
                    found if found == level => here += 1,
                    found => {
                        others.push(literal);
                        back_to = back_to.max(found);
                    }
                }
            }
            loop {
                if here == 0 {
                    // One more than there are, so that this can come first.
                    first_level -= 1;
                    if first_level == 0 {
                        break 'rules;
                    }
                }
                at -= 1;
                while !seen.has(self.decisions[at]) {
                    at -= 1;
                }
                let decision = self.decisions[at];
                seen.unset(decision);
                if here > 0 {
                    here -= 1;
                    if here == 0 {
                        unique = -decision;
                        if first_level == 0 {
                            break 'rules;
                        }
                        // From here on only what was decided at the first level is left to be explained.
                        others.iter().for_each(|other: &i32| seen.unset(*other));
                        first_level += 1;
                        continue;
                    }
                }
                if self.reasons[at] != 0 {
                    rule = self.reasons[at];
                    break;
                }
            }
        }
        self.revert(back_to);
        let rest = self.lists.add(&others);
        let number = u32::try_from(self.learnt.len()).unwrap_or(u32::MAX);
        let mut rule = Rule::new(&self.lists, unique, rest, Why::Learnt(number));
        if !rule.rest.is_empty() {
            let level = |literal: &i32| self.decided[literal.unsigned_abs() as usize].abs();
            let mut highest = 0;
            for literal in self.lists.get(rule.rest) {
                if level(literal) > highest {
                    highest = level(literal);
                    rule.watch[1] = *literal;
                }
            }
        }
        self.learnt.push(from);
        (back_to, self.push(rule))
    }

    /// Finds out which rules contradict each other, and disables what was asked for among them.
    fn give_up(&mut self, broken: usize) {
        let mut seen = Bits::new(self.decided.len());
        let mut proof = vec![broken];
        for literal in self.rules[broken].literals(&self.lists) {
            seen.set(literal);
        }
        for at in (0..self.decisions.len()).rev() {
            let decision = self.decisions[at];
            let reason = self.reasons[at];
            if !seen.has(decision) || reason == 0 {
                continue;
            }
            proof.push(reason);
            for literal in self.rules[reason].literals(&self.lists) {
                seen.set(literal);
            }
        }
        self.problem(proof);
    }

    /// Keeps a problem, disables the wishes in it, and starts over.
    fn problem(&mut self, proof: impl IntoIterator<Item = usize>) {
        let mut rules = std::collections::BTreeSet::new();
        let mut work: Vec<usize> = proof.into_iter().collect();
        while let Some(rule) = work.pop() {
            if rule == 0 || !rules.insert(rule) {
                continue;
            }
            if let Why::Learnt(at) = self.rules[rule].why {
                work.extend(&self.learnt[at as usize]);
            }
        }
        rules.retain(|rule| !matches!(self.rules[*rule].why, Why::Learnt(_)));
        let wishes = rules.iter().filter(|rule| self.rules[**rule].why.is_wish());
        let wishes: Vec<usize> = wishes.copied().collect();
        self.hopeless = wishes.is_empty();
        for wish in wishes {
            self.rules[wish].disabled = true;
        }
        self.problems.push(rules.into_iter().collect());
        self.reset();
    }
}
