//! An order in which like is next to like: LZ4 looks 64 KiB back, and what lies farther off does not help.
//!
//! Content is sampled as for min-hash (Broder, "On the resemblance and containment of documents", 1997): the smallest hashes
//! of its strings, which are those of the same strings in whatever content they are. Contents stay in the order in which
//! they come, so that what is read together is not far, but one that has much more in common with those that were placed
//! last is placed next, and may take along what comes behind it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::Range;

use crate::lz4::{self, MAX_DISTANCE};

/// Bytes of a part of content whose strings are sampled.
const SAMPLED: usize = 32 << 10;
/// One string of `1 << RARE` may be a sample.
const RARE: u32 = 5;
/// Most samples of one part.
const SAMPLES: usize = 128;
/// Contents that are looked for by a sample that they have in common, at most: a licence in all of them does not say which
/// are alike.
const COMMON: usize = 32;
/// Part of the samples that is in common with others if content is alike: what it has in common is worth more than blocks of
/// its own.
const PART: usize = 4;
/// Samples that are in common with what was placed last, from which on content may be placed next.
const ENOUGH: u32 = 6;
/// What samples in common count for content that is next in order, and for other: that has neighbours of its own, which it
/// may be like as well.
const WEIGHTS: (usize, usize) = (5, 4);

/// The places of the contents in that order, and whether a good part of each is in others.
pub(super) fn order(contents: &[&[u8]]) -> Vec<(usize, bool)> {
    let mut likeness = Likeness::new(contents);
    let mut order = Vec::with_capacity(contents.len());
    // What LZ4 sees from the next content.
    let (mut window, mut bytes) = (VecDeque::new(), 0);
    while let Some(next) = likeness.next() {
        order.push((next, likeness.is_alike(next)));
        likeness.enter(next);
        window.push_back(next);
        bytes += contents[next].len();
        while bytes > MAX_DISTANCE
            && let Some(first) = window.pop_front_if(|first| *first != next)
        {
            likeness.leave(first);
            bytes -= contents[first].len();
        }
    }
    order
}

/// What the contents that have no place yet have in common with those that were placed last.
struct Likeness {
    /// The contents that have a sample and no place, sample by sample.
    having: Vec<u32>,
    /// The samples that several contents have; of none of those if they are more than [`COMMON`].
    parts: Vec<Part>,
    /// How many of the contents that were placed last have each sample.
    near: Vec<u32>,
    /// The samples of each content that it has in common.
    samples: Vec<Vec<u32>>,
    /// How many samples each content has.
    total: Vec<usize>,
    has_place: Vec<bool>,
    /// The first content that may have no place, and the last that got one.
    first: usize,
    last: usize,
    /// How many samples they have in common.
    count: Vec<u32>,
    /// Those that have enough, with as many or more: of those that have fewer by now that is still there.
    best: BinaryHeap<(u32, Reverse<u32>)>,
    /// The highest number with which each is there.
    listed: Vec<u32>,
}

impl Likeness {
    fn new(contents: &[&[u8]]) -> Self {
        let (mut all, mut total) = (Vec::new(), Vec::new());
        for (nth, content) in contents.iter().enumerate() {
            let samples = samples(content);
            // It is enough for long content if its start or its end is like others.
            total.push(samples.len().min(SAMPLES));
            // As one number each, which is sorted in less time than two.
            all.extend(samples.into_iter().map(|sample| u64::from(sample) << 32 | nth as u64));
        }
        all.sort_unstable();
        let (mut having, mut parts) = (Vec::new(), Vec::new());
        let mut samples = vec![Vec::new(); contents.len()];
        for same in all.chunk_by(|a, b| a >> 32 == b >> 32).filter(|same| same.len() > 1) {
            let places = same.iter().map(|one| *one as u32);
            for nth in places.clone() {
                samples[nth as usize].push(parts.len() as u32);
            }
            let start = having.len() as u32;
            if same.len() <= COMMON {
                having.extend(places);
            }
            parts.push(Part(start..having.len() as u32));
        }
        let (near, none) = (vec![0; parts.len()], vec![0; contents.len()]);
        let (has_place, count, listed) = (vec![false; contents.len()], none.clone(), none);
        let (first, last, best) = (0, 0, BinaryHeap::new());
        Self { having, parts, near, samples, total, has_place, first, last, count, best, listed }
    }

    /// The content that is placed next, the first of equals.
    fn next(&mut self) -> Option<usize> {
        while *self.has_place.get(self.first)? {
            self.first += 1;
        }
        let is_other = |nth: &usize| *nth != self.first && self.has_place.get(*nth) == Some(&false);
        let behind = Some(self.last + 1).filter(is_other);
        let (in_order, other) = WEIGHTS;
        let candidates = [(behind, in_order), (self.best(), other), (Some(self.first), in_order)];
        let candidates = candidates.into_iter().filter_map(|(nth, weight)| Some((nth?, weight)));
        // Of equals that is the last.
        let next = candidates.max_by_key(|(nth, weight)| self.common(*nth) * weight);
        next.map(|(nth, _)| nth)
    }

    /// How much of content is in those that were placed last, in 1024ths of its samples.
    fn common(&self, nth: usize) -> usize {
        let common = self.samples[nth].iter().filter(|sample| self.near[**sample as usize] > 0);
        (common.count() << 10) / self.total[nth].max(1)
    }

    /// The content that has most samples in common, the first of equals, if they are enough.
    fn best(&mut self) -> Option<usize> {
        while let Some(&(listed, Reverse(content))) = self.best.peek() {
            let nth = content as usize;
            let count = if self.has_place[nth] { 0 } else { self.count[nth] };
            if count == listed {
                return Some(nth);
            }
            self.best.pop();
            if self.listed[nth] == listed {
                self.listed[nth] = 0;
                self.list(content, count);
            }
        }
        None
    }

    /// Lists content that has so many samples in common, if it is not there with as many.
    fn list(&mut self, content: u32, count: u32) {
        let listed = &mut self.listed[content as usize];
        if count >= ENOUGH && count > *listed {
            *listed = count;
            self.best.push((count, Reverse(content)));
        }
    }

    /// Whether content has enough in common with others to be shorter with them than without.
    fn is_alike(&self, nth: usize) -> bool {
        self.samples[nth].len() * PART >= self.total[nth].max(1)
    }

    /// Content has a place, and is among the last that were placed.
    fn enter(&mut self, nth: usize) {
        self.has_place[nth] = true;
        self.last = nth;
        let samples = std::mem::take(&mut self.samples[nth]);
        for &sample in &samples {
            self.near[sample as usize] += 1;
            let part = &mut self.parts[sample as usize];
            part.remove(nth as u32, &mut self.having);
            part.of(&self.having).iter().for_each(|other| self.count[*other as usize] += 1);
        }
        for &sample in &samples {
            let Range { start, end } = self.parts[sample as usize].0;
            for at in start..end {
                let other = self.having[at as usize];
                self.list(other, self.count[other as usize]);
            }
        }
        self.samples[nth] = samples;
    }

    /// Content is no longer among them. Where others are listed with more than they have by now, that is seen when it counts.
    fn leave(&mut self, nth: usize) {
        for &sample in &self.samples[nth] {
            self.near[sample as usize] -= 1;
            let others = self.parts[sample as usize].of(&self.having);
            others.iter().for_each(|other| self.count[*other as usize] -= 1);
        }
    }
}

/// The contents that have one sample and no place, in a list of those of all samples.
struct Part(Range<u32>);

impl Part {
    fn of<'a>(&self, having: &'a [u32]) -> &'a [u32] {
        &having[self.0.start as usize..self.0.end as usize]
    }

    /// Content has a place.
    fn remove(&mut self, content: u32, having: &mut [u32]) {
        let part = &mut having[self.0.start as usize..self.0.end as usize];
        if let Some(place) = part.iter().position(|one| *one == content) {
            part.swap(place, part.len() - 1);
            self.0.end -= 1;
        }
    }
}

/// The samples of content: of what is longer than LZ4 sees also those of its end, which is what comes behind it sees, and all
/// that comes behind others if it is [cut](super::cuts).
fn samples(content: &[u8]) -> Vec<u32> {
    let (start, end) = (&content[..content.len().min(SAMPLED)], content.last_chunk::<SAMPLED>());
    let mut samples = fewest(start);
    if let Some(end) = end.filter(|_| content.len() > MAX_DISTANCE) {
        samples.extend(fewest(end));
        samples.sort_unstable();
        samples.dedup();
    }
    samples
}

/// The samples of one part.
fn fewest(part: &[u8]) -> Vec<u32> {
    let mut samples = strings(part, RARE);
    samples.truncate(SAMPLES);
    samples
}

/// Hashes of about one string of `1 << rare` in content, in ascending order: those of the same strings in whatever content
/// they are.
pub(super) fn strings(content: &[u8], rare: u32) -> Vec<u32> {
    let mut samples = Vec::with_capacity(content.len() >> rare);
    for string in content.windows(8) {
        let hash = lz4::word(string).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        if hash.leading_zeros() >= rare {
            samples.push((hash >> (u64::BITS - rare - u32::BITS)) as u32);
        }
    }
    samples.sort_unstable();
    samples.dedup();
    samples
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lz4::tests::noise;

    fn places(contents: &[&[u8]]) -> Vec<usize> {
        order(contents).into_iter().map(|(place, _)| place).collect()
    }

    #[test]
    fn what_is_alike_is_together_and_all_else_stays_in_order() {
        let contents: Vec<_> = noise(80_000, 256).chunks(8000).map(<[u8]>::to_vec).collect();
        let [mut third, mut last] = [contents[3].clone(), contents[0].clone()];
        third[3000] ^= 1;
        last.truncate(7000);
        let contents: Vec<&[u8]> =
            contents.iter().chain([&last, &third]).map(Vec::as_slice).collect();
        assert_eq!(places(&contents), [0, 10, 1, 2, 3, 11, 4, 5, 6, 7, 8, 9]);
        let alike =
            order(&contents).into_iter().filter_map(|(place, alike)| alike.then_some(place));
        assert_eq!(alike.collect::<Vec<_>>(), [0, 10, 3, 11]);
        assert_eq!(places(&contents[..10]), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(order(&[]).is_empty());
    }

    #[test]
    fn long_content_is_like_what_begins_or_ends_like_it() {
        let bytes = noise(200_000, 256);
        let (long, others) = bytes.split_at(100_000);
        for part in [&long[..20_000], &long[80_000..]] {
            for (first, last) in [(long, part), (part, long)] {
                let contents = [first, &others[..20_000], &others[50_000..], last];
                assert_eq!(places(&contents), [0, 3, 1, 2]);
            }
        }
    }

    #[test]
    fn what_lies_too_far_back_does_not_count() {
        let bytes = noise(100_000, 256);
        let (first, other) = bytes.split_at(9000);
        let (start, end) = first.split_at(6000);
        // The third has more in common with the first than the last has. Behind it the first is out of sight, or is not.
        for (length, expected) in [(80_000, [0, 2, 1, 3]), (1000, [0, 2, 3, 1])] {
            let third = [&start.repeat(6), &other[9000..][..length]].concat();
            assert_eq!(places(&[first, &other[..9000], &third, end]), expected);
        }
    }

    /// As many as that with something in common, and `other` between the first and the second.
    fn with_common(count: usize, common: &[u8], other: &[u8], rest: &[u8]) -> Vec<Vec<u8>> {
        let parts = rest.chunks_exact(1000).take(count);
        let mut contents: Vec<_> = parts.map(|part| [common, part].concat()).collect();
        contents.insert(1, other.to_vec());
        contents
    }

    #[test]
    fn contents_are_not_looked_for_by_what_many_have_in_common() {
        let (all, other) = (noise(2000, 256), noise(80_000, 255));
        for count in [COMMON, COMMON + 1] {
            let contents = with_common(count, &all, &other[..8000], &other[8000..]);
            let contents: Vec<_> = contents.iter().map(Vec::as_slice).collect();
            assert_eq!(places(&contents)[1] == 1, count > COMMON, "{count} and one other");
        }
    }

    #[test]
    fn what_lies_behind_comes_along() {
        let (all, other) = (noise(2000, 256), noise(80_000, 255));
        let mut contents = with_common(COMMON + 2, &all, &other[..8000], &other[8000..]);
        // The first is like the third alone. What many have in common is in the third and all behind it.
        contents[0] = other[9000..10_000].to_vec();
        let places = places(&contents.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert_eq!(places, [&[0], &Vec::from_iter(2..contents.len())[..], &[1]].concat());
    }

    #[test]
    fn what_is_next_in_order_stays_if_it_is_nearly_as_much_alike() {
        let (all, other) = (noise(8000, 256), noise(80_000, 255));
        // The last has a little in common with the first alone.
        for (common, moves) in [(4000, false), (200, true)] {
            let parts = other.chunks_exact(1000).take(COMMON + 1);
            let mut contents: Vec<_> = parts.map(|part| [&all[..common], part].concat()).collect();
            let last = [&all[..common], &other[..600], &other[70_000..][..600]].concat();
            contents.push(last);
            let contents: Vec<_> = contents.iter().map(Vec::as_slice).collect();
            assert_eq!(places(&contents)[1] != 1, moves, "{common} bytes in all");
        }
    }
}
