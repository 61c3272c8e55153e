//! Choosing packages in a tab: the base of a system and the indexes of its repositories, from the catalog beside the page.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};

use sysext::catalog::{CatalogFile, package_path};
use sysext::resolve::index::Parts;
use sysext::resolve::{PackageId, Problem};
use sysext::rpm::repodata::Checksum;
use sysext::{CatalogSystem, Repositories, Repository, Selection};
use web_sys::File;
use yew::Callback;

use super::PROGRESS_EVERY;
use super::fetch::{Failed, Wanted};
use super::plan::base;
use super::source::Source;
use crate::agent::Answer;
use crate::protocol::{
    Choosing, ChosenPackage, FoundPackage, Missing, Obstacle, Response, WantedPackage,
};

/// Packages that are shown of those that are found.
const SHOWN: usize = 50;
/// What is chosen from, and what waits to be done: one after the other, in the order in which it was asked for.
#[derive(Default)]
pub(super) struct Chooser {
    open: RefCell<Option<Open>>,
    line: RefCell<VecDeque<Choosing>>,
    busy: Cell<bool>,
}

/// The packages of a system.
struct Open {
    system: CatalogSystem,
    folder: String,
    repositories: Repositories,
    /// Names of packages of the base.
    names: BTreeSet<String>,
}

impl Chooser {
    /// Does what is asked for, after what was asked for before.
    pub(super) async fn respond(&self, request: Choosing, answer: &Callback<Answer>) {
        self.line.borrow_mut().push_back(request);
        if self.busy.replace(true) {
            return;
        }
        loop {
            let Some(request) = self.line.borrow_mut().pop_front() else { break };
            if self.is_void(&request) {
                continue;
            }
            answer.emit(self.one(request, answer).await);
        }
        self.busy.set(false);
    }

    /// Whether something later of the same kind waits.
    fn is_void(&self, request: &Choosing) -> bool {
        let kind = std::mem::discriminant(request);
        self.line.borrow().iter().any(|later| std::mem::discriminant(later) == kind)
    }

    async fn one(&self, request: Choosing, answer: &Callback<Answer>) -> Answer {
        match request {
            Choosing::Open { folder, system } => {
                self.open.take();
                match Open::new(folder, system, answer).await {
                    Ok((open, base)) => {
                        self.open.replace(Some(open));
                        (Response::Opened(Ok(())), Some(base))
                    }
                    Err(error) => (Response::Opened(Err(error)), None),
                }
            }
            Choosing::Search { serial, words } => {
                let open = self.open.borrow();
                let (found, all) =
                    open.as_ref().map(|open| open.search(&words)).unwrap_or_default();
                (Response::Found { serial, found, all }, None)
            }
            Choosing::Choose { serial, specs, weak } => {
                // Nobody else asks for it meanwhile.
                let open = self.open.take();
                let Some(mut open) = open else {
                    let chosen = Err(vec![Obstacle::plain("no system is chosen".to_owned())]);
                    return (Response::Chosen { serial, chosen }, None);
                };
                let chosen = open.choose(specs, weak).await;
                self.open.replace(Some(open));
                (Response::Chosen { serial, chosen }, None)
            }
        }
    }
}

impl Open {
    /// Fetches all that choosing for a system needs. Gives the base pack as a file, too.
    async fn new(
        folder: String,
        system: CatalogSystem,
        answer: &Callback<Answer>,
    ) -> Result<(Self, File), String> {
        let url = |file: &CatalogFile| format!("{folder}{}", file.name);
        let mut parts = Vec::new();
        for repository in &system.repositories {
            let (url, size) = (url(&repository.index), repository.index.size);
            let head = Wanted { url: &url, size }.range(0..Parts::HEAD as u64, |_| {}).await?;
            let read = Parts::read(&head).map_err(|error| format!("{}: {error}", repository.name));
            parts.push((url, size, read?.packages));
        }
        let total = system.base.size + parts.iter().map(|(.., range)| range.end).sum::<u64>();
        let mut progress = Telling::new(answer, total);

        let pack_url = url(&system.base);
        let pack = Wanted { url: &pack_url, size: system.base.size };
        let file = pack.file(&system.base.name, |came| progress.tell(came)).await?;
        progress.add(system.base.size);
        let base = base(&file).await?;
        let names = base.packages().map(|nevra| nevra.name().to_owned()).collect();
        let repositories = system.repositories.iter().map(|described| Repository {
            priority: described.priority,
            ..Repository::new(&described.name)
        });
        let mut repositories = Repositories::new(system.arch.rpm(), repositories.collect(), base);
        for (at, (url, size, range)) in parts.into_iter().enumerate() {
            let length = range.end;
            let index = Wanted { url: &url, size };
            let index = index.range(range, |came| progress.tell(came.min(length))).await?;
            progress.add(length);
            repositories.provide_index(at, &index).map_err(text)?;
        }
        repositories.read_origins().map_err(text)?;
        repositories.index();
        Ok((Self { system, folder, repositories, names }, file))
    }

    /// Packages that fit words, the best first, and how many there are.
    fn search(&self, words: &str) -> (Vec<FoundPackage>, usize) {
        let found = self.repositories.search(words);
        let shown = found.iter().take(SHOWN).map(|id| {
            let pool = self.repositories.pool();
            let (name, arch) = (pool.package_name(*id), pool.package_arch(*id));
            let is_usual = arch == "noarch" || arch == self.system.arch.rpm();
            FoundPackage {
                spec: if is_usual { name.to_owned() } else { format!("{name}.{arch}") },
                name: name.to_owned(),
                evr: pool.package_evr(*id).to_owned(),
                arch: arch.to_owned(),
                summary: self.repositories.summary(*id).unwrap_or_default().to_owned(),
                is_there: self.names.contains(name),
            }
        });
        (shown.collect(), found.len())
    }

    /// The packages that must come along, those that were asked for first; or what stands in the way.
    async fn choose(
        &mut self,
        specs: Vec<String>,
        weak: bool,
    ) -> Result<Vec<ChosenPackage>, Vec<Obstacle>> {
        let selection =
            Selection { specs, weak, best: true, multilib: true, ..Selection::default() };
        self.read_paths(&selection).await.map_err(|error| vec![Obstacle::plain(error)])?;
        let solution = self.repositories.resolve(&selection);
        let solution = solution
            .map_err(|problems| problems.into_iter().map(Obstacle::of).collect::<Vec<_>>())?;
        let asked = self.repositories.asked(&selection, &solution);
        let reasons = self.repositories.reasons(&selection, &solution);
        let packages = solution.packages.iter().zip(reasons);
        let mut chosen: Vec<ChosenPackage> =
            packages.filter_map(|(id, why)| self.package(*id, why, asked.contains(id))).collect();
        chosen.sort_by(|a, b| (!a.asked, &a.name, &a.arch).cmp(&(!b.asked, &b.name, &b.arch)));
        Ok(chosen)
    }

    /// Reads who has paths that are needed, as parts of the indexes.
    async fn read_paths(&mut self, selection: &Selection) -> Result<(), String> {
        loop {
            let wanted = self.repositories.wanted_for_paths(selection);
            if wanted.is_empty() {
                return Ok(());
            }
            let mut files = Vec::new();
            for wanted in wanted {
                let index = &self.system.repositories[wanted.repository].index;
                let range = wanted.range.clone().ok_or("only indexes are read here")?;
                let url = format!("{}{}", self.folder, index.name);
                let bytes = Wanted { url: &url, size: index.size }.range(range, |_| {}).await?;
                files.push((wanted, bytes));
            }
            self.repositories.provide_index_paths(selection, &files).map_err(text)?;
        }
    }

    fn package(&self, id: PackageId, why: String, asked: bool) -> Option<ChosenPackage> {
        let pool = self.repositories.pool();
        let origin = self.repositories.origin(id)?;
        Some(ChosenPackage {
            name: pool.package_name(id).to_owned(),
            evr: pool.package_evr(id).to_owned(),
            arch: pool.package_arch(id).to_owned(),
            installed: origin.installed_size,
            why,
            asked,
            file: WantedPackage {
                nevra: pool.nevra(id),
                url: format!("{}{}", self.folder, package_path(&origin.checksum)),
                size: origin.size,
                algorithm: origin.checksum.algorithm,
                digest: origin.checksum.hex,
            },
        })
    }
}

impl Obstacle {
    fn plain(what: String) -> Self {
        Self { what, because: Vec::new(), help: Vec::new() }
    }

    fn of(problem: Problem) -> Self {
        let said = problem.to_string();
        let what = said.lines().next().unwrap_or_default().to_owned();
        match problem {
            Problem::NoMatch { .. } => Self::plain(what),
            Problem::Contradiction { because, help, .. } => Self { what, because, help },
        }
    }
}

/// Fetches packages, each of which is answered by itself, and held against its digest. Gives those that did not come.
pub(super) async fn bring(packages: Vec<WantedPackage>, answer: &Callback<Answer>) -> Vec<Missing> {
    let mut progress = Telling::new(answer, packages.iter().map(|package| package.size).sum());
    let mut missing = Vec::new();
    for package in packages {
        match one(&package, &mut progress).await {
            Ok(file) => answer.emit((Response::Brought, Some(file))),
            Err(failed) => missing.push(Missing {
                nevra: package.nevra,
                is_elsewhere: matches!(failed, Failed::NotFound),
                why: failed.into(),
            }),
        }
        progress.add(package.size);
    }
    missing
}

async fn one(package: &WantedPackage, progress: &mut Telling<'_>) -> Result<File, Failed> {
    let wanted = Wanted { url: &package.url, size: package.size };
    let name = format!("{}.rpm", package.nevra);
    let file = wanted.file(&name, |came| progress.tell(came)).await?;
    let checksum = Checksum { algorithm: package.algorithm.clone(), hex: package.digest.clone() };
    let source = Source::open(&file).await.map_err(Failed::Other)?;
    match checksum.matches(source) {
        Ok(true) => Ok(file),
        Ok(false) => {
            Err(Failed::Other(format!("its {} is not what the index says", package.algorithm)))
        }
        Err(error) => Err(Failed::Other(error.to_string())),
    }
}

/// Tells how far a download is, now and then.
struct Telling<'a> {
    answer: &'a Callback<Answer>,
    before: u64,
    total: u64,
    told: f64,
}

impl<'a> Telling<'a> {
    fn new(answer: &'a Callback<Answer>, total: u64) -> Self {
        Self { answer, before: 0, total, told: 0.0 }
    }

    /// So many bytes of the file at hand are here.
    fn tell(&mut self, came: u64) {
        let now = js_sys::Date::now();
        if now - self.told >= PROGRESS_EVERY {
            self.told = now;
            let (done, total) = (self.before + came, self.total);
            self.answer.emit((Response::Fetching { done, total }, None));
        }
    }

    /// A file is done.
    fn add(&mut self, size: u64) {
        self.before += size;
    }
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
fn text(error: sysext::Error) -> String {
    error.to_string()
}
