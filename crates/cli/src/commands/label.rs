//! `sysext-composer label`: the labels of paths by a policy.

use std::fs;
use std::io::{BufRead as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sysext::rpm::repodata::open;
use sysext::selinux::{Kind, Labels, Policy, module_contexts};

use crate::terminal::Terminal;
use crate::{Outcome, args};

pub(crate) fn run(args: &args::Label, terminal: &Terminal) -> Result<Outcome> {
    let mut labels = read(&args.policy, &args.modules)?;
    let mut json = Vec::new();
    let input = std::io::stdin().lock();
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    for (number, line) in input.split(b'\n').enumerate() {
        let line = line.context("cannot read standard input")?;
        if line.is_empty() {
            continue;
        }
        let tab = line.iter().position(|byte| *byte == b'\t');
        let parts = tab.and_then(|tab| line.split_at_checked(tab));
        let kind = parts.and_then(|(kind, _)| kind_of(kind));
        let (Some((_, path)), Some(kind)) = (parts, kind) else {
            bail!(
                "line {}: expected TYPE<TAB>PATH with TYPE file, dir, link, char, block, fifo, socket or any, found `{}`",
                number + 1,
                String::from_utf8_lossy(&line)
            );
        };
        let path = &path[1..];
        let label = labels.lookup(path, kind);
        if terminal.json {
            let path = String::from_utf8_lossy(path);
            json.push(serde_json::json!({ "path": path, "label": label }));
        } else {
            writeln!(output, "{}", label.unwrap_or("<<none>>"))?;
        }
    }
    output.flush()?;
    drop(output);
    if terminal.json {
        terminal.result(&serde_json::json!({ "labels": json }));
    }
    Ok(Outcome::Done)
}

/// Types, by our names and by those of `matchpathcon`.
fn kind_of(name: &[u8]) -> Option<Kind> {
    Some(match name {
        b"any" | b"" => Kind::Any,
        b"file" => Kind::File,
        b"dir" => Kind::Dir,
        b"link" | b"lnk_file" => Kind::Link,
        b"char" | b"chr_file" => Kind::Char,
        b"block" | b"blk_file" => Kind::Block,
        b"fifo" | b"pipe" => Kind::Fifo,
        b"socket" | b"sock_file" => Kind::Socket,
        _ => return None,
    })
}

/// Reads a policy and what lies beside it, as libselinux does.
fn read(path: &Path, modules: &[PathBuf]) -> Result<Labels> {
    let beside = |end: &str| -> Result<String> {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match fs::read_to_string(&name) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !end.is_empty() => {
                Ok(String::new())
            }
            Err(error) => {
                Err(error).with_context(|| format!("cannot read {}", name.to_string_lossy()))
            }
        }
    };
    let (file_contexts, homedirs, local) = (beside("")?, beside(".homedirs")?, beside(".local")?);
    let (subs, subs_dist) = (beside(".subs")?, beside(".subs_dist")?);
    let modules: Vec<String> = modules.iter().map(|path| module(path)).collect::<Result<_>>()?;
    let modules: Vec<&str> = modules.iter().map(String::as_str).collect();
    let policy = Policy {
        file_contexts: &file_contexts,
        more: &[&homedirs, &local],
        modules: &modules,
        subs: &subs,
        subs_dist: &subs_dist,
    };
    Labels::new(&policy).with_context(|| path.display().to_string())
}

/// The lines of a policy module, which may be compressed.
fn module(path: &Path) -> Result<String> {
    let name = path.display();
    let file = fs::File::open(path).with_context(|| format!("cannot open {name}"))?;
    let mut bytes = Vec::new();
    let read = open(file).with_context(|| name.to_string())?.read_to_end(&mut bytes);
    read.with_context(|| format!("cannot read {name}"))?;
    module_contexts(&bytes).with_context(|| name.to_string())
}
