//! Releases that the page offers, from `extensions/targets.toml`: read while compiling, so that the page need not bring a
//! reader of TOML.

use std::{env, fs, path};

#[derive(serde::Deserialize)]
struct Targets {
    releases: Vec<String>,
}

fn main() {
    const DATA: &str = "../extensions/targets.toml";
    println!("cargo::rerun-if-changed={DATA}");
    let text = fs::read_to_string(DATA).expect("the data of the repository is there");
    let targets: Targets = toml::from_str(&text).expect("a test of sysext reads the same file");
    let out = path::PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("releases.rs"), format!("&{:?}", targets.releases)).expect("cargo made it");
}
