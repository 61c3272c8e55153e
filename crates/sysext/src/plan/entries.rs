//! The entries of an image, collected from the packages by their place in it.

use std::collections::{BTreeMap, BTreeSet};

use erofs::{Kind, Meta, Node, NodeId, Rdev, Time, Tree};
use rpm::{Capabilities, File, FileFlags, Package};

use super::conflicts;
use crate::finding::{Check, Finding, Severity};
use crate::layout::{self, Place};
use crate::recipe::Recipe;
use crate::select::Selection;
use crate::users::Users;

/// Where a file is from: package and index of the file.
pub(super) type Origin = (usize, usize);

/// What `Entries::into_tree` gives: the tree, and the node of every origin that has content.
type TreeAndContents = (Tree<u64>, BTreeMap<Origin, NodeId>);

/// The files of all packages by their place in the image.
pub(super) struct Entries<'a> {
    packages: &'a [Package],
    recipe: &'a Recipe,
    users: &'a Users,
    findings: &'a mut Vec<Finding>,
    places: BTreeMap<Vec<u8>, Origin>,
    /// Owners that were reported, by package, so that each is reported once.
    owners: BTreeSet<(usize, String)>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(
        packages: &'a [Package],
        recipe: &'a Recipe,
        users: &'a Users,
        findings: &'a mut Vec<Finding>,
    ) -> Self {
        let (places, owners) = (BTreeMap::new(), BTreeSet::new());
        Self { packages, recipe, users, findings, places, owners }
    }

    /// Collects every file that is not left out, and reports what cannot go in.
    pub(super) fn collect(&mut self, selection: &mut Selection<'_>) {
        for (number, package) in self.packages.iter().enumerate() {
            let nevra = package.nevra();
            let mut from_etc = Vec::new();
            for (index, file) in package.files.iter().enumerate() {
                if file.flags.contains(FileFlags::GHOST)
                    || selection.leaves_out(package, &nevra, file)
                {
                    continue;
                }
                match layout::place(&file.path, file.is_symlink(), &self.recipe.target.release) {
                    Place::At(place) => self.enter(place, (number, index)),
                    Place::MovedFromEtc(place) => {
                        if !file.is_directory() {
                            from_etc.push(file.display());
                        }
                        self.enter(place, (number, index));
                    }
                    Place::OfBase => {}
                    Place::Outside => self.findings.push(outside(&nevra, file)),
                }
            }
            if let Some(first) = from_etc.first() {
                let message = format!(
                    "{} of its files in /etc, such as {first}, are in /usr/etc",
                    from_etc.len()
                );
                let finding = Finding::new(Severity::Info, Check::EtcMoved, message);
                self.findings
                    .push(finding.package(nevra).fix("copy to /etc what the program needs there"));
            }
        }
    }

    fn enter(&mut self, place: Vec<u8>, origin: Origin) {
        let (package, file) = self.file(origin);
        if let Some(why) = layout::base_only(&place).filter(|_| !file.is_directory()) {
            let finding = Finding::new(Severity::Warning, Check::BaseFile, why);
            self.findings.push(finding.package(package.nevra()).path(&file.path));
            return;
        }
        if place == b"usr/local" || place.starts_with(b"usr/local/") {
            let message = "/usr/local is a link to /var/usrlocal on image based systems, which hides this file";
            let finding = Finding::new(Severity::Warning, Check::UsrLocal, message);
            self.findings.push(finding.package(package.nevra()).path(&file.path));
        }
        let Some(&known) = self.places.get(&place) else {
            self.places.insert(place, origin);
            return;
        };
        let winner = conflicts::settle(self.packages, &place, known, origin, self.findings);
        self.places.insert(place, winner);
    }

    /// Builds the tree. What a package does not list, a folder above a file, is root's with mode 0755.
    pub(super) fn into_tree(mut self, epoch: Time) -> TreeAndContents {
        let folder_meta = Meta { mtime: epoch, ..Meta::new(0o755) };
        let mut tree = Tree::new(folder_meta.clone());
        let mut contents = BTreeMap::new();
        // Hard links: the node of a set, by package and its first name.
        let mut sets = BTreeMap::<Origin, NodeId>::new();
        for (place, origin) in std::mem::take(&mut self.places) {
            let Some((folder, name)) = self.folder_of(&mut tree, &place, origin, &folder_meta)
            else {
                continue;
            };
            let (_, file) = self.file(origin);
            let set = file.hard_links.map(|links| (origin.0, links.first));
            let added = match set.and_then(|set| sets.get(&set)) {
                Some(&node) => tree.link(folder, &name, node).map(|()| node),
                None => {
                    let meta = self.meta(origin, epoch);
                    tree.add(folder, &name, Node { meta, kind: kind(file) })
                }
            };
            match added {
                Ok(node) => {
                    contents.insert(origin, node);
                    if let Some(set) = set {
                        sets.insert(set, node);
                    }
                }
                Err(error) => self.cannot_add(origin, &error.to_string()),
            }
        }
        // Any name of a set may bring the content, also one that is left out itself.
        for (number, package) in self.packages.iter().enumerate() {
            for (index, file) in package.files.iter().enumerate() {
                let node = file.hard_links.and_then(|links| sets.get(&(number, links.first)));
                if let Some(&node) = node {
                    contents.insert((number, index), node);
                }
            }
        }
        contents.retain(|_, node| matches!(tree.node(*node).kind, Kind::File(_)));
        (tree, contents)
    }

    /// The folder that a place is in, and its name there.
    fn folder_of(
        &mut self,
        tree: &mut Tree<u64>,
        place: &[u8],
        origin: Origin,
        meta: &Meta,
    ) -> Option<(NodeId, Vec<u8>)> {
        let mut parts: Vec<&[u8]> = place.split(|byte| *byte == b'/').collect();
        let name = parts.pop()?.to_vec();
        let mut folder = tree.root();
        for part in parts {
            folder = match tree.child(folder, part) {
                Some(known) => known,
                None => match tree.directory(folder, part, meta.clone()) {
                    Ok(made) => made,
                    Err(error) => {
                        self.cannot_add(origin, &error.to_string());
                        return None;
                    }
                },
            };
        }
        Some((folder, name))
    }

    fn cannot_add(&mut self, origin: Origin, why: &str) {
        let (package, file) = self.file(origin);
        let message = format!("{} has no place in the image: {why}", file.display());
        let finding = Finding::new(Severity::Error, Check::TypeConflict, message);
        self.findings.push(
            finding.package(package.nevra()).path(&file.path).fix("leave one of the two out"),
        );
    }

    /// Mode, owner, time and capabilities.
    fn meta(&mut self, origin: Origin, epoch: Time) -> Meta {
        let (_, file) = self.file(origin);
        let mut mode = file.mode & 0o7777;
        let (uid, gid) = (self.users.uid(&file.user), self.users.gid(&file.group));
        for (number, name, what, bit) in
            [(uid, &file.user, "user", 0o4000), (gid, &file.group, "group", 0o2000)]
        {
            if number.is_some() {
                continue;
            }
            self.report_owner(origin, name, what);
            // Root's in the place of somebody else's, a program would gain rights that it never had.
            if !file.is_directory() && mode & bit != 0 {
                mode &= !bit;
                self.report_set_id(origin, name, what);
            }
        }
        let mut seconds = i64::from(file.mtime);
        if self.recipe.source_date_epoch.is_some() {
            seconds = seconds.min(epoch.seconds);
        }
        let mut meta = Meta {
            uid: uid.unwrap_or_default(),
            gid: gid.unwrap_or_default(),
            mtime: Time { seconds, nanoseconds: 0 },
            ..Meta::new(mode)
        };
        if !file.capabilities.is_empty() && file.is_file() {
            match Capabilities::parse(&file.capabilities) {
                Some(capabilities) => {
                    meta.xattrs.insert(b"security.capability".to_vec(), capabilities.xattr());
                }
                None => self.report_capabilities(origin),
            }
        }
        meta
    }

    fn report_owner(&mut self, origin: Origin, name: &str, what: &str) {
        let (package, file) = self.file(origin);
        if !self.owners.insert((origin.0, format!("{what} {name}"))) {
            return;
        }
        let owns =
            |file: &&File| if what == "user" { file.user == name } else { file.group == name };
        let count = package.files.iter().filter(owns).count();
        let files =
            if count == 1 { "1 file belongs".to_owned() } else { format!("{count} files belong") };
        let message = format!(
            "{files} to the {what} {name}, whose number is not known; root takes its place"
        );
        let finding = Finding::new(Severity::Warning, Check::Owner, message);
        self.findings.push(finding.package(package.nevra()).path(&file.path));
    }

    fn report_set_id(&mut self, origin: Origin, name: &str, what: &str) {
        let (package, file) = self.file(origin);
        let message = format!(
            "{} would run as root in place of the {what} {name}: it runs as its caller",
            file.display()
        );
        let finding = Finding::new(Severity::Warning, Check::SetId, message);
        self.findings.push(finding.package(package.nevra()).path(&file.path));
    }

    fn report_capabilities(&mut self, origin: Origin) {
        let (package, file) = self.file(origin);
        let message = format!(
            "{} has the capabilities `{}`, which are not known",
            file.display(),
            file.capabilities
        );
        let finding = Finding::new(Severity::Warning, Check::Capabilities, message);
        self.findings.push(finding.package(package.nevra()).path(&file.path));
    }

    fn file(&self, (package, file): Origin) -> (&'a Package, &'a File) {
        let package = &self.packages[package];
        (package, &package.files[file])
    }
}

/// The finding for a file outside of what an extension can have.
fn outside(nevra: &str, file: &File) -> Finding {
    let top =
        file.path.split(|byte| *byte == b'/').find(|part| !part.is_empty()).unwrap_or_default();
    let message = format!("{} is left out", file.display());
    let finding =
        Finding::new(Severity::Warning, Check::PathRoot, message).package(nevra).path(&file.path);
    match top {
        b"var" | b"run" | b"tmp" => {
            finding.fix("have systemd-tmpfiles create it, if the program needs it")
        }
        b"opt" => finding.fix("look for a package that installs to /usr"),
        _ => finding,
    }
}

/// Type of an entry and what belongs to the type.
fn kind(file: &File) -> Kind<u64> {
    let rdev = Rdev { major: u32::from(file.rdev >> 8), minor: u32::from(file.rdev & 0xFF) };
    match file.file_type() {
        0o040_000 => Kind::Directory(BTreeMap::new()),
        0o120_000 => Kind::Symlink(file.link_target.clone()),
        0o010_000 => Kind::Fifo,
        0o140_000 => Kind::Socket,
        0o020_000 => Kind::CharDevice(rdev),
        0o060_000 => Kind::BlockDevice(rdev),
        _ => Kind::File(file.size),
    }
}
