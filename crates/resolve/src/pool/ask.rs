//! What there is to ask a pool.

use rpm::repodata::ModuleFilter;
use rpm::{Operator, Sense};

use super::{Dep, List, PackageId, Pool, Relation, Repo, RepoId, SYSTEM};

impl Pool {
    /// All packages but nobody and the system.
    pub fn ids(&self) -> impl Iterator<Item = PackageId> + use<> {
        let end = i32::try_from(self.packages.len()).unwrap_or(i32::MAX);
        (SYSTEM + 1..end).map(PackageId)
    }

    /// The repository of a package.
    pub fn repo(&self, id: PackageId) -> &Repo {
        &self.repos[usize::from(self.package(id.0).repo.0)]
    }

    /// The repository of a package.
    pub fn repo_id(&self, id: PackageId) -> RepoId {
        self.package(id.0).repo
    }

    /// Name of a package.
    pub fn package_name(&self, id: PackageId) -> &str {
        self.strings.get(self.package(id.0).name)
    }

    /// `[epoch:]version-release` of a package.
    pub fn package_evr(&self, id: PackageId) -> &str {
        self.strings.get(self.package(id.0).evr)
    }

    /// Architecture of a package.
    pub fn package_arch(&self, id: PackageId) -> &str {
        self.strings.get(self.package(id.0).arch)
    }

    /// `name-[epoch:]version-release.arch` of a package.
    pub fn nevra(&self, id: PackageId) -> String {
        format!("{}-{}.{}", self.package_name(id), self.package_evr(id), self.package_arch(id))
    }

    /// The packages of a name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = PackageId> + '_ {
        let name = self.strings.find(name);
        let all = name.map_or(&[][..], |name| self.by_name(name));
        let own = all.iter().filter(move |id| Some(self.package(**id).name) == name);
        own.map(|id| PackageId(*id))
    }

    /// Packages that obsolete one of these.
    pub(crate) fn obsoleting(&self, packages: &[PackageId]) -> Vec<PackageId> {
        let obsoletes = |id: &PackageId| {
            let list = self.list_of(id.0, List::Obsoletes);
            list.iter().any(|dep| packages.iter().any(|other| self.is_named(other.0, *dep)))
        };
        self.ids().filter(obsoletes).collect()
    }

    /// The package of a name and architecture in this version, or else in the highest there is.
    pub fn nearest(&self, name: &str, arch: &str, evr: &str) -> Option<PackageId> {
        let all = self.named(name).filter(|id| self.package_arch(*id) == arch);
        all.max_by(|a, b| {
            let (a, b) = (self.package_evr(*a), self.package_evr(*b));
            (a == evr).cmp(&(b == evr)).then_with(|| rpm::evr::compare(a, b))
        })
    }

    /// Packages that a filter of modules keeps out.
    pub fn modular(&self, filter: &ModuleFilter) -> Vec<PackageId> {
        let is_out = |id: &PackageId| !filter.allows(&self.nevra(*id), self.package_name(*id));
        self.ids().filter(|id| !self.is_base(id.0)).filter(is_out).collect()
    }

    /// Paths that packages require and nobody provides so far: `filelists.xml` may tell who does.
    pub fn missing_paths(&self) -> Vec<&str> {
        let mut missing: Vec<&str> = Vec::new();
        for relation in &self.relations {
            if let Relation::Plain(name, ..) = relation
                && self.strings.get(*name).starts_with('/')
                && self.by_name(*name).is_empty()
            {
                missing.push(self.strings.get(*name));
            }
        }
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// The paths in a dependency that nobody provides.
    pub(crate) fn paths_in(&self, dep: Dep) -> Vec<String> {
        match self.get(dep) {
            Relation::Plain(name, ..) => {
                let text = self.strings.get(name);
                let is_missing = text.starts_with('/') && self.by_name(name).is_empty();
                is_missing.then(|| text.to_owned()).into_iter().collect()
            }
            Relation::Rich(_, left, right) => {
                let mut paths = self.paths_in(left);
                paths.extend(self.paths_in(right));
                paths
            }
        }
    }

    /// The dependencies of a package as texts, each list with its name in metadata.
    pub fn dependency_lists(&self, id: PackageId) -> [(&'static str, Vec<String>); 8] {
        [
            ("provides", List::Provides),
            ("requires", List::Requires),
            ("conflicts", List::Conflicts),
            ("obsoletes", List::Obsoletes),
            ("recommends", List::Recommends),
            ("suggests", List::Suggests),
            ("supplements", List::Supplements),
            ("enhances", List::Enhances),
        ]
        .map(|(name, list)| {
            (name, self.list_of(id.0, list).iter().map(|dep| self.show(*dep)).collect())
        })
    }

    /// A dependency as text.
    pub(crate) fn show(&self, dep: Dep) -> String {
        match self.get(dep) {
            Relation::Plain(name, Sense::ANY, _) => self.strings.get(name).to_owned(),
            Relation::Plain(name, sense, evr) => {
                let (name, evr) = (self.strings.get(name), self.strings.get(evr));
                format!("{name} {} {evr}", sense.operator())
            }
            Relation::Rich(Operator::Else, left, right) => {
                format!("{} else {}", self.show(left), self.show(right))
            }
            Relation::Rich(operator, left, right) => {
                format!("({} {} {})", self.show(left), operator.word(), self.show(right))
            }
        }
    }
}
