//! How fast the page is, next to the command line on the same machine: `cargo xtask bench page`.

use std::fs;
use std::time::Instant;

use sysext::rpm::{Compression, NewFile};

use super::{compose, driver::Browser, package, page, write_package};
use testdata::tools::run;

/// Folder of programs, as they are on every machine that has the browser.
const PROGRAMS: &str = "/usr/lib/chromium";

/// Composes the same package with the profile `default`, whose work is compression, in the page and natively, with one
/// worker and with two, and prints bytes of content per second.
#[test]
#[ignore = "a benchmark: cargo xtask bench page"]
fn page_and_command_line() {
    let page = page().expect("the page is built");
    let scratch = tempfile::tempdir().unwrap();
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
    let path = write_package(scratch.path(), &package("programs", files), &Compression::None);
    let composer = std::env::var("SYSEXT_COMPOSER").unwrap();
    let native = |workers: &str| {
        let image = scratch.path().join("image.raw");
        let mut command = std::process::Command::new(&composer);
        command.args(["compose", "--release", "43", "--arch", "x86_64", "--name", "programs"]);
        command.args(["--profile", "default", "--workers", workers, "-o"]).arg(&image).arg(&path);
        let start = Instant::now();
        run(&mut command);
        start.elapsed().as_secs_f64()
    };
    let in_page = |browser: Browser| {
        browser.open(&page.url);
        browser.upload("#choose-packages", &[&path]);
        browser.wait("document.querySelector('#compose:enabled')");
        browser.click(".more summary");
        browser.choose("#profile", "default");
        compose(&browser);
        browser.wait("document.querySelector('#result-sha256')");
        let made = browser.script("return document.querySelector('.made').innerText");
        let made = made.as_str().unwrap().to_owned();
        let seconds = made.split_whitespace().nth(2).and_then(|number| number.parse().ok());
        (seconds.unwrap_or(f64::NAN), made)
    };
    let rate = |seconds: f64| size as f64 / seconds / 1e6;
    let (one, two) = (native("1"), native("2"));
    println!("native, 1 worker:  {one:6.1} s, {:5.1} MB/s", rate(one));
    println!("native, 2 workers: {two:6.1} s, {:5.1} MB/s", rate(two));
    let ((page_one, said_one), (page_two, said_two)) =
        (in_page(Browser::start_on_one_core(1400, 1100)), in_page(Browser::start(1400, 1100)));
    println!("page, 1 core:      {page_one:6.1} s, {:5.1} MB/s ({said_one})", rate(page_one));
    println!("page, 2 cores:     {page_two:6.1} s, {:5.1} MB/s ({said_two})", rate(page_two));
    println!("page / native, one thread: {:.2}", one / page_one);
    println!("page, two cores / one: {:.2}", page_one / page_two);
}
