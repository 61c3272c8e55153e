//! The extension: name, target, what is to be known of it, and the button that makes it.

use sysext::{Arch, Phase, Profile, Progress};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::{
    Callback, Event, Html, InputEvent, Properties, SubmitEvent, TargetCast as _, component, html,
};

use super::findings::Findings;
use super::parts::{Alert, Card, Tone, bar};
use super::system::{etc_field, services_field};
use crate::app::Dispatch;
use crate::browser::bytes;
use crate::state::{Action, Job, RELEASES, State};

#[derive(PartialEq, Properties)]
pub(crate) struct ExtensionProps {
    pub(crate) state: State,
    pub(crate) dispatch: Dispatch,
    pub(crate) on_compose: Callback<()>,
    pub(crate) on_cancel: Callback<()>,
}

/// The card of the extension.
#[component]
pub(crate) fn Extension(props: &ExtensionProps) -> Html {
    let ExtensionProps { state, dispatch, on_compose, on_cancel } = props;
    let submit = {
        let (on_compose, ready) = (on_compose.clone(), state.obstacle().is_none());
        let running = matches!(state.job, Job::Running(_));
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if ready && !running {
                on_compose.emit(());
            }
        })
    };
    html! {
        <Card id="extension" title="Extension">
            <form class="form" onsubmit={submit} novalidate=true>
                { name_field(state, dispatch) }
                { system(state, dispatch) }
                { services_field(state, dispatch) }
                { options(state, dispatch) }
                { outlook(state) }
                { actions(state, on_cancel) }
            </form>
        </Card>
    }
}

fn name_field(state: &State, dispatch: &Dispatch) -> Html {
    let dispatch = dispatch.clone();
    let oninput = Callback::from(move |event: InputEvent| {
        dispatch.dispatch(Action::Named(event.target_unchecked_into::<HtmlInputElement>().value()));
    });
    let error =
        state.name_error().filter(|_| state.typed_name.is_some() || !state.name().is_empty());
    let class = format!("pf-v6-c-form-control {}", if error.is_some() { "pf-m-error" } else { "" });
    html! {
        <div>
            <label class="form__label" for="name">{ "Name" }</label>
            <span {class}>
                <input id="name" value={state.name()} {oninput} spellcheck="false" autocomplete="off"
                    aria-describedby="name-help" aria-invalid={error.is_some().to_string()} />
            </span>
            <p id="name-help" class={if error.is_some() { "form__help form__help--error" } else { "form__help" }}>
                { error.unwrap_or_else(|| "The image is installed as NAME.raw.".to_owned()) }
            </p>
        </div>
    }
}

/// What it is for: the system that was chosen, or a release and an architecture.
fn system(state: &State, dispatch: &Dispatch) -> Html {
    if let Some(system) = &state.system {
        return html! {
            <div>
                <p class="form__label">{ "For" }</p>
                <p id="for">{ format!("{}, {}", system.title, system.arch.rpm()) }</p>
            </div>
        };
    }
    html! {
        <div class="form__pair">
            { release_field(state, dispatch) }
            { arch_field(state, dispatch) }
        </div>
    }
}

fn release_field(state: &State, dispatch: &Dispatch) -> Html {
    let options = RELEASES.iter().map(|release| {
        let label = format!("Fedora {release}");
        ((*release).to_owned(), label, *release == state.release)
    });
    let dispatch = dispatch.clone();
    let on_choice = Callback::from(move |value: String| dispatch.dispatch(Action::Released(value)));
    select("release", "Release", options, None, &on_choice)
}

fn arch_field(state: &State, dispatch: &Dispatch) -> Html {
    let chosen = state.arch();
    let options = Arch::ALL
        .into_iter()
        .map(|arch| (arch.rpm().to_owned(), arch.rpm().to_owned(), arch == chosen));
    let dispatch = dispatch.clone();
    let on_choice = Callback::from(move |value: String| {
        if let Ok(arch) = value.parse() {
            dispatch.dispatch(Action::ForArch(arch));
        }
    });
    select("arch", "Architecture", options, None, &on_choice)
}

/// A field with options of value, label and whether it is chosen, and perhaps a word of help.
pub(super) fn select(
    id: &'static str,
    label: &'static str,
    options: impl Iterator<Item = (String, String, bool)>,
    help: Option<String>,
    on_choice: &Callback<String>,
) -> Html {
    let onchange =
        on_choice.reform(|event: Event| event.target_unchecked_into::<HtmlSelectElement>().value());
    let help_id = format!("{id}-help");
    html! {
        <div>
            <label class="form__label" for={id}>{ label }</label>
            <span class="pf-v6-c-form-control select">
                <select {id} {onchange} aria-describedby={help.is_some().then(|| help_id.clone())}>
                    { for options.map(|(value, label, selected)| html! { <option {value} {selected}>{ label }</option> }) }
                </select>
            </span>
            if let Some(help) = help {
                <p id={help_id} class="form__help">{ help }</p>
            }
        </div>
    }
}

fn options(state: &State, dispatch: &Dispatch) -> Html {
    let checked = |event: &Event| event.target_unchecked_into::<HtmlInputElement>().checked();
    let on_any = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            dispatch.dispatch(Action::ForAnyRelease(checked(&event)));
        })
    };
    html! {
        <details class="more">
            <summary>{ "More choices" }</summary>
            <div class="pf-v6-c-check">
                <input class="pf-v6-c-check__input" type="checkbox" id="any-release" checked={state.any_release} onchange={on_any} />
                <label class="pf-v6-c-check__label" for="any-release">{ "Merge on any distribution and release" }</label>
                <span class="pf-v6-c-check__description">
                    { "Only for programs that need nothing of the system. Others break on the next release, and systemd no longer guards against it." }
                </span>
            </div>
            { etc_field(state, dispatch) }
            { profile_field(state, dispatch) }
        </details>
    }
}

/// How files are stored.
fn profile_field(state: &State, dispatch: &Dispatch) -> Html {
    let describe = |profile| match profile {
        Profile::None => ("Not compressed", "For those who compress the download themselves."),
        Profile::Compat => ("As Fedora does", "LZ4 in small clusters, fast to make and to read."),
        Profile::Default => ("Smaller", "About a quarter smaller, and slower to make."),
        Profile::Small => {
            ("Smallest", "Small files are packed together; slower to read here and there.")
        }
    };
    let options = Profile::ALL.into_iter().map(|profile| {
        (profile.to_string(), describe(profile).0.to_owned(), profile == state.profile)
    });
    let dispatch = dispatch.clone();
    let on_choice = Callback::from(move |value: String| {
        if let Ok(profile) = value.parse() {
            dispatch.dispatch(Action::Stored(profile));
        }
    });
    let kernel = sysext::erofs::Options::new(state.profile).kernel();
    let help = format!("{} Linux {kernel} or later reads it.", describe(state.profile).1);
    select("profile", "Compression", options, Some(help), &on_choice)
}

/// What the extension will be.
fn outlook(state: &State) -> Html {
    let Some(Ok(plan)) = state.plan.as_ref().filter(|_| state.read().next().is_some()) else {
        return Html::default();
    };
    html! {
        <>
            <p class="outlook">{ format!("{} files, {} before compression", plan.files, bytes(plan.content_size)) }</p>
            <Findings findings={plan.findings.clone()} />
        </>
    }
}

fn actions(state: &State, on_cancel: &Callback<()>) -> Html {
    let cancel = on_cancel.reform(|_| ());
    if let Job::Running(progress) = &state.job {
        return html! {
            <div class="running">
                { progress_bar(*progress) }
                <button type="button" id="cancel" class="pf-v6-c-button pf-m-secondary" onclick={cancel}>{ "Cancel" }</button>
            </div>
        };
    }
    let obstacle = state.obstacle();
    html! {
        <>
            if let Job::Failed(error) = &state.job {
                <div role="alert"><Alert tone={Tone::Danger} title="No image was made">{ error }</Alert></div>
            }
            <button type="submit" id="compose" class="pf-v6-c-button pf-m-primary pf-m-block compose"
                disabled={obstacle.is_some()} aria-describedby="obstacle">
                { "Compose the image" }
            </button>
            <p id="obstacle" class="form__help">{ obstacle.unwrap_or_default() }</p>
        </>
    }
}

fn progress_bar(progress: Option<Progress>) -> Html {
    let Progress { phase, done, total } =
        progress.unwrap_or(Progress { phase: Phase::Packing, done: 0, total: 0 });
    let what = match phase {
        Phase::Packing => "Packing",
        Phase::Hashing => "Computing the digest",
    };
    bar("progress", what, done, total)
}
