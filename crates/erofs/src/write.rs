//! Tree to image.
//!
//! ```text
//! block 0      superblock, root folder, shared xattrs, inodes   known last, written last
//! ...          content of files, in the order in which it comes
//! ...          entries of folders, inodes with their tails      whenever 16 MiB of inodes wait, and at the end
//! ```
//! Inode numbers count 32-byte slots from the start of the image, and the root's, which has only 16 bits in the
//! superblock, lies in the first block. So inodes may go out at any time. Those that are known without content (folders,
//! links, devices, empty files) come last, and each is made when it is written.

mod clusters;
mod cuts;
mod data;
mod dirs;
mod ends;
mod finish;
mod fragments;
mod gathered;
mod index;
mod inodes;
mod intake;
mod output;
mod packed;
mod packs;
mod place;
mod repeats;
mod similar;
mod splice;
mod tails;
mod waiting;
mod xattrs;

use std::collections::{BTreeMap, BTreeSet};

use crate::compress::{Job, SEGMENT, STORED};
use crate::error::Error;
use crate::format::{BLOCK, SLOT, SUPERBLOCK_AT, SuperBlock};
use crate::options::{Features, Options};
use crate::tree::{Links, NodeId, Time, Tree};
use clusters::Clusters;
use data::Incoming;
use fragments::Fragments;
use inodes::{Body, Inode};
use output::Output;
pub use output::Write;
use waiting::Waiting;
use xattrs::Xattrs;
pub use xattrs::can_store_xattr;

/// Byte behind the superblock.
const SUPERBLOCK_END: usize = SUPERBLOCK_AT as usize + size_of::<SuperBlock>();
/// Byte offset of the root's inode, behind the superblock and the compressor's configuration.
const ROOT_AT: usize = SUPERBLOCK_END + SLOT;

/// Writes one image. Content comes in by [`Writer::add`], bytes go out by [`Writer::writes`] and [`Writer::finish`].
#[derive(Debug)]
pub struct Writer {
    tree: Tree<u64>,
    features: Option<Features>,
    links: Links,
    epoch: Time,
    xattrs: Xattrs,
    /// Inode numbers by entry, behind them that of the packed inode; 0 (never an inode) where there is none yet.
    nids: Vec<u64>,
    /// Finished inodes with what follows them, not yet placed.
    waiting: BTreeMap<NodeId, Waiting>,
    waiting_bytes: usize,
    /// The file whose content is coming in.
    incoming: Option<Incoming>,
    /// Files of which content has come.
    has_come: Vec<bool>,
    fragments: Option<Fragments>,
    clusters: Clusters,
    /// Files whose content is that of another, by that one.
    twins: BTreeMap<NodeId, Vec<NodeId>>,
    /// Those files.
    shared: BTreeSet<NodeId>,
    output: Output,
}

/// An image that is complete.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Finished {
    /// Bytes of the image, whole blocks.
    pub size: u64,
    /// UUID of the volume, made from all that the image holds.
    pub uuid: [u8; 16],
}

impl Writer {
    /// Plans an image of `tree`, whose files are their sizes in bytes.
    ///
    /// # Errors
    /// An extended attribute cannot be stored.
    pub fn new(mut tree: Tree<u64>, options: Options) -> Result<Self, Error> {
        tree.shrink();
        let links = tree.links();
        let epoch = most_frequent_mtime(&tree);
        let mut xattrs = Xattrs::plan(&tree)?;
        let root_size =
            inodes::size(&tree, &links, epoch, tree.root()) + xattrs.body_size(&tree, tree.root());
        xattrs.place(ROOT_AT + root_size + dirs::Plan::root_tail(&tree, root_size));
        let head = xattrs.end().next_multiple_of(BLOCK);
        let features = options.compression();
        let fragments = features.filter(|features| features.fragments);
        Ok(Self {
            fragments: fragments.map(|features| Fragments::new(&tree, features)),
            clusters: Clusters::new(features),
            twins: BTreeMap::new(),
            shared: BTreeSet::new(),
            has_come: vec![false; tree.len()],
            nids: vec![0; tree.len() + 1],
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            incoming: None,
            output: Output::new(head),
            tree,
            features,
            links,
            epoch,
            xattrs,
        })
    }

    /// Bytes of a file that go into one [`Job`]; fewer only where the file ends.
    pub fn segment(&self) -> usize {
        if self.features.is_some() { SEGMENT } else { STORED }
    }

    /// [Weight](Job::weight) of jobs that is worth to be gathered before they are run: many files are small.
    pub fn batch(&self) -> usize {
        match self.features {
            // What becomes fragments as it is counts for nothing.
            Some(Features { fragments: true, .. }) => SEGMENT,
            Some(_) => 2 * SEGMENT,
            None => STORED,
        }
    }

    /// How content is compressed.
    pub(crate) fn features(&self) -> Option<Features> {
        self.features
    }

    /// The tree that is being written.
    pub fn tree(&self) -> &Tree<u64> {
        &self.tree
    }

    /// Says that a file has the same content as another, for which none has come yet. It is stored once, and no content
    /// is to be given for the second.
    ///
    /// # Errors
    /// They are not two files of one size, or content of one of them has come or is shared already.
    pub fn share(&mut self, same: NodeId, first: NodeId) -> Result<(), Error> {
        let size = |id: NodeId| self.tree.node(id).kind.size();
        let is_new = |id: NodeId| !self.shared.contains(&id) && !self.has_come[id.index()];
        let fits = same != first && size(same).is_some() && size(same) == size(first);
        if !fits || self.twins.contains_key(&same) || !is_new(same) || !is_new(first) {
            return Err(Error::ContentNotWanted);
        }
        self.shared.insert(same);
        self.twins.entry(first).or_default().push(same);
        Ok(())
    }

    /// Batches of jobs that are out while the host reads the next, where that shapes the image: results are to be added once
    /// one more is out, or all is read. `None` where the image is the same whenever they are.
    pub fn ahead(&self) -> Option<usize> {
        self.fragments.as_ref().map(Fragments::ahead)
    }

    /// Jobs of the writer's own, for content that it gathered from many files; their results come by [`Writer::add`]
    /// in this order. To be asked for whenever content was added, and with `last` once all was, until there is none.
    pub fn jobs(&mut self, last: bool) -> Vec<Job> {
        let Some(fragments) = &mut self.fragments else { return Vec::new() };
        let out = fragments.place(last);
        out.files.iter().for_each(|file| self.complete(file));
        out.jobs
    }

    /// A file whose content has not come, or not all of it.
    pub fn missing(&self) -> Option<NodeId> {
        let unfinished = self.incoming.as_ref().map(|incoming| incoming.node);
        unfinished.or_else(|| {
            self.tree.ids().find(|id| {
                let has_content = self.tree.node(*id).kind.size() > Some(0);
                has_content && !self.shared.contains(id) && !self.has_come[id.index()]
            })
        })
    }

    /// Bytes that are ready to be written, in ascending order.
    pub fn writes(&mut self) -> impl Iterator<Item = Write> + '_ {
        self.output.ready()
    }

    /// Bytes of an inode and its xattrs.
    fn inode_size(&self, id: NodeId) -> usize {
        inodes::size(&self.tree, &self.links, self.epoch, id)
            + self.xattrs.body_size(&self.tree, id)
    }

    /// An inode, its xattrs and what follows them.
    fn inode(&self, id: NodeId, body: &Body, size: u64) -> Vec<u8> {
        let xattrs = self.xattrs.body(&self.tree, id);
        let inode = Inode { id, tree: &self.tree, links: &self.links, epoch: self.epoch };
        inode.bytes(body, size, &xattrs)
    }
}

/// The time that all compact inodes share: whichever saves most extended ones, the earliest of equals.
fn most_frequent_mtime(tree: &Tree<u64>) -> Time {
    let mut counts = BTreeMap::<Time, usize>::new();
    for id in tree.ids() {
        *counts.entry(tree.node(id).meta.mtime).or_default() += 1;
    }
    let best = counts.into_iter().max_by_key(|&(time, count)| (count, std::cmp::Reverse(time)));
    best.map_or_else(Time::default, |(time, _)| time)
}

#[cfg(test)]
mod tests;
