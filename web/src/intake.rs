//! How files come to the page: chosen, dropped, or the demo.

use js_sys::Array;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DataTransfer, File, HtmlInputElement};

use crate::browser;

#[wasm_bindgen(module = "/assets/drop.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = droppedFiles)]
    async fn dropped_files(transfer: &DataTransfer) -> Result<JsValue, JsValue>;
}

/// The packages among chosen files; the choice is then forgotten, so that the same can be chosen again.
pub(crate) fn chosen(input: &HtmlInputElement) -> Vec<File> {
    let list = input.files();
    let files = list.iter().flat_map(|list| (0..list.length()).filter_map(|index| list.get(index)));
    let files = files.collect();
    input.set_value("");
    files
}

/// The files of a drop, those in dropped folders too.
pub(crate) async fn dropped(transfer: DataTransfer) -> Vec<File> {
    let files = dropped_files(&transfer).await.unwrap_or_else(|_| Array::new().into());
    Array::from(&files).iter().filter_map(|file| file.dyn_into().ok()).collect()
}

/// Files by what their names say they are.
#[derive(Default)]
pub(crate) struct Sorted {
    pub(crate) packages: Vec<File>,
    pub(crate) images: Vec<File>,
    /// How many are neither.
    pub(crate) others: usize,
}

/// Sorts files by their names.
pub(crate) fn sort(files: Vec<File>) -> Sorted {
    let mut sorted = Sorted::default();
    for file in files {
        let name = file.name().to_ascii_lowercase();
        if name.ends_with(".rpm") {
            sorted.packages.push(file);
        } else if [".raw", ".erofs", ".img"].iter().any(|end| name.ends_with(end)) {
            sorted.images.push(file);
        } else {
            sorted.others += 1;
        }
    }
    sorted
}

/// The demo package.
pub(crate) async fn demo(url: &str) -> Result<File, String> {
    let of_demo = |error: String| format!("the demo: {error}");
    let text = |error: JsValue| of_demo(format!("it cannot be read: {error:?}"));
    let response = browser::fetch(url).await.map_err(of_demo)?;
    let response = response.ok_or_else(|| of_demo("it is not there".to_owned()))?;
    let blob = JsFuture::from(response.blob().map_err(text)?).await.map_err(text)?;
    File::new_with_blob_sequence(&Array::of1(&blob), "sysext-composer-demo.rpm").map_err(text)
}
