//! Whether content is dense: whether searches meet many candidates, and what those are good for.

use super::lazy::Depth;

/// Candidates that a search meets where many places begin alike.
pub(super) const MANY: usize = 16;
/// Candidates that a search looks at, at least, where the choice between matches is worth more than longer ones.
pub(super) const BRIEF: usize = 8;
/// Searches after which it is decided anew.
const WINDOW: u32 = 256;
/// How many times as long searches are where nearly all of them meet [`MANY`].
const DENSEST: usize = 5;
/// Most bytes that a search goes over where it is worth its time to search at all places.
const SHORT: usize = 8;
/// Least bytes that a search goes over where matches are long. Trees that are asked as rarely know too little.
const FAR: usize = 16;
/// How many more windows must be so than not until it counts, and how many count at most.
const SURE: u32 = 8;
const SUREST: u32 = 64;

/// From where on what takes time is worth it.
#[derive(Clone, Copy)]
pub(super) struct Worth {
    /// Candidates for each byte of content with which trees take no more time than chains.
    crowd: usize,
    /// Least bytes that a search goes over where trees are worth their time.
    long: usize,
    /// Least bytes that it goes over where matches are long although few searches meet [`MANY`] candidates: in tables of
    /// HTML and dumps of databases for instance.
    far_if_few: usize,
    /// Whether it is worth its time to choose between matches wherever a search finds the longest late.
    chooses: bool,
}

impl Worth {
    pub(super) const AS_EVER: Self = Self { crowd: 12, long: 6, far_if_few: FAR, chooses: false };
    /// Where time is worth less.
    pub(super) const THOROUGH: Self =
        Self { crowd: 8, far_if_few: 10, chooses: true, ..Self::AS_EVER };
    /// Where all places are searched anyway, or nearly all.
    pub(super) const EVERYWHERE: Self = Self { crowd: 8, long: 0, ..Self::AS_EVER };
}

/// How content is best parsed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Parse {
    /// As elsewhere.
    AsEver,
    /// The shortest way through [overlapping](super::overlaps) matches. Matches are long: in tables of the same words
    /// for instance. Or many are about as long: in the same words in any order.
    Overlaps,
    /// The shortest way through what searches of few candidates find. In lists of numbers or words for instance the
    /// longest match is found early, and another like it begins at the next place.
    ShortestWay,
    /// The shortest way through what trees find. Even a long search leaves much, and takes longer than trees, which
    /// leave nothing: in sequences of few different bytes for instance.
    Trees,
    /// The same where it is not worth its time to search at all places, since matches are long: in sequences of few
    /// different words for instance.
    FewTrees,
}

impl Parse {
    /// Whether it is the shortest way through the longest matches of all places.
    pub(super) fn is_shortest_way(self) -> bool {
        matches!(self, Self::ShortestWay | Self::Trees | Self::FewTrees)
    }
}

/// How dense content is.
#[derive(Clone, Copy)]
enum Dense {
    /// Few searches meet [`MANY`] candidates.
    Hardly,
    /// A third of them do, or fewer that each go over much content.
    Well,
    /// Nearly all do.
    Most,
}

/// What the last searches met.
#[derive(Clone, Copy)]
pub(super) struct Density {
    worth: Worth,
    /// Where the first search of this window was.
    from: usize,
    searches: u32,
    /// Candidates that they met.
    met: usize,
    /// Searches that met [`MANY`], or [`BRIEF`] where they may look at no more.
    many: u32,
    /// Those of them that found a match, and those that found the longest in the second half.
    found: u32,
    late: u32,
    /// How dense the last window was.
    dense: Dense,
    /// How many more windows were crowded than not.
    crowded: u32,
    /// How many more since the last crowded one were long than not: nearly all searches meet many candidates, go over
    /// much content and do not find the longest match at once.
    long: u32,
    /// How many more were even than not: with many candidates, of which one of the first is the best.
    even: u32,
    /// How many more were so than not that the choice between matches that overlap counts.
    overlap: u32,
}

impl Density {
    /// Of content of which nothing is known.
    pub(super) fn new(worth: Worth) -> Self {
        let (from, searches, met, many, found, late) = (0, 0, 0, 0, 0, 0);
        let (dense, crowded, long, even, overlap) = (Dense::Hardly, 0, 0, 0, 0);
        Self { worth, from, searches, met, many, found, late, dense, crowded, long, even, overlap }
    }

    /// Begins anew.
    pub(super) fn forget(&mut self) {
        *self = Self::new(self.worth);
    }

    /// Notes a search at `at` that met so many candidates until it found the longest match, 0 if it found none, and in
    /// all.
    #[inline]
    pub(super) fn note(&mut self, at: usize, until: usize, met: usize) {
        if self.searches == 0 {
            self.from = at;
        }
        self.searches += 1;
        self.met += met;
        if met >= if self.is_even() { BRIEF } else { MANY } {
            self.many += 1;
            self.found += u32::from(until > 0);
            self.late += u32::from(until > met / 2);
        }
        if self.searches == WINDOW {
            // A block may start before the end of the last.
            self.decide(at.saturating_sub(self.from));
        }
    }

    /// Ends a window that went over so many bytes of content.
    fn decide(&mut self, bytes: usize) {
        let Self { met, many, found, late, crowded, long, even, overlap, worth, .. } = *self;
        // The more content a search goes over, the less a longer search costs.
        let is_dense = many >= WINDOW / 3 || many as usize * bytes >= (WINDOW * WINDOW) as usize;
        let is_densest = many >= WINDOW - WINDOW / 8;
        let dense = if is_densest {
            Dense::Most
        } else if is_dense {
            Dense::Well
        } else {
            Dense::Hardly
        };
        let is_crowded = bytes > 0 && met >= worth.crowd * bytes && late > found / 3;
        let is_few = many < WINDOW * 2 / 5;
        let is_far = bytes >= if is_few { worth.far_if_few } else { FAR } * WINDOW as usize;
        let is_late = worth.chooses && matches!(dense, Dense::Well) && late > found * 3 / 8;
        let is_between = bytes > worth.long * WINDOW as usize && !is_far;
        let is_long = is_densest && late > found / 16 && is_between;
        let meets_some = many >= WINDOW / 5 && !is_densest;
        let is_even = meets_some && late < found / 8 && bytes <= SHORT * WINDOW as usize;
        *self = Self {
            dense,
            crowded: counted(crowded, is_crowded),
            long: if is_crowded { 0 } else { counted(long, is_long) },
            even: counted(even, is_even).min(SUREST),
            overlap: counted(overlap, is_far || is_late).min(SURE),
            ..Self::new(worth)
        };
    }

    /// How many candidates are worth to be looked at, where so many are elsewhere: in tables of numbers for instance a
    /// short search leaves most of what there is.
    pub(super) fn depth(&self, elsewhere: Depth) -> Depth {
        let Depth { first, better } = elsewhere;
        match self.dense {
            Dense::Hardly => elsewhere,
            Dense::Well => Depth { first: first.max(MANY), better },
            Dense::Most => Depth { first: DENSEST * first, better: DENSEST * better },
        }
    }

    /// How the content is best parsed. A window or two may seem so by chance.
    pub(super) fn parse(&self) -> Parse {
        if self.crowded > 2 {
            Parse::Trees
        } else if self.long > 3 {
            Parse::FewTrees
        } else if self.is_even() {
            Parse::ShortestWay
        } else if self.overlap > 1 {
            Parse::Overlaps
        } else {
            Parse::AsEver
        }
    }

    fn is_even(&self) -> bool {
        self.even >= SURE
    }
}

/// How many more windows are so than not, with one more.
fn counted(more: u32, is_so: bool) -> u32 {
    if is_so { more + 1 } else { more.saturating_sub(1) }
}
