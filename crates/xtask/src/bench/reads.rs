//! Reads from mounted images: ours next to those of mkfs.erofs with the same physical clusters. Needs root.

use std::collections::BTreeSet;
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
/// One folder of so many is listed and read whole.
const FOLDERS: usize = 7;
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
    say(&format!("and what the disk is asked for when one folder of {FOLDERS} is read whole"));
    println!(
        "{:10} {:>9} {:>9} {:>6} {:>9} {:>9} {:>6}",
        "profile", "ours s", "mkfs s", "ratio", "ours", "mkfs", "ratio"
    );
    for (profile, more, options) in PROFILES {
        for image in &images {
            let _ = fs::remove_file(image);
        }
        let mut ours = Command::new(&composer);
        ours.args(["pack", "--profile", profile]).args(more).arg("-o").arg(&images[0]).arg(folder);
        output(&mut ours)?;
        let mut theirs = Command::new(&mkfs);
        shell::run(theirs.args(&first).arg("--quiet").args(options).arg(&images[1]).arg(folder))?;
        let at = scratch.join("mounted");
        let mut best = [f64::INFINITY; 2];
        for _ in 0..RUNS {
            for (best, image) in best.iter_mut().zip(&images) {
                *best = best.min(mounted(image, &at, |_| time(&at))?);
            }
        }
        let [ours, theirs] = best;
        let seconds = format!("{ours:9.2} {theirs:9.2} {:6.2}", ours / theirs);
        let read = |image| mounted(image, &at, |device| requests(&at, device));
        let (ours, theirs) = (read(&images[0])?, read(&images[1])?);
        println!("{profile:10} {seconds} {ours:9} {theirs:9} {:6.2}", ours as f64 / theirs as f64);
    }
    Ok(())
}

/// Does something with a freshly mounted image, and its device. The device reads past the cache of the file that it is, as
/// systemd sees to (`SYSTEMD_LOOP_DIRECT_IO`): else what is read ahead of the image counts for more than the image.
fn mounted<T>(image: &Path, at: &Path, act: impl FnOnce(&str) -> Result<T>) -> Result<T> {
    fs::create_dir_all(at)?;
    let mut attach = Command::new("losetup");
    attach.args(["--find", "--show", "--read-only", "--direct-io=on"]).arg(image);
    let device = output(&mut attach)?;
    let device = device.trim();
    let mut mount = Command::new("mount");
    let mounted = shell::run(mount.args(["-t", "erofs", "-o", "ro", device]).arg(at));
    let result = mounted.and_then(|()| {
        let result = act(device);
        shell::run(Command::new("umount").arg(at))?;
        result
    });
    shell::run(Command::new("losetup").args(["--detach", device]))?;
    result
}

fn drop_caches() -> Result<()> {
    fs::write("/proc/sys/vm/drop_caches", "3").context("only root can drop caches")
}

/// How often the device is asked while folders here and there are listed and their files read.
fn requests(folder: &Path, device: &str) -> Result<u64> {
    let name = Path::new(device).file_name().context("a device has a name")?;
    let count = || -> Result<u64> {
        let counts = fs::read_to_string(Path::new("/sys/block").join(name).join("stat"))?;
        let first = counts.split_whitespace().next().context("the device counts reads")?;
        Ok(first.parse()?)
    };
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    let folders: BTreeSet<_> = files.iter().filter_map(|(path, _)| path.parent()).collect();
    drop_caches()?;
    let before = count()?;
    for folder in folders.into_iter().step_by(FOLDERS) {
        for (path, kind) in list(folder)? {
            if kind.is_file() {
                fs::read(path)?;
            }
        }
    }
    Ok(count()? - before)
}

fn time(folder: &Path) -> Result<f64> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    let total: u64 = files.iter().map(|(_, blocks)| blocks).sum();
    if total == 0 {
        bail!("the folder has no file of {READ} bytes");
    }
    drop_caches()?;
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

/// Files and their whole blocks, folder by folder in the order of their names, which both images have.
fn collect(folder: &Path, files: &mut Vec<(PathBuf, u64)>) -> Result<()> {
    for (path, kind) in list(folder)? {
        if kind.is_dir() {
            collect(&path, files)?;
        } else if kind.is_file() {
            let size = fs::metadata(&path)?.len();
            files.push((path, size / READ as u64));
        }
    }
    Ok(())
}

/// What a folder has, in the order of the names.
fn list(folder: &Path) -> Result<Vec<(PathBuf, fs::FileType)>> {
    let entries = fs::read_dir(folder)?.map(|entry| {
        let entry = entry?;
        Ok((entry.path(), entry.file_type()?))
    });
    let mut entries = entries.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(entries)
}
