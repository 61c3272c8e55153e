//! Choosing packages: the answers of libsolv, on real repositories, on its own test cases, on random ones; and those of dnf5.

mod newest;
mod random;
mod testcases;
mod testtags;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sysext::resolve::index::{Index, Parts};
use sysext::resolve::{Pool, Spec};
use sysext::rpm::repodata::{Filelists, PackageFiles, Primary, open};
use sysext::{
    About, Base, Installed, Metadata, Repositories, Repository, Selection, Wanted, make_index,
};

use testdata::shared::data;
use testdata::tools::{composer, run};

/// CentOS Stream 9's BaseOS of 2022, ready to be chosen from.
fn base_os(base: Base) -> Option<Repositories> {
    let folder = data("repodata/cs9-baseos-2022")?;
    let repository = Repository::new("baseos");
    let mut repositories = Repositories::new("x86_64", vec![repository], base);
    loop {
        let wanted = repositories.wanted(false);
        if wanted.is_empty() {
            break;
        }
        for wanted in wanted {
            let bytes = fs::read(folder.join(&wanted.path)).unwrap();
            repositories.provide(&wanted, &bytes).unwrap();
        }
    }
    assert_eq!(repositories.index(), Vec::<String>::new(), "the base is part of the repository");
    Some(repositories)
}

/// The same from an index of it.
fn indexed_base_os(base: Base) -> Option<Repositories> {
    let repository = Repository::new("baseos");
    let mut repositories = Repositories::new("x86_64", vec![repository], base);
    repositories.provide_index(0, &index()?).unwrap();
    assert_eq!(repositories.wanted(false), []);
    repositories.index();
    Some(repositories)
}

/// An index of BaseOS.
fn index() -> Option<Vec<u8>> {
    // libsolv was asked without lists of all files, which would give it more solutions.
    let primary = metadata("primary.xml.gz")?;
    let metadata = Metadata { primary: &primary, ..Metadata::default() };
    Some(make_index(&metadata).unwrap())
}

/// The file of BaseOS's metadata whose name has a part.
fn metadata(part: &str) -> Option<Vec<u8>> {
    let folder = data("repodata/cs9-baseos-2022/repodata")?;
    let mut paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let path = paths.find(|path| path.to_string_lossy().contains(part)).unwrap();
    Some(fs::read(path).unwrap())
}

/// Holds all answers against those of libsolv 0.7.23 for the same repository.
fn check(list: &str, base: &Base, weak: bool) {
    for repositories in [base_os, indexed_base_os].map(|load| load(base.clone())) {
        let Some(repositories) = repositories else { return };
        check_all(list, &repositories, weak);
    }
}

fn check_all(list: &str, repositories: &Repositories, weak: bool) {
    let list = data("repodata/oracle-libsolv").unwrap().join(list);
    let mut compared = 0;
    for line in fs::read_to_string(list).unwrap().lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let (name, problems) =
            (fields[0], fields.get(3).is_some_and(|rest| rest.contains("problem")));
        let expected: BTreeSet<String> = fields[2]
            .split_whitespace()
            .filter_map(|nevra| Some(nevra.split_once('@')?.0.to_owned()))
            .collect();
        let selection = Selection {
            specs: vec![name.to_owned()],
            exclude: Vec::new(),
            absent: Vec::new(),
            weak,
            best: false,
            multilib: false,
        };
        match repositories.resolve(&selection) {
            Ok(solution) => {
                let pool = repositories.pool();
                let found: BTreeSet<String> =
                    solution.packages.iter().map(|id| pool.nevra(*id)).collect();
                assert_eq!(found, expected, "{name}");
            }
            Err(found) => assert!(problems, "{name}: {found:?}"),
        }
        compared += 1;
    }
    assert_eq!(compared, 883);
}

#[test]
fn baseos_is_solved_as_libsolv_does() {
    check("cs9-baseos-2022.install.norecommends.tsv", &Base::default(), false);
}

#[test]
fn baseos_with_recommended_packages_is_solved_as_libsolv_does() {
    check("cs9-baseos-2022.install.recommends.tsv", &Base::default(), true);
}

#[test]
fn what_a_base_lacks_is_what_libsolv_says() {
    let Some(list) = data("repodata/oracle-libsolv/cs9-baseos-2022.base-system.txt") else {
        return;
    };
    let base = Base::parse_list(&fs::read_to_string(list).unwrap()).unwrap();
    check("cs9-baseos-2022.on-base.norecommends.tsv", &base, false);
    // The same from a pack, which knows the base's dependencies by itself.
    let folder = data("repodata/cs9-baseos-2022/repodata").unwrap();
    let mut paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let primary = paths.find(|path| path.to_string_lossy().contains("primary.xml.gz")).unwrap();
    let packages = Primary::new(open(fs::File::open(primary).unwrap()).unwrap());
    let names: BTreeSet<&str> = base.packages().map(sysext::Nevra::text).collect();
    let packages: Vec<_> = packages
        .map(Result::unwrap)
        .filter(|package| names.contains(package.nevra().as_str()))
        .collect();
    assert_eq!(packages.len(), 175);
    let pack = Base::read(&Installed::from(packages).write(&About::default())).unwrap();
    check("cs9-baseos-2022.on-base.norecommends.tsv", &pack, false);
}

/// All packages of a pool that a text names.
fn named(pool: &Pool, text: &str) -> Vec<String> {
    Spec::parse(text).packages(pool).into_iter().map(|id| pool.nevra(id)).collect()
}

#[test]
fn packages_are_named_as_with_dnf() {
    let Some(repositories) = base_os(Base::default()) else { return };
    let pool = repositories.pool();
    let check = |text: &str, expected: &[&str]| assert_eq!(named(pool, text), expected, "{text}");
    let bash = "bash-5.1.8-2.el9.x86_64";
    let dbus = "dbus-1:1.12.20-5.el9.x86_64";
    for text in
        ["bash", "bash.x86_64", "bash-5.1.8", "bash-5.1.8-2.el9", bash, "ba?h", "/usr/bin/bash"]
    {
        check(text, &[bash]);
    }
    for text in
        ["dbus", "dbus-1.12.20-5.el9.x86_64", "dbus-1:1.12.20", dbus, "dbus = 1:1.12.20-5.el9"]
    {
        check(text, &[dbus]);
    }
    check("libz.so.1()(64bit)", &["zlib-1.2.11-31.el9.x86_64"]);
    check("zlib >= 1.2", &["zlib-1.2.11-31.el9.i686", "zlib-1.2.11-31.el9.x86_64"]);
    check("zlib > 2", &[]);
    check("zlib*.i686", &["zlib-1.2.11-31.el9.i686"]);
    check("nobody", &[]);
}

#[test]
fn an_index_tells_where_packages_are() {
    let (Some(plain), Some(mut indexed)) =
        (base_os(Base::default()), indexed_base_os(Base::default()))
    else {
        return;
    };
    indexed.read_origins().unwrap();
    let mut compared = 0;
    for (a, b) in plain.pool().ids().zip(indexed.pool().ids()) {
        assert_eq!(plain.pool().nevra(a), indexed.pool().nevra(b));
        assert_eq!(plain.origin(a), indexed.origin(b));
        assert!(plain.origin(a).is_some_and(|origin| origin.checksum.hex.len() == 64));
        compared += 1;
    }
    assert_eq!(compared, 1125);
    assert_eq!(index(), index(), "same input, same bytes");
}

/// Cut short or with a byte changed, an index is refused or read, and nothing panics.
#[test]
fn damaged_indexes_never_panic() {
    let Some(index) = index() else { return };
    let read = |bytes: &[u8]| Index::read(bytes).and_then(|index| index.origins());
    read(&index).unwrap();
    for at in (0..index.len()).step_by(index.len() / 300) {
        read(&index[..at]).unwrap_err();
        let mut changed = index.clone();
        changed[at] ^= 1 << (at % 8);
        let _ = read(&changed);
    }
    for text in ["", "SYSXIDX", "SYSXIDX\u{2}", "SYSXIDX\u{3}", "SYSXIDX\u{3}0123456789ab"] {
        read(text.as_bytes()).unwrap_err();
    }
}

#[test]
fn lists_of_all_files_tell_who_has_a_path() {
    let Some(folder) = data("repodata/cs9-baseos-2022") else { return };
    let Some(mut repositories) = base_os(Base::default()) else { return };
    let selection = Selection {
        specs: vec!["krb5-server".into()],
        exclude: Vec::new(),
        absent: Vec::new(),
        weak: false,
        best: true,
        multilib: true,
    };
    repositories.resolve(&selection).unwrap_err();
    let wanted = repositories.wanted_for_paths(&selection);
    let files: Vec<_> = wanted
        .into_iter()
        .map(|wanted| {
            let bytes = fs::read(folder.join(&wanted.path)).unwrap();
            (wanted, bytes)
        })
        .collect();
    repositories.provide_paths(&selection, &files).unwrap();
    let solution = repositories.resolve(&selection).unwrap();
    let names = solution.packages.iter().map(|id| repositories.pool().package_name(*id));
    assert!(names.into_iter().any(|name| name == "words"), "it has /usr/share/dict/words");
    assert_eq!(repositories.wanted_for_paths(&selection), [], "they are read once");
}

/// Paths of an index are found by reading a chunk of it, and by everybody who has them.
#[test]
fn an_index_tells_who_has_a_path_by_parts_of_it() {
    let (Some(primary), Some(filelists)) =
        (metadata("primary.xml.gz"), metadata("filelists.xml.gz"))
    else {
        return;
    };
    let metadata = Metadata { primary: &primary, all_paths: true, ..Metadata::default() };
    let file = make_index(&Metadata { filelists: Some(&filelists), ..metadata }).unwrap();
    let parts = Parts::read(&file).unwrap();
    let packages = &file[..parts.packages.end as usize];
    assert!(parts.paths.end < file.len() as u64 && packages.len() < file.len() * 2 / 3);

    // Every 997th path, and who has it.
    let mut owners = BTreeMap::<String, Vec<String>>::new();
    let mut lists = Filelists::new(open(filelists.as_slice()).unwrap());
    let mut note = |package: &PackageFiles, _, path: &str| {
        let nevra = format!("{}-{}.{}", package.name, package.evr, package.arch);
        owners.entry(path.to_owned()).or_default().push(nevra);
    };
    while lists.next_package(&mut note).unwrap().is_some() {}
    let mut most_bytes = 0;
    for (path, owners) in owners.iter().step_by(997) {
        let repository = Repository::new("baseos");
        let mut repositories = Repositories::new("x86_64", vec![repository], Base::default());
        repositories.provide_index(0, packages).unwrap();
        repositories.index();
        let selection = Selection { specs: vec![path.clone()], ..Selection::default() };
        let mut bytes = 0;
        loop {
            let wanted = repositories.wanted_for_paths(&selection);
            if wanted.is_empty() {
                break;
            }
            let part = |wanted: Wanted| {
                let range = wanted.range.clone().unwrap();
                let part = file[range.start as usize..range.end as usize].to_vec();
                bytes += part.len();
                (wanted, part)
            };
            let parts: Vec<_> = wanted.into_iter().map(part).collect();
            repositories.provide_paths(&selection, &parts).unwrap();
        }
        most_bytes = most_bytes.max(bytes);
        let pool = repositories.pool();
        let mut found: Vec<String> =
            Spec::parse(path).packages(pool).into_iter().map(|id| pool.nevra(id)).collect();
        let mut owners = owners.clone();
        found.sort();
        owners.sort();
        assert_eq!(found, owners, "{path}");
    }
    assert!(most_bytes > 0 && most_bytes < 60_000, "{most_bytes} bytes for one path");
}

/// What an index leaves out would change answers: groups, and packages that the default streams of modules hide.
#[test]
fn an_index_answers_as_the_repository_that_it_is_made_of() {
    let Some(repository) = data("repodata/cs9-osbuild/appstream") else { return };
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().join("appstream.idx");
    run(composer().args(["index", "--repo"]).arg(&repository).arg("-o").arg(&index));
    for spec in ["@core", "@base-x", "nodejs", "perl", "postgresql-server", "@nothing"] {
        let resolve = |place: &std::path::Path| {
            let repo = format!("appstream={}", place.display());
            let mut command = composer();
            command.args(["resolve", "--arch", "x86_64", "--repo", &repo, spec]);
            let output = command.output().unwrap();
            (output.status.code(), output.stdout, output.stderr)
        };
        let (direct, indexed) = (resolve(&repository), resolve(&index));
        assert_eq!(direct, indexed, "{spec}");
        let said = String::from_utf8_lossy(&direct.2).contains("@nothing");
        assert_eq!(said, spec == "@nothing", "{spec}");
    }
}
