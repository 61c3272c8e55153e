//! Writing: packages to columns.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use rpm::Dependency;
use rpm::repodata::RepoPackage;

use super::{AllPaths, MAGIC, usual_location};

/// What an index may have besides packages.
#[derive(Clone, Debug, Default)]
pub struct More {
    /// Groups of packages.
    pub groups: String,
    /// The repository that packages are fetched from, as a section of a `.repo` file.
    pub repository: String,
    /// Paths of packages that are not among their files.
    pub paths: AllPaths,
}

/// Makes an index of packages.
///
/// # Panics
/// There is more than memory could hold, or a part of more than 4 GiB.
pub fn write(packages: &[RepoPackage], more: More) -> Vec<u8> {
    let [choosing, fetching] = parts(packages, &more.groups, &more.repository);
    let (table, chunks) = more.paths.write();
    let mut file = MAGIC.to_vec();
    for part in [&choosing, &fetching, &table] {
        let length = u32::try_from(part.len()).expect("a part is far below 4 GiB");
        file.extend(length.to_le_bytes());
    }
    [choosing, fetching, table, chunks].iter().for_each(|part| file.extend_from_slice(part));
    file
}

/// What choosing needs, and what fetching needs.
fn parts(packages: &[RepoPackage], groups: &str, repository: &str) -> [Vec<u8>; 2] {
    let (mut texts, mut more) = (Texts::default(), Texts::default());
    let mut dependencies = Dependencies::new();
    for package in packages {
        for text in [&package.name, &package.evr, &package.arch] {
            texts.note(text.as_str());
        }
        more.note(package.summary.as_str());
        more.note(package.checksum.algorithm.as_str());
        if !is_usual(package) {
            more.note(package.href());
        }
        package.files.iter().for_each(|file| texts.note(file.path.as_str()));
        for dependency in package.lists().into_iter().flatten() {
            texts.note(dependency.name.as_str());
            texts.note(dependency.evr.as_str());
            dependencies.insert(key(dependency), 0);
        }
    }
    let (texts, more) = (texts.number(), more.number());
    // In the order of the numbers of their names, so that differences are small.
    for (place, number) in dependencies.values_mut().zip(0..) {
        *place = number;
    }
    let mut choosing = Vec::new();
    section(&mut choosing, b'S', &texts.write());
    let mut content = Vec::new();
    let mut last = 0;
    put(&mut content, dependencies.len() as u64);
    for (name, sense, evr) in dependencies.keys() {
        let name = texts.get(name);
        put(&mut content, name - last);
        last = name;
        put(&mut content, u64::from(*sense));
        if !matches!(*sense, 0 | 8) {
            put(&mut content, texts.get(evr));
        }
    }
    section(&mut choosing, b'D', &content);
    section(&mut choosing, b'P', &packages_section(packages, &texts, &dependencies));
    let mut content = Vec::new();
    let mut last = 0;
    for package in packages {
        put(&mut content, package.files.len() as u64);
        for path in &package.files {
            put_difference(&mut content, texts.get(&path.path), &mut last);
        }
    }
    section(&mut choosing, b'F', &content);
    section(&mut choosing, b'G', groups.as_bytes());
    section(&mut choosing, b'U', repository.as_bytes());
    let mut fetching = Vec::new();
    section(&mut fetching, b'T', &more.write());
    section(&mut fetching, b'O', &origins_section(packages, &more));
    section(&mut fetching, b'H', &digests_section(packages, &more));
    [choosing, fetching]
}

fn packages_section(
    packages: &[RepoPackage],
    texts: &Texts<'_>,
    dependencies: &Dependencies<'_>,
) -> Vec<u8> {
    let mut content = Vec::new();
    put(&mut content, packages.len() as u64);
    let mut last = 0;
    for package in packages {
        put_difference(&mut content, texts.get(&package.name), &mut last);
    }
    for package in packages {
        put(&mut content, texts.get(&package.evr));
    }
    for package in packages {
        put(&mut content, texts.get(&package.arch));
    }
    for list in 0..8 {
        for package in packages {
            put(&mut content, package.lists()[list].len() as u64);
        }
        for package in packages {
            let mut last = 0;
            for dependency in package.lists()[list] {
                put_difference(&mut content, u64::from(dependencies[&key(dependency)]), &mut last);
            }
        }
    }
    content
}

fn origins_section(packages: &[RepoPackage], texts: &Texts<'_>) -> Vec<u8> {
    let mut content = Vec::new();
    for package in packages {
        if is_usual(package) {
            put(&mut content, 0);
        } else {
            put(&mut content, 1);
            put(&mut content, texts.get(&package.href()));
        }
    }
    for package in packages {
        put(&mut content, package.package_size);
        put(&mut content, package.installed_size);
    }
    for package in packages {
        put(&mut content, texts.get(&package.summary));
    }
    content
}

fn digests_section(packages: &[RepoPackage], texts: &Texts<'_>) -> Vec<u8> {
    let mut content = Vec::new();
    let algorithm = packages.first().map_or("", |package| &package.checksum.algorithm);
    let size = packages.first().map_or(0, |package| package.checksum.hex.len() / 2);
    put(&mut content, texts.get(algorithm));
    put(&mut content, size as u64);
    for package in packages {
        let mut digest: Vec<u8> = (0..package.checksum.hex.len() / 2)
            .filter_map(|at| {
                u8::from_str_radix(package.checksum.hex.get(2 * at..2 * at + 2)?, 16).ok()
            })
            .collect();
        if package.checksum.algorithm != algorithm {
            // A repository of several algorithms: such a package cannot be fetched by the index.
            digest.clear();
        }
        digest.resize(size, 0);
        content.extend(digest);
    }
    content
}

/// Dependencies by name, sense and version, and their numbers.
type Dependencies<'a> = BTreeMap<(&'a str, u8, &'a str), u32>;

fn key(dependency: &Dependency) -> (&str, u8, &str) {
    let sense = if dependency.name.starts_with('(') { 8 } else { dependency.sense.bits() };
    (&dependency.name, sense, &dependency.evr)
}

fn is_usual(package: &RepoPackage) -> bool {
    let RepoPackage { name, evr, arch, location, location_base, .. } = package;
    location_base.is_none() && *location == usual_location(name, evr, arch)
}

/// Texts and their numbers.
#[derive(Default)]
struct Texts<'a>(BTreeMap<Cow<'a, str>, u64>);

impl<'a> Texts<'a> {
    fn note(&mut self, text: impl Into<Cow<'a, str>>) {
        self.0.insert(text.into(), 0);
    }

    fn number(mut self) -> Self {
        self.note("");
        for (number, place) in self.0.values_mut().enumerate() {
            *place = number as u64;
        }
        self
    }

    fn get(&self, text: &str) -> u64 {
        self.0.get(text).copied().unwrap_or_default()
    }

    fn write(&self) -> Vec<u8> {
        let mut content = Vec::new();
        put(&mut content, self.0.len() as u64);
        let mut last: &str = "";
        for text in self.0.keys() {
            put_text(&mut content, text, last);
            last = text;
        }
        content
    }
}

/// Appends a section to a file: its tag, the length of its content, the length of what follows, and the content as a raw
/// deflate stream.
///
/// # Panics
/// Memory is full.
pub fn section(file: &mut Vec<u8>, tag: u8, content: &[u8]) {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).expect("memory takes everything");
    let packed = encoder.finish().expect("memory takes everything");
    file.push(tag);
    put(file, content.len() as u64);
    put(file, packed.len() as u64);
    file.extend(packed);
}

pub(super) fn put(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// Puts a text behind another: the bytes that they share, the bytes that follow, and those.
pub(super) fn put_text(into: &mut Vec<u8>, text: &str, last: &str) {
    let mut shared = last.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
    while !text.is_char_boundary(shared) {
        shared -= 1;
    }
    put(into, shared as u64);
    put(into, (text.len() - shared) as u64);
    into.extend(text[shared..].bytes());
}

pub(super) fn put_difference(into: &mut Vec<u8>, number: u64, last: &mut u64) {
    let difference = (number as i64).wrapping_sub(*last as i64);
    put(into, ((difference << 1) ^ (difference >> 63)) as u64);
    *last = number;
}
