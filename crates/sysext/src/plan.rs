//! From packages to the tree of an image, with everything that is worth knowing about it. Only headers are needed.

mod base;
mod conflicts;
mod entries;
mod folders;
pub(crate) mod known;
mod labels;
mod marks;
mod opt;
mod places;
mod scriptlets;
mod steps;
pub(crate) mod system;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use erofs::{Kind, NodeId, Time, Tree};
use fast_glob::glob_match;
use rpm::Package;

use crate::base::Base;
use crate::checks::{self, Image};
use crate::error::Error;
use crate::extension::Allow;
use crate::finding::{Check, Finding, Severity};
use crate::layout;
use crate::recipe::Recipe;
use crate::release;
use crate::select::Selection;
use crate::users::Users;
use entries::{Entries, Entry, What};
pub(crate) use known::Known;
use places::Places;
pub(crate) use tree::ByNode;
use tree::Grown;

pub use known::{BesideFile, Contents, Held};

/// What an image will hold.
#[derive(Debug)]
pub struct Plan {
    pub(crate) recipe: Recipe,
    /// In the order in which their contents are read: by name, whatever order they came in.
    pub(crate) packages: Vec<Package>,
    pub(crate) tree: Tree<u64>,
    /// Where a file's content goes.
    pub(crate) contents: Places,
    /// Content that no package has.
    pub(crate) texts: Vec<(NodeId, Vec<u8>)>,
    findings: Vec<Finding>,
    wanted: BTreeSet<(usize, usize)>,
    /// Whether content that must be changed is not known.
    pub(crate) incomplete: bool,
}

impl Plan {
    /// How often hosts bring contents that a plan asks for and plan again, so that all hosts make the same image. What steps
    /// write is known to them without.
    pub const ROUNDS: usize = 4;

    /// Plans the image of these packages. Everything that a person should know comes as findings; only what is no
    /// set of packages at all is an error.
    ///
    /// # Errors
    /// The recipe's name or release is not one, there is nothing to put into the image, or a package is a source package.
    pub fn new(packages: Vec<Package>, recipe: &Recipe) -> Result<Self, Error> {
        Self::of(packages, recipe, None, &Contents::default())
    }

    /// As [`Plan::new`], with what is known of the target: owners and groups get its numbers, and every path the label that its
    /// SELinux policy has for it; and with contents of files that are known: [`Plan::wanted`] says which ones would help.
    ///
    /// # Errors
    /// As [`Plan::new`], and the policy of the base is broken.
    pub fn of(
        packages: Vec<Package>,
        recipe: &Recipe,
        base: Option<&Base>,
        contents: &Contents,
    ) -> Result<Self, Error> {
        let (mut plan, modules) = Self::unlabelled(packages, recipe, base, contents)?;
        if let Some(base) = base {
            labels::label(&mut plan.tree, base, &modules, &mut plan.findings)?;
        }
        plan.finish();
        Ok(plan)
    }

    /// All but the labels, and the policy modules that packages bring.
    fn unlabelled(
        packages: Vec<Package>,
        recipe: &Recipe,
        base: Option<&Base>,
        contents: &Contents,
    ) -> Result<(Self, Modules), Error> {
        recipe.check()?;
        let mut findings = Vec::new();
        let packages = in_order(packages, recipe, &mut findings)?;
        check_packages(&packages, recipe, &mut findings);
        let epoch = epoch(&packages, recipe);
        let mut known = Known::new(&packages, contents);
        let mut selection = Selection::new(&recipe.exclude);
        let mut entries = Entries::new(&packages, recipe, &mut findings);
        let same = base::same(&packages, base);
        entries.collect(&mut selection, &same);
        scriptlets::check(&mut entries);
        steps::take(&mut entries, &mut known);
        opt::relocate(&mut entries, &mut known);
        let placed = entries.place();
        marks::mend(&mut entries);
        let reloads = system::add(&mut entries, &placed);
        add_release_file(&mut entries, reloads);
        let base_files = base.and_then(|base| base.files_on(&recipe.target.release));
        if let Some(files) = &base_files {
            base::leave_out_same(&mut entries, files);
            folders::keep(&mut entries, files);
        }
        let users = base.map(|base| Users::read(&base.about.passwd, &base.about.group));
        let grown = tree::grow(&mut entries, &users.unwrap_or_default(), epoch);
        let by_node = ByNode::new(&grown.contents, &grown.texts);
        findings.extend(checks::run(Image {
            recipe,
            base,
            base_files: base_files.as_ref(),
            packages: &packages,
            tree: &grown.tree,
            paths: grown.tree.paths().collect(),
            by_node: &by_node,
            known: &mut known,
            findings: Vec::new(),
        }));
        let modules = modules(&grown.tree, &by_node, &mut known);
        let Grown { tree, contents, texts } = grown;
        for exclude in selection.unused() {
            let message = format!("`{exclude}` matches no file of the packages");
            findings.push(Finding::new(Severity::Warning, Check::Exclude, message));
        }
        let (wanted, incomplete) = (known.wanted, known.incomplete);
        let recipe = recipe.clone();
        let mut plan =
            Self { recipe, packages, tree, contents, texts, findings, wanted, incomplete };
        plan.check_whole();
        if let Some(base) = base {
            base::check(&mut plan, base, base_files.as_ref());
        }
        Ok((plan, modules))
    }

    /// Files of packages whose contents would make the plan better, by the packages' indexes. [`Contents::read`] takes them;
    /// then the plan is to be made again. Without those that steps change there is no image.
    pub fn wanted(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut wanted = BTreeMap::<usize, Vec<usize>>::new();
        for (package, file) in &self.wanted {
            wanted.entry(*package).or_default().push(*file);
        }
        wanted
    }

    /// What is to be said of an image as a whole.
    fn check_whole(&mut self) {
        // The release file is always there.
        if self.files() <= 1 {
            let message = "no file of the packages is left to put into the image";
            self.findings.push(Finding::new(Severity::Warning, Check::Empty, message));
        }
        let Recipe { extension, target, .. } = &self.recipe;
        for required in &extension.required {
            let path = layout::merged(required.as_bytes(), false, &target.release);
            let place = path.and_then(|path| layout::within(&path, extension));
            if place.is_none_or(|place| self.tree.find(&place).is_none()) {
                let message =
                    format!("the recipe requires {required}, which the image does not have");
                let finding = Finding::new(Severity::Error, Check::Required, message);
                self.findings.push(finding.path(required.as_bytes()));
            }
        }
    }

    /// Holds findings against what the recipe allows and denies, and sorts them.
    fn finish(&mut self) {
        let extension = &self.recipe.extension;
        for finding in &mut self.findings {
            let is_meant = |allow: &&Allow| {
                let path = finding.path.as_deref().unwrap_or_default();
                let fits = |pattern: &String| glob_match(pattern, path);
                allow.check == finding.check && allow.path.as_ref().is_none_or(fits)
            };
            if finding.check.is_final() {
                continue;
            }
            if let Some(allow) = extension.allowed.iter().find(is_meant) {
                finding.severity = Severity::Info;
                finding.fix = Some(format!("the recipe says that it is fine: {}", allow.reason));
            } else if extension.deny.contains(&finding.check) {
                finding.severity = Severity::Error;
            }
        }
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

    /// The packages, to plan anew.
    pub fn into_packages(self) -> Vec<Package> {
        self.packages
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
    recipe: &Recipe,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Package>, Error> {
    if packages.is_empty() && recipe.extension.steps.is_empty() {
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
    }
}

/// The time of all that is not from a package: the recipe's, or when the youngest package was built.
fn epoch(packages: &[Package], recipe: &Recipe) -> Time {
    let youngest = packages.iter().map(|package| package.build_time).max().unwrap_or_default();
    let seconds =
        recipe.source_date_epoch.unwrap_or_else(|| youngest.try_into().unwrap_or_default());
    Time { seconds, nanoseconds: 0 }
}

/// The release file, whose place nothing else can have.
fn add_release_file(entries: &mut Entries<'_>, reloads: bool) {
    let recipe = entries.recipe;
    let path = release::path(recipe).into_bytes();
    let text = release::content(recipe, reloads).into_bytes();
    entries.entries.insert(path, Entry::new(What::File(text), 0o644));
}

/// Modules of the policy by their paths, and what is in them.
type Modules = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Modules of the policy that the image has; nothing in place of what nobody has looked into yet.
fn modules(tree: &Tree<u64>, by_node: &ByNode<'_>, known: &mut Known<'_>) -> Modules {
    let modules = tree.paths().filter(|(path, _)| labels::is_module(path));
    modules.map(|(path, node)| (path, by_node.content(node, known).map(<[u8]>::to_vec))).collect()
}
