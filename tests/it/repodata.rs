//! The metadata of repositories: every file of the shared data is read, or refused with words that say where.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sysext::rpm::Error;
use sysext::rpm::repodata::{Comps, Filelists, Metalink, Modules, Primary, Repomd, open};

use testdata::shared::data;

/// Files that are broken on purpose, and what is said of them.
const BROKEN: [(&str, &str); 10] = [
    (
        "error_00-filelists.xml",
        "filelists.xml: <package> at byte 153: expected the attribute `pkgid`",
    ),
    (
        "multiple_warnings_00-filelists.xml",
        "filelists.xml: <package> at byte 216: expected the attribute `arch`",
    ),
    (
        "no_pkgid-filelists.xml",
        "filelists.xml: <package> at byte 358: expected the attribute `pkgid`",
    ),
    (
        "multiple_warnings_00-primary.xml",
        "package fake_bash: <header-range> at byte 1093: expected a number in `end`",
    ),
    (
        "unknown_element_02-primary.xml",
        "package without a name: <name> at byte 1405: expected a value",
    ),
    ("missing_type-repomd.xml", "repomd.xml: <data> at byte 620: expected the attribute `type`"),
    ("metalink_really_bad_01", "expected a <file name=\"repomd.xml\">, found none of that name"),
    ("metalink_really_bad_02", "metalink.xml: the document at byte"),
    ("metalink_really_bad_03", "expected a <file name=\"repomd.xml\">, found none of that name"),
    // Written before the format was settled.
    ("01_plain.foo4", "zchunk header at byte 0: expected a header"),
];

/// What a file says, in one line.
fn read(path: &Path) -> Result<String, Error> {
    let mut metadata = open(File::open(path).unwrap())?;
    let name = path.file_name().unwrap().to_string_lossy();
    if name.contains("primary") {
        let (mut packages, mut dependencies) = (0, 0);
        for package in Primary::new(metadata) {
            let package = package?;
            packages += 1;
            dependencies += package.requires.len() + package.provides.len();
        }
        return Ok(format!("{packages} packages, {dependencies} dependencies"));
    }
    if name.contains("filelists") {
        let mut lists = Filelists::new(metadata);
        let (mut packages, mut files) = (0, 0);
        while lists.next_package(|_, _, _| files += 1)?.is_some() {
            packages += 1;
        }
        return Ok(format!("{packages} packages, {files} files"));
    }
    if name.ends_with("repomd.xml") {
        return Ok(format!("{} records", Repomd::read(metadata)?.records.len()));
    }
    if name.contains("comps") {
        let comps = Comps::read(metadata)?;
        return Ok(format!(
            "{} groups, {} environments",
            comps.groups.len(),
            comps.environments.len()
        ));
    }
    if name.contains("modules.yaml") && !name.contains(".gz.zck") {
        Modules::read(metadata)?;
        return Ok("modules".into());
    }
    if name.contains("metalink") {
        let Metalink { states, mirrors } = Metalink::read(metadata)?;
        let digests = states.iter().filter(|state| state.checksum.is_some()).count();
        return Ok(format!("{} mirrors, {digests} digests", mirrors.len()));
    }
    let mut bytes = Vec::new();
    metadata.read_to_end(&mut bytes).map_err(Error::Io)?;
    if name.contains("mirrorlist") {
        let list = Metalink::read_list(&String::from_utf8_lossy(&bytes))?;
        return Ok(format!("{} mirrors", list.mirrors.len()));
    }
    Ok(format!("{} bytes", bytes.len()))
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[test]
fn every_file_is_read_or_refused_with_words() {
    let Some(folder) = data("repodata") else { return };
    let mut read_well = 0;
    for path in files(folder) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if ![
            "primary",
            "filelists",
            "repomd.xml",
            "comps",
            "modules.yaml",
            "plain",
            ".zck",
            "metalink",
            "mirrorlist",
        ]
        .iter()
        .any(|part| name.contains(part))
            || name.contains("sqlite")
            || name.ends_with(".asc")
            || name.ends_with(".key")
        {
            continue;
        }
        let old_zchunk = path.components().any(|part| part.as_os_str() == "repo_yum_03")
            && name.ends_with(".zck");
        match (read(&path), BROKEN.iter().find(|(broken, _)| *broken == name)) {
            (Ok(_), None) => read_well += 1,
            (Err(error), Some((_, said))) => {
                assert!(error.to_string().contains(said), "{name}: {error}");
            }
            (Err(error), None) if old_zchunk => {
                assert!(error.to_string().contains("zchunk header"), "{name}: {error}");
            }
            (Ok(said), Some(_)) => panic!("{name} is broken, and was read: {said}"),
            (Err(error), None) => panic!("{}: {error}", path.display()),
        }
    }
    assert!(read_well > 190, "{read_well} files");
}

#[test]
fn mirrors_are_those_that_librepo_expects() {
    let Some(folder) = data("repodata/librepo") else { return };
    let check = |path: &str, expected: &str| {
        assert_eq!(read(&folder.join(path)).unwrap(), expected, "{path}");
    };
    // Of http and https; librepo's tests of these files count ftp and rsync as well.
    check("metalinks/metalink_good_01", "49 mirrors, 1 digests");
    check("metalinks/metalink_good_02", "2 mirrors, 0 digests");
    check("metalinks/metalink_good_03", "0 mirrors, 0 digests");
    check("metalinks/metalink_bad_01", "1 mirrors, 1 digests");
    check("metalinks/metalink_bad_02", "0 mirrors, 1 digests");
    check("metalinks/metalink_with_alternates", "76 mirrors, 2 digests");
    check("metalink.xml", "1 mirrors, 1 digests");
    check("mirrorlist", "1 mirrors");
    check("mirrorlists/mirrorlist_01", "1 mirrors");
    check("mirrorlists/mirrorlist_02", "0 mirrors");
}

#[test]
fn compressions_hold_the_same() {
    let Some(folder) = data("repodata/createrepo_c") else { return };
    let check = |paths: &[&str]| {
        let texts: Vec<Vec<u8>> = paths
            .iter()
            .map(|path| {
                let mut text = Vec::new();
                let file = File::open(folder.join(path)).unwrap();
                open(file).unwrap().read_to_end(&mut text).unwrap();
                text
            })
            .collect();
        assert!(!texts[0].is_empty());
        assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "{paths:?}");
    };
    check(
        &["txt", "txt.gz", "txt.bz2", "txt.xz", "txt.zst", "txt.zck"]
            .map(|end| format!("compressed_files/01_plain.{end}"))
            .each_ref()
            .map(String::as_str),
    );
    let repo = "repo_with_additional_metadata/repodata/";
    check(&[
        &format!(
            "{repo}490a2a494a3827b8a356f728ac36bc02fb009b0eaea173c890e727bb54219037-primary.xml.gz"
        ),
        &format!(
            "{repo}e9e6ca4765de75cc3b2bf05e6cf631703c6557edd642300748d7747000547365-primary.xml.zck"
        ),
    ]);
}

/// Cut short or with a byte changed, metadata is refused or read, and nothing panics.
#[test]
fn damaged_metadata_never_panics() {
    let Some(folder) = data("repodata/createrepo_c/repo_with_additional_metadata/repodata") else {
        return;
    };
    for path in files(folder) {
        let bytes = fs::read(&path).unwrap();
        if bytes.len() > 100_000 || path.to_string_lossy().contains("sqlite") {
            continue;
        }
        let name = path.file_name().unwrap().to_owned();
        let temporary = tempfile::tempdir().unwrap();
        let damaged = temporary.path().join(name);
        for at in (0..bytes.len()).step_by(bytes.len().div_ceil(60)) {
            fs::write(&damaged, &bytes[..at]).unwrap();
            let _ = read(&damaged);
            let mut changed = bytes.clone();
            changed[at] ^= 0x55;
            fs::write(&damaged, &changed).unwrap();
            let _ = read(&damaged);
        }
    }
}
