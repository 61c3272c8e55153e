//! What the commands need: installed where that is possible, named with what to do where it is not.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::shell::{cargo, find, output, root, run, say, target};

const WASM: &str = "wasm32-unknown-unknown";

/// Programs that the tests hold the product against, and the Debian packages that have them.
const ORACLES: [(&str, &str); 22] = [
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("mkfs.erofs", "erofs-utils"),
    ("fsck.erofs", "erofs-utils"),
    ("testsolv", "libsolv-tools"),
    ("createrepo_c", "createrepo-c"),
    ("matchpathcon", "selinux-utils"),
    ("checkmodule", "checkpolicy"),
    ("semodule_package", "semodule-utils"),
    ("semodule_unpackage", "semodule-utils"),
    // What makes CIL of modules comes with it, out of the path.
    ("semodule", "policycoreutils"),
    ("setfiles", "policycoreutils"),
    ("rpm", "rpm"),
    ("rpm2cpio", "rpm2cpio"),
    ("cpio", "cpio"),
    ("zstdcat", "zstd"),
    ("xz", "xz-utils"),
    ("bzip2", "bzip2"),
    ("getcap", "libcap2-bin"),
    ("mount", "mount"),
    ("unshare", "util-linux"),
    ("systemd-sysext", "systemd"),
];

/// Images of containers are fetched from it.
const REGISTRY: &str = "docker-registry";

/// The standard library for WebAssembly.
pub(crate) fn wasm_target() -> Result<()> {
    let installed = |target| -> Result<bool> {
        let lib =
            output(Command::new("rustc").args(["--print", "target-libdir", "--target", target]))?;
        Ok(PathBuf::from(lib.trim()).is_dir())
    };
    if installed(WASM)? {
        return Ok(());
    }
    if find("rustup").is_none() {
        bail!(
            "Rust has no {WASM} target here. On Fedora: sudo dnf install rust-std-static-{WASM}. Elsewhere install \
             Rust by rustup (https://rustup.rs), which this command then uses."
        );
    }
    say(&format!("Installing Rust's {WASM} target"));
    run(Command::new("rustup").current_dir(root()).args(["target", "add", WASM]))
}

/// PatternFly's style sheet and fonts, and axe for the tests; gives the folder of the modules.
pub(crate) fn node_modules() -> Result<PathBuf> {
    let web = root().join("web");
    let modules = web.join("node_modules");
    let lock =
        fs::read(web.join("package-lock.json")).context("web/package-lock.json is missing")?;
    let stamp = modules.join(".installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(modules);
    }
    if find("npm").is_none() {
        bail!(
            "npm is missing: PatternFly's style sheet comes from there. Install node and npm: sudo dnf install \
             nodejs-npm (Fedora), sudo apt install npm (Debian), brew install node (macOS)."
        );
    }
    say("Installing PatternFly");
    run(Command::new("npm").current_dir(&web).args([
        "ci",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
    ]))?;
    fs::write(stamp, lock)?;
    Ok(modules)
}

/// The programs that the tests need; gives those that could not be had.
pub(crate) fn oracles() -> Result<Vec<&'static str>> {
    let missing = || ORACLES.into_iter().filter(|(program, _)| find(program).is_none());
    let packages: Vec<&str> = missing().map(|(_, package)| package).collect();
    if !packages.is_empty() && find("apt-get").is_some() {
        let is_root = output(Command::new("id").arg("-u"))?.trim() == "0";
        if is_root {
            say(&format!("Installing {}", packages.join(", ")));
            let mut apt = Command::new("apt-get");
            run(apt.args(["update", "-qq"]))?;
            let mut apt = Command::new("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive");
            run(apt.args(["install", "-y", "-qq", "--no-install-recommends"]).args(&packages))?;
        } else {
            say(&format!("For all tests: sudo apt install {}", packages.join(" ")));
        }
    } else if !packages.is_empty() {
        say(&format!("For all tests install what Debian calls {}", packages.join(", ")));
    }
    let mut missing: Vec<&str> = missing().map(|(program, _)| program).collect();
    if !registry()? {
        missing.push(REGISTRY);
    }
    Ok(missing)
}

/// A registry of images for the tests. Its package would start a service, so it is only unpacked; gives whether it is there.
fn registry() -> Result<bool> {
    let program = tools().join(REGISTRY);
    if find(REGISTRY).is_some() || program.is_file() {
        return Ok(true);
    }
    if find("apt-get").is_none() || find("dpkg").is_none() {
        say(&format!("For all tests install {REGISTRY}"));
        return Ok(false);
    }
    say(&format!("Unpacking {REGISTRY}"));
    let folder = target().join("tools/unpacked");
    fs::create_dir_all(&folder)?;
    fs::create_dir_all(tools())?;
    let download =
        || run(Command::new("apt-get").current_dir(&folder).args(["download", "-qq", REGISTRY]));
    // The lists of packages may never have been fetched.
    if download().is_err()
        && (run(Command::new("apt-get").arg("update")).is_err() || download().is_err())
    {
        return Ok(false);
    }
    for entry in fs::read_dir(&folder)? {
        let package = entry?.path();
        if package.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg").arg("-x").arg(package).arg(&folder))?;
        }
    }
    fs::copy(folder.join("usr/bin").join(REGISTRY), &program).context(REGISTRY)?;
    Ok(true)
}

/// Where programs are that only this checkout has; tests find them there.
pub(crate) fn tools() -> PathBuf {
    target().join("tools/bin")
}

/// `cargo deny`, built once into the target folder.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    const VERSION: &str = "0.20.2";
    if let Some(installed) = find("cargo-deny") {
        return Ok(installed);
    }
    let tools = target().join("tools");
    let program = tools.join("bin/cargo-deny");
    if !program.is_file() {
        say("Building cargo-deny");
        let install = [
            "install",
            "cargo-deny",
            "--version",
            VERSION,
            "--no-default-features",
            "--quiet",
            "--root",
        ];
        let mut install_deny = cargo();
        // It is run for a second; built without optimization it is there a minute earlier.
        install_deny
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off");
        run(install_deny.args(install).arg(&tools))?;
    }
    Ok(program)
}
