//! `sysext-composer pack`: a folder to an image.

mod folder;
mod source;

use std::collections::BTreeMap;

use anyhow::Result;
use indicatif::ProgressBar;
use sysext::erofs::{Job, NodeId, Profile, Writer};

use crate::output::Output;
use crate::terminal::{Terminal, bytes};
use crate::workers::Workers;
use crate::{Outcome, args, interrupt};
use folder::Folder;
use source::{Pieces, Source};

/// Bytes of small files that stay in memory once they have been read to find those that are equal.
const KEPT: u64 = 32 << 20;

pub(crate) fn run(args: &args::Pack, terminal: &Terminal) -> Result<Outcome> {
    let options = args.storage.options()?;
    let Folder { tree, files } = Folder::scan(&args.dir, args.source_date_epoch)?;
    let entries = tree.len();
    let content: u64 = files.iter().map(|file| file.size).sum();
    let mut writer = Writer::new(tree, options)?;
    let files = share(&mut writer, files)?;
    let output = Output::new(&args.output)?;
    let bar = terminal.progress(files.iter().map(|file| file.size).sum());
    bar.set_message("Packing");
    let workers = Workers::new(args.storage.workers);
    // Nothing is read while jobs run, so several cores get more of it; but a writer of fragments gathers content, too.
    let batch = if options.profile == Profile::Small { 1 } else { 2 } * writer.batch();
    let (jobs, gathered, spare) = (Vec::new(), 0, Vec::new());
    let mut packing = Packing { writer, workers, output, bar, batch, jobs, gathered, spare };
    files.into_iter().try_for_each(|file| packing.file(file))?;
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

/// Finds files of equal content and lets them share it. Gives those that are to be packed.
fn share(writer: &mut Writer, files: Vec<Source>) -> Result<Vec<Source>> {
    let mut sizes = BTreeMap::<u64, usize>::new();
    for file in &files {
        *sizes.entry(file.size).or_default() += 1;
    }
    let mut alike = BTreeMap::<(u64, u128), usize>::new();
    let mut kept = Vec::<Source>::with_capacity(files.len());
    let mut room = KEPT;
    for mut file in files.into_iter().filter(|file| file.size > 0) {
        interrupt::check()?;
        if sizes[&file.size] > 1 {
            if file.size <= room.min(Pieces::SIZE) {
                file.keep_content()?;
            }
            let hash = file.hash()?;
            if let Some(&first) = alike.get(&(file.size, hash)) {
                let first = &kept[first];
                if file.has_content_of(first)? {
                    writer.share(file.node, first.node)?;
                    continue;
                }
            }
            alike.entry((file.size, hash)).or_insert(kept.len());
            room -= file.content.as_ref().map_or(0, Vec::len) as u64;
        }
        kept.push(file);
    }
    Ok(kept)
}

/// An image in the making.
struct Packing {
    writer: Writer,
    workers: Workers,
    output: Output,
    bar: ProgressBar,
    /// Bytes of content that are gathered before they are compressed.
    batch: usize,
    /// What is to be compressed next, and its bytes.
    jobs: Vec<Job>,
    gathered: usize,
    /// Memory that was written and may be read into again: fresh memory costs more than the copy into it.
    spare: Vec<Vec<u8>>,
}

impl Packing {
    /// Gathers the content of a file and compresses what is gathered once it is enough.
    fn file(&mut self, mut file: Source) -> Result<()> {
        if let Some(content) = file.content.take() {
            return self.gather(file.node, content);
        }
        let mut pieces = Pieces::new(&file)?;
        while pieces.left > 0 {
            interrupt::check()?;
            let mut content = self.spare.pop().unwrap_or_default();
            pieces.read(self.writer.segment() as u64, &mut content)?;
            self.gather(file.node, content)?;
        }
        Ok(())
    }

    /// Gathers a piece of a file.
    fn gather(&mut self, node: NodeId, content: Vec<u8>) -> Result<()> {
        self.gathered += content.len();
        self.jobs.push(Job::new(&self.writer, node, content));
        if self.gathered >= self.batch { self.compress() } else { Ok(()) }
    }

    /// Compresses what is gathered and writes what comes of it.
    fn compress(&mut self) -> Result<()> {
        let jobs = std::mem::take(&mut self.jobs);
        self.run(jobs)?;
        self.bar.inc(std::mem::take(&mut self.gathered) as u64);
        self.run_gathered(false)
    }

    /// Compresses and writes what the writer gathered.
    fn run_gathered(&mut self, last: bool) -> Result<()> {
        while let jobs = self.writer.jobs(last)
            && !jobs.is_empty()
        {
            self.run(jobs)?;
        }
        Ok(())
    }

    fn run(&mut self, jobs: Vec<Job>) -> Result<()> {
        let segment = self.writer.segment();
        for packed in self.workers.run(jobs) {
            self.writer.add(packed)?;
            for write in self.writer.writes() {
                self.output.write(&write)?;
                if write.bytes.capacity() >= segment && self.spare.len() < self.batch / segment {
                    self.spare.push(write.bytes);
                }
            }
        }
        Ok(())
    }

    /// Writes the end of the image. Gives its size in bytes.
    fn finish(mut self) -> Result<u64> {
        self.compress()?;
        self.run_gathered(true)?;
        let finished = self.writer.finish()?;
        finished.writes.iter().try_for_each(|write| self.output.write(write))?;
        self.bar.finish_and_clear();
        self.output.finish()?;
        Ok(finished.size)
    }
}
