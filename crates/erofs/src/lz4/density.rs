//! Whether content is dense: whether searches meet many candidates, and what those are good for.

/// Candidates that a search meets where many places begin alike.
const MANY: usize = 16;
/// Searches after which it is decided anew.
const WINDOW: u32 = 256;
/// Candidates for each byte of content with which trees take no more time than chains.
const CROWD: usize = 8;

/// What the last searches met.
#[derive(Default)]
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
    is_dense: bool,
    /// How many more windows were crowded than not.
    crowded: u32,
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
        let is_crowded = bytes > 0 && met >= CROWD * bytes && late > found / 3;
        *self = Self {
            is_dense,
            crowded: if is_crowded { crowded + 1 } else { crowded.saturating_sub(1) },
            ..Self::default()
        };
    }

    /// Whether a longer search is worth its time: in tables of numbers for instance, where a short one leaves most of
    /// what there is.
    pub(super) fn is_dense(&self) -> bool {
        self.is_dense
    }

    /// Whether even a long search leaves much, and takes longer than trees, which leave nothing: in sequences of few
    /// different bytes for instance. A window or two may be so by chance.
    pub(super) fn is_crowded(&self) -> bool {
        self.crowded > 2
    }
}
