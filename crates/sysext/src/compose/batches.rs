//! Batches of jobs: what is out at the host, and when the writer gets what came of it.

use std::collections::VecDeque;
use std::io::Read;

use erofs::{Job, Packed, Writer};

use super::{Compose, State};
use crate::error::Error;

/// Batches that may be out while the next is gathered, where that shapes no image.
const AHEAD: usize = 1;

/// Batches in the order in which the host gets their jobs and the writer what came of them.
#[derive(Debug, Default)]
pub(super) struct Batches(VecDeque<Batch>);

#[derive(Debug)]
struct Batch {
    /// Whether it is content that was read, of which the writer may gather what comes back.
    is_read: bool,
    state: Jobs,
}

/// Jobs that the host gets next, or that it has, or what came of them.
#[derive(Debug)]
enum Jobs {
    Due(Vec<Job>),
    Out,
    Back(Vec<Packed>),
}

impl Batches {
    /// Has jobs go to the host, if there are any.
    pub(super) fn push(&mut self, jobs: Vec<Job>, is_read: bool) {
        if !jobs.is_empty() {
            self.0.push_back(Batch { is_read, state: Jobs::Due(jobs) });
        }
    }

    /// Whether the host has not all of them.
    pub(super) fn are_due(&self) -> bool {
        self.0.back().is_some_and(|batch| matches!(batch.state, Jobs::Due(_)))
    }

    /// The jobs that go to the host now.
    pub(super) fn issue(&mut self) -> Option<Vec<Job>> {
        let due = self.0.iter_mut().find(|batch| matches!(batch.state, Jobs::Due(_)))?;
        match std::mem::replace(&mut due.state, Jobs::Out) {
            Jobs::Due(jobs) => Some(jobs),
            _ => None,
        }
    }

    /// Takes what came of the first that is out.
    pub(super) fn put(&mut self, results: Vec<Packed>) -> Result<(), Error> {
        let out = self.0.iter_mut().find(|batch| matches!(batch.state, Jobs::Out));
        out.ok_or(Error::Protocol)?.state = Jobs::Back(results);
        Ok(())
    }

    /// What came of the first, if it is back.
    fn pop(&mut self) -> Option<Vec<Packed>> {
        match self.0.pop_front_if(|batch| matches!(batch.state, Jobs::Back(_)))?.state {
            Jobs::Back(results) => Some(results),
            _ => None,
        }
    }

    fn have_read(&self) -> bool {
        self.0.iter().any(|batch| batch.is_read)
    }
}

impl<R: Read> Compose<R> {
    /// Whether results must come before anything else can be done.
    pub(super) fn must_wait(&self) -> bool {
        match self.state {
            State::Texts(..) | State::Package(_) | State::Reading { .. } | State::Flush => {
                let ahead = self.writer.as_ref().and_then(Writer::ahead);
                self.batches.0.len() > ahead.unwrap_or(AHEAD)
            }
            State::Settle => self.jobs.is_empty() && self.batches.have_read(),
            State::Finish => !self.batches.0.is_empty(),
            _ => false,
        }
    }

    /// Gives the writer the results of the first batch, if they are there. Where that shapes the image it must not depend on
    /// when the host is done, so it is done where they are waited for.
    pub(super) fn settle(&mut self) -> Result<bool, Error> {
        let must_wait = self.must_wait();
        let Some(writer) = &mut self.writer else { return Ok(false) };
        let is_time = must_wait || writer.ahead().is_none();
        let results = if is_time { self.batches.pop() } else { None };
        let Some(results) = results else { return Ok(false) };
        for packed in results {
            writer.add(packed)?;
        }
        self.writes.extend(writer.writes());
        Ok(true)
    }

    /// Has a batch of jobs that were read go to the host, or of what the writer gathered, if there is one.
    pub(super) fn enqueue(&mut self) -> bool {
        let (is_all, is_last) =
            (matches!(self.state, State::Settle), matches!(self.state, State::Flush));
        if is_all || self.has_batch() {
            self.weight = 0;
            self.batches.push(std::mem::take(&mut self.jobs), true);
        } else if let Some(writer) = &mut self.writer {
            self.batches.push(writer.jobs(is_last), false);
        }
        self.batches.are_due()
    }

    /// Whether the jobs that were read are a batch.
    pub(super) fn has_batch(&self) -> bool {
        self.writer.as_ref().is_some_and(|writer| self.weight >= writer.batch())
    }
}
