//! `sysext-composer inspect --map`: every byte of an image.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use sysext::erofs::{Area, Part};

use crate::Outcome;
use crate::terminal::{Terminal, list};

#[derive(Serialize)]
struct Map<'a> {
    /// Bytes by part.
    total: BTreeMap<String, u64>,
    areas: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    at: u64,
    length: u64,
    part: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<std::borrow::Cow<'a, str>>,
}

/// Prints the areas and, at the end, how many bytes each part takes.
pub(super) fn print(areas: &[Area], terminal: &Terminal) -> Result<Outcome> {
    let mut total = BTreeMap::<Part, u64>::new();
    for area in areas {
        *total.entry(area.part).or_default() += area.length;
    }
    if terminal.json {
        let rows = areas.iter().map(|area| Row {
            at: area.at,
            length: area.length,
            part: area.part.to_string(),
            path: area.path.as_deref().map(String::from_utf8_lossy),
        });
        let areas = rows.collect();
        let total = total.into_iter().map(|(part, bytes)| (part.to_string(), bytes)).collect();
        terminal.result(&Map { total, areas });
        return Ok(Outcome::Done);
    }
    list(|output| {
        writeln!(output, "{:>12} {:>12}  {:14} path", "at", "bytes", "part")?;
        for Area { at, length, part, path } in areas {
            let path = path.as_deref().map(|path| format!("/{}", String::from_utf8_lossy(path)));
            let line = format!("{at:12} {length:12}  {part:14} {}", path.unwrap_or_default());
            writeln!(output, "{}", line.trim_end())?;
        }
        let size: u64 = total.values().sum();
        writeln!(output, "\n{size:25}  bytes in all")?;
        for (part, bytes) in total {
            let share = bytes as f64 * 100.0 / size as f64;
            writeln!(output, "{bytes:25}  {part:14} {share:5.1} %")?;
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}
