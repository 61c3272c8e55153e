//! The entries of an image by their path: collected from the packages, changed by steps, made into a tree.

use std::collections::{BTreeMap, BTreeSet};

use rpm::{File, FileFlags, Package};

use super::conflicts;
use crate::checks;
use crate::finding::{Check, Finding, Severity};
use crate::layout;
use crate::recipe::Recipe;
use crate::select::Selection;

/// Where a file is from: package and index of the file.
pub(crate) type Origin = (usize, usize);

/// An entry, and what differs from what its package says of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    /// The file of a package that it is from.
    pub(crate) origin: Option<Origin>,
    pub(super) what: What,
    pub(crate) mode: Option<u16>,
    pub(super) user: Option<String>,
    pub(super) group: Option<String>,
    pub(super) capabilities: Option<String>,
}

/// What an entry is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum What {
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
}

/// All entries, by their paths without the slash in front. Folders that nobody lists are not among them.
pub(crate) struct Entries<'a> {
    pub(super) packages: &'a [Package],
    pub(super) recipe: &'a Recipe,
    pub(crate) entries: BTreeMap<Vec<u8>, Entry>,
    pub(crate) findings: &'a mut Vec<Finding>,
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

    fn report(
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
    pub(crate) fn named(&self, finding: Finding, path: &[u8], entry: &Entry) -> Finding {
        match entry.origin {
            Some(origin) => {
                let (package, file) = self.file(origin);
                finding.package(package.nevra()).path(&file.path)
            }
            None => finding.path(&[b"/", path].concat()),
        }
    }

    pub(super) fn is_directory(&self, entry: &Entry) -> bool {
        match (&entry.what, entry.origin) {
            (What::Packaged, Some(origin)) => self.file(origin).1.is_directory(),
            (What::Packaged, None) | (What::Directory, _) => true,
            (What::File(_) | What::Symlink(_), _) => false,
        }
    }

    pub(crate) fn is_file(&self, entry: &Entry) -> bool {
        match (&entry.what, entry.origin) {
            (What::Packaged, Some(origin)) => self.file(origin).1.is_file(),
            (what, _) => matches!(what, What::File(_)),
        }
    }

    pub(crate) fn file(&self, (package, file): Origin) -> (&'a Package, &'a File) {
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

/// A path for a message.
pub(super) fn display(path: &[u8]) -> String {
    format!("/{}", String::from_utf8_lossy(path))
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
