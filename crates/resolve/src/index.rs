//! A compact form of the packages of a repository: what choosing and fetching needs, loaded without parsing XML.
//!
//! # Format, version 1
//!
//! All numbers are LEB128 varints; signed ones are zigzag-coded. A file is the 8 bytes `SYSXIDX\x01`, then sections up to
//! its end. A section is its tag (one byte), the length of its content before compression, the length of what follows, and
//! that: the content as a raw deflate stream. The sections come in this order, each once:
//!
//! | tag | content |
//! |---|---|
//! | `S` | texts in the order of their bytes: count, then of each: bytes shared with the one before, bytes that follow, those bytes. Text 0 is empty. |
//! | `D` | dependencies, ordered: count, then of each: name (text, as a difference to the one before), sense (0 to 7, or 8 for a rich one, whose name is its text), and for senses but 0 and 8 the version (text) |
//! | `P` | packages: count, then column by column: names (text, difference, signed), versions (text), architectures (text), and of each of the eight lists of dependencies the counts, then the dependencies (difference to the one before in the same list, signed) |
//! | `F` | paths that others may require: of each package the count, then texts (difference, signed) |
//! | `T` | more texts, as `S`, for what follows |
//! | `O` | where packages are: of each package the kind of its place (0: `Packages/X/NAME-VERSION-RELEASE.ARCH.rpm` with X the first letter of the name in lower case; 1: a text of its own, which follows), then of each: bytes of the file, bytes installed; then of each the summary (text) |
//! | `H` | the algorithm of the digests (text), bytes of one digest, then all of them |
//!
//! The lists are, in order: provides, requires, conflicts, obsoletes, recommends, suggests, supplements, enhances.
//! Packages come in the order of the repository, which decides between equals. Texts of `O` and `H` are those of `T`, so
//! that choosing needs only what is before. A reader refuses what it does not know.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use rpm::repodata::{Checksum, RepoPackage};
use rpm::{Dependency, Sense};

use crate::pool::{Pool, RepoId};

const MAGIC: &[u8; 8] = b"SYSXIDX\x01";
/// The sense that stands for a rich dependency.
const RICH: u64 = 8;
/// Bytes that all sections may have: a few hundred million dependencies.
const MAX_CONTENT: u64 = 1 << 30;

/// Why an index cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadIndex {
    /// The section, or 0 for the file itself.
    section: u8,
    what: &'static str,
}

impl std::fmt::Display for BadIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.section {
            0 => write!(f, "the index is broken: {}", self.what),
            tag => write!(f, "the index is broken in section {}: {}", char::from(tag), self.what),
        }
    }
}

impl std::error::Error for BadIndex {}

/// Where a package is, and what it is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Origin {
    /// Path below the repository's URL, or a URL of its own.
    pub location: String,
    /// Digest of the package file.
    pub checksum: Checksum,
    /// Bytes of the package file.
    pub size: u64,
    /// Bytes of its files.
    pub installed_size: u64,
    /// One line about it.
    pub summary: String,
}

/// What choosing needs of an index: columns, and texts by number.
#[derive(Clone, Debug)]
pub struct Index {
    pub(crate) texts: TextTable,
    /// Name, sense or 8, version.
    pub(crate) dependencies: Vec<(u32, u8, u32)>,
    /// Name, version, architecture.
    pub(crate) packages: Vec<[u32; 3]>,
    pub(crate) lists: [Lengths; 8],
    pub(crate) paths: Lengths,
    /// The sections that tell where packages are, still compressed.
    origins: Vec<u8>,
}

/// Lists one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lengths {
    pub(crate) lengths: Vec<u32>,
    pub(crate) all: Vec<u32>,
}

/// Texts one after the other, the first empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextTable {
    pub(crate) text: String,
    pub(crate) ends: Vec<usize>,
}

impl TextTable {
    pub(crate) fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.text[start..self.ends[number]]
    }
}

/// Where the packages of an index are.
#[derive(Clone, Debug)]
pub struct Origins {
    texts: TextTable,
    locations: Vec<Option<u32>>,
    sizes: Vec<[u64; 2]>,
    summaries: Vec<u32>,
    algorithm: u32,
    digest_size: usize,
    digests: Vec<u8>,
}

/// Makes an index of packages.
///
/// # Panics
/// There is more than memory could hold.
pub fn write(packages: &[RepoPackage]) -> Vec<u8> {
    let (mut texts, mut more) = (Texts::default(), Texts::default());
    let mut dependencies: BTreeMap<(String, u8, String), u32> = BTreeMap::new();
    for package in packages {
        for text in [&package.name, &package.evr, &package.arch] {
            texts.note(text);
        }
        more.note(&package.summary);
        more.note(&package.checksum.algorithm);
        if !is_usual(package) {
            more.note(&location(package));
        }
        package.files.iter().for_each(|file| texts.note(&file.path));
        for dependency in lists(package).into_iter().flatten() {
            texts.note(&dependency.name);
            texts.note(&dependency.evr);
            dependencies.insert(key(dependency), 0);
        }
    }
    let (texts, more) = (texts.number(), more.number());
    // In the order of the numbers of their names, so that differences are small.
    for (place, number) in dependencies.values_mut().zip(0..) {
        *place = number;
    }
    let mut file = MAGIC.to_vec();
    section(&mut file, b'S', &texts.write());
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
    section(&mut file, b'D', &content);
    section(&mut file, b'P', &packages_section(packages, &texts, &dependencies));
    let mut content = Vec::new();
    let mut last = 0;
    for package in packages {
        put(&mut content, package.files.len() as u64);
        for path in &package.files {
            put_difference(&mut content, texts.get(&path.path), &mut last);
        }
    }
    section(&mut file, b'F', &content);
    section(&mut file, b'T', &more.write());
    section(&mut file, b'O', &origins_section(packages, &more));
    section(&mut file, b'H', &digests_section(packages, &more));
    file
}

fn packages_section(
    packages: &[RepoPackage],
    texts: &Texts,
    dependencies: &BTreeMap<(String, u8, String), u32>,
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
            put(&mut content, lists(package)[list].len() as u64);
        }
        for package in packages {
            let mut last = 0;
            for dependency in lists(package)[list] {
                put_difference(&mut content, u64::from(dependencies[&key(dependency)]), &mut last);
            }
        }
    }
    content
}

fn origins_section(packages: &[RepoPackage], texts: &Texts) -> Vec<u8> {
    let mut content = Vec::new();
    for package in packages {
        if is_usual(package) {
            put(&mut content, 0);
        } else {
            put(&mut content, 1);
            put(&mut content, texts.get(&location(package)));
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

fn digests_section(packages: &[RepoPackage], texts: &Texts) -> Vec<u8> {
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

fn lists(package: &RepoPackage) -> [&Vec<Dependency>; 8] {
    [
        &package.provides,
        &package.requires,
        &package.conflicts,
        &package.obsoletes,
        &package.recommends,
        &package.suggests,
        &package.supplements,
        &package.enhances,
    ]
}

fn key(dependency: &Dependency) -> (String, u8, String) {
    let sense = if dependency.name.starts_with('(') { 8 } else { dependency.sense.bits() };
    (dependency.name.clone(), sense, dependency.evr.clone())
}

fn location(package: &RepoPackage) -> String {
    match &package.location_base {
        Some(base) => format!("{}/{}", base.trim_end_matches('/'), package.location),
        None => package.location.clone(),
    }
}

fn is_usual(package: &RepoPackage) -> bool {
    let RepoPackage { name, evr, arch, location, location_base, .. } = package;
    location_base.is_none() && *location == usual_location(name, evr, arch)
}

/// Where Fedora's repositories have a package.
fn usual_location(name: &str, evr: &str, arch: &str) -> String {
    let letter = name.chars().next().unwrap_or_default().to_ascii_lowercase();
    let evr = evr.split_once(':').map_or(evr, |(_, rest)| rest);
    format!("Packages/{letter}/{name}-{evr}.{arch}.rpm")
}

/// Texts and their numbers.
#[derive(Default)]
struct Texts(BTreeMap<String, u64>);

impl Texts {
    fn note(&mut self, text: &str) {
        if !self.0.contains_key(text) {
            self.0.insert(text.to_owned(), 0);
        }
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
            let mut shared = last.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
            while !text.is_char_boundary(shared) {
                shared -= 1;
            }
            put(&mut content, shared as u64);
            put(&mut content, (text.len() - shared) as u64);
            content.extend(text[shared..].bytes());
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

fn put(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn put_difference(into: &mut Vec<u8>, number: u64, last: &mut u64) {
    let difference = (number as i64).wrapping_sub(*last as i64);
    put(into, ((difference << 1) ^ (difference >> 63)) as u64);
    *last = number;
}

/// A section that is being read.
struct Reader<'a> {
    rest: &'a [u8],
    tag: u8,
}

impl<'a> Reader<'a> {
    fn bad(&self, what: &'static str) -> BadIndex {
        BadIndex { section: self.tag, what }
    }

    fn number(&mut self) -> Result<u64, BadIndex> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or_else(|| self.bad("it ends early"))?;
            self.rest = rest;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.bad("a number is too long"))
    }

    /// A number below a limit.
    fn below(&mut self, limit: usize) -> Result<u32, BadIndex> {
        let number = self.number()?;
        match u32::try_from(number) {
            Ok(small) if number < limit as u64 => Ok(small),
            _ => Err(self.bad("a number is too large")),
        }
    }

    /// A number below a limit, as a difference to the one before.
    fn difference(&mut self, last: &mut u32, limit: usize) -> Result<u32, BadIndex> {
        let coded = self.number()?;
        let difference = (coded >> 1) as i64 ^ -((coded & 1) as i64);
        let number = i64::from(*last).checked_add(difference);
        let number = number.and_then(|number| u32::try_from(number).ok());
        *last = number
            .filter(|number| (*number as usize) < limit)
            .ok_or_else(|| self.bad("a difference leads out of the table"))?;
        Ok(*last)
    }

    /// How many things follow. Each takes a byte at least, so no more than there are bytes.
    fn count(&mut self) -> Result<usize, BadIndex> {
        let limit = self.rest.len() + 1;
        Ok(self.below(limit)? as usize)
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], BadIndex> {
        let (bytes, rest) =
            self.rest.split_at_checked(length).ok_or_else(|| self.bad("it ends early"))?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// Decompresses the sections of a file, which must be there in this order. What follows them comes back as well.
///
/// # Errors
/// A section is missing or broken.
pub fn read_sections<'a>(
    file: &'a [u8],
    tags: &'static [u8],
) -> Result<(Vec<Vec<u8>>, &'a [u8]), BadIndex> {
    let mut reader = Reader { rest: file, tag: 0 };
    let sections = sections(&mut reader, tags)?;
    Ok((sections.into_iter().map(|(_, content)| content).collect(), reader.rest))
}

/// Decompresses sections that come next.
fn sections<'a>(
    rest: &mut Reader<'a>,
    tags: &'static [u8],
) -> Result<Vec<(u8, Vec<u8>)>, BadIndex> {
    let mut sections = Vec::new();
    let mut left = MAX_CONTENT;
    for tag in tags.iter().copied() {
        if rest.bytes(1)? != [tag] {
            return Err(BadIndex { section: tag, what: "it is not where it belongs" });
        }
        let (length, packed) = (rest.number()?, rest.number()?);
        left = left
            .checked_sub(length)
            .ok_or(BadIndex { section: tag, what: "it is larger than any index" })?;
        let packed: &'a [u8] = rest.bytes(usize::try_from(packed).unwrap_or(usize::MAX))?;
        // Deflate packs no more than 1,032 bytes into one.
        let most = packed.len().saturating_mul(1032);
        let mut content =
            Vec::with_capacity(usize::try_from(length).map_or(most, |it| it.min(most)) + 1);
        let decoded = DeflateDecoder::new(packed).take(length + 1).read_to_end(&mut content);
        if decoded.is_err() || content.len() as u64 != length {
            return Err(BadIndex { section: tag, what: "it does not decompress to its length" });
        }
        sections.push((tag, content));
    }
    Ok(sections)
}

/// The section that comes next.
fn next<'a>(
    sections: &mut impl Iterator<Item = &'a (u8, Vec<u8>)>,
) -> Result<Reader<'a>, BadIndex> {
    let (tag, content) =
        sections.next().ok_or(BadIndex { section: 0, what: "a section is missing" })?;
    Ok(Reader { rest: content, tag: *tag })
}

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    /// It is none, or broken.
    pub fn read(file: &[u8]) -> Result<Self, BadIndex> {
        let rest = file.strip_prefix(MAGIC).ok_or(BadIndex {
            section: 0,
            what: "it does not start as an index of version 1 does",
        })?;
        let mut rest = Reader { rest, tag: 0 };
        let decoded = sections(&mut rest, b"SDPF")?;
        let mut sections = decoded.iter();
        let mut index = Self {
            texts: read_texts(&mut next(&mut sections)?)?,
            dependencies: Vec::new(),
            packages: Vec::new(),
            lists: Default::default(),
            paths: Lengths::default(),
            origins: rest.rest.to_vec(),
        };
        index.read_dependencies(&mut next(&mut sections)?)?;
        index.read_packages(&mut next(&mut sections)?)?;
        index.read_paths(&mut next(&mut sections)?)?;
        Ok(index)
    }

    fn read_dependencies(&mut self, reader: &mut Reader<'_>) -> Result<(), BadIndex> {
        let limit = self.texts.ends.len();
        let mut name = 0_u64;
        let count = reader.count()?;
        self.dependencies.reserve(count.min(1 << 20));
        for _ in 0..count {
            name = name.saturating_add(reader.number()?);
            if name >= limit as u64 {
                return Err(reader.bad("a name is not in the table"));
            }
            let sense = reader.number()?;
            let evr = match sense {
                0 | RICH => 0,
                1..=7 => reader.below(limit)?,
                _ => return Err(reader.bad("a sense is unknown")),
            };
            self.dependencies.push((name as u32, sense as u8, evr));
        }
        Ok(())
    }

    fn read_packages(&mut self, reader: &mut Reader<'_>) -> Result<(), BadIndex> {
        let (texts, dependencies) = (self.texts.ends.len(), self.dependencies.len());
        let count = reader.count()?;
        let mut last = 0;
        for _ in 0..count {
            self.packages.push([reader.difference(&mut last, texts)?, 0, 0]);
        }
        for package in &mut self.packages {
            package[1] = reader.below(texts)?;
        }
        for package in &mut self.packages {
            package[2] = reader.below(texts)?;
        }
        for list in &mut self.lists {
            for _ in 0..count {
                list.lengths.push(reader.below(reader.rest.len() + 1)?);
            }
            let total: usize = list.lengths.iter().map(|length| *length as usize).sum();
            // Each takes a byte at least.
            list.all.reserve(total.min(reader.rest.len()));
            for length in &list.lengths {
                let mut last = 0;
                for _ in 0..*length {
                    list.all.push(reader.difference(&mut last, dependencies)?);
                }
            }
        }
        Ok(())
    }

    fn read_paths(&mut self, reader: &mut Reader<'_>) -> Result<(), BadIndex> {
        let mut last = 0;
        for _ in 0..self.packages.len() {
            let length = reader.below(reader.rest.len() + 1)?;
            self.paths.lengths.push(length);
            for _ in 0..length {
                self.paths.all.push(reader.difference(&mut last, self.texts.ends.len())?);
            }
        }
        Ok(())
    }

    /// How many packages there are.
    pub fn len(&self) -> usize {
        self.packages.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// A dependency by its number.
    pub(crate) fn dependency(&self, number: usize) -> Dependency {
        let (name, sense, evr) = self.dependencies[number];
        let sense = if u64::from(sense) == RICH { Sense::ANY } else { Sense::from_bits(sense) };
        let text = |number| self.texts.get(number).to_owned();
        Dependency { name: text(name), sense, evr: text(evr) }
    }

    /// `name`, `[epoch:]version-release` and architecture of all packages.
    pub fn nevras(&self) -> impl Iterator<Item = [&str; 3]> {
        self.packages.iter().map(|parts| parts.map(|text| self.texts.get(text)))
    }

    /// Where the packages are; read when it is asked for.
    ///
    /// # Errors
    /// That part of the index is broken.
    pub fn origins(&self) -> Result<Origins, BadIndex> {
        let mut rest = Reader { rest: &self.origins, tag: 0 };
        let decoded = sections(&mut rest, b"TOH")?;
        let mut sections = decoded.iter();
        let mut origins = Origins {
            texts: read_texts(&mut next(&mut sections)?)?,
            locations: Vec::new(),
            sizes: Vec::new(),
            summaries: Vec::new(),
            algorithm: 0,
            digest_size: 0,
            digests: Vec::new(),
        };
        origins.read_origins(&mut next(&mut sections)?, self.len())?;
        origins.read_digests(&mut next(&mut sections)?, self.len())?;
        Ok(origins)
    }
}

impl Origins {
    fn read_origins(&mut self, reader: &mut Reader<'_>, count: usize) -> Result<(), BadIndex> {
        let texts = self.texts.ends.len();
        for _ in 0..count {
            self.locations.push(match reader.number()? {
                0 => None,
                1 => Some(reader.below(texts)?),
                _ => return Err(reader.bad("a kind of place is unknown")),
            });
        }
        for _ in 0..count {
            self.sizes.push([reader.number()?, reader.number()?]);
        }
        for _ in 0..count {
            self.summaries.push(reader.below(texts)?);
        }
        Ok(())
    }

    fn read_digests(&mut self, reader: &mut Reader<'_>, count: usize) -> Result<(), BadIndex> {
        self.algorithm = reader.below(self.texts.ends.len())?;
        self.digest_size = reader.below(129)? as usize;
        self.digests = reader.bytes(self.digest_size * count)?.to_vec();
        Ok(())
    }

    /// Where a package is, by its place in the index.
    pub fn get(&self, index: &Index, at: usize) -> Option<Origin> {
        let [name, evr, arch] = index.packages.get(at)?.map(|text| index.texts.get(text));
        let location = match (*self.locations.get(at)?).map(|text| self.texts.get(text)) {
            Some(text) => text.to_owned(),
            None => usual_location(name, evr, arch),
        };
        let digest = self.digests.get(at * self.digest_size..(at + 1) * self.digest_size)?;
        let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let [size, installed_size] = self.sizes[at];
        Some(Origin {
            location,
            checksum: Checksum { algorithm: self.texts.get(self.algorithm).to_owned(), hex },
            size,
            installed_size,
            summary: self.texts.get(self.summaries[at]).to_owned(),
        })
    }
}

fn read_texts(reader: &mut Reader<'_>) -> Result<TextTable, BadIndex> {
    let count = reader.count()?;
    let mut table = TextTable::default();
    table.ends.reserve(count);
    table.text.reserve(2 * reader.rest.len());
    let mut last = 0;
    for at in 0..count {
        let start = table.text.len();
        let shared = reader.below(start - last + 1)? as usize;
        let length = reader.count()?;
        let bytes = reader.bytes(length)?;
        let (true, Ok(end)) =
            (table.text.is_char_boundary(last + shared), std::str::from_utf8(bytes))
        else {
            return Err(reader.bad("a text is not UTF-8"));
        };
        // What texts share is written once; what they come to must stay within bounds all the same.
        if (start + shared + length) as u64 > MAX_CONTENT {
            return Err(reader.bad("its texts are larger than any index"));
        }
        table.text.extend_from_within(last..last + shared);
        table.text.push_str(end);
        if at > 0 && table.text[last..start] >= table.text[start..] {
            return Err(reader.bad("its texts are not in order"));
        }
        table.ends.push(table.text.len());
        last = start;
    }
    if table.ends.first() != Some(&0) {
        return Err(reader.bad("its first text is not empty"));
    }
    Ok(table)
}

impl Pool {
    /// Adds all packages of an index, in their order; the number of the first comes back. [`Pool::index`] must follow.
    pub fn add_index(&mut self, repo: RepoId, index: &Index) -> i32 {
        self.add_columns(repo, index)
    }
}
