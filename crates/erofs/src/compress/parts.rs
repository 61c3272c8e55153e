//! Jobs and their results as bytes, for hosts whose workers share no memory. Both ends are the same build: this is no
//! format to be kept.

use super::{Chunk, Data, Digest, End, Extent, Job, Of, Packed, Tail};
use crate::lz4::Level;
use crate::options::Features;
use crate::tree::NodeId;

/// Stands for the packed inode, and for what is absent.
const NONE: u64 = u64::MAX;
/// The bit of a file's number that says that the content is in front of its fragment.
const FRONT: u64 = 1 << 63;

impl Job {
    /// A few bytes that say what is to be done, and the content.
    pub(super) fn into_parts(self) -> (Vec<u8>, Vec<u8>) {
        let features = self.features.map_or([0; 5], |features| {
            let Features { pcluster, level, inline_tails, fragments } = features;
            [1, pcluster as u64, level.number().into(), inline_tails.into(), fragments.into()]
        });
        let head = [self.of.number(), self.end.unwrap_or(NONE)];
        (bytes(head.into_iter().chain(features)), self.content)
    }

    /// The job of these parts, or `None` if they are not one's.
    pub(super) fn from_parts(head: &[u8], content: Vec<u8>) -> Option<Self> {
        let mut numbers = numbers(head);
        let of = Of::from_number(numbers.next()?)?;
        let end = Some(numbers.next()?).filter(|end| *end != NONE);
        let features = match numbers.next()? {
            0 => None,
            _ => Some(Features {
                pcluster: numbers.next()? as usize,
                level: Level::new(numbers.next()? as u8)?,
                inline_tails: numbers.next()? == 1,
                fragments: numbers.next()? == 1,
            }),
        };
        Some(Self { of, content, end, features })
    }
}

impl Packed {
    /// A few bytes that say what came of a job, and the rest.
    pub(super) fn into_parts(self) -> (Vec<u8>, Vec<u8>) {
        let Self { of, size, data, digests, chunks } = self;
        let head = [of.number(), size as u64, chunks.len() as u64];
        let ends = chunks.iter().map(|chunk| chunk.end.into());
        let head = head.into_iter().chain(ends);
        let digests = chunks.iter().map(|chunk| chunk.digest).chain(digests).flatten();
        let (mut body, extents, end) = match data {
            Data::Stored(content) => {
                let head = bytes(head.chain([0]));
                return (head.into_iter().chain(digests).collect(), content);
            }
            Data::Compressed { blocks, extents, end } => (blocks, extents, end),
        };
        let blocks = body.len() as u64;
        let (kind, tail, content) = match end {
            End::Blocks => (1, Vec::new(), None),
            End::Tail(tail) => (2, tail.bytes, tail.content),
            End::Fragment(content) => (3, content, None),
        };
        let lengths = [
            kind,
            blocks,
            tail.len() as u64,
            content.as_ref().map_or(NONE, |content| content.len() as u64),
            extents.len() as u64,
        ];
        body.extend(tail);
        body.extend(content.unwrap_or_default());
        let extents = extents.iter().flat_map(|extent| {
            [extent.start.into(), extent.blocks.into(), u64::from(extent.compressed)]
        });
        let head = bytes(head.chain(lengths).chain(extents));
        (head.into_iter().chain(digests).collect(), body)
    }

    /// The result of these parts, or `None` if they are not one's.
    pub(super) fn from_parts(head: &[u8], mut body: Vec<u8>) -> Option<Self> {
        let mut numbers = numbers(head);
        let (of, size) = (Of::from_number(numbers.next()?)?, numbers.next()? as usize);
        let chunks = numbers.next()? as usize;
        let ends: Vec<_> = numbers.by_ref().take(chunks).collect();
        let packed = |numbers, data| {
            let mut chunks = digests(numbers);
            let digests = chunks.split_off(ends.len().min(chunks.len()));
            let chunks = ends.iter().zip(chunks);
            let chunks = chunks.map(|(&end, digest)| Chunk { end: end as u32, digest }).collect();
            Self { of, size, data, digests, chunks }
        };
        let kind = numbers.next()?;
        if kind == 0 {
            return Some(packed(numbers, Data::Stored(body)));
        }
        let (blocks, tail) = (numbers.next()? as usize, numbers.next()? as usize);
        let content = Some(numbers.next()?).filter(|length| *length != NONE);
        let mut split = |at: usize| (at <= body.len()).then(|| body.split_off(at));
        let content = match content {
            Some(_) => Some(split(blocks.checked_add(tail)?)?),
            None => None,
        };
        let bytes = split(blocks)?;
        let end = match kind {
            1 => End::Blocks,
            2 => End::Tail(Tail { bytes, content }),
            _ => End::Fragment(bytes),
        };
        let mut extents = Vec::new();
        for _ in 0..numbers.next()? {
            extents.push(Extent {
                start: numbers.next()? as u32,
                blocks: numbers.next()? as u16,
                compressed: numbers.next()? == 1,
            });
        }
        Some(packed(numbers, Data::Compressed { blocks: body, extents, end }))
    }
}

impl Of {
    fn number(self) -> u64 {
        match self {
            Self::File(node) => node.index() as u64,
            Self::Front(node) => node.index() as u64 | FRONT,
            Self::Fragments => NONE,
        }
    }

    fn from_number(number: u64) -> Option<Self> {
        match number {
            NONE => Some(Self::Fragments),
            _ if number & FRONT != 0 => NodeId::from_number(number & !FRONT).map(Self::Front),
            _ => NodeId::from_number(number).map(Self::File),
        }
    }
}

fn bytes(numbers: impl Iterator<Item = u64>) -> Vec<u8> {
    numbers.flat_map(u64::to_le_bytes).collect()
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Four numbers each.
fn digests(numbers: impl Iterator<Item = u64>) -> Vec<Digest> {
    bytes(numbers).as_chunks().0.to_vec()
}
