//! What has come of builds.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use sysext::collisions::{Inventory, collisions};
use sysext::{Finding, Report, Severity};

use super::Job;
use crate::terminal::{Terminal, bytes};

/// What has come of one build.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Built {
    /// An image.
    Written {
        image: PathBuf,
        #[serde(flatten)]
        report: Report,
        #[serde(skip)]
        inventory: Inventory,
    },
    /// Findings that forbid one.
    Refused { findings: Vec<Finding> },
}

/// One build.
#[derive(Serialize)]
pub(super) struct Row {
    extension: String,
    target: String,
    arch: &'static str,
    #[serde(flatten, serialize_with = "built")]
    pub(super) built: Result<Built, String>,
}

fn built<S: serde::Serializer>(built: &Result<Built, String>, to: S) -> Result<S::Ok, S::Error> {
    match built {
        Ok(built) => built.serialize(to),
        Err(error) => serde_json::json!({ "error": error }).serialize(to),
    }
}

impl Row {
    pub(super) fn new(job: &Job<'_>, built: anyhow::Result<Built>) -> Self {
        Self {
            extension: job.recipe.name.clone(),
            target: job.target.clone(),
            arch: job.arch.rpm(),
            built: built.map_err(|error| format!("{error:#}")),
        }
    }

    /// Whether there is an image.
    pub(super) fn is_written(&self) -> bool {
        matches!(self.built, Ok(Built::Written { .. }))
    }

    fn findings(&self) -> &[Finding] {
        match &self.built {
            Ok(Built::Written { report, .. }) => &report.findings,
            Ok(Built::Refused { findings }) => findings,
            Err(_) => &[],
        }
    }
}

/// Says what has come of a build, as soon as it is known.
pub(super) fn tell(row: &Row, verbose: bool, terminal: &Terminal) {
    let Row { extension, target, arch, .. } = row;
    match &row.built {
        Ok(Built::Written { image, .. }) => println!("{}", image.display()),
        Ok(Built::Refused { .. }) => {
            eprintln!("{extension} for {target}, {arch}: no image was written");
        }
        Err(error) => eprintln!("{extension} for {target}, {arch}: {error}"),
    }
    let shown: Vec<Finding> = row
        .findings()
        .iter()
        .filter(|finding| verbose || finding.severity == Severity::Error)
        .cloned()
        .collect();
    terminal.findings(&shown, verbose);
}

/// Paths that two images of one system have with different content.
pub(super) fn collide(rows: &[Row]) -> Vec<Finding> {
    let mut systems = BTreeMap::<(&str, &str), Vec<(String, Inventory)>>::new();
    for row in rows {
        if let Ok(Built::Written { inventory, .. }) = &row.built {
            let system = systems.entry((row.target.as_str(), row.arch)).or_default();
            system.push((row.extension.clone(), inventory.clone()));
        }
    }
    let mut found: Vec<Finding> = systems.values().flat_map(|all| collisions(all)).collect();
    // The same on each system is said once.
    found.sort_by(|a, b| a.message.cmp(&b.message));
    found.dedup();
    found
}

/// A table of all builds.
pub(super) fn print(rows: &[Row]) {
    let width = |of: fn(&Row) -> usize| rows.iter().map(of).max().unwrap_or_default();
    let (names, targets) = (width(|row| row.extension.len()), width(|row| row.target.len()));
    println!();
    for row in rows {
        let Row { extension, target, arch, .. } = row;
        let what = match &row.built {
            Ok(Built::Written { report, .. }) => {
                format!(
                    "{:>11}  {} packages{}",
                    bytes(report.size),
                    report.packages.len(),
                    counted(row)
                )
            }
            Ok(Built::Refused { .. }) => format!("{:>11}{}", "refused", counted(row)),
            Err(error) => format!("{:>11}  {}", "failed", error.lines().next().unwrap_or_default()),
        };
        println!("{extension:names$}  {target:targets$}  {arch:7}  {what}");
    }
    let written = rows.iter().filter(|row| row.is_written()).count();
    println!("{written} of {} images are written", rows.len());
}

/// How many errors and warnings there are.
fn counted(row: &Row) -> String {
    let count =
        |severity| row.findings().iter().filter(|finding| finding.severity == severity).count();
    let mut text = String::new();
    for (number, word) in [(count(Severity::Error), "error"), (count(Severity::Warning), "warning")]
    {
        if number > 0 {
            text += &format!(", {number} {word}{}", if number == 1 { "" } else { "s" });
        }
    }
    text
}
