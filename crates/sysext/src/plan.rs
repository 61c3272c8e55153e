//! From packages to the tree of an image, with everything that is worth knowing about it. Only headers are needed.

mod base;
mod conflicts;
mod entries;
mod labels;

use std::collections::BTreeMap;

use erofs::{Kind, Meta, NodeId, Time, Tree};
use rpm::Package;

use crate::base::Base;
use crate::error::Error;
use crate::finding::{Check, Finding, Severity};
use crate::recipe::Recipe;
use crate::release;
use crate::select::Selection;
use crate::users::Users;
use entries::Entries;

/// What an image will hold.
#[derive(Debug)]
pub struct Plan {
    pub(crate) recipe: Recipe,
    /// In the order in which their contents are read: by name, whatever order they came in.
    pub(crate) packages: Vec<Package>,
    pub(crate) tree: Tree<u64>,
    /// Where a file's content goes, by package and index of the file.
    pub(crate) contents: BTreeMap<(usize, usize), NodeId>,
    pub(crate) release_file: NodeId,
    findings: Vec<Finding>,
}

impl Plan {
    /// Plans the image of these packages. Everything that a person should know comes as findings; only what is no
    /// set of packages at all is an error.
    ///
    /// # Errors
    /// The recipe's name or release is not one, there is no package, or one is a source package.
    pub fn new(packages: Vec<Package>, recipe: &Recipe) -> Result<Self, Error> {
        Self::with_users(packages, recipe, &Users::default())
    }

    /// As [`Plan::new`], with what is known of the target: owners and groups get its numbers, and every path the label that
    /// its SELinux policy has for it.
    ///
    /// # Errors
    /// As [`Plan::new`], and the policy of the base is broken.
    pub fn on_base(packages: Vec<Package>, recipe: &Recipe, base: &Base) -> Result<Self, Error> {
        let users = Users::read(&base.about.passwd, &base.about.group);
        let mut plan = Self::with_users(packages, recipe, &users)?;
        base::check(&mut plan, base);
        labels::label(&mut plan.tree, base, &mut plan.findings)?;
        plan.sort_findings();
        Ok(plan)
    }

    fn with_users(packages: Vec<Package>, recipe: &Recipe, users: &Users) -> Result<Self, Error> {
        recipe.check()?;
        let mut findings = Vec::new();
        let packages = in_order(packages, &mut findings)?;
        check_packages(&packages, recipe, &mut findings);
        let epoch = epoch(&packages, recipe);
        let mut selection = Selection::new(&recipe.exclude);
        let mut entries = Entries::new(&packages, recipe, users, &mut findings);
        entries.collect(&mut selection);
        let (mut tree, contents) = entries.into_tree(epoch);
        for exclude in selection.unused() {
            let message = format!("`{exclude}` matches no file of the packages");
            findings.push(Finding::new(Severity::Warning, Check::Exclude, message));
        }
        if tree.is_empty() {
            let message = "no file of the packages is left to put into the image";
            findings.push(Finding::new(Severity::Warning, Check::Empty, message));
        }
        let release_file = add_release_file(&mut tree, recipe, epoch, &mut findings)?;
        let recipe = recipe.clone();
        let mut plan = Self { recipe, packages, tree, contents, release_file, findings };
        plan.sort_findings();
        Ok(plan)
    }

    fn sort_findings(&mut self) {
        self.findings.sort_by(|a, b| {
            (a.severity, a.check, &a.package, &a.path)
                .cmp(&(b.severity, b.check, &b.package, &b.path))
        });
    }

    /// All that a person should know, the gravest first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether a finding forbids to make the image.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The packages, in the order in which [`crate::Step::Package`] counts them.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The tree of the image.
    pub fn tree(&self) -> &Tree<u64> {
        &self.tree
    }

    /// The name that the image is published under.
    pub fn file_name(&self) -> String {
        release::file_name(&self.recipe, &self.packages)
    }

    /// Entries of the image that are not folders.
    pub fn files(&self) -> usize {
        let is_folder = |id| matches!(self.tree.node(id).kind, Kind::Directory(_));
        self.tree.ids().filter(|id| !is_folder(*id)).count()
    }

    /// Bytes of all files of the image.
    pub fn content_size(&self) -> u64 {
        let size = |id| match self.tree.node(id).kind {
            Kind::File(size) => size,
            _ => 0,
        };
        self.tree.ids().map(size).fold(0, u64::saturating_add)
    }
}

/// The packages by name, each once.
fn in_order(
    mut packages: Vec<Package>,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Package>, Error> {
    if packages.is_empty() {
        return Err(Error::NoPackages);
    }
    if let Some(source) = packages.iter().find(|package| package.is_source) {
        return Err(Error::SourcePackage(source.nevra()));
    }
    packages.sort_by_cached_key(|package| (package.nevra(), package.header_sha256));
    packages.dedup_by(|next, first| {
        let same = next.header_sha256 == first.header_sha256;
        if same {
            let message = format!("{} was given more than once", first.nevra());
            findings.push(
                Finding::new(Severity::Info, Check::Duplicate, message).package(first.nevra()),
            );
        }
        same
    });
    Ok(packages)
}

/// What is to be said of packages as a whole.
fn check_packages(packages: &[Package], recipe: &Recipe, findings: &mut Vec<Finding>) {
    for package in packages {
        let nevra = package.nevra();
        if !recipe.target.arch.runs(&package.arch) {
            let message = format!(
                "{nevra} is for {}, the extension for {}",
                package.arch,
                recipe.target.arch.rpm()
            );
            let finding = Finding::new(Severity::Warning, Check::Architecture, message);
            findings.push(
                finding.package(&nevra).fix("choose the package for the extension's architecture"),
            );
        }
        if !package.scriptlets.is_empty() {
            let list: Vec<String> = package.scriptlets.iter().map(describe_scriptlet).collect();
            let message = format!("rpm would run {}", list.join("; "));
            let finding = Finding::new(Severity::Warning, Check::Scriptlets, message);
            findings.push(
                finding.package(nevra).fix("do by hand what the scripts do, where it is needed"),
            );
        }
    }
}

/// Name, interpreter and first line of a script.
fn describe_scriptlet(scriptlet: &rpm::Scriptlet) -> String {
    let line = scriptlet
        .body
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'));
    let more = scriptlet.body.lines().filter(|line| !line.trim().is_empty()).count() > 1;
    let line = line.unwrap_or_default();
    let short: String = line.chars().take(60).collect();
    let dots = if more || short.len() < line.len() { " ..." } else { "" };
    match short.as_str() {
        "" => format!("{} ({})", scriptlet.name, scriptlet.interpreter),
        _ => format!("{} ({}): {short}{dots}", scriptlet.name, scriptlet.interpreter),
    }
}

/// The time of all that is not from a package: the recipe's, or when the youngest package was built.
fn epoch(packages: &[Package], recipe: &Recipe) -> Time {
    let youngest = packages.iter().map(|package| package.build_time).max().unwrap_or_default();
    let seconds =
        recipe.source_date_epoch.unwrap_or_else(|| youngest.try_into().unwrap_or_default());
    Time { seconds, nanoseconds: 0 }
}

fn add_release_file(
    tree: &mut Tree<u64>,
    recipe: &Recipe,
    epoch: Time,
    findings: &mut Vec<Finding>,
) -> Result<NodeId, Error> {
    let path = release::path(&recipe.name);
    let size = release::content(recipe).len() as u64;
    let meta = |mode| Meta { mtime: epoch, ..Meta::new(mode) };
    let mut folder = tree.root();
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    for part in parts {
        folder = match tree.child(folder, part.as_bytes()) {
            Some(known) => known,
            None => match tree.directory(folder, part.as_bytes(), meta(0o755)) {
                Ok(folder) => folder,
                // A package has made a file of it.
                Err(_) => break,
            },
        };
    }
    match tree.file(folder, name.as_bytes(), meta(0o644), size) {
        Ok(file) => Ok(file),
        Err(error) => {
            let message = format!("the release file {path} has no place: {error}");
            findings.push(Finding::new(Severity::Error, Check::TypeConflict, message));
            Ok(tree.root())
        }
    }
}
