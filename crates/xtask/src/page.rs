//! The page as files that any web server can serve: `target/site`.
//!
//! `index.html` names one folder, whose name has a hash of what is in it, so that browsers may keep it for ever.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::shell::{cargo, root, run, say, target};
use crate::{demo, setup};

/// Stands for the folder of the assets in `index.html`.
const PLACEHOLDER: &str = "ASSETS";

/// A catalog of nothing.
const NO_CATALOG: &str = "{ \"version\": 1, \"systems\": [] }\n";

/// Builds the page and gives its folder.
pub(crate) fn build() -> Result<PathBuf> {
    setup::wasm_target()?;
    let modules = setup::node_modules()?;
    let page = target().join("site");
    let fresh = target().join("site.new");
    let _ = fs::remove_dir_all(&fresh);
    let assets = fresh.join(PLACEHOLDER);
    fs::create_dir_all(&assets)?;

    bindgen(&assets)?;
    stylesheet(&modules, &assets)?;
    let demo = demo::build()?;
    if let Some(demo) = &demo {
        fs::write(assets.join("demo.rpm"), demo)?;
    }
    for name in ["worker.js", "app.css", "icon.svg", "start.js"] {
        let from = root().join("web/assets").join(name);
        fs::copy(&from, assets.join(name)).with_context(|| from.display().to_string())?;
    }

    let named = format!("app-{}", &hash(&assets)?[..16]);
    fs::rename(&assets, fresh.join(&named))?;
    let index = fs::read_to_string(root().join("index.html"))?;
    let index = index.replace(PLACEHOLDER, &named);
    let index =
        index.replace("data-demo=\"\"", if demo.is_some() { "data-demo=\"demo.rpm\"" } else { "" });
    fs::write(fresh.join("index.html"), index)?;
    // Whoever publishes the page puts a folder of `sysext-composer catalog` in its place.
    fs::create_dir_all(fresh.join("catalog"))?;
    fs::write(fresh.join("catalog/catalog.json"), NO_CATALOG)?;
    let _ = fs::remove_dir_all(&page);
    fs::rename(&fresh, &page)?;
    report(&page.join(named))?;
    Ok(page)
}

/// Compiles the page and its worker, one module in two roles, and writes the JavaScript around it.
fn bindgen(assets: &Path) -> Result<()> {
    say("Compiling the page");
    let wasm =
        ["build", "--package", "web", "--target", "wasm32-unknown-unknown", "--profile", "page"];
    run(cargo().args(wasm))?;
    let compiled = target().join("wasm32-unknown-unknown/page/web.wasm");
    let mut bindgen = Bindgen::new();
    bindgen.input_path(compiled).web(true)?.typescript(false).omit_default_module_path(false);
    bindgen.remove_name_section(true).remove_producers_section(true).out_name("app");
    bindgen.generate(assets).context("wasm-bindgen failed")
}

/// PatternFly's style sheet with the fonts that it names.
fn stylesheet(modules: &Path, assets: &Path) -> Result<()> {
    let patternfly = modules.join("@patternfly/patternfly");
    fs::copy(patternfly.join("patternfly.min.css"), assets.join("patternfly.min.css"))?;
    copy_folder(&patternfly.join("assets/fonts"), &assets.join("assets/fonts"))
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// A hash of all files of a folder.
fn hash(folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    let mut below = vec![folder.to_owned()];
    while let Some(folder) = below.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { below.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.strip_prefix(folder)?.to_string_lossy().as_bytes());
        hash.update(fs::read(&file)?);
    }
    Ok(rpm::hex(&hash.finalize()))
}

/// Says what a first visit loads.
fn report(assets: &Path) -> Result<()> {
    let mut total = 0;
    for name in ["app_bg.wasm", "app.js", "start.js", "app.css", "patternfly.min.css"] {
        let packed = gzip(&fs::read(assets.join(name))?)?.len();
        total += packed;
        say(&format!("{name}: {} KB compressed", packed / 1000));
    }
    say(&format!("first load: {} KB compressed", total / 1000));
    Ok(())
}

/// The bytes as servers send them.
pub(crate) fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}
