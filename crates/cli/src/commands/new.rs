//! `sysext-composer new`: the beginning of a recipe.

use std::fs;

use anyhow::{Context as _, Result, bail};
use sysext::extension::Mistake;
use sysext::{Extension, check_name};
use toml_edit::{Array, DocumentMut, value};

use super::fmt::formatted;
use crate::output::write_file;
use crate::recipes::FILE;
use crate::terminal::Terminal;
use crate::{Outcome, args};

pub(crate) fn run(args: &args::New, terminal: &Terminal) -> Result<Outcome> {
    check_name(&args.name)?;
    let folder = args.collection.extensions.join(&args.name);
    let path = folder.join(FILE);
    if path.exists() {
        bail!("{} is there already", path.display());
    }
    let text = recipe(args)?;
    if let Err(bad) = Extension::read(&text) {
        // Lines of a file that nobody has seen help nobody.
        let messages: Vec<String> =
            bad.0.into_iter().map(|Mistake { message, .. }| message).collect();
        bail!("{}", messages.join("\n"));
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    write_file(&path, text.into_bytes())?;
    if terminal.json {
        terminal.result(&serde_json::json!({ "written": path }));
    } else {
        println!(
            "{}: written. `sysext-composer explain {}` says what it does",
            path.display(),
            args.name
        );
    }
    Ok(Outcome::Done)
}

fn recipe(args: &args::New) -> Result<String> {
    let mut document = DocumentMut::new();
    let summary = args.summary.clone().unwrap_or_else(|| args.name.clone());
    document["summary"] = value(summary);
    let packages = match args.packages.as_slice() {
        [] => std::slice::from_ref(&args.name),
        packages => packages,
    };
    let arches: Vec<String> = args.arches.iter().map(|arch| arch.rpm().to_owned()).collect();
    for (key, texts) in [
        ("packages", packages),
        ("repositories", &args.repositories),
        ("targets", &args.targets),
        ("arches", &arches),
        ("services", &args.services),
    ] {
        if !texts.is_empty() {
            document[key] = value(texts.iter().collect::<Array>());
        }
    }
    formatted(&document.to_string())
}
