//! Content, from where it comes to jobs.

use std::io::Read;

use erofs::{Job, NodeId};
use rpm::Payload;

use super::{Compose, State};
use crate::error::Error;

/// Bytes of content that are read before the host hears of it, at most.
const AT_ONCE: u64 = 16 << 20;

impl<R: Read> Compose<R> {
    /// Takes content that no package has until there is a batch of it or its end.
    pub(super) fn gather_texts(
        &mut self,
        mut text: usize,
        mut at: usize,
    ) -> Result<State<R>, Error> {
        let segment = self.writer.as_ref().ok_or(Error::Protocol)?.segment();
        while !self.batches.are_due() && !self.has_batch() {
            let Some((node, content)) = self.plan.texts.get(text) else {
                return Ok(State::Package(0));
            };
            let rest = content.get(at..).unwrap_or_default();
            let piece = &rest[..rest.len().min(segment)];
            if piece.is_empty() {
                (text, at) = (text + 1, 0);
                continue;
            }
            at += piece.len();
            let left = (rest.len() - piece.len()) as u64;
            self.put(*node, piece.to_vec(), left)?;
        }
        Ok(State::Texts(text, at))
    }

    /// Reads content until there is a batch of it or the package ends.
    pub(super) fn gather(
        &mut self,
        package: usize,
        mut payload: Box<Payload<R>>,
        mut file: Option<(NodeId, u64)>,
    ) -> Result<State<R>, Error> {
        let segment = self.writer.as_ref().ok_or(Error::Protocol)?.segment() as u64;
        let mut read = 0;
        while !self.batches.are_due() && !self.has_batch() && read < AT_ONCE {
            let Some((node, left)) = file.take() else {
                let member = payload.next_member().map_err(|error| self.wrong(package, error))?;
                let Some(member) = member else {
                    self.checks.extend(payload.checks().into_iter().map(|check| (package, check)));
                    return Ok(State::Package(package + 1));
                };
                let node = self.plan.contents.get((package, member.file));
                let node = node.filter(|node| !self.shared.contains(node));
                file = node.filter(|_| member.size > 0).map(|node| (node, member.size));
                if file.is_none() {
                    self.progress.advance(member.size);
                }
                continue;
            };
            let mut content = vec![0; left.min(segment) as usize];
            self.fill(package, &mut payload, &mut content)?;
            let (size, left) = (content.len() as u64, left - content.len() as u64);
            self.progress.advance(size);
            self.put(node, content, left)?;
            read += size;
            file = (left > 0).then_some((node, left));
        }
        Ok(State::Reading { package, payload, file })
    }

    /// Reads all of a piece of content.
    fn fill(
        &self,
        package: usize,
        payload: &mut Payload<R>,
        mut content: &mut [u8],
    ) -> Result<(), Error> {
        while !content.is_empty() {
            match payload.read(content).map_err(|error| self.wrong(package, error))? {
                0 => return Err(Error::Protocol),
                read => content = &mut content[read..],
            }
        }
        Ok(())
    }

    fn wrong(&self, package: usize, error: rpm::Error) -> Error {
        Error::Package { package: self.plan.packages[package].nevra(), error }
    }

    /// Puts the next piece of a file, behind which so many bytes are left, to the jobs for the host or to what the writer
    /// gathers.
    fn put(&mut self, node: NodeId, content: Vec<u8>, left: u64) -> Result<(), Error> {
        let writer = self.writer.as_mut().ok_or(Error::Protocol)?;
        let job = Job::new(writer, node, content, left);
        if let Some(job) = writer.gather(job, &mut self.here)? {
            self.weight += job.weight();
            self.jobs.push(job);
            return Ok(());
        }
        self.batches.push(writer.jobs(false), false);
        Ok(())
    }
}
