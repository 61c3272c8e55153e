//! The entries of an image by their path: collected from the packages, changed by steps, made into a tree.

use std::collections::{BTreeMap, BTreeSet};

use rpm::{File, FileFlags, Package};

use super::conflicts;
use super::known::Known;
use crate::checks;
use crate::finding::{Check, Finding, Severity};
use crate::layout;
use crate::path::display;
use crate::recipe::Recipe;
use crate::select::Selection;

/// Where a file is from: package and index of the file.
pub(super) type Origin = (usize, usize);

/// An entry, and what differs from what its package says of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    /// The file of a package that it is from.
    pub(super) origin: Option<Origin>,
    pub(super) what: What,
    pub(super) mode: Option<u16>,
    /// The rest, which hardly any entry has: there may be hundreds of thousands.
    pub(super) own: Option<Box<Own>>,
}

/// Owner and capabilities that differ.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    pub(super) user: Option<String>,
    pub(super) group: Option<String>,
    pub(super) capabilities: Option<String>,
}

/// What an entry is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum What {
    /// What the package has.
    #[default]
    Packaged,
    Directory,
    File(Vec<u8>),
    Symlink(Vec<u8>),
}

impl Entry {
    fn packaged(origin: Origin) -> Self {
        Self { origin: Some(origin), ..Self::default() }
    }

    pub(super) fn new(what: What, mode: u16) -> Self {
        Self { what, mode: Some(mode), ..Self::default() }
    }

    pub(super) fn own_mut(&mut self) -> &mut Own {
        self.own.get_or_insert_default()
    }

    pub(super) fn capabilities(&self) -> Option<&str> {
        self.own.as_ref()?.capabilities.as_deref()
    }
}

/// All entries, by their paths without the slash in front. Folders that nobody lists are not among them.
pub(super) struct Entries<'a> {
    pub(super) packages: &'a [Package],
    pub(super) recipe: &'a Recipe,
    pub(super) entries: BTreeMap<Vec<u8>, Entry>,
    pub(super) findings: &'a mut Vec<Finding>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(
        packages: &'a [Package],
        recipe: &'a Recipe,
        findings: &'a mut Vec<Finding>,
    ) -> Self {
        Self { packages, recipe, entries: BTreeMap::new(), findings }
    }

    /// Collects every file of the packages that is not left out. Of some, by their numbers, none is taken: the base has
    /// exactly them.
    pub(super) fn collect(&mut self, selection: &mut Selection<'_>, same: &BTreeSet<usize>) {
        for (number, package) in self.packages.iter().enumerate() {
            let nevra = package.nevra();
            if same.contains(&number) {
                let message = format!("{nevra} is left out: the base has exactly it");
                let finding = Finding::new(Severity::Info, Check::InBase, message);
                self.findings.push(finding.package(nevra));
                continue;
            }
            for (index, file) in package.files.iter().enumerate() {
                if file.flags.contains(FileFlags::GHOST)
                    || selection.leaves_out(package, &nevra, file)
                {
                    continue;
                }
                let release = &self.recipe.target.release;
                match layout::merged(&file.path, file.is_symlink(), release) {
                    Some(path) if path.is_empty() => {}
                    Some(path) => self.enter(path, (number, index)),
                    None => self.findings.push(outside(&file.path).package(&nevra)),
                }
            }
        }
    }

    /// Enters a file of a package where another one may be.
    fn enter(&mut self, path: Vec<u8>, origin: Origin) {
        let known = self.entries.get(&path).and_then(|entry| entry.origin);
        let winner = match known {
            Some(known) => conflicts::settle(self.packages, &path, known, origin, self.findings),
            None => origin,
        };
        self.entries.insert(path, Entry::packaged(winner));
    }

    /// Moves everything to where an extension can have it, and reports what it cannot have.
    pub(super) fn place(&mut self) -> Placed {
        let mut placed = Placed::default();
        let mut moved = BTreeMap::<usize, Vec<String>>::new();
        for (path, entry) in std::mem::take(&mut self.entries) {
            let dropped = checks::is_dropped(&path) && path.starts_with(b"etc/");
            let to = layout::within(&path, &self.recipe.extension);
            if dropped && !self.is_directory(&entry) {
                self.settle(path, entry);
                continue;
            }
            if path.starts_with(b"etc/") && !self.is_directory(&entry) && to.as_ref() != Some(&path)
            {
                if let Some((package, _)) = entry.origin {
                    moved.entry(package).or_default().push(display(&path));
                }
                placed.from_etc.push(path.clone());
            }
            match to {
                Some(place) => self.settle(place, entry),
                None if path.starts_with(b"etc") => {}
                None => self.report_outside(&path, &entry),
            }
        }
        for (package, paths) in moved {
            let finding = layout::moved_from_etc(&paths, self.recipe.extension.etc);
            self.findings.push(finding.package(self.packages[package].nevra()));
        }
        placed
    }

    /// Enters what has its place, unless only the base may have it.
    fn settle(&mut self, place: Vec<u8>, entry: Entry) {
        if let Some(why) = layout::base_only(&place).filter(|_| !self.is_directory(&entry)) {
            self.report(Severity::Warning, Check::BaseFile, why, &place, &entry);
            return;
        }
        if place == b"usr/local" || place.starts_with(b"usr/local/") {
            let message = "/usr/local is a link to /var/usrlocal on image based systems, which hides this file";
            self.report(Severity::Warning, Check::UsrLocal, message, &place, &entry);
        }
        if checks::is_dropped(&place) && !self.is_directory(&entry) {
            let message =
                format!("{} is left out: it is made of all that a system has", display(&place));
            self.report(Severity::Info, Check::Singleton, &message, &place, &entry);
            return;
        }
        let known = self.entries.get(&place);
        if let (Some(first), Some(second)) = (known.and_then(|known| known.origin), entry.origin) {
            let winner = conflicts::settle(self.packages, &place, first, second, self.findings);
            if winner == first {
                return;
            }
        }
        self.entries.insert(place, entry);
    }

    pub(super) fn report(
        &mut self,
        severity: Severity,
        check: Check,
        message: &str,
        path: &[u8],
        entry: &Entry,
    ) {
        let finding = Finding::new(severity, check, message);
        self.findings.push(self.named(finding, path, entry));
    }

    fn report_outside(&mut self, path: &[u8], entry: &Entry) {
        let finding = outside(&[b"/", path].concat());
        self.findings.push(self.named(finding, path, entry));
    }

    /// A finding with the package and path that an entry is from.
    pub(super) fn named(&self, finding: Finding, path: &[u8], entry: &Entry) -> Finding {
        match entry.origin {
            Some(origin) => {
                let (package, file) = self.file(origin);
                finding.package(package.nevra()).path(&file.path)
            }
            None => finding.path(&[b"/", path].concat()),
        }
    }

    /// Permissions of an entry, set-id bits included.
    pub(super) fn mode(&self, entry: &Entry) -> u16 {
        let packaged = entry.origin.map(|origin| self.file(origin).1.mode);
        entry.mode.or(packaged).unwrap_or(0o755) & 0o7777
    }

    /// Names of the user and group that an entry belongs to.
    pub(super) fn owner<'e>(&self, entry: &'e Entry) -> (&'e str, &'e str)
    where
        'a: 'e,
    {
        let file = entry.origin.map(|origin| self.file(origin).1);
        let own = entry.own.as_ref();
        let user = own.and_then(|own| own.user.as_deref()).or(file.map(|file| &*file.user));
        let group = own.and_then(|own| own.group.as_deref()).or(file.map(|file| &*file.group));
        (user.unwrap_or("root"), group.unwrap_or("root"))
    }

    /// Where an entry leads, if it is a link.
    pub(super) fn link_target<'e>(&self, entry: &'e Entry) -> Option<&'e [u8]>
    where
        'a: 'e,
    {
        match (&entry.what, entry.origin) {
            (What::Symlink(target), _) => Some(target),
            (What::Packaged, Some(origin)) => {
                let file = self.file(origin).1;
                file.is_symlink().then_some(&*file.link_target)
            }
            _ => None,
        }
    }

    /// What is in an entry that is a file and is to be changed; nothing if nobody has read it yet.
    pub(super) fn text(&self, entry: &Entry, known: &mut Known<'_>) -> Option<Vec<u8>> {
        match (&entry.what, entry.origin) {
            (What::File(text), _) => Some(text.clone()),
            (_, origin) => known.content(origin?, true).map(<[u8]>::to_vec),
        }
    }

    /// Whether there is something below a path.
    pub(super) fn has_below(&self, folder: &[u8]) -> bool {
        let below = [folder, b"/"].concat();
        self.entries.range(below.clone()..).next().is_some_and(|(path, _)| path.starts_with(&below))
    }

    pub(super) fn is_directory(&self, entry: &Entry) -> bool {
        match (&entry.what, entry.origin) {
            (What::Packaged, Some(origin)) => self.file(origin).1.is_directory(),
            (What::Packaged, None) | (What::Directory, _) => true,
            (What::File(_) | What::Symlink(_), _) => false,
        }
    }

    pub(super) fn is_file(&self, entry: &Entry) -> bool {
        match (&entry.what, entry.origin) {
            (What::Packaged, Some(origin)) => self.file(origin).1.is_file(),
            (what, _) => matches!(what, What::File(_)),
        }
    }

    pub(super) fn file(&self, (package, file): Origin) -> (&'a Package, &'a File) {
        let package = &self.packages[package];
        (package, &package.files[file])
    }
}

/// What moving things to their places has found.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// Paths of files that were in /etc.
    pub(super) from_etc: Vec<Vec<u8>>,
}

/// The finding for a file outside of what an extension can have.
fn outside(path: &[u8]) -> Finding {
    let top = path.split(|byte| *byte == b'/').find(|part| !part.is_empty()).unwrap_or_default();
    let message = format!("{} is left out", String::from_utf8_lossy(path));
    let finding = Finding::new(Severity::Warning, Check::PathRoot, message).path(path);
    match top {
        b"var" | b"run" | b"tmp" => {
            finding.fix("have systemd-tmpfiles create it, if the program needs it")
        }
        b"opt" => finding.fix("look for a package that installs to /usr, or move it in a recipe"),
        _ => finding,
    }
}
