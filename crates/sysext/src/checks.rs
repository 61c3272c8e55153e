//! What breaks extensions on running systems: one file per check, each with its reasons and its tests.
//!
//! A check looks at the image as it will be, on the base that it is for, and adds findings. What must be decided while entries
//! are collected and placed is found there (`plan/`), and told here as well.

mod about;
mod dangling;
mod dbus;
mod deps;
mod desktop;
mod elf;
mod etc_config;
mod gschema;
mod initrd;
mod kmod;
mod level;
mod lib_dir;
mod mutable_host;
mod nss;
mod polkit;
mod preset;
mod privileges;
mod reproducible;
mod service;
mod singleton;
mod size;
mod soname;
mod stack_depth;
mod sysusers;
#[cfg(test)]
pub(crate) mod testing;
mod type_conflict;
mod udev;
mod update_trust;
mod user_units;

use std::collections::BTreeMap;

use erofs::{Kind, NodeId, Tree};
use rpm::Package;

use crate::base::{Base, BaseFile, BaseFiles, Nevra};
use crate::extension::{Class, Task};
use crate::finding::{Check, Finding, Severity};
use crate::layout;
use crate::path::{self, display};
use crate::plan::{ByNode, Known};
use crate::recipe::Recipe;

pub use about::About;
pub(crate) use elf::{Elf, read as read_elf};
pub use reproducible::reproducible;
pub(crate) use singleton::is_dropped;

/// Links that the kernel follows on the way to a file (`MAXSYMLINKS`).
const LINKS: usize = 40;

/// An image that is planned, and what is known around it.
pub(crate) struct Image<'a, 'k> {
    pub(crate) recipe: &'a Recipe,
    pub(crate) base: Option<&'a Base>,
    pub(crate) packages: &'a [Package],
    pub(crate) tree: &'a Tree<u64>,
    pub(crate) paths: BTreeMap<Vec<u8>, NodeId>,
    pub(crate) by_node: &'a ByNode<'a>,
    pub(crate) known: &'a mut Known<'k>,
    /// What the base's packages have, by paths as they are on the system, if that is known.
    pub(crate) base_files: Option<&'a BaseFiles<'a>>,
    pub(crate) findings: Vec<Finding>,
}

/// Runs all checks of an image.
pub(crate) fn run(mut image: Image<'_, '_>) -> Vec<Finding> {
    let checks = [
        dangling::check,
        dbus::check,
        deps::check,
        desktop::check,
        etc_config::check,
        gschema::check,
        initrd::check,
        kmod::check,
        level::check,
        lib_dir::check,
        mutable_host::check,
        nss::check,
        polkit::check,
        preset::check,
        privileges::check,
        service::check,
        size::check,
        soname::check,
        stack_depth::check,
        sysusers::check,
        type_conflict::check,
        udev::check,
        update_trust::check,
        user_units::check,
    ];
    for check in checks {
        check(&mut image);
    }
    image.findings
}

impl<'a> Image<'a, '_> {
    /// Adds a finding about a path of the image; without it, about the image as a whole.
    fn add(
        &mut self,
        severity: Severity,
        check: Check,
        path: Option<&[u8]>,
        message: String,
        fix: &str,
    ) {
        let mut finding = Finding::new(severity, check, message);
        if !fix.is_empty() {
            finding = finding.fix(fix);
        }
        if let Some(path) = path {
            let origin = self.paths.get(path).and_then(|node| self.by_node.origin(*node));
            if let Some(package) = origin.and_then(|(package, _)| self.packages.get(package)) {
                finding = finding.package(package.nevra());
            }
            finding = finding.path(&[b"/", path].concat());
        }
        self.findings.push(finding);
    }

    /// Paths below a folder that are no folders and end so, all if there are no ends.
    fn below(&self, folder: &str, ends: &[&str]) -> Vec<Vec<u8>> {
        let start = format!("{}/", folder.trim_end_matches('/')).into_bytes();
        let below = self.paths.range(start.clone()..);
        let below = below.take_while(|(path, _)| path.starts_with(&start));
        below
            .filter(|(_, node)| !matches!(self.tree.node(**node).kind, Kind::Directory(_)))
            .filter(|(path, _)| {
                ends.is_empty() || ends.iter().any(|end| path.ends_with(end.as_bytes()))
            })
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// Units of the system manager that the image has, by their names.
    fn units(&self) -> BTreeMap<String, Vec<u8>> {
        let ends = [".service", ".socket", ".timer", ".path", ".mount", ".target"];
        let mut units = BTreeMap::new();
        for class in [Class::Sysext, Class::Confext] {
            let folder = class.units();
            for path in self.below(folder, &ends) {
                let name = String::from_utf8_lossy(&path[folder.len() + 1..]).into_owned();
                if !name.contains('/') {
                    units.insert(name, path);
                }
            }
        }
        units
    }

    /// What is in a file of the image, as text; if nobody has looked yet, the host is asked to.
    fn text(&mut self, path: &[u8]) -> Option<String> {
        let node = *self.paths.get(path)?;
        if !matches!(self.tree.node(node).kind, Kind::File(_)) {
            return None;
        }
        let bytes = self.by_node.content(node, self.known)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// What a program or library of the image says of itself, if it is one.
    fn elf(&mut self, path: &[u8]) -> Option<Elf> {
        let node = *self.paths.get(path)?;
        match self.by_node.text(node) {
            Some(text) => elf::read(text),
            None => self.known.elf(self.by_node.origin(node)?),
        }
    }

    /// Whether the image or the base has an absolute path, and if it is a link, what that leads to. Without the files of a
    /// base nobody knows, and then it does.
    fn exists(&self, path: &[u8]) -> bool {
        let mut path = path.to_vec();
        for followed in 0..LINKS {
            let merged = layout::merged(&path, false, &self.recipe.target.release);
            let Some(merged) = merged else { return false };
            let Some(base) = self.base_files else { return true };
            if followed > 0 && dangling::comes_later(&merged) {
                return true;
            }
            let Some((link, target)) = self.link_on(&merged) else {
                return merged.is_empty()
                    || self.paths.contains_key(&merged)
                    || base.contains_key(&merged)
                    || self.is_folder_of_base(&merged);
            };
            let Some(to) = dangling::resolve(link, target) else { return true };
            path = [b"/", to.as_slice(), &merged[link.len()..]].concat();
        }
        false
    }

    /// The first link on the way to a path, the path included, and its target.
    fn link_on<'p>(&self, path: &'p [u8]) -> Option<(&'p [u8], &[u8])> {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        ends.chain([path.len()]).find_map(|end| {
            let above = &path[..end];
            if let Some(node) = self.paths.get(above) {
                return match &self.tree.node(*node).kind {
                    Kind::Symlink(target) => Some((above, &**target)),
                    _ => None,
                };
            }
            let file = self.base_files?.get(above)?;
            file.is_link().then_some((above, file.target))
        })
    }

    /// Whether the base has a folder at a path.
    fn is_folder_of_base(&self, path: &[u8]) -> bool {
        let Some(base) = self.base_files else { return false };
        let below = [path, b"/"].concat();
        let next = base.range(below.clone()..).next();
        base.get(path).is_some_and(BaseFile::is_folder)
            || next.is_some_and(|(next, _)| next.starts_with(&below))
    }

    /// How much it matters that something must be done after the merge, and who does it.
    fn who_does(&self, task: Task) -> (Severity, &'static str) {
        match self.recipe.extension.setup.without.contains(&task) {
            true => (Severity::Warning, "nobody"),
            false => (Severity::Info, "the set-up unit"),
        }
    }

    /// A package of the base by its name.
    fn base_package(&self, name: &str) -> Option<&'a Nevra> {
        self.base?.packages().find(|package| package.name() == name)
    }
}

/// The values of a key in a file of systemd's form, in all sections.
fn values<'t>(text: &'t str, key: &'t str) -> impl Iterator<Item = &'t str> {
    text.lines().filter_map(move |line| {
        let (found, value) = line.trim().split_once('=')?;
        (found.trim_end() == key).then(|| value.trim())
    })
}

/// The last parts of paths, as text.
fn names(paths: &[Vec<u8>]) -> Vec<String> {
    paths.iter().map(|path| path::name(path)).collect()
}

/// Paths, for a message.
fn displays(paths: &[Vec<u8>]) -> Vec<String> {
    paths.iter().map(|path| display(path)).collect()
}

/// A few of many, for a message.
fn some(items: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = items.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match items.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
