//! Finds long matches: chains of places with equal hashes.
//!
//! Whoever looks for a longer match than the one that is known follows the chain of the first bytes and meets many
//! places that are no longer. But a longer match has every one of its bytes in common with the place in question, so
//! it lies on the chain of each of its bytes, and the one with the widest steps is the shortest way: often it is the
//! chain of the byte that ended the match so far.

use super::density::{Density, Worth};
use super::numbering::Numbering;
use super::{KEPT, LAST_LITERALS, MATCH_MARGIN, MAX_DISTANCE, MIN_MATCH, Match};
use super::{common, hash, read32, read64, zeros};

/// log2 of the slots that hold the youngest place of each hash: four for each place within reach. With more of them fewer
/// chains share a slot, but they do not stay in the nearer caches.
const HEAD_BITS: u32 = 18;
/// Chains that are compared when a match is found.
const COMPARED: usize = 32;
/// Places that are entered with one that is asked for: their slots are on the way from memory all together.
const AHEAD: usize = 32;

/// Memory for the chains, which outlives a segment: nothing is cleared for the next.
pub(super) struct Tables {
    /// The number of the youngest place of each hash.
    head: Box<[u32; 1 << HEAD_BITS]>,
    /// How far back the place of the same hash before each place is; 0 where there is none within reach.
    steps: Box<[u16; KEPT]>,
    numbering: Numbering,
}

impl Tables {
    pub(super) fn new() -> Self {
        Self { head: zeros(), steps: zeros(), numbering: Numbering::default() }
    }
}

/// The places of a segment by the hash of their next four bytes.
pub(super) struct Chains<'a> {
    pub(super) data: &'a [u8],
    head: &'a mut [u32; 1 << HEAD_BITS],
    steps: &'a mut [u16; KEPT],
    /// The number of the segment's first place.
    base: u32,
    /// Places entered so far.
    pub(super) entered: usize,
    pub(super) density: Density,
}

impl<'a> Chains<'a> {
    pub(super) fn new(data: &'a [u8], tables: &'a mut Tables, worth: Worth) -> Self {
        let Tables { head, steps, numbering } = tables;
        let base = numbering.begin(data.len(), &mut **head);
        Self { data, head, steps, base, entered: 0, density: Density::new(worth) }
    }

    /// Begins a block: matches must not reach back before `start`.
    pub(super) fn begin(&mut self, start: usize) {
        // What was entered ahead of the last search is entered again. Until then it lies ahead, and its steps lead
        // nowhere.
        self.entered = start;
    }

    /// Where the last match may start.
    pub(super) fn last(&self) -> Option<usize> {
        self.data.len().checked_sub(MATCH_MARGIN)
    }

    /// Enters all places up to and with `at`.
    #[inline]
    fn enter(&mut self, at: usize) {
        if at >= self.entered {
            self.enter_more(at);
        }
    }

    /// Enters all places up to and with `at`, and [`AHEAD`] behind it. Those are not on the chains of places before them,
    /// but they take the steps of the farthest within reach: a chain may end there early or lead astray, to candidates
    /// that are compared as any.
    #[inline(never)]
    fn enter_more(&mut self, at: usize) {
        let end = (at + 1 + AHEAD).min(self.data.len() - (MIN_MATCH - 1));
        let (head, steps) = (&mut *self.head, &mut *self.steps);
        let content = &self.data[self.entered..end + (MIN_MATCH - 1)];
        for (place, bytes) in (self.entered..).zip(content.array_windows()) {
            let slot = &mut head[hash(u32::from_le_bytes(*bytes), HEAD_BITS)];
            let number = self.base + place as u32;
            let step = number.wrapping_sub(*slot);
            // All ones where the step is within reach. As a condition it would be a jump, and one that is hard to foresee.
            let within = (step >> 16).wrapping_sub(1) >> 16;
            steps[place % KEPT] = (step & within) as u16;
            *slot = number;
        }
        self.entered = end;
    }

    /// How far back the chain leads from a place.
    #[inline]
    fn step(&self, place: usize) -> usize {
        usize::from(self.steps[place % KEPT])
    }

    /// Whether there is another place within reach that has the hash of this one. Most places of what hardly compresses
    /// have none.
    #[inline]
    pub(super) fn has_candidate(&mut self, at: usize) -> bool {
        self.enter(at);
        self.step(at) > 0
    }

    /// The longest match that covers `at` and the three bytes behind it, among the first `depth` candidates. It
    /// starts at `low` or later, and is longer than `known` bytes, which are 3 or more.
    #[inline(always)]
    pub(super) fn longest(
        &mut self,
        at: usize,
        low: usize,
        start: usize,
        known: usize,
        depth: usize,
    ) -> Option<Match> {
        let data = self.data;
        let end = data.len() - LAST_LITERALS;
        let here = read32(data, at);
        let mut best = None;
        // A longer match has the four bytes that end right behind the known one.
        let tail = |known: usize| (low + known - (MIN_MATCH - 1)).max(at);
        let mut must = tail(known);
        let mut known = known;
        if must + MIN_MATCH > end {
            return None;
        }
        self.enter(must);
        let (first, last) = (self.step(at), self.step(must));
        if first == 0 || last == 0 {
            return None;
        }
        // The chain that is followed belongs to the bytes at `at + offset`.
        let (mut offset, mut step) = if last > first { (must - at, last) } else { (0, first) };
        // Few names are alive where candidates are passed by: V8 keeps no more than those in registers.
        let (mut wanted, mut behind_start) = (read32(data, must), must - at);
        let farthest = at - (at - start).min(MAX_DISTANCE);
        let (mut there, mut left, mut until) = (at, depth, 0);
        // Until there is no step, or none within reach.
        while left > 0 && step.wrapping_sub(1) < there - farthest {
            there -= step;
            left -= 1;
            if read32(data, there + behind_start) == wanted && read32(data, there) == here {
                let ahead =
                    MIN_MATCH + common(&data[there + MIN_MATCH..], &data[at + MIN_MATCH..end]);
                // Most candidates that need bytes before `at` lack the farthest.
                let need = (known + 1).saturating_sub(ahead);
                let most = (at - low).min(there - start);
                let may = need == 0 || need <= most && data[there - need] == data[at - need];
                let behind = if may && most > 0 { common_before(data, there, at, most) } else { 0 };
                if behind + ahead > known {
                    known = behind + ahead;
                    until = depth - left;
                    best = Some(Match { at: at - behind, distance: at - there, length: known });
                    must = tail(known);
                    if must + MIN_MATCH > end {
                        break;
                    }
                    let Some(widest) = self.widest(at, must, there, ahead) else { break };
                    (offset, step) = widest;
                    (wanted, behind_start) = (read32(data, must), must - at);
                    continue;
                }
            }
            step = self.step(there + offset);
        }
        self.density.note(at, until, depth - left);
        best
    }

    /// Of all chains that a match longer than the one at `there` must lie on, the one that goes back farthest: its offset,
    /// and how far before `there` its next candidate is. None if there is no such match.
    #[inline]
    fn widest(
        &mut self,
        at: usize,
        must: usize,
        there: usize,
        ahead: usize,
    ) -> Option<(usize, usize)> {
        let compared = ahead.min(COMPARED) - MIN_MATCH;
        self.enter(must.max(at + compared));
        let (mut widest, mut offset) = (0, 0);
        for nth in 0..=compared {
            let step = self.step(there + nth);
            if step == 0 {
                return None;
            }
            if step > widest {
                (widest, offset) = (step, nth);
            }
        }
        // The byte that ended the match is not the candidate's: its chain starts at `must` itself. Where its first step
        // does not pass the candidate, to follow it until one does takes longer than what it saves.
        let other = self.step(must);
        if other == 0 {
            return None;
        }
        let back = at - there;
        Some(if other > back + widest { (must - at, other - back) } else { (offset, widest) })
    }
}

/// Number of equal bytes before both places, at most `most`; `there` is before `here`.
fn common_before(data: &[u8], there: usize, here: usize, most: usize) -> usize {
    let mut length = 0;
    while length < most {
        let Some(earlier) = (there - length).checked_sub(8) else {
            let is_equal = |before: &usize| data[there - before - 1] == data[here - before - 1];
            return length + (length..most).take_while(is_equal).count();
        };
        let different = read64(data, earlier) ^ read64(data, here - length - 8);
        length += (different.leading_zeros() / 8) as usize;
        if different != 0 {
            break;
        }
    }
    length.min(most)
}
