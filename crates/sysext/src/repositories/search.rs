//! Packages by words in their names and summaries.

use std::collections::BTreeMap;

use resolve::PackageId;
use rpm::evr;

use super::{Indexed, Repositories};

/// How well a package fits, the best first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Fit {
    Name,
    Start,
    InName,
    InSummary,
}

impl Repositories {
    /// Packages that have all words, which a person wrote, in their names or summaries: the newest of each name and
    /// architecture, those whose names fit best first. Packages of the base and of source code are none of them.
    /// [`Repositories::read_origins`] comes first.
    pub fn search(&self, words: &str) -> Vec<PackageId> {
        let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        if words.is_empty() {
            return Vec::new();
        }
        let mut found: BTreeMap<(Fit, &str, &str), PackageId> = BTreeMap::new();
        for id in self.pool.ids() {
            let (name, arch) = (self.pool.package_name(id), self.pool.package_arch(id));
            if arch == "src" {
                continue;
            }
            let Some(summary) = self.summary(id) else { continue };
            let Some(fit) = fit(&words, name, summary) else { continue };
            let newest = found.entry((fit, name, arch)).or_insert(id);
            if evr::compare(self.pool.package_evr(id), self.pool.package_evr(*newest)).is_gt() {
                *newest = id;
            }
        }
        found.into_values().collect()
    }

    /// One line about a package; nothing is known of those of the base.
    pub fn summary(&self, id: PackageId) -> Option<&str> {
        match &self.repositories[self.repository(id)?].index {
            Some(Indexed { first, origins, .. }) => {
                origins.as_ref()?.summary(usize::try_from(id.number() - first).ok()?)
            }
            None => self.origins.get(&id).map(|origin| origin.summary.as_str()),
        }
    }
}

/// How well a package fits words in small letters, if it does.
fn fit(words: &[String], name: &str, summary: &str) -> Option<Fit> {
    let name = name.to_lowercase();
    let has = |text: &str, word: &String| text.contains(word.as_str());
    match words {
        [word] if name == *word => return Some(Fit::Name),
        [word] if name.starts_with(word.as_str()) => return Some(Fit::Start),
        _ if words.iter().all(|word| has(&name, word)) => return Some(Fit::InName),
        _ => {}
    }
    let summary = summary.to_lowercase();
    words.iter().all(|word| has(&name, word) || has(&summary, word)).then_some(Fit::InSummary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_better_than_summaries() {
        let check = |words: &[&str], expected: Option<Fit>| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(fit(&words, "Vim-enhanced", "An editor in Python's Realm"), expected);
        };
        check(&["vim-enhanced"], Some(Fit::Name));
        check(&["vim"], Some(Fit::Start));
        check(&["enhanced"], Some(Fit::InName));
        check(&["enhanced", "vim"], Some(Fit::InName));
        check(&["vim", "python"], Some(Fit::InSummary));
        check(&["emacs"], None);
    }
}
