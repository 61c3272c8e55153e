//! All packages that could be there, and who provides what.

mod ask;
mod columns;

use hashbrown::HashTable;
use rpm::repodata::RepoPackage;
use rpm::{Dependency, Operator, Rich, Sense};

use crate::arch::{self, Fit};
use crate::strings::{Str, Strings};

/// A package of a [`Pool`].
///
/// Numbers grow in the order in which packages were added. Number 0 is nobody, so that a literal can be negative; number
/// 1 is the system itself, which is always there.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct PackageId(pub(crate) i32);

impl PackageId {
    /// The number, which grows in the order in which packages were added.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The package of a number: those of an index count from what [`Pool::add_index`] gives.
    pub fn from_number(number: i32) -> Self {
        Self(number)
    }
}

/// A repository of a [`Pool`].
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct RepoId(pub(crate) u16);

/// The system itself: provides what rpm and the target bring without a package.
pub(crate) const SYSTEM: i32 = 1;

/// The number of a dependency.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Dep(pub(crate) u32);

/// A dependency: equal ones have equal numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Relation {
    /// A name, how its version is meant, and the version.
    Plain(Str, Sense, Str),
    /// Two dependencies and an operator.
    Rich(Operator, Dep, Dep),
}

/// The lists of dependencies that a package has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum List {
    Provides,
    Requires,
    Conflicts,
    Obsoletes,
    Recommends,
    Suggests,
    Supplements,
    Enhances,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Package {
    pub(crate) name: Str,
    pub(crate) evr: Str,
    pub(crate) arch: Str,
    pub(crate) repo: RepoId,
    pub(crate) fit: Fit,
    pub(crate) color: u8,
    /// Where each [`List`] starts in `Pool::lists`, and where the last ends.
    lists: [u32; 9],
    /// Where its paths start and end in `Pool::paths`.
    paths: [u32; 2],
}

/// A place that packages come from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Repo {
    /// Name for people and for specifications.
    pub name: String,
    /// As in a `.repo` file: packages of lower numbers are preferred. dnf's default is 99.
    pub priority: i32,
    /// Whether its packages are there already and stay: the base of an extension.
    pub base: bool,
}

/// All packages that could be there.
#[derive(Debug)]
pub struct Pool {
    pub(crate) strings: Strings,
    relations: Vec<Relation>,
    /// Relations that came in order and can be found without a table.
    sorted: std::ops::Range<usize>,
    numbers: HashTable<u32>,
    pub(crate) packages: Vec<Package>,
    lists: Vec<Dep>,
    paths: Vec<Str>,
    pub(crate) repos: Vec<Repo>,
    native_arch: String,
    /// For each text that is provided: where its providers start in `providers`; made by [`Pool::index`].
    starts: Vec<u32>,
    providers: Vec<i32>,
}

impl Pool {
    /// An empty pool for a target of an architecture: `x86_64`, `aarch64` ...
    pub fn new(arch: &str) -> Self {
        let mut pool = Self {
            strings: Strings::new(),
            relations: Vec::new(),
            sorted: 0..0,
            numbers: HashTable::new(),
            packages: Vec::new(),
            lists: Vec::new(),
            paths: Vec::new(),
            repos: Vec::new(),
            native_arch: arch.to_owned(),
            starts: Vec::new(),
            providers: Vec::new(),
        };
        let system = pool.add_repo(Repo { name: "@system".into(), priority: 0, base: true });
        for name in ["", "system"] {
            let package =
                RepoPackage { name: name.into(), arch: "noarch".into(), ..RepoPackage::default() };
            pool.add(system, &package);
        }
        pool
    }

    /// Adds a repository.
    pub fn add_repo(&mut self, repo: Repo) -> RepoId {
        self.repos.push(repo);
        RepoId(u16::try_from(self.repos.len() - 1).expect("fewer than 65,536 repositories"))
    }

    /// Adds a package of a repository. [`Pool::index`] must follow before the pool is asked.
    pub fn add(&mut self, repo: RepoId, package: &RepoPackage) -> PackageId {
        let mut starts = [0; 9];
        for (list, start) in package.lists().into_iter().zip(&mut starts) {
            *start = offset(self.lists.len());
            for dependency in list {
                let dep = self.dependency(dependency);
                self.lists.push(dep);
            }
        }
        starts[8] = offset(self.lists.len());
        let first = offset(self.paths.len());
        for file in &package.files {
            let path = self.strings.add(&file.path);
            self.paths.push(path);
        }
        self.packages.push(Package {
            name: self.strings.add(&package.name),
            evr: self.strings.add(&package.evr),
            arch: self.strings.add(&package.arch),
            repo,
            fit: arch::fit(&self.native_arch, &package.arch),
            color: arch::color(&package.arch),
            lists: starts,
            paths: [first, offset(self.paths.len())],
        });
        PackageId(i32::try_from(self.packages.len() - 1).expect("fewer than 2 billion packages"))
    }

    /// Adds a package that is another version of one that is here: what is the same for both is taken from it, and what
    /// it provides in its own version is provided in the other. [`Pool::index`] must follow.
    pub fn add_version(&mut self, repo: RepoId, like: PackageId, evr: &str) -> PackageId {
        let mut package = *self.package(like.0);
        let (old, new) = (package.evr, self.strings.add(evr));
        let start = self.lists.len();
        let [first, .., end] = package.lists;
        for at in first as usize..end as usize {
            let dep = match self.get(self.lists[at]) {
                Relation::Plain(name, sense, version) if version == old => {
                    self.relation(Relation::Plain(name, sense, new))
                }
                _ => self.lists[at],
            };
            self.lists.push(dep);
        }
        package.lists = package.lists.map(|at| offset(start) + (at - first));
        (package.evr, package.repo) = (new, repo);
        self.packages.push(package);
        PackageId(i32::try_from(self.packages.len() - 1).expect("fewer than 2 billion packages"))
    }

    /// Lets packages provide more paths, found in `filelists.xml`. [`Pool::index`] must follow.
    pub fn add_paths<'a>(&mut self, paths: impl IntoIterator<Item = (PackageId, &'a str)>) {
        let mut more: Vec<(PackageId, Str)> =
            paths.into_iter().map(|(package, path)| (package, self.strings.add(path))).collect();
        more.sort_unstable();
        let mut all = Vec::with_capacity(self.paths.len() + more.len());
        for (id, package) in self.packages.iter_mut().enumerate() {
            let [first, end] = package.paths;
            let start = offset(all.len());
            all.extend_from_slice(&self.paths[first as usize..end as usize]);
            let from = more.partition_point(|(of, _)| (of.0 as usize) < id);
            let new = more[from..].iter().take_while(|(of, _)| of.0 as usize == id);
            all.extend(new.map(|(_, path)| *path));
            package.paths = [start, offset(all.len())];
        }
        self.paths = all;
    }

    /// Makes the table of who provides what.
    pub fn index(&mut self) {
        let mut all: Vec<Str> = Vec::with_capacity(self.lists.len() / 4);
        let mut ends = Vec::with_capacity(self.packages.len());
        let mut starts = vec![0; self.strings.len() + 2];
        for package in self.packages.iter().skip(2) {
            let start = all.len();
            let provides = self.list(package, List::Provides).iter();
            all.extend(provides.filter_map(|dep| self.name(*dep)));
            all.extend(self.package_paths(package));
            all[start..].sort_unstable();
            let mut kept = start;
            for at in start..all.len() {
                if kept == start || all[at] != all[kept - 1] {
                    all[kept] = all[at];
                    kept += 1;
                }
            }
            all.truncate(kept);
            all[start..].iter().for_each(|name| starts[name.0 as usize + 2] += 1);
            ends.push(kept);
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        // Each name's place moves on with each of its providers, until it is where the next name's starts.
        self.providers = vec![0; all.len()];
        let mut start = 0;
        for (id, end) in (SYSTEM + 1..).zip(ends) {
            for name in &all[start..end] {
                let place = &mut starts[name.0 as usize + 1];
                self.providers[*place as usize] = id;
                *place += 1;
            }
            start = end;
        }
        self.starts = starts;
    }

    /// The number of a dependency, which is kept if it is new.
    pub(crate) fn dependency(&mut self, dependency: &Dependency) -> Dep {
        if dependency.name.starts_with('(')
            && let Some(rich) = Rich::parse(&dependency.name)
        {
            return self.rich(&rich);
        }
        let name = self.strings.add(&dependency.name);
        let evr = self.strings.add(&dependency.evr);
        self.relation(Relation::Plain(name, dependency.sense, evr))
    }

    fn rich(&mut self, rich: &Rich) -> Dep {
        match rich {
            Rich::Plain(dependency) => self.dependency(dependency),
            Rich::Joined(operator, operands) => {
                let [left, right] = &**operands;
                let left = self.rich(left);
                let right = self.rich(right);
                self.relation(Relation::Rich(*operator, left, right))
            }
        }
    }

    fn relation(&mut self, relation: Relation) -> Dep {
        if let Some(found) = self.find_sorted(relation) {
            return found;
        }
        let hash = hash(relation);
        let all = &self.relations;
        if let Some(found) = self.numbers.find(hash, |at| all[*at as usize] == relation) {
            return Dep(*found);
        }
        let number = offset(self.relations.len());
        self.relations.push(relation);
        let all = &self.relations;
        self.numbers.insert_unique(hash, number, |at| self::hash(all[*at as usize]));
        Dep(number)
    }

    pub(crate) fn get(&self, dep: Dep) -> Relation {
        self.relations[dep.0 as usize]
    }

    /// How many dependencies there are.
    pub(crate) fn dependencies(&self) -> usize {
        self.relations.len()
    }

    /// The name of a plain dependency.
    fn name(&self, dep: Dep) -> Option<Str> {
        match self.get(dep) {
            Relation::Plain(name, ..) => Some(name),
            Relation::Rich(..) => None,
        }
    }

    pub(crate) fn package(&self, id: i32) -> &Package {
        &self.packages[id.unsigned_abs() as usize]
    }

    pub(crate) fn list(&self, package: &Package, list: List) -> &[Dep] {
        let at = list as usize;
        &self.lists[package.lists[at] as usize..package.lists[at + 1] as usize]
    }

    /// One of the lists of a package.
    pub(crate) fn list_of(&self, id: i32, list: List) -> &[Dep] {
        self.list(self.package(id), list)
    }

    fn package_paths(&self, package: &Package) -> impl Iterator<Item = Str> + '_ {
        self.paths[package.paths[0] as usize..package.paths[1] as usize].iter().copied()
    }

    /// Packages that provide a name or a path in any version, in the order of their numbers.
    pub(crate) fn by_name(&self, name: Str) -> &[i32] {
        let at = name.0 as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(start), Some(end)) => &self.providers[*start as usize..*end as usize],
            _ => &[],
        }
    }

    /// Whether a package of these that [`Pool::by_name`] names provides the version that is wanted.
    pub(crate) fn provides(&self, id: i32, name: Str, sense: Sense, evr: &str) -> bool {
        if sense == Sense::ANY {
            return true;
        }
        let package = self.package(id);
        let mut listed = false;
        for dep in self.list(package, List::Provides) {
            if let Relation::Plain(provided, how, version) = self.get(*dep)
                && provided == name
            {
                listed = true;
                if how.overlaps(self.strings.get(version), sense, evr) {
                    return true;
                }
            }
        }
        // A path has no version and fulfils all.
        !listed
    }

    /// Whether a package's own name and version are meant: what obsoletes and specifications match.
    pub(crate) fn is_named(&self, id: i32, dep: Dep) -> bool {
        match self.get(dep) {
            Relation::Plain(name, sense, evr) => {
                let package = self.package(id);
                package.name == name && {
                    let own = self.strings.get(package.evr);
                    Sense::EQUAL.overlaps(own, sense, self.strings.get(evr))
                }
            }
            Relation::Rich(Operator::And | Operator::With, left, right) => {
                self.is_named(id, left) && self.is_named(id, right)
            }
            Relation::Rich(Operator::Or, left, right) => {
                self.is_named(id, left) || self.is_named(id, right)
            }
            Relation::Rich(..) => false,
        }
    }

    pub(crate) fn is_base(&self, id: i32) -> bool {
        self.repos[usize::from(self.package(id).repo.0)].base
    }

    pub(crate) fn priority(&self, id: i32) -> i32 {
        self.repos[usize::from(self.package(id).repo.0)].priority
    }

    /// Whether packages of the same name cannot be there together.
    pub(crate) fn same_color(&self, a: i32, b: i32) -> bool {
        let (a, b) = (self.package(a), self.package(b));
        a.arch == b.arch || a.color & b.color != 0
    }
}

/// What orders plain relations.
fn key(relation: Relation) -> Option<(u32, u8, u32)> {
    match relation {
        Relation::Plain(name, sense, evr) => Some((name.0, sense.bits(), evr.0)),
        Relation::Rich(..) => None,
    }
}

fn hash(relation: Relation) -> u64 {
    let (kind, a, b) = match relation {
        Relation::Plain(name, sense, evr) => (sense.bits(), name.0, evr.0),
        Relation::Rich(operator, left, right) => (8 + operator as u8, left.0, right.0),
    };
    // Two rounds of multiply and fold (the finaliser of MurmurHash3): the parts are small numbers of our own.
    let mut hash = (u64::from(a) << 32 | u64::from(b)) ^ (u64::from(kind) << 59);
    for factor in [0xFF51_AFD7_ED55_8CCD, 0xC4CE_B9FE_1A85_EC53] {
        hash = (hash ^ hash >> 33).wrapping_mul(factor);
    }
    hash ^ hash >> 33
}

fn offset(length: usize) -> u32 {
    u32::try_from(length).expect("fewer than 4 billion entries fit memory")
}
