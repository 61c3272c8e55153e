//! What is shown to a person, and what to a machine.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::time::Duration;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use sysext::{Check, Finding, Severity};

/// Findings of one check that are shown unless all are asked for.
const SHOWN: usize = 6;

/// Prints a list that may be long.
///
/// # Errors
/// There is no place for it.
pub(crate) fn list(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut output = BufWriter::new(io::stdout().lock());
    print(&mut output).and_then(|()| output.flush()).context("cannot write to the standard output")
}

/// Where results and errors go.
pub(crate) struct Terminal {
    /// Whether a machine reads.
    pub(crate) json: bool,
}

impl Terminal {
    /// Prints an error with its causes.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        if self.json {
            self.result(&serde_json::json!({ "error": format!("{error:#}") }));
        } else {
            eprintln!("error: {error:#}");
        }
    }

    /// Prints a result for a machine.
    pub(crate) fn result(&self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => println!("{text}"),
            Err(error) => eprintln!("error: {error}"),
        }
    }

    /// A progress bar of bytes, if somebody looks.
    pub(crate) fn progress(&self, total: u64) -> ProgressBar {
        let seen = !self.json && io::stderr().is_terminal();
        let target = if seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let template = "{msg:12} [{bar:32}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
        let style = ProgressStyle::with_template(template).expect("the template is right");
        let bar = ProgressBar::with_draw_target(Some(total), target);
        bar.set_style(style.progress_chars("=> "));
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// A progress bar of things that are done one by one, if somebody looks.
    pub(crate) fn counter(&self, total: usize, what: &'static str) -> ProgressBar {
        let bar = self.progress(total as u64);
        let style = ProgressStyle::with_template("{msg:12} [{bar:32}] {pos} of {len}, {elapsed}");
        bar.set_style(style.expect("the template is right").progress_chars("=> "));
        bar.set_message(what);
        bar
    }

    /// Prints findings in words, those of one check together.
    pub(crate) fn findings(&self, findings: &[Finding], all: bool) {
        let mut groups = BTreeMap::<(Severity, Check), Vec<&Finding>>::new();
        for finding in findings {
            groups.entry((finding.severity, finding.check)).or_default().push(finding);
        }
        for ((severity, check), group) in groups {
            let word = match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "note",
            };
            eprintln!("{word}: {} ({})", check.title(), group.len());
            let shown = if all { group.len() } else { SHOWN };
            for finding in group.iter().take(shown) {
                eprintln!("  {}", describe(finding));
            }
            if group.len() > shown {
                eprintln!("  and {} more; --verbose shows all", group.len() - shown);
            }
            let mut fixes: Vec<&str> =
                group.iter().filter_map(|finding| finding.fix.as_deref()).collect();
            fixes.dedup();
            for fix in fixes.iter().take(shown) {
                eprintln!("  help: {fix}");
            }
        }
    }
}

fn describe(finding: &Finding) -> String {
    match &finding.package {
        Some(package) if !finding.message.contains(package) => {
            format!("{package}: {}", finding.message)
        }
        _ => finding.message.clone(),
    }
}

/// A number of bytes for a person.
pub(crate) fn bytes(number: u64) -> String {
    indicatif::HumanBytes(number).to_string()
}
