//! What a package says of itself: name, files, scripts. No payload here.

use std::collections::BTreeSet;
use std::io::Read;
use std::ops::BitOr;
use std::sync::Arc;

use crate::dependency::Dependency;
use crate::digest::{self, Hash};
use crate::error::{Error, corrupt};
use crate::header::Header;
use crate::repodata::package::{PROVIDES, REQUIRES, list};
use crate::source::Source;
use crate::tag;

/// Bytes of the lead, which old programs look at.
const LEAD: usize = 96;
/// The lead's magic.
const LEAD_MAGIC: [u8; 4] = [0xED, 0xAB, 0xEE, 0xDB];
/// `PATH_MAX`: no file of a package has a longer path.
const MAX_PATH: usize = 4096;

/// A package's header in better types. Text that is not UTF-8 has replacement characters; paths are bytes.
#[derive(Clone, Debug)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Epoch, where the package has one.
    pub epoch: Option<u64>,
    /// Version.
    pub version: String,
    /// Release.
    pub release: String,
    /// Architecture: `x86_64`, `noarch` ...
    pub arch: String,
    /// One line about it.
    pub summary: String,
    /// Seconds since 1970.
    pub build_time: u64,
    /// Whether this is a source package, whose files are not for a system.
    pub is_source: bool,
    /// What it provides.
    pub provides: Vec<Dependency>,
    /// What it requires, without what it requires of rpm itself.
    pub requires: Vec<Dependency>,
    /// Files in the header's order.
    pub files: Vec<File>,
    /// Scripts that rpm would run, triggers included.
    pub scriptlets: Vec<Scriptlet>,
    /// SHA-256 of the header: two packages with the same one are the same package.
    pub header_sha256: [u8; 32],
    /// Byte offset of the payload in the package.
    pub payload_at: u64,
}

/// A file of a package as the header lists it. Packages of hundreds of thousands of files are kept in memory, so names
/// of owners are there once.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct File {
    /// Absolute path.
    pub path: Box<[u8]>,
    /// Type and permissions, as `st_mode`.
    pub mode: u16,
    /// Owner's name.
    pub user: Arc<str>,
    /// Group's name.
    pub group: Arc<str>,
    /// Bytes.
    pub size: u64,
    /// Seconds since 1970.
    pub mtime: u32,
    /// Device number, as `st_rdev` of 16 bits.
    pub rdev: u16,
    /// What kind of file it is for rpm.
    pub flags: FileFlags,
    /// Target, if it is a symbolic link.
    pub link_target: Box<[u8]>,
    /// Digest of the content in the package's algorithm; empty where there is none.
    pub digest: Box<[u8]>,
    /// Algorithm of the digest, a number of RFC 9580.
    pub digest_algorithm: u32,
    /// Capabilities as text; empty where there are none.
    pub capabilities: Arc<str>,
    /// The set of hard links that the file belongs to.
    pub hard_links: Option<HardLinks>,
}

/// Several names of one file. The payload has its content once, with the last of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HardLinks {
    /// Index of the first name.
    pub first: usize,
    /// Index of the last name.
    pub last: usize,
}

/// `RPMFILE_*`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct FileFlags(pub u32);

/// A script of a package.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scriptlet {
    /// `%post` and its like.
    pub name: &'static str,
    /// The program that runs it, with its arguments.
    pub interpreter: String,
    /// The script, which may be empty (`%post -p /sbin/ldconfig`).
    pub body: String,
}

impl FileFlags {
    /// A configuration file.
    pub const CONFIG: Self = Self(1);
    /// Documentation.
    pub const DOC: Self = Self(1 << 1);
    /// Belongs to the package, is not in it.
    pub const GHOST: Self = Self(1 << 6);
    /// A licence text.
    pub const LICENSE: Self = Self(1 << 7);

    /// Whether all flags of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for FileFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl File {
    /// The path as text.
    pub fn display(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.path)
    }

    /// The file type bits of the mode.
    pub fn file_type(&self) -> u16 {
        self.mode & 0o170_000
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.file_type() == 0o100_000
    }

    /// Whether it is a folder.
    pub fn is_directory(&self) -> bool {
        self.file_type() == 0o040_000
    }

    /// Whether it is a symbolic link.
    pub fn is_symlink(&self) -> bool {
        self.file_type() == 0o120_000
    }
}

impl Package {
    /// Reads a package up to its payload.
    ///
    /// # Errors
    /// Not a package, a header that breaks the format, or one whose digest is wrong.
    pub fn read(source: impl Read) -> Result<Self, Error> {
        let mut source = Source::new(source);
        let headers = Headers::read(&mut source)?;
        Self::from_headers(&headers, None)
    }

    /// `name-[epoch:]version-release.arch`.
    pub fn nevra(&self) -> String {
        format!("{}-{}.{}", self.name, self.evr(), self.arch)
    }

    /// `[epoch:]version-release`.
    pub fn evr(&self) -> String {
        let epoch = self.epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        format!("{epoch}{}-{}", self.version, self.release)
    }

    /// What headers say; where it is `known` what the same header says, that.
    pub(crate) fn from_headers(headers: &Headers, known: Option<Self>) -> Result<Self, Error> {
        let Headers { signature, header, .. } = headers;
        check_digests(signature, header)?;
        let mut package = match known.filter(|known| known.header_sha256 == sha256(header)) {
            Some(known) => known,
            None => Self::from_header(header)?,
        };
        package.is_source |= headers.lead_is_source && !header.has(tag::SOURCERPM);
        package.payload_at = headers.payload_at;
        Ok(package)
    }

    /// What a header says alone, without a file around it.
    pub(crate) fn from_header(header: &Header) -> Result<Self, Error> {
        let text = |tag| header.text(tag).map(Option::unwrap_or_default);
        let name = text(tag::NAME)?;
        if name.is_empty() {
            return Err(header.wrong_value(tag::NAME, "a name", "none"));
        }
        Ok(Self {
            name,
            epoch: header.number(tag::EPOCH)?,
            version: text(tag::VERSION)?,
            release: text(tag::RELEASE)?,
            arch: text(tag::ARCH)?,
            summary: text(tag::SUMMARY)?,
            build_time: header.number(tag::BUILDTIME)?.unwrap_or_default(),
            // Binary packages name the source package that they are from; some tools forget to.
            is_source: header.has(tag::SOURCEPACKAGE),
            provides: list(header, PROVIDES)?,
            requires: list(header, REQUIRES)?,
            files: files(header)?,
            scriptlets: scriptlets(header)?,
            header_sha256: sha256(header),
            payload_at: 0,
        })
    }
}

/// All of a package but its payload.
#[derive(Debug)]
pub(crate) struct Headers {
    pub(crate) signature: Header,
    pub(crate) header: Header,
    lead_is_source: bool,
    pub(crate) payload_at: u64,
}

impl Headers {
    pub(crate) fn read<R: Read>(source: &mut Source<R>) -> Result<Self, Error> {
        let lead = source.read_vec(LEAD, "lead")?;
        if !lead.starts_with(&LEAD_MAGIC) {
            let found = digest::hex(lead.get(..4).unwrap_or_default());
            return Err(corrupt(0, "magic of an RPM package", "edabeedb", found));
        }
        let signature = Header::read(source, "signature header")?;
        let padding = source.at().next_multiple_of(8).saturating_sub(source.at());
        source
            .read_vec(usize::try_from(padding).unwrap_or_default(), "padding of the signature")?;
        let header = Header::read(source, "header")?;
        let lead_is_source = lead.get(6..8) == Some(&[0, 1]);
        Ok(Self { signature, header, lead_is_source, payload_at: source.at() })
    }
}

fn sha256(header: &Header) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.iter_mut().zip(Hash::of(digest::SHA256, &header.bytes)).for_each(|(to, from)| *to = from);
    sum
}

/// Holds the header against every digest of it.
fn check_digests(signature: &Header, header: &Header) -> Result<(), Error> {
    for (tag, algorithm) in [
        (tag::sig::SHA3_256HEADER, digest::SHA3_256),
        (tag::sig::SHA256HEADER, digest::SHA256),
        (tag::sig::SHA1HEADER, digest::SHA1),
    ] {
        let Some(expected) = signature.text(tag)? else { continue };
        let found = digest::hex(&Hash::of(algorithm, &header.bytes));
        if !expected.eq_ignore_ascii_case(&found) {
            return Err(signature.wrong_value(tag, expected, found));
        }
    }
    Ok(())
}

/// The paths, from folders and names or, in v3, as they are.
fn paths(header: &Header) -> Result<Vec<Vec<u8>>, Error> {
    let names = header.strings(tag::BASENAMES)?;
    if names.is_empty() {
        let old = header.strings(tag::OLDFILENAMES)?;
        return Ok(old.into_iter().map(<[u8]>::to_vec).collect());
    }
    let folders = header.strings(tag::DIRNAMES)?;
    let indexes = header.numbers(tag::DIRINDEXES)?;
    if indexes.len() != names.len() {
        return Err(header.wrong_value(tag::DIRINDEXES, names.len(), indexes.len()));
    }
    let mut paths = Vec::with_capacity(names.len());
    for (name, index) in names.into_iter().zip(indexes) {
        let folder = usize::try_from(index).ok().and_then(|index| folders.get(index));
        let Some(folder) = folder else {
            let expected = format_args!("less than {}", folders.len());
            return Err(header.wrong_value(tag::DIRINDEXES, expected, index));
        };
        let length = folder.len().saturating_add(name.len());
        if length > MAX_PATH {
            return Err(header.wrong_value(tag::DIRNAMES, "a path of at most 4096 bytes", length));
        }
        paths.push([*folder, name].concat());
    }
    Ok(paths)
}

/// Old packages leave the first slash out.
fn absolute(path: Vec<u8>) -> Box<[u8]> {
    let path = if path.starts_with(b"/") { path } else { [b"/", path.as_slice()].concat() };
    path.into()
}

/// Texts that many files have, each once.
#[derive(Default)]
struct Texts(BTreeSet<Arc<str>>);

impl Texts {
    fn share(&mut self, bytes: &[u8]) -> Arc<str> {
        let text = String::from_utf8_lossy(bytes);
        if let Some(known) = self.0.get(text.as_ref()) {
            return Arc::clone(known);
        }
        let shared = Arc::<str>::from(text);
        self.0.insert(Arc::clone(&shared));
        shared
    }
}

fn files(header: &Header) -> Result<Vec<File>, Error> {
    let paths = paths(header)?;
    let count = paths.len();
    let numbers = |tag| {
        let numbers = header.numbers(tag)?;
        match numbers.len() {
            0 => Ok(vec![0; count]),
            found if found == count => Ok(numbers),
            found => Err(header.wrong_value(tag, count, found)),
        }
    };
    let strings = |tag| {
        let strings = header.strings(tag)?;
        match strings.len() {
            0 => Ok(vec![b"".as_slice(); count]),
            found if found == count => Ok(strings),
            found => Err(header.wrong_value(tag, count, found)),
        }
    };
    let long = header.has(tag::LONGFILESIZES);
    let sizes = numbers(if long { tag::LONGFILESIZES } else { tag::FILESIZES })?;
    let (modes, mtimes) = (numbers(tag::FILEMODES)?, numbers(tag::FILEMTIMES)?);
    let (flags, rdevs) = (numbers(tag::FILEFLAGS)?, numbers(tag::FILERDEVS)?);
    let (users, groups) = (strings(tag::FILEUSERNAME)?, strings(tag::FILEGROUPNAME)?);
    let (targets, digests) = (strings(tag::FILELINKTOS)?, strings(tag::FILEDIGESTS)?);
    let capabilities = strings(tag::FILECAPS)?;
    let algorithm = header.number(tag::FILEDIGESTALGO)?.unwrap_or(u64::from(digest::MD5));
    let mut texts = Texts::default();
    let mut files = Vec::with_capacity(count);
    for (index, path) in paths.into_iter().enumerate() {
        let number = |numbers: &[u64]| numbers.get(index).copied().unwrap_or_default();
        fn at<'a>(strings: &[&'a [u8]], index: usize) -> &'a [u8] {
            strings.get(index).copied().unwrap_or_default()
        }
        let hex = at(&digests, index);
        let Some(digest) = digest::unhex(hex) else {
            let found = String::from_utf8_lossy(hex).into_owned();
            return Err(header.wrong_value(tag::FILEDIGESTS, "hexadecimal digits", found));
        };
        files.push(File {
            path: absolute(path),
            mode: u16::try_from(number(&modes)).unwrap_or_default(),
            user: texts.share(at(&users, index)),
            group: texts.share(at(&groups, index)),
            size: number(&sizes),
            mtime: u32::try_from(number(&mtimes)).unwrap_or_default(),
            rdev: u16::try_from(number(&rdevs)).unwrap_or_default(),
            flags: FileFlags(u32::try_from(number(&flags)).unwrap_or_default()),
            link_target: at(&targets, index).into(),
            digest: digest.into(),
            digest_algorithm: u32::try_from(algorithm).unwrap_or_default(),
            capabilities: texts.share(at(&capabilities, index)),
            hard_links: None,
        });
    }
    let (devices, inodes) = (numbers(tag::FILEDEVICES)?, numbers(tag::FILEINODES)?);
    find_hard_links(&mut files, &devices, &inodes);
    Ok(files)
}

/// Regular files of one device and inode are one file.
fn find_hard_links(files: &mut [File], devices: &[u64], inodes: &[u64]) {
    let counts = |file: &File| file.is_file() && !file.flags.contains(FileFlags::GHOST);
    let numbers = devices.iter().zip(inodes).enumerate().zip(&*files);
    // Packages without inode numbers have zeros in their place.
    let mut all: Vec<(u64, u64, usize)> = numbers
        .filter(|((_, (_, inode)), file)| **inode != 0 && counts(file))
        .map(|((index, (device, inode)), _)| (*device, *inode, index))
        .collect();
    all.sort_unstable();
    for set in all.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
        let [(.., first), .., (.., last)] = *set else { continue };
        for (.., index) in set {
            if let Some(file) = files.get_mut(*index) {
                file.hard_links = Some(HardLinks { first, last });
            }
        }
    }
}

fn scriptlets(header: &Header) -> Result<Vec<Scriptlet>, Error> {
    let mut scriptlets = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for (name, script, program) in tag::SCRIPTLETS {
        let bodies = header.strings(script)?;
        let programs = header.strings(program)?;
        if name.ends_with("trigger") {
            for (index, body) in bodies.iter().enumerate() {
                let interpreter =
                    programs.get(index).map(|program| text(program)).unwrap_or_default();
                scriptlets.push(Scriptlet { name, interpreter, body: text(body) });
            }
        } else if !bodies.is_empty() || !programs.is_empty() {
            let interpreter = programs.iter().map(|part| text(part)).collect::<Vec<_>>().join(" ");
            let body = bodies.first().map(|body| text(body)).unwrap_or_default();
            scriptlets.push(Scriptlet { name, interpreter, body });
        }
    }
    Ok(scriptlets)
}
