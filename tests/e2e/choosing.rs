//! Packages that are chosen from repositories, on the page and on the command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sysext::rpm::{Compression, Dependency, NewFile, NewPackage};
use testdata::tools::{Served, composer, has, install, run, serve};

use super::driver::Browser;
use super::{compose, content, native, site};

/// A repository, a system, and the catalog of both.
struct World {
    folder: tempfile::TempDir,
    site: PathBuf,
}

fn package(name: &str, requires: &[&str], recommends: &[&str]) -> NewPackage {
    let dependencies = |texts: &[&str]| -> Vec<Dependency> {
        texts.iter().map(|text| Dependency::parse(text).unwrap()).collect()
    };
    NewPackage {
        summary: format!("The {name} of these tests"),
        files: vec![NewFile::file(&format!("/usr/share/{name}/data"), 0o644, content(90_000, 1))],
        requires: dependencies(requires),
        recommends: dependencies(recommends),
        ..NewPackage::new(name, "1.0", "1.fc43", "noarch")
    }
}

impl World {
    fn new() -> Option<Self> {
        let site = site()?;
        if !has("createrepo_c") || !has("rpm") {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let world = Self { folder, site };
        let (repo, root) = (world.path("repo"), world.path("root"));
        fs::create_dir(&repo).unwrap();
        let write = |folder: &Path, package: &NewPackage| {
            let path = folder.join(format!("{}.rpm", package.name));
            fs::write(&path, package.write(&Compression::Gzip)).unwrap();
            path
        };
        let on_system = write(world.folder.path(), &package("there", &[], &[]));
        install(&root, [on_system]);
        let text = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        text("usr/lib/os-release", "ID=fedora\nVERSION_ID=43\n");
        text(
            "etc/selinux/targeted/contexts/files/file_contexts",
            "/usr(/.*)?\tsystem_u:object_r:usr_t:s0\n/usr/share/editor(/.*)?\tsystem_u:object_r:man_t:s0\n",
        );
        for package in [
            package("editor", &["there", "/usr/share/library/data"], &["handbook"]),
            // An epoch that says nothing.
            NewPackage { epoch: Some(0), ..package("library", &[], &[]) },
            package("handbook", &[], &[]),
            package("lonely", &["nobody-has-this"], &[]),
            package("there", &[], &[]),
        ] {
            write(&repo, &package);
        }
        run(Command::new("createrepo_c").arg("--quiet").arg(&repo));
        let base = world.path("x.base");
        run(composer().args(["base", "make"]).arg(&root).arg("-o").arg(&base));
        run(composer()
            .args(["catalog", "silverblue:43", "--base"])
            .arg(&base)
            .arg("--repo")
            .arg(&repo)
            .arg("-o")
            .arg(world.path("catalog")));
        Some(world)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Serves the page with the catalog.
    fn serve(&self) -> Served {
        let (catalog, cache) = (self.path("catalog"), self.path("cache"));
        let [catalog, cache] = [&catalog, &cache].map(|path| path.to_str().unwrap());
        serve(&self.site, &["--allow-unsigned", "--catalog", catalog, "--cache", cache])
    }
}

/// Chooses the system, and waits until packages can be chosen.
fn choose_system(browser: &Browser) {
    browser.wait("document.querySelector('#system')");
    browser.choose("#system", "0");
    browser.wait("document.querySelector('#find-words')");
}

fn add(browser: &Browser, name: &str) {
    browser.script("document.querySelector('#find-words').select()");
    browser.keys("#find-words", name);
    let button = format!("[aria-label=\"Add: {name}\"]");
    browser.wait(&format!("document.querySelector('{button}')"));
    browser.click(&button);
}

fn text(browser: &Browser, selector: &str) -> String {
    let text = browser.script(&format!("return document.querySelector('{selector}').innerText"));
    text.as_str().unwrap_or_default().to_owned()
}

#[test]
fn packages_come_with_what_they_need_and_become_the_image_of_the_command_line() {
    let Some(world) = World::new() else { return };
    let served = world.serve();
    let browser = Browser::start(1400, 1100);
    browser.open(&served.url);
    choose_system(&browser);
    browser.check_axe("a system");
    add(&browser, "editor");
    browser.wait("document.querySelector('#bring')");
    browser.check_axe("packages to add");
    browser.screenshot("find-light");
    assert!(text(&browser, "#bring").starts_with("Add 3 packages ("));
    // What the system has does not come; its row says so.
    browser.script("document.querySelector('#find-words').select()");
    browser.keys("#find-words", "there");
    browser.wait("document.querySelector('.found')?.innerText.includes('On the system')");

    browser.click("#bring");
    browser.wait(
        "document.querySelector('#all-brought') && document.querySelector('#compose:enabled')",
    );
    assert_eq!(browser.script("return document.querySelector('#name').value"), json!("editor"));
    assert_eq!(text(&browser, "#for"), "Fedora Silverblue 43, x86_64");

    // Without what is only recommended.
    browser.click("#weak");
    browser.wait("document.querySelector('#bring')");
    assert_eq!(text(&browser, "#bring"), "Take out 1 package that is no longer needed");
    browser.click("#bring");
    browser.wait("document.querySelectorAll('#packages ~ * .package, [aria-label=\"Packages of the extension\"] .package').length == 2");
    compose(&browser);
    browser.wait("document.querySelector('#result-sha256')");
    let packages = ["editor", "library"].map(|name| world.path("repo").join(format!("{name}.rpm")));
    let base = world.path("x.base");
    let (report, _): (Value, _) = native(&packages, "editor", &["--base", base.to_str().unwrap()]);
    let shown = browser.script("return document.querySelector('#result-sha256').textContent");
    assert_eq!(shown, report["sha256"]);
    browser.assert_no_errors();
}

#[test]
fn what_cannot_be_had_is_explained() {
    let Some(world) = World::new() else { return };
    let served = world.serve();
    let browser = Browser::start(420, 900);
    browser.open(&served.url);
    choose_system(&browser);
    add(&browser, "lonely");
    browser.wait("document.querySelector('.problem')");
    let problem = text(&browser, ".problem");
    assert!(problem.contains("nobody-has-this"), "{problem}");
    browser.check_axe("a problem");
    browser.screenshot("find-problem-narrow");
    // A path is a name as well.
    browser.click("[aria-label='Take out lonely']");
    add(&browser, "/usr/share/handbook/data");
    browser.wait("document.querySelector('#bring')");
    assert!(text(&browser, "#bring").starts_with("Add 1 package "));
    browser.assert_no_errors();
}

#[test]
fn a_site_without_packages_says_how_to_get_them() {
    let Some(world) = World::new() else { return };
    // As a host of files has it.
    let site = world.path("site");
    run(Command::new("cp").arg("-r").arg(&world.site).arg(&site));
    fs::remove_dir_all(site.join("catalog")).unwrap();
    run(Command::new("cp").arg("-r").arg(world.path("catalog")).arg(site.join("catalog")));
    let served = serve(&site, &[]);
    let browser = Browser::start(1400, 1100);
    browser.open(&served.url);
    choose_system(&browser);
    add(&browser, "editor");
    browser.wait("document.querySelector('#bring')");
    browser.click("#bring");
    browser.wait("document.querySelector('.command__text')");
    browser.click("[aria-label='Dark theme']");
    browser.check_axe("packages that are elsewhere");
    browser.screenshot("find-elsewhere-dark");
    let command = text(&browser, ".command__text");
    assert!(command.contains("dnf download --releasever=43 --forcearch=x86_64"), "{command}");
    assert!(command.contains("editor-1.0-1.fc43.noarch"), "{command}");
    // Files that are dropped are those that were wanted.
    let packages = ["editor", "handbook", "library"]
        .map(|name| world.path("repo").join(format!("{name}.rpm")));
    browser.upload("#choose-packages", &packages.each_ref().map(PathBuf::as_path));
    browser.wait("document.querySelector('#all-brought')");
}
