//! A look into an image: what it is, what it holds, whether it is whole.

use std::cell::RefCell;
use std::rc::Rc;

use sysext::{Entry, EntryKind, Inspection};
use web_sys::File;
use yew::{
    Callback, Html, Properties, UseReducerHandle, component, hook, html, use_effect_with,
    use_mut_ref, use_reducer,
};

use super::parts::{Alert, Card, Icon, Tone, bar, icon};
use super::tree_view::{TreeView, search};
use crate::agent::{Agent, Answer};
use crate::browser::{self, bytes};
use crate::look::{Look, LookAction, Verdict};
use crate::protocol::{Request, Response};

#[derive(PartialEq, Properties)]
pub(crate) struct LookProps {
    pub(crate) file: File,
    pub(crate) on_close: Callback<()>,
}

/// The card of an image.
#[component]
pub(crate) fn LookCard(LookProps { file, on_close }: &LookProps) -> Html {
    let look = use_reducer(Look::default);
    let send = use_worker(file, &look);
    let close = on_close.reform(|_| ());
    let aside = html! {
        <button type="button" id="close-look" class="pf-v6-c-button pf-m-plain" onclick={close} aria-label="Close the image">
            { icon(Icon::Close) }
        </button>
    };
    html! {
        <Card id="look" title={format!("Inside {}", file.name())} {aside}>
            {
                match &look.image {
                    None => html! { <p class="muted">{ "Reading …" }</p> },
                    Some(Err(error)) => html! {
                        <div role="alert">
                            <Alert tone={Tone::Danger} title="This is no image that can be read">{ error }</Alert>
                        </div>
                    },
                    Some(Ok(image)) => html! {
                        <>
                            { facts(image) }
                            { verdict(&look.verdict, &send) }
                            { files(&look) }
                            { details(&look, &send) }
                        </>
                    },
                }
            }
        </Card>
    }
}

/// A worker of the image's own, so that closing the card ends what it does. Gives how to ask it.
#[hook]
fn use_worker(file: &File, look: &UseReducerHandle<Look>) -> Callback<Request> {
    let agent = use_mut_ref(|| None::<Agent>);
    let dispatch = look.dispatcher();
    let begin = Rc::clone(&agent);
    use_effect_with(file.clone(), move |file| {
        dispatch.dispatch(LookAction::Began(file.name()));
        let on_answer = Callback::from(move |(response, file): Answer| match response {
            Response::Looked(image) => dispatch.dispatch(LookAction::Looked(image)),
            Response::Decoded { done, total } => {
                dispatch.dispatch(LookAction::Judged(Verdict::Running(done, total)));
            }
            Response::Verified(verdict) => {
                let verdict = verdict.map_or_else(Verdict::Broken, Verdict::Whole);
                dispatch.dispatch(LookAction::Judged(verdict));
            }
            Response::Extracted(Ok(())) => file.iter().for_each(browser::save),
            Response::Extracted(Err(error)) | Response::Failed(error) => {
                dispatch.dispatch(LookAction::NotSaved(error));
            }
            _ => {}
        });
        let started = Agent::new(on_answer);
        started.send(&Request::Look, std::slice::from_ref(file));
        begin.replace(Some(started));
        browser::focus("look");
        let agent: Rc<RefCell<Option<Agent>>> = Rc::clone(&begin);
        move || drop(agent.borrow_mut().take())
    });
    let file = file.clone();
    Callback::from(move |request: Request| {
        if let Some(agent) = &*agent.borrow() {
            agent.send(&request, std::slice::from_ref(&file));
        }
    })
}

/// What the image is.
fn facts(image: &Inspection) -> Html {
    let count = image.files.iter().filter(|entry| entry.kind != EntryKind::Directory).count();
    let content = image.files.iter().filter(|entry| entry.hard_link_to.is_none());
    let content = content.filter_map(|entry| entry.size).fold(0, u64::saturating_add);
    html! {
        <>
            if image.extension_release.is_none() {
                <Alert tone={Tone::Info} title="This image is no extension">
                    { "It has no extension-release file: systemd-sysext passes over it." }
                </Alert>
            }
            <dl class="facts">
                if let Some(release) = &image.extension_release {
                    <dt>{ "Extension" }</dt><dd id="look-name">{ &release.name }</dd>
                    <dt>{ "For" }</dt><dd class="facts__code look__release">{ release.content.trim() }</dd>
                }
                <dt>{ "Size" }</dt>
                <dd>{ format!("{} bytes ({} from {})", image.size, bytes(image.size), bytes(content)) }</dd>
                <dt>{ "Files" }</dt><dd id="look-files">{ count }</dd>
                <dt>{ "Needs" }</dt><dd id="look-kernel">{ format!("Linux {}", image.kernel) }</dd>
                <dt>{ "UUID" }</dt><dd class="facts__code">{ &image.uuid }</dd>
            </dl>
        </>
    }
}

/// Whether every byte decodes: asked for, since it takes as long as to read all.
fn verdict(verdict: &Verdict, send: &Callback<Request>) -> Html {
    match verdict {
        Verdict::NotAsked => {
            let verify = send.reform(|_| Request::Verify);
            html! {
                <button type="button" id="verify" class="pf-v6-c-button pf-m-secondary" onclick={verify}>
                    { "Check every byte" }
                </button>
            }
        }
        Verdict::Running(done, total) => bar("verifying", "Decoding", *done, *total),
        Verdict::Whole(content) => html! {
            <p class="made" id="whole" role="status">
                <span class="made__icon">{ icon(Icon::Done) }</span>
                { format!("The image is whole: {} decoded.", bytes(*content)) }
            </p>
        },
        Verdict::Broken(error) => html! {
            <div role="alert"><Alert tone={Tone::Danger} title="The image is damaged">{ error }</Alert></div>
        },
    }
}

/// All paths.
fn files(look: &UseReducerHandle<Look>) -> Html {
    let dispatch = look.dispatcher();
    let on_search = {
        let dispatch = dispatch.clone();
        Callback::from(move |text| dispatch.dispatch(LookAction::Filtered(text)))
    };
    let on_open = {
        let dispatch = dispatch.clone();
        Callback::from(move |(index, open)| dispatch.dispatch(LookAction::Opened(index, open)))
    };
    let on_current = Callback::from(move |index| dispatch.dispatch(LookAction::Current(index)));
    html! {
        <>
            { search("look-search", "Search files of the image", &on_search) }
            <TreeView tree={Rc::clone(&look.tree)} id="look-tree" label="Files of the image" {on_open} {on_current} />
        </>
    }
}

/// The current entry in full.
fn details(look: &Look, send: &Callback<Request>) -> Html {
    let Some((place, entry)) = look.current() else {
        return html! { <p class="form__help">{ "Choose a file to see its mode, owner and label." }</p> };
    };
    let save = send.reform(move |_| Request::Extract { entry: place });
    let row = |name: &'static str, value: Option<&String>| {
        value.map(|value| html! { <><dt>{ name }</dt><dd class="facts__code">{ value }</dd></> })
    };
    html! {
        <div id="look-entry" role="region" aria-label="The chosen file">
            <dl class="facts">
                <dt>{ "Path" }</dt><dd class="facts__code">{ &entry.path }</dd>
                <dt>{ "Kind" }</dt><dd>{ kind(entry) }</dd>
                <dt>{ "Mode" }</dt><dd class="facts__code">{ &entry.mode }</dd>
                <dt>{ "Owner" }</dt><dd class="facts__code">{ format!("{}:{}", entry.uid, entry.gid) }</dd>
                if let Some(size) = entry.size {
                    <dt>{ "Size" }</dt><dd>{ format!("{size} bytes") }</dd>
                }
                { row("Leads to", entry.target.as_ref()) }
                { row("Same file as", entry.hard_link_to.as_ref()) }
                { row("Device", entry.device.as_ref()) }
                { row("Label", entry.label.as_ref()) }
                { row("Capabilities", entry.capabilities.as_ref()) }
                <dt>{ "Changed" }</dt><dd>{ browser::time(entry.mtime) }</dd>
            </dl>
            if entry.kind == EntryKind::File {
                <button type="button" id="save" class="pf-v6-c-button pf-m-secondary" onclick={save}>{ "Save this file" }</button>
            }
            if let Some(error) = &look.failed {
                <div role="alert"><Alert tone={Tone::Danger} title="The file cannot be saved">{ error }</Alert></div>
            }
        </div>
    }
}

fn kind(entry: &Entry) -> &'static str {
    match entry.kind {
        EntryKind::Directory => "Folder",
        EntryKind::File => "File",
        EntryKind::Symlink => "Symbolic link",
        EntryKind::Fifo => "Named pipe",
        EntryKind::Socket => "Socket",
        EntryKind::CharDevice => "Character device",
        EntryKind::BlockDevice => "Block device",
    }
}
