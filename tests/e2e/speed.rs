//! How fast the page is, next to the command line on the same machine: `cargo xtask bench page`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use sysext::rpm::{Compression, NewFile, NewPackage};

use super::{compose, driver::Browser, package, page, write_package};
use testdata::tools::{has, input, run};

/// Folder of programs, as they are on every machine that has the browser.
const PROGRAMS: &str = "/usr/lib/chromium";

/// Runs of each; the fastest counts.
const RUNS: usize = 5;

/// Composes the same content with the profile `default`, whose work is compression, in the page and natively, with one
/// worker and with two, and prints bytes of content per second: from a package whose payload is compressed as Fedora's are,
/// and from one whose payload is not.
#[test]
#[ignore = "a benchmark: cargo xtask bench page"]
fn page_and_command_line() {
    let page = page().expect("the page is built");
    let mut files = Vec::new();
    for entry in fs::read_dir(PROGRAMS).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let content = fs::read(&path).unwrap();
            files.push(NewFile::file(&format!("/usr/lib/programs/{name}"), 0o755, content));
        }
    }
    let size: usize = files.iter().map(|file| file.content.len()).sum();
    let programs = package("programs", files);
    measure(&page.url, "payload not compressed", size, &programs, &Compression::None);
    if has("zstd") {
        let zstd = Compression::Other("zstd", &zstd);
        measure(&page.url, "payload by zstd", size, &programs, &zstd);
    } else {
        println!("skipped: zstd is not installed");
    }
}

/// Composes content of `size` bytes on all hosts, from a package with this compression.
fn measure(
    url: &str,
    what: &str,
    size: usize,
    programs: &NewPackage,
    compression: &Compression<'_>,
) {
    let scratch = tempfile::tempdir().unwrap();
    let path = write_package(scratch.path(), programs, compression);
    // Nothing is written to the disk while things are measured.
    fs::File::open(&path).and_then(|file| file.sync_all()).unwrap();
    let native = |workers| best(|| native(&path, &scratch.path().join("image.raw"), workers));
    let rate = |seconds: f64| size as f64 / seconds / 1e6;
    println!("{size} bytes, {what}");
    let (one, two) = (native("1"), native("2"));
    println!("native, 1 worker:  {one:6.1} s, {:5.1} MB/s", rate(one));
    println!("native, 2 workers: {two:6.1} s, {:5.1} MB/s", rate(two));
    // A browser that has just started is still busy with itself, which the later runs do not see.
    let page = |browser: Browser| best(|| in_page(&browser, url, &path));
    let page_one = page(Browser::start_on_one_core(1400, 1100));
    let page_two = page(Browser::start(1400, 1100));
    println!("page, 1 core:      {page_one:6.1} s, {:5.1} MB/s", rate(page_one));
    println!("page, 2 cores:     {page_two:6.1} s, {:5.1} MB/s", rate(page_two));
    println!("page / native, one thread: {:.2}", one / page_one);
    println!("page, two cores / one: {:.2}", page_one / page_two);
}

fn best(run: impl Fn() -> f64) -> f64 {
    (0..RUNS).map(|_| run()).fold(f64::INFINITY, f64::min)
}

/// Seconds on the command line.
fn native(package: &Path, image: &Path, workers: &str) -> f64 {
    let composer = std::env::var("SYSEXT_COMPOSER").unwrap();
    let mut command = Command::new(composer);
    command.args(["compose", "--release", "43", "--arch", "x86_64", "--name", "programs"]);
    command.args(["--profile", "default", "--workers", workers, "-o"]).arg(image).arg(package);
    let start = Instant::now();
    run(&mut command);
    start.elapsed().as_secs_f64()
}

/// Seconds in the page, as it says.
fn in_page(browser: &Browser, url: &str, package: &Path) -> f64 {
    browser.open(url);
    browser.upload("#choose-packages", &[package]);
    browser.wait("document.querySelector('#compose:enabled')");
    browser.click(".more summary");
    browser.choose("#profile", "default");
    compose(browser);
    browser.wait("document.querySelector('#result-sha256')");
    let made = browser.script("return document.querySelector('.made').innerText");
    let seconds = made.as_str().and_then(|made| made.split_whitespace().nth(2));
    seconds.and_then(|number| number.parse().ok()).expect("the page says how long it took")
}

/// By a level that does not take minutes: what it takes to decode says little of the level.
fn zstd(content: &[u8]) -> Vec<u8> {
    run(Command::new("zstd").args(["-10", "-T0", "--quiet", "-c"]).stdin(input(content))).stdout
}
