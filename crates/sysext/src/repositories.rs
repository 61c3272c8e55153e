//! Repositories and the base of a target: from their files to the packages that can be chosen.
//!
//! [`Repositories`] says which files it wants ([`Repositories::wanted`]), a host fetches them from wherever it can and
//! hands them over ([`Repositories::provide`]), until there is nothing more to want.

mod known;
mod paths;
mod request;
mod search;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use resolve::index::{BadIndex, Index, Origin, Origins, Parts, PathTable};
use resolve::{Need, PackageId, Pool, Problem, Repo, RepoId, Solution, solve};
use rpm::repodata::{Comps, Modules, Primary, RepoConfig, Repomd, open};

pub(crate) use known::known_names;
pub use known::known_repositories;
pub use wanted::Wanted;
use wanted::What;

use crate::base::Base;
use crate::error::Error;
use crate::groups;

/// A repository, and what is taken from it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Repository {
    /// Name for messages.
    pub name: String,
    /// Lower numbers are preferred; dnf's default is 99.
    pub priority: i32,
    /// Packages that are not taken from it, in the words of [`resolve::Spec`].
    pub exclude: Vec<String>,
    /// The only ones that are; all, if there are none.
    pub include: Vec<String>,
    /// Whether packages count that the default streams of modules hide.
    pub module_hotfixes: bool,
}

/// What a person wants of repositories.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Names of packages and groups; see [`resolve::Spec`]. `@ID` is a group.
    pub specs: Vec<String>,
    /// Packages that must not come along, in the same words.
    pub exclude: Vec<String>,
    /// Names of packages of the base that are taken for absent.
    pub absent: Vec<String>,
    /// Whether recommended packages come along.
    pub weak: bool,
    /// Whether only the newest version of what was asked for will do.
    pub best: bool,
    /// Whether packages of one name may be there for 32 and for 64 bits.
    pub multilib: bool,
}

/// The packages of several repositories on top of a base.
#[derive(Debug)]
pub struct Repositories {
    repositories: Vec<State>,
    base: Base,
    base_repo: RepoId,
    pool: Pool,
    origins: BTreeMap<PackageId, Origin>,
    modules: Modules,
    /// Paths that filelists have been read for.
    paths: BTreeSet<String>,
    /// Whether the packages of the base are among the others.
    has_base: bool,
}

#[derive(Debug)]
struct State {
    repository: Repository,
    id: RepoId,
    repomd: Option<Repomd>,
    /// Kinds of records that have been read.
    read: BTreeSet<String>,
    comps: Comps,
    /// Its index, if it came as one.
    index: Option<Indexed>,
    /// Digests of its packages, for filelists.
    by_checksum: BTreeMap<String, PackageId>,
}

/// A repository that came as an index.
#[derive(Debug)]
struct Indexed {
    /// The number of its first package.
    first: i32,
    index: Index,
    origins: Option<Origins>,
    parts: Parts,
    table: Option<PathTable>,
}

impl Repository {
    /// The error for metadata of it that is broken.
    fn broken(&self, error: rpm::Error) -> Error {
        Error::Repository { repository: self.name.clone(), error }
    }

    /// The error for an index of it that is broken.
    fn broken_index(&self, error: BadIndex) -> Error {
        Error::Index { repository: self.name.clone(), error }
    }

    /// A repository of which nothing is left out.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            priority: 99,
            exclude: Vec::new(),
            include: Vec::new(),
            module_hotfixes: false,
        }
    }
}

impl From<&RepoConfig> for Repository {
    fn from(config: &RepoConfig) -> Self {
        Self {
            name: config.id.clone(),
            priority: config.priority,
            exclude: config.excludepkgs.clone(),
            include: config.includepkgs.clone(),
            module_hotfixes: config.module_hotfixes,
        }
    }
}

impl Repositories {
    /// Repositories for a target of an architecture, on top of a base.
    pub fn new(arch: &str, repositories: Vec<Repository>, base: Base) -> Self {
        let mut pool = Pool::new(arch);
        let base_repo = pool.add_repo(Repo { name: "base".into(), priority: 99, base: true });
        let repositories = repositories
            .into_iter()
            .map(|repository| {
                let Repository { name, priority, .. } = &repository;
                let (name, priority) = (name.clone(), *priority);
                let id = pool.add_repo(Repo { name, priority, base: false });
                State {
                    repository,
                    id,
                    repomd: None,
                    read: BTreeSet::new(),
                    comps: Comps::default(),
                    index: None,
                    by_checksum: BTreeMap::new(),
                }
            })
            .collect();
        Self {
            repositories,
            base,
            base_repo,
            pool,
            origins: BTreeMap::new(),
            modules: Modules::default(),
            paths: BTreeSet::new(),
            has_base: false,
        }
    }

    /// Files that must come before packages can be chosen. `groups` says whether groups will be asked for.
    pub fn wanted(&self, groups: bool) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for (repository, state) in self.repositories.iter().enumerate() {
            if state.index.is_some() {
                continue;
            }
            let Some(repomd) = &state.repomd else {
                let path = "repodata/repomd.xml".to_owned();
                wanted.push(Wanted {
                    repository,
                    path,
                    size: None,
                    range: None,
                    what: What::Repomd,
                });
                continue;
            };
            let kinds = ["primary", "modules", "group"];
            let kinds = kinds.into_iter().filter(|kind| groups || *kind != "group");
            let kinds = kinds.filter(|kind| !state.read.contains(*kind));
            wanted.extend(kinds.filter_map(|kind| Wanted::new(repository, repomd, kind)));
        }
        wanted
    }

    /// Takes a file that was wanted.
    ///
    /// # Errors
    /// The file is broken, or not the one that the repository names.
    pub fn provide(&mut self, wanted: &Wanted, bytes: &[u8]) -> Result<(), Error> {
        let taken = self.take(wanted, bytes);
        taken.map_err(|error| self.repositories[wanted.repository].repository.broken(error))
    }

    fn take(&mut self, wanted: &Wanted, bytes: &[u8]) -> Result<(), rpm::Error> {
        let record = match &wanted.what {
            What::Repomd => {
                let repomd = Repomd::read(bytes)?;
                self.repositories[wanted.repository].repomd = Some(repomd);
                return Ok(());
            }
            What::Record(record) => record,
            What::PathTable | What::PathChunk(_) => return Ok(()),
        };
        record.verify(bytes)?;
        match record.kind.as_str() {
            "primary" => self.primary(wanted.repository, bytes)?,
            "modules" => self.modules.merge(Modules::read(open(bytes)?)?),
            "filelists" => return Ok(()),
            _ => self.repositories[wanted.repository].comps = Comps::read(open(bytes)?)?,
        }
        self.repositories[wanted.repository].read.insert(record.kind.clone());
        Ok(())
    }

    fn primary(&mut self, at: usize, bytes: &[u8]) -> Result<(), rpm::Error> {
        for package in Primary::new(open(bytes)?) {
            let package = package?;
            let state = &mut self.repositories[at];
            let id = self.pool.add(state.id, &package);
            state.by_checksum.insert(package.checksum.hex.clone(), id);
            let location = package.href();
            self.origins.insert(
                id,
                Origin {
                    location,
                    checksum: package.checksum,
                    size: package.package_size,
                    installed_size: package.installed_size,
                    summary: package.summary,
                },
            );
        }
        Ok(())
    }

    /// Takes a repository that comes as an index instead of as files: the file, or as much of it as
    /// [`Parts::packages`] says.
    ///
    /// # Errors
    /// The index is broken.
    pub fn provide_index(&mut self, repository: usize, file: &[u8]) -> Result<(), Error> {
        let state = &mut self.repositories[repository];
        let failed = |error| state.repository.broken_index(error);
        let parts = Parts::read(file).map_err(failed)?;
        let index = Index::read(file).map_err(failed)?;
        state.comps = groups::read(index.groups());
        let first = self.pool.add_index(state.id, &index);
        state.index = Some(Indexed { first, index, origins: None, parts, table: None });
        Ok(())
    }

    /// Reads where packages are, which choosing does not need: [`Repositories::origin`] knows those of indexes from then
    /// on.
    ///
    /// # Errors
    /// An index is broken.
    pub fn read_origins(&mut self) -> Result<(), Error> {
        for state in &mut self.repositories {
            if let Some(Indexed { index, origins, .. }) = &mut state.index {
                let read = index.origins();
                *origins = Some(read.map_err(|error| state.repository.broken_index(error))?);
            }
        }
        Ok(())
    }

    /// Makes the packages ready to be chosen, once nothing is wanted any more. The packages of the base that no
    /// repository knows come back: of them only names and versions are known, and what other versions of them say.
    pub fn index(&mut self) -> Vec<String> {
        self.pool.index();
        if self.has_base {
            return Vec::new();
        }
        self.has_base = true;
        if let Some(index) = self.base.index() {
            self.pool.add_index(self.base_repo, index);
            self.pool.index();
            return Vec::new();
        }
        let mut unknown = Vec::new();
        let near: Vec<Option<PackageId>> = self
            .base
            .packages()
            .map(|nevra| self.pool.nearest(nevra.name(), nevra.arch(), nevra.evr()))
            .collect();
        for (nevra, near) in self.base.packages().zip(near) {
            if near.is_none_or(|id| self.pool.package_evr(id) != nevra.evr()) {
                unknown.push(nevra.text().to_owned());
            }
            match near {
                Some(id) => self.pool.add_version(self.base_repo, id, nevra.evr()),
                None => self.pool.add(self.base_repo, &nevra.package()),
            };
        }
        self.pool.index();
        unknown
    }

    /// The packages that must come along.
    ///
    /// # Errors
    /// All that stands in the way.
    pub fn resolve(&self, selection: &Selection) -> Result<Solution, Vec<Problem>> {
        solve(&self.pool, &self.request(selection))
    }

    /// Why each package of a solution is there, in words.
    pub fn reasons(&self, selection: &Selection, solution: &Solution) -> Vec<String> {
        resolve::reasons(&self.pool, &self.request(selection), &solution.packages)
    }

    /// The packages of a solution that were asked for by themselves.
    pub fn asked(&self, selection: &Selection, solution: &Solution) -> Vec<PackageId> {
        resolve::asked(&self.request(selection), &solution.packages)
    }

    /// The way from what was asked for to a package of a solution; see [`resolve::way`].
    pub fn way(
        &self,
        selection: &Selection,
        solution: &Solution,
        to: PackageId,
    ) -> Option<Vec<Need>> {
        resolve::way(&self.pool, &self.request(selection), &solution.packages, to)
    }

    /// Where a package is; nothing is known of those of the base.
    pub fn origin(&self, id: PackageId) -> Option<Origin> {
        let at = self.repository(id)?;
        match &self.repositories[at].index {
            Some(Indexed { first, index, origins, .. }) => {
                origins.as_ref()?.get(index, usize::try_from(id.number() - first).ok()?)
            }
            None => self.origins.get(&id).cloned(),
        }
    }

    /// The repository that packages of an index are fetched from, as a section of a `.repo` file; empty if they lie beside
    /// it.
    pub fn described(&self, repository: usize) -> &str {
        let indexed = self.repositories[repository].index.as_ref();
        indexed.map_or("", |indexed| indexed.index.repository())
    }

    /// Which repository a package is of, in the order in which they were given.
    pub fn repository(&self, id: PackageId) -> Option<usize> {
        let of = self.pool.repo_id(id);
        self.repositories.iter().position(|state| state.id == of)
    }

    /// What the target has already.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// All packages.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }
}
