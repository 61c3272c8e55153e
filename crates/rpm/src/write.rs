//! A small writer of v4 packages: enough for a package of our own program and for fixtures, no more.
//!
//! What it writes, `rpm -K` and `rpm -i` accept. Not here: dependencies of other kinds, signatures, configuration files.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "sizes of what the caller holds in memory, not of what strangers claim"
)]

mod archive;
mod store;

use crate::dependency::{Dependency, Sense};
use crate::digest::{self, Hash};
use crate::package::FileFlags;
use crate::repodata::package::{PROVIDES, RECOMMENDS, REQUIRES};
use crate::tag;
use archive::archive;
use store::Store;

/// A package to be written.
#[derive(Clone, Debug)]
pub struct NewPackage {
    /// Name.
    pub name: String,
    /// Epoch, if it has one.
    pub epoch: Option<u32>,
    /// Version.
    pub version: String,
    /// Release.
    pub release: String,
    /// Architecture.
    pub arch: String,
    /// One line about it.
    pub summary: String,
    /// SPDX expression.
    pub license: String,
    /// Seconds since 1970.
    pub build_time: u32,
    /// Files; they are put into the order of their paths, which rpm wants.
    pub files: Vec<NewFile>,
    /// What it provides, beside its own name.
    pub provides: Vec<Dependency>,
    /// What it requires, beside what rpm must know to read it.
    pub requires: Vec<Dependency>,
    /// What it recommends.
    pub recommends: Vec<Dependency>,
    /// Script to be run after installing.
    pub post: Option<String>,
}

/// A file of a package to be written.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Absolute path.
    pub path: String,
    /// Type and permissions, as `st_mode`.
    pub mode: u16,
    /// Content, or a link's target.
    pub content: Vec<u8>,
    /// Owner's name.
    pub user: String,
    /// Group's name.
    pub group: String,
    /// Seconds since 1970.
    pub mtime: u32,
    /// What kind of file it is for rpm.
    pub flags: FileFlags,
    /// Capabilities as text.
    pub capabilities: String,
    /// Files of one number other than 0 are hard links of one another; their contents must be equal.
    pub inode: u32,
}

/// How the payload is compressed.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Compression<'a> {
    /// Not at all.
    None,
    /// gzip, level 9.
    Gzip,
    /// Anything else: name for the header and function.
    Other(&'a str, &'a dyn Fn(&[u8]) -> Vec<u8>),
}

impl std::fmt::Debug for Compression<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl NewPackage {
    /// A package without files.
    pub fn new(name: &str, version: &str, release: &str, arch: &str) -> Self {
        Self {
            name: name.to_owned(),
            epoch: None,
            version: version.to_owned(),
            release: release.to_owned(),
            arch: arch.to_owned(),
            summary: format!("The package {name}"),
            license: "MIT".to_owned(),
            build_time: 0,
            files: Vec::new(),
            provides: Vec::new(),
            requires: Vec::new(),
            recommends: Vec::new(),
            post: None,
        }
    }

    /// The bytes of the package.
    pub fn write(&self, compression: &Compression<'_>) -> Vec<u8> {
        self.write_with(compression, false)
    }

    /// The same with a stripped cpio archive, which rpm uses where a file has 4 GiB or more.
    pub fn write_stripped(&self, compression: &Compression<'_>) -> Vec<u8> {
        self.write_with(compression, true)
    }

    fn write_with(&self, compression: &Compression<'_>, stripped: bool) -> Vec<u8> {
        let mut files: Vec<&NewFile> = self.files.iter().collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let payload = compression.run(&archive(&files, stripped));
        let header = self.header(&files, compression, &payload).bytes(tag::HEADERIMMUTABLE);
        let sum = |algorithm| digest::hex(&Hash::of(algorithm, &header));
        let mut signature = Store::default();
        signature.string(tag::sig::SHA1HEADER, &sum(digest::SHA1));
        signature.string(tag::sig::SHA256HEADER, &sum(digest::SHA256));
        signature.numbers(tag::sig::SIGSIZE, &[(header.len() + payload.len()) as u32]);
        let both = [header.as_slice(), &payload].concat();
        signature.binary(tag::sig::SIGMD5, &Hash::of(digest::MD5, &both));
        let mut package = lead(&format!("{}-{}-{}", self.name, self.version, self.release));
        package.extend(signature.bytes(tag::HEADERSIGNATURES));
        package.resize(package.len().next_multiple_of(8), 0);
        package.extend(both);
        package
    }

    fn header(&self, files: &[&NewFile], compression: &Compression<'_>, payload: &[u8]) -> Store {
        let mut header = Store::default();
        header.strings(tag::HEADERI18NTABLE, &["C"]);
        for (tag, text) in [
            (tag::NAME, self.name.as_str()),
            (tag::VERSION, &self.version),
            (tag::RELEASE, &self.release),
            (tag::LICENSE, &self.license),
            (tag::OS, "linux"),
            (tag::ARCH, &self.arch),
            (tag::SOURCERPM, &format!("{}-{}-{}.src.rpm", self.name, self.version, self.release)),
            (tag::PAYLOADFORMAT, "cpio"),
            (tag::PAYLOADFLAGS, "9"),
        ] {
            header.string(tag, text);
        }
        if !matches!(compression, Compression::None) {
            header.string(tag::PAYLOADCOMPRESSOR, compression.name());
        }
        for (tag, text) in [
            (tag::SUMMARY, &self.summary),
            (tag::DESCRIPTION, &self.summary),
            (tag::GROUP, &"Unspecified".to_owned()),
        ] {
            header.i18n(tag, text);
        }
        header.numbers(tag::BUILDTIME, &[self.build_time]);
        header.numbers(tag::SIZE, &[files.iter().map(|file| file.content.len() as u32).sum()]);
        let mut evr = format!("{}-{}", self.version, self.release);
        if let Some(epoch) = self.epoch {
            header.numbers(tag::EPOCH, &[epoch]);
            evr.insert_str(0, &format!("{epoch}:"));
        }
        let own = Dependency { name: self.name.clone(), sense: Sense::EQUAL, evr };
        let provides = std::iter::once(&own).chain(&self.provides);
        header.dependencies(PROVIDES, provides.map(flat));
        let features = [
            ("rpmlib(CompressedFileNames)", 0x100_000A, "3.0.4-1"),
            ("rpmlib(PayloadFilesHavePrefix)", 0x100_000A, "4.0-1"),
        ];
        header.dependencies(REQUIRES, features.into_iter().chain(self.requires.iter().map(flat)));
        if !self.recommends.is_empty() {
            header.dependencies(RECOMMENDS, self.recommends.iter().map(flat));
        }
        header.strings(tag::PAYLOADDIGEST, &[&digest::hex(&Hash::of(digest::SHA256, payload))]);
        header.numbers(tag::PAYLOADDIGESTALGO, &[digest::SHA256]);
        if let Some(post) = &self.post {
            header.string(1024, post);
            header.string(1086, "/bin/sh");
        }
        if !files.is_empty() {
            file_tags(&mut header, files);
        }
        header
    }
}

impl NewFile {
    /// A regular file of root.
    pub fn file(path: &str, permissions: u16, content: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            mode: 0o100_000 | permissions,
            content,
            user: "root".to_owned(),
            group: "root".to_owned(),
            mtime: 0,
            flags: FileFlags::default(),
            capabilities: String::new(),
            inode: 0,
        }
    }

    /// A folder of root.
    pub fn directory(path: &str, permissions: u16) -> Self {
        Self { mode: 0o040_000 | permissions, ..Self::file(path, 0, Vec::new()) }
    }

    /// A symbolic link.
    pub fn symlink(path: &str, target: &str) -> Self {
        Self { mode: 0o120_777, ..Self::file(path, 0, target.as_bytes().to_vec()) }
    }

    fn is_file(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }
}

impl Compression<'_> {
    fn name(&self) -> &str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Other(name, _) => name,
        }
    }

    fn run(&self, archive: &[u8]) -> Vec<u8> {
        match self {
            Self::None => archive.to_vec(),
            Self::Gzip => {
                let mut packed = Vec::new();
                let mut encoder =
                    flate2::bufread::GzEncoder::new(archive, flate2::Compression::best());
                std::io::Read::read_to_end(&mut encoder, &mut packed)
                    .expect("memory does not fail");
                packed
            }
            Self::Other(_, compress) => compress(archive),
        }
    }
}

/// A dependency as a header has it: name, `RPMSENSE_*`, version.
fn flat(dependency: &Dependency) -> (&str, u32, &str) {
    (&dependency.name, u32::from(dependency.sense.bits()) << 1, &dependency.evr)
}

fn file_tags(header: &mut Store, files: &[&NewFile]) {
    let split = |file: &NewFile| {
        let slash = file.path.rfind('/').map_or(0, |slash| slash + 1);
        let (folder, name) = file.path.split_at(slash);
        (folder.to_owned(), name.to_owned())
    };
    let mut folders = Vec::<String>::new();
    let (mut indexes, mut names) = (Vec::new(), Vec::new());
    for file in files {
        let (folder, name) = split(file);
        let index = folders.iter().position(|known| *known == folder).unwrap_or_else(|| {
            folders.push(folder);
            folders.len() - 1
        });
        indexes.push(index as u32);
        names.push(name);
    }
    let link = |file: &&&NewFile| file.mode & 0o170_000 == 0o120_000;
    let texts = |text: &dyn Fn(&NewFile) -> String| -> Vec<String> {
        files.iter().map(|file| text(file)).collect()
    };
    let numbers = |number: &dyn Fn(usize, &NewFile) -> u32| -> Vec<u32> {
        files.iter().enumerate().map(|(index, file)| number(index, file)).collect()
    };
    header.strings(tag::BASENAMES, &names);
    header.strings(tag::DIRNAMES, &folders);
    header.numbers(tag::DIRINDEXES, &indexes);
    header.numbers(tag::FILESIZES, &numbers(&|_, file| file.content.len() as u32));
    header.shorts(tag::FILEMODES, &files.iter().map(|file| file.mode).collect::<Vec<_>>());
    header.shorts(tag::FILERDEVS, &vec![0; files.len()]);
    header.numbers(tag::FILEMTIMES, &numbers(&|_, file| file.mtime));
    header.numbers(tag::FILEFLAGS, &numbers(&|_, file| file.flags.0));
    header.numbers(tag::FILEVERIFYFLAGS, &numbers(&|_, _| u32::MAX));
    header.numbers(tag::FILEDEVICES, &numbers(&|_, _| 1));
    // Files that are no hard links get numbers far from those that are.
    header.numbers(
        tag::FILEINODES,
        &numbers(&|index, file| if file.inode > 0 { file.inode } else { 1_000_000 + index as u32 }),
    );
    header.strings(tag::FILELANGS, &texts(&|_| String::new()));
    header.strings(tag::FILEUSERNAME, &texts(&|file| file.user.clone()));
    header.strings(tag::FILEGROUPNAME, &texts(&|file| file.group.clone()));
    let sum = |file: &NewFile| digest::hex(&Hash::of(digest::SHA256, &file.content));
    header.strings(
        tag::FILEDIGESTS,
        &texts(&|file| if file.is_file() && !is_ghost(file) { sum(file) } else { String::new() }),
    );
    header.numbers(tag::FILEDIGESTALGO, &[digest::SHA256]);
    let target = |file: &NewFile| {
        if link(&&file) {
            String::from_utf8_lossy(&file.content).into_owned()
        } else {
            String::new()
        }
    };
    header.strings(tag::FILELINKTOS, &texts(&target));
    if files.iter().any(|file| !file.capabilities.is_empty()) {
        header.strings(tag::FILECAPS, &texts(&|file| file.capabilities.clone()));
    }
}

fn is_ghost(file: &NewFile) -> bool {
    file.flags.contains(FileFlags::GHOST)
}

fn lead(name: &str) -> Vec<u8> {
    let mut lead = vec![0xED, 0xAB, 0xEE, 0xDB, 3, 0, 0, 0, 0, 1];
    lead.extend(name.bytes().take(65));
    lead.resize(76, 0);
    lead.extend([0, 1, 0, 5]);
    lead.resize(96, 0);
    lead
}
