//! `sysext-composer targets`: the systems that extensions are for.

use anyhow::Result;
use sysext::Targets;

use crate::Outcome;
use crate::terminal::Terminal;

#[expect(clippy::unnecessary_wraps, reason = "all commands have this form")]
pub(crate) fn run(terminal: &Terminal) -> Result<Outcome> {
    let targets = Targets::published();
    if terminal.json {
        terminal.result(&serde_json::json!({ "targets": targets.systems }));
        return Ok(Outcome::Done);
    }
    let width = targets.systems.iter().map(|system| system.id.len()).max().unwrap_or_default();
    for system in &targets.systems {
        let arches: Vec<&str> = system.arches.iter().map(|arch| arch.rpm()).collect();
        let (id, tags, arches) = (&system.id, system.tags.join(", "), arches.join(", "));
        println!("{id:width$}  {}: {tags} ({arches})", system.title);
    }
    Ok(Outcome::Done)
}
