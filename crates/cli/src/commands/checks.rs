//! `sysext-composer checks`: what checks are about.

use anyhow::{Context as _, Result};
use sysext::checks::About;

use crate::terminal::Terminal;
use crate::{Outcome, args};

pub(crate) fn run(args: &args::Checks, terminal: &Terminal) -> Result<Outcome> {
    let Some(check) = args.check else {
        if terminal.json {
            terminal.result(&serde_json::json!({ "checks": About::ALL.as_slice() }));
            return Ok(Outcome::Done);
        }
        let width = About::ALL.iter().map(|about| about.check.to_string().len()).max();
        for about in About::ALL {
            println!(
                "{:width$}  {}",
                about.check.to_string(),
                about.check.title(),
                width = width.unwrap_or_default()
            );
        }
        return Ok(Outcome::Done);
    };
    let about = About::ALL.into_iter().find(|about| about.check == check);
    let about = about.context("every check has a page")?;
    if terminal.json {
        terminal.result(&about);
    } else {
        print!("{}", about.page());
    }
    Ok(Outcome::Done)
}
