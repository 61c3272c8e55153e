//! Packages: file lists as `rpm` prints them, contents as their digests say, errors for broken ones.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sysext::rpm::{Error, Package, Payload};

use testdata::shared::data;

/// Every package below a folder of the shared data, in the order of their paths.
pub(crate) fn packages(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = data(folder).into_iter().collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rpm") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Reads a package to its end and gives it back.
fn read_all(bytes: &[u8]) -> Result<Package, Error> {
    let mut payload = Payload::open(bytes)?;
    while payload.next_member()?.is_some() {}
    Ok(payload.package().clone())
}

/// The lists that rpm 4.18 printed, by package.
fn expected_files() -> Option<BTreeMap<String, Vec<Vec<String>>>> {
    let path = data("RPM-FILES-rpm4.18.tsv.zst")?;
    let text = Command::new("zstdcat").arg(path).output().unwrap().stdout;
    let mut lists = BTreeMap::<String, Vec<Vec<String>>>::new();
    for line in String::from_utf8_lossy(&text).lines() {
        let fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
        lists.entry(fields[0].clone()).or_default().push(fields);
    }
    Some(lists)
}

#[test]
fn file_lists_are_those_of_rpm() {
    let Some(lists) = expected_files() else { return };
    let root = data("").unwrap();
    let mut compared = 0;
    for (name, rows) in lists {
        let Ok(bytes) = fs::read(root.join(&name)) else { continue };
        let package =
            Package::read(bytes.as_slice()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found: Vec<String> = package
            .files
            .iter()
            .map(|file| {
                let digest = sysext::rpm::hex(&file.digest);
                let links = file.hard_links.map_or(1, |links| {
                    package.files.iter().filter(|other| other.hard_links == Some(links)).count()
                });
                format!(
                    "{}|{:o}|{}|{}|{}|{}|{}|{digest}|{links}",
                    file.display().trim_start_matches('/'),
                    file.mode,
                    file.user,
                    file.group,
                    file.size,
                    file.mtime,
                    String::from_utf8_lossy(&file.link_target)
                )
            })
            .collect();
        let expected: Vec<String> = rows
            .iter()
            .map(|row| {
                format!(
                    "{}|{}|{}|{}|{}|{}|{}|{}|{}",
                    row[1].trim_start_matches('/'),
                    row[2],
                    row[3],
                    row[4],
                    row[5],
                    row[6],
                    row[8],
                    row[9],
                    row[11]
                )
            })
            .collect();
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{name}");
        }
        assert_eq!(found.len(), expected.len(), "{name}");
        compared += 1;
    }
    assert!(compared > 200, "only {compared} packages");
}

#[test]
fn contents_match_their_digests() {
    for path in packages("rpms") {
        let bytes = fs::read(&path).unwrap();
        if let Err(error) = read_all(&bytes) {
            panic!("{}: {error}", path.display());
        }
    }
}

#[test]
fn broken_packages_are_errors_that_say_where() {
    for path in packages("bad/rpms") {
        let bytes = fs::read(&path).unwrap();
        match read_all(&bytes) {
            Ok(_) => panic!("{} reads", path.display()),
            Err(error) => check_message(&path, &error),
        }
    }
}

#[test]
fn truncated_packages_are_errors_that_say_where() {
    for path in packages("rpms") {
        let mut bytes = Vec::new();
        fs::File::open(&path).unwrap().read_to_end(&mut bytes).unwrap();
        let mut length = bytes.len() / 1000 * 1000;
        // The long ones at fewer places, for the time.
        let step = 1000 * (bytes.len() / 40_000 + 1);
        while length > 0 {
            match read_all(&bytes[..length]) {
                Ok(_) if length < bytes.len() => {
                    panic!("{} reads to its end with {length} bytes", path.display())
                }
                Ok(_) => {}
                Err(error) => check_message(&path, &error),
            }
            length = length.saturating_sub(step);
        }
    }
}

fn check_message(path: &Path, error: &Error) {
    let text = error.to_string();
    let clear = matches!(error, Error::Unsupported(_))
        || text.contains("at byte") && text.contains("expected") && text.contains("found");
    assert!(clear, "{}: {text}", path.display());
}
