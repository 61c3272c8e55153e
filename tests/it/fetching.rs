//! Fetching over HTTP: from a server that breaks off, falls silent, lies and refuses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sysext::rpm::{Compression, NewFile, NewPackage};
use testdata::golden::noise;
use testdata::server::{Fault, Request, Server};
use testdata::tools::{composer, has, run};

/// A repository of generated packages behind a server, a cache, and a folder for what is fetched.
pub(crate) struct World {
    pub(crate) server: Server,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Option<Self> {
        if !has("createrepo_c") {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let repo = folder.path().join("repo");
        fs::create_dir(&repo).unwrap();
        for name in ["one", "two", "three"] {
            let path = format!("/usr/share/{name}");
            let package = NewPackage {
                // Large enough to break off in.
                files: vec![NewFile::file(&path, 0o644, noise(300_000))],
                ..NewPackage::new(name, "1.0", "1", "noarch")
            };
            fs::write(repo.join(format!("{name}.rpm")), package.write(&Compression::None)).unwrap();
        }
        run(Command::new("createrepo_c").arg("--quiet").arg(&repo));
        Some(Self { server: Server::new(&repo), folder })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, extra: &[&str]) -> Command {
        let mut command = composer();
        command
            .args([
                "fetch",
                "--arch",
                "x86_64",
                "--allow-unsigned",
                "--repo",
                &self.server.url,
                "--cache",
            ])
            .arg(self.path("cache"))
            .arg("-o")
            .arg(self.path("out"))
            .args(extra);
        command
    }

    fn fetch(&self, extra: &[&str]) -> Output {
        self.command(extra).output().unwrap()
    }

    /// Whether exactly these packages have been fetched, and rightly.
    fn check(&self, names: &[&str]) {
        let mut found: Vec<String> = fs::read_dir(self.path("out"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        let mut expected: Vec<String> = names.iter().map(|name| format!("{name}.rpm")).collect();
        expected.sort();
        assert_eq!(found, expected);
        for name in found {
            let same = fs::read(self.path("out").join(&name)).unwrap()
                == fs::read(self.path("repo").join(&name)).unwrap();
            assert!(same, "{name}");
        }
    }

    /// The ranges that were asked for of a package, one for each request.
    fn ranges(&self, name: &str) -> Vec<Option<String>> {
        let requests = self.server.requests().into_iter();
        requests.filter(|request| request.path == name).map(|request| request.range).collect()
    }
}

pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn succeed(output: &Output) {
    assert!(output.status.success(), "{}", text(output));
}

#[test]
fn what_was_fetched_is_not_fetched_again() {
    let Some(world) = World::new() else { return };
    succeed(&world.fetch(&["one", "two"]));
    world.check(&["one", "two"]);
    assert!(world.server.requests().len() >= 4);
    fs::remove_dir_all(world.path("out")).unwrap();
    succeed(&world.fetch(&["one", "two"]));
    world.check(&["one", "two"]);
    let again = world.server.requests();
    assert_eq!(again.len(), 1, "{again:?}");
    assert!(again[0].path.ends_with("repomd.xml") && again[0].etag.is_some(), "{again:?}");
    fs::remove_dir_all(world.path("out")).unwrap();
    succeed(&world.fetch(&["--offline", "one"]));
    world.check(&["one"]);
    let output = world.fetch(&["--offline", "three"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("three.rpm is not in the cache"), "{}", text(&output));
    assert!(world.server.requests().is_empty());
}

/// An index of a repository elsewhere says where its packages are, and who has a path that only the list of all files has.
#[test]
fn an_index_is_enough_to_fetch_by() {
    let Some(world) = World::new() else { return };
    let index = world.path("world.index");
    let mut command = composer();
    command.args(["index", "--repo", &world.server.url, "--cache"]).arg(world.path("cache"));
    run(command.arg("-o").arg(&index));
    let made: Vec<_> = world.server.requests().into_iter().map(|request| request.path).collect();
    assert!(made.iter().all(|path| path.contains("repodata")), "{made:?}");

    let fetch = |repo: &str, names: &[&str]| {
        let mut command = composer();
        command.args(["fetch", "--arch", "x86_64", "--allow-unsigned", "--repo", repo, "--cache"]);
        command.arg(world.path("cache")).arg("-o").arg(world.path("out"));
        succeed(&command.args(names).output().unwrap());
        let requests = world.server.requests().into_iter();
        requests.map(|request| request.path).collect::<Vec<_>>()
    };
    let fetched = fetch(index.to_str().unwrap(), &["/usr/share/two", "one"]);
    world.check(&["one", "two"]);
    assert_eq!(fetched.len(), 2, "{fetched:?}");
    assert!(fetched.iter().all(|path| path.ends_with(".rpm")), "{fetched:?}");

    // And the index may be on the web itself.
    fs::copy(&index, world.path("repo/world.index")).unwrap();
    let fetched = fetch(&format!("{}/world.index", world.server.url), &["/usr/share/three"]);
    world.check(&["one", "two", "three"]);
    assert_eq!(fetched, [&["world.index"; 4][..], &["three.rpm"]].concat());
}

/// Of an index on the web only the parts come that are needed, and once; where the server knows no parts, all of it.
#[test]
fn an_index_on_the_web_is_read_in_parts() {
    let Some(world) = World::new() else { return };
    let index = world.path("repo/world.index");
    let url = format!("{}/world.index", world.server.url);
    run(composer().args(["index", "--repo"]).arg(world.path("repo")).arg("-o").arg(&index));
    let size = fs::metadata(&index).unwrap().len();
    let run_resolve = |cache: &str, more: &[&str]| {
        let mut command = composer();
        command.args(["resolve", "--arch", "x86_64", "--repo", &url, "--cache"]);
        command.arg(world.path(cache)).args(more).output().unwrap()
    };
    let resolve = |cache: &str, more: &[&str]| {
        let output = run_resolve(cache, more);
        succeed(&output);
        (String::from_utf8(output.stdout).unwrap(), world.server.requests())
    };
    let (found, requests) = resolve("parts", &["one"]);
    assert_eq!(found, "one-1.0-1.noarch\n");
    let parts: Vec<&str> =
        requests.iter().map(|request| request.range.as_deref().unwrap()).collect();
    let end = |part: &&str| part.rsplit_once('-').unwrap().1.parse::<u64>().unwrap() + 1;
    assert!(parts[0] == "bytes=0-19" && parts.len() == 2 && end(&parts[1]) < size, "{parts:?}");
    // Again: nothing has changed. Then a path, which two more parts tell of; then without a network.
    let (_, again) = resolve("parts", &["one"]);
    assert!(again.len() == 2 && again.iter().all(|request| request.etag.is_some()), "{again:?}");
    let (found, requests) = resolve("parts", &["/usr/share/two"]);
    assert_eq!((found.as_str(), requests.len()), ("two-1.0-1.noarch\n", 4));
    let (found, requests) = resolve("parts", &["--offline", "/usr/share/two"]);
    assert_eq!((found.as_str(), requests.len()), ("two-1.0-1.noarch\n", 0));

    // Parts of two states of the file are not put together.
    world.server.fail("world.index", Fault::State);
    let output = run_resolve("parts", &["one"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("has changed while it was read"), "{}", text(&output));
    world.server.requests();

    world.server.fail("world.index", Fault::Whole);
    let (found, requests) = resolve("whole", &["/usr/share/two"]);
    assert_eq!(found, "two-1.0-1.noarch\n");
    let ranges = requests.iter().filter(|request| request.range.is_some()).count();
    let seen = requests.iter().filter(|request| request.etag.is_some()).count();
    assert_eq!((requests.len(), ranges, seen), (4, 1, 3), "{requests:?}");
}

#[test]
fn what_breaks_off_goes_on_where_it_stopped() {
    let Some(world) = World::new() else { return };
    world.server.fail("one.rpm", Fault::Cut(100_000));
    world.server.fail("one.rpm", Fault::Cut(50_000));
    world.server.fail("two.rpm", Fault::Cut(100_000));
    world.server.fail("two.rpm", Fault::Whole);
    succeed(&world.fetch(&["one", "two"]));
    world.check(&["one", "two"]);
    let requests = world.server.requests();
    let ranges = |name: &str| -> Vec<Option<String>> {
        requests
            .iter()
            .filter(|request| request.path == name)
            .map(|request| request.range.clone())
            .collect()
    };
    let part = |start: usize| Some(format!("bytes={start}-"));
    assert_eq!(ranges("one.rpm"), [None, part(100_000), part(150_000)]);
    assert_eq!(ranges("two.rpm"), [None, part(100_000)]);
}

#[test]
fn a_silent_server_is_asked_again() {
    let Some(world) = World::new() else { return };
    world.server.fail("one.rpm", Fault::Stall(100_000));
    world.server.fail("repomd.xml", Fault::Stall(100));
    succeed(&world.fetch(&["--timeout", "1", "one"]));
    world.check(&["one"]);
    assert_eq!(world.ranges("one.rpm"), [None, Some("bytes=100000-".into())]);
}

/// A run that is killed once so much of a file has come, and what the run after it asks for.
fn killed(file: &str, after: u64) -> Option<Vec<Request>> {
    let world = World::new()?;
    world.server.fail(file, Fault::Stall(after as usize));
    let mut child =
        world.command(&["--timeout", "600", "one"]).stderr(Stdio::null()).spawn().unwrap();
    let mut asked = false;
    // Of repomd.xml nobody knows the digest: nothing of it is kept before it is whole.
    let has_come = || file == "repomd.xml" || partial(&world.path("cache")) == Some(after);
    while !asked || !has_come() {
        asked |= world.server.requests().iter().any(|request| request.path.ends_with(file));
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!world.path("out").exists());
    world.server.requests();
    succeed(&world.fetch(&["one"]));
    world.check(&["one"]);
    Some(world.server.requests())
}

#[test]
fn a_killed_run_is_gone_on_with() {
    for after in [0, 1, 200_000, 299_999] {
        let Some(requests) = killed("one.rpm", after) else { return };
        let ranges: Vec<_> = requests
            .iter()
            .filter(|request| request.path == "one.rpm")
            .map(|request| request.range.clone())
            .collect();
        assert_eq!(ranges, [(after > 0).then(|| format!("bytes={after}-"))]);
    }
    let requests = killed("repomd.xml", 50).unwrap();
    assert!(requests.iter().any(|request| request.path.ends_with("repomd.xml")));
}

/// Bytes of the file that is on its way into a cache.
fn partial(folder: &Path) -> Option<u64> {
    let entries = fs::read_dir(folder).ok()?;
    entries.flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return partial(&path);
        }
        let is_partial = path.extension().is_some_and(|extension| extension == "partial");
        is_partial.then(|| entry.metadata().ok().map(|about| about.len()))?
    })
}

#[test]
fn lies_are_found_out_and_nothing_is_written() {
    let Some(world) = World::new() else { return };
    for (fault, times, words) in [
        (Fault::More, 1, "more bytes than the repository says"),
        (Fault::Other, 2, "not what the repository says"),
    ] {
        for _ in 0..times {
            world.server.fail("one.rpm", fault.clone());
        }
        let output = world.fetch(&["one"]);
        assert_eq!(output.status.code(), Some(2), "{fault:?}");
        assert!(text(&output).contains(words), "{fault:?}: {}", text(&output));
        assert!(!world.path("out").exists(), "{fault:?}");
    }
    // Once is a mirror's bad day.
    world.server.requests();
    world.server.fail("three.rpm", Fault::Other);
    succeed(&world.fetch(&["three"]));
    world.check(&["three"]);
}

#[test]
fn refusals_that_pass_are_waited_for_and_others_are_not() {
    let Some(world) = World::new() else { return };
    world.server.fail("one.rpm", Fault::Status(503));
    world.server.fail("one.rpm", Fault::Status(429));
    succeed(&world.fetch(&["one"]));
    assert_eq!(world.ranges("one.rpm").len(), 3);
    world.server.fail("two.rpm", Fault::Status(403));
    let output = world.fetch(&["two"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("403"), "{}", text(&output));
    assert_eq!(world.ranges("two.rpm").len(), 1);
    for _ in 0..2 {
        world.server.fail("two.rpm", Fault::Status(500));
    }
    let output = world.fetch(&["--retries", "1", "two"]);
    assert!(text(&output).contains("2 times tried"), "{}", text(&output));
}

#[test]
fn unsigned_packages_are_refused() {
    let Some(world) = World::new() else { return };
    let mut command = composer();
    let key = world.path("key.asc");
    fs::write(&key, "no key").unwrap();
    let repo = world.path("repo");
    command
        .args(["fetch", "--arch", "x86_64", "--repo"])
        .arg(&repo)
        .arg("-o")
        .arg(world.path("out"))
        .arg("one");
    let output = command.output().unwrap();
    assert!(text(&output).contains("--key"), "{}", text(&output));
    let output = command.arg("--key").arg(&key).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("expected an OpenPGP public key"), "{}", text(&output));
    let Some(key) = testdata::shared::data("repodata/librepo/repo_yum_01/repodata/repomd.xml.key")
    else {
        return;
    };
    let output = composer()
        .args(["fetch", "--arch", "x86_64", "--repo"])
        .arg(&repo)
        .arg("-o")
        .arg(world.path("out"))
        .arg("--key")
        .arg(key)
        .arg("one")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("one-1.0-1.noarch: it is not signed"), "{}", text(&output));
    assert!(!world.path("out").exists());
}
