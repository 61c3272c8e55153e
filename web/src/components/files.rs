//! Files of the packages: which go into the extension.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use super::parts::Card;
use super::tree_view::{TreeView, search};
use crate::app::Dispatch;
use crate::state::Action;
use crate::tree::{FileTree, Index};

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
        Callback::from(move |text| dispatch.dispatch(Action::Filtered(text)))
    };
    let on_open = {
        let dispatch = dispatch.clone();
        Callback::from(move |(index, open)| dispatch.dispatch(Action::Opened(index, open)))
    };
    let on_toggle = {
        let dispatch = dispatch.clone();
        Callback::from(move |index: Index| dispatch.dispatch(Action::Toggled(index)))
    };
    let (chosen, all) = tree.counts();
    let aside = html! { <span class="card__aside">{ format!("{chosen} of {all} chosen") }</span> };
    html! {
        <Card id="files" title="Files" {aside}>
            { search("search", "Search files", &on_search) }
            <TreeView tree={Rc::clone(tree)} id="tree" label="Files of the extension" {on_open} {on_toggle} />
        </Card>
    }
}

#[cfg(test)]
mod tests {
    use gloo::timers::future::TimeoutFuture;
    use wasm_bindgen_test::wasm_bindgen_test;
    use yew::use_reducer;

    use super::super::tree_view::{ROW, VIEW};
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
