//! `sysext-composer inspect`: what an image holds.

mod map;

use std::io::{self, Write};

use anyhow::{Context as _, Result};
use sysext::{Entry, ExtensionRelease, Inspection};

use super::open;
use crate::terminal::{Terminal, bytes, list};
use crate::{Outcome, args};

pub(crate) fn run(args: &args::Inspect, terminal: &Terminal) -> Result<Outcome> {
    let mut image = open(&args.image)?;
    let unreadable = || format!("cannot read {}", args.image.display());
    if args.map {
        let areas = image.map().with_context(unreadable)?;
        return map::print(&areas, terminal);
    }
    let inspection = Inspection::new(&mut image).with_context(unreadable)?;
    if terminal.json {
        terminal.result(&inspection);
    } else {
        list(|output| print(&inspection, output))?;
    }
    Ok(Outcome::Done)
}

fn print(image: &Inspection, output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, "size              {} bytes ({})", image.size, bytes(image.size))?;
    writeln!(output, "uuid              {}", image.uuid)?;
    writeln!(output, "epoch             {}", image.epoch)?;
    writeln!(output, "blocks            {} of 4096 bytes", image.blocks)?;
    writeln!(output, "inodes            {}", image.inodes)?;
    let (compat, incompat) = (image.feature_compat, image.feature_incompat);
    writeln!(output, "features          compat {compat:#x}, incompat {incompat:#x}")?;
    writeln!(output, "needs             Linux {}", image.kernel)?;
    if let Some(ExtensionRelease { name, content }) = &image.extension_release {
        writeln!(output, "extension         {name}")?;
        for line in content.lines() {
            writeln!(output, "                  {line}")?;
        }
    }
    writeln!(output)?;
    for entry in &image.files {
        writeln!(output, "{}", line(entry))?;
    }
    Ok(())
}

fn line(entry: &Entry) -> String {
    let size = match (&entry.device, entry.size) {
        (Some(device), _) => device.clone(),
        (None, Some(size)) => size.to_string(),
        (None, None) => "-".to_owned(),
    };
    let owner = format!("{}:{}", entry.uid, entry.gid);
    let (letter, mode, path) = (entry.kind.letter(), &entry.mode, &entry.path);
    let mut line = format!("{letter}{mode} {owner:>9} {size:>11} {path}");
    for (mark, value) in [(" ->", &entry.target), (" =", &entry.hard_link_to)] {
        if let Some(value) = value {
            line.push_str(&format!("{mark} {value}"));
        }
    }
    for value in [&entry.label, &entry.capabilities].into_iter().flatten() {
        line.push_str(&format!("  [{value}]"));
    }
    line
}
