//! Finds the longest match where many places begin alike: trees of places, one for each hash, in the order of what
//! follows the places.
//!
//! A place is entered as the root of its tree. On the way down to where it would belong, every place that is passed
//! goes to its left or to its right with all that is on that side of it, and the longest match is among them, since what
//! is alike lies together. No place is younger than the one above it, so a way ends where places are out of reach. (The
//! match finder of 7-Zip works like that, too.)

use super::numbering::Numbering;
use super::{KEPT, LAST_LITERALS, MATCH_MARGIN, MAX_DISTANCE, common, hash, read32, zeros};

/// log2 of the number of trees.
const HASH_BITS: u32 = 16;
/// Most places that are passed on the way down.
const DEPTH: usize = 64;
/// With so many bytes in common two places are the same to a tree.
const NICE_LENGTH: usize = 512;

/// Memory for the trees, which outlives a segment: nothing is cleared for the next.
pub(super) struct Tables {
    /// The number of each root.
    roots: Box<[u32; 1 << HASH_BITS]>,
    /// The low 16 bits of the places to the left and to the right below each place. Those of the place itself, or of
    /// one that seems younger, where there is none within reach.
    sons: Box<[u16; 2 * KEPT]>,
    numbering: Numbering,
}

impl Tables {
    pub(super) fn new() -> Self {
        Self { roots: zeros(), sons: zeros(), numbering: Numbering::default() }
    }
}

/// The places of a block by the hash of their next four bytes.
pub(super) struct Trees<'a> {
    data: &'a [u8],
    tables: &'a mut Tables,
    /// The start of the block: matches must not reach back before it.
    start: usize,
    /// The number of the segment's first place.
    base: u32,
    /// Places entered so far.
    entered: usize,
    /// Where it was gone on last.
    from: usize,
    /// Places since then that are the first of their trees since then.
    pub(super) fresh: usize,
}

impl<'a> Trees<'a> {
    pub(super) fn new(data: &'a [u8], tables: &'a mut Tables) -> Self {
        Self { data, tables, start: 0, base: 0, entered: usize::MAX, from: 0, fresh: 0 }
    }

    /// Goes on at `at` in the block that starts at `start`: enters what a match can reach from there.
    pub(super) fn resume(&mut self, at: usize, start: usize) {
        if self.start != start || self.entered > at {
            self.start = start;
            self.base = self.tables.numbering.begin(self.data.len(), &mut *self.tables.roots);
            self.entered = start;
        }
        let end = at.min((self.data.len() + 1).saturating_sub(MATCH_MARGIN));
        for place in self.entered.max(at.saturating_sub(MAX_DISTANCE))..end {
            self.longest(place);
        }
        (self.from, self.fresh) = (at, 0);
    }

    /// Enters the place behind those that are entered, 12 bytes or more before the end. Gives length and distance of
    /// its longest match, less than 4 bytes if there is none.
    #[inline]
    pub(super) fn longest(&mut self, at: usize) -> (usize, usize) {
        self.entered = at + 1;
        let data = self.data;
        let end = data.len() - LAST_LITERALS;
        let nice = end.min(at + NICE_LENGTH);
        let number = self.base + at as u32;
        let root = &mut self.tables.roots[hash(read32(data, at), HASH_BITS)];
        let mut back = (number - std::mem::replace(root, number)) as usize;
        self.fresh += usize::from(back > at.saturating_sub(self.from));
        let reach = (at - self.start).min(MAX_DISTANCE);
        let sons = &mut *self.tables.sons;
        // Where the next place to the left and to the right belongs, and what the last has in common with this one.
        let (mut left, mut right) = (slot(at, 0), slot(at, 1));
        let (mut common_left, mut common_right) = (0, 0);
        let (mut best, mut distance) = (0, 0);
        for _ in 0..DEPTH {
            if back > reach {
                break;
            }
            let there = at - back;
            // What lies between two places has as much in common with them as they have with each other.
            let known = common_left.min(common_right);
            let length = known + common(&data[there + known..], &data[at + known..nice]);
            if length > best {
                (best, distance) = (length, back);
            }
            if at + length >= nice {
                // The new place takes the place of this one.
                for (slot, of) in [(left, slot(there, 0)), (right, slot(there, 1))] {
                    sons[slot] =
                        son(sons, of, at, back).map_or(none(slot), |back| (at - back) as u16);
                }
                best += common(&data[there + best..], &data[at + best..end]);
                return (best, distance);
            }
            // What is on the other side of this place may be on either side of the new one.
            let next = if data[there + length] < data[at + length] {
                sons[left] = there as u16;
                (left, common_left) = (slot(there, 1), length);
                son(sons, left, at, back)
            } else {
                sons[right] = there as u16;
                (right, common_right) = (slot(there, 0), length);
                son(sons, right, at, back)
            };
            let Some(next) = next else { break };
            back = next;
        }
        (sons[left], sons[right]) = (none(left), none(right));
        (best, distance)
    }
}

/// Where the place to the left (0) or to the right (1) below a place is kept.
#[inline]
fn slot(place: usize, side: usize) -> usize {
    place % KEPT * 2 + side
}

/// What a slot holds if there is no place: the low bits of the place that it belongs to.
#[inline]
fn none(slot: usize) -> u16 {
    (slot / 2) as u16
}

/// How far before `at` the place in a slot is, which belongs to a place that is `back` bytes before it. `None` if there
/// is none within reach.
///
/// What was put there was within reach of a place no older than the slot's, so it is less than twice as far away
/// as a match can be: its low bits tell whether it is within reach.
#[inline]
fn son(sons: &[u16; 2 * KEPT], slot: usize, at: usize, back: usize) -> Option<usize> {
    let distance = usize::from((at as u16).wrapping_sub(sons[slot]));
    (distance > back).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lz4::tests::noise;

    /// The length of the longest match at `at` that starts at `start` or later.
    fn longest(data: &[u8], at: usize, start: usize) -> usize {
        let end = data.len() - LAST_LITERALS;
        let places = start.max(at.saturating_sub(MAX_DISTANCE))..at;
        let lengths = places.map(|there| common(&data[there..], &data[at..end]));
        lengths.max().unwrap_or(0)
    }

    #[test]
    fn the_longest_match_within_reach_is_found_at_every_place() {
        let mut tables = Tables::new();
        for alphabet in [2, 4, 16] {
            let data = noise(2 * MAX_DISTANCE + 20_000, alphabet);
            for start in [0, 1000] {
                let mut trees = Trees::new(&data, &mut tables);
                trees.resume(start, start);
                for at in start..data.len() - 12 {
                    let (length, distance) = trees.longest(at);
                    assert!(distance <= MAX_DISTANCE.min(at - start));
                    let there = &data[at - distance..];
                    assert!(length < 4 || there[..length] == data[at..at + length], "{at}");
                    // To look for it at all of them takes long.
                    if at % 97 == 0 {
                        let longest = longest(&data, at, start);
                        assert!(length == longest || longest < 4, "{at}: {length}, not {longest}");
                    }
                }
            }
        }
    }
}
