//! Loading a repository of a whole release and choosing from it, against libsolv on the same data.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use rpm::repodata::open;

use super::{Cost, composer, measure};
use crate::shell::{cargo, find, output, target};
use crate::test::wasm_tests;

/// How often the packages are there, under other names: a release has some 70,000.
const COPIES: usize = 4;
const RUNS: usize = 3;
/// Sets that are chosen: one name, a few, many.
const SETS: [&[&str]; 4] = [
    &["httpd"],
    &["podman", "maven"],
    &["httpd", "podman", "maven", "ansible-core", "nginx", "texlive-base"],
    &[
        "httpd",
        "podman",
        "nginx",
        "redis",
        "memcached",
        "bind",
        "dnsmasq",
        "git-core",
        "tmux",
        "strace",
        "buildah",
        "skopeo",
        "cmake",
        "php-cli",
        "pcp",
        "vim-enhanced",
        "ruby",
        "make",
        "nodejs",
        "python3-requests",
    ],
];

/// Prints seconds of CPU and MiB, ours and libsolv's.
pub(super) fn run(primaries: &[&str]) -> Result<()> {
    if primaries.is_empty() {
        bail!("say which primary.xml files to take: cargo xtask bench resolve FILE...");
    }
    let folder = target().join("bench-resolve");
    let repo = folder.join("repo/repodata");
    fs::create_dir_all(&repo)?;
    let mut packages = 0;
    let mut body = String::new();
    for path in primaries {
        let mut text = String::new();
        open(File::open(path).with_context(|| format!("cannot open {path}"))?)?
            .read_to_string(&mut text)?;
        let start = text.find("<package ").context("no packages")?;
        let end = text.rfind("</metadata>").context("no end")?;
        packages += COPIES * text.matches("<package ").count();
        (0..COPIES).for_each(|copy| body += &renamed(&text[start..end], copy));
    }
    let head = format!(
        "<?xml version=\"1.0\"?>\n<metadata xmlns=\"http://linux.duke.edu/metadata/common\" \
         xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"{packages}\">\n"
    );
    fs::write(repo.join("primary.xml"), head + &body + "</metadata>\n")?;
    fs::write(
        repo.join("repomd.xml"),
        "<repomd><data type=\"primary\"><location href=\"repodata/primary.xml\"/></data></repomd>\n",
    )?;
    let composer = composer()?;
    let (index, solv) = (folder.join("repo/index"), folder.join("repo.solv"));
    output(
        Command::new(&composer)
            .arg("index")
            .arg("--repo")
            .arg(folder.join("repo"))
            .arg("-o")
            .arg(&index),
    )?;
    let converted = Command::new("rpmmd2solv")
        .stdin(File::open(repo.join("primary.xml"))?)
        .stdout(Stdio::from(File::create(&solv)?))
        .status();
    let converted = converted.context("rpmmd2solv (libsolv-tools) is not here")?;
    anyhow::ensure!(converted.success(), "rpmmd2solv failed");
    let size = |path: &Path| fs::metadata(path).map(|about| about.len() / 1000);
    println!("{packages} packages; our index {} kB, libsolv's {} kB", size(&index)?, size(&solv)?);
    println!("names   ours s  MiB   libsolv s  MiB   ratio");
    for set in SETS {
        let mut ours = Command::new(&composer);
        ours.args(["resolve", "--arch", "x86_64", "--no-best", "--repo"]).arg(&index).args(set);
        let case = folder.join("case.t");
        let jobs: String = set.iter().map(|name| format!("job install name {name}\n")).collect();
        fs::write(
            &case,
            format!(
                "repo all 99 solv repo.solv\nsystem x86_64 rpm\n{jobs}result transaction,problems <inline>\n"
            ),
        )?;
        let mut theirs = Command::new("testsolv");
        theirs.arg("-r").arg(&case);
        let (ours, theirs) = (best(&ours)?, best(&theirs)?);
        println!(
            "{:5} {:8.3} {:4.0} {:11.3} {:4.0} {:7.2}",
            set.len(),
            ours.cpu(),
            ours.memory,
            theirs.cpu(),
            theirs.memory,
            ours.cpu() / theirs.cpu()
        );
    }
    in_hosts(&index)
}

/// The core alone, without reading and printing, natively and in Chromium.
fn in_hosts(index: &Path) -> Result<()> {
    let sets: Vec<String> = SETS.iter().map(|set| set.join(" ")).collect();
    let run = |mut command: Command| {
        command.env("SYSEXT_BENCH_INDEX", index).env("SYSEXT_BENCH_SETS", sets.join(";"));
        command.args(["--package", "testdata", "--features", "bench", "--test", "choosing"]);
        command.args(["--", "--nocapture"]);
        let output = output(&mut command)?;
        output.lines().filter(|line| line.starts_with("  ")).for_each(|line| println!("{line}"));
        anyhow::Ok(())
    };
    println!("names  packages  load ms choose ms, natively");
    let mut native = cargo();
    native.args(["test", "--release", "--quiet"]);
    run(native)?;
    println!("names  packages  load ms choose ms, in Chromium");
    let scratch = tempfile::tempdir()?;
    let mut page = wasm_tests(&scratch)?;
    page.env("CHROMEDRIVER", find("chromedriver").context("chromedriver is not here")?);
    page.args(["--profile", "page"]);
    run(page)
}

fn best(command: &Command) -> Result<Cost> {
    let mut best = None;
    for _ in 0..RUNS {
        Cost::best(&mut best, measure(command)?);
    }
    best.context("no runs")
}

/// The same packages with other names for everything, but the first time as they are.
fn renamed(text: &str, copy: usize) -> String {
    if copy == 0 {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    // Names of packages, of what they provide and need, and their paths; not rich dependencies.
    let places = [("<name>", '<'), ("<rpm:entry name=\"", '"'), ("<file>", '<')];
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out += before;
        let place = places.iter().find(|(start, _)| tag.starts_with(start));
        let start = place.map_or(1, |(start, _)| start.len());
        out += &tag[..start];
        rest = &tag[start..];
        if let Some((_, end)) = place {
            let length = rest.find(*end).unwrap_or(0);
            out += &rest[..length];
            if !rest.starts_with('(') {
                out += &format!("_{copy}");
            }
            rest = &rest[length..];
        }
    }
    out + rest
}
