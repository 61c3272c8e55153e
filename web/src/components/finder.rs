//! Finding packages: a system, words to search for, what comes along.

mod outcome;
mod workers;

use std::rc::Rc;

use web_sys::{File, HtmlInputElement};
use yew::{
    Callback, Event, Html, InputEvent, Properties, SubmitEvent, TargetCast as _, UseReducerHandle,
    component, html, use_reducer,
};

use super::extension::select;
use super::parts::{Alert, Card, Icon, Tone, bar, icon};
use crate::browser;
use crate::finder::{Finder, FinderAction, Opening};
use crate::protocol::FoundPackage;
use crate::state::System;
use workers::use_workers;

#[derive(PartialEq, Properties)]
pub(crate) struct FinderProps {
    /// Packages that the extension has already: name, version, release and architecture.
    pub(crate) present: Vec<String>,
    pub(crate) on_system: Callback<Option<Rc<System>>>,
    pub(crate) on_add: Callback<Vec<File>>,
    /// Packages that are no longer needed.
    pub(crate) on_remove: Callback<Vec<String>>,
}

/// The card where packages are found; nothing where the site has none.
#[component]
pub(crate) fn FinderCard(props: &FinderProps) -> Html {
    let finder = use_reducer(Finder::default);
    let workers = use_workers(&finder, props);
    if finder.systems.is_empty() && finder.opening == Opening::Closed {
        return Html::default();
    }
    html! {
        <Card id="find" title="Find packages">
            if !finder.systems.is_empty() {
                { system_field(&finder, &props.on_system) }
            }
            {
                match &finder.opening {
                    Opening::Closed => Html::default(),
                    Opening::Fetching(done, total) => {
                        bar("opening", "Fetching what there is to choose from", *done, *total)
                    }
                    Opening::Failed(error) => html! {
                        <div role="alert">
                            <Alert tone={Tone::Danger} title="Packages cannot be chosen">{ error }</Alert>
                        </div>
                    },
                    Opening::Open => html! {
                        <>
                            { search_field(&finder) }
                            { results(&finder) }
                            { asked(&finder) }
                            { outcome::outcome(&finder, props, &workers) }
                        </>
                    },
                }
            }
        </Card>
    }
}

fn system_field(
    finder: &UseReducerHandle<Finder>,
    on_system: &Callback<Option<Rc<System>>>,
) -> Html {
    let on_choice = {
        let (dispatch, on_system) = (finder.dispatcher(), on_system.clone());
        Callback::from(move |value: String| {
            // What the system has is known once it has been fetched.
            on_system.emit(None);
            dispatch.dispatch(FinderAction::ForSystem(value.parse().ok()));
        })
    };
    let none = (String::new(), "Choose a system".to_owned(), finder.system.is_none());
    let systems = finder.systems.iter().enumerate().map(|(number, system)| {
        let label = format!("{}, {}", system.title, system.arch.rpm());
        (number.to_string(), label, finder.system == Some(number))
    });
    let help = if finder.system.is_none() {
        "What it has already is not put into the extension. Or add packages as files, below."
    } else {
        "Owners, labels and modes are those that this system has."
    };
    let options = std::iter::once(none).chain(systems);
    select("system", "System", options, Some(help.to_owned()), &on_choice)
}

fn search_field(finder: &UseReducerHandle<Finder>) -> Html {
    let oninput = {
        let dispatch = finder.dispatcher();
        Callback::from(move |event: InputEvent| {
            let words = event.target_unchecked_into::<HtmlInputElement>().value();
            dispatch.dispatch(FinderAction::Typed(words));
        })
    };
    // Enter takes the best.
    let onsubmit = {
        let (dispatch, best) = (finder.dispatcher(), best(finder));
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if let Some(spec) = &best {
                dispatch.dispatch(FinderAction::Asked(spec.clone()));
            }
        })
    };
    html! {
        <form role="search" {onsubmit}>
            <label class="form__label" for="find-words">{ "Packages" }</label>
            <div class="pf-v6-c-text-input-group">
                <div class="pf-v6-c-text-input-group__main pf-m-icon">
                    <span class="pf-v6-c-text-input-group__text">
                        <span class="pf-v6-c-text-input-group__icon">{ icon(Icon::Search) }</span>
                        <input class="pf-v6-c-text-input-group__text-input" type="search" id="find-words"
                            value={finder.words.clone()} {oninput} autocomplete="off" spellcheck="false"
                            placeholder="Name, words, or a path such as /usr/bin/htop" />
                    </span>
                </div>
            </div>
        </form>
    }
}

/// What Enter takes.
fn best(finder: &Finder) -> Option<String> {
    if let Some(spec) = finder.typed_spec() {
        return Some(spec.to_owned());
    }
    let (found, _) = finder.found.as_ref()?;
    found.first().filter(|package| !package.is_there).map(|package| package.spec.clone())
}

fn results(finder: &UseReducerHandle<Finder>) -> Html {
    let spec = finder.typed_spec();
    if let Some(spec) = spec {
        let what = match spec.chars().next() {
            Some('/') => "Whatever package has this path",
            Some('@') => "The packages of this group",
            _ => "Every package whose name fits",
        };
        let found = row(spec, spec, "", what, ask(finder, spec));
        return html! { <ul class="packages found" aria-label="What was typed">{ found }</ul> };
    }
    let Some((found, all)) = &finder.found else { return Html::default() };
    let said = match (*all, found.len()) {
        (0, _) => "No package has this in its name or summary.".to_owned(),
        (1, _) => "1 package".to_owned(),
        (all, shown) if shown < all => format!("{all} packages, the best {shown} of them:"),
        (all, _) => format!("{all} packages"),
    };
    html! {
        <div>
            <p class="form__help" role="status" id="found-said">{ said }</p>
            if !found.is_empty() {
                <ul class="packages found" aria-labelledby="found-said" tabindex="0">
                    { for found.iter().map(|package| result(finder, package)) }
                </ul>
            }
        </div>
    }
}

fn result(finder: &UseReducerHandle<Finder>, package: &FoundPackage) -> Html {
    let FoundPackage { spec, name, evr, arch, summary, is_there } = package;
    let action = if *is_there {
        html! { <span class="muted">{ "On the system" }</span> }
    } else {
        ask(finder, spec)
    };
    row(spec, name, &version(evr, arch), summary, action)
}

/// Version and architecture of a package, behind its name.
fn version(evr: &str, arch: &str) -> String {
    format!(" {evr} · {arch}")
}

/// A package in a list, with something beside it.
fn row(key: &str, name: &str, version: &str, detail: &str, beside: Html) -> Html {
    html! {
        <li key={key.to_owned()} class="package">
            <span class="package__text">
                <span class="package__name">{ name }<span class="package__version">{ version }</span></span>
                <span class="package__detail">{ detail }</span>
            </span>
            { beside }
        </li>
    }
}

/// The button that asks for packages.
fn ask(finder: &UseReducerHandle<Finder>, spec: &str) -> Html {
    let is_asked = finder.specs.iter().any(|other| other == spec);
    let (dispatch, spec) = (finder.dispatcher(), spec.to_owned());
    let label = format!("{}: {spec}", if is_asked { "Take out" } else { "Add" });
    let onclick = Callback::from(move |_| {
        dispatch.dispatch(if is_asked {
            FinderAction::Dropped(spec.clone())
        } else {
            FinderAction::Asked(spec.clone())
        });
    });
    html! {
        <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" aria-label={label} {onclick}>
            { if is_asked { "Take out" } else { "Add" } }
        </button>
    }
}

/// What is asked for.
fn asked(finder: &UseReducerHandle<Finder>) -> Html {
    if finder.specs.is_empty() {
        return Html::default();
    }
    let label = |spec: &String| {
        let (dispatch, of) = (finder.dispatcher(), spec.clone());
        let onclick = Callback::from(move |_| {
            dispatch.dispatch(FinderAction::Dropped(of.clone()));
            browser::focus("find-words");
        });
        html! {
            <li key={spec.clone()} class="pf-v6-c-label pf-m-blue">
                <span class="pf-v6-c-label__content"><span class="pf-v6-c-label__text">{ spec }</span></span>
                <span class="pf-v6-c-label__actions">
                    <button type="button" class="pf-v6-c-button pf-m-no-padding pf-m-plain" {onclick} aria-label={format!("Take out {spec}")}>
                        { icon(Icon::Close) }
                    </button>
                </span>
            </li>
        }
    };
    let onchange = {
        let dispatch = finder.dispatcher();
        Callback::from(move |event: Event| {
            let weak = event.target_unchecked_into::<HtmlInputElement>().checked();
            dispatch.dispatch(FinderAction::WithoutWeak(!weak));
        })
    };
    html! {
        <>
            <ul class="asked" aria-label="Packages that are asked for">{ for finder.specs.iter().map(label) }</ul>
            <div class="pf-v6-c-check">
                <input class="pf-v6-c-check__input" type="checkbox" id="weak" checked={!finder.no_weak} {onchange} />
                <label class="pf-v6-c-check__label" for="weak">{ "Recommended packages, too" }</label>
            </div>
        </>
    }
}
