//! The packed inode: content of many files. Its extents are decoded as those of any file; the last one is kept, since
//! fragments of neighbours lie together.

use std::io::{Read, Seek};

use super::Image;
use super::data::{Content, Layout, MAX_DECODED, PIECE, Tail};
use crate::error::{Error, corrupt};
use crate::format::mode;

/// The packed inode, whose content is the fragments of other files.
#[derive(Debug)]
pub(super) struct Packed {
    content: Content,
    /// Where its extents start, in order.
    starts: Vec<u64>,
    /// The extent that was decoded last: fragments of neighbours lie together.
    last: Option<(u64, Vec<u8>)>,
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
        Ok(Box::new(Packed { content, starts, last: None }))
    }

    fn piece_of(&mut self, packed: &mut Packed, at: u64, length: u64) -> Result<Vec<u8>, Error> {
        let number = packed.starts.partition_point(|start| *start <= at).saturating_sub(1);
        let start = packed.starts.get(number).copied().unwrap_or_default();
        if packed.last.as_ref().is_none_or(|(last, _)| *last != start) {
            let mut chunks = self.chunks(&packed.content);
            chunks.at = start;
            packed.last = chunks.next_chunk()?.map(|chunk| (start, chunk));
        }
        let offset = usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
        let chunk =
            packed.last.as_ref().and_then(|(_, chunk)| chunk.get(offset..)).unwrap_or_default();
        let wanted = usize::try_from(length).unwrap_or(usize::MAX).min(chunk.len());
        if wanted == 0 {
            let size = packed.content.size;
            return Err(corrupt(0, "place of a fragment", format_args!("less than {size}"), at));
        }
        Ok(chunk.get(..wanted).unwrap_or_default().to_vec())
    }
}
