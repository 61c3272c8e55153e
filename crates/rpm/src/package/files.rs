//! The files of a package, as its header lists them.

use std::collections::BTreeSet;
use std::ops::BitOr;
use std::sync::Arc;

use crate::digest;
use crate::error::Error;
use crate::header::Header;
use crate::tag;

/// `PATH_MAX`: no file of a package has a longer path.
const MAX_PATH: usize = 4096;

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

pub(super) fn files<'h>(header: &'h Header) -> Result<Vec<File>, Error> {
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
        let text = |strings: &[&'h [u8]]| strings.get(index).copied().unwrap_or_default();
        let hex = text(&digests);
        let Some(digest) = digest::unhex(hex) else {
            let found = String::from_utf8_lossy(hex).into_owned();
            return Err(header.wrong_value(tag::FILEDIGESTS, "hexadecimal digits", found));
        };
        files.push(File {
            path: absolute(path),
            mode: u16::try_from(number(&modes)).unwrap_or_default(),
            user: texts.share(text(&users)),
            group: texts.share(text(&groups)),
            size: number(&sizes),
            mtime: u32::try_from(number(&mtimes)).unwrap_or_default(),
            rdev: u16::try_from(number(&rdevs)).unwrap_or_default(),
            flags: FileFlags(u32::try_from(number(&flags)).unwrap_or_default()),
            link_target: text(&targets).into(),
            digest: digest.into(),
            digest_algorithm: u32::try_from(algorithm).unwrap_or_default(),
            capabilities: texts.share(text(&capabilities)),
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
