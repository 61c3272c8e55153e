//! Packages to an image, against the tools that we replace.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use rpm::{Compression, NewFile, NewPackage};

use super::{Cost, composer, measure};
use crate::setup;
use crate::shell::{find, output, say, target};

/// Content of the package: what a browser or a compiler has.
const CONTENT: usize = 250 << 20;
/// Runs of each side; the fastest counts.
const RUNS: usize = 3;
pub(super) fn run() -> Result<()> {
    let missing = setup::oracles()?;
    if !missing.is_empty() {
        say(&format!("Missing: {}", missing.join(", ")));
    }
    let composer = composer()?;
    let scratch = target().join("bench");
    fs::create_dir_all(&scratch)?;
    println!(
        "{:34} {:>8} {:>8} {:>8} {:>9} {:>10}",
        "", "user s", "sys s", "CPU s", "peak MiB", "bytes"
    );
    for (name, program, args) in
        [("zstd", "zstd", "-19 -T0"), ("xz", "xz", "-6 -T0"), ("gzip", "gzip", "-9")]
    {
        if find(program).is_none() {
            println!("skipped: {program} is not installed");
            continue;
        }
        let package = scratch.join(format!("bench-{name}.rpm"));
        if !package.exists() {
            say(&format!("Making a package of {} MiB with {program} {args}", CONTENT >> 20));
            fs::write(&package, make_package(name, program, args)?)?;
        }
        compare(name, &composer, &package, &scratch)?;
    }
    Ok(())
}

/// Both sides on one package.
fn compare(name: &str, composer: &Path, package: &Path, scratch: &Path) -> Result<()> {
    let (ours, theirs) = (scratch.join("ours.raw"), scratch.join("theirs.raw"));
    let tree = scratch.join("tree");
    let script = format!(
        "set -e; rm -rf {tree}; mkdir {tree}; cd {tree}; rpm2cpio {package} | cpio --quiet -idm; \
         mkfs.erofs --quiet -zlz4 {image} {tree}",
        tree = tree.display(),
        package = package.display(),
        image = theirs.display(),
    );
    let (mut best_ours, mut best_theirs) = (None, None);
    for _ in 0..RUNS {
        let mut compose = Command::new(composer);
        compose
            .args(["compose", "--name", "bench", "--release", "43", "--arch", "x86_64", "-o"])
            .arg(&ours)
            .arg(package);
        Cost::best(&mut best_ours, measure(&compose)?);
        let mut shell = Command::new("bash");
        shell.args(["-c", &script]);
        Cost::best(&mut best_theirs, measure(&shell)?);
    }
    let (a, b) = best_ours.zip(best_theirs).context("nothing was measured")?;
    let size = |path: &Path| fs::metadata(path).map(|metadata| metadata.len());
    println!("{name}: a package of {} MB", size(package)? / 1_000_000);
    print_row("  sysext-composer compose", a, size(&ours)?);
    print_row("  rpm2cpio | cpio, mkfs.erofs -zlz4", b, size(&theirs)?);
    let ratio = a.cpu() / b.cpu();
    println!(
        "  ratio: {ratio:.2} of the CPU time, {:.3} of the size",
        size(&ours)? as f64 / size(&theirs)? as f64
    );
    fs::remove_dir_all(tree)?;
    Ok(())
}

fn print_row(what: &str, Cost { user, system, memory, .. }: Cost, size: u64) {
    println!("{what:34} {user:8.2} {system:8.2} {:8.2} {memory:9.0} {size:10}", user + system);
}

/// A package of the Rust toolchain's own files: programs, libraries, text.
fn make_package(name: &str, program: &str, args: &str) -> Result<Vec<u8>> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let mut below = vec![PathBuf::from(sysroot.trim())];
    let mut paths = Vec::new();
    while let Some(folder) = below.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.is_symlink() {
                below.push(path);
            } else if path.is_file() {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let mut package = NewPackage::new("bench", "1.0", "1", "x86_64");
    let mut total = 0;
    for path in paths {
        let content = fs::read(&path)?;
        if total + content.len() > CONTENT {
            continue;
        }
        total += content.len();
        let path = format!("/usr/lib/bench/{}", path.strip_prefix(sysroot.trim())?.display());
        package.files.push(NewFile::file(&path, 0o644, content));
    }
    let compress = |archive: &[u8]| pipe(program, args, archive).unwrap_or_default();
    Ok(package.write(&Compression::Other(name, &compress)))
}

/// Sends bytes through a program.
fn pipe(program: &str, args: &str, input: &[u8]) -> Result<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(args.split(' ')).arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take().context("no pipe")?;
    let output = std::thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.write_all(input));
        let output = child.wait_with_output();
        writer.join().map_err(|_| anyhow::anyhow!("the writer died"))??;
        Ok::<_, anyhow::Error>(output?)
    })?;
    Ok(output.stdout)
}
