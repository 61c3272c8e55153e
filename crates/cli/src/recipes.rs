//! Recipes on disk: one folder each, with `extension.toml` and what lies beside it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sysext::extension::Mistake;
use sysext::{Extension, check_name};

/// The file that a recipe is in.
pub(crate) const FILE: &str = "extension.toml";

/// A recipe on disk.
pub(crate) struct OnDisk {
    /// Name of its folder.
    pub(crate) name: String,
    /// Path of `extension.toml`.
    pub(crate) path: PathBuf,
    /// What is in it.
    pub(crate) text: String,
}

/// The recipes that are meant: by name in a collection, by path, or all of the collection.
pub(crate) fn find(names: &[String], collection: &Path) -> Result<Vec<OnDisk>> {
    if !names.is_empty() {
        return names.iter().map(|name| open(name, collection)).collect();
    }
    let shown = collection.display();
    let entries = fs::read_dir(collection).with_context(|| {
        format!("cannot read the folder {shown}: --extensions says where recipes are")
    })?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path().join(FILE);
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        bail!("{shown} has no folder with an {FILE}");
    }
    paths.into_iter().map(read).collect()
}

/// One recipe, by name or by path.
pub(crate) fn open(name: &str, collection: &Path) -> Result<OnDisk> {
    let path = Path::new(name);
    if path.file_name().is_some_and(|name| name == FILE) {
        return read(path.to_owned());
    }
    let in_collection = collection.join(name).join(FILE);
    if !name.contains('/') && in_collection.is_file() {
        return read(in_collection);
    }
    if path.join(FILE).is_file() {
        return read(path.join(FILE));
    }
    bail!("{} has no extension `{name}`, and it is no path of one", collection.display())
}

fn read(path: PathBuf) -> Result<OnDisk> {
    let shown = path.display();
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {shown}"))?;
    let folder = std::path::absolute(&path)?;
    let name =
        folder.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let name = name.with_context(|| format!("{shown} is in no folder that names it"))?;
    Ok(OnDisk { name, path, text })
}

impl OnDisk {
    /// The extension, or all that is wrong with it, also with what lies beside it.
    pub(crate) fn extension(&self) -> Result<Extension, Vec<Mistake>> {
        let extension = Extension::read(&self.text).map_err(|bad| bad.0)?;
        let mut mistakes = Vec::new();
        let mut wrong = |message: String| mistakes.push(Mistake { line: 1, column: 1, message });
        if let (None, Err(error)) = (&extension.name, check_name(&self.name)) {
            wrong(format!("its folder names it, but {error}"));
        }
        for from in extension.steps.iter().filter_map(|step| step.action.beside()) {
            if !self.beside(from).exists() {
                wrong(format!("there is no {from} beside it"));
            }
        }
        if mistakes.is_empty() { Ok(extension) } else { Err(mistakes) }
    }

    /// The extension; what is wrong with it is an error.
    pub(crate) fn valid(&self) -> Result<Extension> {
        self.extension().map_err(|mistakes| anyhow::anyhow!(self.describe(&mistakes)))
    }

    /// Mistakes, one per line, as compilers tell them.
    pub(crate) fn describe(&self, mistakes: &[Mistake]) -> String {
        let path = self.path.display();
        let line = |mistake: &Mistake| {
            format!("{path}:{}:{}: {}", mistake.line, mistake.column, mistake.message)
        };
        mistakes.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// A path beside `extension.toml`.
    pub(crate) fn beside(&self, path: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new(".")).join(path)
    }
}
