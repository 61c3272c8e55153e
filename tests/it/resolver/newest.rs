//! Choosing packages on a base, next to the newest dnf5: 17,649 packages of CentOS Stream 9's AppStream and those of BaseOS,
//! random sets of one to five names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sysext::rpm::repodata::{Primary, RepoPackage, open};
use sysext::rpm::{Compression, NewFile, NewPackage};
use sysext::{Base, Nevra};

use testdata::shared::data;
use testdata::tools::{composer, in_lab};

use super::random::Random;

/// How many sets are asked for, unless `$SYSEXT_SETS` says so.
const SETS: u64 = 16;
/// Where their numbers start, unless `$SYSEXT_SEED` says so.
const SEED: u64 = 43;
/// Repositories of the shared data: their names, and where they are.
const REPOSITORIES: [(&str, &str); 2] =
    [("as", "repodata/cs9-osbuild/appstream"), ("bo", "repodata/cs9-baseos-2022")];

/// All packages of a repository.
fn packages(folder: &Path) -> Vec<RepoPackage> {
    let mut entries = fs::read_dir(folder.join("repodata")).unwrap().map(Result::unwrap);
    let is_primary =
        |entry: &fs::DirEntry| entry.file_name().to_string_lossy().contains("primary.xml");
    let path = entries.find(is_primary).unwrap().path();
    let file = open(fs::File::open(path).unwrap()).unwrap();
    Primary::new(file).map(Result::unwrap).collect()
}

/// A package that says of itself what a repository says of it, and has the files that others may require, all empty.
fn write(package: &RepoPackage, folder: &Path) -> PathBuf {
    let nevra = Nevra::parse(&package.nevra()).unwrap();
    let evr = nevra.evr();
    let (epoch, evr) = evr.split_once(':').map_or((None, evr), |(epoch, evr)| (Some(epoch), evr));
    let (version, release) = evr.split_once('-').unwrap();
    let own = |name: &str| name == package.name;
    let provides = package.provides.iter().filter(|provide| !own(&provide.name));
    let files = package.files.iter().map(|file| NewFile::file(&file.path, 0o644, Vec::new()));
    let written = NewPackage {
        epoch: epoch.map(|epoch| epoch.parse().unwrap()),
        files: files.collect(),
        provides: provides.cloned().collect(),
        requires: package.requires.clone(),
        ..NewPackage::new(&package.name, version, release, &package.arch)
    };
    let path = folder.join(format!("{}.rpm", nevra.text()));
    fs::write(&path, written.write(&Compression::None)).unwrap();
    path
}

/// The packages that dnf5's table says it would install; nothing if it would also change others, or refuses.
fn installed(table: &str) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut is_install = false;
    for line in table.lines() {
        if !line.starts_with(' ') && line.ends_with(':') {
            is_install = line.starts_with("Installing");
            let changes = ["Upgrading", "Downgrading", "Removing", "Replacing"];
            if changes.iter().any(|change| line.starts_with(change)) {
                return None;
            }
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        if let (true, [name, arch, evr, repository, ..]) = (is_install, words.as_slice())
            && REPOSITORIES.iter().any(|(known, _)| known == repository)
        {
            let evr = evr.strip_prefix("0:").unwrap_or(evr);
            found.insert(format!("{name}-{evr}.{arch}"));
        }
    }
    table.contains("Transaction Summary").then_some(found)
}

#[test]
fn dnf5_says_the_same_on_a_base() {
    let Some(list) = data("repodata/oracle-libsolv/cs9-baseos-2022.base-system.txt") else {
        return;
    };
    let scratch = tempfile::tempdir_in("/tmp").unwrap();
    let at = scratch.path().display();
    let base = Base::parse_list(&fs::read_to_string(&list).unwrap()).unwrap();
    let has: BTreeSet<&str> = base.packages().map(Nevra::text).collect();
    let (mut names, mut written) = (BTreeSet::new(), 0);
    for (name, folder) in REPOSITORIES {
        let folder = data(folder).unwrap();
        let copy = scratch.path().join(name);
        fs::create_dir_all(copy.join("repodata")).unwrap();
        for entry in fs::read_dir(folder.join("repodata")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, copy.join("repodata").join(path.file_name().unwrap())).unwrap();
        }
        for package in packages(&folder) {
            if has.contains(package.nevra().as_str()) {
                write(&package, scratch.path());
                written += 1;
            }
            if matches!(package.arch.as_str(), "x86_64" | "noarch") {
                names.insert(package.name);
            }
        }
    }
    assert_eq!(written, has.len(), "the base is part of the repositories");
    let make = format!(
        "rpm --root {at}/root --dbpath /var/lib/rpm --install --justdb --nodeps --force --nosignature --noscripts \
         --ignorearch {at}/*.rpm"
    );
    let otherwise = "nobody asks dnf5";
    let Some(made) = in_lab(&make, otherwise) else { return };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let number =
        |name, usual| std::env::var(name).map_or(usual, |number| number.parse().expect("a number"));
    let (sets, mut random) = (number("SYSEXT_SETS", SETS), Random(number("SYSEXT_SEED", SEED)));
    let mut refused = 0;
    for set in 0..sets {
        let specs: Vec<&str> = (0..=random.below(5)).map(|_| random.of(&names)).collect();
        let repositories: String = REPOSITORIES
            .map(|(name, _)| format!("--repofrompath={name},file://{at}/{name} "))
            .concat();
        let ask = format!(
            "COLUMNS=400 dnf5 --installroot={at}/root --setopt=cachedir={at}/cache --use-host-config {repositories} \
             --setopt=reposdir=/nonexistent --releasever=9 --forcearch=x86_64 --setopt=best=1 --assumeno install {}",
            specs.join(" ")
        );
        let said = in_lab(&ask, otherwise).unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let mut command = composer();
        command.args(["resolve", "--arch", "x86_64", "--base"]).arg(&list);
        for (name, _) in REPOSITORIES {
            command.arg("--repo").arg(format!("{name}={at}/{name}"));
        }
        let ours = command.args(&specs).output().unwrap();
        let found: BTreeSet<String> =
            String::from_utf8(ours.stdout).unwrap().lines().map(str::to_owned).collect();
        let found = ours.status.success().then_some(found);
        // What is there already is nothing to do.
        let expected = match said.contains("Nothing to do") {
            true => Some(BTreeSet::new()),
            false => installed(&said),
        };
        refused += u64::from(found.is_none());
        assert_eq!(found, expected, "set {set}: {specs:?}\n{said}");
    }
    assert!(2 * refused < sets, "{refused} of {sets} are refused: that tells little");
}
