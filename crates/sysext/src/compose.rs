//! From a plan to an image, as steps: the core says what is to be done, the host does it.

mod batches;
mod gather;
mod report;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read;
use std::rc::Rc;

use erofs::{Job, Meta, NodeId, Packed, Tree, Workspace, Write, Writer};
use rpm::{Check, Digests, Found, Payload, Sum, Ticket, hex};

use crate::error::Error;
use crate::path::display;
use crate::plan::Plan;
use batches::Batches;
pub use report::{Phase, Progress, Report};

/// Bytes of the finished image that are read at once for its digest.
const READ: usize = 1 << 20;

/// What the host is to do next.
#[derive(Debug)]
pub enum Step {
    /// Call [`Compose::package`] with the package of that index in [`Plan::packages`], from its first byte on.
    Package(usize),
    /// Run the jobs, anywhere and in any order, and call [`Compose::compressed`] with the results in this order. A host
    /// with several cores may go on in the meantime.
    Compress(Vec<Job>),
    /// Call [`Compose::compressed`] first: there is nothing else to do. Hosts that do so at once are never told.
    Wait,
    /// Write the bytes into the image.
    Write(Write),
    /// Call [`Compose::image`] with these bytes of the image.
    Read {
        /// Byte offset.
        at: u64,
        /// Number of bytes.
        length: usize,
    },
    /// Call [`Compose::digest`] with the digest of that number, which one of the host's [`Digests`] gave. Hosts without
    /// their own are never told.
    Digest(Ticket),
    /// The image is complete.
    Done(Report),
}

/// Makes one image. `R` is how the host brings packages.
#[derive(Debug)]
pub struct Compose<R: Read> {
    plan: Plan,
    /// Files whose content another file of the image brings.
    shared: BTreeSet<NodeId>,
    state: State<R>,
    writer: Option<Writer>,
    /// For what is no work for the host.
    here: Workspace,
    /// Jobs that are gathered for a batch, and their weight.
    jobs: Vec<Job>,
    weight: usize,
    batches: Batches,
    writes: VecDeque<Write>,
    /// The host's own digests, if it has them.
    digests: Option<Rc<dyn Digests>>,
    /// What it has yet to tell of a package, with the package's index.
    checks: VecDeque<(usize, Check)>,
    report: Report,
    progress: Progress,
}

#[derive(Debug)]
enum State<R: Read> {
    /// Content that no package has, first of all: which one, and how far it is.
    Texts(usize, usize),
    /// Waiting for a package.
    Package(usize),
    /// Reading one; what of a file did not fit into the last batch comes first in the next.
    Reading {
        package: usize,
        payload: Box<Payload<R>>,
        file: Option<(NodeId, u64)>,
    },
    /// All content is read; the writer may gather what comes back of it.
    Settle,
    /// What it gathered goes out.
    Flush,
    /// All is out.
    Finish,
    /// Reading the image back.
    Hashing {
        at: u64,
        sum: Sum,
    },
    /// The host has all of the image, and tells its digest.
    Digest(Ticket),
    Done,
}

impl<R: Read> Compose<R> {
    /// Starts to make the planned image.
    ///
    /// # Errors
    /// The plan has findings of severity error, or the tree cannot be written.
    pub fn new(mut plan: Plan) -> Result<Self, Error> {
        if plan.has_errors() {
            return Err(Error::PlanHasErrors);
        }
        if plan.incomplete {
            return Err(Error::Incomplete);
        }
        let options = plan.recipe.options();
        let report = Report {
            name: plan.recipe.name.clone(),
            file_name: plan.file_name(),
            size: 0,
            sha256: String::new(),
            files: plan.files(),
            content_size: plan.content_size(),
            packages: plan.packages.iter().map(rpm::Package::nevra).collect(),
            findings: plan.findings().to_vec(),
        };
        let files = plan.packages.iter().flat_map(|package| &package.files);
        let total =
            files.filter(|file| file.is_file()).map(|file| file.size).fold(0, u64::saturating_add);
        // The writer has it from here on.
        let tree = std::mem::replace(&mut plan.tree, Tree::new(Meta::default()));
        let mut writer = Writer::new(tree, options)?;
        let shared = share(&plan, &mut writer)?;
        Ok(Self {
            writer: Some(writer),
            shared,
            state: State::Texts(0, 0),
            here: Workspace::default(),
            jobs: Vec::new(),
            weight: 0,
            batches: Batches::default(),
            writes: VecDeque::new(),
            digests: None,
            checks: VecDeque::new(),
            report,
            progress: Progress { phase: Phase::Packing, done: 0, total },
            plan,
        })
    }

    /// Lets the host compute digests that it is faster at.
    #[must_use]
    pub fn with_digests(self, digests: Rc<dyn Digests>) -> Self {
        Self { digests: Some(digests), ..self }
    }

    /// How far composing has come.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// What to do next. After [`Step::Package`], [`Step::Read`], [`Step::Digest`] and [`Step::Wait`] the host answers
    /// first.
    ///
    /// # Errors
    /// A package cannot be read or is not what was planned, or the image cannot be written. The image so far is void.
    pub fn step(&mut self) -> Result<Step, Error> {
        loop {
            if let Some(write) = self.writes.pop_front() {
                return Ok(Step::Write(write));
            }
            if let Some(jobs) = self.batches.issue() {
                return Ok(Step::Compress(jobs));
            }
            if self.settle()? {
                continue;
            }
            if self.must_wait() {
                return Ok(Step::Wait);
            }
            if self.enqueue() {
                continue;
            }
            match std::mem::replace(&mut self.state, State::Done) {
                State::Texts(text, at) => self.state = self.gather_texts(text, at)?,
                state if let Some(ticket) = self.check(&state) => {
                    self.state = state;
                    return Ok(Step::Digest(ticket));
                }
                State::Package(index) if index < self.plan.packages.len() => {
                    self.state = State::Package(index);
                    return Ok(Step::Package(index));
                }
                State::Package(_) => self.state = State::Settle,
                State::Reading { package, payload, file } => {
                    self.state = self.gather(package, payload, file)?;
                }
                State::Settle => self.state = State::Flush,
                State::Flush => self.state = State::Finish,
                State::Finish => self.finish()?,
                State::Hashing { at, sum } if at < self.report.size => {
                    let length = (self.report.size - at).min(READ as u64);
                    self.progress =
                        Progress { phase: Phase::Hashing, done: at, total: self.report.size };
                    self.state = State::Hashing { at, sum };
                    return Ok(Step::Read { at, length: length as usize });
                }
                State::Hashing { sum, .. } => match sum.finish() {
                    Found::Digest(digest) => self.report.sha256 = hex(&digest),
                    Found::Ticket(ticket) => self.state = State::Digest(ticket),
                },
                State::Digest(ticket) => {
                    self.state = State::Digest(ticket);
                    return Ok(Step::Digest(ticket));
                }
                State::Done => return Ok(Step::Done(self.report.clone())),
            }
        }
    }

    /// The package that [`Step::Package`] asked for.
    ///
    /// # Errors
    /// It cannot be read, or is not the one that was planned. The image so far is void.
    pub fn package(&mut self, source: R) -> Result<(), Error> {
        let State::Package(index) = self.state else { return Err(Error::Protocol) };
        let planned = self.plan.packages.get_mut(index).ok_or(Error::Protocol)?;
        // From here on the payload has the list of files: of many, one is enough.
        let files = std::mem::take(&mut planned.files);
        let known = rpm::Package { files, ..planned.clone() };
        let wrong = |error| Error::Package { package: planned.nevra(), error };
        let payload = Payload::reopen(source, known, self.digests.clone()).map_err(wrong)?;
        let found = payload.package();
        if found.header_sha256 != planned.header_sha256 {
            return Err(Error::Changed { expected: planned.nevra(), found: found.nevra() });
        }
        self.state = State::Reading { package: index, payload: Box::new(payload), file: None };
        Ok(())
    }

    /// The results of [`Step::Compress`], in its order; of several, those of the first.
    ///
    /// # Errors
    /// No jobs are out. Results of others are an error of the next step.
    pub fn compressed(&mut self, packed: Vec<Packed>) -> Result<(), Error> {
        self.batches.put(packed)
    }

    /// The bytes that [`Step::Read`] asked for.
    ///
    /// # Errors
    /// Nothing was asked for.
    pub fn image(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let State::Hashing { at, sum } = &mut self.state else { return Err(Error::Protocol) };
        sum.update(bytes);
        *at += bytes.len() as u64;
        Ok(())
    }

    /// The digest that [`Step::Digest`] asked for.
    ///
    /// # Errors
    /// A package is not what it says, or nothing was asked for.
    pub fn digest(&mut self, found: &[u8]) -> Result<(), Error> {
        if let Some((package, check)) = self.checks.pop_front() {
            let wrong =
                |error| Error::Package { package: self.plan.packages[package].nevra(), error };
            return check.verify(found).map_err(wrong);
        }
        let State::Digest(_) = self.state else { return Err(Error::Protocol) };
        self.report.sha256 = hex(found);
        self.state = State::Done;
        Ok(())
    }

    /// The digest that must be known now. A host may compute while others go on, so it is asked late: for those of a
    /// package when the next but one begins, for all that are left when all else is done.
    fn check(&self, state: &State<R>) -> Option<Ticket> {
        let (package, check) = self.checks.front()?;
        let must = match state {
            State::Package(index) => package + 1 < *index,
            State::Digest(_) | State::Done => true,
            _ => false,
        };
        must.then_some(check.ticket)
    }

    /// Writes the end of the image and turns to its digest.
    fn finish(&mut self) -> Result<(), Error> {
        let writer = self.writer.take().ok_or(Error::Protocol)?;
        if let Some(node) = writer.missing()
            && let Some(((package, _), _)) = self.plan.contents.iter().find(|(_, id)| *id == node)
            && let Some((path, _)) = writer.tree().paths().find(|(_, id)| *id == node)
        {
            let package = self.plan.packages[package].nevra();
            return Err(Error::Missing { package, path: display(&path) });
        }
        let finished = writer.finish(|write| self.writes.push_back(write))?;
        self.report.size = finished.size;
        let sum = Sum::sha256(self.digests.as_deref(), finished.size);
        self.state = State::Hashing { at: 0, sum };
        Ok(())
    }
}

/// Lets files of equal digests share their content. Gives those that bring none of their own.
fn share(plan: &Plan, writer: &mut Writer) -> Result<BTreeSet<NodeId>, Error> {
    let (mut firsts, mut shared) = (BTreeMap::new(), BTreeSet::new());
    for ((package, file), node) in plan.contents.iter() {
        let file = &plan.packages[package].files[file];
        if file.size == 0 || file.digest.is_empty() {
            continue;
        }
        let content = (file.digest_algorithm, &file.digest, file.size);
        let first = *firsts.entry(content).or_insert(node);
        // Names of one hard link may each have brought the content.
        if first != node && !shared.contains(&node) {
            writer.share(node, first)?;
            shared.insert(node);
        }
    }
    Ok(shared)
}

#[cfg(test)]
mod tests;
