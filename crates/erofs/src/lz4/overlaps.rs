//! Matches that overlap, and the shortest way through them.
//!
//! Where matches are long there are few of them, so that it takes little time to look at more candidates for each and to
//! weigh what to take of which: a match may give way to the next wherever both are, and one that gives way early enough
//! takes a byte less for its length.
//!
//! Whoever is farther on for the same bytes can do all that others can. So of the places that a way may lead over only
//! a few count: where a match starts, where it ends, and where it is as long as a number of bytes can say.

use std::iter::successors;

use super::chains::Chains;
use super::lazy::Depth;
use super::{MIN_MATCH, Match, Sequences, cheaper, sequence};

/// Bytes that a match has in common with one that is to replace its end, at least.
const OVERLAP: usize = 3;
/// Most matches by which a run goes on: what lies beyond the end of a block is lost.
const MOST: usize = 256;

/// Matches of a run, each of which starts and ends behind the one before.
#[derive(Default)]
pub(super) struct Overlaps {
    matches: Vec<Match>,
    /// Places that were reached, in order.
    reached: Vec<Place>,
    /// Places that can be reached from those, the nearest last: each costs less than those in front of it.
    ahead: Vec<Place>,
    way: Vec<Match>,
}

/// A place and the shortest way there.
#[derive(Clone, Copy)]
struct Place {
    at: usize,
    /// Bytes.
    cost: u32,
    /// The number of the place from which it is reached, and of the match that leads here; none if literals do.
    from: usize,
    by: Option<usize>,
}

impl Overlaps {
    /// Appends matches from `first` on, as long as each overlaps the next or ends where it starts, to the block that
    /// starts at `start`. Gives the first place at which a match may start then.
    pub(super) fn put(
        &mut self,
        first: Match,
        start: usize,
        depth: Depth,
        chains: &mut Chains<'_>,
        sequences: &mut Sequences<'_>,
    ) -> usize {
        let next = self.gather(first, start, depth, chains, sequences);
        match self.matches[..] {
            [one] => sequences.put(one),
            _ => {
                self.find_way();
                self.way.iter().rev().for_each(|taken| sequences.put(*taken));
            }
        }
        next
    }

    /// Gathers a run of matches, and gives the first place at which one may start behind it.
    fn gather(
        &mut self,
        first: Match,
        start: usize,
        depth: Depth,
        chains: &mut Chains<'_>,
        sequences: &Sequences<'_>,
    ) -> usize {
        self.matches.clear();
        self.matches.push(first);
        // What is not in the match before.
        let (mut one, mut low) = (first, first.at);
        for _ in 0..MOST {
            let end = one.end();
            if chains.last().is_none_or(|last| end > last) {
                break;
            }
            let better = chains.longest(end - OVERLAP, low, start, end - low, depth.better);
            let next = || chains.longest(end, end, start, MIN_MATCH - 1, depth.first);
            let Some(found) = better.or_else(next) else { return self.end().max(end + 1) };
            let farther = better.and_then(|better| farther(better, end, start, depth, chains));
            for mut found in farther.into_iter().chain([found]) {
                while found.at > first.at
                    && let Some(longer) = sequences.one_before(found)
                {
                    found = longer;
                }
                self.insert(found);
            }
            (one, low) = (found, end.min(found.end() - MIN_MATCH));
        }
        self.end()
    }

    /// Adds a match, unless it lies in another, and drops those that lie in it: they are worth less everywhere.
    fn insert(&mut self, found: Match) {
        let from = self.matches.partition_point(|known| known.at < found.at);
        let to = self.matches.partition_point(|known| known.end() <= found.end());
        if self.matches.get(to).is_none_or(|known| known.at > found.at) {
            self.matches.splice(from..to, [found]);
        }
    }

    /// The end of the last match.
    fn end(&self) -> usize {
        self.matches[self.matches.len() - 1].end()
    }

    /// Finds the shortest way from the start of the first match to the end of the last: afterwards `way` has its matches,
    /// the last one first.
    fn find_way(&mut self) {
        self.reach_end();
        let Self { matches, reached, way, .. } = self;
        way.clear();
        let mut place = reached.len() - 1;
        while place > 0 {
            let Place { at, from, by, .. } = reached[place];
            if let Some(by) = by {
                let start = reached[from].at;
                way.push(Match { at: start, length: at - start, ..matches[by] });
            }
            place = from;
        }
    }

    /// Reaches places up to the end of the last match.
    fn reach_end(&mut self) {
        let end = self.end();
        let Self { matches, reached, ahead, .. } = self;
        reached.clear();
        ahead.clear();
        ahead.push(Place { at: matches[0].at, cost: 0, from: 0, by: None });
        let mut nth = 0;
        while let Some(place) = ahead.pop() {
            let (from, Place { at, cost, .. }) = (reached.len(), place);
            reached.push(place);
            if at == end {
                break;
            }
            // Of the matches that start here or before the last one is the longest.
            while matches.get(nth + 1).is_some_and(|next| next.at <= at) {
                nth += 1;
            }
            let next = matches.get(nth + 1).map_or(end, |next| next.at);
            let literals = next - at;
            add(ahead, Place { at: next, cost: cost + literals as u32, from, by: None });
            let mut take = |length| {
                let cost = cost + sequence(length);
                add(ahead, Place { at: at + length, cost, from, by: Some(nth) });
            };
            let most = matches[nth].end().saturating_sub(at);
            if most >= MIN_MATCH {
                take(most);
                // It need not end before the next starts.
                let cheaper = successors(cheaper(most), |length| cheaper(*length));
                cheaper.take_while(|length| *length >= literals).for_each(take);
            }
        }
    }
}

/// The longest match from `end` on, where another ends, if it ends behind the `better` one, which goes back farther.
fn farther(
    better: Match,
    end: usize,
    start: usize,
    depth: Depth,
    chains: &mut Chains<'_>,
) -> Option<Match> {
    // So many searches elsewhere would say that matches are short.
    let density = chains.density;
    let known = (better.end() - end).max(MIN_MATCH - 1);
    let farther = chains.longest(end, end, start, known, depth.first);
    chains.density = density;
    farther
}

/// Adds a place, unless one at least as far costs no more, and drops those that are no better. Of equal ones the last stays.
fn add(ahead: &mut Vec<Place>, place: Place) {
    let is_no_better = |one: &Place, other: &Place| one.at <= other.at && one.cost >= other.cost;
    ahead.retain(|known| !is_no_better(known, &place));
    if !ahead.iter().any(|known| is_no_better(&place, known)) {
        let farther = ahead.partition_point(|known| known.at > place.at);
        ahead.insert(farther, place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lz4::{SHORT_LENGTH, tests::noise};

    /// A run of matches: how far each starts behind the one before, and how far it ends behind that.
    fn run(steps: &[u8]) -> Overlaps {
        let mut run = Overlaps::default();
        let mut last = Match { at: 7, distance: 1, length: 40 };
        run.insert(last);
        for step in steps.as_chunks::<2>().0 {
            let end = last.end() + 1 + usize::from(step[1]);
            let least = (last.at + 1).max(end.saturating_sub(SHORT_LENGTH + 3 * 255));
            let at = (least + usize::from(step[0])).min(last.end()).min(end - MIN_MATCH);
            last = Match { at, distance: last.distance + 1, length: end - at };
            run.insert(last);
        }
        run
    }

    /// Bytes of the shortest of all ways, with matches that start and end anywhere.
    fn shortest(matches: &[Match]) -> u32 {
        let (start, end) = (matches[0].at, matches[matches.len() - 1].end());
        let mut costs = vec![0; end + 1];
        for at in (start..end).rev() {
            let lies_in = matches.iter().filter(|found| found.at <= at);
            let taken = lies_in.flat_map(|found| at + MIN_MATCH..=found.end());
            let cost = |to: usize| sequence(to - at) + costs[to];
            costs[at] = taken.map(cost).chain([1 + costs[at + 1]]).min().expect("a literal");
        }
        costs[start]
    }

    #[test]
    fn of_matches_none_lies_in_another() {
        let places = |run: &Overlaps| -> Vec<_> {
            run.matches.iter().map(|found| (found.at, found.end())).collect()
        };
        let mut run = Overlaps::default();
        let mut add = |(at, end)| {
            run.insert(Match { at, distance: 1, length: end - at });
            places(&run)
        };
        add((10, 20));
        assert_eq!(add((18, 40)), [(10, 20), (18, 40)]);
        assert_eq!(add((15, 30)), [(10, 20), (15, 30), (18, 40)]);
        assert_eq!(add((18, 39)), [(10, 20), (15, 30), (18, 40)]);
        assert_eq!(add((12, 40)), [(10, 20), (12, 40)]);
        assert_eq!(add((10, 41)), [(10, 41)]);
    }

    #[test]
    fn no_way_is_shorter() {
        for (alphabet, seed) in [(120, 0), (40, 100), (24, 50), (8, 10)] {
            for steps in noise(2_000 + seed, alphabet)[seed..].chunks(40) {
                let mut run = run(steps);
                run.find_way();
                let (mut cost, mut at) = (0, run.matches[0].at);
                for taken in run.way.iter().rev() {
                    let known = run.matches.iter().find(|found| found.distance == taken.distance);
                    let known = known.expect("one of the run");
                    assert!(known.at <= taken.at && taken.end() <= known.end());
                    cost += (taken.at - at) as u32 + sequence(taken.length);
                    at = taken.end();
                }
                let end = run.matches[run.matches.len() - 1].end();
                cost += (end - at) as u32;
                assert_eq!(cost, shortest(&run.matches), "{:?}", run.matches);
            }
        }
    }
}
