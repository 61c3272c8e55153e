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
/// Candidates for each byte of content with which trees take no more time than chains.
const CROWD: usize = 8;
/// Most bytes that a search goes over where it is worth its time to search at all places.
const SHORT: usize = 8;
/// Least bytes that it goes over where trees are worth their time, if not all places are searched anyway.
const LONG: usize = 6;
/// Least bytes that a search goes over where matches are long. Trees that are asked as rarely know too little.
const FAR: usize = 16;
/// How many more windows must be so than not until it counts, and how many count at most.
const SURE: u32 = 8;
const SUREST: u32 = 64;

/// How content is best parsed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Parse {
    /// As elsewhere.
    AsEver,
    /// The shortest way through [overlapping](super::overlaps) matches. Matches are long: in tables of the same words
    /// for instance.
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
pub(super) struct Density {
    /// Least bytes that a search goes over where trees are worth their time: 0 or [`LONG`].
    least: usize,
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
    /// How many more were far than not: with searches that go over [`FAR`] bytes.
    far: u32,
}

impl Default for Density {
    fn default() -> Self {
        let (from, searches, met, many, found, late) = (0, 0, 0, 0, 0, 0);
        let (least, dense, crowded, long, even, far) = (LONG, Dense::Hardly, 0, 0, 0, 0);
        Self { least, from, searches, met, many, found, late, dense, crowded, long, even, far }
    }
}

impl Density {
    /// Of content that is searched at all places, or nearly all.
    pub(super) fn everywhere() -> Self {
        Self { least: 0, ..Self::default() }
    }

    /// Begins anew.
    pub(super) fn forget(&mut self) {
        *self = Self { least: self.least, ..Self::default() };
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
        let Self { met, many, found, late, crowded, long, even, far, least, .. } = *self;
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
        let is_crowded = bytes > 0 && met >= CROWD * bytes && late > found / 3;
        let is_far = bytes >= FAR * WINDOW as usize;
        let is_between = bytes > least * WINDOW as usize && !is_far;
        let is_long = is_densest && late > found / 16 && is_between;
        let meets_some = many >= WINDOW / 5 && !is_densest;
        let is_even = meets_some && late < found / 8 && bytes <= SHORT * WINDOW as usize;
        *self = Self {
            least,
            dense,
            crowded: counted(crowded, is_crowded),
            long: if is_crowded { 0 } else { counted(long, is_long) },
            even: counted(even, is_even).min(SUREST),
            far: counted(far, is_far).min(SURE),
            ..Self::default()
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
        } else if self.far > 1 {
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
