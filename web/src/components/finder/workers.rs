//! The workers of finding packages, and what they answer.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use sysext::catalog::CATALOG;
use sysext::{Catalog, CatalogSystem};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;
use yew::{Callback, UseReducerDispatcher, UseReducerHandle, hook, use_effect_with, use_mut_ref};

use super::FinderProps;
use crate::agent::{Agent, Answer};
use crate::browser;
use crate::finder::{Bringing, Finder, FinderAction, Opening};
use crate::protocol::{Choosing, Missing, Request, Response, WantedPackage};
use crate::state::System;

/// The worker that chooses, and the one that fetches packages, so that cancelling can end it.
#[derive(Clone)]
pub(super) struct Workers {
    chooser: Rc<RefCell<Option<Agent>>>,
    bringer: Rc<RefCell<Option<Agent>>>,
    searches: Rc<Cell<u32>>,
    choices: Rc<Cell<u32>>,
    dispatch: UseReducerDispatcher<Finder>,
    on_add: Callback<Vec<File>>,
}

#[hook]
pub(super) fn use_workers(finder: &UseReducerHandle<Finder>, props: &FinderProps) -> Workers {
    let workers = use_mut_ref(|| Workers {
        chooser: Rc::default(),
        bringer: Rc::default(),
        searches: Rc::default(),
        choices: Rc::default(),
        dispatch: finder.dispatcher(),
        on_add: props.on_add.clone(),
    });
    workers.borrow_mut().on_add = props.on_add.clone();
    let workers = workers.borrow().clone();
    {
        let dispatch = finder.dispatcher();
        use_effect_with((), move |()| {
            wasm_bindgen_futures::spawn_local(async move {
                match catalog().await {
                    Ok(Some((folder, catalog))) => {
                        dispatch.dispatch(FinderAction::Offered(folder, catalog.systems));
                    }
                    Ok(None) => {}
                    Err(error) => dispatch.dispatch(FinderAction::Opened(Err(error))),
                }
            });
        });
    }
    {
        let (workers, on_system) = (workers.clone(), props.on_system.clone());
        let opened = (finder.folder.clone(), finder.current().cloned());
        use_effect_with(opened, move |(folder, system)| {
            workers.close();
            if let Some(system) = system {
                workers.open(folder, system, on_system);
            }
        });
    }
    let is_open = finder.opening == Opening::Open;
    {
        let workers = workers.clone();
        let words = is_open.then(|| finder.words.trim().to_owned());
        use_effect_with(words, move |words| {
            // An answer to what was asked before is void, also where nothing is asked now.
            let serial = next(&workers.searches);
            if let Some(words) = words.as_ref().filter(|words| !words.is_empty()) {
                workers.choose(Choosing::Search { serial, words: words.clone() });
            }
        });
    }
    {
        let workers = workers.clone();
        let asked = is_open.then(|| (finder.specs.clone(), !finder.no_weak));
        use_effect_with(asked, move |asked| {
            if let Some((specs, weak)) = asked {
                let serial = next(&workers.choices);
                workers.choose(Choosing::Choose { serial, specs: specs.clone(), weak: *weak });
            }
        });
    }
    workers
}

fn next(serial: &Cell<u32>) -> u32 {
    serial.set(serial.get() + 1);
    serial.get()
}

impl Workers {
    fn open(&self, folder: &str, system: &CatalogSystem, on_system: Callback<Option<Rc<System>>>) {
        let (dispatch, described) = (self.dispatch.clone(), system.clone());
        let (searches, choices) = (Rc::clone(&self.searches), Rc::clone(&self.choices));
        let on_answer = Callback::from(move |answer: Answer| match answer {
            (Response::Fetching { done, total }, _) => {
                dispatch.dispatch(FinderAction::OpeningTold(done, total));
            }
            (Response::Opened(opened), base) => {
                if let Some(base) = base {
                    let CatalogSystem { title, release, arch, .. } = described.clone();
                    on_system.emit(Some(Rc::new(System { title, release, arch, base })));
                }
                dispatch.dispatch(FinderAction::Opened(opened));
            }
            (Response::Found { serial, found, all }, _) if serial == searches.get() => {
                dispatch.dispatch(FinderAction::Found(found, all));
            }
            (Response::Chosen { serial, chosen }, _) if serial == choices.get() => {
                dispatch.dispatch(FinderAction::Chosen(chosen));
            }
            (Response::Failed(error), _) => {
                dispatch.dispatch(FinderAction::Opened(Err(error)));
            }
            _ => {}
        });
        self.chooser.replace(Some(Agent::new(on_answer)));
        let (folder, system) = (folder.to_owned(), system.clone());
        self.choose(Choosing::Open { folder, system });
    }

    fn choose(&self, choosing: Choosing) {
        if let Some(chooser) = &*self.chooser.borrow() {
            chooser.send(&Request::Choose(choosing), &[]);
        }
    }

    fn close(&self) {
        self.chooser.take();
        self.cancel();
    }

    /// Fetches packages, each of which is added as it comes.
    pub(super) fn bring(&self, packages: Vec<WantedPackage>) {
        let total = packages.iter().map(|package| package.size).sum();
        self.dispatch.dispatch(FinderAction::Bringing(Bringing { done: 0, total }));
        let (dispatch, on_add) = (self.dispatch.clone(), self.on_add.clone());
        let on_answer = Callback::from(move |(response, file): Answer| match response {
            Response::Fetching { done, total } => {
                dispatch.dispatch(FinderAction::Bringing(Bringing { done, total }));
            }
            Response::Brought => {
                if let Some(file) = file {
                    let nevra = file.name().trim_end_matches(".rpm").to_owned();
                    dispatch.dispatch(FinderAction::Brought(nevra));
                    on_add.emit(vec![file]);
                }
            }
            Response::AllBrought(missing) => {
                dispatch.dispatch(FinderAction::BringingEnded(missing));
            }
            Response::Failed(why) => {
                let nevra = "packages".to_owned();
                let missing = Missing { nevra, is_elsewhere: false, why };
                dispatch.dispatch(FinderAction::BringingEnded(vec![missing]));
            }
            _ => {}
        });
        let bringer = Agent::new(on_answer);
        bringer.send(&Request::Bring(packages), &[]);
        self.bringer.replace(Some(bringer));
    }

    /// Ends the fetching of packages.
    pub(super) fn cancel(&self) {
        if self.bringer.take().is_some() {
            self.dispatch.dispatch(FinderAction::BringingEnded(Vec::new()));
        }
    }
}

/// The catalog beside the page, and where it is, if there is one.
async fn catalog() -> Result<Option<(String, Catalog)>, String> {
    let folder = browser::beside_page("catalog/");
    let of_catalog = |error: String| format!("{CATALOG}: {error}");
    let response = browser::fetch(&format!("{folder}{CATALOG}")).await.map_err(of_catalog)?;
    let Some(response) = response else { return Ok(None) };
    let text = |error: JsValue| of_catalog(format!("it cannot be read: {error:?}"));
    let json = JsFuture::from(response.text().map_err(text)?).await.map_err(text)?;
    let catalog = serde_json::from_str(&json.as_string().unwrap_or_default());
    catalog.map(|catalog| Some((folder, catalog))).map_err(|error| of_catalog(error.to_string()))
}
