//! `cargo xtask table`: the table of recipes in `extensions/README.md`, and the pages of checks in `extensions/CHECKS.md`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use sysext::Extension;
use sysext::checks::About;
use sysext::extension::table;

/// What is before the table.
const BEGIN: &str = "and this table is made of them:\n\n";

/// The pages of all checks.
fn checks() -> String {
    format!("# Checks\n\n{}", About::pages())
}

pub(crate) fn run() -> Result<()> {
    let folder = Path::new("extensions");
    let mut recipes = Vec::new();
    for entry in fs::read_dir(folder).context("cannot read extensions")? {
        let path = entry?.path().join("extension.toml");
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let extension = Extension::read(&text);
        let extension = extension.map_err(|bad| anyhow!("{}:\n{bad}", path.display()))?;
        let name = path.parent().and_then(Path::file_name).context("it is in a folder")?;
        recipes.push((name.to_string_lossy().into_owned(), extension));
    }
    let path = folder.join("README.md");
    let readme = fs::read_to_string(&path).context("cannot read extensions/README.md")?;
    let (before, _) = readme.split_once(BEGIN).context("extensions/README.md has no table")?;
    fs::write(&path, format!("{before}{BEGIN}{}", table(&recipes)))?;
    println!("{}: {} extensions", path.display(), recipes.len());
    fs::write(folder.join("CHECKS.md"), checks())?;
    Ok(())
}
