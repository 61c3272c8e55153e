//! Every test, step by step. A step that fails does not keep the others from running.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::shell::{self, cargo, find, root, say, target};
use crate::{page, setup};

/// A step: name, what it does.
type Step = (&'static str, &'static str, fn(&Context) -> Result<()>);

const STEPS: [Step; 9] = [
    ("format", "rustfmt", format),
    ("lint", "clippy with the workspace's lints, native and WebAssembly", lint),
    ("deny", "cargo deny: bans, licences, sources", deny),
    ("native", "unit tests, documentation, oracles, corpora", native),
    ("node", "golden digests in node", node),
    ("chromium", "golden digests and components in headless Chromium, page and worker", chromium),
    (
        "firefox",
        "golden digests in headless Firefox, where it and geckodriver are installed",
        firefox,
    ),
    ("page", "the page builds", |_| page::build().map(drop)),
    ("e2e", "the served page in headless Chromium, as a person uses it", e2e),
];

/// What all steps share.
struct Context {
    /// Tests write here why they were skipped.
    skipped: PathBuf,
    /// Temporary files of browsers, which leave them where they are killed.
    scratch: TempDir,
}

pub(crate) fn run(args: &[&str]) -> Result<()> {
    if args == ["--list"] {
        STEPS.iter().for_each(|(name, what, _)| println!("{name:10} {what}"));
        return Ok(());
    }
    if let Some(unknown) = args.iter().find(|arg| !STEPS.iter().any(|(name, ..)| name == *arg)) {
        bail!("no step {unknown}; `cargo xtask test --list` names them");
    }
    fs::create_dir_all(target())?;
    let context = Context { skipped: target().join("skipped.txt"), scratch: tempfile::tempdir()? };
    fs::write(&context.skipped, "")?;
    let mut missing = setup::oracles()?;
    setup::wasm_target()?;
    setup::node_modules()?;

    let (mut passed, mut failed) = (0, Vec::new());
    for (name, what, step) in
        STEPS.iter().filter(|(name, ..)| args.is_empty() || args.contains(name))
    {
        say(&format!("{name}: {what}"));
        match step(&context) {
            Ok(()) => passed += 1,
            Err(error) => {
                eprintln!("error: {name}: {error:#}");
                failed.push(*name);
            }
        }
    }

    let mut skipped: Vec<String> =
        fs::read_to_string(&context.skipped)?.lines().map(str::to_owned).collect();
    missing.sort_unstable();
    skipped.extend(
        missing.iter().map(|program| format!("what needs {program}, which is not installed")),
    );
    skipped.sort();
    skipped.dedup();
    println!();
    skipped.iter().for_each(|why| println!("skipped: {why}"));
    failed.iter().for_each(|name| println!("failed: {name}"));
    println!("steps: {passed} passed, {} failed, {} skipped", failed.len(), skipped.len());
    if failed.is_empty() { Ok(()) } else { bail!("not all tests passed") }
}

fn format(_: &Context) -> Result<()> {
    shell::run(cargo().args(["fmt", "--all", "--check"]))
}

fn lint(_: &Context) -> Result<()> {
    let strict = ["--", "--deny", "warnings"];
    shell::run(
        cargo().args(["clippy", "--workspace", "--exclude", "web", "--all-targets"]).args(strict),
    )?;
    let wasm =
        ["clippy", "--package", "web", "--target", "wasm32-unknown-unknown", "--all-targets"];
    shell::run(cargo().args(wasm).args(strict))
}

fn deny(_: &Context) -> Result<()> {
    let program = setup::cargo_deny()?;
    let checks = ["check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
    // Called by itself, the program wants to be told that it is cargo's.
    shell::run(Command::new(program).current_dir(root()).arg("--locked").args(checks))
}

fn native(context: &Context) -> Result<()> {
    let mut tests = cargo();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::split_paths(&path).chain([setup::tools()]);
    tests.env("SYSEXT_SKIPPED", &context.skipped).env("PATH", std::env::join_paths(path)?);
    shell::run(tests.args(["test", "--workspace", "--exclude", "web", "--exclude", "xtask"]))?;
    let mut docs = cargo();
    docs.env("RUSTDOCFLAGS", "--deny warnings");
    shell::run(docs.args([
        "doc",
        "--workspace",
        "--exclude",
        "web",
        "--no-deps",
        "--document-private-items",
        "--quiet",
    ]))
}

fn node(context: &Context) -> Result<()> {
    find("node").context("node is missing: install node and npm")?;
    shell::run(wasm_tests(&context.scratch)?.args(["--package", "testdata", "--test", "golden"]))
}

fn chromium(context: &Context) -> Result<()> {
    let driver = find("chromedriver")
        .context("chromedriver is missing: install chromium and chromium-driver")?;
    golden_in_browser(context, "CHROMEDRIVER", &driver)?;
    let mut tests = wasm_tests(&context.scratch)?;
    tests.env("CHROMEDRIVER", driver);
    shell::run(tests.args(["--package", "web", "--tests"]))
}

/// geckodriver is no package of Debian and takes minutes to compile, so nobody has to have it.
fn firefox(context: &Context) -> Result<()> {
    match find("firefox").or_else(|| find("firefox-esr")).and(find("geckodriver")) {
        Some(driver) => golden_in_browser(context, "GECKODRIVER", &driver),
        None => {
            let mut skipped = fs::OpenOptions::new().append(true).open(&context.skipped)?;
            Ok(writeln!(skipped, "no firefox and geckodriver (cargo install geckodriver)")?)
        }
    }
}

/// Golden digests in a browser, page and worker; the driver is given by the variable that the runner knows it by.
fn golden_in_browser(context: &Context, variable: &str, driver: &Path) -> Result<()> {
    let mut tests = wasm_tests(&context.scratch)?;
    tests.env(variable, driver).args(["--package", "testdata"]);
    shell::run(tests.args(["--test", "golden_page", "--test", "golden_worker"]))
}

/// `cargo test` for WebAssembly, run by this very program, with a folder for temporary files.
pub(crate) fn wasm_tests(scratch: &TempDir) -> Result<Command> {
    let runner = std::env::current_exe()?;
    let runner = format!(
        "target.wasm32-unknown-unknown.runner=[{:?}, \"test-runner\"]",
        runner.display().to_string()
    );
    let mut tests = cargo();
    tests.args(["test", "--target", "wasm32-unknown-unknown", "--config", &runner]);
    tests.env("TMPDIR", scratch.path());
    // The defaults are too short for a busy machine.
    tests.env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60").env("WASM_BINDGEN_TEST_TIMEOUT", "300");
    Ok(tests)
}

fn e2e(context: &Context) -> Result<()> {
    let site = page::build()?;
    let mut tests = cargo();
    tests.env("SYSEXT_SITE", site).env("SYSEXT_SKIPPED", &context.skipped);
    shell::run(tests.args(["test", "--package", "testdata", "--test", "e2e"]))
}
