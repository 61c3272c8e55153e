//! `sysext-composer base make`: a pack of an image in a registry, a root folder, a database of packages, a list of CoreOS.
#![expect(clippy::disallowed_methods, reason = "this crate is the outside world")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use sysext::rpm::database::Database;
use sysext::rpm::repodata::RepoPackage;
use sysext::{About, Base, Installed, Targets};

use super::lacks;
use crate::fetch::Fetcher;
use crate::oci::{Image, Layers, Reference};
use crate::output::write_file;
use crate::terminal::{Terminal, bytes};
use crate::{Outcome, args, interrupt};

/// Where systems have the database of packages, below their root.
const DATABASES: [&str; 3] =
    ["usr/lib/sysimage/rpm/rpmdb.sqlite", "usr/share/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite"];
/// Where the texts of a system are, below its root. Of each line the first that is there counts: as installed, then as
/// OSTree keeps it.
const OS_RELEASE: [&str; 2] = ["usr/lib/os-release", "etc/os-release"];
const USERS: [&str; 1] = ["usr/lib/passwd"];
const LOCAL_USERS: [&str; 2] = ["etc/passwd", "usr/etc/passwd"];
const GROUPS: [&str; 1] = ["usr/lib/group"];
const LOCAL_GROUPS: [&str; 2] = ["etc/group", "usr/etc/group"];
const CONTEXTS: [&str; 2] = [
    "etc/selinux/targeted/contexts/files/file_contexts",
    "usr/etc/selinux/targeted/contexts/files/file_contexts",
];
const SUBS: [&str; 2] = [
    "etc/selinux/targeted/contexts/files/file_contexts.subs_dist",
    "usr/etc/selinux/targeted/contexts/files/file_contexts.subs_dist",
];
/// Bytes that such a text may have.
const MAX_TEXT: u64 = 64 << 20;

pub(super) fn run(args: &args::BaseMake, terminal: &Terminal) -> Result<Outcome> {
    let (base, size) = write(args, terminal)?;
    let count = base.packages().count();
    if terminal.json {
        terminal.result(&serde_json::json!({
            "packages": count,
            "size": size,
            "digest": base.about.digest,
            "lacks": lacks(&base),
        }));
    } else {
        println!("{}: {count} packages, {}", args.output.display(), bytes(size));
        let lacks = lacks(&base);
        if !lacks.is_empty() {
            eprintln!("note: it does not know {}", lacks.join(", "));
        }
    }
    Ok(Outcome::Done)
}

/// Makes a pack and writes it. Gives it, and how many bytes it has.
pub(crate) fn write(args: &args::BaseMake, terminal: &Terminal) -> Result<(Base, u64)> {
    let pack = pack(args, terminal)?;
    let (base, size) = (Base::read(&pack)?, pack.len() as u64);
    write_file(&args.output, pack)?;
    Ok((base, size))
}

fn pack(args: &args::BaseMake, terminal: &Terminal) -> Result<Vec<u8>> {
    let source = Path::new(&args.source);
    let digest = args.digest.clone();
    if args.source.starts_with("docker://") || !source.exists() {
        let targets = Targets::published();
        let name = match targets.find(&args.source) {
            Some((system, tag)) => format!("{}:{tag}", system.image),
            None => args.source.clone(),
        };
        let reference: Reference = name.parse().map_err(|error: String| {
            anyhow::anyhow!(
                "there is no such folder or file, and it names no target and no image: {error}"
            )
        })?;
        if !digest.is_empty() {
            bail!(
                "--digest is for what does not know its digest: name the image as IMAGE@{digest}"
            );
        }
        return image(&reference, args, terminal).with_context(|| reference.to_string());
    }
    if source.is_dir() {
        return root(source, digest);
    }
    if source.extension().is_some_and(|extension| extension == "json") {
        let mut base = Base::parse_list(&coreos(source)?)?;
        base.about.digest = digest;
        return Ok(base.write_list());
    }
    let about = About { from: "rpmdb".into(), digest, ..About::default() };
    Ok(database(source)?.write(&about))
}

/// A pack of an unpacked image.
fn root(root: &Path, digest: String) -> Result<Vec<u8>> {
    let path = DATABASES.iter().map(|path| root.join(path)).find(|path| path.exists());
    let path = path.with_context(|| {
        format!("{} has no database of packages at {}", root.display(), DATABASES.join(", "))
    })?;
    let about = about("root", digest, |paths| {
        for path in paths.iter().map(|path| root.join(path)) {
            match fs::read(&path) {
                Ok(text) => return Ok(Some(text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot read {}", path.display()));
                }
            }
        }
        Ok(None)
    })?;
    Ok(database(&path)?.write(&about))
}

/// A pack of an image in a registry.
fn image(reference: &Reference, args: &args::BaseMake, terminal: &Terminal) -> Result<Vec<u8>> {
    let fetcher = Fetcher::new(&args.network)?;
    let image = Image::find(reference, args.arch, &fetcher)?;
    let progress = terminal.progress(image.size());
    progress.set_message("fetching");
    let layers = image.fetch(&fetcher, &progress)?;
    progress.finish_and_clear();

    let texts: Vec<&str> =
        [&OS_RELEASE[..], &USERS, &LOCAL_USERS, &GROUPS, &LOCAL_GROUPS, &CONTEXTS, &SUBS].concat();
    let logs = DATABASES.map(|path| format!("{path}-wal"));
    let all = texts.iter().copied().chain(DATABASES).chain(logs.iter().map(String::as_str));
    let names: Vec<&str> = all.filter_map(|path| path.rsplit('/').next()).collect();
    let layers = Layers::read(layers, &names)?;
    let (path, log) =
        DATABASES.into_iter().zip(&logs).find(|(path, _)| layers.has(path)).with_context(|| {
            format!("it has no database of packages at {}", DATABASES.join(", "))
        })?;

    let mut found = BTreeMap::new();
    let mut file = fetcher.scratch()?;
    let wanted: Vec<&str> = texts.iter().copied().chain([path, log.as_str()]).collect();
    layers.content(&wanted, |name, content| {
        if name == path {
            file.set_len(0)?;
            file.rewind()?;
            std::io::copy(content, &mut file).context("the database of packages")?;
            return Ok(());
        }
        let mut text = Vec::new();
        content.take(MAX_TEXT).read_to_end(&mut text).with_context(|| name.to_owned())?;
        found.insert(name.to_owned(), text);
        Ok(())
    })?;
    check_log(path, found.get(log).map_or(0, |log| log.len() as u64))?;
    let about = about("image", image.digest, |paths| {
        Ok(paths.iter().find_map(|path| found.remove(*path)))
    })?;
    Ok(packages(file).with_context(|| path.to_owned())?.write(&about))
}

/// The texts of a system, each of the first of several places where it is.
fn about(
    from: &str,
    digest: String,
    mut read: impl FnMut(&[&str]) -> Result<Option<Vec<u8>>>,
) -> Result<About> {
    let mut text = |paths: &[&str]| -> Result<String> {
        let bytes = read(paths)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(About {
        from: from.to_owned(),
        digest,
        os_release: text(&OS_RELEASE)?,
        passwd: text(&USERS)? + &text(&LOCAL_USERS)?,
        group: text(&GROUPS)? + &text(&LOCAL_GROUPS)?,
        file_contexts: text(&CONTEXTS)?,
        file_contexts_subs: text(&SUBS)?,
    })
}

/// All packages of a database on disk.
fn database(path: &Path) -> Result<Installed> {
    let name = path.display();
    let log = path.with_extension("sqlite-wal");
    check_log(&name.to_string(), fs::metadata(log).map_or(0, |log| log.len()))?;
    let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    packages(file).with_context(|| name.to_string())
}

/// Refuses a database with changes that it has not taken over.
fn check_log(name: &str, length: u64) -> Result<()> {
    if length > 0 {
        bail!("{name} has changes in {name}-wal that it has not taken over: run `rpm --rebuilddb`");
    }
    Ok(())
}

fn packages(file: File) -> Result<Installed> {
    let mut database = Database::open(file)?;
    let mut installed = Installed::default();
    while let Some(header) = database.next_header()? {
        interrupt::check()?;
        let (package, header) = RepoPackage::from_database(&header)?;
        installed.add(package, &header);
    }
    Ok(installed)
}

/// The list of packages in a file of CoreOS: `manifest-lock.ARCH.json`, or `commitmeta.json` of a build.
fn coreos(path: &Path) -> Result<String> {
    let name = path.display();
    let file = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    let json: Value = serde_json::from_slice(&file).with_context(|| name.to_string())?;
    let mut list = String::new();
    if let Some(packages) = json["packages"].as_object() {
        for (package, about) in packages {
            let evra = about["evra"].as_str().or(about["evr"].as_str());
            let evra = evra.with_context(|| format!("{name}: {package} has no evra"))?;
            list += &format!("{package}-{evra}\n");
        }
        return Ok(list);
    }
    let packages = json["rpmostree.rpmdb.pkglist"].as_array().with_context(|| {
        format!("{name}: expected `packages` or `rpmostree.rpmdb.pkglist`, found neither")
    })?;
    for package in packages {
        let part = |at: usize| package[at].as_str().with_context(|| format!("{name}: {package}"));
        list += &format!("{}-{}:{}-{}.{}\n", part(0)?, part(1)?, part(2)?, part(3)?, part(4)?);
    }
    Ok(list)
}
