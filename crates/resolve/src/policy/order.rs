//! What candidates are told apart by, one thing at a time.

use std::cmp::Ordering;

use rpm::{Sense, evr};

use crate::arch::Fit;
use crate::lists::Lists;
use crate::pool::{List, Pool, Relation};

/// Moves some to the end, one by one: those among the last go behind those that were moved before.
pub(super) fn back(candidates: &mut [i32], is_last: impl Fn(i32) -> bool) {
    candidates.sort_by_key(|id| is_last(*id));
}

pub(super) fn keep_highest_priority(lists: &Lists<'_>, candidates: &mut Vec<i32>) {
    let pool = lists.pool;
    let new = candidates.iter().filter(|id| !lists.is_base(**id));
    if let Some(best) = new.map(|id| pool.priority(*id)).min() {
        candidates.retain(|id| lists.is_base(*id) || pool.priority(*id) == best);
    }
}

pub(super) fn keep_best_arch(pool: &Pool, candidates: &mut Vec<i32>) {
    let best = candidates.iter().filter_map(|id| match pool.package(*id).fit {
        Fit::Native(place) => Some(place),
        _ => None,
    });
    if let Some(best) = best.min() {
        candidates.retain(|id| match pool.package(*id).fit {
            Fit::Any => true,
            Fit::Native(place) => place == best,
            Fit::Foreign => false,
        });
    }
}

pub(super) fn by_name_and_base(lists: &Lists<'_>, a: i32, b: i32) -> Ordering {
    let pool = lists.pool;
    let name = |id| pool.strings.get(pool.package(id).name);
    name(a).cmp(name(b)).then_with(|| lists.is_base(b).cmp(&lists.is_base(a))).then(a.cmp(&b))
}

/// Packages whose name the base has come first.
pub(super) fn base_names_first(lists: &Lists<'_>, candidates: &mut [i32]) {
    candidates.sort_by_key(|id| !lists.named(*id).any(|other| lists.is_base(other)));
}

/// Candidates that provide the same name in different versions: the higher version comes first.
pub(super) fn sort_by_common_provides(lists: &Lists<'_>, candidates: &mut [i32]) {
    let pool = lists.pool;
    struct Entry {
        candidate: usize,
        name: u32,
        sense: Sense,
        evr: crate::strings::Str,
    }
    let mut entries = Vec::new();
    for (candidate, id) in candidates.iter().enumerate() {
        for dep in pool.list_of(*id, List::Provides) {
            let Relation::Plain(name, sense, evr) = pool.get(*dep) else { continue };
            let usable = match sense {
                Sense::EQUAL => !is_hash(pool.strings.get(evr)),
                Sense::LESS_EQUAL | Sense::LESS => true,
                _ => false,
            };
            if usable {
                entries.push(Entry { candidate, name: name.0, sense, evr });
            }
        }
    }
    if entries.len() < 2 {
        return;
    }
    // The higher version first, and `< V` after `= V`.
    let compare = |a: &Entry, b: &Entry| {
        compare_versions(pool.strings.get(b.evr), pool.strings.get(a.evr))
            .then_with(|| (a.sense == Sense::LESS).cmp(&(b.sense == Sense::LESS)))
    };
    entries.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| compare(a, b)));
    let mut badness = vec![0; candidates.len()];
    let mut bad = 0;
    for at in 0..entries.len() {
        let entry = &entries[at];
        match at.checked_sub(1).map(|at| &entries[at]) {
            Some(last) if last.name == entry.name => {
                if last.candidate != entry.candidate && compare(last, entry) == Ordering::Less {
                    bad += 1;
                }
            }
            _ => bad = 0,
        }
        badness[entry.candidate] += bad;
    }
    if badness.iter().all(|bad| *bad == 0) {
        return;
    }
    let mut sorted: Vec<(i32, i32)> = candidates
        .iter()
        .zip(badness)
        .map(|(id, bad)| (if lists.is_base(*id) { 0 } else { bad }, *id))
        .collect();
    sorted.sort_by_key(|(bad, _)| *bad);
    candidates.iter_mut().zip(sorted).for_each(|(candidate, (_, id))| *candidate = id);
}

/// Compares as dependencies do: a missing release is no difference.
pub(super) fn compare_versions(a: &str, b: &str) -> Ordering {
    let (first, second) = (evr::Evr::parse(a), evr::Evr::parse(b));
    if first.release.is_some() == second.release.is_some() {
        return evr::compare(a, b);
    }
    let without = |text: &str, evr: evr::Evr<'_>| match evr.release {
        Some(release) => text[..text.len() - release.len() - 1].to_owned(),
        None => text.to_owned(),
    };
    evr::compare(&without(a, first), &without(b, second))
}

/// Whether a version is a commit's digest, which says nothing about its age.
pub(super) fn is_hash(evr: &str) -> bool {
    evr.len() >= 4 && evr.bytes().all(|byte| matches!(byte, b'a'..=b'f' | b'0'..=b'9'))
}

pub(super) fn reachable(edges: &[Vec<usize>], start: usize) -> std::collections::BTreeSet<usize> {
    let mut reached = std::collections::BTreeSet::new();
    let mut work = edges[start].clone();
    while let Some(at) = work.pop() {
        if reached.insert(at) {
            work.extend(&edges[at]);
        }
    }
    reached
}
