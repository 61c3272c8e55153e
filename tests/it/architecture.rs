//! The dependency map: which crate may know of which. An edge that is not drawn here fails.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use testdata::tools::run;

/// What each crate may depend on among our own.
const MAP: [(&str, &[&str]); 9] = [
    ("erofs", &[]),
    ("rpm", &[]),
    ("selinux", &[]),
    ("resolve", &["rpm"]),
    ("sysext", &["erofs", "resolve", "rpm", "selinux"]),
    ("sysext-composer", &["sysext"]),
    ("web", &["sysext"]),
    ("xtask", &["rpm", "sysext"]),
    ("testdata", &["rpm", "sysext"]),
];
/// The crates that run in a browser tab as they do on the command line.
const CORE: [&str; 5] = ["erofs", "rpm", "resolve", "selinux", "sysext"];

#[test]
fn dependencies_are_those_of_the_map() {
    let metadata =
        run(Command::new(env!("CARGO")).args(["metadata", "--no-deps", "--format-version=1"]))
            .stdout;
    let metadata: serde_json::Value = serde_json::from_slice(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeSet<&str> =
        packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let map: BTreeMap<&str, &[&str]> = MAP.into_iter().collect();
    assert_eq!(names, map.keys().copied().collect(), "every crate is on the map");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let dependency = dependency["name"].as_str().unwrap();
            let allowed = !names.contains(dependency) || map[name].contains(&dependency);
            assert!(allowed, "`{name}` must not depend on `{dependency}`");
        }
    }
}

#[test]
fn the_core_is_the_same_on_every_target() {
    for name in CORE {
        let mut folders = vec![
            std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("../crates")
                .join(name)
                .join("src"),
        ];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let source = std::fs::read_to_string(&path).unwrap();
                for word in [
                    "target_arch",
                    "target_family",
                    "target_os",
                    "std::fs",
                    "std::env",
                    "std::thread",
                ] {
                    assert!(!source.contains(word), "{} has {word}", path.display());
                }
            }
        }
    }
}
