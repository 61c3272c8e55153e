//! `sysext-composer pack`: a folder to an image.

mod folder;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};

use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;
use sysext::erofs::{Job, Writer};
use twox_hash::xxhash3_128;

use crate::output::Output;
use crate::terminal::{Terminal, bytes};
use crate::workers::Workers;
use crate::{Outcome, args, interrupt};
use folder::{Folder, Source};

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
    let mut packing =
        Packing { writer, workers, output, bar, jobs: Vec::new(), gathered: 0, spare: Vec::new() };
    files.iter().try_for_each(|file| packing.file(file))?;
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
    for file in files.into_iter().filter(|file| file.size > 0) {
        interrupt::check()?;
        if sizes[&file.size] > 1 {
            let hash = hash(&file).with_context(|| unreadable(&file))?;
            if let Some(&first) = alike.get(&(file.size, hash)) {
                let first = &kept[first];
                if is_equal(&file, first).with_context(|| unreadable(&file))? {
                    writer.share(file.node, first.node)?;
                    continue;
                }
            }
            alike.entry((file.size, hash)).or_insert(kept.len());
        }
        kept.push(file);
    }
    Ok(kept)
}

/// A hash that is fast and easy to collide with: what has the same is compared.
fn hash(file: &Source) -> Result<u128> {
    let (mut pieces, mut hash) = (Pieces::new(file)?, xxhash3_128::Hasher::new());
    while let Some(piece) = pieces.next()? {
        hash.write(piece);
    }
    Ok(hash.finish_128())
}

fn is_equal(one: &Source, other: &Source) -> Result<bool> {
    let (mut one, mut other) = (Pieces::new(one)?, Pieces::new(other)?);
    loop {
        match (one.next()?, other.next()?) {
            (None, None) => return Ok(true),
            (Some(one), Some(other)) if one == other => {}
            _ => return Ok(false),
        }
    }
}

/// A file in pieces of one size, the last of which may be shorter.
struct Pieces {
    file: File,
    piece: Vec<u8>,
}

impl Pieces {
    /// Small enough to stay in the cache.
    const SIZE: u64 = 256 << 10;

    fn new(file: &Source) -> Result<Self> {
        let piece = Vec::with_capacity(file.size.min(Self::SIZE) as usize + 1);
        Ok(Self { file: open(file)?, piece })
    }

    fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.piece.clear();
        self.file.by_ref().take(Self::SIZE).read_to_end(&mut self.piece)?;
        Ok(Some(self.piece.as_slice()).filter(|piece| !piece.is_empty()))
    }
}

fn open(file: &Source) -> Result<File> {
    File::open(&file.path).with_context(|| format!("cannot open {}", file.path.display()))
}

fn unreadable(file: &Source) -> String {
    format!("cannot read {}", file.path.display())
}

/// An image in the making.
struct Packing {
    writer: Writer,
    workers: Workers,
    output: Output,
    bar: ProgressBar,
    /// What is to be compressed next, and its bytes.
    jobs: Vec<Job>,
    gathered: usize,
    /// Memory that was written and may be read into again: fresh memory costs more than the copy into it.
    spare: Vec<Vec<u8>>,
}

impl Packing {
    /// Gathers the content of a file and compresses what is gathered once it is enough.
    fn file(&mut self, file: &Source) -> Result<()> {
        let mut from = open(file)?;
        let mut left = file.size;
        while left > 0 {
            interrupt::check()?;
            let want = left.min(self.writer.segment() as u64);
            let mut content = self.spare.pop().unwrap_or_default();
            content.clear();
            content.reserve_exact(want as usize);
            let read = from.by_ref().take(want).read_to_end(&mut content);
            read.with_context(|| unreadable(file))?;
            if (content.len() as u64) < want {
                bail!("{} became shorter while it was read", file.path.display());
            }
            left -= want;
            self.gathered += content.len();
            self.jobs.push(Job::new(&self.writer, file.node, content));
            if self.gathered >= self.batch() {
                self.compress()?;
            }
        }
        Ok(())
    }

    /// Content that is gathered before it is compressed: nothing is read meanwhile, so several cores get all of it.
    fn batch(&self) -> usize {
        2 * self.writer.batch()
    }

    /// Compresses what is gathered and writes what comes of it.
    fn compress(&mut self) -> Result<()> {
        let jobs = std::mem::take(&mut self.jobs);
        self.run(jobs)?;
        self.bar.inc(std::mem::take(&mut self.gathered) as u64);
        let jobs = self.writer.jobs(false);
        self.run(jobs)
    }

    fn run(&mut self, jobs: Vec<Job>) -> Result<()> {
        let (segment, batch) = (self.writer.segment(), self.batch());
        for packed in self.workers.run(jobs) {
            self.writer.add(packed)?;
            for write in self.writer.writes() {
                self.output.write(&write)?;
                if write.bytes.capacity() >= segment && self.spare.len() < batch / segment {
                    self.spare.push(write.bytes);
                }
            }
        }
        Ok(())
    }

    /// Writes the end of the image. Gives its size in bytes.
    fn finish(mut self) -> Result<u64> {
        self.compress()?;
        let jobs = self.writer.jobs(true);
        self.run(jobs)?;
        let finished = self.writer.finish()?;
        finished.writes.iter().try_for_each(|write| self.output.write(write))?;
        self.bar.finish_and_clear();
        self.output.finish()?;
        Ok(finished.size)
    }
}
