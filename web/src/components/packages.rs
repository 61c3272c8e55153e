//! Packages: dropping, choosing, the list.

use web_sys::{DragEvent, File, HtmlInputElement};
use yew::{
    Callback, Event, Html, NodeRef, Properties, TargetCast as _, component, html, use_node_ref,
    use_state,
};

use super::parts::{Card, Icon, icon};
use crate::app::Dispatch;
use crate::protocol::Key;
use crate::state::{Action, Info, Package, State};
use crate::{browser, intake};

#[derive(PartialEq, Properties)]
pub(crate) struct PackagesProps {
    pub(crate) state: State,
    pub(crate) on_add: Callback<Vec<File>>,
    pub(crate) on_remove: Callback<Key>,
    pub(crate) dispatch: Dispatch,
}

/// The card of packages.
#[component]
pub(crate) fn Packages(props: &PackagesProps) -> Html {
    let PackagesProps { state, on_add, on_remove, dispatch } = props;
    let clear = {
        let (dispatch, on_remove) = (dispatch.clone(), on_remove.clone());
        let keys: Vec<Key> = state.packages.iter().map(|package| package.key).collect();
        Callback::from(move |_| {
            keys.iter().for_each(|key| on_remove.emit(*key));
            dispatch.dispatch(Action::Cleared);
            browser::focus("packages");
        })
    };
    let aside = html! {
        if state.packages.len() > 1 {
            <button type="button" class="pf-v6-c-button pf-m-link pf-m-small" onclick={clear}>{ "Remove all" }</button>
        }
    };
    html! {
        <Card id="packages" title="Packages" {aside}>
            <DropZone on_add={on_add.clone()} small={!state.packages.is_empty()} dispatch={dispatch.clone()} />
            if !state.packages.is_empty() {
                <ul class="packages" aria-label="Packages of the extension">
                    { for state.packages.iter().map(|package| row(package, on_remove)) }
                </ul>
            }
        </Card>
    }
}

fn row(package: &Package, on_remove: &Callback<Key>) -> Html {
    let key = package.key;
    let remove = on_remove.reform(move |_| {
        browser::focus("packages");
        key
    });
    let file = package.file.name();
    let (title, detail, class) = match &package.info {
        Info::Reading => (file.clone(), "Reading …".to_owned(), ""),
        Info::Failed(error) => (file.clone(), error.clone(), "package--failed"),
        Info::Read(info) => {
            let size = browser::bytes(info.installed);
            (
                format!("{} {}", info.name, info.evr),
                format!("{} · {} · {size}", info.summary, info.arch),
                "",
            )
        }
    };
    html! {
        <li key={key} class={format!("package {class}")}>
            <span class="package__icon">{ icon(if class.is_empty() { Icon::Box } else { Icon::Error }) }</span>
            <span class="package__text">
                <span class="package__name">{ title }</span>
                <span class="package__detail">{ detail }</span>
            </span>
            <button type="button" class="pf-v6-c-button pf-m-plain" onclick={remove} aria-label={format!("Remove {file}")}>
                { icon(Icon::Close) }
            </button>
        </li>
    }
}

#[derive(PartialEq, Properties)]
struct DropZoneProps {
    on_add: Callback<Vec<File>>,
    small: bool,
    dispatch: Dispatch,
}

/// Where files are dropped or chosen.
#[component]
fn DropZone(DropZoneProps { on_add, small, dispatch }: &DropZoneProps) -> Html {
    let over = use_state(|| false);
    let (files, folder) = (use_node_ref(), use_node_ref());
    let on_over = {
        let over = over.clone();
        Callback::from(move |event: DragEvent| {
            event.prevent_default();
            over.set(true);
        })
    };
    let on_leave = {
        let over = over.clone();
        Callback::from(move |_: DragEvent| over.set(false))
    };
    let on_drop = {
        let (over, on_add) = (over.clone(), on_add.clone());
        Callback::from(move |event: DragEvent| {
            event.prevent_default();
            over.set(false);
            let (transfer, on_add) = (event.data_transfer(), on_add.clone());
            wasm_bindgen_futures::spawn_local(async move {
                if let Some(transfer) = transfer {
                    on_add.emit(intake::dropped(transfer).await);
                }
            });
        })
    };
    let on_choice = {
        let on_add = on_add.clone();
        Callback::from(move |event: Event| {
            on_add.emit(intake::chosen(&event.target_unchecked_into::<HtmlInputElement>()));
        })
    };
    let open = |input: &NodeRef| {
        let input = input.clone();
        Callback::from(move |_| {
            if let Some(input) = input.cast::<HtmlInputElement>() {
                input.click();
            }
        })
    };
    let class = format!(
        "drop {} {}",
        if *over { "drop--over" } else { "" },
        if *small { "drop--small" } else { "" }
    );
    html! {
        <div {class} ondragenter={on_over.clone()} ondragover={on_over} ondragleave={on_leave} ondrop={on_drop}>
            <span class="drop__icon">{ icon(Icon::Upload) }</span>
            <p class="drop__text">{ "Drop RPM packages or folders here, or an image to look into" }</p>
            <div class="drop__buttons">
                <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={open(&files)}>{ "Choose packages" }</button>
                <button type="button" class="pf-v6-c-button pf-m-link" onclick={open(&folder)}>{ "Choose a folder" }</button>
                if !*small {
                    <Demo on_add={on_add.clone()} dispatch={dispatch.clone()} />
                }
            </div>
            <input ref={files} id="choose-packages" type="file" multiple=true accept=".rpm,.raw,.erofs,.img,application/x-rpm" hidden=true
                aria-label="Packages, or an image" onchange={on_choice.clone()} />
            <input ref={folder} id="choose-folder" type="file" multiple=true webkitdirectory=true hidden=true
                aria-label="Folder of packages" onchange={on_choice} />
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct DemoProps {
    on_add: Callback<Vec<File>>,
    dispatch: Dispatch,
}

/// A package for those who have none at hand.
#[component]
fn Demo(DemoProps { on_add, dispatch }: &DemoProps) -> Html {
    let Some(url) = browser::demo_url() else { return Html::default() };
    let (on_add, dispatch) = (on_add.clone(), dispatch.clone());
    let fetch = Callback::from(move |_| {
        let (url, on_add, dispatch) = (url.clone(), on_add.clone(), dispatch.clone());
        wasm_bindgen_futures::spawn_local(async move {
            match intake::demo(&url).await {
                Ok(file) => on_add.emit(vec![file]),
                Err(error) => dispatch.dispatch(Action::Said(error)),
            }
        });
    });
    html! {
        <button type="button" id="demo" class="pf-v6-c-button pf-m-link" onclick={fetch}
            title="The command line of this very program: its extension puts sysext-composer on your system">
            { "Try the demo package" }
        </button>
    }
}
