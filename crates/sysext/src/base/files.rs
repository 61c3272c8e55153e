//! What the paths of a base are: type and permissions, owners, where links lead, digests of contents.
//!
//! # In a pack
//!
//! Four sections tell of each path of the index that follows, in its order: `W` owners, a line each, user and group with a
//! blank between them; `K` of each path the mode as `st_mode` (0 is unknown) and the number of its owner, two bytes each,
//! little endian; `L` where links lead, each with a zero byte behind it; `V` of each file the first 6 bytes of the SHA-256
//! of its content, zeros where that is unknown.

use std::collections::BTreeMap;

use resolve::index::{self, BadIndex, Index};
use rpm::repodata::{FileKind, RepoPackage};
use rpm::{FileFlags, Package};

use super::{About, Base};
use crate::extension::Extension;
use crate::layout;

/// Bytes that are kept of a digest: few, for there are many. Two contents of one path are told apart; whoever makes two
/// that are not has only their own file taken for the base's.
const KEPT: usize = 6;
/// SHA-256 in RFC 9580, as headers have it.
const SHA256: u32 = 8;
/// Tags of the sections.
pub(super) const TAGS: &[u8; 4] = b"WKLV";
/// Types of files in `st_mode`.
const TYPE: u16 = 0o170_000;
const FOLDER: u16 = 0o040_000;
const LINK: u16 = 0o120_000;
const FILE: u16 = 0o100_000;

/// What a path of a base is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BaseFile<'a> {
    /// Type and permissions, as `st_mode`; of type 0 if the base knows no more than the path.
    pub mode: u16,
    /// Owner's name.
    pub user: &'a str,
    /// Group's name.
    pub group: &'a str,
    /// Where it leads, if it is a link.
    pub target: &'a [u8],
    /// The first bytes of the SHA-256 of its content, where that is known.
    pub digest: Option<[u8; KEPT]>,
}

impl BaseFile<'_> {
    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.mode & TYPE == FOLDER
    }

    /// Whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.mode & TYPE == LINK
    }

    /// Whether it is known what it is.
    pub fn is_known(&self) -> bool {
        self.mode & TYPE != 0
    }

    /// Whether a file with that mode, digest and algorithm of the digest is the same.
    pub(crate) fn is_file_of(&self, mode: u16, digest: &[u8], algorithm: u32) -> bool {
        self.mode == mode
            && algorithm == SHA256
            && self.digest.is_some_and(|kept| digest.starts_with(&kept))
    }
}

/// What a base has, by paths as they are on a system.
pub(crate) type BaseFiles<'a> = BTreeMap<Vec<u8>, BaseFile<'a>>;

/// What a base has where an extension can have something, by its place in the extension, which has `/etc` elsewhere.
pub(crate) fn within<'f, 'a>(
    files: &'f BaseFiles<'a>,
    extension: &'f Extension,
) -> impl Iterator<Item = (Vec<u8>, &'f BaseFile<'a>)> {
    files.iter().filter_map(|(path, file)| Some((layout::within(path, extension)?, file)))
}

/// Packages of a base with what their headers say of their files, to be written to a pack.
#[derive(Debug, Default)]
pub struct Installed {
    packages: Vec<(RepoPackage, Vec<Record>)>,
    owners: BTreeMap<String, u16>,
}

/// A path in the making.
#[derive(Clone, Debug, Default)]
struct Record {
    mode: u16,
    owner: u16,
    target: Vec<u8>,
    digest: [u8; KEPT],
}

impl Installed {
    /// Adds a package and its header, as [`RepoPackage::from_database`] gives them.
    pub fn add(&mut self, package: RepoPackage, header: &Package) {
        let records = header.files.iter().map(|file| {
            let is_there = !file.flags.contains(FileFlags::GHOST);
            let mut digest = [0; KEPT];
            if let (true, SHA256, Some(first)) =
                (is_there, file.digest_algorithm, file.digest.first_chunk())
            {
                digest = *first;
            }
            let owner = self.owner(&format!("{} {}", file.user, file.group));
            Record { mode: file.mode, owner, target: file.link_target.to_vec(), digest }
        });
        let records = records.collect();
        self.packages.push((package, records));
    }

    fn owner(&mut self, name: &str) -> u16 {
        if let Some(&number) = self.owners.get(name) {
            return number;
        }
        let number = u16::try_from(self.owners.len()).unwrap_or(u16::MAX);
        self.owners.insert(name.to_owned(), number);
        number
    }

    /// A base pack, as [`Base::read`] takes it. The same packages give the same bytes, whatever order they come in.
    pub fn write(self, about: &About) -> Vec<u8> {
        let Self { mut packages, owners } = self;
        // Keys are in the database as if they were packages.
        packages.retain(|(package, _)| package.name != "gpg-pubkey");
        packages.sort_by_cached_key(|(package, _)| package.nevra());
        packages.dedup_by_key(|(package, _)| package.nevra());
        let names: BTreeMap<u16, &str> =
            owners.iter().map(|(name, number)| (*number, name.as_str())).collect();
        // In the order in which the packages have them now.
        let (mut order, mut lines) = (BTreeMap::new(), String::new());
        let [mut kinds, mut targets, mut digests] = [const { Vec::new() }; 3];
        for record in packages.iter().flat_map(|(_, records)| records) {
            let next = order.len() as u16;
            let owner = *order.entry(record.owner).or_insert_with(|| {
                lines += names[&record.owner];
                lines.push('\n');
                next
            });
            kinds.extend(record.mode.to_le_bytes());
            kinds.extend(owner.to_le_bytes());
            match record.mode & TYPE {
                LINK => {
                    targets.extend(&record.target);
                    targets.push(0);
                }
                FILE => digests.extend(record.digest),
                _ => {}
            }
        }
        let mut file = Base::write_about(about);
        for (tag, content) in TAGS.iter().zip([lines.as_bytes(), &kinds, &targets, &digests]) {
            index::section(&mut file, *tag, content);
        }
        drop((kinds, targets, digests));
        let packages: Vec<RepoPackage> = packages.into_iter().map(|(package, _)| package).collect();
        file.extend(index::write(&packages, index::More::default()));
        file
    }
}

/// Packages of which no more is known than what a repository says of them.
impl From<Vec<RepoPackage>> for Installed {
    fn from(packages: Vec<RepoPackage>) -> Self {
        let mut installed = Self::default();
        let root = installed.owner("root root");
        for package in packages {
            let records = package.files.iter().map(|file| match file.kind {
                FileKind::Folder => {
                    Record { mode: FOLDER | 0o755, owner: root, ..Record::default() }
                }
                FileKind::File | FileKind::Ghost => Record { owner: root, ..Record::default() },
            });
            let records = records.collect();
            installed.packages.push((package, records));
        }
        installed
    }
}

/// The sections of a pack.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    owners: String,
    kinds: Vec<u8>,
    targets: Vec<u8>,
    digests: Vec<u8>,
}

impl Files {
    /// Takes the sections, if they fit the index.
    pub(super) fn new(sections: &mut [Vec<u8>], index: &Index) -> Result<Self, BadIndex> {
        let [owners, kinds, targets, digests] = sections else {
            return Err(BadIndex::new(b'W', "sections are missing"));
        };
        let [owners, kinds, targets, digests] =
            [owners, kinds, targets, digests].map(std::mem::take);
        let owners =
            String::from_utf8(owners).map_err(|_| BadIndex::new(b'W', "a name is no UTF-8"))?;
        let files = Self { owners, kinds, targets, digests };
        let count = |of: u16| files.kinds().filter(|(mode, _)| mode & TYPE == of).count();
        let owners = files.owners.lines().count();
        if files.kinds.len() != index.paths().count() * 4 {
            return Err(BadIndex::new(b'K', "it does not tell of every path of the index"));
        }
        if files.kinds().any(|(_, owner)| usize::from(owner) >= owners) {
            return Err(BadIndex::new(b'K', "an owner is missing"));
        }
        if files.targets.iter().filter(|byte| **byte == 0).count() != count(LINK) {
            return Err(BadIndex::new(b'L', "it does not tell of every link"));
        }
        if files.digests.len() != count(FILE) * KEPT {
            return Err(BadIndex::new(b'V', "it does not tell of every file"));
        }
        Ok(files)
    }

    /// Mode and number of the owner of each path.
    fn kinds(&self) -> impl Iterator<Item = (u16, u16)> {
        let pairs = self.kinds.as_chunks::<4>().0.iter();
        pairs.map(|&[a, b, c, d]| (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])))
    }

    /// All paths of the index, with what is known of them.
    pub(super) fn of<'a>(
        &'a self,
        index: &'a Index,
    ) -> impl Iterator<Item = (&'a str, BaseFile<'a>)> {
        let owners: Vec<(&str, &str)> =
            self.owners.lines().map(|line| line.split_once(' ').unwrap_or((line, ""))).collect();
        let mut targets = self.targets.split(|byte| *byte == 0);
        let mut digests = self.digests.as_chunks::<KEPT>().0.iter();
        index.paths().zip(self.kinds()).map(move |(path, (mode, owner))| {
            let (user, group) = owners.get(usize::from(owner)).copied().unwrap_or_default();
            let target = if mode & TYPE == LINK { targets.next() } else { None };
            let digest = if mode & TYPE == FILE { digests.next().copied() } else { None };
            let digest = digest.filter(|digest| *digest != [0; KEPT]);
            (path, BaseFile { mode, user, group, target: target.unwrap_or_default(), digest })
        })
    }
}

impl Base {
    /// Every path of its packages and what is known of it, as often as packages have it.
    pub fn files(&self) -> impl Iterator<Item = (&str, BaseFile<'_>)> {
        let known = self.index.as_ref().map(|index| self.files.of(index));
        known.into_iter().flatten()
    }

    /// The paths of its packages as they are on a system of a release, without the slash in front, if they are known.
    pub(crate) fn files_on(&self, release: &str) -> Option<BaseFiles<'_>> {
        self.index.as_ref()?;
        let mut files = BaseFiles::new();
        for (path, file) in self.files() {
            let Some(path) = layout::merged(path.as_bytes(), false, release) else { continue };
            // Of several packages that have a folder, the one that says most of it.
            let is_usual = (file.mode, file.user, file.group) == (FOLDER | 0o755, "root", "root");
            let known = files.entry(path).or_insert(file);
            if !known.is_known() || known.is_folder() && file.is_folder() && !is_usual {
                *known = file;
            }
        }
        Some(files)
    }
}

#[cfg(test)]
mod tests {
    use rpm::NewFile;

    use super::*;
    use crate::checks::testing::base_of;

    #[test]
    fn paths_are_told_with_type_owner_target_and_digest() {
        let base = base_of(vec![
            NewFile::directory("/usr/share/x", 0o700),
            NewFile::file("/usr/bin/x", 0o755, b"x".to_vec()),
            NewFile::symlink("/usr/bin/y", "x"),
        ]);
        let shown: Vec<String> = base
            .files()
            .map(|(path, file)| {
                let target = String::from_utf8_lossy(file.target);
                let BaseFile { mode, user, group, digest, .. } = file;
                let digest = digest.map(|[first, ..]| first);
                format!("{path} {mode:o} {user} {group} {target} {digest:x?}")
            })
            .collect();
        let expected = [
            "/usr/bin/x 100755 root root  Some(2d)",
            "/usr/bin/y 120777 root root x None",
            "/usr/share/x 40700 root root  None",
        ];
        assert_eq!(shown, expected);
        let merged = base.files_on("43").unwrap();
        assert!(merged[b"usr/bin/x".as_slice()].is_file_of(
            0o100_755,
            &[0x2d, 0x71, 0x16, 0x42, 0xb7, 0x26, 9],
            8
        ));
    }

    #[test]
    fn sections_that_do_not_fit_are_refused() {
        let base = base_of(vec![NewFile::file("/usr/bin/x", 0o755, b"x".to_vec())]);
        let index = base.index().unwrap();
        let sections = || {
            let Files { owners, kinds, targets, digests } = base.files.clone();
            [owners.into_bytes(), kinds, targets, digests]
        };
        assert!(Files::new(&mut sections(), index).is_ok());
        for nth in 0..4 {
            let mut sections = sections();
            if sections[nth].pop().is_none() {
                sections[nth].push(0);
            }
            if nth == 0 {
                sections[nth].clear();
            }
            let error = Files::new(&mut sections, index).unwrap_err().to_string();
            assert!(error.starts_with("the index is broken in section "), "{error}");
        }
    }
}
