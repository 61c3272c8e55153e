//! The page as a whole: state, workers, layout.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use web_sys::File;
use yew::{
    Callback, Html, UseReducerDispatcher, component, hook, html, use_effect_with, use_mut_ref,
    use_reducer, use_state,
};

use crate::agent::{Agent, Answer};
use crate::browser::{self, Abilities};
use crate::components::{
    Alert, Extension, Files, FinderCard, LookCard, Masthead, Packages, ResultCard, Tone,
};
use crate::intake::{self, Sorted};
use crate::protocol::{Key, Request, Response};
use crate::state::{Action, Job, Made, State};

/// How components change the state.
pub(crate) type Dispatch = UseReducerDispatcher<State>;

/// The page.
#[component]
pub(crate) fn App() -> Html {
    let state = use_reducer(State::default);
    let workers = use_workers(state.dispatcher(), &state);
    let on_add = {
        let (workers, state) = (workers.clone(), state.clone());
        Callback::from(move |files: Vec<File>| add(files, &workers, &state.dispatcher()))
    };
    let on_remove = {
        let (workers, dispatch) = (workers.clone(), state.dispatcher());
        Callback::from(move |key: Key| {
            workers.send(&Request::Forget { key }, &[]);
            dispatch.dispatch(Action::Removed(key));
        })
    };
    let on_unneeded = {
        let (on_remove, state) = (on_remove.clone(), state.clone());
        Callback::from(move |unneeded: Vec<String>| {
            let read = state.read().filter(|(_, info)| unneeded.contains(&info.nevra));
            read.for_each(|(package, _)| on_remove.emit(package.key));
        })
    };
    let on_system = {
        let dispatch = state.dispatcher();
        Callback::from(move |system| dispatch.dispatch(Action::ForSystem(system)))
    };
    let present: Vec<String> = state.read().map(|(_, info)| info.nevra.clone()).collect();
    let on_compose = {
        let (workers, state) = (workers.clone(), state.clone());
        Callback::from(move |()| workers.compose(&state))
    };
    let on_cancel = {
        let (workers, dispatch) = (workers, state.dispatcher());
        Callback::from(move |()| {
            workers.cancel();
            dispatch.dispatch(Action::Cancelled);
        })
    };
    let dispatch = state.dispatcher();
    let on_close = {
        let dispatch = dispatch.clone();
        Callback::from(move |()| {
            dispatch.dispatch(Action::LookedAway);
            browser::focus("packages");
        })
    };
    html! {
        <>
            <a class="skip pf-v6-c-button pf-m-primary" href="#main">{ "Skip to content" }</a>
            <Masthead />
            <main id="main" class="page" tabindex="-1">
                <div class="page__intro">
                    <h1>{ "Make a system extension" }</h1>
                    <p>
                        { "From RPM packages to an image that " }<code>{ "systemd-sysext" }</code>
                        { " lays over the read-only " }<code>{ "/usr" }</code>
                        { " of CoreOS, Silverblue, Kinoite, Bazzite and their kin. It is made in this tab: nothing is uploaded." }
                    </p>
                </div>
                <Limits />
                <div class="page__columns">
                    <div class="page__column">
                        <FinderCard {present} {on_system} on_add={on_add.clone()} on_remove={on_unneeded} />
                        <Packages state={(*state).clone()} {on_add} {on_remove} dispatch={dispatch.clone()} />
                        <Files tree={Rc::clone(&state.tree)} dispatch={dispatch.clone()} />
                        if let Some(image) = &state.image {
                            <LookCard file={image.clone()} {on_close} />
                        }
                    </div>
                    <div class="page__column page__column--side">
                        <Extension state={(*state).clone()} dispatch={dispatch.clone()} {on_compose} {on_cancel} />
                        if let Job::Done(made) = &state.job {
                            <ResultCard made={Rc::clone(made)} dispatch={dispatch.clone()} />
                        }
                    </div>
                </div>
            </main>
            <footer class="footer">
                { "Free software under MIT or Apache-2.0. The same packages give the same image on the command line: " }
                <code>{ "sysext-composer compose" }</code>{ "." }
            </footer>
            <div class="sr-only" role="status" aria-live="polite">{ &state.said }</div>
        </>
    }
}

/// What this browser lacks, said at once.
#[component]
fn Limits() -> Html {
    let abilities = use_state(|| None);
    {
        let abilities = abilities.clone();
        use_effect_with((), move |()| {
            wasm_bindgen_futures::spawn_local(async move {
                abilities.set(Some(Abilities::detect().await));
            });
        });
    }
    let Some(abilities) = *abilities else { return Html::default() };
    html! {
        <>
            if !abilities.workers {
                <Alert tone={Tone::Warning} title="This browser has no workers">
                    { "Composing runs on the page itself: it may pause, and is slower." }
                </Alert>
            }
            if !abilities.opfs {
                <Alert tone={Tone::Info} title="This browser gives the page no private storage">
                    { "The image is kept in memory until you download it. For images of several hundred megabytes use another window or browser." }
                </Alert>
            }
        </>
    }
}

/// Takes files in: packages are read in the worker, an image is looked into, others are said to be neither.
fn add(files: Vec<File>, workers: &Workers, dispatch: &Dispatch) {
    let Sorted { packages, images, others } = intake::sort(files);
    if packages.is_empty() && images.is_empty() {
        let what = if others == 0 {
            "There was no file."
        } else {
            "None of the files is an RPM package or an image."
        };
        dispatch.dispatch(Action::Said(what.to_owned()));
    }
    for file in packages {
        let key = workers.next_key();
        dispatch.dispatch(Action::Added(key, file.clone()));
        workers.send(&Request::Read { key }, &[file]);
    }
    // One look at a time.
    if let Some(image) = images.into_iter().next() {
        dispatch.dispatch(Action::LookedInto(image));
    }
}

/// The worker that reads and plans, and the one that composes while it does.
#[derive(Clone)]
struct Workers {
    reader: Rc<RefCell<Option<Agent>>>,
    composer: Rc<RefCell<Option<Agent>>>,
    serial: Rc<Cell<u32>>,
    keys: Rc<Cell<Key>>,
    dispatch: Dispatch,
}

#[hook]
fn use_workers(dispatch: Dispatch, state: &State) -> Workers {
    let workers = use_mut_ref(|| Workers {
        reader: Rc::default(),
        composer: Rc::default(),
        serial: Rc::default(),
        keys: Rc::default(),
        dispatch,
    });
    let workers = workers.borrow().clone();
    // Every choice changes what the extension will be.
    let chosen: Vec<Key> = state.read().map(|(package, _)| package.key).collect();
    let recipe = (!chosen.is_empty() && state.name_error().is_none()).then(|| state.recipe());
    let planner = workers.clone();
    use_effect_with((chosen, recipe, state.system.clone()), move |(keys, recipe, system)| {
        if let Some(recipe) = recipe {
            let serial = planner.serial.get() + 1;
            planner.serial.set(serial);
            let base: Vec<File> = system.iter().map(|system| system.base.clone()).collect();
            planner
                .send(&Request::Plan { serial, keys: keys.clone(), recipe: recipe.clone() }, &base);
        }
    });
    workers
}

impl Workers {
    fn next_key(&self) -> Key {
        let key = self.keys.get();
        self.keys.set(key + 1);
        key
    }

    /// Sends a request to the reader, which starts with the first.
    fn send(&self, request: &Request, files: &[File]) {
        let mut reader = self.reader.borrow_mut();
        let reader = reader.get_or_insert_with(|| {
            let (dispatch, serial) = (self.dispatch.clone(), Rc::clone(&self.serial));
            Agent::new(Callback::from(move |(response, _): Answer| match response {
                Response::Read { key, package } => dispatch.dispatch(Action::Read(key, package)),
                // A later choice makes an earlier plan void.
                Response::Planned { serial: of, plan } if of == serial.get() => {
                    dispatch.dispatch(Action::Planned(plan));
                }
                Response::Failed(error) => dispatch.dispatch(Action::Said(error)),
                _ => {}
            }))
        });
        reader.send(request, files);
    }

    /// Composes in a worker of its own, so that cancelling can end it.
    fn compose(&self, state: &State) {
        let any_release = state.any_release;
        let (dispatch, composer) = (self.dispatch.clone(), Rc::clone(&self.composer));
        let on_answer = Callback::from(move |(response, file): Answer| match (response, file) {
            (Response::Progress(progress), _) => dispatch.dispatch(Action::Progressed(progress)),
            (Response::Composed { report, seconds, workers, in_memory }, Some(file)) => {
                let action = match web_sys::Url::create_object_url_with_blob(&file) {
                    Ok(url) => Action::Composed(Made {
                        report: *report,
                        file,
                        url,
                        seconds,
                        workers,
                        in_memory,
                        any_release,
                    }),
                    Err(_) => Action::Failed("the browser cannot offer the image".to_owned()),
                };
                dispatch.dispatch(action);
                end(&composer);
            }
            (Response::Failed(error), _) => {
                dispatch.dispatch(Action::Failed(error));
                end(&composer);
            }
            _ => {}
        });
        let base = state.system.iter().map(|system| system.base.clone());
        let packages = state.read().map(|(package, _)| package.file.clone());
        let files: Vec<File> = base.chain(packages).collect();
        let request = Request::Compose { recipe: state.recipe(), on_base: state.system.is_some() };
        let agent = Agent::new(on_answer);
        agent.send(&request, &files);
        *self.composer.borrow_mut() = Some(agent);
        self.dispatch.dispatch(Action::Started);
    }

    fn cancel(&self) {
        self.composer.borrow_mut().take();
    }
}

/// Ends a worker from within its own answer: after that.
fn end(agent: &Rc<RefCell<Option<Agent>>>) {
    let agent = Rc::clone(agent);
    gloo::timers::callback::Timeout::new(0, move || drop(agent.borrow_mut().take())).forget();
}
