//! What a person writes to name packages.

use fast_glob::glob_match;

use crate::pool::{PackageId, Pool};
use crate::solve::Wish;

/// A name of packages, as dnf takes them: `NAME`, `NAME.ARCH`, `NAME-VERSION`, `NAME-VERSION-RELEASE`, with `.ARCH` and
/// `EPOCH:`, with `*`, `?` and `[...]`; what packages provide, perhaps with a version (`libz.so.1()(64bit)`,
/// `pkgconfig(zlib) >= 1.2`); a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spec(String);

impl Spec {
    /// Takes a text as it is.
    pub fn parse(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// One of the packages that are meant. A package that replaces one of a plain name will do as well, as with dnf.
    pub fn wish(&self, pool: &Pool) -> Wish {
        let mut candidates = self.packages(pool);
        if candidates.first().is_some_and(|id| pool.package_name(*id) == self.0) {
            candidates.extend(pool.obsoleting(&candidates));
            candidates.sort_unstable();
            candidates.dedup();
        }
        Wish { text: self.0.clone(), candidates }
    }

    /// What is meant: for each name of packages that a pattern matches, one of them; else the same as [`Spec::wish`].
    pub fn wishes(&self, pool: &Pool) -> Vec<Wish> {
        if !is_glob(&self.0) {
            return vec![self.wish(pool)];
        }
        let all = self.packages(pool);
        let mut names: Vec<&str> = all.iter().map(|id| pool.package_name(*id)).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return vec![Wish { text: self.0.clone(), candidates: all }];
        }
        let wish = |name: &str| Wish {
            text: name.to_owned(),
            candidates: all.iter().copied().filter(|id| pool.package_name(*id) == name).collect(),
        };
        names.into_iter().map(wish).collect()
    }

    /// The packages that are meant, by name first, then by what they provide, then by path.
    pub fn packages(&self, pool: &Pool) -> Vec<PackageId> {
        let text = self.0.as_str();
        let found: Vec<PackageId> = if is_glob(text) {
            pool.ids()
                .filter(|id| forms(pool, *id).iter().any(|form| glob_match(text, form)))
                .collect()
        } else if text.contains(char::is_whitespace) || text.starts_with('(') {
            Vec::new()
        } else {
            let exact: Vec<PackageId> = pool.named(text).collect();
            if exact.is_empty() { by_nevra(pool, text) } else { exact }
        };
        if !found.is_empty() {
            return found;
        }
        self.providers(pool)
    }

    fn providers(&self, pool: &Pool) -> Vec<PackageId> {
        let Some(dependency) = rpm::Dependency::parse(&self.0) else { return Vec::new() };
        let Some(name) = pool.strings.find(&dependency.name) else { return Vec::new() };
        let all = pool.by_name(name).iter().copied();
        let fits = |id: &i32| pool.provides(*id, name, dependency.sense, &dependency.evr);
        all.filter(fits).map(PackageId).collect()
    }
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// All that a package may be called.
fn forms(pool: &Pool, id: PackageId) -> [String; 8] {
    let (name, evr, arch) = (pool.package_name(id), pool.package_evr(id), pool.package_arch(id));
    let version = rpm::Evr::parse(evr).version;
    let without_epoch = evr.split_once(':').map_or(evr, |(_, rest)| rest);
    let without_release = evr.rsplit_once('-').map_or(evr, |(rest, _)| rest);
    [
        name.to_owned(),
        format!("{name}.{arch}"),
        format!("{name}-{version}"),
        format!("{name}-{without_release}"),
        format!("{name}-{evr}"),
        format!("{name}-{without_epoch}"),
        format!("{name}-{evr}.{arch}"),
        format!("{name}-{without_epoch}.{arch}"),
    ]
}

/// Packages by a longer form of their name: each place where the name could end is tried.
fn by_nevra(pool: &Pool, text: &str) -> Vec<PackageId> {
    let ends = text.char_indices().filter(|(_, c)| matches!(c, '-' | '.')).map(|(at, _)| at);
    let mut found: Vec<PackageId> = ends
        .flat_map(|end| pool.named(&text[..end]))
        .filter(|id| forms(pool, *id).contains(&text.replacen("-0:", "-", 1)))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
