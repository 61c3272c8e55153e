//! A block as a run of sequences: writing one within a limit, and cutting one short.

use super::{Block, LAST_LITERALS, MATCH_MARGIN, MIN_MATCH, Match, SHORT_LENGTH, extra};

/// Bytes of a token, 16 literals and a distance.
const FEW: usize = 1 + 16 + 2;

/// A block that is being written.
pub(super) struct Sequences<'a> {
    data: &'a [u8],
    start: usize,
    /// End of the content that is written.
    pub(super) anchor: usize,
    /// Has room for all of the block.
    out: &'a mut Vec<u8>,
    /// Bytes of `out` that are written.
    written: usize,
    /// Most bytes of `out`.
    limit: usize,
    pub(super) is_full: bool,
}

impl<'a> Sequences<'a> {
    pub(super) fn new(data: &'a [u8], start: usize, limit: usize, out: &'a mut Vec<u8>) -> Self {
        let written = out.len();
        // No match takes more than what it stands for as literals.
        out.resize(written + limit.min(run(data.len() - start)), 0);
        let limit = written + limit;
        Self { data, start, anchor: start, out, written, limit, is_full: false }
    }

    /// Appends the literals up to a match and the match, or as much of it as fits.
    #[inline]
    pub(super) fn put(&mut self, found: Match) {
        if self.is_full || !self.may_match(found.at) {
            return;
        }
        let Some(length) = fitting(found.at - self.anchor, found.length, self.room()) else {
            self.is_full = true;
            return;
        };
        self.put_sequence(Match { length, ..found });
        self.anchor = found.at + length;
        self.is_full = length < found.length;
    }

    /// Bytes that the block may still take. So many more literals are too many.
    #[inline]
    pub(super) fn room(&self) -> usize {
        self.limit - self.written
    }

    /// Whether a match may start at `at`: close to the end of the content none is one.
    #[inline]
    pub(super) fn may_match(&self, at: usize) -> bool {
        at + MATCH_MARGIN <= self.data.len()
    }

    /// Whether content from `at` on may still come into the block.
    pub(super) fn may_take(&self, at: usize) -> bool {
        !self.is_full && at < self.data.len() && at - self.anchor <= self.room()
    }

    /// Whether a match is one and lies in the block.
    pub(super) fn has(&self, Match { at, distance, length }: Match) -> bool {
        at >= self.start + distance
            && self.data[at..at + length] == self.data[at - distance..][..length]
    }

    /// The match with the byte before it, if that is one of it as well.
    #[inline]
    pub(super) fn one_before(&self, Match { at, distance, length }: Match) -> Option<Match> {
        let at = at - 1;
        let is_longer = at >= self.start + distance && self.data[at] == self.data[at - distance];
        is_longer.then_some(Match { at, distance, length: length + 1 })
    }

    /// Ends the block with literals.
    pub(super) fn end(mut self) -> Block {
        let literals = literals_that_fit(self.room()).min(self.data.len() - self.anchor);
        self.put_run(literals, 0);
        self.out.truncate(self.written);
        Block { consumed: self.anchor + literals - self.start }
    }

    /// Appends the literals up to a match and the match.
    #[inline]
    fn put_sequence(&mut self, found: Match) {
        let (literals, code) = (found.at - self.anchor, found.length - MIN_MATCH);
        let distance = (found.distance as u16).to_le_bytes();
        // Most literals are few: copies of known sizes, of which what is too much is written over.
        if literals < 15
            && let Some(content) = self.data[self.anchor..].first_chunk::<16>()
            && let Some(out) = self.out[self.written..].first_chunk_mut::<FEW>()
        {
            out[0] = (literals << 4 | code.min(15)) as u8;
            out[1..17].copy_from_slice(content);
            out[1 + literals..3 + literals].copy_from_slice(&distance);
            self.written += 3 + literals;
        } else {
            self.put_run(literals, code);
            self.put_bytes(&distance);
        }
        self.put_length(code);
    }

    /// Appends a token and so many literals.
    #[inline]
    fn put_run(&mut self, literals: usize, code: usize) {
        let data = self.data;
        self.put_bytes(&[(literals.min(15) << 4 | code.min(15)) as u8]);
        self.put_length(literals);
        self.put_bytes(&data[self.anchor..][..literals]);
    }

    /// Appends what of a length does not fit into the token.
    fn put_length(&mut self, length: usize) {
        let Some(mut rest) = length.checked_sub(15) else { return };
        while rest >= 255 {
            self.put_bytes(&[255]);
            rest -= 255;
        }
        self.put_bytes(&[rest as u8]);
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        self.out[self.written..self.written + bytes.len()].copy_from_slice(bytes);
        self.written += bytes.len();
    }
}

/// Appends to `out` as much of a block as fits into `limit` bytes, which are 16 or more. `content` starts with what the
/// block decodes to.
pub(crate) fn cut(block: &[u8], content: &[u8], limit: usize, out: &mut Vec<u8>) -> Block {
    let mut sequences = Sequences::new(content, 0, limit, out);
    let (mut read, mut at) = (0, 0);
    while let Some(token) = block.get(read)
        && !sequences.is_full
    {
        read += 1;
        let literals = length(token >> 4, block, &mut read);
        read += literals;
        at += literals;
        let Some(&distance) = block[read..].first_chunk() else { break };
        read += 2;
        let length = MIN_MATCH + length(token & 15, block, &mut read);
        sequences.put(Match { at, distance: usize::from(u16::from_le_bytes(distance)), length });
        at += length;
    }
    sequences.end()
}

/// Bytes of a token and so many literals.
#[inline]
fn run(literals: usize) -> usize {
    1 + extra(literals) + literals
}

/// The length that a match may have so that its sequence and the literals that must end a block fit into `room`.
#[inline]
fn fitting(literals: usize, length: usize, room: usize) -> Option<usize> {
    let fixed = run(literals) + 2;
    let ending = |length: usize| 1 + LAST_LITERALS.max(MATCH_MARGIN.saturating_sub(length));
    if fixed + extra(length - MIN_MATCH) + ending(length) <= room {
        return Some(length);
    }
    // A shorter match helps only where its length takes extra bytes.
    if length <= SHORT_LENGTH {
        return None;
    }
    let left = room.checked_sub(fixed + 1 + LAST_LITERALS)?;
    Some(length.min(SHORT_LENGTH + left * 255))
}

/// How many literals can end a block in `room` bytes, token included.
fn literals_that_fit(room: usize) -> usize {
    let mut literals = room - 1;
    while run(literals) > room {
        literals -= 1;
    }
    literals
}

/// A length of which the token has these bits; `read` moves behind its further bytes.
pub(super) fn length(bits: u8, block: &[u8], read: &mut usize) -> usize {
    let mut length = usize::from(bits);
    if bits < 15 {
        return length;
    }
    loop {
        length += usize::from(block[*read]);
        *read += 1;
        if block[*read - 1] != 255 {
            return length;
        }
    }
}
