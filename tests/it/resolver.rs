//! Choosing packages: the answers of libsolv, on real repositories, on its own test cases, on random ones.

mod random;
mod testcases;
mod testtags;

use std::collections::BTreeSet;
use std::fs;

use sysext::resolve::{Pool, Spec};
use sysext::{Base, Repositories, Repository, Selection};

use testdata::shared::data;

/// CentOS Stream 9's BaseOS of 2022, ready to be chosen from.
fn base_os(base: Base) -> Option<Repositories> {
    let folder = data("repodata/cs9-baseos-2022")?;
    let repository = Repository { name: "baseos".into(), priority: 99 };
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

/// Holds all answers against those of libsolv 0.7.23 for the same repository.
fn check(list: &str, base: Base, weak: bool) {
    let Some(repositories) = base_os(base) else { return };
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
    check("cs9-baseos-2022.install.norecommends.tsv", Base::default(), false);
}

#[test]
fn baseos_with_recommended_packages_is_solved_as_libsolv_does() {
    check("cs9-baseos-2022.install.recommends.tsv", Base::default(), true);
}

#[test]
fn what_a_base_lacks_is_what_libsolv_says() {
    let Some(list) = data("repodata/oracle-libsolv/cs9-baseos-2022.base-system.txt") else {
        return;
    };
    let base = Base::parse_list(&fs::read_to_string(list).unwrap()).unwrap();
    check("cs9-baseos-2022.on-base.norecommends.tsv", base, false);
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
