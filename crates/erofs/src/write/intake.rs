//! Content as it comes: what becomes a fragment is gathered, all else goes to blocks.

use super::Writer;
use super::data::Incoming;
use super::tails::Room;
use crate::compress::{Data, Job, Of, Packed};
use crate::error::Error;
use crate::format::BLOCK;
use crate::lz4::Workspace;
use crate::tree::NodeId;

impl Writer {
    /// Takes the next packed piece of content. The pieces of a file come in order, and a file that has begun is
    /// finished before the next begins; the order of the files is free and shapes the image.
    ///
    /// # Errors
    /// The entry is not a file, is complete already, or gets more than its size.
    pub fn add(&mut self, packed: Packed) -> Result<(), Error> {
        let Of::File(node) = packed.of else {
            self.fragments.as_mut().ok_or(Error::ContentNotWanted)?.add(packed)?;
            return self.write_gathered();
        };
        let incoming = match self.incoming.take() {
            Some(incoming) if incoming.node == node => incoming,
            Some(_) => return Err(Error::ContentNotWanted),
            None => self.begin_new(node)?,
        };
        let other = match &mut self.fragments {
            Some(fragments) => fragments.gather_noise(incoming, packed),
            None => Some((incoming, packed)),
        };
        if let Some((incoming, packed)) = other {
            self.add_to(incoming, packed)?;
        }
        self.write_gathered()
    }

    /// Takes a file that becomes a fragment as it is: there is nothing for a worker to do, and it need not wait for what
    /// workers do with other files. Gives back any other job, whose result is to be [added](Self::add). When it is called
    /// shapes the image, so it is to be called when content is read, not when workers are done.
    ///
    /// # Errors
    /// Content of the file has come.
    pub fn gather(&mut self, job: Job, workspace: &mut Workspace) -> Result<Option<Job>, Error> {
        let Some(node) = job.file_of_fragment() else { return Ok(Some(job)) };
        let incoming = self.begin_new(node)?;
        let fragments = self.fragments.as_mut().ok_or(Error::ContentNotWanted)?;
        match fragments.gather_noise(incoming, job.run(workspace)) {
            None => {}
            // It may take blocks, which would come between those of another file.
            Some((_, packed)) if matches!(packed.data, Data::Stored(_)) => fragments.wait(packed),
            Some((incoming, packed)) => self.add_to(incoming, packed)?,
        }
        self.write_gathered()?;
        Ok(None)
    }

    /// Adds a piece to a file, to which it is the next.
    fn add_to(&mut self, mut incoming: Incoming, packed: Packed) -> Result<(), Error> {
        // What follows one inode follows those that share its content, too. In a block it is there once.
        let node = incoming.node;
        let twins = self.twins.get(&node).map_or(&[][..], Vec::as_slice);
        let inodes = twins.iter().chain([&node]).map(|id| self.inode_size(*id));
        let most = BLOCK / (twins.len() + 1);
        let room = Room { inode: inodes.max().unwrap_or(0), most };
        let fragment = incoming.add(packed, room, &mut self.output, &mut self.clusters)?;
        if !incoming.is_complete() {
            self.incoming = Some(incoming);
        } else if let Some((fragments, content)) = self.fragments.as_mut().zip(fragment) {
            fragments.gather(incoming, content);
        } else {
            self.complete(&incoming);
        }
        Ok(())
    }

    /// Writes what was gathered of many files, where that is enough. Blocks of one file lie behind one another, so nothing
    /// comes between the pieces of its content.
    pub(super) fn write_gathered(&mut self) -> Result<(), Error> {
        if self.incoming.is_some() {
            return Ok(());
        }
        if let Some(fragments) = &mut self.fragments {
            let files = fragments.write_gathered(&mut self.output, &mut self.clusters);
            let alone = fragments.take_alone();
            files.iter().for_each(|file| self.complete(file));
            for packed in alone {
                if let Of::File(node) = packed.of {
                    self.add_to(self.begin(node, packed.size as u64), packed)?;
                }
            }
        }
        self.place_waiting();
        Ok(())
    }

    /// A file of which nothing has come.
    fn begin_new(&mut self, node: NodeId) -> Result<Incoming, Error> {
        let size = self.tree.node(node).kind.size().ok_or(Error::ContentNotWanted)?;
        if self.has_come[node.index()] || self.shared.contains(&node) {
            return Err(Error::ContentNotWanted);
        }
        self.has_come[node.index()] = true;
        Ok(self.begin(node, size))
    }

    /// A file whose blocks come next.
    fn begin(&self, node: NodeId, size: u64) -> Incoming {
        let big = self.features.is_some_and(|features| features.has_big_clusters());
        Incoming::new(node, size, self.output.block(), big)
    }

    /// Makes the inodes of a file and of those that share its content.
    pub(super) fn complete(&mut self, file: &Incoming) {
        let twins = self.twins.get(&file.node).cloned().unwrap_or_default();
        for id in twins.into_iter().chain([file.node]) {
            self.wait(id, &file.body(self.inode_size(id)));
        }
    }
}
