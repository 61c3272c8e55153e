//! LZ4 encoders that fill a destination of fixed size: EROFS wants as much content as fits into a physical cluster.
//!
//! The format is LZ4's block format, <https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>: sequences of
//! literals and a match, a run of bytes that also lies up to 64 KiB back. What differs is how matches are looked for
//! and chosen:
//! - [`fast`](Fast): the first that one candidate per hash gives, in one pass;
//! - [`lazy`](Lazy): chains of candidates, and a match gives way to a better one that overlaps it;
//! - [`optimal`](Optimal): the longest match at every place, and the shortest way through them.
//!
//! Where all but the fast one meet more candidates than they can look at, as in sequences of few different bytes or
//! words, [trees] lead to the longest match in less time, and the shortest way is taken. It is taken as well where the
//! longest match is found at once and another begins at the next place, as in lists of numbers: what counts is the
//! choice. Where matches are long the choice between those that [overlap](overlaps) counts.
//!
//! The same bytes on every target: hashes are of as many bytes whatever the word size, and positions are 32 bits wide.
//! lz4_flex decodes what this writes; it has no limit for its output and hashes differently on 32 and 64 bit
//! targets, so it does not encode here.

mod chains;
mod density;
mod fast;
mod lazy;
mod noise;
mod numbering;
mod optimal;
mod overlaps;
mod sequences;
mod shortest;
mod trees;
mod way;

use std::fmt;

use fast::Fast;
use lazy::{Depth, Lazy, Manner};
use optimal::Optimal;
use sequences::Sequences;
pub(crate) use sequences::cut;
use shortest::Effort;

/// Shortest match of the format.
const MIN_MATCH: usize = 4;
/// Farthest match of the format.
pub(crate) const MAX_DISTANCE: usize = 65_535;
/// A block ends with at least this many literals.
const LAST_LITERALS: usize = 5;
/// The last match starts at least this far from the end of the block.
const MATCH_MARGIN: usize = 12;
/// Places of which finders keep what they know: those that a match can reach, and the one at hand.
const KEPT: usize = MAX_DISTANCE + 1;
/// Longest match whose length needs no byte of its own.
const SHORT_LENGTH: usize = MIN_MATCH + 14;

/// How hard an encoder looks, from 1 (one candidate) to 12 (the shortest way).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Level(u8);

impl Level {
    /// One candidate per place.
    pub const FASTEST: Self = Self(1);
    /// Almost as small as [`Level::HIGH`], in five sixths of the time.
    pub const GOOD: Self = Self(4);
    /// As small as level 9 of the reference encoder, in less time.
    pub const HIGH: Self = Self(6);
    /// The shortest way through almost all candidates.
    pub const SMALLEST: Self = Self(12);

    /// A level from 1 to 12.
    pub const fn new(level: u8) -> Option<Self> {
        if level >= Self::FASTEST.0 && level <= Self::SMALLEST.0 { Some(Self(level)) } else { None }
    }

    /// The number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Memory that encoders work in, to be used for one segment after the other.
#[derive(Default)]
pub struct Workspace {
    table: Option<Box<fast::Table>>,
    tables: Option<chains::Tables>,
    trees: Option<trees::Tables>,
    /// The largest vector that was not needed any more.
    spare: Vec<u8>,
}

impl Workspace {
    /// An empty vector for about so many bytes. It has room if there is some: new memory costs more than used memory.
    pub(crate) fn room(&mut self, length: usize) -> Vec<u8> {
        let is_worth_it = length >= self.spare.capacity() / 2;
        if is_worth_it { std::mem::take(&mut self.spare) } else { Vec::new() }
    }

    /// Takes a vector that is not needed any more.
    pub(crate) fn keep(&mut self, mut bytes: Vec<u8>) {
        if bytes.capacity() > self.spare.capacity() {
            bytes.clear();
            self.spare = bytes;
        }
    }
}

impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace").finish_non_exhaustive()
    }
}

/// Encoder of one segment. What all but the fast one know of the content outlives a block.
pub(crate) enum Encoder<'a> {
    Fast(Fast<'a>),
    /// The fast one where the content is noise, the lazy one elsewhere, which looks farther where it is dense.
    Brisk(Fast<'a>, Lazy<'a>),
    Lazy(Lazy<'a>),
    Optimal(Optimal<'a>),
}

/// One block: `consumed` bytes of content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Block {
    pub(crate) consumed: usize,
}

impl<'a> Encoder<'a> {
    /// An encoder for `data`, shorter than 4 GiB.
    pub(crate) fn new(data: &'a [u8], level: Level, workspace: &'a mut Workspace) -> Self {
        assert!(u32::try_from(data.len()).is_ok(), "a segment is far below 4 GiB");
        let Level(level) = level;
        let Workspace { table, tables, trees, .. } = workspace;
        let table = table.get_or_insert_with(zeros);
        if level <= 1 {
            return Self::Fast(Fast::new(data, table, 6));
        }
        let tables = tables.get_or_insert_with(chains::Tables::new);
        let trees = trees.get_or_insert_with(trees::Tables::new);
        if level > 9 {
            return Self::Optimal(Optimal::new(data, tables, trees, effort(level)));
        }
        if level > 4 {
            return Self::Lazy(Lazy::new(data, tables, trees, Manner::steady(depth(level))));
        }
        let lazy = Lazy::new(data, tables, trees, Manner::adaptive(depth(level)));
        Self::Brisk(Fast::for_noise(data, table), lazy)
    }

    /// Appends to `out` a block of at most `limit` bytes with the content from `start` on, as much as fits.
    ///
    /// `limit` must be 16 or more and `start` below the end of the data.
    pub(crate) fn block(&mut self, start: usize, limit: usize, out: &mut Vec<u8>) -> Block {
        match self {
            Self::Fast(encoder) => encoder.block(start, limit, out),
            Self::Brisk(noise, encoder) => match noise.noise(start, limit, out) {
                Some(block) => block,
                None => encoder.block(start, limit, out),
            },
            Self::Lazy(encoder) => encoder.block(start, limit, out),
            Self::Optimal(encoder) => encoder.block(start, limit, out),
        }
    }
}

/// Whether the bytes of the content are about equally frequent, and LZ4 saves hardly any of them.
pub(crate) fn is_noise(content: &[u8], workspace: &mut Workspace) -> bool {
    let mut out = workspace.room(content.len());
    let table = workspace.table.get_or_insert_with(zeros);
    let is_noise = Fast::for_noise(content, table).noise(0, content.len(), &mut out).is_some();
    workspace.keep(out);
    is_noise
}

/// How many candidates the lazy encoder looks at. Those that replace a match are worth more than the first at a place.
fn depth(level: u8) -> Depth {
    if level <= 4 {
        Depth { first: 12 >> (4 - level), better: 32 >> (4 - level) }
    } else {
        Depth { first: 1 << level, better: 5 << (level - 1) }
    }
}

/// How hard the optimal encoder looks.
fn effort(level: u8) -> Effort {
    Effort::new(64 << (2 * (level - 10)), 24 << (level - 10).pow(2))
}

/// A match: from `at` on, `length` bytes that also lie `distance` bytes back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Match {
    at: usize,
    distance: usize,
    length: usize,
}

impl Match {
    fn end(self) -> usize {
        self.at + self.length
    }

    /// The same without its first bytes.
    fn skip(self, count: usize) -> Self {
        Self { at: self.at + count, length: self.length - count, ..self }
    }
}

/// An array that is too large for the stack.
fn zeros<T: Clone + Default, const N: usize>() -> Box<[T; N]> {
    vec![T::default(); N].try_into().unwrap_or_else(|_| unreachable!("it has that length"))
}

/// Number of equal bytes at the start of both, at most the length of `b`; `a` is not shorter.
#[inline]
fn common(a: &[u8], b: &[u8]) -> usize {
    let a = &a[..b.len()];
    let mut length = 0;
    while let (Some(x), Some(y)) = (a[length..].first_chunk(), b[length..].first_chunk()) {
        let different = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if different != 0 {
            return length + (different.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    length + a[length..].iter().zip(&b[length..]).take_while(|(x, y)| x == y).count()
}

#[inline]
pub(crate) fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}

#[inline]
fn read32(data: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(data[at..at + 4].try_into().expect("four bytes"))
}

#[inline]
fn read64(data: &[u8], at: usize) -> u64 {
    word(&data[at..at + 8])
}

/// A number of so many bits for four bytes.
#[inline]
fn hash(bytes: u32, bits: u32) -> usize {
    (bytes.wrapping_mul(2_654_435_761) >> (u32::BITS - bits)) as usize
}

/// Bytes of a sequence with a match of that length, without its literals.
#[inline]
fn sequence(length: usize) -> u32 {
    (3 + extra(length - MIN_MATCH)) as u32
}

/// The longest match shorter than one of this length that takes a byte less, if one does.
#[inline]
fn cheaper(length: usize) -> Option<usize> {
    let over = length.checked_sub(SHORT_LENGTH + 1)?;
    Some(SHORT_LENGTH + over / 255 * 255)
}

/// Bytes that a length takes beyond the four bits in the token.
#[inline]
fn extra(length: usize) -> usize {
    if length < 15 { 0 } else { 1 + (length - 15) / 255 }
}

#[cfg(test)]
pub(crate) mod tests;
