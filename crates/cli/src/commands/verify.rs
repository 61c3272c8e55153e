//! `sysext-composer verify`: decodes every byte of an image.

use anyhow::{Context as _, Result};
use sysext::erofs::{Error, Kind};

use super::{OpenImage, open};
use crate::terminal::{Terminal, bytes};
use crate::{Outcome, args, interrupt};

pub(crate) fn run(args: &args::Verify, terminal: &Terminal) -> Result<Outcome> {
    let name = args.image.display();
    let verdict = open(&args.image).and_then(|mut image| decode(&mut image));
    match verdict {
        Ok((entries, content)) => {
            if terminal.json {
                terminal
                    .result(&serde_json::json!({ "entries": entries, "content_size": content }));
            } else {
                println!("{name}: whole, {entries} entries, {} decoded", bytes(content));
            }
            Ok(Outcome::Done)
        }
        Err(error) if matches!(error.downcast_ref::<Error>(), Some(Error::Corrupt(_))) => {
            terminal.error(&error);
            Ok(Outcome::Refused)
        }
        Err(error) => Err(error),
    }
}

/// The number of entries and the bytes of all content.
fn decode(image: &mut OpenImage) -> Result<(usize, u64)> {
    let tree = image.tree()?;
    let mut total = 0;
    for (path, id) in tree.paths() {
        let Kind::File(content) = &tree.node(id).kind else { continue };
        let mut chunks = image.chunks(content);
        loop {
            interrupt::check()?;
            let chunk = chunks
                .next_chunk()
                .with_context(|| format!("/{}", String::from_utf8_lossy(&path)))?;
            let Some(chunk) = chunk else { break };
            total += chunk.len() as u64;
        }
    }
    Ok((tree.len(), total))
}
