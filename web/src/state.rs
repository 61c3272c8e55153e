//! What the page knows, and how actions change it.

use std::collections::BTreeSet;
use std::rc::Rc;

use sysext::extension::EtcPolicy;
use sysext::{
    Arch, Extension, Finding, Profile, Progress, Recipe, Report, Severity, Target, check_name,
};
use web_sys::File;
use yew::Reducible;

use crate::protocol::{Key, PackageInfo, PlanInfo};
use crate::tree::{FileTree, Index};

/// All that the page shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) packages: Vec<Package>,
    pub(crate) tree: Rc<FileTree>,
    /// The system that it is for, if one was chosen.
    pub(crate) system: Option<Rc<System>>,
    /// The name that was typed, or `None` for that of the first package.
    pub(crate) typed_name: Option<String>,
    pub(crate) release: String,
    pub(crate) typed_arch: Option<Arch>,
    pub(crate) any_release: bool,
    /// Units that are started when the extension is merged.
    pub(crate) services: BTreeSet<String>,
    pub(crate) etc: EtcPolicy,
    pub(crate) profile: Profile,
    pub(crate) plan: Option<Result<PlanInfo, String>>,
    pub(crate) job: Job,
    /// The image that is looked into.
    pub(crate) image: Option<File>,
    /// A word on what was just done, for those who do not see it.
    pub(crate) said: String,
}

/// A system that an extension is for, and what it has already.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct System {
    pub(crate) title: String,
    pub(crate) release: String,
    pub(crate) arch: Arch,
    /// Its base pack.
    pub(crate) base: File,
}

/// A package on the page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Package {
    pub(crate) key: Key,
    pub(crate) file: File,
    pub(crate) info: Info,
}

/// What is known of a package.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Info {
    Reading,
    Read(Rc<PackageInfo>),
    Failed(String),
}

/// Composing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Job {
    Idle,
    Running(Option<Progress>),
    Done(Rc<Made>),
    Failed(String),
}

/// An image.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Made {
    pub(crate) report: Report,
    pub(crate) file: File,
    pub(crate) url: String,
    pub(crate) seconds: f64,
    /// How many workers compressed.
    pub(crate) workers: usize,
    pub(crate) in_memory: bool,
    pub(crate) any_release: bool,
}

/// What happens.
#[derive(Debug)]
pub(crate) enum Action {
    Added(Key, File),
    Read(Key, Result<PackageInfo, String>),
    Removed(Key),
    Cleared,
    Toggled(Index),
    Opened(Index, bool),
    Filtered(String),
    /// Is for a system, or for any of a release.
    ForSystem(Option<Rc<System>>),
    Named(String),
    Released(String),
    ForArch(Arch),
    ForAnyRelease(bool),
    ToStart(String, bool),
    Configured(EtcPolicy),
    Stored(Profile),
    Planned(Result<PlanInfo, String>),
    Started,
    Progressed(Progress),
    Composed(Made),
    Failed(String),
    Cancelled,
    LookedInto(File),
    LookedAway,
    Said(String),
}

/// Releases that can be chosen, the usual one first: `extensions/targets.toml`.
pub(crate) const RELEASES: &[&str] = include!(concat!(env!("OUT_DIR"), "/releases.rs"));

impl Default for State {
    fn default() -> Self {
        Self {
            packages: Vec::new(),
            tree: Rc::default(),
            system: None,
            typed_name: None,
            release: RELEASES.first().copied().unwrap_or_default().to_owned(),
            typed_arch: None,
            any_release: false,
            services: BTreeSet::new(),
            etc: EtcPolicy::default(),
            profile: Profile::default(),
            plan: None,
            job: Job::Idle,
            image: None,
            said: String::new(),
        }
    }
}

impl State {
    /// Packages whose headers have been read, with their keys.
    pub(crate) fn read(&self) -> impl Iterator<Item = (&Package, &Rc<PackageInfo>)> {
        self.packages.iter().filter_map(|package| match &package.info {
            Info::Read(info) => Some((package, info)),
            _ => None,
        })
    }

    /// The extension's name: typed, or the first package's.
    pub(crate) fn name(&self) -> String {
        let first = || self.read().next().map(|(_, info)| info.name.clone());
        self.typed_name.clone().or_else(first).unwrap_or_default()
    }

    /// Why the name cannot be one.
    pub(crate) fn name_error(&self) -> Option<String> {
        check_name(&self.name()).err().map(|error| error.to_string())
    }

    /// The release: the system's, or the one that was chosen.
    pub(crate) fn release(&self) -> &str {
        self.system.as_ref().map_or(&self.release, |system| &system.release)
    }

    /// The architecture: the system's, or chosen, or that of the packages.
    pub(crate) fn arch(&self) -> Arch {
        if let Some(system) = &self.system {
            return system.arch;
        }
        let of_packages = || self.read().find_map(|(_, info)| info.arch.parse().ok());
        self.typed_arch.or_else(of_packages).unwrap_or(Arch::X86_64)
    }

    /// Units of the packages that can be started, sockets first.
    pub(crate) fn units(&self) -> Vec<String> {
        let files = self.read().flat_map(|(_, info)| &info.files);
        let names = files.filter_map(|file| {
            let path = str::from_utf8(&file.path.0).ok()?;
            let name = path.strip_prefix("/usr/lib/systemd/system/")?;
            // One of a template needs a name of its own.
            (!name.contains(['/', '@'])).then(|| name.to_owned())
        });
        let names: BTreeSet<String> = names.collect();
        let of = |end: &'static str| names.iter().filter(move |name| name.ends_with(end)).cloned();
        of(".socket").chain(of(".timer")).chain(of(".path")).chain(of(".service")).collect()
    }

    /// Whether packages have files in /etc.
    pub(crate) fn has_etc(&self) -> bool {
        let mut files = self.read().flat_map(|(_, info)| &info.files);
        files.any(|file| !file.is_folder && file.path.0.starts_with(b"/etc/"))
    }

    /// The choices as a recipe.
    pub(crate) fn recipe(&self) -> Recipe {
        let units = self.units();
        Recipe {
            extension: Extension {
                any_release: self.any_release,
                services: units.into_iter().filter(|unit| self.services.contains(unit)).collect(),
                etc: self.etc,
                ..Extension::default()
            },
            exclude: self.tree.excludes(),
            profile: self.profile,
            ..Recipe::new(
                &self.name(),
                Target { release: self.release().to_owned(), arch: self.arch() },
            )
        }
    }

    /// All that a person should know so far.
    pub(crate) fn findings(&self) -> &[Finding] {
        match &self.plan {
            Some(Ok(plan)) => &plan.findings,
            _ => &[],
        }
    }

    /// Why an image cannot be made yet, if so.
    pub(crate) fn obstacle(&self) -> Option<String> {
        if self.read().next().is_none() {
            return Some("Add a package first.".to_owned());
        }
        if let Some(error) = self.name_error() {
            return Some(error);
        }
        if let Some(Err(error)) = &self.plan {
            return Some(error.clone());
        }
        if self.findings().iter().any(|finding| finding.severity == Severity::Error) {
            return Some("Resolve the errors first.".to_owned());
        }
        None
    }
}

impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut state = Rc::unwrap_or_clone(self);
        match action {
            Action::Progressed(progress) => {
                if matches!(state.job, Job::Running(_)) {
                    state.job = Job::Running(Some(progress));
                }
            }
            Action::Started => state.job = Job::Running(None),
            Action::Composed(made) => {
                state.said = format!("The image is made: {} bytes.", made.report.size);
                state.job = Job::Done(Rc::new(made));
            }
            Action::Failed(error) => state.job = Job::Failed(error),
            Action::Cancelled => {
                state.said = "Cancelled; nothing is left behind.".to_owned();
                state.job = Job::Idle;
            }
            Action::LookedInto(image) => state.image = Some(image),
            Action::LookedAway => state.image = None,
            Action::Said(said) => state.said = said,
            Action::Planned(plan) => state.plan = Some(plan),
            Action::Opened(index, open) => Rc::make_mut(&mut state.tree).set_open(index, open),
            Action::Filtered(filter) => Rc::make_mut(&mut state.tree).set_filter(&filter),
            choice => state.choose(choice),
        }
        Rc::new(state)
    }
}

impl State {
    /// Changes what the extension will be; an image that was made is then no longer it.
    fn choose(&mut self, action: Action) {
        if !matches!(self.job, Job::Running(_)) {
            self.job = Job::Idle;
        }
        match action {
            Action::Added(key, file) => {
                self.packages.push(Package { key, file, info: Info::Reading });
            }
            Action::Read(key, read) => self.set_read(key, read),
            Action::Removed(key) => {
                self.packages.retain(|package| package.key != key);
                Rc::make_mut(&mut self.tree).remove(key);
            }
            Action::Cleared => {
                self.packages.clear();
                self.tree = Rc::default();
                self.typed_name = None;
                self.typed_arch = None;
                self.services.clear();
            }
            Action::Toggled(index) => Rc::make_mut(&mut self.tree).toggle(index),
            Action::ForSystem(system) => self.system = system,
            Action::Named(name) => self.typed_name = Some(name),
            Action::Released(release) => self.release = release,
            Action::ForArch(arch) => self.typed_arch = Some(arch),
            Action::ForAnyRelease(any) => self.any_release = any,
            Action::ToStart(unit, true) => drop(self.services.insert(unit)),
            Action::ToStart(unit, false) => drop(self.services.remove(&unit)),
            Action::Configured(etc) => self.etc = etc,
            Action::Stored(profile) => self.profile = profile,
            _ => {}
        }
        if self.packages.is_empty() {
            self.plan = None;
        }
    }

    fn set_read(&mut self, key: Key, read: Result<PackageInfo, String>) {
        let known = read
            .as_ref()
            .ok()
            .is_some_and(|info| self.read().any(|(_, other)| other.nevra == info.nevra));
        let Some(package) = self.packages.iter_mut().find(|package| package.key == key) else {
            return;
        };
        package.info = match read {
            Ok(_) if known => Info::Failed("this package is on the list already".to_owned()),
            Ok(info) => {
                Rc::make_mut(&mut self.tree).add(key, &info);
                self.said = format!("{} was added.", info.nevra);
                Info::Read(Rc::new(info))
            }
            Err(error) => Info::Failed(error),
        };
    }
}
