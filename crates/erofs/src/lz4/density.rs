//! Whether content is dense: whether searches meet many candidates, and what those are good for.

/// Candidates that a search meets where many places begin alike.
const MANY: usize = 16;
/// Searches after which it is decided anew.
const WINDOW: u32 = 256;
/// How many times as long searches are where content is dense, and where nearly all of them meet [`MANY`].
const DENSE: usize = 3;
const DENSEST: usize = 10;
/// Candidates for each byte of content with which trees take no more time than chains.
const CROWD: usize = 8;

/// What the last searches met.
pub(super) struct Density {
    /// Where the first search of this window was.
    from: usize,
    searches: u32,
    /// Candidates that they met.
    met: usize,
    /// Searches that met [`MANY`].
    many: u32,
    /// Those of them that found a match, and those that found the longest in the second half.
    found: u32,
    late: u32,
    /// How many times as long a search is worth its time, by the last window.
    worth: usize,
    /// How many more windows were crowded than not.
    crowded: u32,
}

impl Default for Density {
    fn default() -> Self {
        Self { from: 0, searches: 0, met: 0, many: 0, found: 0, late: 0, worth: 1, crowded: 0 }
    }
}

impl Density {
    /// Notes a search at `at` that met so many candidates until it found the longest match, 0 if it found none, and in
    /// all.
    #[inline]
    pub(super) fn note(&mut self, at: usize, until: usize, met: usize) {
        if self.searches == 0 {
            self.from = at;
        }
        self.searches += 1;
        self.met += met;
        if met >= MANY {
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
        let Self { met, many, found, late, crowded, .. } = *self;
        // The more content a search goes over, the less a longer search costs.
        let is_dense = many >= WINDOW / 3 || many as usize * bytes >= (WINDOW * WINDOW) as usize;
        let worth = if many >= WINDOW - WINDOW / 8 {
            DENSEST
        } else if is_dense {
            DENSE
        } else {
            1
        };
        let is_crowded = bytes > 0 && met >= CROWD * bytes && late > found / 3;
        *self = Self {
            worth,
            crowded: if is_crowded { crowded + 1 } else { crowded.saturating_sub(1) },
            ..Self::default()
        };
    }

    /// How many times as long a search is worth its time: in tables of numbers for instance a short one leaves most of what
    /// there is.
    pub(super) fn worth(&self) -> usize {
        self.worth
    }

    /// Whether even a long search leaves much, and takes longer than trees, which leave nothing: in sequences of few
    /// different bytes for instance. A window or two may be so by chance.
    pub(super) fn is_crowded(&self) -> bool {
        self.crowded > 2
    }
}
