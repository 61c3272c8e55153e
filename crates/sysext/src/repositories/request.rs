//! What a person wants of repositories, as the solver takes it.

use std::collections::BTreeSet;

use resolve::{PackageId, Request, Spec, Wish};
use rpm::repodata::{ModuleFilter, PackageType};

use super::{Repositories, Repository, Selection};

impl Repositories {
    /// What a selection asks the solver for.
    pub(super) fn request(&self, selection: &Selection) -> Request {
        let mut exclude = self.excluded();
        for text in &selection.exclude {
            exclude.extend(Spec::parse(text).packages(&self.pool));
        }
        exclude.sort_unstable();
        exclude.dedup();
        let allowed = |wish: Wish| {
            let is_allowed = |id: &PackageId| exclude.binary_search(id).is_err();
            let candidates = wish.candidates.into_iter().filter(is_allowed).collect();
            Wish { text: wish.text, candidates }
        };
        let mut wishes = Vec::new();
        for text in &selection.specs {
            match text.strip_prefix('@') {
                Some(group) => wishes.extend(self.group(group)),
                None => wishes.extend(Spec::parse(text).wishes(&self.pool)),
            }
        }
        let wishes = wishes.into_iter().map(allowed).collect();
        let Selection { weak, best, multilib, .. } = *selection;
        let absent = selection.absent.iter().flat_map(|name| self.pool.named(name));
        let absent = absent.filter(|id| self.pool.repo(*id).base).collect();
        Request { wishes, exclude, absent, weak, best, multilib }
    }

    /// Packages that modules hide, and that the repositories themselves leave out.
    fn excluded(&self) -> Vec<PackageId> {
        let filter = self.modules.filter();
        let mut excluded =
            if filter == ModuleFilter::default() { Vec::new() } else { self.pool.modular(&filter) };
        for state in &self.repositories {
            let Repository { exclude, include, module_hotfixes, .. } = &state.repository;
            let is_own = |id: &PackageId| self.pool.repo_id(*id) == state.id;
            let named = |specs: &[String]| -> BTreeSet<PackageId> {
                let all = specs.iter().flat_map(|text| Spec::parse(text).packages(&self.pool));
                all.filter(is_own).collect()
            };
            if *module_hotfixes {
                excluded.retain(|id| !is_own(id));
            }
            if !include.is_empty() {
                let included = named(include);
                excluded.extend(self.pool.ids().filter(|id| is_own(id) && !included.contains(id)));
            }
            excluded.extend(named(exclude));
        }
        excluded
    }

    /// The packages of a group that come along, by its identifier or name; of those that nobody has, none.
    fn group(&self, text: &str) -> Vec<Wish> {
        let comps = || self.repositories.iter().map(|state| &state.comps);
        let environment = comps()
            .flat_map(|comps| &comps.environments)
            .find(|environment| environment.id == text || environment.name == text);
        let ids = match environment {
            Some(environment) => environment.groups.clone(),
            None => vec![text.to_owned()],
        };
        let groups: Vec<_> = comps()
            .flat_map(|comps| &comps.groups)
            .filter(|group| ids.contains(&group.id) || ids.contains(&group.name))
            .collect();
        if groups.is_empty() {
            return vec![Wish { text: format!("@{text}"), candidates: Vec::new() }];
        }
        let names: BTreeSet<&str> = groups
            .iter()
            .flat_map(|group| &group.packages)
            .filter(|package| matches!(package.kind, PackageType::Mandatory | PackageType::Default))
            .map(|package| package.name.as_str())
            .collect();
        let wishes = names.into_iter().map(|name| Spec::parse(name).wish(&self.pool));
        wishes.filter(|wish| !wish.candidates.is_empty()).collect()
    }
}
