//! Numbers for places, so that tables of them need not be cleared.

use super::MAX_DISTANCE;

/// Numbers the places of segment after segment, so that what a table has of one is out of reach for the next and no
/// table is cleared in between.
#[derive(Default)]
pub(super) struct Numbering {
    next: u32,
}

impl Numbering {
    /// The number of the first place of a segment; `table` holds numbers.
    pub(super) fn begin(&mut self, length: usize, table: &mut [u32]) -> u32 {
        let length = length as u32;
        let first = self.next.checked_add(MAX_DISTANCE as u32 + 1);
        let first =
            first.filter(|first| first.checked_add(length).is_some()).unwrap_or_else(|| {
                table.fill(0);
                MAX_DISTANCE as u32 + 1
            });
        self.next = first + length;
        first
    }
}
