//! The shortest way through the longest matches of all places.
//!
//! Every match of LZ4 costs the same, however far back it lies, and can be cut short at either end. So of all matches
//! at a place only the longest counts, whole, or cut short so that its length takes a byte less or none at all, and the
//! shortest way from a place to the end is either a literal and the shortest way from the next place, or such a match and
//! the shortest way from behind it. A pass from the end to the start finds it.
//!
//! To look for the longest match takes most of the time, and where much is left of one that began before, a longer one
//! that begins here most often covers the end of that, too: it is found there, and followed back. Of those that cover the
//! end the one that goes back farthest is looked for first, since it leaves the most choice of where to begin it.

use super::{MIN_MATCH, Match, SHORT_LENGTH, Sequences, cheaper, sequence};

/// Content that is parsed at once, at least and at most. What is parsed beyond the end of a block is lost.
const PART: (usize, usize) = (256, 16 << 10);

/// A way through a part of the content.
#[derive(Default)]
pub(super) struct Way {
    /// Length and distance of the longest match at each place.
    longest: Vec<(u32, u32)>,
    /// Bytes from each place to the end.
    cost: Vec<u32>,
    /// Bytes from one match to the next in the last part that has any.
    pub(super) stride: usize,
}

/// The end of the part of the first `length` bytes that starts at `from`, in a block from `start` on of at most `limit`
/// bytes. Parts of a block grow, so that what is learned from one counts for the next.
pub(super) fn end_of_part(from: usize, length: usize, start: usize, limit: usize) -> usize {
    let (least, most) = PART;
    length.min(from + limit.min(from - start).clamp(least, most))
}

impl Way {
    /// Appends the content from `from` to `end`, or what of it there is room for, to a block. Gives the end of the last
    /// match, or `end`.
    ///
    /// `longer` gives the longest match that covers a place where one may start and begins where a known one does or
    /// behind, if it is longer than that. It is asked where less than `nice` bytes are known.
    #[inline]
    pub(super) fn put(
        &mut self,
        (from, end): (usize, usize),
        nice: usize,
        sequences: &mut Sequences<'_>,
        longer: impl FnMut(usize, Match) -> Option<Match>,
    ) -> usize {
        self.search((from, end), nice, sequences, longer);
        self.shorten();
        let (mut at, mut taken) = (from, 0);
        while at < end && !sequences.is_full {
            let (length, distance) = self.longest[at - from];
            let (length, distance) = (length as usize, distance as usize);
            if length > 0 {
                sequences.put(Match { at, distance, length });
                taken += 1;
            }
            at += length.max(1);
        }
        self.stride = (at - from).checked_div(taken).unwrap_or(self.stride);
        at
    }

    /// Notes the longest match of each place.
    #[inline]
    fn search(
        &mut self,
        (from, end): (usize, usize),
        nice: usize,
        sequences: &Sequences<'_>,
        mut longer: impl FnMut(usize, Match) -> Option<Match>,
    ) {
        self.longest.clear();
        // The match that ends farthest, without what the one before it covers.
        let mut known = Match { at: from, distance: 0, length: 0 };
        for at in from..end {
            // Without its first bytes a match is still one.
            let left = known.end().saturating_sub(at);
            let mut length = if left >= MIN_MATCH { left } else { 0 };
            if length < nice && sequences.may_match(at) {
                let whole = if length + 1 == nice { longer(at, known) } else { None };
                if let Some(found) = whole.or_else(|| longer(at, Match { at, length, ..known })) {
                    length = found.end() - at;
                    let found = self.follow_back(found, from, sequences);
                    let covered = known.end().min(at).min(found.end() - MIN_MATCH);
                    known = found.skip(covered.saturating_sub(found.at));
                }
            }
            self.longest.push((length as u32, known.distance as u32));
        }
    }

    /// Notes a match at the places before the last from which on it is longer than what is known there. Gives all of it.
    #[inline]
    fn follow_back(&mut self, mut found: Match, from: usize, sequences: &Sequences<'_>) -> Match {
        let end = found.end();
        for (place, longest) in (from..from + self.longest.len()).zip(&mut self.longest).rev() {
            if place < found.at {
                let Some(longer) = sequences.one_before(found) else { break };
                found = longer;
            }
            if longest.0 as usize >= end - place {
                break;
            }
            *longest = ((end - place) as u32, found.distance as u32);
        }
        found
    }

    /// Finds the shortest way: afterwards `longest` has a length where a match is taken.
    fn shorten(&mut self) {
        let count = self.longest.len();
        self.cost.clear();
        self.cost.resize(count + 1, 0);
        for place in (0..count).rev() {
            let mut best = (self.cost[place + 1] + 1, 0);
            let (length, distance) = self.longest[place];
            // What reaches beyond the part pays for what is in it.
            let whole = (length as usize).min(count - place);
            if whole >= MIN_MATCH {
                let taken = sequence(whole) + self.cost[place + whole];
                // Of equal ways the one with fewer literals: their number may take a byte as well.
                if taken <= best.0 {
                    best = (taken, length);
                }
                // Of many that are cheaper the farthest and the cheapest.
                let cheapest = (whole > SHORT_LENGTH + 255).then_some(SHORT_LENGTH);
                for cut in cheaper(whole).into_iter().chain(cheapest) {
                    let taken = sequence(cut) + self.cost[place + cut];
                    if taken < best.0 {
                        best = (taken, cut as u32);
                    }
                }
            }
            self.cost[place] = best.0;
            self.longest[place] = (best.1, distance);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lz4::{LAST_LITERALS, common, tests::noise};

    /// A block of all of `data`, and how often a match was looked for; not for what goes back with `here_only`.
    fn block(data: &[u8], nice: usize, here_only: bool) -> (Vec<u8>, usize) {
        let (mut out, mut searches) = (Vec::new(), 0);
        let mut sequences = Sequences::new(data, 0, 1 << 16, &mut out);
        Way::default().put((1, data.len()), nice, &mut sequences, |at, known| {
            if here_only && known.at < at {
                return None;
            }
            searches += 1;
            let most = data.len() - LAST_LITERALS - at;
            let found = (1..=at).map(|distance| {
                let ahead = common(&data[at - distance..], &data[at..][..most]);
                let equal = |at: &usize| data[*at] == data[*at - distance];
                let behind = (known.at.max(distance)..at).rev().take_while(equal).count();
                Match { at: at - behind, distance, length: behind + ahead }
            });
            let covers = found.filter(|found| found.end() >= at + MIN_MATCH);
            let longest = covers.max_by_key(|found| (found.length, found.distance))?;
            (longest.length > known.length).then_some(longest)
        });
        assert_eq!(sequences.end().consumed, data.len());
        (out, searches)
    }

    #[test]
    fn a_longer_match_within_another_is_found_at_its_end() {
        let data = b"abcdefghij_cdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz_0123456789";
        let (everywhere, most) = block(data, usize::MAX, true);
        let (by_ends, searches) = block(data, MIN_MATCH, true);
        assert_eq!(by_ends, everywhere);
        assert!(searches + 20 < most, "{searches} of {most}");
    }

    #[test]
    fn a_match_gives_way_where_its_length_takes_a_byte_less() {
        let size = |length| {
            let front = noise(length, 256);
            let back = vec![b'.'; 40];
            let data = [&front, &b"_"[..], &front[length - 9..], &back, b"-", &front, &back];
            let (out, _) = block(&[data.concat(), noise(12, 256)].concat(), usize::MAX, false);
            out.len()
        };
        let most = SHORT_LENGTH + 255;
        // Two more literals.
        assert_eq!(size(most + 2), size(most) + 2);
    }

    #[test]
    fn of_matches_that_end_alike_the_one_that_begins_first_is_found() {
        let all: Vec<u8> = (0..90).collect();
        let ends = [&all[30..], b"_", &all[15..], b"-", &all[..60], b"+", &all, b"0123456789"];
        let data = ends.concat();
        // It leaves so little of the one before that its length takes no byte.
        let size = |here_only| block(&data, 24, here_only).0.len();
        assert_eq!(size(false) + 1, size(true));
    }
}
