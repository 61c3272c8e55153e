//! Random reads from mounted images: ours next to that of mkfs.erofs with the same physical clusters. Needs root.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::{composer, mkfs};
use crate::shell::{self, output, say, target};

/// Profiles with the clusters of the options beside them.
const PROFILES: [(&str, &[&str], &[&str]); 3] = [
    ("compat", &[], &["-zlz4"]),
    ("default", &[], &["-zlz4hc,9", "-C65536", "-Eztailpacking"]),
    ("small", &["--pcluster", "64K"], &["-zlz4hc,12", "-C65536", "-Efragments,ztailpacking"]),
];
/// Bytes of a read.
const READ: usize = 4096;
/// Reads of a run.
const READS: usize = 5_000;
/// Runs of each side in turn; the fastest counts.
const RUNS: usize = 3;

/// Reads here and there in the files of a folder, as both have packed it.
pub(super) fn run(folder: &str) -> Result<()> {
    let composer = composer()?;
    let (mkfs, first) = mkfs()?;
    let scratch = target().join("bench");
    fs::create_dir_all(&scratch)?;
    let images = ["ours", "theirs"].map(|side| scratch.join(format!("reads-{side}.raw")));
    say(&format!("{READS} reads of {READ} bytes at random places of {folder}, caches dropped"));
    println!("{:10} {:>9} {:>9} {:>6}", "profile", "ours s", "mkfs s", "ratio");
    for (profile, more, options) in PROFILES {
        for image in &images {
            let _ = fs::remove_file(image);
        }
        let mut ours = Command::new(&composer);
        ours.args(["pack", "--profile", profile]).args(more).arg("-o").arg(&images[0]).arg(folder);
        output(&mut ours)?;
        let mut theirs = Command::new(&mkfs);
        shell::run(theirs.args(&first).arg("--quiet").args(options).arg(&images[1]).arg(folder))?;
        let mut best = [f64::INFINITY; 2];
        for _ in 0..RUNS {
            for (best, image) in best.iter_mut().zip(&images) {
                *best = best.min(read(image, &scratch.join("mounted"))?);
            }
        }
        let [ours, theirs] = best;
        println!("{profile:10} {ours:9.2} {theirs:9.2} {:6.2}", ours / theirs);
    }
    Ok(())
}

/// Seconds that the reads take on a freshly mounted image.
fn read(image: &Path, at: &Path) -> Result<f64> {
    fs::create_dir_all(at)?;
    let mut mount = Command::new("mount");
    shell::run(mount.args(["-t", "erofs", "-o", "loop,ro"]).arg(image).arg(at))?;
    let seconds = time(at);
    shell::run(Command::new("umount").arg(at))?;
    seconds
}

fn time(folder: &Path) -> Result<f64> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    let total: u64 = files.iter().map(|(_, blocks)| blocks).sum();
    if total == 0 {
        bail!("the folder has no file of {READ} bytes");
    }
    fs::write("/proc/sys/vm/drop_caches", "3").context("only root can drop caches")?;
    let mut state = 1_u64;
    let mut buffer = [0; READ];
    let start = Instant::now();
    for _ in 0..READS {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Each block of all files is as likely as any other.
        let mut block = (state >> 16) % total;
        let file = files.iter().find(|(_, blocks)| {
            let is_here = block < *blocks;
            block -= if is_here { 0 } else { *blocks };
            is_here
        });
        let (path, _) = file.context("the block is in a file")?;
        File::open(path)?.read_at(&mut buffer, block * READ as u64)?;
    }
    Ok(start.elapsed().as_secs_f64())
}

/// Files and their whole blocks, in the order of their names, which both images have.
fn collect(folder: &Path, files: &mut Vec<(PathBuf, u64)>) -> Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push((entry.path(), entry.metadata()?.len() / READ as u64));
        }
    }
    Ok(())
}
