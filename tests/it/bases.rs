//! Base packs: what rpm and createrepo_c say of the same packages.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use sysext::rpm::database::Database;
use sysext::rpm::repodata::{Primary, RepoPackage, open};
use sysext::rpm::{Compression, Error, NewFile, NewPackage};

use testdata::shared::data;
use testdata::tools::{DATABASE, composer, has, install, run};

/// A root folder that has so many packages in its database, and some of the texts of a system.
pub(crate) fn root(folder: &Path, packages: usize) -> PathBuf {
    let root = folder.join("root");
    // Enough, and some of them large enough, that the database has pages of all kinds.
    let paths = (0..packages).map(|number| {
        let name = format!("package-{number}");
        let files = (0..if number % 10 == 0 { 500 } else { 3 })
            .map(|file| NewFile::file(&format!("/usr/share/{name}/{file}"), 0o644, Vec::new()));
        let package =
            NewPackage { files: files.collect(), ..NewPackage::new(&name, "1.0", "1", "noarch") };
        let path = folder.join(format!("{name}.rpm"));
        fs::write(&path, package.write(&Compression::Gzip)).unwrap();
        path
    });
    install(&root, paths);
    let release = "ID=fedora\nVERSION_ID=43\nPRETTY_NAME=\"Fedora 43\"\n";
    fs::write(root.join("usr/lib/os-release"), release).unwrap();
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
    root
}

/// All packages of a pack, as `base show` lists them.
fn shown(pack: &Path) -> Vec<String> {
    let output = run(composer().args(["--json", "base", "show"]).arg(pack));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut packages: Vec<String> = json["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| package.as_str().unwrap().to_owned())
        .collect();
    packages.sort();
    packages
}

/// All packages of a database, as rpm lists them.
fn queried(folder: &Path) -> Vec<String> {
    let format = "%{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}.%{ARCH}\n";
    let output = run(Command::new("rpm").arg("--dbpath").arg(folder).args(["-qa", "--qf", format]));
    let mut packages: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with("gpg-pubkey-"))
        .map(|line| line.replacen("-0:", "-", 1))
        .collect();
    packages.sort();
    packages
}

#[test]
fn a_real_database_has_what_rpm_lists() {
    let Some(database) = data("manifests/rpmdb/cbl-mariner-2.0/rpmdb.sqlite") else { return };
    if !has("rpm") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("rpmdb.sqlite");
    fs::copy(database, &copy).unwrap();
    let pack = folder.path().join("pack");
    run(composer().args(["base", "make"]).arg(&copy).arg("-o").arg(&pack));
    let packages = shown(&pack);
    assert_eq!(packages.len(), 129);
    assert_eq!(packages, queried(folder.path()));

    // And every path with its mode, owner and target.
    let files = run(composer().args(["--json", "base", "show", "--files"]).arg(&pack)).stdout;
    let json: serde_json::Value = serde_json::from_slice(&files).unwrap();
    let line = |file: &serde_json::Value| {
        let text = |key: &str| file[key].as_str().unwrap_or_default().to_owned();
        let mode = text("mode").trim_start_matches('0').to_owned();
        [mode, text("user"), text("group"), text("path") + &text("target")].join(" ")
    };
    let mut files: Vec<String> = json["files"].as_array().unwrap().iter().map(line).collect();
    let format =
        "[%{FILEMODES:octal} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILENAMES}%{FILELINKTOS}\n]";
    let mut query = Command::new("rpm");
    let output = run(query.arg("--dbpath").arg(folder.path()).args(["-qa", "--qf", format]));
    let listed = String::from_utf8(output.stdout).unwrap();
    let mut listed: Vec<String> = listed.lines().map(str::to_owned).collect();
    files.sort();
    listed.sort();
    assert_eq!(files.len(), 7269);
    assert!(files == listed, "what rpm says of the files");
}

#[test]
fn a_root_and_its_database_agree() {
    if !has("rpm") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = root(folder.path(), 30);
    let database = root.join(DATABASE);
    let pack = |source: &Path, name: &str| {
        let pack = folder.path().join(name);
        run(composer().args(["base", "make"]).arg(source).arg("-o").arg(&pack));
        pack
    };
    let of_root = pack(&root, "root.base");
    let of_database = pack(&database.join("rpmdb.sqlite"), "rpmdb.base");
    assert_eq!(shown(&of_root), queried(&database));
    assert_eq!(shown(&of_root).len(), 30);
    let diff = composer().args(["base", "diff"]).arg(&of_root).arg(&of_database).output().unwrap();
    assert!(diff.status.success() && diff.stdout.is_empty());
    assert_eq!(fs::read(&of_root).unwrap(), fs::read(pack(&root, "again.base")).unwrap());
    let shown = run(composer().args(["base", "show"]).arg(&of_root)).stdout;
    let shown = String::from_utf8(shown).unwrap();
    assert!(
        shown.contains("Fedora 43") && shown.contains("Unknown   group, file_contexts"),
        "{shown}"
    );
}

#[test]
fn lists_of_coreos_are_read() {
    let Some(folder) = data("manifests/fcos") else { return };
    let temporary = tempfile::tempdir().unwrap();
    let pack = |stream: &str| {
        let pack = temporary.path().join(stream);
        let list = folder.join(stream).join("manifest-lock.x86_64.json");
        run(composer().args(["base", "make"]).arg(list).arg("-o").arg(&pack));
        pack
    };
    let (old, new) = (pack("testing-devel"), pack("next-devel"));
    let packages = shown(&old);
    assert_eq!(packages.len(), 439);
    assert!(packages.contains(&"NetworkManager-1:1.46.2-1.fc40.x86_64".to_owned()));
    let diff = composer().args(["base", "diff"]).arg(&old).arg(&new).output().unwrap();
    assert_eq!(diff.status.code(), Some(1));
    let diff = String::from_utf8(diff.stdout).unwrap();
    assert!(diff.contains("NetworkManager.x86_64: 1:1.46.2-1.fc40 -> 1:1.50.0-1.fc41"), "{diff}");
}

/// The dependencies of every package of the shared data are those that createrepo_c writes.
#[test]
fn dependencies_are_those_of_createrepo_c() {
    let paths = crate::packages::packages("rpms");
    if paths.is_empty() || !has("createrepo_c") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut ours = BTreeMap::new();
    for (number, path) in paths.iter().enumerate() {
        let name = format!("{number}.rpm");
        fs::copy(path, folder.path().join(&name)).unwrap();
        ours.insert(name, RepoPackage::from_package(fs::File::open(path).unwrap()).unwrap());
    }
    run(Command::new("createrepo_c").args(["--quiet", "--no-database"]).arg(folder.path()));
    let mut entries =
        fs::read_dir(folder.path().join("repodata")).unwrap().map(|entry| entry.unwrap().path());
    let primary = entries.find(|path| path.to_string_lossy().contains("primary.xml")).unwrap();
    let mut compared = 0;
    for theirs in Primary::new(open(fs::File::open(primary).unwrap()).unwrap()) {
        let theirs = theirs.unwrap();
        let ours = &ours[&theirs.location];
        let name = theirs.nevra();
        assert_eq!(ours.nevra(), name);
        let lists = |package: &RepoPackage| {
            package.lists().map(|list| {
                let mut list: Vec<String> = list.iter().map(ToString::to_string).collect();
                list.sort();
                list.dedup();
                list
            })
        };
        // createrepo_c leaves requirements out that the package fulfils itself, and older C libraries than the newest.
        let [our_lists, their_lists] = [lists(ours), lists(&theirs)];
        for (at, (ours_of, theirs_of)) in our_lists.iter().zip(&their_lists).enumerate() {
            if at == 1 {
                assert!(
                    theirs_of.iter().all(|one| ours_of.contains(one)),
                    "{name}: {ours_of:?}, {theirs_of:?}"
                );
            } else {
                assert_eq!(ours_of, theirs_of, "{name}");
            }
        }
        compared += 1;
    }
    assert!(compared > 250, "{compared} packages");
}

/// Cut short or with a byte changed, a database is refused or read, and nothing panics or runs on.
#[test]
fn damaged_databases_never_panic() {
    let Some(path) = data("manifests/rpmdb/cbl-mariner-2.0/rpmdb.sqlite") else { return };
    let bytes = fs::read(path).unwrap();
    assert_eq!(headers(&bytes).unwrap().len(), 129);
    for at in (0..bytes.len()).step_by(bytes.len() / 200) {
        let _ = headers(&bytes[..at]);
        let mut changed = bytes.clone();
        changed[at] ^= 0xFF;
        let headers = headers(&changed).unwrap_or_default();
        headers.iter().for_each(|header| drop(RepoPackage::from_database(header)));
    }
    for page in 0..bytes.len() / 4096 {
        let mut changed = bytes.clone();
        changed[page * 4096..][..16].fill(if page % 2 == 0 { 5 } else { 13 });
        let _ = headers(&changed);
    }
    headers(b"SQLite format 3\0").unwrap_err();
}

/// All headers of a database.
fn headers(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let mut database = Database::open(Cursor::new(bytes))?;
    let mut headers = Vec::new();
    while let Some(header) = database.next_header()? {
        headers.push(header);
    }
    Ok(headers)
}
