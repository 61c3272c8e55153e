//! Content, from where it comes to jobs.

use std::io::Read;

use erofs::{Job, NodeId};
use rpm::Payload;

use super::{Compose, State};
use crate::error::Error;

impl<R: Read> Compose<R> {
    /// Takes content that no package has until there is a batch of it or its end.
    pub(super) fn gather_texts(
        &self,
        mut text: usize,
        mut at: usize,
    ) -> Result<(Vec<Job>, State<R>), Error> {
        let writer = self.writer()?;
        let (mut jobs, mut gathered) = (Vec::new(), 0);
        while gathered < writer.batch() {
            let Some((node, content)) = self.plan.texts.get(text) else {
                return Ok((jobs, State::Package(0)));
            };
            let rest = content.get(at..).unwrap_or_default();
            let piece = &rest[..rest.len().min(writer.segment())];
            if piece.is_empty() {
                (text, at) = (text + 1, 0);
                continue;
            }
            at += piece.len();
            let job = Job::new(writer, *node, piece.to_vec(), (rest.len() - piece.len()) as u64);
            gathered += job.weight();
            jobs.push(job);
        }
        Ok((jobs, State::Texts(text, at)))
    }

    /// Reads content until there is a batch of it or the package ends.
    pub(super) fn gather(
        &mut self,
        package: usize,
        mut payload: Box<Payload<R>>,
        mut file: Option<(NodeId, u64)>,
    ) -> Result<(Vec<Job>, State<R>), Error> {
        let wrong = |error| Error::Package { package: self.plan.packages[package].nevra(), error };
        let writer = self.writer.as_ref().ok_or(Error::Protocol)?;
        let (mut jobs, mut gathered) = (Vec::new(), 0);
        while gathered < writer.batch() {
            let Some((node, left)) = file.take() else {
                let Some(member) = payload.next_member().map_err(wrong)? else {
                    self.checks.extend(payload.checks().into_iter().map(|check| (package, check)));
                    return Ok((jobs, State::Package(package + 1)));
                };
                let node = self.plan.contents.get((package, member.file));
                let node = node.filter(|node| !self.shared.contains(node));
                file = node.filter(|_| member.size > 0).map(|node| (node, member.size));
                if file.is_none() {
                    self.progress.advance(member.size);
                }
                continue;
            };
            let mut content = vec![0; left.min(writer.segment() as u64) as usize];
            let mut filled = 0;
            while filled < content.len() {
                let read = payload.read(&mut content[filled..]).map_err(wrong)?;
                if read == 0 {
                    return Err(Error::Protocol);
                }
                filled += read;
            }
            self.progress.advance(filled as u64);
            let left = left - filled as u64;
            let job = Job::new(writer, node, content, left);
            gathered += job.weight();
            jobs.push(job);
            file = (left > 0).then_some((node, left));
        }
        Ok((jobs, State::Reading { package, payload, file }))
    }
}
