//! `sysext-composer verify`: decodes every byte of an image.

use anyhow::Result;
use sysext::erofs::{Damage, Error};

use super::open;
use crate::terminal::{Terminal, bytes};
use crate::{Outcome, args, interrupt};

pub(crate) fn run(args: &args::Verify, terminal: &Terminal) -> Result<Outcome> {
    let name = args.image.display();
    let bar = terminal.progress(0);
    bar.set_message("Decoding");
    let verdict = open(&args.image).and_then(|mut image| {
        image.verify(|done, total| {
            bar.set_length(total);
            bar.set_position(done);
            Ok(interrupt::check()?)
        })
    });
    bar.finish_and_clear();
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
        Err(error) if is_corrupt(&error) => {
            terminal.error(&error);
            Ok(Outcome::Refused)
        }
        Err(error) => Err(error),
    }
}

/// Whether it is the image that is wrong.
fn is_corrupt(error: &anyhow::Error) -> bool {
    let found = error.downcast_ref::<Damage>().map(|damage| &damage.error);
    matches!(found.or_else(|| error.downcast_ref()), Some(Error::Corrupt(_)))
}
