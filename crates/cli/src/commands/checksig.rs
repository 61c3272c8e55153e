//! `sysext-composer checksig`: packages against their digests and signatures.
#![expect(clippy::disallowed_methods, reason = "this crate is the outside world")]

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Serialize;
use sysext::rpm::Error;
use sysext::rpm::signature::{Keyring, Verdict};

use crate::terminal::Terminal;
use crate::{Outcome, args, interrupt};

/// What a machine reads of one package.
#[derive(Serialize)]
struct Line {
    path: String,
    /// `signed`, `unsigned`, `nokey`, `bad` or `corrupt`.
    verdict: &'static str,
    keys: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

pub(crate) fn run(args: &args::Checksig, terminal: &Terminal) -> Result<Outcome> {
    let keyring = keyring(&args.keys)?;
    let mut lines = Vec::new();
    for path in &args.packages {
        interrupt::check()?;
        let line = check(path, &keyring)?;
        if !terminal.json {
            line.print();
        }
        lines.push(line);
    }
    if terminal.json {
        terminal.result(&serde_json::json!({ "packages": lines }));
    }
    let passes = |line: &Line| match line.verdict {
        "signed" => true,
        "unsigned" => args.allow_unsigned,
        _ => false,
    };
    Ok(if lines.iter().all(passes) { Outcome::Done } else { Outcome::Refused })
}

/// All keys of some files.
pub(crate) fn keyring(paths: &[PathBuf]) -> Result<Keyring> {
    let mut keyring = Keyring::default();
    for path in paths {
        let name = path.display();
        let file = fs::read(path).with_context(|| format!("cannot read {name}"))?;
        keyring.add(&file).with_context(|| name.to_string())?;
    }
    Ok(keyring)
}

fn check(path: &Path, keyring: &Keyring) -> Result<Line> {
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    let line = |verdict, keys, message| Line { path: name.clone(), verdict, keys, message };
    match keyring.verify_package(BufReader::new(file)) {
        Ok(Verdict::Signed(keys)) => Ok(line("signed", keys, None)),
        Ok(Verdict::Unsigned) => Ok(line("unsigned", Vec::new(), None)),
        Ok(Verdict::NoKey(keys)) => Ok(line("nokey", keys, None)),
        Ok(Verdict::Bad(why)) => Ok(line("bad", Vec::new(), Some(why))),
        Err(error @ (Error::Corrupt(_) | Error::Unsupported(_))) => {
            Ok(line("corrupt", Vec::new(), Some(error.to_string())))
        }
        Err(error) => Err(error).context(name),
    }
}

impl Line {
    fn print(&self) {
        let Self { path, keys, .. } = self;
        let message = self.message.as_deref().unwrap_or_default();
        match self.verdict {
            "signed" => println!("{path}: signed by {}", keys.join(", ")),
            "unsigned" => println!("{path}: whole, but NOT SIGNED"),
            "nokey" => println!("{path}: signed by a key that is not given: {}", keys.join(", ")),
            "bad" => println!("{path}: BAD SIGNATURE: {message}"),
            _ => println!("{path}: {message}"),
        }
    }
}
