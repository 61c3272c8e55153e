//! The end of an image: what has no content, folders, and at last the first block.

use zerocopy::IntoBytes as _;

use super::inodes::{self, Body};
use super::place::Item;
use super::waiting::Waiting;
use super::{Finished, ROOT_AT, SUPERBLOCK_END, Write, Writer, dirs, place};
use crate::error::Error;
use crate::format::{self, BLOCK, SLOT, SUPERBLOCK_AT, SuperBlock};
use crate::options::Features;
use crate::tree::{Kind, NodeId};

impl Writer {
    /// Gives what is left to be written: folders, waiting inodes and at last the first block.
    ///
    /// # Errors
    /// A file lacks content, or the image is too large.
    pub fn finish(mut self, mut put: impl FnMut(Write)) -> Result<Finished, Error> {
        self.write_gathered()?;
        self.finish_contents()?;
        let packed = self.finish_fragments()?;
        let mut dirs = dirs::Plan::new(&self.tree, |id| self.inode_size(id));
        dirs.allocate(self.output.block());

        // What lies in one folder is listed, and often read, together.
        let mut items = Vec::from_iter(packed);
        for id in self.tree.by_folder() {
            if self.nids[id.index()] != 0 {
                continue;
            }
            let waiting = self.waiting.get(&id);
            items.push(waiting.map_or_else(|| self.item(&dirs, id), |waiting| waiting.item(id)));
            self.nids[id.index()] = u64::MAX; // Its further names are the same inode.
        }
        // What is left of the head takes some of them.
        let head_at = self.xattrs.end().next_multiple_of(SLOT);
        let (in_head, placed) = place::place(head_at.next_multiple_of(BLOCK) - head_at, &items, 0);
        let start = self.output.at() + dirs.blocks() * BLOCK as u64;
        self.number(&in_head, head_at as u64);
        self.number(&placed, start);
        self.nids[self.tree.root().index()] = (ROOT_AT / SLOT) as u64;

        dirs.write(&self.tree, &self.nids, &self.links, &mut self.output, &mut put);
        let mut inode = |writer: &mut Self, id| {
            writer.output.ready().for_each(&mut put);
            let waiting = writer.waiting.remove(&id);
            waiting.map_or_else(|| writer.made(&dirs, id), |waiting| waiting.bytes)
        };
        self.write_placed(placed, &mut inode);
        let mut head = Vec::new();
        for (id, at) in in_head.in_order() {
            head.resize(at, 0);
            head.extend(inode(&mut self, id));
        }
        let root = self.made(&dirs, self.tree.root());
        let packed_nid = packed.map_or(0, |packed| self.nids[packed.id.index()]);
        self.finish_head(&[(ROOT_AT, &root), (head_at, &head)], packed_nid, put)
    }

    /// The packed inode, if there is one, waits with the others, as the entry behind the last of the tree: no folder has
    /// it.
    fn finish_fragments(&mut self) -> Result<Option<Item>, Error> {
        let Some(fragments) = self.fragments.take() else { return Ok(None) };
        if !fragments.is_complete() {
            return Err(Error::JobsLeft);
        }
        Ok(fragments.finish().map(|(body, content)| {
            let id = NodeId::new(self.tree.len());
            let bytes = inodes::packed(&body, content, id.index() as u32 + 1);
            let waiting = Waiting { bytes, whole: body.whole };
            let item = waiting.item(id);
            self.waiting.insert(id, waiting);
            item
        }))
    }

    /// Looks whether all content is there, and writes link targets that do not fit behind their inodes.
    fn finish_contents(&mut self) -> Result<(), Error> {
        if let Some(incoming) = &self.incoming {
            return Err(incoming.short());
        }
        if let Some(missing) = self.missing()
            && let Kind::File(expected) = self.tree.node(missing).kind
        {
            return Err(Error::ContentSize { expected, found: 0 });
        }
        for id in self.tree.ids() {
            if let Kind::Symlink(target) = &self.tree.node(id).kind
                && self.inode_size(id) + target.len() > BLOCK
            {
                let body = Body::plain(self.output.block());
                self.output.append(target);
                self.output.align();
                self.wait(id, &body);
            }
        }
        Ok(())
    }

    /// An entry whose inode is made when it is written, since all that it says is known: a folder, or what has no content.
    fn item(&self, dirs: &dirs::Plan, id: NodeId) -> Item {
        let size = self.inode_size(id);
        match &self.tree.node(id).kind {
            Kind::Directory(_) => {
                let tail = dirs.tail(id);
                Item { id, size: size + tail, whole: tail }
            }
            Kind::Symlink(target) => {
                // Older kernels refuse a link whose target is not in the block in which the inode ends.
                let size = size + target.len();
                Item { id, size, whole: size }
            }
            _ => Item { id, size, whole: 0 },
        }
    }

    /// That inode and what follows it.
    fn made(&self, dirs: &dirs::Plan, id: NodeId) -> Vec<u8> {
        let (body, size) = match &self.tree.node(id).kind {
            Kind::Directory(_) => {
                (dirs.body(&self.tree, id, &self.nids, &self.links), dirs.size(id))
            }
            Kind::Symlink(target) => (Body::inline(None, target.to_vec()), target.len() as u64),
            Kind::Fifo | Kind::Socket => (Body::device(0), 0),
            Kind::CharDevice(rdev) | Kind::BlockDevice(rdev) => {
                (Body::device(inodes::new_encode_dev(*rdev)), 0)
            }
            Kind::File(_) => (Body::empty(), 0),
        };
        self.inode(id, &body, size)
    }

    /// The head: superblock, root inode, shared xattrs. Known only now, and the UUID with it.
    fn finish_head(
        mut self,
        parts: &[(usize, &[u8])],
        packed_nid: u64,
        mut put: impl FnMut(Write),
    ) -> Result<Finished, Error> {
        let size = self.output.at();
        let blocks = u32::try_from(size / BLOCK as u64).map_err(|_| Error::TooLarge)?;
        let mut superblock = SuperBlock {
            magic: format::MAGIC.into(),
            feature_compat: (format::COMPAT_SB_CHKSUM
                | format::COMPAT_MTIME
                | format::COMPAT_XATTR_FILTER)
                .into(),
            blkszbits: format::BLOCK_BITS,
            root_nid: ((ROOT_AT / SLOT) as u16).into(),
            inos: (self.tree.len() as u64).into(),
            epoch: self.epoch.seconds.cast_unsigned().into(),
            fixed_nsec: self.epoch.nanoseconds.into(),
            blocks: blocks.into(),
            packed_nid: packed_nid.into(),
            ..SuperBlock::default()
        };
        let mut head = vec![0; self.xattrs.end().next_multiple_of(BLOCK)];
        if let Some(features) = self.features {
            describe_compression(features, &mut superblock, &mut head);
        }
        for &(at, part) in parts {
            head[at..at + part.len()].copy_from_slice(part);
        }
        self.xattrs.write_shared(&mut head);

        let at = SUPERBLOCK_AT as usize;
        head[at..SUPERBLOCK_END].copy_from_slice(superblock.as_bytes());
        superblock.uuid = uuid(self.output.hash(&head));
        head[at..SUPERBLOCK_END].copy_from_slice(superblock.as_bytes());
        superblock.checksum = format::crc32c(&head[at..BLOCK]).into();
        head[at..SUPERBLOCK_END].copy_from_slice(superblock.as_bytes());

        self.output.flush();
        self.output.ready().for_each(&mut put);
        put(Write { at: 0, bytes: head });
        Ok(Finished { size, uuid: superblock.uuid })
    }
}

/// Says in the superblock, and right behind it, what a reader must know.
fn describe_compression(features: Features, superblock: &mut SuperBlock, head: &mut [u8]) {
    let mut incompat = format::INCOMPAT_ZERO_PADDING;
    superblock.lz4_max_distance = u16::MAX.into();
    if features.has_big_clusters() {
        incompat |= format::INCOMPAT_BIG_PCLUSTER;
        // Now the field is the list of compressors, and `struct z_erofs_lz4_cfgs` follows: LZ4 is the first.
        superblock.lz4_max_distance = 1.into();
        let blocks = (features.pcluster / BLOCK) as u16;
        for (at, value) in [(0, 14), (2, u16::MAX), (4, blocks)] {
            let at = SUPERBLOCK_END + at;
            head[at..at + 2].copy_from_slice(&value.to_le_bytes());
        }
    }
    if features.inline_tails {
        incompat |= format::INCOMPAT_ZTAILPACKING;
    }
    if features.fragments {
        incompat |= format::INCOMPAT_FRAGMENTS;
    }
    superblock.feature_incompat = incompat.into();
}

/// A UUID of version 8 (RFC 9562: vendor specific) from a hash.
fn uuid(hash: u128) -> [u8; 16] {
    let mut uuid = hash.to_be_bytes();
    uuid[6] = (uuid[6] & 0x0F) | 0x80;
    uuid[8] = (uuid[8] & 0x3F) | 0x80;
    uuid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Options, Profile};
    use crate::tree::{Meta, Node, Rdev, Tree};

    #[test]
    fn what_has_no_content_takes_no_memory_before_it_is_written() {
        let mut tree = Tree::new(Meta::new(0o755));
        let link = |length| Kind::Symlink(vec![b'x'; length].into());
        let device = Kind::BlockDevice(Rdev { major: 8, minor: 1 });
        let kinds = [link(10), link(3000), device, Kind::Fifo, Kind::File(0), link(4095)];
        let mut ids = Vec::new();
        for (nth, kind) in kinds.into_iter().enumerate() {
            let node = Node { meta: Meta::new(0o644), kind };
            ids.push(tree.add(tree.root(), nth.to_string().as_bytes(), node).unwrap());
        }
        let mut writer = Writer::new(tree, Options::new(Profile::Default)).unwrap();
        writer.finish_contents().unwrap();
        // But for a link whose target has a block of its own.
        assert_eq!(writer.waiting.keys().collect::<Vec<_>>(), [&ids[5]]);
    }
}
