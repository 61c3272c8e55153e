//! The served page in headless Chromium, used as a person uses it, and held against the command line and axe.
//!
//! `cargo xtask test e2e` builds the page and says where in `SYSEXT_SITE`.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod choosing;
mod driver;
mod speed;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sysext::rpm::{Compression, NewFile, NewPackage};

use driver::Browser;
use testdata::shared;
use testdata::tools::{Served, can_mount, composer, has, merge, run, serve};

/// The folder of the page, where it is built.
fn site() -> Option<PathBuf> {
    let site = std::env::var_os("SYSEXT_SITE").map(PathBuf::from);
    if site.is_none() {
        shared::skipped("the page is built by `cargo xtask test e2e`");
    }
    site
}

/// The page, served.
fn page() -> Option<Served> {
    Some(serve(&site()?, &[]))
}

/// Starts composing on the page, as soon as it can be started.
fn compose(browser: &Browser) {
    browser.wait("document.querySelector('#compose:enabled')");
    browser.click("#compose");
}

/// Composes on the command line and gives what it says.
fn native(packages: &[PathBuf], name: &str, more: &[&str]) -> (Value, Vec<u8>) {
    let scratch = tempfile::tempdir().unwrap();
    let image = scratch.path().join("image.raw");
    let mut command = composer();
    command.args([
        "compose",
        "--json",
        "--release",
        "43",
        "--arch",
        "x86_64",
        "--name",
        name,
        "-o",
    ]);
    let output = run(command.arg(&image).args(more).args(packages));
    (serde_json::from_slice(&output.stdout).unwrap(), fs::read(image).unwrap())
}

fn write_package(folder: &Path, package: &NewPackage, compression: &Compression<'_>) -> PathBuf {
    let path = folder.join(format!("{}.rpm", package.name));
    fs::write(&path, package.write(compression)).unwrap();
    path
}

fn package(name: &str, files: Vec<NewFile>) -> NewPackage {
    NewPackage { files, ..NewPackage::new(name, "1.0", "1.fc43", "x86_64") }
}

/// Bytes of which some compress.
fn content(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let word = state.to_le_bytes();
        bytes.extend_from_slice(&word[..4]);
        bytes.extend_from_slice(b"text that comes again and again, ");
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn the_demo_becomes_the_image_of_the_command_line() {
    let Some(page) = page() else { return };
    let browser = Browser::start(1400, 1100);
    browser.open(&page.url);
    browser.wait("document.querySelector('#demo')");
    browser.check_axe("empty");
    browser.screenshot("empty-light");
    // The demo's file is beside the page.
    let demo = browser.script(
        "const name = document.documentElement.dataset.demo; \
         return new URL(name, document.querySelector('link[rel=icon]').href).href",
    );
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("demo.rpm");
    let mut response = ureq::get(demo.as_str().unwrap()).call().unwrap();
    fs::write(&file, response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap())
        .unwrap();

    browser.click("#demo");
    browser.wait("document.querySelector('#compose:enabled')");
    assert_eq!(
        browser.script("return document.querySelector('#name').value"),
        json!("sysext-composer")
    );
    browser.check_axe("packages");
    browser.click("#compose");
    browser.wait("document.querySelector('#result-sha256')");
    browser.check_axe("result");
    let (report, image) = native(&[file], "sysext-composer", &[]);
    let shown = browser.script("return document.querySelector('#result-sha256').textContent");
    assert_eq!(shown, report["sha256"]);
    let downloaded = browser.download("#download", report["file_name"].as_str().unwrap());
    assert!(downloaded == image, "the download is the image of the command line");
    check_merged(&downloaded);
    browser.screenshot("result-light");
    browser.click("[aria-label='Dark theme']");
    browser.check_axe("result, dark");
    browser.screenshot("result-dark");
    browser.assert_no_errors();
}

/// The demo's extension puts the command line on a system.
fn check_merged(image: &[u8]) {
    if !can_mount() || !has("systemd-sysext") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("demo.raw");
    fs::write(&path, image).unwrap();
    let merged = merge(&path, "sysext-composer", "43", "usr/bin/sysext-composer --version");
    let text = String::from_utf8_lossy(&merged.stdout).into_owned();
    assert!(
        text.starts_with("sysext-composer "),
        "{text}{}",
        String::from_utf8_lossy(&merged.stderr)
    );
}

/// Services, /etc and folders of vendors, whose texts change: as on the command line.
#[test]
fn services_are_started_and_what_is_in_opt_and_etc_has_its_place() {
    let Some(page) = page() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let text = |path: &str, text: &str| NewFile::file(path, 0o644, text.into());
    let unit = "[Service]\nExecStart=/usr/bin/app\n[Install]\nWantedBy=multi-user.target\n";
    let files = vec![
        NewFile::file("/opt/vendor/app", 0o755, content(90_000, 1)),
        NewFile::symlink("/usr/bin/app", "/opt/vendor/app"),
        text("/usr/share/applications/app.desktop", "[Desktop Entry]\nExec=/opt/vendor/app %U\n"),
        text("/usr/lib/systemd/system/app.service", unit),
        text("/usr/lib/systemd/system/app.socket", "[Socket]\nListenStream=/run/app\n[Install]\n"),
        text("/usr/lib/sysusers.d/app.conf", "u app - \"App\"\n"),
        text("/etc/app.conf", "a = b\n"),
    ];
    let path = write_package(scratch.path(), &package("app", files), &Compression::Gzip);
    let browser = Browser::start(1400, 1300);
    browser.open(&page.url);
    browser.upload("#choose-packages", &[&path]);
    browser.wait("document.querySelector('#unit-0')");
    let labels =
        "return [...document.querySelectorAll('.units label')].map(label => label.textContent)";
    assert_eq!(browser.script(labels), json!(["app.socket", "app.service"]));
    browser.click("#unit-0");
    browser.click(".more summary");
    browser.choose("#etc", "1");
    browser.wait("document.querySelector('#compose:enabled')");
    browser.check_axe("services");
    browser.screenshot("services-light");
    browser.click("#compose");
    browser.wait("document.querySelector('#result-sha256')");
    let more = ["--service", "app.socket", "--etc", "factory"];
    let (report, image) = native(&[path], "app", &more);
    let downloaded = browser.download("#download", report["file_name"].as_str().unwrap());
    assert!(downloaded == image, "the download is the image of the command line");
    let has = |check: &str| {
        report["findings"].as_array().unwrap().iter().any(|finding| finding["check"] == check)
    };
    assert!(has("path-opt") && has("sysusers") && has("etc-moved"), "{report:#}");
    browser.assert_no_errors();
}

#[test]
fn what_is_unchecked_is_left_out() {
    let Some(page) = page() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let files = vec![
        NewFile::file("/usr/bin/app", 0o755, content(300_000, 1)),
        NewFile::file("/usr/share/doc/app/README", 0o644, content(50_000, 2)),
        NewFile::file("/usr/share/doc/app/[draft] notes", 0o644, content(5_000, 3)),
        NewFile::file("/var/lib/app/state", 0o644, b"state".to_vec()),
        NewFile { user: "app".into(), ..NewFile::file("/etc/app.conf", 0o600, b"conf".to_vec()) },
    ];
    let app = write_package(scratch.path(), &package("app", files), &Compression::Gzip);
    let browser = Browser::start(360, 800);
    browser.open(&page.url);
    browser.upload("#choose-packages", &[&app]);
    browser.wait("document.querySelector('.finding')");
    browser.check_axe("findings, 360 px");
    browser.screenshot("files-narrow");
    assert_eq!(browser.script("return document.documentElement.scrollWidth <= 360"), json!(true));
    // By keyboard alone: find the folder, go down to it, take it off.
    browser.keys("#search", "doc");
    browser.wait("[...document.querySelectorAll('[role=treeitem]')].some(row => row.innerText.includes('README'))");
    let row = browser.script(
        "return [...document.querySelectorAll('[role=treeitem]')].findIndex(row => row.innerText.startsWith('doc'))",
    );
    for _ in 0..row.as_u64().unwrap() {
        browser.keys("#tree", driver::DOWN);
    }
    browser.keys("#tree", " ");
    browser
        .wait("document.querySelector('.row--current').getAttribute('aria-checked') === 'false'");
    browser
        .wait("document.querySelector('[role=treeitem]').getAttribute('aria-checked') === 'mixed'");
    browser.click(".more summary");
    browser.keys("#profile", "Smallest");
    browser.wait("document.querySelector('.more').innerText.includes('Linux 6.1 or later')");
    browser.check_axe("choices, 360 px");
    browser.screenshot("choices-narrow");
    compose(&browser);
    browser.wait("document.querySelector('#result-sha256')");
    let choices = ["--exclude", "/usr/share/doc", "--profile", "small"];
    let (report, _) = native(&[app], "app", &choices);
    assert_eq!(
        browser.script("return document.querySelector('#result-sha256').textContent"),
        report["sha256"]
    );
    browser.check_axe("result, 360 px");
    browser.screenshot("result-narrow");
    browser.assert_no_errors();
}

#[test]
fn a_browser_that_lacks_something_is_told_and_composes_nevertheless() {
    let Some(page) = page() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let files = vec![NewFile::file("/usr/bin/app", 0o755, content(40 << 20, 1))];
    let app = write_package(scratch.path(), &package("app", files), &Compression::Gzip);
    let browser = Browser::start(1400, 1100);
    browser.before_each_page("delete window.Worker; delete StorageManager.prototype.getDirectory;");
    browser.open(&page.url);
    browser.wait("document.body.innerText.includes('This browser has no workers')");
    browser.wait("document.body.innerText.includes('no private storage')");
    browser.check_axe("limits");
    browser.screenshot("limits-light");
    browser.upload("#choose-packages", &[&app]);
    compose(&browser);
    browser.wait("document.querySelector('#result-sha256')");
    let (report, image) = native(&[app], "app", &[]);
    assert_eq!(
        browser.script("return document.querySelector('#result-sha256').textContent"),
        report["sha256"]
    );
    assert!(browser.download("#download", report["file_name"].as_str().unwrap()) == image);
    browser.assert_no_errors();
}

#[test]
fn broken_files_and_conflicts_are_said() {
    let Some(page) = page() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let one = package("one", vec![NewFile::file("/usr/bin/tool", 0o755, b"one".to_vec())]);
    let two = package("two", vec![NewFile::file("/bin/tool", 0o755, b"two".to_vec())]);
    let one = write_package(scratch.path(), &one, &Compression::None);
    let two = write_package(scratch.path(), &two, &Compression::None);
    let broken = scratch.path().join("broken.rpm");
    fs::write(&broken, b"not a package at all").unwrap();
    let browser = Browser::start(1400, 1100);
    browser.open(&page.url);
    browser.drop_files(".drop", &[&one, &two, &broken]);
    browser.wait(
        "document.querySelector('.package--failed') && document.querySelector('.finding--danger')",
    );
    let text = browser.script("return document.querySelector('main').innerText");
    let text = text.as_str().unwrap();
    assert!(text.contains("lead at byte 0: expected 96 bytes"), "{text}");
    assert!(
        text.contains("one-1.0-1.fc43.x86_64") && text.contains("two-1.0-1.fc43.x86_64"),
        "{text}"
    );
    assert_eq!(browser.script("return document.querySelector('#compose').disabled"), json!(true));
    browser.check_axe("errors");
    browser.screenshot("errors-light");
    // A package taken out, the conflict is gone.
    browser.click("[aria-label='Remove two.rpm']");
    browser.wait("document.querySelector('#compose:enabled')");
    browser.assert_no_errors();
}

#[test]
fn large_sets_compose_to_the_same_bytes_and_cancel_at_once() {
    let Some(page) = page() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let many = (0..15_000).map(|number| {
        NewFile::file(
            &format!("/usr/share/many/{:03}/{number}", number % 300),
            0o644,
            content(100, number),
        )
    });
    // The second of two that are the same is passed over at once: more than the page has read ahead.
    let twos = [("/usr/lib/two", 2), ("/usr/lib/two-again", 2), ("/usr/lib/two-else", 3)];
    let set = [
        ("large-one", vec![NewFile::file("/usr/lib/one", 0o644, content(150 << 20, 1))]),
        (
            "large-two",
            twos.map(|(path, seed)| NewFile::file(path, 0o644, content(50 << 20, seed))).into(),
        ),
        ("many", many.collect()),
    ];
    let paths = set.map(|(name, files)| {
        write_package(scratch.path(), &package(name, files), &Compression::None)
    });
    let browser = Browser::start(1400, 1100);
    browser.open(&page.url);
    browser.upload("#choose-packages", &paths.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    browser.wait("document.querySelector('#compose:enabled') && document.body.innerText.includes('15004 of 15004')");
    // 15,000 files are open, a few dozen rows exist.
    browser.keys("#search", "many");
    browser.wait("document.querySelector('.tree__all').offsetHeight > 500000");
    assert!(
        browser
            .script("return document.querySelectorAll('[role=treeitem]').length")
            .as_u64()
            .unwrap()
            < 100
    );
    browser.screenshot("files-15000-light");

    browser.click("#compose");
    browser.wait("document.querySelector('[role=progressbar]')?.ariaValueNow > 0");
    browser.check_axe("composing");
    browser.screenshot("composing-light");
    browser.click("#cancel");
    browser.wait("document.querySelector('#compose:enabled')");
    // It was ended, not waited for.
    assert_eq!(browser.script("return document.querySelector('#result-sha256')"), Value::Null);

    browser.click("#compose");
    browser.wait("document.querySelector('#result-sha256')");
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
        let made = browser.script("return document.querySelector('.made').innerText");
        assert!(made.as_str().is_some_and(|made| made.contains(" workers")), "{made}");
    }
    let (report, _) = native(&paths, "large-one", &[]);
    assert_eq!(
        browser.script("return document.querySelector('#result-sha256').textContent"),
        report["sha256"]
    );
    browser.assert_no_errors();
}

#[test]
fn content_that_was_changed_makes_no_image() {
    let Some(page) = page() else { return };
    let scratch = tempfile::tempdir().unwrap();
    // Long enough that a worker computes its digest.
    let files = vec![NewFile::file("/usr/lib/long", 0o644, content(20 << 20, 1))];
    let long = write_package(scratch.path(), &package("long", files), &Compression::None);
    let mut bytes = fs::read(&long).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&long, bytes).unwrap();
    let browser = Browser::start(1400, 1100);
    browser.open(&page.url);
    browser.upload("#choose-packages", &[&long]);
    compose(&browser);
    browser.wait("document.querySelector('main').innerText.includes('digest of /usr/lib/long')");
    assert_eq!(browser.script("return document.querySelector('#result-sha256')"), Value::Null);
    browser.assert_no_errors();
}

#[test]
fn an_image_is_looked_into() {
    let Some(page) = page() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let program = content(300_000, 1);
    let files = vec![
        NewFile::file("/usr/bin/app", 0o755, program.clone()),
        NewFile::symlink("/usr/bin/also", "app"),
        NewFile::file("/usr/share/doc/app/README", 0o644, content(50_000, 2)),
    ];
    let app = write_package(scratch.path(), &package("app", files), &Compression::Gzip);
    let (_, image) = native(std::slice::from_ref(&app), "app", &["--profile", "small"]);
    let path = scratch.path().join("app.raw");
    fs::write(&path, &image).unwrap();
    let browser = Browser::start(1400, 1300);
    browser.open(&page.url);
    browser.drop_files(".drop", &[&path]);
    browser.wait("document.querySelector('#look-kernel')?.textContent === 'Linux 6.1'");
    let shown =
        |id: &str| browser.script(&format!("return document.querySelector('{id}').textContent"));
    assert_eq!((shown("#look-name"), shown("#look-files")), (json!("app"), json!("4")));
    browser.check_axe("image");
    // By keyboard alone: find the program and read what it is.
    browser.keys("#look-search", "bin/app");
    browser.wait("document.querySelectorAll('#look-tree [role=treeitem]').length === 4");
    for _ in 0..3 {
        browser.keys("#look-tree", driver::DOWN);
    }
    browser.wait("document.querySelector('#look-entry')?.innerText.includes('/usr/bin/app')");
    let entry = shown("#look-entry");
    assert!(entry.as_str().is_some_and(|entry| entry.contains("0755") && entry.contains("300000")));
    assert!(browser.download("#save", "app") == program, "the file is what was packed");
    browser.click("#verify");
    browser.wait("document.querySelector('#whole')");
    browser.check_axe("image, looked into");
    browser.screenshot("image-light");
    browser.click("#close-look");
    browser.wait("!document.querySelector('#look')");

    // What is no whole image is said.
    fs::write(&path, &image[..image.len() / 2]).unwrap();
    browser.drop_files(".drop", &[&path]);
    browser.wait("document.querySelector('[role=alert]')?.innerText.includes('size of the image')");
    browser.check_axe("image, cut short");

    // One that was just made.
    browser.upload("#choose-packages", &[&app]);
    compose(&browser);
    browser.wait("document.querySelector('#result-sha256')");
    browser.click("#look-inside");
    browser.wait("document.querySelector('#look-kernel')?.textContent === 'Linux 5.4'");
    browser.assert_no_errors();
}
