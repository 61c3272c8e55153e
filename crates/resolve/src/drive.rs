//! The order in which a search decides: wishes, rules, weak dependencies, then what could be smaller.

use crate::policy::Mode;
use crate::rules::{Rule, Why};
use crate::search::{Branch, Level, Search};
use crate::solve::Request;

impl Search<'_> {
    /// Of each wish that has better and worse candidates, only the best will do.
    pub(crate) fn add_best(&mut self, request: &Request) {
        for (number, wish) in request.wishes.iter().enumerate() {
            let all: Vec<i32> = wish.candidates.iter().map(|id| id.0).collect();
            if all.iter().any(|id| self.lists.is_base(*id)) {
                continue;
            }
            let mut best: Vec<i32> =
                all.iter().copied().filter(|id| self.lists.possible.has(*id)).collect();
            self.filter(&mut best, Mode::Recommend);
            if let Some((first, rest)) = best.split_first()
                && best.len() < all.len()
            {
                let why = Why::Best(u32::try_from(number).unwrap_or(u32::MAX));
                self.add_rule(*first, rest, why);
            }
        }
    }

    /// Searches until all wishes hold, or those that cannot are in `problems`.
    pub(crate) fn run(&mut self, weak: bool, multilib: bool) {
        let mut level: Level = 0;
        let mut wishes_level = 0;
        loop {
            if level <= 0 {
                if self.hopeless {
                    return;
                }
                if !self.decide_assertions() {
                    continue;
                }
                level = self.follow(1);
                if level <= 0 {
                    continue;
                }
                wishes_level = level + 1;
            }
            if level < wishes_level {
                let before = level;
                level = self.fulfil_wishes(level);
                if level < before {
                    continue;
                }
                wishes_level = level + 1;
            }
            wishes_level = wishes_level.min(level);
            let before = level;
            level = self.fulfil_rules(level);
            if level < before {
                continue;
            }
            if weak && let Some(new) = self.add_weak(level, multilib) {
                level = new;
                continue;
            }
            match self.better_branch() {
                Some((branch, candidate)) => level = self.take(branch, candidate),
                None => return,
            }
        }
    }

    fn fulfil_wishes(&mut self, mut level: Level) -> Level {
        let start = level;
        let mut at = self.wishes.start;
        while at < self.wishes.end {
            let rule = self.rules[at];
            let open = self.open_candidates(at);
            let (false, Some(candidates)) = (rule.disabled, open) else {
                at += 1;
                continue;
            };
            if candidates.is_empty() {
                at += 1;
                continue;
            }
            let before = level;
            level = self.choose(level, candidates);
            if level < start {
                return level;
            }
            match level.cmp(&before) {
                std::cmp::Ordering::Greater => at += 1,
                std::cmp::Ordering::Equal => {}
                std::cmp::Ordering::Less => at = self.wishes.start,
            }
        }
        level
    }

    /// The open literals of a rule that does not hold yet; `None` if it does.
    fn open_candidates(&self, rule: usize) -> Option<Vec<i32>> {
        let mut open = Vec::new();
        for literal in self.rules[rule].literals(&self.lists) {
            if literal < 0 {
                if !self.is_true(-literal) {
                    return None;
                }
            } else if self.is_true(literal) {
                return None;
            } else if self.is_open(literal) {
                open.push(literal);
            }
        }
        Some(open)
    }

    /// Fulfils all rules. Where there is a real choice the rule waits until all others hold.
    fn fulfil_rules(&mut self, mut level: Level) -> Level {
        let start = level;
        // The first rule that waits; none yet, or all have been looked at and now must choose.
        let mut waiting = None;
        let mut must_choose = false;
        let (mut at, mut looked_at) = (1, 1);
        loop {
            if looked_at >= self.rules.len() {
                let (Some(first), false) = (waiting, must_choose) else { return level };
                at = first;
                must_choose = true;
                looked_at = 1;
            }
            if at == self.rules.len() {
                at = 1;
            }
            if let Some(mut candidates) = self.choice(at) {
                if !must_choose {
                    self.filter(&mut candidates, Mode::Prune);
                }
                if candidates.len() > 1 && !must_choose {
                    waiting = waiting.or(Some(at));
                } else {
                    level = self.choose(level, candidates);
                    if level < start {
                        return level;
                    }
                    looked_at = 0;
                }
            }
            at += 1;
            looked_at += 1;
        }
    }

    /// The candidates of a rule, if it does not hold and nothing has decided it.
    fn choice(&self, rule: usize) -> Option<Vec<i32>> {
        let Rule { first, rest, watch, disabled, .. } = self.rules[rule];
        if disabled || rest.is_empty() && (first <= 0 || watch[1] <= 0) {
            return None;
        }
        if rest.is_empty() {
            let open = self.is_open(first) && self.is_open(watch[1]);
            return open.then(|| vec![first, watch[1]]);
        }
        if first < 0 && !self.is_true(-first) {
            return None;
        }
        self.open_candidates(rule).filter(|open| !open.is_empty())
    }

    /// Installs the best of several candidates.
    fn choose(&mut self, level: Level, mut candidates: Vec<i32>) -> Level {
        self.filter(&mut candidates, Mode::Choose);
        self.branch(level, &candidates);
        self.install(level, candidates[0])
    }

    /// Remembers that there were several candidates.
    pub(crate) fn branch(&mut self, level: Level, candidates: &[i32]) {
        if candidates.len() > 1 {
            let mut candidates = candidates.to_vec();
            candidates[0] = -candidates[0];
            self.branches.push(Branch { candidates, level });
        }
    }

    /// A branch and a candidate that would make the solution smaller: one that came along later anyway, or a recommended
    /// one in place of one that is not.
    fn better_branch(&mut self) -> Option<(usize, usize)> {
        self.update_weak();
        let mut best = None;
        for branch in (0..self.branches.len()).rev() {
            let Branch { candidates, level } = self.branches[branch].clone();
            let mut recommended = None;
            let mut later = false;
            for (at, id) in candidates.iter().enumerate().filter(|(_, id)| **id > 0) {
                if self.decided[id.unsigned_abs() as usize] > level {
                    best = Some((branch, at));
                    later = true;
                    break;
                }
                if recommended.is_none() && self.is_recommended(*id) {
                    recommended = Some(at);
                }
            }
            let Some(recommended) = recommended.filter(|_| !later) else { continue };
            let chosen = candidates.iter().map(|id| -id).find(|id| {
                *id > 0
                    && self.decided[id.unsigned_abs() as usize] == level + 1
                    && !self.is_recommended(*id)
            });
            if chosen.is_some() {
                best = Some((branch, recommended));
            }
        }
        best
    }
}
