//! Repositories as `.repo` files name them: mirrors that lag behind, lie or are gone, signed metadata, and what is left out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest as _, Sha256};
use sysext::rpm::{Compression, NewPackage};
use testdata::server::{Fault, Server};
use testdata::shared::data;
use testdata::tools::{composer, has, run};

/// A repository of packages `NAME-VERSION`, in a folder.
fn repository(folder: &Path, packages: &[(&str, &str)]) -> Option<()> {
    if !has("createrepo_c") {
        return None;
    }
    fs::create_dir_all(folder).unwrap();
    for (name, version) in packages {
        let package = NewPackage::new(name, version, "1", "noarch").write(&Compression::Gzip);
        fs::write(folder.join(format!("{name}-{version}.rpm")), package).unwrap();
    }
    run(Command::new("createrepo_c").arg("--quiet").arg(folder));
    Some(())
}

/// A file `NAME.repo` in a folder.
fn repo_file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(format!("{name}.repo"));
    fs::write(&path, text).unwrap();
    path
}

fn resolve(folder: &Path, repo: impl AsRef<std::ffi::OsStr>, extra: &[&str]) -> Output {
    composer()
        .args(["resolve", "--arch", "x86_64", "--retries", "0", "--cache"])
        .arg(folder.join("cache"))
        .arg("--repo")
        .arg(repo)
        .args(extra)
        .output()
        .unwrap()
}

fn check(output: &Output, expected: &[&str]) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let found = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
}

fn refused(output: &Output, words: &str) {
    let found = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && found.contains(words), "{found}");
}

/// A metalink of several states of `repomd.xml`, the newest first, and of mirrors, the preferred first.
fn metalink(states: &[Vec<u8>], mirrors: &[&str]) -> String {
    let states: Vec<String> = states
        .iter()
        .map(|repomd| {
            let digest = sysext::rpm::hex(&Sha256::digest(repomd));
            format!(
                "<size>{}</size><verification><hash type=\"sha256\">{digest}</hash></verification>",
                repomd.len()
            )
        })
        .collect();
    let [newest, older @ ..] = states.as_slice() else { panic!("no state") };
    let older: String =
        older.iter().map(|state| format!("<alternate>{state}</alternate>")).collect();
    let mirrors: String = mirrors
        .iter()
        .enumerate()
        .map(|(at, url)| {
            format!("<url preference=\"{}\">{url}/repodata/repomd.xml</url>", 100 - at)
        })
        .collect();
    format!(
        "<metalink><files><file name=\"repomd.xml\">{newest}<alternates>{older}</alternates>\
         <resources>{mirrors}</resources></file></files></metalink>"
    )
}

#[test]
fn mirrors_that_lag_behind_or_are_gone_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let (new, old) = (folder.path().join("new"), folder.path().join("old"));
    let Some(()) = repository(&new, &[("one", "2")]) else { return };
    repository(&old, &[("one", "1")]);
    let repomd = |at: &Path| fs::read(at.join("repodata/repomd.xml")).unwrap();
    let (ahead, behind, lists) = (Server::new(&new), Server::new(&old), Server::new(folder.path()));
    // Nobody listens there any more.
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let text =
        format!("[fedora]\nmetalink={}/metalink-$releasever-$basearch\ngpgcheck=0\n", lists.url);
    let repo = repo_file(folder.path(), "fedora", &text);
    let name = folder.path().join("metalink-43-x86_64");
    let release: &[&str] = &["--release", "43", "one"];

    let mirrors = [gone.as_str(), behind.url.as_str(), ahead.url.as_str()];
    fs::write(&name, metalink(&[repomd(&new), repomd(&old)], &mirrors)).unwrap();
    check(&resolve(folder.path(), &repo, release), &["one-2-1.noarch"]);
    assert!(behind.requests().iter().any(|request| request.path == "repodata/repomd.xml"));
    // What is there is not asked for again, but for the metalink itself.
    ahead.requests();
    check(&resolve(folder.path(), &repo, release), &["one-2-1.noarch"]);
    assert!(ahead.requests().is_empty());
    check(
        &resolve(folder.path(), &repo, &["--offline", "--release", "43", "one"]),
        &["one-2-1.noarch"],
    );

    // Where no mirror has the newest state, an older one that the metalink knows will do ...
    fs::remove_dir_all(folder.path().join("cache")).unwrap();
    fs::write(&name, metalink(&[repomd(&new), repomd(&old)], &mirrors[..2])).unwrap();
    check(&resolve(folder.path(), &repo, release), &["one-1-1.noarch"]);
    // ... and one that it does not know will not.
    fs::remove_dir_all(folder.path().join("cache")).unwrap();
    fs::write(&name, metalink(&[repomd(&new)], &mirrors[..2])).unwrap();
    refused(&resolve(folder.path(), &repo, release), "fedora: ");
    refused(&resolve(folder.path(), &repo, &["one"]), "--release says what $releasever stands for");
}

#[test]
fn a_file_that_one_mirror_has_wrong_comes_from_another() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("repo");
    let Some(()) = repository(&place, &[("one", "1")]) else { return };
    let (first, second) = (Server::new(&place), Server::new(&place));
    fs::write(place.join("mirrors"), format!("# here\n{}/\n{}/\n", first.url, second.url)).unwrap();
    let text = format!("[a]\nmirrorlist={}/mirrors\n", second.url);
    let repo = repo_file(folder.path(), "a", &text);
    first.fail("primary.xml.zst", Fault::Other);
    first.fail("primary.xml.gz", Fault::Other);
    check(&resolve(folder.path(), &repo, &["one"]), &["one-1-1.noarch"]);
    let asked = second.requests();
    assert!(asked.iter().any(|request| request.path.contains("primary.xml")), "{asked:?}");
}

#[test]
fn sections_say_what_is_taken_from_a_repository() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let packages = [("one", "1"), ("two", "1"), ("three", "1")];
    let Some(()) = repository(&a, &packages) else { return };
    repository(&b, &[("one", "2"), ("two", "2"), ("three", "2")]);
    let check_with = |lines: &str, expected: &[&str]| {
        let (a, b) = (a.display(), b.display());
        let text = format!("[a]\nbaseurl=file://{a}\n[b]\nbaseurl=file://{b}\n{lines}");
        let repo = repo_file(folder.path(), "both", &text);
        check(&resolve(folder.path(), &repo, &["one", "two"]), expected);
    };
    check_with("", &["one-2-1.noarch", "two-2-1.noarch"]);
    check_with("excludepkgs=o*\n", &["one-1-1.noarch", "two-2-1.noarch"]);
    check_with("includepkgs=one three\n", &["one-2-1.noarch", "two-1-1.noarch"]);
    check_with("priority=100\n", &["one-1-1.noarch", "two-1-1.noarch"]);
    check_with("enabled=0\n", &["one-1-1.noarch", "two-1-1.noarch"]);

    let repo = folder.path().join("both.repo");
    let section = |name: &str| format!("{name}={}", repo.display());
    check(&resolve(folder.path(), section("b"), &["two"]), &["two-2-1.noarch"]);
    refused(&resolve(folder.path(), section("c"), &["two"]), "it has no section [c]");
    refused(&resolve(folder.path(), "fedoar", &["two"]), "no repository is known by it");
    refused(&resolve(folder.path(), "copr:nobody", &["two"]), "expected copr:OWNER/PROJECT");
}

/// What a section says of its mirrors, and of the systems that it is for, holds for its index, too.
#[test]
fn an_index_is_made_of_what_a_section_names() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there");
    let Some(()) = repository(&there, &[("one", "1"), ("two", "1")]) else { return };
    let server = Server::new(folder.path());
    let repomd = fs::read(there.join("repodata/repomd.xml")).unwrap();
    let mirror = format!("{}/there", server.url);
    fs::write(folder.path().join("metalink-43-aarch64"), metalink(&[repomd], &[&mirror])).unwrap();
    let text = format!(
        "[a]\nmetalink={}/metalink-$releasever-$basearch\n[b]\nbaseurl={mirror}\n\
         [other]\nenabled=0\nbaseurl=https://example.org/$vendor\n",
        server.url
    );
    let repo = repo_file(folder.path(), "some", &text);
    let index = there.join("one.index");
    let make = |repo: &str| {
        let mut command = composer();
        command.args([
            "index",
            "--retries",
            "0",
            "--release",
            "43",
            "--arch",
            "aarch64",
            "--cache",
        ]);
        command.arg(folder.path().join("cache")).args(["--repo", repo, "-o"]).arg(&index);
        command.output().unwrap()
    };
    let section = |name: &str| make(&format!("{name}={}", repo.display()));
    let made = section("a");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    check(&resolve(folder.path(), &index, &["one"]), &["one-1-1.noarch"]);
    refused(&section("other"), "`$vendor`");
    refused(&make(repo.to_str().unwrap()), "names 2 repositories: say which one");
    refused(&make(index.to_str().unwrap()), "it may be an index already");
}

#[test]
fn metadata_that_must_be_signed_is() {
    let Some(real) = data("repodata/librepo/repo_yum_01") else { return };
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    run(Command::new("cp").arg("-r").arg(real).arg(&copy));
    let server = Server::new(&copy);
    let text = format!(
        "[signed]\nbaseurl={0}\nrepo_gpgcheck=1\ngpgkey={0}/repodata/repomd.xml.key\n",
        server.url
    );
    let repo = repo_file(folder.path(), "signed", &text);
    let ask = || {
        let _ = fs::remove_dir_all(folder.path().join("cache"));
        resolve(folder.path(), &repo, &["no-such-package"])
    };
    // The metadata is taken, and then there is no such package.
    refused(&ask(), "no-such-package");
    let path = copy.join("repodata/repomd.xml");
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, whole.replacen("<revision>", "<revision>1", 1)).unwrap();
    refused(&ask(), "repomd.xml has a bad signature");
    fs::write(&path, &whole).unwrap();
    fs::remove_file(copy.join("repodata/repomd.xml.asc")).unwrap();
    refused(&ask(), "repo_gpgcheck asks for a signature");
    let repo = repo_file(
        folder.path(),
        "keyless",
        &format!("[keyless]\nbaseurl={}\nrepo_gpgcheck=1\n", server.url),
    );
    refused(&resolve(folder.path(), repo, &["x"]), "repo_gpgcheck needs keys");
}
