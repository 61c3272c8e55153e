//! The packed inode: content of many files. Its extents are decoded as those of any file; those that were asked for last
//! are kept, since fragments of neighbours lie not far from each other.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use super::Image;
use super::chunks::{MAX_DECODED, PIECE};
use super::content::{Content, Layout, Tail};
use crate::error::{Error, corrupt};
use crate::format::mode;

/// Bytes of content that are kept. Writers that have like next to like, as ours, take what is within 32 MiB.
const KEPT: usize = 40 << 20;

/// The packed inode, whose content is the fragments of other files.
#[derive(Debug)]
pub(super) struct Packed {
    content: Content,
    /// Where its extents start, in order.
    starts: Vec<u64>,
    kept: Kept,
}

/// The extents that were asked for last, decoded.
#[derive(Debug, Default)]
struct Kept {
    /// By their number, each with when it was asked for.
    extents: BTreeMap<usize, (u64, Vec<u8>)>,
    bytes: usize,
    /// How often extents were asked for.
    clock: u64,
}

impl Kept {
    /// What an extent decodes to, if it is there.
    fn get(&mut self, number: usize) -> Option<&[u8]> {
        self.clock = self.clock.saturating_add(1);
        let (asked, extent) = self.extents.get_mut(&number)?;
        *asked = self.clock;
        Some(extent)
    }

    /// Keeps an extent; those that were not asked for longest make room.
    fn insert(&mut self, number: usize, extent: Vec<u8>) {
        self.bytes = self.bytes.saturating_add(extent.len());
        while self.bytes > KEPT
            && let Some((&oldest, _)) = self.extents.iter().min_by_key(|(_, (asked, _))| *asked)
            && let Some((_, gone)) = self.extents.remove(&oldest)
        {
            self.bytes = self.bytes.saturating_sub(gone.len());
        }
        self.extents.insert(number, (self.clock, extent));
    }
}

impl<R: Read + Seek> Image<R> {
    /// The end of a file in the packed inode, where several extents may have it.
    pub(super) fn whole_fragment(&mut self, at: u64, length: u64) -> Result<Vec<u8>, Error> {
        if length > MAX_DECODED {
            return Err(corrupt(at, "length of a fragment", "at most 12 MiB", length));
        }
        let mut whole = self.fragment(at, length)?;
        while (whole.len() as u64) < length {
            let done = whole.len() as u64;
            whole.extend(self.fragment(at.saturating_add(done), length.saturating_sub(done))?);
        }
        Ok(whole)
    }

    /// A piece of the packed inode's content from a byte on, at most `length` bytes.
    pub(super) fn fragment(&mut self, at: u64, length: u64) -> Result<Vec<u8>, Error> {
        let mut packed = match self.packed.take() {
            Some(packed) => packed,
            None => self.open_packed()?,
        };
        let piece = self.piece_of(&mut packed, at, length);
        self.packed = Some(packed);
        piece
    }

    fn open_packed(&mut self) -> Result<Box<Packed>, Error> {
        let nid = self.superblock.packed_nid.get();
        let inode = self.inode(nid)?;
        if inode.file_type() != mode::S_IFREG {
            let found = format_args!("{:#o}", inode.mode);
            return Err(corrupt(inode.at, "packed inode", "a file", found));
        }
        let content = self.content(&inode)?;
        let mut starts = Vec::new();
        match content.layout {
            Layout::Fragment { .. } | Layout::Compressed { tail: Tail::Fragment { .. }, .. } => {
                return Err(corrupt(inode.at, "packed inode", "content of its own", "a fragment"));
            }
            Layout::Stored { .. } => {
                let pieces = content.size.div_ceil(PIECE);
                starts.extend((0..pieces).map(|piece| piece.saturating_mul(PIECE)));
            }
            Layout::Compressed { index, .. } => {
                let extents = self.chunks(&content).extents(index)?;
                starts.extend(extents.iter().map(|extent| extent.start));
            }
        }
        Ok(Box::new(Packed { content, starts, kept: Kept::default() }))
    }

    fn piece_of(&mut self, packed: &mut Packed, at: u64, length: u64) -> Result<Vec<u8>, Error> {
        let number = packed.starts.partition_point(|start| *start <= at).saturating_sub(1);
        let start = packed.starts.get(number).copied().unwrap_or_default();
        if packed.kept.get(number).is_none() {
            let mut chunks = self.chunks(&packed.content);
            chunks.at = start;
            packed.kept.insert(number, chunks.next_chunk()?.unwrap_or_default());
        }
        let offset = usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
        let extent = packed.kept.get(number).unwrap_or_default();
        let chunk = extent.get(offset..).unwrap_or_default();
        let wanted = usize::try_from(length).unwrap_or(usize::MAX).min(chunk.len());
        if wanted == 0 {
            let size = packed.content.size;
            return Err(corrupt(0, "place of a fragment", format_args!("less than {size}"), at));
        }
        Ok(chunk.get(..wanted).unwrap_or_default().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_longest_makes_room() {
        let mut kept = Kept::default();
        let third = vec![0; KEPT / 3];
        for number in 0..3 {
            kept.insert(number, third.clone());
            assert!(kept.get(number).is_some());
        }
        assert!(kept.get(0).is_some());
        kept.insert(3, third);
        assert_eq!(kept.extents.keys().copied().collect::<Vec<_>>(), [0, 2, 3]);
        assert_eq!(kept.bytes, KEPT / 3 * 3);
        kept.insert(4, vec![0; KEPT]);
        assert_eq!(kept.extents.keys().copied().collect::<Vec<_>>(), [4]);
    }
}
