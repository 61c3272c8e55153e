//! From content to blocks: a pure function of the bytes and the options, so that hosts may run it anywhere.
//!
//! A file goes through it in segments of [`SEGMENT`] bytes. Where a segment ends depends on the file alone, never on
//! who compresses it.

mod batch;
mod chunks;
mod clusters;
mod parts;

pub use batch::{Batch, Bundle, Results};
pub(crate) use chunks::Chunk;
pub(crate) use clusters::one_cluster;
use sha2::{Digest as _, Sha256};

use crate::format::BLOCK;
use crate::lz4::Workspace;
use crate::options::Features;
use crate::tree::NodeId;
use crate::write::Writer;

/// Bytes of a file that are compressed on their own. The last block of a segment is stored padded, so long segments
/// waste less; short ones need less memory. 12 MiB is the most that the kernel lets one extent decode to.
pub const SEGMENT: usize = 8 << 20;
/// Bytes of a piece that is stored as it is: few, so that they are still in the cache when they are written.
pub(crate) const STORED: usize = 1 << 20;

/// Bytes that a job and its result take beside their content, about: a number that is the same on all targets.
const PER_JOB: usize = 512;

/// Physical clusters in content that is looked for in other content, of which one is full: what is shorter has hardly a
/// whole one in common.
const REPEATS: usize = 4;

/// SHA-256 of a cluster or of content: what is stored once for two must not depend on a hash that can be forged.
pub(crate) type Digest = [u8; 32];

/// Content to be packed: one segment of one file.
#[derive(Debug)]
pub struct Job {
    of: Of,
    content: Vec<u8>,
    /// Bytes of all content, if it ends here: its last cluster may be elsewhere than in blocks.
    end: Option<u64>,
    features: Option<Features>,
}

/// Whose content it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Of {
    File(NodeId),
    /// The packed inode, which has the fragments of many files.
    Fragments,
    /// What is in front of the fragment of a file that shares its end with another.
    Front(NodeId),
}

/// A packed segment, for [`Writer::add`].
#[derive(Debug)]
pub struct Packed {
    pub(crate) of: Of,
    /// Bytes of content that went in.
    pub(crate) size: usize,
    pub(crate) data: Data,
    /// What each cluster of `data` holds, in order, where clusters may be shared.
    pub(crate) digests: Vec<Digest>,
    /// The content in chunks, where it is long enough to be looked for in other content.
    pub(crate) chunks: Vec<Chunk>,
}

#[derive(Debug)]
pub(crate) enum Data {
    /// The content itself.
    Stored(Vec<u8>),
    /// Whole blocks of extents. The last extent may be elsewhere.
    Compressed { blocks: Vec<u8>, extents: Vec<Extent>, end: End },
}

/// Where the last extent of a segment is.
#[derive(Debug)]
pub(crate) enum End {
    /// In blocks as the others.
    Blocks,
    /// Behind the inode of the file, if there is room.
    Tail(Tail),
    /// In the packed inode: this content of it.
    Fragment(Vec<u8>),
}

/// The last extent of a file, for behind its inode.
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
    /// Blocks of the cluster; 0 for a fragment.
    pub(crate) blocks: u16,
}

impl Job {
    /// The next piece of the content of a file of the writer's tree: [`Writer::segment`] bytes, or all that there is. Behind
    /// it `left` bytes of the file are left.
    pub fn new(writer: &Writer, node: NodeId, content: Vec<u8>, left: u64) -> Self {
        let end = writer.tree().node(node).kind.size().filter(|_| left == 0);
        Self { of: Of::File(node), content, end, features: writer.features() }
    }

    /// Content that the writer gathered: a piece of the packed inode, or what is in front of a fragment. All but the end of
    /// the packed inode stays in blocks.
    pub(crate) fn gathered(of: Of, content: Vec<u8>, features: Features, is_last: bool) -> Self {
        let features = Features { fragments: false, ..features };
        let end = is_last.then_some(content.len() as u64);
        Self { of, content, end, features: Some(features) }
    }

    /// Bytes of content.
    pub(crate) fn size(&self) -> usize {
        self.content.len()
    }

    /// Bytes of memory that the job takes while it is gathered and run, about.
    pub fn weight(&self) -> usize {
        self.content.len() + PER_JOB
    }

    /// Whether anything is compressed: content of one cluster becomes a fragment as it is.
    fn is_work(&self) -> bool {
        self.features.is_some_and(|features| !features.is_fragment(self.size()))
    }

    /// The file that becomes a fragment, or is stored, as it is.
    pub(crate) fn file_of_fragment(&self) -> Option<NodeId> {
        let is_whole = self.end == Some(self.size() as u64);
        let is_fragment = self.features.is_some_and(|features| features.is_fragment(self.size()));
        match self.of {
            Of::File(node) if is_whole && is_fragment => Some(node),
            _ => None,
        }
    }

    /// Packs the content. No I/O, and what is left in the workspace changes nothing: the same bytes wherever and
    /// whenever it runs.
    pub fn run(self, workspace: &mut Workspace) -> Packed {
        let Self { of, content, end, features } = self;
        let size = content.len();
        let compressed =
            features.and_then(|features| clusters::compress(&content, end, features, workspace));
        let shared = features.filter(|features| features.fragments);
        let (data, chunks) = match compressed {
            Some(data) => {
                let is_long = shared.is_some_and(|Features { pcluster, .. }| {
                    size >= REPEATS * pcluster && data.blocks() * BLOCK >= pcluster
                });
                let chunks = if is_long { chunks::chunks(&content) } else { Vec::new() };
                // Of pieces of the packed inode there is a new one each time, and what is kept of one is much.
                if of != Of::Fragments {
                    workspace.keep(content);
                }
                (data, chunks)
            }
            None => (Data::Stored(content), Vec::new()),
        };
        let digests = if shared.is_some() { data.digests() } else { Vec::new() };
        Packed { of, size, data, digests, chunks }
    }
}

impl Data {
    /// How many blocks there are.
    fn blocks(&self) -> usize {
        match self {
            Self::Stored(content) => content.len().div_ceil(BLOCK),
            Self::Compressed { blocks, .. } => blocks.len() / BLOCK,
        }
    }

    /// The digest of each cluster.
    fn digests(&self) -> Vec<Digest> {
        let digest = |cluster: &[u8]| Sha256::digest(cluster).into();
        match self {
            Self::Stored(content) => content.chunks(BLOCK).map(digest).collect(),
            Self::Compressed { blocks, extents, .. } => {
                let mut rest = blocks.as_slice();
                let clusters = extents.iter().map_while(|extent| {
                    let (cluster, behind) = rest.split_at(usize::from(extent.blocks) * BLOCK);
                    rest = behind;
                    (!cluster.is_empty()).then_some(cluster)
                });
                clusters.map(digest).collect()
            }
        }
    }
}
