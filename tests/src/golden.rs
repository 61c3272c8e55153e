//! One list of digests for every target: the same input gives the same bytes.
//!
//! The list is `golden/digests.txt`. If a change of the bytes is meant, put the lines that the test prints there.

mod choices;
mod labels;

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use sysext::rpm::{Compression, NewFile, NewPackage, Package};
use sysext::{Arch, Compose, Exclude, Extension, Plan, Profile, Recipe, Step, Target};

const EXPECTED: &str = include_str!("../golden/digests.txt");

/// Packages whose payloads no encoder of ours makes; `tests/fixtures/README.md` tells how they were made.
const FIXTURES: [(&str, &[u8]); 4] = [
    ("xz", include_bytes!("../fixtures/hello-xz.rpm")),
    ("lzma", include_bytes!("../fixtures/hello-lzma.rpm")),
    ("bzip2", include_bytes!("../fixtures/hello-bzip2.rpm")),
    ("zstd", include_bytes!("../fixtures/hello-zstd.rpm")),
];

/// Computes every digest and holds it against the list.
///
/// # Panics
/// A digest differs.
pub fn check() {
    let mut found = String::new();
    for (name, recipe, packages) in cases() {
        let (size, digest) = compose(&recipe, &packages);
        let _ = writeln!(found, "{name} {size} {digest}");
    }
    for (name, bytes) in choices::all().into_iter().chain([("labels", labels::all())]) {
        let _ = writeln!(found, "{name} {} {}", bytes.len(), digest(&bytes));
    }
    assert!(
        found == EXPECTED,
        "the bytes changed; if that is meant, golden/digests.txt becomes:\n{found}"
    );
}

type Case = (String, Recipe, Vec<Vec<u8>>);

fn cases() -> Vec<Case> {
    let recipe = Recipe::new("golden", Target { release: "43".into(), arch: Arch::X86_64 });
    let stored = Recipe { profile: Profile::None, ..recipe.clone() };
    let smaller = Recipe { profile: Profile::Default, ..recipe.clone() };
    let smallest = Recipe { profile: Profile::Small, ..recipe.clone() };
    let small = Recipe {
        extension: Extension { any_release: true, ..Extension::default() },
        source_date_epoch: Some(1_600_000_000),
        exclude: vec![Exclude::Glob { package: None, pattern: "*.md".into() }],
        ..recipe.clone()
    };
    let mut cases = Vec::new();
    let mut add = |name: &str, recipe: &Recipe, packages: Vec<Vec<u8>>| {
        cases.push((name.to_owned(), recipe.clone(), packages));
    };
    for (name, package) in FIXTURES {
        add(&format!("payload-{name}"), &recipe, vec![package.to_vec()]);
    }
    let kinds = every_kind();
    add("kinds-gzip", &recipe, vec![kinds.write(&Compression::Gzip)]);
    add("kinds-none", &recipe, vec![kinds.write(&Compression::None)]);
    add("kinds-stripped", &recipe, vec![kinds.write_stripped(&Compression::Gzip)]);
    add("kinds-stored", &stored, vec![kinds.write(&Compression::None)]);
    add("kinds-default", &smaller, vec![kinds.write(&Compression::None)]);
    add("kinds-excluded", &small, vec![kinds.write(&Compression::None)]);
    let large = large();
    add("large", &recipe, vec![large.write(&Compression::None)]);
    add("large-stored", &stored, vec![large.write(&Compression::None)]);
    add("large-default", &smaller, vec![large.write(&Compression::None)]);
    add("kinds-small", &smallest, vec![kinds.write(&Compression::None)]);
    add("large-small", &smallest, vec![large.write(&Compression::None)]);
    add("alike-small", &smallest, vec![alike().write(&Compression::None)]);
    add("compressed-small", &smallest, vec![compressed().write(&Compression::None)]);
    add("both", &recipe, vec![large.write(&Compression::None), kinds.write(&Compression::Gzip)]);
    cases
}

/// A package with files of every type that rpm knows and sizes around the block's.
fn every_kind() -> NewPackage {
    let mut files = vec![
        NewFile::symlink("/usr/bin/link", "../lib/target"),
        NewFile::directory("/usr/share/empty", 0o700),
        NewFile {
            capabilities: "cap_net_raw,cap_net_admin=ep".into(),
            ..NewFile::file("/usr/bin/ping", 0o755, text(30_000))
        },
        NewFile { mode: 0o104_755, ..NewFile::file("/usr/bin/sudo", 0, text(5_000)) },
        NewFile::file("/usr/share/doc/README.md", 0o644, text(9_000)),
        NewFile { inode: 7, ..NewFile::file("/usr/share/first", 0o644, text(20_000)) },
        NewFile { inode: 7, ..NewFile::file("/usr/share/second", 0o644, text(20_000)) },
        NewFile::file("/etc/app.conf", 0o600, text(100)),
    ];
    for size in [0, 1, 4031, 4064, 4065, 4095, 4096, 4097, 8192, 65_536] {
        let mtime = 1_650_000_000 + (size as u32 % 3);
        files.push(NewFile {
            mtime,
            ..NewFile::file(&format!("/usr/share/text-{size}"), 0o644, text(size))
        });
        files.push(NewFile::file(&format!("/usr/share/noise-{size}"), 0o644, noise(size)));
    }
    for number in 0..500 {
        files.push(NewFile::file(&format!("/usr/share/many/{number}"), 0o644, noise(number % 90)));
    }
    NewPackage {
        files,
        build_time: 1_700_000_000,
        ..NewPackage::new("kinds", "1.0^git", "1.fc43", "noarch")
    }
}

/// A package with files beyond a segment, of which one begins and ends with what does not compress.
fn large() -> NewPackage {
    let mixed = [noise(9 << 20), text(9 << 20), noise(70_000)].concat();
    let files = vec![
        NewFile::file("/usr/lib/mixed", 0o755, mixed),
        NewFile::file("/usr/lib/zeros", 0o644, vec![0; (17 << 20) + 5]),
        NewFile::file("/usr/lib/text", 0o644, text((8 << 20) + 1)),
    ];
    NewPackage {
        files,
        build_time: 1_700_000_001,
        ..NewPackage::new("large", "2.0", "1.fc43", "x86_64")
    }
}

/// A package with files that begin or end alike, stored and compressed, and with what is in two at different places.
fn alike() -> NewPackage {
    let mut files = Vec::new();
    for (name, common) in [("noise", noise(900_000)), ("text", text(3 << 20))] {
        for end in ["one", "another"] {
            let begins = [common.as_slice(), end.as_bytes()].concat();
            files.push(NewFile::file(&format!("/usr/lib/{name}-{end}"), 0o644, begins));
            let ends = [end.as_bytes(), &common[common.len() - 90_000..]].concat();
            files.push(NewFile::file(&format!("/usr/lib/{end}-{name}"), 0o644, ends));
        }
    }
    let moved: Vec<u8> = noise(3 << 20).iter().map(|byte| byte & 15).collect();
    for before in ["", "something"] {
        let content = [before.as_bytes(), &moved, b"more"].concat();
        files.push(NewFile::file(&format!("/usr/lib/moved{before}"), 0o644, content));
    }
    NewPackage {
        files,
        build_time: 1_700_000_002,
        ..NewPackage::new("alike", "1.0", "1.fc43", "noarch")
    }
}

/// A package with files that are compressed already, and have little in common with each other.
fn compressed() -> NewPackage {
    let (content, name) = (noise(400_000), noise(40));
    let files = content.chunks(1900).enumerate().map(|(number, chunk)| {
        let content = [name.as_slice(), chunk].concat();
        NewFile::file(&format!("/usr/share/man/{number}.gz"), 0o644, content)
    });
    NewPackage {
        files: files.collect(),
        build_time: 1_700_000_003,
        ..NewPackage::new("compressed", "1.0", "1.fc43", "noarch")
    }
}

/// Bytes that compress as text does.
fn text(length: usize) -> Vec<u8> {
    let mut line = 0_u32;
    let mut bytes = Vec::with_capacity(length + 40);
    while bytes.len() < length {
        line = line.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        bytes.extend(format!("line {} of a text that repeats itself\n", line >> 20).into_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Bytes that do not compress.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> =
        std::iter::repeat_with(&mut next).take(length / 8 + 1).flatten().collect();
    bytes.truncate(length);
    bytes
}

fn digest(bytes: &[u8]) -> String {
    sysext::rpm::hex(&Sha256::digest(bytes))
}

/// Composes in memory: size and digest of the image, which the report must know as well.
fn compose(recipe: &Recipe, packages: &[Vec<u8>]) -> (u64, String) {
    let read: Vec<Package> = packages
        .iter()
        .map(|bytes| Package::read(bytes.as_slice()).expect("a good package"))
        .collect();
    let plan = Plan::new(read, recipe).expect("a good recipe");
    let find = |header: [u8; 32]| {
        let bytes = packages.iter().find(|bytes| {
            Package::read(bytes.as_slice()).is_ok_and(|package| package.header_sha256 == header)
        });
        bytes.expect("a package of the plan").as_slice()
    };
    let sources: Vec<&[u8]> =
        plan.packages().iter().map(|package| find(package.header_sha256)).collect();
    let mut compose = Compose::new(plan).expect("a plan without errors");
    let mut workspace = sysext::erofs::Workspace::default();
    let mut image = Vec::new();
    let report = loop {
        match compose.step().expect("composing works") {
            Step::Package(index) => compose.package(sources[index]).expect("the planned package"),
            Step::Compress(jobs) => {
                let packed = jobs.into_iter().map(|job| job.run(&mut workspace)).collect();
                compose.compressed(packed).expect("the results of the jobs");
            }
            Step::Wait | Step::Digest(_) => unreachable!("results are given at once"),
            Step::Write(write) => write.put(&mut image),
            Step::Read { at, length } => {
                compose.image(&image[at as usize..][..length]).expect("bytes of the image");
            }
            Step::Done(report) => break report,
        }
    };
    let digest = digest(&image);
    assert_eq!(
        (report.size, &report.sha256),
        (image.len() as u64, &digest),
        "the report knows the image"
    );
    (report.size, digest)
}
