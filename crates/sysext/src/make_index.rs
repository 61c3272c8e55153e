//! From the metadata of a repository to its index.

use std::collections::{BTreeMap, BTreeSet};

use resolve::index::{AllPaths, More};
use rpm::repodata::{
    Comps, Filelists, Modules, PackageFiles, Primary, RepoFile, RepoPackage, open,
};

use crate::groups;

/// The files of a repository's metadata that an index is made of, as the repository has them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Metadata<'a> {
    /// `primary.xml`
    pub primary: &'a [u8],
    /// `filelists.xml`, for paths that packages require and `primary` does not have.
    pub filelists: Option<&'a [u8]>,
    /// `comps.xml`, for groups.
    pub comps: Option<&'a [u8]>,
    /// `modules.yaml`, whose default streams hide packages.
    pub modules: Option<&'a [u8]>,
    /// The repository as a section of a `.repo` file, if its packages will not lie beside the index.
    pub repository: &'a str,
    /// Whether the index is to have all paths of `filelists.xml`.
    pub all_paths: bool,
}

/// Makes an index of a repository's metadata.
///
/// # Errors
/// A file is broken.
pub fn make_index(metadata: &Metadata<'_>) -> Result<Vec<u8>, rpm::Error> {
    let Metadata { primary, filelists, comps, modules, repository, all_paths } = *metadata;
    let mut packages: Vec<RepoPackage> = Primary::new(open(primary)?).collect::<Result<_, _>>()?;
    if let Some(modules) = modules {
        let filter = Modules::read(open(modules)?)?.filter();
        packages.retain(|package| filter.allows(&package.nevra(), &package.name));
    }
    let mut paths = AllPaths::default();
    if let Some(filelists) = filelists {
        let mut missing: BTreeSet<String> = packages.iter().flat_map(required_paths).collect();
        for file in packages.iter().flat_map(|package| &package.files) {
            missing.remove(&file.path);
        }
        let by_checksum: BTreeMap<String, usize> = packages
            .iter()
            .enumerate()
            .map(|(at, package)| (package.checksum.hex.clone(), at))
            .collect();
        let mut lists = Filelists::new(open(filelists)?);
        let mut found = Vec::new();
        let mut add = |package: &PackageFiles, kind, path: &str| {
            let Some(&at) = by_checksum.get(&package.pkgid) else { return };
            if missing.contains(path) {
                found.push((at, kind, path.to_owned()));
            } else if all_paths && !packages[at].files.iter().any(|file| file.path == path) {
                paths.add(at, path);
            }
        };
        while lists.next_package(&mut add)?.is_some() {}
        for (at, kind, path) in found {
            packages[at].files.push(RepoFile { path, kind });
        }
    }
    let comps = comps.map(|comps| Comps::read(open(comps)?)).transpose()?;
    let groups = comps.as_ref().map(groups::write).unwrap_or_default();
    let more = More { groups, repository: repository.to_owned(), paths };
    Ok(resolve::index::write(&packages, more))
}

/// Paths that a package's dependencies name.
fn required_paths(package: &RepoPackage) -> Vec<String> {
    let RepoPackage { requires, recommends, suggests, supplements, enhances, conflicts, .. } =
        package;
    let all = [requires, recommends, suggests, supplements, enhances, conflicts];
    let words = |name: &str| -> Vec<String> {
        let words = name.split([' ', '(', ')']).filter(|word| word.starts_with('/'));
        words.map(str::to_owned).collect()
    };
    all.into_iter().flatten().flat_map(|dependency| words(&dependency.name)).collect()
}
