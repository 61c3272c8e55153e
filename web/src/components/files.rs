//! Files: a tree of check boxes. Only the rows in view exist, so 15,000 files are no burden.
//!
//! Keys are those of the tree view pattern (<https://www.w3.org/WAI/ARIA/apg/patterns/treeview/>): arrows, Home, End,
//! space. The focus stays on the tree, which names the current row.

use std::rc::Rc;

use web_sys::{Element, HtmlInputElement, KeyboardEvent};
use yew::{
    Callback, Event, Html, InputEvent, MouseEvent, Properties, TargetCast as _, component, html,
    use_node_ref, use_state,
};

use super::parts::{Card, Icon, icon};
use crate::app::Dispatch;
use crate::browser;
use crate::state::Action;
use crate::tree::{Check, FileTree, Index};

/// Height of a row in pixels, as in the style sheet.
const ROW: usize = 36;
/// Rows beyond the view that exist as well, so that scrolling shows no gaps.
const BEYOND: usize = 8;
/// Most rows in view.
const VIEW: usize = 14;

#[derive(PartialEq, Properties)]
pub(crate) struct FilesProps {
    pub(crate) tree: Rc<FileTree>,
    pub(crate) dispatch: Dispatch,
}

/// The card of files.
#[component]
pub(crate) fn Files(FilesProps { tree, dispatch }: &FilesProps) -> Html {
    if tree.rows.is_empty() && tree.counts() == (0, 0) {
        return Html::default();
    }
    let on_search = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: InputEvent| {
            let input: HtmlInputElement = event.target_unchecked_into();
            dispatch.dispatch(Action::Filtered(input.value()));
        })
    };
    let (chosen, all) = tree.counts();
    let aside = html! { <span class="card__aside">{ format!("{chosen} of {all} chosen") }</span> };
    html! {
        <Card id="files" title="Files" {aside}>
            <div class="pf-v6-c-form-control search">
                <input type="search" id="search" placeholder="Search files" aria-label="Search files" oninput={on_search} />
            </div>
            <TreeView tree={Rc::clone(tree)} dispatch={dispatch.clone()} />
            if tree.rows.is_empty() {
                <p class="muted">{ "No file has this in its path." }</p>
            }
        </Card>
    }
}

/// The tree itself.
#[component]
fn TreeView(FilesProps { tree, dispatch }: &FilesProps) -> Html {
    let view = use_node_ref();
    let scrolled = use_state(|| 0_usize);
    let current = use_state(|| 0_usize);
    let at = (*current).min(tree.rows.len().saturating_sub(1));
    let on_scroll = {
        let scrolled = scrolled.clone();
        Callback::from(move |event: Event| {
            let top = event.target_unchecked_into::<Element>().scroll_top();
            scrolled.set(usize::try_from(top).unwrap_or_default() / ROW);
        })
    };
    let on_key = {
        let (tree, dispatch, current, view) =
            (Rc::clone(tree), dispatch.clone(), current.clone(), view.clone());
        Callback::from(move |event: KeyboardEvent| {
            let Some(next) = on_key(&event, &tree, &dispatch, at) else { return };
            event.prevent_default();
            current.set(next);
            if let Some(view) = view.cast::<Element>() {
                scroll_to(&view, next);
            }
        })
    };
    let start = scrolled.saturating_sub(BEYOND);
    let end = (*scrolled + VIEW + BEYOND).min(tree.rows.len());
    let rows =
        tree.rows.get(start..end).unwrap_or_default().iter().enumerate().map(|(offset, &index)| {
            let place = start + offset;
            let current = current.clone();
            let on_current = Callback::from(move |()| current.set(place));
            row(tree, index, place, place == at, dispatch, &on_current)
        });
    let height = tree.rows.len().min(VIEW) * ROW;
    let active = tree
        .rows
        .get(at)
        .filter(|_| (start..end).contains(&at))
        .map(|index| format!("file-{index}"));
    html! {
        <div ref={view} class="tree" id="tree" role="tree" tabindex="0" aria-label="Files of the extension"
            aria-activedescendant={active} style={format!("height: {height}px")} onscroll={on_scroll} onkeydown={on_key}>
            <div class="tree__all" role="presentation" style={format!("height: {}px", tree.rows.len() * ROW)}>
                { for rows }
            </div>
        </div>
    }
}

fn row(
    tree: &Rc<FileTree>,
    index: Index,
    place: usize,
    is_current: bool,
    dispatch: &Dispatch,
    on_current: &Callback<()>,
) -> Html {
    let node = &tree.nodes[index];
    let check = node.check();
    let siblings =
        tree.parent(index).map(|parent| tree.nodes[parent].children.as_slice()).unwrap_or_default();
    let position = siblings.iter().position(|sibling| *sibling == index).map_or(1, |at| at + 1);
    let is_open = tree.is_open(index);
    let toggle = {
        let (dispatch, on_current) = (dispatch.clone(), on_current.clone());
        Callback::from(move |_: MouseEvent| {
            on_current.emit(());
            dispatch.dispatch(Action::Toggled(index));
        })
    };
    let open = {
        let (dispatch, on_current) = (dispatch.clone(), on_current.clone());
        Callback::from(move |event: MouseEvent| {
            event.stop_propagation();
            on_current.emit(());
            dispatch.dispatch(Action::Opened(index, !is_open));
        })
    };
    let has_children = !node.children.is_empty();
    let picture = match (node.depth, node.is_folder) {
        (0, _) => Icon::Box,
        (_, true) => Icon::Folder,
        _ => Icon::File,
    };
    let class = format!("row {}", if is_current { "row--current" } else { "" });
    let style = format!("top: {}px; --depth: {}", place * ROW, node.depth);
    html! {
        <div key={index} id={format!("file-{index}")} {class} {style} role="treeitem" onclick={toggle}
            aria-level={(node.depth + 1).to_string()} aria-checked={check.aria()}
            aria-setsize={siblings.len().max(1).to_string()} aria-posinset={position.to_string()}
            aria-expanded={has_children.then(|| is_open.to_string())}>
            <span class={format!("row__chevron {}", if is_open { "row__chevron--open" } else { "" })}
                onclick={has_children.then_some(open)}>
                if has_children { { icon(Icon::Chevron) } }
            </span>
            <span class={check_class(check)} aria-hidden="true"></span>
            <span class="row__icon">{ icon(picture) }</span>
            <span class="row__name">{ &node.name }</span>
            <span class="row__size">{ browser::bytes(node.size) }</span>
        </div>
    }
}

fn check_class(check: Check) -> &'static str {
    match check {
        Check::On => "check check--on",
        Check::Off => "check",
        Check::Mixed => "check check--mixed",
    }
}

/// What a key does; gives the row that is current after it.
fn on_key(event: &KeyboardEvent, tree: &FileTree, dispatch: &Dispatch, at: usize) -> Option<usize> {
    let &index = tree.rows.get(at)?;
    let node = &tree.nodes[index];
    let last = tree.rows.len() - 1;
    let row_of = |index: Index| tree.rows.iter().position(|row| *row == index);
    Some(match event.key().as_str() {
        "ArrowDown" => (at + 1).min(last),
        "ArrowUp" => at.saturating_sub(1),
        "PageDown" => (at + VIEW).min(last),
        "PageUp" => at.saturating_sub(VIEW),
        "Home" => 0,
        "End" => last,
        "ArrowRight" if !node.children.is_empty() && !tree.is_open(index) => {
            dispatch.dispatch(Action::Opened(index, true));
            at
        }
        "ArrowRight" if !node.children.is_empty() => (at + 1).min(last),
        "ArrowLeft" if !node.children.is_empty() && tree.is_open(index) => {
            dispatch.dispatch(Action::Opened(index, false));
            at
        }
        "ArrowLeft" => tree.parent(index).and_then(row_of).unwrap_or(at),
        " " | "Enter" => {
            dispatch.dispatch(Action::Toggled(index));
            at
        }
        _ => return None,
    })
}

/// Brings a row into view.
fn scroll_to(view: &Element, row: usize) {
    let (top, bottom) = (row * ROW, (row + 1) * ROW);
    let seen = usize::try_from(view.scroll_top()).unwrap_or_default();
    let height = usize::try_from(view.client_height()).unwrap_or_default();
    let to = if top < seen {
        top
    } else if bottom > seen + height {
        bottom - height
    } else {
        return;
    };
    view.set_scroll_top(i32::try_from(to).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use gloo::timers::future::TimeoutFuture;
    use wasm_bindgen_test::wasm_bindgen_test;
    use yew::use_reducer;

    use super::*;
    use crate::protocol::{FileInfo, PackageInfo};
    use crate::state::State;

    #[component]
    fn Page() -> Html {
        let state = use_reducer(State::default);
        let mut tree = FileTree::default();
        let path = |number: usize| format!("/usr/share/{number:05}").into_bytes();
        let files = (0..15_000).map(|number| FileInfo {
            path: sysext::PathBytes(path(number)),
            size: 1,
            is_folder: false,
        });
        let info = PackageInfo {
            name: "many".into(),
            nevra: "many-1-1.noarch".into(),
            evr: "1-1".into(),
            arch: "noarch".into(),
            summary: String::new(),
            installed: 15_000,
            files: files.collect(),
        };
        tree.add(0, &info);
        html! { <Files tree={Rc::new(tree)} dispatch={state.dispatcher()} /> }
    }

    #[wasm_bindgen_test]
    async fn only_rows_in_view_exist() {
        let document = gloo::utils::document();
        let root = document.create_element("div").expect("an element");
        gloo::utils::body().append_child(&root).expect("a place");
        yew::Renderer::<Page>::with_root(root.clone()).render();
        TimeoutFuture::new(0).await;
        let rows = root.query_selector_all("[role=treeitem]").expect("rows").length();
        assert!((VIEW as u32..60).contains(&rows), "{rows} rows");
        let all = root.query_selector(".tree__all").expect("a tree").expect("a tree");
        let style = all.get_attribute("style").unwrap_or_default();
        assert_eq!(style, format!("height: {}px", 15_003 * ROW), "room for all rows");
    }
}
