//! Recipes of strangers: what is none is refused with places in it, and what is one can be explained and planned.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sysext::rpm::{Compression, NewFile, NewPackage, Package};
use sysext::{Arch, Contents, Extension, Plan, Recipe, Target, Targets};

fuzz_target!(|text: &str| {
    let extension = match Extension::read(text) {
        Ok(extension) => extension,
        Err(bad) => {
            assert!(!bad.0.is_empty());
            let lines = text.lines().count() + 1;
            assert!(bad.0.iter().all(|mistake| (1..=lines).contains(&mistake.line)));
            return;
        }
    };
    assert!(!extension.explain("fuzz").is_empty());
    let _ = extension.builds(&Targets::published());
    let package = NewPackage {
        files: vec![
            NewFile::file("/opt/vendor/app", 0o755, b"program".to_vec()),
            NewFile::file("/usr/share/applications/a.desktop", 0o644, b"Exec=/opt/vendor/app\n".to_vec()),
            NewFile::file("/etc/a/b.conf", 0o644, b"a = b\n".to_vec()),
            NewFile::symlink("/usr/bin/a", "/opt/vendor/app"),
            NewFile::directory("/usr/lib/a", 0o700),
        ],
        ..NewPackage::new("a", "1", "1", "x86_64")
    };
    let package = package.write(&Compression::None);
    let target = Target { release: "43".into(), arch: Arch::X86_64 };
    let Ok(recipe) = Recipe::of(extension, "fuzz", target) else { return };
    let mut contents = Contents::default();
    for _ in 0..4 {
        let packages = vec![Package::read(package.as_slice()).expect("our own package")];
        let Ok(plan) = Plan::of(packages, &recipe, None, &contents) else { return };
        for files in plan.wanted().values() {
            contents.read(package.as_slice(), files).expect("our own package");
        }
    }
});
