//! What the page knows while packages are chosen from repositories, and how actions change it.

use std::collections::BTreeSet;
use std::rc::Rc;

use sysext::CatalogSystem;
use yew::Reducible;

use crate::protocol::{ChosenPackage, FoundPackage, Missing, Obstacle, WantedPackage};

/// Systems, and packages for one of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Finder {
    /// Where the catalog is: a URL that ends with a slash.
    pub(crate) folder: String,
    /// Systems that can be chosen; none where the site has no catalog.
    pub(crate) systems: Rc<Vec<CatalogSystem>>,
    /// Which of them is chosen.
    pub(crate) system: Option<usize>,
    pub(crate) opening: Opening,
    /// What is searched for.
    pub(crate) words: String,
    /// The best of what was found, and how many there are.
    pub(crate) found: Option<(Rc<Vec<FoundPackage>>, usize)>,
    /// Packages that are asked for, in the words of [`sysext::resolve::Spec`].
    pub(crate) specs: Vec<String>,
    /// Whether recommended packages are left out.
    pub(crate) no_weak: bool,
    /// What must come along, or what stands in the way; nothing until that is known.
    pub(crate) chosen: Option<Result<Rc<Vec<ChosenPackage>>, Vec<Obstacle>>>,
    pub(crate) bringing: Option<Bringing>,
    /// Packages that were brought from here.
    brought: BTreeSet<String>,
    /// Those that did not come.
    pub(crate) missing: Vec<Missing>,
}

/// How far what is chosen from is here.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Opening {
    #[default]
    Closed,
    /// So many bytes of so many.
    Fetching(u64, u64),
    Open,
    Failed(String),
}

/// Packages on their way: so many bytes of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Bringing {
    pub(crate) done: u64,
    pub(crate) total: u64,
}

/// What happens.
#[derive(Debug)]
pub(crate) enum FinderAction {
    Offered(String, Vec<CatalogSystem>),
    ForSystem(Option<usize>),
    OpeningTold(u64, u64),
    Opened(Result<(), String>),
    Typed(String),
    Found(Vec<FoundPackage>, usize),
    Asked(String),
    Dropped(String),
    WithoutWeak(bool),
    Chosen(Result<Vec<ChosenPackage>, Vec<Obstacle>>),
    Bringing(Bringing),
    Brought(String),
    BringingEnded(Vec<Missing>),
}

impl Finder {
    /// The system that is chosen.
    pub(crate) fn current(&self) -> Option<&CatalogSystem> {
        self.systems.get(self.system?)
    }

    /// The packages that must come along, as far as that is known.
    pub(crate) fn packages(&self) -> &[ChosenPackage] {
        match &self.chosen {
            Some(Ok(packages)) => packages,
            _ => &[],
        }
    }

    /// Those of them that are not among others.
    pub(crate) fn wanted(&self, present: &[String]) -> Vec<WantedPackage> {
        let files = self.packages().iter().map(|package| &package.file);
        files.filter(|file| !present.contains(&file.nevra)).cloned().collect()
    }

    /// Packages that were brought from here and are no longer needed.
    pub(crate) fn unneeded(&self, present: &[String]) -> Vec<String> {
        let is_needed =
            |nevra: &String| self.packages().iter().any(|package| package.file.nevra == *nevra);
        let brought = present.iter().filter(|nevra| self.brought.contains(*nevra));
        brought.filter(|nevra| !is_needed(nevra)).cloned().collect()
    }

    /// What was typed, where it names packages by itself: a path, a group, a pattern.
    pub(crate) fn typed_spec(&self) -> Option<&str> {
        let words = self.words.trim();
        let is_spec = words.starts_with(['/', '@']) && words.len() > 1 || words.contains('*');
        is_spec.then_some(words)
    }
}

impl Reducible for Finder {
    type Action = FinderAction;

    fn reduce(self: Rc<Self>, action: FinderAction) -> Rc<Self> {
        let mut finder = Rc::unwrap_or_clone(self);
        match action {
            FinderAction::Offered(folder, systems) => {
                finder.folder = folder;
                finder.systems = Rc::new(systems);
            }
            FinderAction::ForSystem(system) => {
                let Self { folder, systems, specs, no_weak, brought, .. } = finder;
                let opening =
                    if system.is_some() { Opening::Fetching(0, 0) } else { Opening::Closed };
                finder = Self {
                    folder,
                    systems,
                    system,
                    opening,
                    specs,
                    no_weak,
                    brought,
                    ..Self::default()
                };
            }
            FinderAction::OpeningTold(done, total) => {
                finder.opening = Opening::Fetching(done, total);
            }
            FinderAction::Opened(Ok(())) => finder.opening = Opening::Open,
            FinderAction::Opened(Err(error)) => finder.opening = Opening::Failed(error),
            FinderAction::Typed(words) => {
                if words.trim().is_empty() {
                    finder.found = None;
                }
                finder.words = words;
            }
            FinderAction::Found(found, all) => finder.found = Some((Rc::new(found), all)),
            FinderAction::Asked(spec) => {
                if !finder.specs.contains(&spec) {
                    finder.specs.push(spec);
                }
                finder.missing.clear();
            }
            FinderAction::Dropped(spec) => {
                finder.specs.retain(|other| *other != spec);
                finder.missing.clear();
            }
            FinderAction::WithoutWeak(no_weak) => finder.no_weak = no_weak,
            FinderAction::Chosen(chosen) => finder.chosen = Some(chosen.map(Rc::new)),
            FinderAction::Bringing(bringing) => {
                finder.bringing = Some(bringing);
                finder.missing.clear();
            }
            FinderAction::Brought(nevra) => drop(finder.brought.insert(nevra)),
            FinderAction::BringingEnded(missing) => {
                finder.bringing = None;
                finder.missing = missing;
            }
        }
        Rc::new(finder)
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn package(name: &str, asked: bool) -> ChosenPackage {
        let nevra = format!("{name}-1-1.noarch");
        let file = WantedPackage {
            nevra,
            url: String::new(),
            size: 1,
            algorithm: "sha256".to_owned(),
            digest: String::new(),
        };
        let (name, evr, arch) = (name.to_owned(), "1-1".to_owned(), "noarch".to_owned());
        ChosenPackage { name, evr, arch, installed: 1, why: String::new(), asked, file }
    }

    fn after(actions: Vec<FinderAction>) -> Rc<Finder> {
        actions.into_iter().fold(Rc::default(), |finder: Rc<Finder>, action| finder.reduce(action))
    }

    #[wasm_bindgen_test]
    fn only_what_was_brought_from_here_is_taken_out_again() {
        let present = ["a-1-1.noarch", "b-1-1.noarch", "own-1-1.noarch"].map(str::to_owned);
        let finder = after(vec![
            FinderAction::Brought("a-1-1.noarch".to_owned()),
            FinderAction::Brought("b-1-1.noarch".to_owned()),
            FinderAction::Chosen(Ok(vec![package("b", true), package("c", false)])),
        ]);
        assert_eq!(finder.unneeded(&present), ["a-1-1.noarch"]);
        let wanted: Vec<String> =
            finder.wanted(&present).into_iter().map(|file| file.nevra).collect();
        assert_eq!(wanted, ["c-1-1.noarch"]);
    }

    #[wasm_bindgen_test]
    fn another_system_keeps_what_was_asked_for() {
        let finder = after(vec![
            FinderAction::ForSystem(Some(0)),
            FinderAction::Asked("htop".to_owned()),
            FinderAction::Asked("htop".to_owned()),
            FinderAction::Chosen(Ok(vec![package("htop", true)])),
            FinderAction::ForSystem(Some(1)),
        ]);
        assert_eq!(finder.specs, ["htop"]);
        assert!(finder.chosen.is_none() && matches!(finder.opening, Opening::Fetching(0, 0)));
    }

    #[wasm_bindgen_test]
    fn paths_groups_and_patterns_name_packages_by_themselves() {
        let typed = |words: &str| {
            let finder = after(vec![FinderAction::Typed(words.to_owned())]);
            finder.typed_spec().map(str::to_owned)
        };
        assert_eq!(typed(" /usr/bin/htop ").as_deref(), Some("/usr/bin/htop"));
        assert_eq!(typed("@base-x").as_deref(), Some("@base-x"));
        assert_eq!(typed("python3-*").as_deref(), Some("python3-*"));
        assert_eq!((typed("htop"), typed("/")), (None, None));
    }
}
