//! From the metadata of a repository to its index.

use std::collections::{BTreeMap, BTreeSet};

use rpm::repodata::{Filelists, Primary, RepoFile, RepoPackage, open};

/// Makes an index of a repository's metadata: of `primary`, and of `filelists` for paths that packages require and
/// `primary` does not have.
///
/// # Errors
/// A file is broken.
pub fn make_index(primary: &[u8], filelists: Option<&[u8]>) -> Result<Vec<u8>, rpm::Error> {
    let mut packages: Vec<RepoPackage> = Primary::new(open(primary)?).collect::<Result<_, _>>()?;
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
        while lists
            .next_package(|package, kind, path| {
                if missing.contains(path) {
                    found.push((package.pkgid.clone(), kind, path.to_owned()));
                }
            })?
            .is_some()
        {}
        for (pkgid, kind, path) in found {
            if let Some(at) = by_checksum.get(&pkgid) {
                packages[*at].files.push(RepoFile { path, kind });
            }
        }
    }
    Ok(resolve::index::write(&packages))
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
