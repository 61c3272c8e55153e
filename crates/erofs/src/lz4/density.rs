//! How many candidates searches meet.

/// Candidates that a search meets where many places begin alike.
const MANY: usize = 16;
/// Searches after which it is decided anew whether the content is dense: a third of them met so many.
const WINDOW: u32 = 256;

/// How many candidates searches meet.
#[derive(Default)]
pub(super) struct Density {
    searches: u32,
    /// Those that met [`MANY`].
    many: u32,
    is_dense: bool,
}

impl Density {
    #[inline]
    pub(super) fn note(&mut self, met: usize) {
        self.searches += 1;
        self.many += u32::from(met >= MANY);
        if self.searches == WINDOW {
            *self = Self { is_dense: self.many >= WINDOW / 3, ..Self::default() };
        }
    }
    pub(super) fn is_dense(&self) -> bool {
        self.is_dense
    }
}
