//! Sources of recipes: which version there is, and its files, held against digests and signatures.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use sysext::extension::{Action, Discover, Source, SourceKind, Version};
use sysext::rpm::repodata::Checksum;
use sysext::rpm::signature::{Keyring, Verdict};
use sysext::{Arch, Extension, Held, LockedSource};

use crate::args::Trust;
use crate::fetch::{Fetcher, Place, Wanted, matches, sha256_of};

/// Bytes that a file inside an archive, or a source that is one file, may have.
const MAX_FILE: u64 = 512 << 20;

/// What sources have brought.
#[derive(Default)]
pub(crate) struct Fetched {
    /// Packages.
    pub(crate) packages: Vec<PathBuf>,
    /// Archives and files.
    pub(crate) sources: BTreeMap<String, Held>,
    /// What a lock says of them.
    pub(crate) locked: Vec<LockedSource>,
}

impl Fetched {
    /// The version that a source gives the extension, if one does.
    pub(crate) fn version(&self, extension: &Extension) -> Option<String> {
        let Some(Version::Source(name)) = &extension.version else { return None };
        let locked = self.locked.iter().find(|locked| locked.name == *name)?;
        (!locked.version.is_empty()).then(|| locked.version.clone())
    }

    fn add(&mut self, extension: &Extension, source: &Source, path: PathBuf) -> Result<()> {
        match source.kind {
            SourceKind::Rpm => self.packages.push(path),
            SourceKind::File => {
                self.sources.insert(source.name.clone(), Held::File(read(&path)?));
            }
            SourceKind::Archive => {
                let file =
                    File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
                let held =
                    Held::read_archive(BufReader::new(file), &patterns(extension, &source.name));
                let held =
                    held.with_context(|| format!("{} cannot be read as an archive", source.name))?;
                self.sources.insert(source.name.clone(), held);
            }
        }
        Ok(())
    }
}

/// Fetches the sources of a recipe in the versions that there are.
pub(crate) fn fetch(
    extension: &Extension,
    arch: Arch,
    fetcher: &Fetcher,
    trust: &Trust,
) -> Result<Fetched> {
    let mut fetched = Fetched::default();
    for source in &extension.sources {
        let (path, locked) =
            one(source, arch, fetcher, trust).with_context(|| source.name.clone())?;
        let version = match source.kind {
            // What a package says of itself counts.
            SourceKind::Rpm => evr(&path)?,
            _ => locked.version.clone(),
        };
        fetched.locked.push(LockedSource { version, ..locked });
        fetched.add(extension, source, path)?;
    }
    Ok(fetched)
}

/// Fetches the sources of a lock.
pub(crate) fn locked(
    extension: &Extension,
    locked: &[LockedSource],
    fetcher: &Fetcher,
) -> Result<Fetched> {
    let mut fetched = Fetched { locked: locked.to_vec(), ..Fetched::default() };
    for source in &extension.sources {
        let known = locked.iter().find(|locked| locked.name == source.name);
        let known = known.with_context(|| format!("the lock does not have {}", source.name))?;
        let path = file(&known.url, Some(&known.sha256), fetcher)?;
        fetched.add(extension, source, path)?;
    }
    Ok(fetched)
}

fn one(
    source: &Source,
    arch: Arch,
    fetcher: &Fetcher,
    trust: &Trust,
) -> Result<(PathBuf, LockedSource)> {
    let found = version(source, fetcher)?;
    let url = source.fill(&source.url, &found.version, arch);
    let name = url.rsplit('/').next().unwrap_or_default();
    let mut digest = source.sha256.get(&arch).cloned().or_else(|| found.digests.get(name).cloned());
    if let (None, Some(at)) = (&digest, &source.sha256_url) {
        let at = source.fill(at, &found.version, arch);
        let text = fetcher.get_url(&at)?;
        let text = String::from_utf8_lossy(&text);
        digest = Some(
            digest_in(&text, name)
                .with_context(|| format!("{at} does not tell the digest of {name}"))?,
        );
    }
    if !source.sha256.is_empty() && digest.is_none() {
        bail!("no digest is written for {}", arch.rpm());
    }
    let path = file(&url, digest.as_deref(), fetcher)?;
    match &source.key {
        Some(key) => check_signature(&path, key, fetcher)?,
        None if digest.is_none() && trust.allow_unsigned => {
            eprintln!(
                "warning: nothing says what {url} must be, and nobody asks: it may be anybody's"
            );
        }
        None if digest.is_none() => {
            bail!("nothing says what {url} must be: neither a digest nor a key")
        }
        None => {}
    }
    let sha256 = sha256_of(&path)?;
    Ok((path, LockedSource { name: source.name.clone(), version: found.version, url, sha256 }))
}

/// A version, and digests of files by their names where they are told with it.
#[derive(Debug, Default, Eq, PartialEq)]
struct Found {
    version: String,
    digests: BTreeMap<String, String>,
}

fn version(source: &Source, fetcher: &Fetcher) -> Result<Found> {
    if let Some(version) = &source.version {
        return Ok(Found { version: version.clone(), ..Found::default() });
    }
    let Some(discover) = &source.discover else { return Ok(Found::default()) };
    let url = match discover {
        Discover::Github(project) => {
            format!("https://api.github.com/repos/{project}/releases/latest")
        }
        Discover::Gitlab(project) => format!(
            "https://gitlab.com/api/v4/projects/{}/releases/permalink/latest",
            project.replace('/', "%2F")
        ),
        Discover::Text(url) | Discover::Json { url, .. } => url.clone(),
    };
    let answer = fetcher.get_url(&url)?;
    found(discover, &answer).with_context(|| format!("{url} does not tell a version"))
}

/// The version in what a server has answered.
fn found(discover: &Discover, answer: &[u8]) -> Result<Found> {
    let json = || serde_json::from_slice::<Value>(answer).context("expected JSON");
    let text_at = |json: &Value, pointer: &str| {
        let text = json.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        text.with_context(|| format!("expected a text at {pointer}"))
    };
    let mut found = Found::default();
    let version = match discover {
        Discover::Text(_) => String::from_utf8_lossy(answer).into_owned(),
        Discover::Json { pointer, .. } => text_at(&json()?, pointer)?,
        Discover::Gitlab(_) => text_at(&json()?, "/tag_name")?,
        Discover::Github(_) => {
            let json = json()?;
            for asset in json["assets"].as_array().into_iter().flatten() {
                let digest =
                    asset["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:"));
                if let (Some(name), Some(digest)) = (asset["name"].as_str(), digest) {
                    found.digests.insert(name.to_owned(), digest.to_owned());
                }
            }
            text_at(&json, "/tag_name")?
        }
    };
    let version = version.trim();
    let version = version.strip_prefix('v').unwrap_or(version);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".+-_~".contains(&byte);
    if version.is_empty() || !version.bytes().all(plain) {
        bail!("expected a version, found `{}`", version.chars().take(40).collect::<String>());
    }
    version.clone_into(&mut found.version);
    Ok(found)
}

/// The SHA-256 of a file in a list as `sha256sum` writes it, or alone.
fn digest_in(text: &str, name: &str) -> Option<String> {
    let is_digest =
        |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_name = |word: &str| {
        word.trim_start_matches(['*', '(']).trim_end_matches(')').rsplit('/').next() == Some(name)
    };
    let digest = |line: &str| line.split_whitespace().find(is_digest).map(str::to_lowercase);
    let named = text.lines().find(|line| line.split_whitespace().any(is_name));
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    match (named, lines.as_slice()) {
        (Some(line), _) => digest(line),
        (None, [only]) if only.split_whitespace().count() == 1 => digest(only),
        _ => None,
    }
}

/// A file of a URL, held against its digest if there is one.
fn file(url: &str, sha256: Option<&str>, fetcher: &Fetcher) -> Result<PathBuf> {
    let (folder, name) = url.rsplit_once('/').unwrap_or((".", url));
    let checksum =
        sha256.map(|hex| Checksum { algorithm: "sha256".into(), hex: hex.to_lowercase() });
    let wanted =
        Wanted { checksum: checksum.clone(), ..Wanted::unknown(Place::new(folder)?, name) };
    let path = fetcher.file(&wanted, &indicatif::ProgressBar::hidden())?;
    match checksum {
        Some(checksum) if !matches(&path, &checksum)? => bail!(
            "{url} is not what it should be: its SHA-256 is {}, expected {}",
            sha256_of(&path)?,
            checksum.hex
        ),
        _ => Ok(path),
    }
}

fn check_signature(path: &Path, key: &str, fetcher: &Fetcher) -> Result<()> {
    let mut keyring = Keyring::default();
    keyring.add(&fetcher.get_url(key)?).with_context(|| key.to_owned())?;
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    match keyring.verify_package(BufReader::new(file))? {
        Verdict::Signed(_) => Ok(()),
        Verdict::Unsigned => bail!("it is not signed"),
        Verdict::NoKey(keys) => bail!("it is signed by {}, and not by {key}", keys.join(", ")),
        Verdict::Bad(why) => bail!("bad signature: {why}"),
    }
}

fn evr(path: &Path) -> Result<String> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let package = sysext::rpm::Package::read(BufReader::new(file));
    Ok(package.with_context(|| path.display().to_string())?.evr())
}

/// What steps take out of an archive.
fn patterns<'a>(extension: &'a Extension, source: &str) -> Vec<&'a str> {
    let from = extension.steps.iter().filter_map(|step| match &step.action {
        Action::Install(install) if install.source == source => install.from.as_deref(),
        _ => None,
    });
    from.collect()
}

#[expect(clippy::disallowed_methods, reason = "this crate is the outside world")]
fn read(path: &Path) -> Result<Vec<u8>> {
    let name = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {name}"))?.len();
    if size > MAX_FILE {
        bail!("{name} has {size} bytes, more than {MAX_FILE}");
    }
    std::fs::read(path).with_context(|| format!("cannot read {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found() {
        let check = |discover: Discover, answer: &str, expected: Option<&str>| {
            let found = found(&discover, answer.as_bytes()).ok().map(|found| found.version);
            assert_eq!(found.as_deref(), expected, "{answer}");
        };
        let json = |pointer: &str| Discover::Json { url: String::new(), pointer: pointer.into() };
        check(Discover::Text(String::new()), "v0.18.3\n", Some("0.18.3"));
        check(Discover::Text(String::new()), "<html>not found</html>", None);
        check(Discover::Text(String::new()), "", None);
        check(json("/data/latest/0"), r#"{"data":{"latest":["1.2"]}}"#, Some("1.2"));
        check(json("/data"), r#"{"data":1}"#, None);
        check(Discover::Gitlab(String::new()), r#"{"tag_name":"v1.50.0"}"#, Some("1.50.0"));
        check(Discover::Gitlab(String::new()), r#"{"message":"404"}"#, None);
    }

    #[test]
    fn releases_tell_digests() {
        let answer = r#"{"tag_name":"v1.0","assets":[{"name":"a.tar.gz","digest":"sha256:00ff"},{"name":"old"}]}"#;
        let found = found(&Discover::Github(String::new()), answer.as_bytes()).unwrap();
        assert_eq!(found.digests, BTreeMap::from([("a.tar.gz".to_owned(), "00ff".to_owned())]));
    }

    #[test]
    fn digests_are_found_in_lists() {
        let (a, b) = ("a".repeat(64), "B".repeat(64));
        let check = |text: &str, name: &str, expected: Option<&str>| {
            assert_eq!(digest_in(text, name), expected.map(str::to_lowercase), "{text}");
        };
        check(&format!("{a}  one.rpm\n{b} *dir/two.rpm\n"), "two.rpm", Some(&b));
        check(&format!("{a}  one.rpm\n"), "two.rpm", None);
        check(&format!("{a}\n"), "one.rpm", Some(&a));
        check(&format!("SHA256 (one.rpm) = {a}\n"), "one.rpm", Some(&a));
        check("not found", "one.rpm", None);
    }
}
