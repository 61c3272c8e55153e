//! Plans for the tests of checks.

use rpm::repodata::{FileKind, RepoFile, RepoPackage};
use rpm::{Compression, Dependency, NewFile, NewPackage, Package};

use crate::base::{About, Base, Installed};
use crate::extension::Extension;
use crate::finding::{Check, Finding};
use crate::plan::{Contents, Plan};
use crate::recipe::{Arch, Recipe, Target};

/// A base of packages: name-version-release, then paths, after a blank each; what has parentheses is provided.
pub(crate) fn base(packages: &[&str]) -> Base {
    let package = |text: &&str| {
        let mut words = text.split(' ');
        let nevra = words.next().unwrap();
        let (rest, release) = nevra.rsplit_once('-').unwrap();
        let (name, version) = rest.rsplit_once('-').unwrap();
        let (provides, files): (Vec<&str>, Vec<&str>) = words.partition(|word| word.contains("()"));
        let provides = provides
            .into_iter()
            .map(|name| Dependency { name: name.into(), ..Dependency::default() });
        RepoPackage {
            name: name.into(),
            evr: format!("{version}-{release}"),
            arch: "x86_64".into(),
            provides: provides.collect(),
            files: files.into_iter().map(repo_file).collect(),
            ..RepoPackage::default()
        }
    };
    let pack =
        Installed::from(packages.iter().map(package).collect::<Vec<_>>()).write(&About::default());
    Base::read(&pack).unwrap()
}

/// A base of one package with files, as a database of packages tells of it.
pub(crate) fn base_of(files: Vec<NewFile>) -> Base {
    let package = NewPackage { files, ..NewPackage::new("base", "1", "1", "x86_64") };
    let package = package.write(&Compression::Gzip);
    let header = Package::read(package.as_slice()).unwrap();
    let mut installed = Installed::default();
    installed.add(RepoPackage::from_package(package.as_slice()).unwrap(), &header);
    Base::read(&installed.write(&About::default())).unwrap()
}

fn repo_file(path: &str) -> RepoFile {
    RepoFile { path: path.to_owned(), kind: FileKind::File }
}

/// Messages of a check on an image of files, for an extension on a base.
pub(crate) fn messages(
    check: Check,
    files: Vec<NewFile>,
    extension: Extension,
    base: Option<&Base>,
) -> Vec<String> {
    findings(files, extension, base)
        .into_iter()
        .filter(|finding| finding.check == check)
        .map(|finding| finding.message)
        .collect()
}

/// How often a check fires on an image of one empty file.
pub(super) fn count(check: Check, path: &str) -> usize {
    messages(check, vec![file(path, "")], Extension::default(), None).len()
}

/// All findings of an image of files.
pub(crate) fn findings(
    files: Vec<NewFile>,
    extension: Extension,
    base: Option<&Base>,
) -> Vec<Finding> {
    plan(files, extension, base).findings().to_vec()
}

/// The plan of an image of files, with all contents that it asks for.
pub(crate) fn plan(files: Vec<NewFile>, extension: Extension, base: Option<&Base>) -> Plan {
    let package = NewPackage { files, ..NewPackage::new("x", "1", "1", "x86_64") };
    let package = package.write(&Compression::Gzip);
    let target = Target { release: "43".into(), arch: Arch::X86_64 };
    let recipe = Recipe::of(extension, "x", target).unwrap();
    let mut contents = Contents::default();
    for _ in 0..4 {
        let packages = vec![Package::read(package.as_slice()).unwrap()];
        let plan = Plan::of(packages, &recipe, base, &contents).unwrap();
        let wanted = plan.wanted();
        if wanted.is_empty() {
            return plan;
        }
        for files in wanted.values() {
            contents.read(package.as_slice(), files).unwrap();
        }
    }
    panic!("the plan asks again and again");
}

/// A file with content.
pub(crate) fn file(path: &str, content: &str) -> NewFile {
    NewFile::file(path, 0o644, content.as_bytes().to_vec())
}
