//! Folders to images, against mkfs.erofs with the options that each profile competes with.
//!
//! `MKFS_EROFS` names another mkfs.erofs than the one of the path, with arguments if need be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Cost, composer, measure, mkfs};
use crate::shell::{output, say, target};

/// Profiles, and the options that they are held against.
const PROFILES: [(&str, &[&str]); 4] = [
    ("none", &[]),
    ("compat", &["-zlz4"]),
    ("default", &["-zlz4hc,9", "-C65536", "-Eztailpacking"]),
    ("small", &["-zlz4hc,12", "-C65536", "-Efragments,ztailpacking"]),
];
/// Runs of each side, first and second in turn; the one with the least CPU time counts. Memory that was just freed costs
/// less than memory that a virtual machine must get anew, and whoever comes second finds what the first left.
const RUNS: usize = 4;
/// Seconds of a run in which this is lost.
const LONG: f64 = 5.0;
/// Runs of each side where one takes so long.
const LONG_RUNS: usize = 2;

/// Compares on the folders given, or on what every machine has: programs, text, and both.
pub(super) fn run(folders: &[&str]) -> Result<()> {
    let composer = composer()?;
    let (program, first) = mkfs()?;
    let version = Command::new(&program).args(&first).arg("-V").output().with_context(|| {
        format!("cannot run {program}: install erofs-utils, or name it in MKFS_EROFS")
    })?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let has_workers = version.contains("1.8") || version.contains("1.9");
    say(&format!("Against {}", version.lines().next().unwrap_or("mkfs.erofs")));
    let scratch = target().join("bench");
    fs::create_dir_all(&scratch)?;
    let folders = match folders {
        [] => defaults(&scratch)?,
        given => given.iter().map(|folder| Ok(fs::canonicalize(folder)?)).collect::<Result<_>>()?,
    };
    for folder in folders {
        println!("\n{}", folder.display());
        println!(
            "{:10} {:>12} {:>12} {:>6} | {:>7} {:>7} {:>6} | {:>15} {:>15} | {:>9}",
            "profile",
            "bytes",
            "mkfs",
            "ratio",
            "CPU s",
            "mkfs",
            "ratio",
            "wall 1, 2",
            "mkfs",
            "MiB"
        );
        for (profile, options) in PROFILES {
            let image = scratch.join("image.raw");
            let ours = |workers: usize| {
                let mut command = Command::new(&composer);
                command.args(["pack", "--profile", profile, "--workers", &workers.to_string()]);
                command.arg("-o").arg(&image).arg(&folder);
                command
            };
            let theirs = |workers: usize| {
                let mut command = Command::new(&program);
                command.args(&first).arg("--quiet").args(options);
                if has_workers {
                    command.arg(format!("--workers={workers}"));
                }
                command.arg(&image).arg(&folder);
                command
            };
            print_row(profile, &image, &ours, &theirs)?;
        }
    }
    Ok(())
}

/// One side: the least that it took with one worker and with two, and the bytes of its image.
struct Side {
    costs: [Cost; 2],
    bytes: u64,
}

/// Runs both sides in turn and prints what they took.
fn print_row(
    profile: &str,
    image: &Path,
    ours: &dyn Fn(usize) -> Command,
    theirs: &dyn Fn(usize) -> Command,
) -> Result<()> {
    let mut best = [[None; 2]; 2];
    let mut bytes = [0; 2];
    for run in 0..RUNS {
        if run >= LONG_RUNS && best[0][0].as_ref().is_some_and(|cost: &Cost| cost.wall > LONG) {
            break;
        }
        let mut sides = [(0, ours), (1, theirs)];
        sides.rotate_left(run % 2);
        for (side, command) in sides {
            for workers in [1, 2] {
                let _ = fs::remove_file(image);
                Cost::best(&mut best[side][workers - 1], measure(&command(workers))?);
                bytes[side] = fs::metadata(image)?.len();
            }
        }
    }
    let mut sides = best.into_iter().zip(bytes).map(|(best, bytes)| {
        let [one, two] = best;
        Some(Side { costs: [one?, two?], bytes })
    });
    let (Some(Some(ours)), Some(Some(theirs))) = (sides.next(), sides.next()) else {
        anyhow::bail!("nothing was measured");
    };
    // A second worker takes some CPU time of its own; the comparison is of one.
    let ([a, a2], [b, b2]) = (ours.costs, theirs.costs);
    println!(
        "{profile:10} {:12} {:12} {:6.3} | {:7.2} {:7.2} {:6.2} | {:7.2} {:7.2} {:7.2} {:7.2} | {:4.0} {:4.0}",
        ours.bytes,
        theirs.bytes,
        ours.bytes as f64 / theirs.bytes as f64,
        a.cpu(),
        b.cpu(),
        a.cpu() / b.cpu(),
        a.wall,
        a2.wall,
        b.wall,
        b2.wall,
        a.memory,
        b.memory,
    );
    Ok(())
}

/// Programs: the libraries of the Rust toolchain. Text: the documentation and sources that come with it. Both.
fn defaults(scratch: &Path) -> Result<Vec<PathBuf>> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let sysroot = Path::new(sysroot.trim());
    let programs = scratch.join("programs");
    if !programs.exists() {
        fs::create_dir_all(&programs)?;
        for entry in fs::read_dir(sysroot.join("lib"))?.chain(fs::read_dir(sysroot.join("bin"))?) {
            let entry = entry?;
            if entry.path().is_file() {
                fs::copy(entry.path(), programs.join(entry.file_name()))?;
            }
        }
    }
    let text = sysroot.join("share");
    let text = if text.exists() { text } else { PathBuf::from("/usr/share/doc") };
    Ok(vec![programs, text, PathBuf::from("/usr/share")])
}
