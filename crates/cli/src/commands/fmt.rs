//! `sysext-composer fmt`: recipes in the usual form.

use anyhow::{Context as _, Result};
use toml_edit::{Array, Decor, DocumentMut, InlineTable, Item, KeyMut, Table, Value};

use crate::output::write_file;
use crate::terminal::Terminal;
use crate::{Outcome, args, recipes};

/// Lists that are longer have a line for each value.
const WIDTH: usize = 100;

/// Keys in their order; groups are apart.
const GROUPS: [&[&str]; 4] = [
    &["summary", "description", "homepage", "collection", "name", "class"],
    &["packages", "exclude", "weak-dependencies", "absent", "repositories", "default-repositories"],
    &["targets", "releases", "arches", "any-release"],
    &["leave-out", "etc", "services", "required", "deny"],
];

/// Tables after them, in their order.
const TABLES: [&str; 6] = ["version", "setup", "repository", "source", "step", "allow"];

pub(crate) fn run(args: &args::Fmt, terminal: &Terminal) -> Result<Outcome> {
    let found = recipes::find(&args.recipes.names, &args.recipes.collection.extensions)?;
    let mut changed = Vec::new();
    for recipe in &found {
        let text = formatted(&recipe.text).with_context(|| recipe.path.display().to_string())?;
        if text == recipe.text {
            continue;
        }
        if !args.check {
            write_file(&recipe.path, text.into_bytes())?;
        }
        changed.push(recipe.path.display().to_string());
    }
    if terminal.json {
        terminal.result(&serde_json::json!({ "looked-at": found.len(), "changed": changed }));
    } else {
        for path in &changed {
            println!("{path}: {}", if args.check { "is not in the usual form" } else { "written" });
        }
    }
    let refused = args.check && !changed.is_empty();
    Ok(if refused { Outcome::Refused } else { Outcome::Done })
}

/// The text of a recipe in the usual form.
pub(crate) fn formatted(text: &str) -> Result<String> {
    let mut document: DocumentMut = text.parse()?;
    let place = |key: &str| {
        let group = GROUPS.iter().position(|group| group.contains(&key));
        let within = |group: usize| GROUPS[group].iter().position(|known| *known == key);
        group.map_or((GROUPS.len(), 0), |group| (group, within(group).unwrap_or_default()))
    };
    let root = document.as_table_mut();
    root.sort_values_by(|a, _, b, _| place(a.get()).cmp(&place(b.get())));
    let mut last = None;
    for (mut key, item) in root.iter_mut() {
        let Item::Value(value) = item else { continue };
        let group = place(key.get()).0;
        let apart = last.is_some_and(|last| last != group);
        last = Some(group);
        value_form(&mut key, value, apart);
    }
    let mut position = 0;
    for name in TABLES {
        match root.get_mut(name) {
            Some(Item::Table(table)) => table_form(table, &mut position),
            Some(Item::ArrayOfTables(tables)) => {
                tables.iter_mut().for_each(|table| table_form(table, &mut position));
            }
            _ => {}
        }
    }
    let trailing = comments(document.trailing().as_str().unwrap_or_default());
    let trailing = if trailing.is_empty() { trailing } else { format!("\n{trailing}") };
    document.set_trailing(trailing);
    Ok(document.to_string())
}

/// A table with a line before it.
fn table_form(table: &mut Table, position: &mut isize) {
    *position += 1;
    table.set_position(Some(*position));
    let before = prefix(table.decor(), true);
    table.decor_mut().set_prefix(before);
    table.decor_mut().set_suffix("");
    for (mut key, item) in table.iter_mut() {
        match item {
            Item::Value(value) => value_form(&mut key, value, false),
            Item::Table(table) => table_form(table, position),
            _ => {}
        }
    }
}

/// A key and its value, with a line before it where a group begins.
fn value_form(key: &mut KeyMut<'_>, value: &mut Value, apart: bool) {
    let before = prefix(key.leaf_decor(), apart);
    key.leaf_decor_mut().set_prefix(before);
    key.leaf_decor_mut().set_suffix(" ");
    let comment = value
        .decor()
        .suffix()
        .and_then(|suffix| suffix.as_str())
        .unwrap_or_default()
        .trim()
        .to_owned();
    let used = key.get().len() + " = ".len();
    tidy(value, used);
    let comment = if comment.is_empty() { comment } else { format!(" {comment}") };
    *value.decor_mut() = Decor::new(" ", comment);
}

/// What is before a key or a table: its comments, and a line if it is apart.
fn prefix(decor: &Decor, apart: bool) -> String {
    let comments = comments(decor.prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default());
    format!("{}{comments}", if apart { "\n" } else { "" })
}

/// Comments, a line each, without empty ones before, between and after them.
fn comments(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

/// Spaces within a value.
fn tidy(value: &mut Value, used: usize) {
    match value {
        Value::Array(array) => tidy_array(array, used),
        Value::InlineTable(table) => tidy_table(table),
        _ => {}
    }
}

fn tidy_array(array: &mut Array, used: usize) {
    let has_comments = |value: &Value| {
        let decor = value.decor();
        let mut texts = [decor.prefix(), decor.suffix()].into_iter().flatten();
        texts.any(|text| text.as_str().is_some_and(|text| text.contains('#')))
    };
    let trailing = array.trailing().as_str().unwrap_or_default();
    if trailing.contains('#') || array.iter().any(has_comments) {
        return;
    }
    array.iter_mut().for_each(|value| tidy(value, used));
    for (number, value) in array.iter_mut().enumerate() {
        *value.decor_mut() = Decor::new(if number == 0 { "" } else { " " }, "");
    }
    array.set_trailing("");
    array.set_trailing_comma(false);
    if used + array.to_string().trim().len() <= WIDTH {
        return;
    }
    array.iter_mut().for_each(|value| *value.decor_mut() = Decor::new("\n  ", ""));
    array.set_trailing("\n");
    array.set_trailing_comma(true);
}

fn tidy_table(table: &mut InlineTable) {
    let last = table.len();
    for (number, (mut key, value)) in table.iter_mut().enumerate() {
        key.leaf_decor_mut().set_prefix(" ");
        key.leaf_decor_mut().set_suffix(" ");
        tidy(value, 0);
        *value.decor_mut() = Decor::new(" ", if number + 1 == last { " " } else { "" });
    }
}
