//! Locks: the same packages again, whatever has become of the repositories.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use sysext::Lock;
use sysext::rpm::{Compression, NewFile, NewPackage};
use testdata::server::Fault;
use testdata::tools::{composer, run};

use crate::fetching::{World, succeed, text};

impl World {
    fn lock(&self, extra: &[&str]) -> Output {
        composer()
            .args(["lock", "--arch", "x86_64", "--allow-unsigned", "--release", "43", "--repo"])
            .arg(&self.server.url)
            .arg("--cache")
            .arg(self.path("cache"))
            .arg("-o")
            .arg(self.path("one.lock"))
            .args(extra)
            .output()
            .unwrap()
    }

    fn compose(&self, image: &str, extra: &[&str]) -> Output {
        composer()
            .args(["compose", "--name", "one", "--release", "43", "--retries", "0", "--locked"])
            .arg(self.path("one.lock"))
            .arg("--cache")
            .arg(self.path("cache"))
            .arg("-o")
            .arg(self.path(image))
            .args(extra)
            .output()
            .unwrap()
    }

    fn read_lock(&self) -> Lock {
        serde_json::from_slice(&fs::read(self.path("one.lock")).unwrap()).unwrap()
    }

    /// Another version of a package comes, and perhaps the old one goes.
    fn release(&self, version: &str) {
        let repo = self.path("repo");
        let package = NewPackage {
            files: vec![NewFile::file("/usr/share/one", 0o644, version.into())],
            ..NewPackage::new("one", version, "1", "noarch")
        };
        let file = repo.join(format!("one-{version}.rpm"));
        fs::write(file, package.write(&Compression::None)).unwrap();
        run(Command::new("createrepo_c").arg("--quiet").arg(repo));
    }
}

fn refused(output: &Output, image: &Path, words: &str) {
    assert_eq!(output.status.code(), Some(2), "{}", text(output));
    assert!(text(output).contains(words), "{}", text(output));
    assert!(!image.exists());
}

#[test]
fn the_same_packages_make_the_same_lock_and_image() {
    let Some(world) = World::new() else { return };
    let base = world.path("base.txt");
    fs::write(&base, "other-1-1.noarch\n").unwrap();
    let with_base = ["--base", base.to_str().unwrap(), "two", "one"];
    succeed(&world.lock(&with_base));
    let first = fs::read(world.path("one.lock")).unwrap();
    fs::remove_file(world.path("one.lock")).unwrap();
    succeed(&world.lock(&with_base));
    assert_eq!(first, fs::read(world.path("one.lock")).unwrap());
    let lock = world.read_lock();
    let names: Vec<&str> = lock.packages.iter().map(|package| package.nevra.as_str()).collect();
    assert_eq!(names, ["one-1.0-1.noarch", "two-1.0-1.noarch"]);
    assert_eq!(lock.packages[0].url, format!("{}/one.rpm", world.server.url));
    assert!(lock.packages[0].checksum.starts_with("sha256:") && lock.base.is_some());
    assert_eq!((lock.release.as_deref(), lock.specs.len()), (Some("43"), 2));

    // What is newer in the repository is none of the lock's business, and the cache has it all.
    succeed(&world.compose("first.raw", &["--arch", "x86_64"]));
    world.release("2.0");
    world.server.requests();
    succeed(&world.compose("second.raw", &["--arch", "x86_64"]));
    assert!(world.server.requests().is_empty());
    let image = |name: &str| fs::read(world.path(name)).unwrap();
    assert!(image("first.raw") == image("second.raw"));
    succeed(&world.lock(&["one"]));
    assert_eq!(world.read_lock().packages[0].nevra, "one-2.0-1.noarch");
}

#[test]
fn a_package_that_is_not_the_one_of_the_lock_is_refused() {
    let Some(world) = World::new() else { return };
    succeed(&world.lock(&["one"]));
    fs::remove_dir_all(world.path("cache")).unwrap();
    let image = world.path("one.raw");
    for _ in 0..2 {
        world.server.fail("one.rpm", Fault::Other);
    }
    let differs = world.compose("one.raw", &["--arch", "x86_64"]);
    refused(&differs, &image, "is not what the repository says");
    refused(
        &world.compose("one.raw", &["--arch", "aarch64"]),
        &image,
        "is for x86_64, not for aarch64",
    );
    let path = world.path("one.lock");
    let whole = fs::read_to_string(&path).unwrap();
    let change = |from: &str, to: &str, words: &str| {
        assert!(whole.contains(from));
        fs::write(&path, whole.replacen(from, to, 1)).unwrap();
        refused(&world.compose("one.raw", &["--arch", "x86_64"]), &image, words);
    };
    change("\"release\": \"43\"", "\"release\": \"44\"", "is for release 44, not for 43");
    change("\"version\": 1", "\"version\": 2", "expected a lock of version 1, found version 2");
    change("sha256:", "sha256", "expected a digest such as sha256:...");
    change("\"nevra\"", "\"nevr\"", "is no lock");

    // In a folder, where there is no cache between.
    let url = format!("{}/one.rpm", world.server.url);
    let local = format!("file://{}/one.rpm", world.path("repo").display());
    fs::write(&path, whole.replacen(&url, &local, 1)).unwrap();
    succeed(&world.compose("one.raw", &["--arch", "x86_64"]));
    fs::remove_file(&image).unwrap();
    let package = world.path("repo").join("one.rpm");
    let mut bytes = fs::read(&package).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(package, bytes).unwrap();
    refused(&world.compose("one.raw", &["--arch", "x86_64"]), &image, "is not the one of the lock");
}

#[test]
fn another_mirror_today_changes_no_lock() {
    let Some(world) = World::new() else { return };
    succeed(&world.lock(&["one"]));
    let mut old = world.read_lock();
    old.packages[0].url = "https://mirror.example/one.rpm".into();
    fs::write(world.path("one.lock"), serde_json::to_vec(&old).unwrap()).unwrap();
    succeed(&world.lock(&["one"]));
    assert_eq!(world.read_lock(), old);
    world.release("2.0");
    succeed(&world.lock(&["one"]));
    assert_eq!(world.read_lock().packages[0].url, format!("{}/one-2.0.rpm", world.server.url));
}
