//! Golden digests natively and, compiled to WebAssembly, in node.

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn golden_digests() {
    testdata::golden::check();
}
