//! `deps`: what packages require, and neither the image nor the base has. Where packages are chosen from repositories nothing is
//! missing; where a person brings them, something often is.

use std::collections::{BTreeMap, BTreeSet};

use rpm::{Dependency, Sense};

use super::{Image, some};
use crate::finding::{Check, Finding, Severity};

pub(super) fn check(image: &mut Image<'_, '_>) {
    let Some(index) = image.base.and_then(|base| base.index()) else { return };
    let required: BTreeSet<&str> = image
        .packages
        .iter()
        .flat_map(|package| &package.requires)
        .map(|dependency| dependency.name.as_str())
        .collect();
    let mut provided = BTreeMap::<&str, Vec<(Sense, &str)>>::new();
    let own = image.packages.iter().flat_map(|package| &package.provides);
    let own = own.map(|own| (own.name.as_str(), own.sense, own.evr.as_str()));
    for (name, sense, evr) in index.provides().chain(own) {
        if required.contains(name) {
            provided.entry(name).or_default().push((sense, evr));
        }
    }
    let is_there = |wanted: &Dependency| {
        let fits = |(sense, evr): &(Sense, &str)| {
            wanted.sense == Sense::ANY || sense.overlaps(evr, wanted.sense, &wanted.evr)
        };
        // What depends on other packages needs the solver.
        wanted.name.starts_with('(')
            || provided.get(wanted.name.as_str()).is_some_and(|all| all.iter().any(fits))
            || wanted.name.starts_with('/') && image.exists(wanted.name.as_bytes())
    };
    let mut findings = Vec::new();
    for package in image.packages {
        let missing = package.requires.iter().filter(|wanted| !is_there(wanted));
        let missing: Vec<String> = missing.map(ToString::to_string).collect();
        if missing.is_empty() {
            continue;
        }
        let message = format!(
            "{} requires what neither the image nor the base has: {}",
            package.nevra(),
            some(&missing)
        );
        let finding = Finding::new(Severity::Warning, Check::Deps, message);
        findings.push(
            finding
                .package(package.nevra())
                .fix("add the packages that have it; `resolve` finds them"),
        );
    }
    image.findings.extend(findings);
}

#[cfg(test)]
mod tests {
    use rpm::repodata::RepoPackage;

    use super::*;
    use crate::base::{About, Base, Installed};
    use crate::plan::{Contents, Plan};
    use crate::recipe::{Arch, Recipe, Target};

    fn dependency(text: &str) -> Dependency {
        let rich = || Dependency { name: text.to_owned(), ..Dependency::default() };
        Dependency::parse(text).unwrap_or_else(rich)
    }

    /// Whether something is missing for a package that requires one thing, beside another that provides one, on a base that
    /// provides glibc 2.42 and has a file.
    fn missing(requires: &str, beside: &str) -> bool {
        let base = RepoPackage {
            name: "glibc".into(),
            evr: "2.42-1".into(),
            arch: "x86_64".into(),
            provides: vec![dependency("glibc = 2.42-1"), dependency("libc.so.6()(64bit)")],
            files: vec![rpm::repodata::RepoFile {
                path: "/usr/bin/sh".into(),
                kind: rpm::repodata::FileKind::File,
            }],
            ..RepoPackage::default()
        };
        let base = Base::read(&Installed::from(vec![base]).write(&About::default())).unwrap();
        let package = |name: &str| {
            let new = rpm::NewPackage {
                files: vec![rpm::NewFile::file(&format!("/usr/bin/{name}"), 0o755, vec![1])],
                ..rpm::NewPackage::new(name, "1", "1", "x86_64")
            };
            rpm::Package::read(new.write(&rpm::Compression::Gzip).as_slice()).unwrap()
        };
        let (mut first, mut second) = (package("a"), package("b"));
        first.requires = vec![dependency(requires)];
        second.provides.push(dependency(beside));
        let target = Target { release: "43".into(), arch: Arch::X86_64 };
        let recipe = Recipe::new("x", target);
        let plan =
            Plan::of(vec![first, second], &recipe, Some(&base), &Contents::default()).unwrap();
        plan.findings().iter().any(|finding| finding.check == Check::Deps)
    }

    #[test]
    fn what_nobody_has_is_told() {
        assert!(missing("libncurses.so.6()(64bit)", "other"));
        assert!(missing("glibc >= 2.43", "other"));
        assert!(missing("/usr/bin/nowhere", "other"));
        assert!(missing("b >= 2", "other"));
        for fine in ["libc.so.6()(64bit)", "glibc >= 2.40", "/bin/sh", "/usr/bin/b"] {
            assert!(!missing(fine, "other"), "{fine}");
        }
        assert!(!missing("libncurses.so.6()(64bit)", "libncurses.so.6()(64bit)"));
        assert!(!missing("(a if b)", "other"));
    }
}
