//! Fragments: content of many files that is compressed together, in the [packed inode](super::packed).
//!
//! Ends of files and small files are gathered until there is a batch of them. A batch is [sorted](gathered) such that like
//! meets like, each fragment gets its place in the packed inode, and the content goes out to be compressed in segments, as
//! that of any file. Of a fragment whose end is there already only what is in front of it is compressed, for blocks of
//! its file; and a long one may be [cut](cuts), so that its end meets that of another.

use std::collections::VecDeque;

use super::clusters::Clusters;
use super::cuts;
use super::data::Incoming;
use super::ends::{Chain, Ends};
use super::gathered::{self, Gathered};
use super::inodes::Body;
use super::output::Output;
use super::packed::{FIRST, PackedInode};
use crate::compress::{Data, Job, Of, Packed, SEGMENT};
use crate::error::Error;
use crate::format::BLOCK;
use crate::options::Features;
use crate::tree::Tree;

/// Content that is gathered before it is sorted: like that is not in one batch does not meet.
const BATCH: usize = 32 << 20;
/// The same where a tree has so many entries that they take the memory.
const BATCH_OF_MANY: usize = 20 << 20;
/// So many entries.
const MANY: usize = 64 << 10;
/// Bytes that a file takes beside its content while it is in a batch, about: a number that is the same on all targets.
const PER_FILE: usize = 256;
/// Content that goes out at once to be compressed: what is sorted is not all there a second time.
const OUT: usize = SEGMENT;
/// Most content: a map header has 32 bits for the place of a fragment, a compact inode for its size.
const MAX_SIZE: u64 = u32::MAX as u64;

/// Fragments on their way.
#[derive(Debug)]
pub(super) struct Fragments {
    features: Features,
    /// Order of the files in the tree.
    rank: Vec<u32>,
    batch: Vec<Gathered>,
    batch_bytes: usize,
    /// What is sorted, and the order in which it gets its place.
    sorted: Vec<Option<Gathered>>,
    order: std::vec::IntoIter<usize>,
    /// Files that become none, as they are stored: noise that is like no other, and what is too short.
    alone: Vec<Packed>,
    /// Content that has its place but is not yet part of a job.
    pending: Vec<u8>,
    /// Bytes of content that are part of jobs.
    cut: u64,
    /// The most that may have a place.
    pub(super) most: u64,
    /// Places of ends of fragments, by what they hold.
    ends: Ends,
    /// Files of whose fragment only the end has a place, and where that is, or that have none, until the rest comes back.
    fronts: VecDeque<(Incoming, Option<u64>)>,
    /// Those for which it came.
    ready: Vec<(Incoming, Option<u64>, Packed)>,
    /// What came back.
    packed: PackedInode,
}

/// What became of files whose fragments got a place.
#[derive(Debug, Default)]
pub(super) struct Out {
    /// Those that are complete.
    pub(super) files: Vec<Incoming>,
    /// What is to be compressed, and its bytes.
    pub(super) jobs: Vec<Job>,
    bytes: usize,
}

impl Out {
    fn push(&mut self, job: Job) {
        self.bytes += job.size();
        self.jobs.push(job);
    }
}

impl Fragments {
    pub(super) fn new(tree: &Tree<u64>, features: Features) -> Self {
        Self {
            features,
            rank: rank(tree),
            batch: Vec::new(),
            batch_bytes: 0,
            sorted: Vec::new(),
            order: Vec::new().into_iter(),
            alone: Vec::new(),
            pending: Vec::new(),
            cut: 0,
            most: MAX_SIZE,
            ends: Ends::default(),
            fronts: VecDeque::new(),
            ready: Vec::new(),
            packed: PackedInode::new(features.has_big_clusters()),
        }
    }

    /// Gathers the end of a file whose other content is written.
    pub(super) fn gather(&mut self, file: Incoming, content: Vec<u8>) {
        self.push(Gathered::end(file, content));
    }

    /// Gathers a file that is noise: one that is stored although it might be a fragment. Any other comes back.
    pub(super) fn gather_noise(
        &mut self,
        file: Incoming,
        packed: Packed,
    ) -> Option<(Incoming, Packed)> {
        let size = packed.size;
        let may_be = size >= BLOCK && self.features.is_fragment(size) && file.is_all(size);
        match packed.data {
            Data::Stored(content) if may_be => {
                self.push(Gathered::noise(file, content, packed.digests));
                None
            }
            data => Some((file, Packed { data, ..packed })),
        }
    }

    fn push(&mut self, gathered: Gathered) {
        self.batch_bytes += gathered.content.len() + PER_FILE;
        self.batch.push(gathered);
    }

    /// Places what is gathered, if that is a batch or the last one, until there is enough to be compressed.
    pub(super) fn place(&mut self, last: bool) -> Out {
        let mut out = Out::default();
        while out.bytes < OUT {
            match self.next(last) {
                Some(gathered) if gathered.is_noise() => self.alone.push(gathered.stored()),
                Some(Gathered { file, content, .. }) => self.place_one(file, content, &mut out),
                None if last && !self.pending.is_empty() => self.cut(&mut out, true),
                None => break,
            }
        }
        out
    }

    /// Batches of jobs that are out while more is gathered: all that was sorted, if there is memory for it.
    pub(super) fn ahead(&self) -> usize {
        if self.rank.len() < MANY { BATCH / OUT } else { 1 }
    }

    /// The next of a sorted batch.
    fn next(&mut self, last: bool) -> Option<Gathered> {
        let enough = if self.rank.len() < MANY { BATCH } else { BATCH_OF_MANY };
        if self.order.len() == 0 && (self.batch_bytes >= enough || last) {
            self.batch_bytes = 0;
            let mut batch = std::mem::take(&mut self.batch);
            batch.sort_unstable_by_key(|gathered| self.rank[gathered.file.node.index()]);
            self.order = gathered::order(&mut batch).into_iter();
            self.sorted = batch.into_iter().map(Some).collect();
        }
        self.order.next().and_then(|place| self.sorted[place].take())
    }

    fn place_one(&mut self, file: Incoming, mut content: Vec<u8>, out: &mut Out) {
        let length = content.len();
        // What is shorter than a block saves less than it costs to know it.
        let chain = (length >= BLOCK).then(|| Chain::new(&content));
        let known = chain.as_ref().and_then(|chain| self.ends.longest(chain, self.size()));
        if let Some(known) = known {
            let front = file.front(length, known.length);
            content.truncate(front);
            let at = known.at + (known.length + front - length) as u64;
            self.place_front(file, content, Some(at), out);
        } else if self.size() + length as u64 > self.most {
            // The packed inode is full: the file gets blocks of its own.
            self.place_front(file, content, None, out);
        } else {
            let (at, front) = (self.size(), cuts::front(&file, &content, &self.pending));
            let end = &content[front..];
            let chain = if front > 0 { Some(Chain::new(end)) } else { chain };
            if let Some(chain) = chain {
                self.ends.insert(&chain, at);
            }
            self.put(end, out);
            content.truncate(front);
            self.place_front(file, content, Some(at), out);
        }
    }

    /// A file whose fragment has that place, if it has one; what is in front of it goes to blocks.
    fn place_front(&mut self, mut file: Incoming, front: Vec<u8>, at: Option<u64>, out: &mut Out) {
        match at {
            Some(at) if front.is_empty() => {
                file.set_fragment(at);
                out.files.push(file);
            }
            _ => {
                out.push(Job::gathered(Of::Front(file.node), front, self.features, false));
                self.fronts.push_back((file, at));
            }
        }
    }

    /// Bytes of content that have a place.
    fn size(&self) -> u64 {
        self.cut + self.pending.len() as u64
    }

    /// Puts content behind what has a place, and makes jobs of whole pieces: of what is compressed on its own.
    fn put(&mut self, mut content: &[u8], out: &mut Out) {
        while !content.is_empty() {
            let piece = if self.cut == 0 { FIRST } else { SEGMENT };
            let (now, later) = content.split_at(content.len().min(piece - self.pending.len()));
            self.pending.extend_from_slice(now);
            if self.pending.len() == piece {
                self.cut(out, false);
                // Room for the next piece at once: a vector that grows takes twice as much, and leaves holes.
                self.pending.reserve_exact(SEGMENT);
            }
            content = later;
        }
    }

    /// Makes a job of the next piece.
    fn cut(&mut self, out: &mut Out, is_end: bool) {
        let piece = std::mem::take(&mut self.pending);
        self.cut += piece.len() as u64;
        out.push(Job::gathered(Of::Fragments, piece, self.features, is_end));
    }

    /// Takes what came of the next job: a segment, or what is in front of an end.
    pub(super) fn add(&mut self, packed: Packed) -> Result<(), Error> {
        if let Of::Front(node) = packed.of {
            let waits = self.fronts.pop_front_if(|(file, _)| file.node == node);
            let (file, at) = waits.ok_or(Error::ContentNotWanted)?;
            self.ready.push((file, at, packed));
            return Ok(());
        }
        if self.packed.size() + packed.size as u64 > self.cut {
            return Err(Error::ContentNotWanted);
        }
        self.packed.add(packed);
        Ok(())
    }

    /// Writes what came back. Gives files that are complete.
    pub(super) fn write_gathered(
        &mut self,
        output: &mut Output,
        clusters: &mut Clusters,
    ) -> Vec<Incoming> {
        self.packed.write(output);
        let ready = self.ready.drain(..).map(|(mut file, at, front)| {
            file.add_front(front, output, clusters);
            if let Some(at) = at {
                file.set_fragment(at);
            }
            file
        });
        ready.collect()
    }

    /// Keeps a file that becomes none until nothing comes between the blocks of another.
    pub(super) fn wait(&mut self, stored: Packed) {
        self.alone.push(stored);
    }

    /// Takes files that become no fragments, as they are stored.
    pub(super) fn take_alone(&mut self) -> Vec<Packed> {
        std::mem::take(&mut self.alone)
    }

    /// Whether nothing is gathered, out to be compressed, or not written.
    pub(super) fn is_complete(&self) -> bool {
        let has_none_here =
            self.batch.is_empty() && self.order.len() == 0 && self.pending.is_empty();
        let has_none_out = self.fronts.is_empty() && self.packed.size() == self.cut;
        let is_written = self.ready.is_empty() && self.alone.is_empty() && self.packed.is_written();
        has_none_here && has_none_out && is_written
    }

    /// What the packed inode says and the bytes of its content, if there is one. All is written.
    pub(super) fn finish(self) -> Option<(Body, u64)> {
        self.packed.finish()
    }
}

/// The place of each file in the tree, by its first name, so that what is read together is not far.
fn rank(tree: &Tree<u64>) -> Vec<u32> {
    let mut rank = vec![u32::MAX; tree.len()];
    for (place, (_, id)) in tree.paths().enumerate() {
        rank[id.index()] = rank[id.index()].min(place as u32);
    }
    rank
}
