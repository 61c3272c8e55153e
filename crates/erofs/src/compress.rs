//! From content to blocks: a pure function of the bytes and the profile, so that hosts may run it anywhere.
//!
//! A file goes through it in segments of [`SEGMENT`] bytes. Where a segment ends depends on the file alone, never on
//! who compresses it.

use crate::format::BLOCK;
use crate::lz4;
use crate::tree::NodeId;
use crate::write::Writer;

/// Bytes of a file that are compressed on their own. The last block of a segment is stored padded, so long segments
/// waste less; short ones need less memory. 12 MiB is the most that the kernel lets one extent decode to.
pub const SEGMENT: usize = 8 << 20;

/// How file data is stored, named by cost and by the kernel that is needed.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Profile {
    /// Stored as it is, for those who compress the download. Linux 5.4.
    None,
    /// LZ4 in physical clusters of one block, as Fedora's extensions are today. Linux 5.4.
    #[default]
    Compat,
    /// LZ4 by the shortest way in physical clusters of 64 KiB, tails behind their inodes. Linux 5.17.
    Default,
}

/// What a profile is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Features {
    /// Most bytes of a physical cluster.
    pub(crate) pcluster: usize,
    /// Whether the encoder looks for the shortest way.
    pub(crate) optimal: bool,
    /// Whether the last cluster of a file may follow its inode (`ztailpacking`).
    pub(crate) inline_tails: bool,
}

impl Profile {
    /// What the profile is made of, or `None` where nothing is compressed.
    pub(crate) fn features(self) -> Option<Features> {
        match self {
            Self::None => None,
            Self::Compat => Some(Features { pcluster: BLOCK, optimal: false, inline_tails: false }),
            Self::Default => {
                Some(Features { pcluster: 16 * BLOCK, optimal: true, inline_tails: true })
            }
        }
    }
}

/// Content to be packed: one segment of one file.
#[derive(Debug)]
pub struct Job {
    node: NodeId,
    content: Vec<u8>,
    profile: Profile,
}

/// A packed segment, for [`Writer::add`].
#[derive(Debug)]
pub struct Packed {
    pub(crate) node: NodeId,
    /// Bytes of content that went in.
    pub(crate) size: usize,
    pub(crate) data: Data,
}

#[derive(Debug)]
pub(crate) enum Data {
    /// The content itself.
    Stored(Vec<u8>),
    /// Whole blocks of extents, and the last extent by itself if it may follow the inode.
    Compressed { blocks: Vec<u8>, extents: Vec<Extent>, tail: Option<Tail> },
}

/// The last extent of a file.
#[derive(Debug)]
pub(crate) struct Tail {
    /// As it follows the inode.
    pub(crate) bytes: Vec<u8>,
    /// Its content, where that fits into a block: in a block of its own it is stored rather than compressed, which
    /// would gain nothing.
    pub(crate) content: Option<Vec<u8>>,
}

/// A run of content in one physical cluster.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Extent {
    /// Where the run starts in the segment.
    pub(crate) start: u32,
    /// Whether the cluster holds LZ4 or the content itself.
    pub(crate) compressed: bool,
    /// Blocks of the cluster.
    pub(crate) blocks: u16,
}

impl Job {
    /// The next piece of a file's content: [`SEGMENT`] bytes, or what is left of the file.
    pub fn new(writer: &Writer, node: NodeId, content: Vec<u8>) -> Self {
        Self { node, content, profile: writer.profile() }
    }

    /// Packs the content. No state, no I/O: the same bytes wherever and whenever it runs.
    pub fn run(self) -> Packed {
        let Self { node, content, profile } = self;
        let size = content.len();
        let compressed = profile.features().and_then(|features| compress(&content, features));
        Packed { node, size, data: compressed.unwrap_or(Data::Stored(content)) }
    }
}

/// LZ4 in physical clusters, or `None` where that and its index save nothing.
///
/// Every extent but the last crosses the end of a logical cluster, since the index has room for one start in each: a
/// compressed extent takes more content than its blocks hold, a stored one exactly a block.
fn compress(content: &[u8], features: Features) -> Option<Data> {
    // The last piece of a file is the only one that is shorter than a segment.
    let may_inline = features.inline_tails && content.len() < SEGMENT;
    if content.len() <= if may_inline { MIN_INLINE } else { BLOCK } {
        return None;
    }
    let mut clusters = Clusters {
        content,
        encoder: Encoder::new(content, features),
        out: Vec::with_capacity(content.len() / 2),
        extents: Vec::new(),
    };
    let mut tail = None;
    let mut at = 0;
    while at < content.len() {
        let left = content.len() - at;
        if left <= BLOCK && !may_inline {
            // In a block of its own LZ4 gains nothing.
            at = clusters.put_stored(at, content.len());
            continue;
        }
        let (consumed, lz4) = clusters.encoder.cluster(at, features.pcluster);
        let is_last = consumed == left;
        if is_last && may_inline {
            tail = clusters.end(at, consumed, lz4);
            break;
        }
        if consumed > lz4.len().next_multiple_of(BLOCK) {
            clusters.put_compressed(at, &lz4);
            at += consumed;
        } else {
            // What did not compress in a cluster is not tried again block by block.
            let end = content.len().min(at + (consumed - consumed % BLOCK).max(BLOCK));
            at = clusters.put_stored(at, end);
        }
    }
    // A pack of 16 entries takes 32 bytes.
    let index = content.len().div_ceil(BLOCK) * 2;
    let Clusters { out: blocks, extents, .. } = clusters;
    let size =
        blocks.len() + index + tail.as_ref().map_or(0, |tail: &Tail| tail.bytes.len() + MAP_HEADER);
    (size < content.len()).then_some(Data::Compressed { blocks, extents, tail })
}

/// Content that is too short to be worth a map header and an index.
const MIN_INLINE: usize = 64;
/// Bytes of a map header and the shortest index.
const MAP_HEADER: usize = 16;
/// Most bytes of a cluster behind an inode, which shares a block with it.
const MAX_INLINE: usize = BLOCK - 64 - MAP_HEADER;

/// The clusters of a segment as they are made.
struct Clusters<'a> {
    content: &'a [u8],
    encoder: Encoder<'a>,
    out: Vec<u8>,
    extents: Vec<Extent>,
}

impl Clusters<'_> {
    /// Puts LZ4 into as many blocks as it needs, zeros in front.
    fn put_compressed(&mut self, start: usize, lz4: &[u8]) {
        let blocks = lz4.len().div_ceil(BLOCK);
        self.out.resize(self.out.len() + blocks * BLOCK - lz4.len(), 0);
        self.out.extend_from_slice(lz4);
        self.extents.push(Extent { start: start as u32, compressed: true, blocks: blocks as u16 });
    }

    /// Stores content as it is, a block at a time, and gives its end.
    fn put_stored(&mut self, start: usize, end: usize) -> usize {
        for at in (start..end).step_by(BLOCK) {
            self.out.extend_from_slice(&self.content[at..end.min(at + BLOCK)]);
            self.out.resize(self.out.len().next_multiple_of(BLOCK), 0);
            self.extents.push(Extent { start: at as u32, compressed: false, blocks: 1 });
        }
        end
    }

    /// Ends the file with the `consumed` bytes from `at` on, which `lz4` holds: whole blocks first, so that little
    /// follows the inode. Gives the bytes that may follow it.
    fn end(&mut self, at: usize, consumed: usize, lz4: Vec<u8>) -> Option<Tail> {
        let end = at + consumed;
        if lz4.len() <= MAX_INLINE && lz4.len() < consumed {
            return Some(self.put_tail(at, end, Some(lz4)));
        }
        let saves = |consumed: usize, lz4: &[u8]| consumed > lz4.len().next_multiple_of(BLOCK);
        let whole = lz4.len() - lz4.len() % BLOCK;
        if whole > 0 {
            let (most, full) = self.encoder.cluster(at, whole);
            if saves(most, &full) && most < consumed {
                let (rest, short) = self.encoder.cluster(at + most, MAX_INLINE);
                if at + most + rest == end && short.len() < rest {
                    self.put_compressed(at, &full);
                    return Some(self.put_tail(at + most, end, Some(short)));
                }
            }
        }
        if saves(consumed, &lz4) {
            self.put_compressed(at, &lz4);
            return None;
        }
        let tail = consumed % BLOCK;
        if tail == 0 || tail > MAX_INLINE {
            self.put_stored(at, end);
            return None;
        }
        self.put_stored(at, end - tail);
        Some(self.put_tail(end - tail, end, None))
    }

    /// Makes the last extent of LZ4, or of content as it is.
    fn put_tail(&mut self, start: usize, end: usize, lz4: Option<Vec<u8>>) -> Tail {
        self.extents.push(Extent { start: start as u32, compressed: lz4.is_some(), blocks: 1 });
        let content = &self.content[start..end];
        Tail {
            bytes: lz4.unwrap_or_else(|| content.to_vec()),
            content: (content.len() <= BLOCK).then(|| content.to_vec()),
        }
    }
}

/// One of the encoders.
enum Encoder<'a> {
    Fast(lz4::Encoder<'a>),
    Optimal(lz4::Optimal<'a>),
}

impl<'a> Encoder<'a> {
    fn new(content: &'a [u8], features: Features) -> Self {
        if features.optimal {
            Self::Optimal(lz4::Optimal::new(content))
        } else {
            Self::Fast(lz4::Encoder::new(content))
        }
    }

    /// Content from `start` on in at most `limit` bytes: how much of it, and the bytes.
    fn cluster(&mut self, start: usize, limit: usize) -> (usize, Vec<u8>) {
        let mut out = Vec::with_capacity(limit);
        let block = match self {
            Self::Fast(encoder) => encoder.block(start, limit, &mut out),
            Self::Optimal(encoder) => encoder.block(start, limit, &mut out),
        };
        (block.consumed, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compat() -> Features {
        Profile::Compat.features().expect("compresses")
    }

    #[test]
    fn content_without_gain_is_stored() {
        assert!(compress(&[7; BLOCK], compat()).is_none());
        for profile in [Profile::Compat, Profile::Default] {
            let features = profile.features().expect("compresses");
            assert!(compress(&crate::lz4::tests::noise(100_000, 256), features).is_none());
        }
    }

    #[test]
    fn extents_cross_logical_clusters() {
        let mut content = b"some text that repeats, some that does not: ".repeat(5000);
        for (at, byte) in content.iter_mut().enumerate() {
            if at % 977 == 0 {
                *byte = (at / 977) as u8;
            }
        }
        let Some(Data::Compressed { blocks, extents, tail: None }) = compress(&content, compat())
        else {
            panic!("text compresses")
        };
        assert_eq!(blocks.len(), extents.len() * BLOCK);
        let starts: Vec<_> = extents.iter().map(|extent| extent.start as usize / BLOCK).collect();
        assert!(starts.is_sorted_by(|a, b| a < b), "one start per logical cluster: {starts:?}");
    }
}
