//! What the browser can do, and small things that it does for us.

use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, File, HtmlElement, Response};

/// What this browser can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Abilities {
    /// Workers.
    pub(crate) workers: bool,
    /// A private file system for the image.
    pub(crate) opfs: bool,
}

impl Abilities {
    /// Asks the browser. Some have a private file system in name only, in private windows for instance, so this tries.
    pub(crate) async fn detect() -> Self {
        let window = gloo::utils::window();
        let workers = js_sys::Reflect::has(&window, &"Worker".into()).unwrap_or(false);
        let storage = js_sys::Reflect::get(&window.navigator(), &"storage".into())
            .unwrap_or(JsValue::UNDEFINED);
        let named = storage.is_object()
            && js_sys::Reflect::get(&storage, &"getDirectory".into())
                .is_ok_and(|method| method.is_function());
        let opfs =
            named && JsFuture::from(window.navigator().storage().get_directory()).await.is_ok();
        Self { workers, opfs }
    }
}

/// Where the page goes.
pub(crate) fn root() -> Element {
    gloo::utils::document().get_element_by_id("app").unwrap_or_else(|| gloo::utils::body().into())
}

/// Takes off what was shown while the page loaded.
pub(crate) fn remove_loading_text() {
    root().set_inner_html("");
}

/// Whether the dark theme is on.
pub(crate) fn is_dark() -> bool {
    gloo::utils::document_element().class_list().contains(DARK)
}

/// Turns the dark theme on or off, for this visit and the next.
pub(crate) fn set_dark(dark: bool) {
    let _ = gloo::utils::document_element().class_list().toggle_with_force(DARK, dark);
    if let Ok(Some(storage)) = gloo::utils::window().local_storage() {
        let _ = storage.set_item("theme", if dark { "dark" } else { "light" });
    }
}

const DARK: &str = "pf-v6-theme-dark";

/// Saves a file among the person's downloads.
pub(crate) fn save(file: &File) {
    let Ok(url) = web_sys::Url::create_object_url_with_blob(file) else { return };
    if let Ok(link) = gloo::utils::document().create_element("a") {
        let _ = link.set_attribute("href", &url);
        let _ = link.set_attribute("download", &file.name());
        link.unchecked_ref::<HtmlElement>().click();
    }
    // When the download has begun is not said.
    let revoke = move || drop(web_sys::Url::revoke_object_url(&url));
    gloo::timers::callback::Timeout::new(60_000, revoke).forget();
}

/// Seconds since 1970 as a date of ISO 8601, in UTC.
pub(crate) fn time(seconds: i64) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(seconds as f64 * 1000.0));
    if date.get_time().is_nan() {
        return seconds.to_string();
    }
    String::from(date.to_iso_string()).replace(".000Z", "Z")
}

/// Puts text on the clipboard.
pub(crate) fn copy(text: &str) {
    let _ = gloo::utils::window().navigator().clipboard().write_text(text);
}

/// Moves the keyboard's focus to an element, and the element into view.
pub(crate) fn focus(id: &str) {
    if let Some(element) = gloo::utils::document().get_element_by_id(id) {
        let _ = element.unchecked_ref::<HtmlElement>().focus();
    }
}

/// The URL of something beside the page.
pub(crate) fn beside_page(name: &str) -> String {
    let base = gloo::utils::document().base_uri().ok().flatten().unwrap_or_default();
    beside(name, &base)
}

/// A URL that is relative to another.
fn beside(name: &str, base: &str) -> String {
    web_sys::Url::new_with_base(name, base).map_or_else(|_| name.to_owned(), |url| url.href())
}

/// What this site has at a URL, if it has anything.
pub(crate) async fn fetch(url: &str) -> Result<Option<Response>, String> {
    let wrong = |error: JsValue| format!("it cannot be fetched: {error:?}");
    let response =
        JsFuture::from(gloo::utils::window().fetch_with_str(url)).await.map_err(wrong)?;
    let response: Response = response.dyn_into().map_err(wrong)?;
    match response.status() {
        404 => Ok(None),
        _ if response.ok() => Ok(Some(response)),
        status => Err(format!("it cannot be fetched: {status}")),
    }
}

/// The name of the demo package among the assets, where there is one.
pub(crate) fn demo_url() -> Option<String> {
    let name = gloo::utils::document_element()
        .get_attribute("data-demo")
        .filter(|name| !name.is_empty())?;
    Some(asset(&name))
}

/// The address of an asset, which lies beside this module.
pub(crate) fn asset(name: &str) -> String {
    beside(name, &module_url())
}

#[wasm_bindgen::prelude::wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_namespace = ["import", "meta"], js_name = url)]
    static MODULE_URL: String;
}

fn module_url() -> String {
    MODULE_URL.with(Clone::clone)
}

/// A number of bytes for a person.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (number as f64, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{number} {}", UNITS[0]) } else { format!("{value:.1} {}", UNITS[unit]) }
}
