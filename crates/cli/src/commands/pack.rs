//! `sysext-composer pack`: a folder to an image.

mod files;
mod folder;
mod source;

use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::Result;
use indicatif::ProgressBar;
use sysext::erofs::{Job, NodeId, Profile, Tree, Workspace, Writer};

use crate::output::Output;
use crate::terminal::{Terminal, bytes};
use crate::workers::Workers;
use crate::{Outcome, args, interrupt};
use files::{Files, Place};
use folder::Folder;
use source::{Pieces, Source};

/// Bytes of small files that stay in memory once they have been read to find those that are equal.
const KEPT: u64 = 32 << 20;
/// Bytes that each takes beside its content.
const PER_FILE: u64 = 128;

pub(crate) fn run(args: &args::Pack, terminal: &Terminal) -> Result<Outcome> {
    let options = args.storage.options()?;
    let Folder { tree, mut files } = Folder::scan(&args.dir, args.source_date_epoch)?;
    let entries = tree.len();
    let content = files.size(&tree);
    let mut writer = Writer::new(tree, options)?;
    share(&mut writer, &mut files)?;
    let output = Output::new(&args.output)?;
    let bar = terminal.progress(files.size(writer.tree()));
    bar.set_message("Packing");
    let workers = Workers::new(args.storage.workers);
    let ahead = match options.profile {
        // It is still in the cache when it is written.
        Profile::None => 0,
        _ => writer.ahead().unwrap_or(workers.count()),
    };
    let (jobs, weight, spare) = (Vec::new(), 0, Vec::new());
    let here = Workspace::default();
    let mut packing =
        Packing { writer, workers, here, output, bar, ahead, read: 0, jobs, weight, spare };
    for place in files.take() {
        let file = files.source(place, packing.writer.tree());
        files.forget(file.node);
        packing.file(file)?;
    }
    let size = packing.finish()?;
    if terminal.json {
        terminal.result(&serde_json::json!({
            "image": args.output, "size": size, "entries": entries, "content_size": content,
        }));
    } else {
        let (before, after) = (bytes(content), bytes(size));
        println!(
            "{}: {entries} entries, {after} ({before} before compression)",
            args.output.display()
        );
    }
    Ok(Outcome::Done)
}

/// Finds files of equal content and lets them share it. Leaves those that are to be packed.
fn share(writer: &mut Writer, files: &mut Files) -> Result<()> {
    let mut all = files.take();
    all.retain(|place| place.size(writer.tree()) > 0);
    let mut same = hashes(&all, files, writer.tree())?;
    same.sort_unstable();
    let mut is_shared = vec![false; all.len()];
    for same in same.chunk_by(|one, other| (one.size, one.hash) == (other.size, other.hash)) {
        let [first, others @ ..] = same else { continue };
        if others.is_empty() {
            continue;
        }
        let first = files.source(all[first.nth], writer.tree());
        for other in others {
            interrupt::check()?;
            let file = files.source(all[other.nth], writer.tree());
            if file.has_content_of(&first)? {
                writer.share(file.node, first.node)?;
                files.forget(file.node);
                is_shared[other.nth] = true;
            }
        }
    }
    let mut is_shared = is_shared.into_iter();
    all.retain(|_| is_shared.next() == Some(false));
    files.set(all);
    Ok(())
}

/// A file that may have the content of another, in the order in which those that do come together.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
struct Hashed {
    size: u64,
    hash: u64,
    nth: usize,
}

/// The hashes of files that have the size of another. What was read of small ones is kept.
fn hashes(all: &[Place], files: &mut Files, tree: &Tree<u64>) -> Result<Vec<Hashed>> {
    let mut sizes = BTreeMap::<u64, usize>::new();
    all.iter().for_each(|place| *sizes.entry(place.size(tree)).or_default() += 1);
    sizes.retain(|_, count| *count > 1);
    keep_smallest(&mut sizes);
    let mut hashes = Vec::new();
    for (nth, place) in all.iter().enumerate() {
        let size = place.size(tree);
        let Some(kept) = sizes.get_mut(&size) else { continue };
        interrupt::check()?;
        let mut file = files.source(*place, tree);
        if *kept > 0 {
            *kept -= 1;
            file.keep_content()?;
            files.keep(&file);
        }
        hashes.push(Hashed { size, hash: file.hash()?, nth });
    }
    Ok(hashes)
}

/// Takes for how many files there are of each size how many of them are kept. The smallest are: the more files, the fewer are
/// opened twice.
fn keep_smallest(sizes: &mut BTreeMap<u64, usize>) {
    let mut room = KEPT;
    for (&size, count) in sizes {
        let weight = size + PER_FILE;
        let fit = if size <= Pieces::SIZE { room / weight } else { 0 };
        *count = (*count).min(fit as usize);
        room -= weight * *count as u64;
    }
}

/// An image in the making.
struct Packing {
    writer: Writer,
    workers: Workers,
    /// For what is no work for them.
    here: Workspace,
    output: Output,
    bar: ProgressBar,
    /// Batches of jobs that are compressed while the next is read, or gathered by the writer.
    ahead: usize,
    /// How many of them come back until all do that were read: the writer may gather what comes of those.
    read: usize,
    /// What is to be compressed next, and its weight.
    jobs: Vec<Job>,
    weight: usize,
    /// Memory that was written and may be read into again: fresh memory costs more than the copy into it.
    spare: Vec<Vec<u8>>,
}

impl Packing {
    /// Gathers the content of a file and compresses what is gathered once it is enough.
    fn file(&mut self, mut file: Source) -> Result<()> {
        if let Some(content) = file.content.take() {
            return self.gather(file.node, Rc::unwrap_or_clone(content), 0);
        }
        let mut pieces = Pieces::new(&file)?;
        while pieces.left > 0 {
            interrupt::check()?;
            let mut content = self.spare.pop().unwrap_or_default();
            pieces.read(self.writer.segment() as u64, &mut content)?;
            self.gather(file.node, content, pieces.left)?;
        }
        Ok(())
    }

    /// Gathers a piece of a file, behind which so many bytes are left.
    fn gather(&mut self, node: NodeId, content: Vec<u8>, left: u64) -> Result<()> {
        let (size, job) = (content.len() as u64, Job::new(&self.writer, node, content, left));
        self.bar.inc(size);
        let Some(job) = self.writer.gather(job, &mut self.here)? else {
            return self.compress_gathered(false);
        };
        self.weight += job.weight();
        self.jobs.push(job);
        if self.weight >= self.writer.segment() { self.compress() } else { Ok(()) }
    }

    /// Begins to compress what is gathered here, then what the writer gathered.
    fn compress(&mut self) -> Result<()> {
        self.weight = 0;
        let jobs = std::mem::take(&mut self.jobs);
        if !jobs.is_empty() {
            self.read = self.workers.out() + 1;
            self.begin(jobs)?;
        }
        self.compress_gathered(false)
    }

    /// Begins to compress what the writer gathered.
    fn compress_gathered(&mut self, last: bool) -> Result<()> {
        while let jobs = self.writer.jobs(last)
            && !jobs.is_empty()
        {
            self.begin(jobs)?;
        }
        Ok(())
    }

    fn begin(&mut self, jobs: Vec<Job>) -> Result<()> {
        self.workers.begin(jobs);
        self.write(self.ahead)
    }

    /// Writes what comes of the batches that are out, but for so many that were begun last.
    fn write(&mut self, left: usize) -> Result<()> {
        let segment = self.writer.segment();
        while self.workers.out() > left {
            self.read = self.read.saturating_sub(1);
            for packed in self.workers.wait() {
                self.writer.add(packed)?;
                for write in self.writer.writes() {
                    self.output.write(&write)?;
                    if write.bytes.capacity() >= segment && self.spare.len() <= self.ahead {
                        self.spare.push(write.bytes);
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes the end of the image. Gives its size in bytes.
    fn finish(mut self) -> Result<u64> {
        self.compress()?;
        self.write(self.workers.out() - self.read)?;
        self.compress_gathered(true)?;
        self.write(0)?;
        let mut written = Ok(());
        let finished = self.writer.finish(|write| {
            if written.is_ok() {
                written = self.output.write(&write);
            }
        })?;
        written?;
        self.bar.finish_and_clear();
        self.output.finish()?;
        Ok(finished.size)
    }
}
