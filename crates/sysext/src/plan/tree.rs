//! From entries to the tree of an image, and where the contents of its files are from.

use std::collections::{BTreeMap, BTreeSet};

use erofs::{Kind, Meta, Node, NodeId, Rdev, Time, Tree};
use rpm::{Capabilities, File};

use super::entries::{Entries, Entry, Origin, What};
use super::known::Known;
use super::places::Places;
use crate::finding::{Check, Finding, Severity};
use crate::path::display;
use crate::users::Users;

/// A tree, and what its files hold.
pub(super) struct Grown {
    pub(super) tree: Tree<u64>,
    /// Where a file's content goes, by package and index of the file.
    pub(super) contents: Places,
    /// Content that no package has.
    pub(super) texts: Vec<(NodeId, Vec<u8>)>,
}

/// Where the contents of files are from, by their nodes.
pub(crate) struct ByNode<'a> {
    texts: BTreeMap<NodeId, &'a [u8]>,
    /// Package and index of the file, in the order of the nodes.
    origins: Vec<(NodeId, u32, u32)>,
}

impl<'a> ByNode<'a> {
    pub(crate) fn new(contents: &Places, texts: &'a [(NodeId, Vec<u8>)]) -> Self {
        let origins = contents.iter();
        let mut origins: Vec<_> =
            origins.map(|((package, file), node)| (node, package as u32, file as u32)).collect();
        origins.sort_unstable();
        Self { texts: texts.iter().map(|(node, text)| (*node, text.as_slice())).collect(), origins }
    }

    /// Content that no package has.
    pub(crate) fn text(&self, node: NodeId) -> Option<&'a [u8]> {
        self.texts.get(&node).copied()
    }

    /// The file of a package that has the content.
    pub(crate) fn origin(&self, node: NodeId) -> Option<Origin> {
        // Of several names of one hard link that is the last.
        let behind = self.origins.partition_point(|(known, ..)| *known <= node);
        let (found, package, file) = *self.origins.get(behind.checked_sub(1)?)?;
        (found == node).then_some((package as usize, file as usize))
    }

    /// The content; if nobody has looked yet, the host is asked to.
    pub(crate) fn content<'k: 'a>(&self, node: NodeId, known: &mut Known<'k>) -> Option<&'a [u8]> {
        match self.text(node) {
            Some(text) => Some(text),
            None => known.content(self.origin(node)?, false),
        }
    }
}

/// Builds the tree. What nobody lists, a folder above a file, is root's with mode 0755.
pub(super) fn grow(entries: &mut Entries<'_>, users: &Users, epoch: Time) -> Grown {
    let folder_meta = Meta { mtime: epoch, ..Meta::new(0o755) };
    let tree = Tree::new(folder_meta.clone());
    let contents = Places::new(entries.packages.iter().map(|package| package.files.len()));
    let taken = std::mem::take(&mut entries.entries);
    let mut grower = Grower {
        entries,
        users,
        epoch,
        folder_meta,
        owners: BTreeSet::new(),
        sets: BTreeMap::new(),
        grown: Grown { tree, contents, texts: Vec::new() },
    };
    for (path, entry) in taken {
        grower.add(&path, entry);
    }
    grower.link_contents();
    grower.grown
}

struct Grower<'e, 'a, 'u> {
    entries: &'e mut Entries<'a>,
    users: &'u Users,
    epoch: Time,
    folder_meta: Meta,
    /// Owners that were reported, by package, so that each is reported once.
    owners: BTreeSet<(Option<usize>, String)>,
    /// Hard links: the node of a set, by package and its first name.
    sets: BTreeMap<Origin, NodeId>,
    grown: Grown,
}

impl Grower<'_, '_, '_> {
    fn add(&mut self, path: &[u8], entry: Entry) {
        let (folder, name) = match self.folder_of(path) {
            Ok(found) => found,
            Err(why) => return self.cannot_add(path, &entry, &why),
        };
        let packaged = entry.origin.filter(|_| entry.what == What::Packaged);
        let set = packaged.and_then(|origin| {
            let links = self.entries.file(origin).1.hard_links?;
            Some((origin.0, links.first))
        });
        let tree = &mut self.grown.tree;
        let added = match set.and_then(|set| self.sets.get(&set)) {
            Some(&node) => tree.link(folder, name, node).map(|()| node),
            None => {
                let meta = self.meta(path, &entry);
                let kind = self.kind(&entry);
                self.grown.tree.add(folder, name, Node { meta, kind })
            }
        };
        match (added, entry.what) {
            (Ok(node), What::Packaged) => {
                if let Some(origin) = packaged {
                    self.grown.contents.insert(origin, node);
                }
                self.sets.extend(set.map(|set| (set, node)));
            }
            (Ok(node), What::File(text)) => self.grown.texts.push((node, text)),
            (Ok(_), What::Directory | What::Symlink(_)) => {}
            (Err(error), what) => {
                self.cannot_add(path, &Entry { what, ..entry }, &error.to_string());
            }
        }
    }

    /// Any name of a set of hard links may bring the content, also one that is left out itself.
    fn link_contents(&mut self) {
        for (number, package) in self.entries.packages.iter().enumerate() {
            for (index, file) in package.files.iter().enumerate() {
                let node = file.hard_links.and_then(|links| self.sets.get(&(number, links.first)));
                if let Some(&node) = node {
                    self.grown.contents.insert((number, index), node);
                }
            }
        }
        let Grown { tree, contents, .. } = &mut self.grown;
        contents.retain(|node| matches!(tree.node(node).kind, Kind::File(_)));
    }

    /// The folder that a path is in, and its name there.
    fn folder_of<'p>(&mut self, path: &'p [u8]) -> Result<(NodeId, &'p [u8]), String> {
        let mut parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        let name = parts.pop().unwrap_or_default();
        let tree = &mut self.grown.tree;
        let mut folder = tree.root();
        for part in parts {
            folder = match tree.child(folder, part) {
                Some(known) => known,
                None => tree
                    .directory(folder, part, self.folder_meta.clone())
                    .map_err(|error| error.to_string())?,
            };
        }
        Ok((folder, name))
    }

    fn cannot_add(&mut self, path: &[u8], entry: &Entry, why: &str) {
        let message = format!("{} has no place in the image: {why}", display(path));
        let finding = Finding::new(Severity::Error, Check::TypeConflict, message);
        let finding = self.entries.named(finding, path, entry).fix("leave one of the two out");
        self.entries.findings.push(finding);
    }

    /// Mode, owner, time and capabilities.
    fn meta(&mut self, path: &[u8], entry: &Entry) -> Meta {
        let file = entry.origin.map(|origin| self.entries.file(origin).1);
        let mut mode = self.entries.mode(entry);
        let (user, group) = self.entries.owner(entry);
        let (uid, gid) = (self.users.uid(user), self.users.gid(group));
        for (number, name, what, bit) in
            [(uid, user, "user", 0o4000), (gid, group, "group", 0o2000)]
        {
            if number.is_some() {
                continue;
            }
            self.report_owner(path, entry, name, what);
            // Root's in the place of somebody else's, a program would gain rights that it never had.
            if !self.entries.is_directory(entry) && mode & bit != 0 {
                mode &= !bit;
                self.report(
                    path,
                    entry,
                    Check::SetId,
                    format!(
                        "{} would run as root in place of the {what} {name}: it runs as its caller",
                        display(path)
                    ),
                );
            }
        }
        let mut seconds = file.map_or(self.epoch.seconds, |file| i64::from(file.mtime));
        if self.entries.recipe.source_date_epoch.is_some() {
            seconds = seconds.min(self.epoch.seconds);
        }
        let mut meta = Meta {
            uid: uid.unwrap_or_default(),
            gid: gid.unwrap_or_default(),
            mtime: Time { seconds, nanoseconds: 0 },
            ..Meta::new(mode)
        };
        let capabilities = entry.capabilities().or(file.map(|file| &*file.capabilities));
        let capabilities =
            capabilities.filter(|text| !text.is_empty() && self.entries.is_file(entry));
        match capabilities.map(|text| (text, Capabilities::parse(text))) {
            Some((_, Some(capabilities))) => {
                meta.xattrs.insert(b"security.capability", &capabilities.xattr());
            }
            Some((text, None)) => self.report(
                path,
                entry,
                Check::Capabilities,
                format!("{} has the capabilities `{text}`, which are not known", display(path)),
            ),
            None => {}
        }
        meta
    }

    /// Type of an entry and what belongs to the type.
    fn kind(&self, entry: &Entry) -> Kind<u64> {
        match (&entry.what, entry.origin) {
            (What::Packaged, Some(origin)) => kind(self.entries.file(origin).1),
            (What::Packaged, None) | (What::Directory, _) => Kind::Directory(Box::default()),
            (What::File(text), _) => Kind::File(text.len() as u64),
            (What::Symlink(target), _) => Kind::Symlink(target.as_slice().into()),
        }
    }

    fn report(&mut self, path: &[u8], entry: &Entry, check: Check, message: String) {
        let finding = Finding::new(Severity::Warning, check, message);
        self.entries.findings.push(self.entries.named(finding, path, entry));
    }

    fn report_owner(&mut self, path: &[u8], entry: &Entry, name: &str, what: &str) {
        let package = entry.origin.map(|(package, _)| package);
        if !self.owners.insert((package, format!("{what} {name}"))) {
            return;
        }
        let owns = |file: &&File| {
            let owner = if what == "user" { &file.user } else { &file.group };
            **owner == *name
        };
        let files = package.map(|package| &self.entries.packages[package].files);
        let count = files.map_or(1, |files| files.iter().filter(owns).count()).max(1);
        let files =
            if count == 1 { "1 file belongs".to_owned() } else { format!("{count} files belong") };
        self.report(
            path,
            entry,
            Check::Owner,
            format!(
                "{files} to the {what} {name}, whose number is not known; root takes its place"
            ),
        );
    }
}

/// Type of a package's file and what belongs to the type.
fn kind(file: &File) -> Kind<u64> {
    let rdev = Rdev { major: u32::from(file.rdev >> 8), minor: u32::from(file.rdev & 0xFF) };
    match file.file_type() {
        0o040_000 => Kind::Directory(Box::default()),
        0o120_000 => Kind::Symlink(file.link_target.clone()),
        0o010_000 => Kind::Fifo,
        0o140_000 => Kind::Socket,
        0o020_000 => Kind::CharDevice(rdev),
        0o060_000 => Kind::BlockDevice(rdev),
        _ => Kind::File(file.size),
    }
}
