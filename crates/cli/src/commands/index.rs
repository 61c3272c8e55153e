//! `sysext-composer index`: a repository's metadata in a small file.

use anyhow::{Context as _, Result, bail};
use sysext::Metadata;
use sysext::rpm::repodata::Repomd;
use sysext::rpm::signature::Keyring;

use super::checksig::keyring;
use crate::fetch::{Fetcher, Wanted};
use crate::output::write_file;
use crate::sources::{Source, source};
use crate::terminal::{Terminal, bytes};
use crate::{Outcome, args};

pub(crate) fn run(args: &args::Index, terminal: &Terminal) -> Result<Outcome> {
    let fetcher = Fetcher::new(&args.network)?;
    let source = source(&args.repo, args.release.as_deref(), args.arch.rpm(), &fetcher)?;
    if let Some(index) = &source.index {
        bail!("{index} is no repository: it may be an index already");
    }
    let keys = keyring(&args.keys)?;
    let index = make(&source, &source.described, !args.no_paths, &fetcher, &keys)?;
    let size = index.len() as u64;
    write_file(&args.output, index)?;
    if terminal.json {
        terminal.result(&serde_json::json!({ "size": size }));
    } else {
        println!("{}: {}", args.output.display(), bytes(size));
    }
    Ok(Outcome::Done)
}

/// The index of a repository. `described` says where packages are that do not lie beside it; `all_paths` is whether it is
/// to know who has any path.
pub(crate) fn make(
    source: &Source,
    described: &str,
    all_paths: bool,
    fetcher: &Fetcher,
    keys: &Keyring,
) -> Result<Vec<u8>> {
    let repomd = source.repomd(fetcher, keys).with_context(|| source.name().to_owned())?;
    let repomd = Repomd::read(repomd.as_slice()).context("repomd.xml")?;
    let get = |kind: &str| -> Result<Option<Vec<u8>>> {
        let Some(record) = repomd.record(kind) else { return Ok(None) };
        let wanted = Wanted {
            size: record.size,
            checksum: record.checksum.clone(),
            ..Wanted::unknown(source.place.clone(), &record.location)
        };
        let file = fetcher.get(&wanted)?;
        record.verify(&file)?;
        Ok(Some(file))
    };
    let primary = get("primary")?.context("the repository has no primary.xml")?;
    let (filelists, modules) = (get("filelists")?, get("modules")?);
    // Packages can be chosen without groups.
    let comps = get("group").unwrap_or_else(|error| {
        eprintln!("warning: the index has no groups: {error:#}");
        None
    });
    let index = sysext::make_index(&Metadata {
        primary: &primary,
        filelists: filelists.as_deref(),
        comps: comps.as_deref(),
        modules: modules.as_deref(),
        repository: described,
        all_paths,
    })?;
    Ok(index)
}
