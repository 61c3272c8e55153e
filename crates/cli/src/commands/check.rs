//! `sysext-composer check`: what is wrong with recipes.

use anyhow::Result;
use serde::Serialize;

use crate::terminal::Terminal;
use crate::{Outcome, args, recipes};

/// What `--json` prints of a mistake.
#[derive(Serialize)]
struct Printed<'a> {
    extension: &'a str,
    path: String,
    line: usize,
    column: usize,
    message: String,
}

pub(crate) fn run(args: &args::Check, terminal: &Terminal) -> Result<Outcome> {
    let found = recipes::find(&args.recipes.names, &args.recipes.collection.extensions)?;
    let mut printed = Vec::new();
    for recipe in &found {
        let Err(mistakes) = recipe.extension() else { continue };
        if !terminal.json {
            eprintln!("{}", recipe.describe(&mistakes));
        }
        printed.extend(mistakes.into_iter().map(|mistake| Printed {
            extension: &recipe.name,
            path: recipe.path.display().to_string(),
            line: mistake.line,
            column: mistake.column,
            message: mistake.message,
        }));
    }
    if terminal.json {
        terminal.result(&serde_json::json!({ "checked": found.len(), "mistakes": printed }));
    } else if printed.is_empty() {
        println!("{} checked, nothing is wrong", found.len());
    }
    Ok(if printed.is_empty() { Outcome::Done } else { Outcome::Refused })
}
