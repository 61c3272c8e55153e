//! From content to blocks: a pure function of the bytes and the profile, so that hosts may run it anywhere.
//!
//! A file goes through it in segments of [`SEGMENT`] bytes. Where a segment ends depends on the file alone, never on
//! who compresses it.

use crate::format::BLOCK;
use crate::lz4::Encoder;
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
    /// Whole blocks, one per extent.
    Compressed { blocks: Vec<u8>, extents: Vec<Extent> },
}

/// A run of content in one block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Extent {
    /// Where the run starts in the segment.
    pub(crate) start: u32,
    /// Whether the block holds LZ4 or the content itself.
    pub(crate) compressed: bool,
}

impl Job {
    /// The next piece of a file's content: [`SEGMENT`] bytes, or what is left of the file.
    pub fn new(writer: &Writer, node: NodeId, content: Vec<u8>) -> Self {
        Self { node, content, profile: writer.profile() }
    }

    /// Bytes of content.
    pub fn size(&self) -> usize {
        self.content.len()
    }

    /// Packs the content. No state, no I/O: the same bytes wherever and whenever it runs.
    pub fn run(self) -> Packed {
        let Self { node, content, profile } = self;
        let size = content.len();
        let compressed = match profile {
            Profile::None => None,
            Profile::Compat => compress(&content),
        };
        Packed { node, size, data: compressed.unwrap_or(Data::Stored(content)) }
    }
}

/// LZ4 in blocks, or `None` where that and its index save nothing.
///
/// Every extent but the last crosses the end of a logical cluster, since the index has room for one start in each: a
/// compressed extent takes more content than a block, a stored one exactly a block.
fn compress(content: &[u8]) -> Option<Data> {
    if content.len() <= BLOCK {
        return None;
    }
    let mut encoder = Encoder::new(content);
    let mut blocks = Vec::with_capacity(content.len() / 2);
    let mut extents = Vec::new();
    let mut lz4 = Vec::with_capacity(BLOCK);
    let mut at = 0;
    while at < content.len() {
        let left = content.len() - at;
        let mut consumed = left.min(BLOCK);
        let mut compressed = false;
        if left > BLOCK {
            lz4.clear();
            let block = encoder.block(at, BLOCK, &mut lz4);
            if block.consumed > BLOCK {
                (consumed, compressed) = (block.consumed, true);
            }
        }
        extents.push(Extent { start: at as u32, compressed });
        if compressed {
            blocks.resize(blocks.len() + BLOCK - lz4.len(), 0);
            blocks.extend_from_slice(&lz4);
        } else {
            blocks.extend_from_slice(&content[at..at + consumed]);
            blocks.resize(blocks.len().next_multiple_of(BLOCK), 0);
        }
        at += consumed;
    }
    // A pack of 16 entries takes 32 bytes.
    let index = content.len().div_ceil(BLOCK) * 2;
    (blocks.len() + index < content.len()).then_some(Data::Compressed { blocks, extents })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_without_gain_is_stored() {
        assert!(compress(&[7; BLOCK]).is_none());
        assert!(compress(&crate::lz4::tests::noise(100_000, 256)).is_none());
    }

    #[test]
    fn extents_cross_logical_clusters() {
        let mut content = b"some text that repeats, some that does not: ".repeat(5000);
        for (at, byte) in content.iter_mut().enumerate() {
            if at % 977 == 0 {
                *byte = (at / 977) as u8;
            }
        }
        let Some(Data::Compressed { blocks, extents }) = compress(&content) else {
            panic!("text compresses")
        };
        assert_eq!(blocks.len(), extents.len() * BLOCK);
        let starts: Vec<_> = extents.iter().map(|extent| extent.start as usize / BLOCK).collect();
        assert!(starts.is_sorted_by(|a, b| a < b), "one start per logical cluster: {starts:?}");
    }
}
