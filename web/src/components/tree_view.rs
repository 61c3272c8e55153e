//! A tree of files. Only the rows in view exist, so 15,000 files are no burden.
//!
//! Keys are those of the tree view pattern (<https://www.w3.org/WAI/ARIA/apg/patterns/treeview/>): arrows, Home, End,
//! space. The focus stays on the tree, which names the current row.

use std::rc::Rc;

use web_sys::{Element, HtmlInputElement, KeyboardEvent};
use yew::{
    Callback, Event, Html, InputEvent, MouseEvent, Properties, TargetCast as _, component, html,
    use_node_ref, use_state,
};

use super::parts::{Icon, icon};
use crate::browser;
use crate::tree::{Check, FileTree, Index};

/// Height of a row in pixels, as in the style sheet.
pub(super) const ROW: usize = 36;
/// Rows beyond the view that exist as well, so that scrolling shows no gaps.
const BEYOND: usize = 8;
/// Most rows in view.
pub(super) const VIEW: usize = 14;

#[derive(PartialEq, Properties)]
pub(crate) struct TreeViewProps {
    pub(crate) tree: Rc<FileTree>,
    /// Id of the element; rows have it with their index.
    pub(crate) id: &'static str,
    pub(crate) label: &'static str,
    /// Opens or closes a folder.
    pub(crate) on_open: Callback<(Index, bool)>,
    /// Chooses an entry or takes it off; without it the tree has no check boxes.
    #[prop_or_default]
    pub(crate) on_toggle: Option<Callback<Index>>,
    /// Hears of the entry that is current.
    #[prop_or_default]
    pub(crate) on_current: Callback<Index>,
}

/// The tree itself.
#[component]
pub(crate) fn TreeView(props: &TreeViewProps) -> Html {
    let TreeViewProps { tree, id, label, .. } = props;
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
    let set_current = {
        let (tree, on_current) = (Rc::clone(tree), props.on_current.clone());
        Callback::from(move |place: usize| {
            current.set(place);
            if let Some(index) = tree.rows.get(place) {
                on_current.emit(*index);
            }
        })
    };
    let on_key = {
        let (tree, set_current, view) = (Rc::clone(tree), set_current.clone(), view.clone());
        let (on_open, on_toggle) = (props.on_open.clone(), props.on_toggle.clone());
        Callback::from(move |event: KeyboardEvent| {
            let Some((next, act)) = on_key(&event, &tree, at) else { return };
            event.prevent_default();
            match (act, &on_toggle) {
                (Act::None, _) => {}
                (Act::Open(index, open), _) => on_open.emit((index, open)),
                (Act::Press(index), Some(on_toggle)) => on_toggle.emit(index),
                (Act::Press(index), None) => on_open.emit((index, !tree.is_open(index))),
            }
            set_current.emit(next);
            if let Some(view) = view.cast::<Element>() {
                scroll_to(&view, next);
            }
        })
    };
    let start = scrolled.saturating_sub(BEYOND);
    let end = (*scrolled + VIEW + BEYOND).min(tree.rows.len());
    let rows = tree.rows.get(start..end).unwrap_or_default().iter().enumerate();
    let rows = rows.map(|(offset, &index)| {
        let place = start + offset;
        row(props, index, place, place == at, &set_current.reform(move |()| place))
    });
    let height = tree.rows.len().min(VIEW) * ROW;
    let active = tree
        .rows
        .get(at)
        .filter(|_| (start..end).contains(&at))
        .map(|index| format!("{id}-{index}"));
    html! {
        <>
            <div ref={view} class="tree" id={*id} role="tree" tabindex="0" aria-label={*label}
                aria-activedescendant={active} style={format!("height: {height}px")} onscroll={on_scroll} onkeydown={on_key}>
                <div class="tree__all" role="presentation" style={format!("height: {}px", tree.rows.len() * ROW)}>
                    { for rows }
                </div>
            </div>
            if tree.rows.is_empty() {
                <p class="muted">{ "No file has this in its path." }</p>
            }
        </>
    }
}

/// A field that says what paths must hold to be shown.
pub(crate) fn search(id: &'static str, label: &'static str, on_search: &Callback<String>) -> Html {
    let on_input = on_search
        .reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value());
    html! {
        <div class="pf-v6-c-form-control search">
            <input type="search" {id} placeholder="Search files" aria-label={label} oninput={on_input} />
        </div>
    }
}

fn row(
    props: &TreeViewProps,
    index: Index,
    place: usize,
    is_current: bool,
    on_current: &Callback<()>,
) -> Html {
    let TreeViewProps { tree, id, on_open, on_toggle, .. } = props;
    let node = &tree.nodes[index];
    let check = on_toggle.is_some().then(|| node.check());
    let siblings =
        tree.parent(index).map(|parent| tree.nodes[parent].children.as_slice()).unwrap_or_default();
    let position = siblings.iter().position(|sibling| *sibling == index).map_or(1, |at| at + 1);
    let is_open = tree.is_open(index);
    let press = {
        let (on_toggle, on_current) = (on_toggle.clone(), on_current.clone());
        Callback::from(move |_: MouseEvent| {
            on_current.emit(());
            if let Some(on_toggle) = &on_toggle {
                on_toggle.emit(index);
            }
        })
    };
    let open = {
        let (on_open, on_current) = (on_open.clone(), on_current.clone());
        Callback::from(move |event: MouseEvent| {
            event.stop_propagation();
            on_current.emit(());
            on_open.emit((index, !is_open));
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
        <div key={index} id={format!("{id}-{index}")} {class} {style} role="treeitem" onclick={press}
            aria-level={(node.depth + 1).to_string()} aria-checked={check.map(Check::aria)}
            aria-selected={check.is_none().then(|| is_current.to_string())}
            aria-setsize={siblings.len().max(1).to_string()} aria-posinset={position.to_string()}
            aria-expanded={has_children.then(|| is_open.to_string())}>
            <span class={format!("row__chevron {}", if is_open { "row__chevron--open" } else { "" })}
                onclick={has_children.then_some(open)}>
                if has_children { { icon(Icon::Chevron) } }
            </span>
            if let Some(check) = check {
                <span class={check_class(check)} aria-hidden="true"></span>
            }
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

/// What a key does to an entry.
enum Act {
    None,
    Open(Index, bool),
    Press(Index),
}

/// What a key does; gives the row that is current after it.
fn on_key(event: &KeyboardEvent, tree: &FileTree, at: usize) -> Option<(usize, Act)> {
    let &index = tree.rows.get(at)?;
    let last = tree.rows.len() - 1;
    let row_of = |index: Index| tree.rows.iter().position(|row| *row == index);
    let (has_children, is_open) = (!tree.nodes[index].children.is_empty(), tree.is_open(index));
    let to = |row: usize| Some((row, Act::None));
    match event.key().as_str() {
        "ArrowDown" => to((at + 1).min(last)),
        "ArrowUp" => to(at.saturating_sub(1)),
        "PageDown" => to((at + VIEW).min(last)),
        "PageUp" => to(at.saturating_sub(VIEW)),
        "Home" => to(0),
        "End" => to(last),
        "ArrowRight" if has_children && !is_open => Some((at, Act::Open(index, true))),
        "ArrowRight" if has_children => to((at + 1).min(last)),
        "ArrowLeft" if has_children && is_open => Some((at, Act::Open(index, false))),
        "ArrowLeft" => to(tree.parent(index).and_then(row_of).unwrap_or(at)),
        " " | "Enter" => Some((at, Act::Press(index))),
        _ => None,
    }
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
