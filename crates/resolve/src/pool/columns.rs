//! Packages of an index come in columns, and mostly stay as they are.

use rpm::Sense;

use super::{Dep, Package, Pool, Relation, RepoId, key, offset};
use crate::arch;
use crate::index::Index;
use crate::strings::Str;

impl Pool {
    /// Adds all packages of an index, in their order; the number of the first comes back. [`Pool::index`] must follow.
    pub fn add_index(&mut self, repo: RepoId, index: &Index) -> i32 {
        let first_package = i32::try_from(self.packages.len()).unwrap_or(i32::MAX);
        // Texts and dependencies are looked up once each, however many packages have them.
        let texts = self.strings.add_table(&index.texts);
        let dependencies = self.add_relations(index, &texts);
        self.packages.reserve(index.packages.len());
        self.lists.reserve(index.lists.iter().map(|list| list.all.len()).sum());
        self.paths.reserve(index.paths.all.len());
        let mut taken = [0; 8];
        let mut taken_paths = 0;
        for (at, [name, evr, arch]) in index.packages.iter().enumerate() {
            let mut starts = [0; 9];
            for ((list, start), taken) in index.lists.iter().zip(&mut starts).zip(&mut taken) {
                *start = offset(self.lists.len());
                let end = *taken + list.lengths[at] as usize;
                let all = list.all[*taken..end].iter();
                self.lists.extend(all.map(|dep| dependencies[*dep as usize]));
                *taken = end;
            }
            starts[8] = offset(self.lists.len());
            let first = offset(self.paths.len());
            let end = taken_paths + index.paths.lengths[at] as usize;
            let all = index.paths.all[taken_paths..end].iter();
            self.paths.extend(all.map(|path| texts[*path as usize]));
            taken_paths = end;
            let arch_text = index.texts.get(*arch);
            self.packages.push(Package {
                name: texts[*name as usize],
                evr: texts[*evr as usize],
                arch: texts[*arch as usize],
                repo,
                fit: arch::fit(&self.native_arch, arch_text),
                color: arch::color(arch_text),
                lists: starts,
                paths: [first, offset(self.paths.len())],
            });
        }
        first_package
    }

    /// The numbers of an index's dependencies. The first index's are taken as they are.
    fn add_relations(&mut self, index: &Index, texts: &[Str]) -> Vec<Dep> {
        let mut adopt = self.sorted.is_empty() && self.relations.is_empty();
        let mut numbers = Vec::with_capacity(index.dependencies.len());
        let mut rich = Vec::new();
        let mut last = None;
        for (at, (name, sense, evr)) in index.dependencies.iter().enumerate() {
            let (name, evr) = (texts[*name as usize], texts[*evr as usize]);
            let relation = Relation::Plain(name, Sense::from_bits(*sense), evr);
            if *sense >= 8 {
                // Its operands come after all others; until then its name keeps its place.
                rich.push(at);
            }
            if adopt && key(relation) > last {
                last = key(relation);
                self.relations.push(relation);
                self.sorted = 0..self.relations.len();
                numbers.push(Dep(offset(at)));
            } else {
                adopt = false;
                numbers.push(self.relation(relation));
            }
        }
        for at in rich {
            numbers[at] = self.dependency(&index.dependency(at));
        }
        numbers
    }

    pub(super) fn find_sorted(&self, relation: Relation) -> Option<Dep> {
        let wanted = key(relation)?;
        let all = &self.relations[self.sorted.clone()];
        let found = all.binary_search_by(|known| key(*known).cmp(&Some(wanted)));
        found.ok().map(|at| Dep(offset(at)))
    }
}
