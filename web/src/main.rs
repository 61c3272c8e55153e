//! The page: the core in a browser tab. One WebAssembly module in two roles, page and worker.

mod agent;
mod app;
mod browser;
mod components;
mod finder;
mod intake;
mod look;
mod protocol;
mod state;
mod tree;
mod worker;

#[cfg(test)]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

fn main() {
    if worker::is_worker() {
        worker::run();
    } else {
        browser::remove_loading_text();
        yew::Renderer::<app::App>::with_root(browser::root()).render();
    }
}
