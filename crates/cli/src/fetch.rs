//! Files of repositories, from folders and over HTTP, kept by what they hold.
#![expect(clippy::disallowed_methods, reason = "this crate is the outside world")]

mod cache;
mod http;
mod token;

use std::fs::{self, File};
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;
use sha2::{Digest as _, Sha256};
use sysext::Origin;
use sysext::rpm::repodata::Checksum;

use crate::args;
use cache::Cache;
use http::{Http, Sources, part_url};

/// Bytes that a file may have whose size nobody tells.
const MAX_UNKNOWN: u64 = 1 << 30;

/// Where a repository is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A folder here.
    Folder(PathBuf),
    /// URLs of mirrors without a slash at their ends, the preferred first.
    Web(Vec<String>),
}

/// A file that is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) place: Place,
    /// Path below the place, or a URL of its own.
    pub(crate) path: String,
    pub(crate) size: Option<u64>,
    pub(crate) checksum: Option<Checksum>,
    /// Kinds of content that will do, as HTTP's `Accept` says it.
    pub(crate) accept: Option<&'static str>,
}

/// Bytes of a file.
pub(crate) struct Part {
    pub(crate) bytes: Vec<u8>,
    /// What the server calls the state of the file: other parts belong to them if theirs is the same.
    pub(crate) state: Option<String>,
}

/// Fetches files.
pub(crate) struct Fetcher {
    http: Http,
    cache: Cache,
    offline: bool,
    downloads: usize,
}

impl Wanted {
    /// A file of which nobody says what it should be.
    pub(crate) fn unknown(place: Place, path: &str) -> Self {
        Self { place, path: path.to_owned(), size: None, checksum: None, accept: None }
    }

    /// A package of a repository.
    pub(crate) fn package(place: Place, origin: &Origin) -> Self {
        Self {
            size: Some(origin.size),
            checksum: Some(origin.checksum.clone()),
            ..Self::unknown(place, &origin.location)
        }
    }
}

impl Place {
    /// A folder, or a URL of a folder.
    pub(crate) fn new(text: &str) -> Result<Self> {
        match text.split_once("://") {
            None => Ok(Self::Folder(PathBuf::from(text))),
            Some(("file", path)) => Ok(Self::Folder(PathBuf::from(path))),
            Some(("http" | "https", _)) => {
                Ok(Self::Web(vec![text.trim_end_matches('/').to_owned()]))
            }
            Some((scheme, _)) => {
                bail!("{text}: {scheme} is not supported, expected a folder, http, https or file")
            }
        }
    }

    /// The URL of a path there; of the first mirror, if there are several.
    pub(crate) fn url(&self, path: &str) -> Result<String> {
        if path.contains("://") {
            return Ok(path.to_owned());
        }
        let folder = match self {
            Self::Web(mirrors) => {
                let mirror = mirrors.first().context("there is no mirror")?;
                return Ok(format!("{mirror}/{path}"));
            }
            Self::Folder(folder) => folder,
        };
        let folder = fs::canonicalize(folder)
            .with_context(|| format!("cannot find {}", folder.display()))?;
        Ok(format!("file://{}/{path}", folder.display()))
    }
}

impl Fetcher {
    pub(crate) fn new(args: &args::Network) -> Result<Self> {
        Ok(Self {
            http: Http::new(args),
            cache: Cache::new(args.cache.as_deref())?,
            offline: args.offline,
            downloads: args.downloads.get(),
        })
    }

    /// The content of a file of a URL, or of a folder.
    pub(crate) fn get_url(&self, url: &str) -> Result<Vec<u8>> {
        let (folder, name) = url.rsplit_once('/').unwrap_or((".", url));
        self.get(&Wanted::unknown(Place::new(folder)?, name))
    }

    /// The content of a small file.
    pub(crate) fn get(&self, wanted: &Wanted) -> Result<Vec<u8>> {
        let path = self.file(wanted, &ProgressBar::hidden())?;
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// A file that holds what is wanted: where it lies in a folder, or in the cache.
    pub(crate) fn file(&self, wanted: &Wanted, progress: &ProgressBar) -> Result<PathBuf> {
        let urls = match (Place::new(&wanted.path), &wanted.place) {
            (Ok(Place::Web(own)), _) => own,
            (_, Place::Web(mirrors)) => {
                mirrors.iter().map(|mirror| format!("{mirror}/{}", wanted.path)).collect()
            }
            (_, Place::Folder(folder)) => return found(folder.join(&wanted.path), progress),
        };
        if let Some(checksum) = &wanted.checksum
            && let Some(path) = self.cache.find(checksum)?
        {
            progress.inc(wanted.size.unwrap_or_default());
            return Ok(path);
        }
        if self.offline {
            let cached = match wanted.checksum {
                None => urls.iter().find_map(|url| self.cache.by_url(url)),
                Some(_) => None,
            };
            let url = urls.first().map(String::as_str).unwrap_or_default();
            return cached.map(|known| known.path).with_context(|| {
                format!("{url} is not in the cache, and --offline forbids to fetch it")
            });
        }
        let sources = Sources { urls: &urls, accept: wanted.accept };
        match (&wanted.checksum, wanted.size) {
            (Some(checksum), Some(size)) => {
                self.http.download(&self.cache, sources, size, checksum, progress)
            }
            (_, size) => self.http.refresh(&self.cache, sources, size.unwrap_or(MAX_UNKNOWN)),
        }
    }

    /// Bytes of a file of a URL, fewer where it ends, and what its server calls the state that it is in.
    pub(crate) fn part(&self, url: &str, range: &Range<u64>) -> Result<Part> {
        let known = if self.offline {
            let known = self.cache.by_url(&part_url(url, range));
            known.or_else(|| self.cache.by_url(url)).with_context(|| {
                format!("this part of {url} is not in the cache, and --offline forbids to fetch it")
            })?
        } else {
            self.http.part(&self.cache, url, range, MAX_UNKNOWN)?
        };
        let name = known.path.display();
        let mut bytes = fs::read(&known.path).with_context(|| format!("cannot read {name}"))?;
        if known.url == url {
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            bytes = bytes[place(range.start)..place(range.end)].to_vec();
        }
        Ok(Part { bytes, state: known.etag.or(known.last_modified) })
    }

    /// A file for as long as it is open, in the folder of the cache: folders for temporary files may be memory.
    pub(crate) fn scratch(&self) -> Result<File> {
        self.cache.scratch()
    }

    /// Fetches many files side by side. They come back in the order in which they were wanted.
    pub(crate) fn all(&self, wanted: &[Wanted], progress: &ProgressBar) -> Result<Vec<PathBuf>> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(file) = wanted.get(at) else { return Ok(done) };
                match self.file(file, progress) {
                    Ok(path) => done.push((at, path)),
                    Err(error) => {
                        // The others need not go on.
                        next.store(wanted.len(), Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
        };
        let mut found: Vec<(usize, PathBuf)> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..self.downloads.min(wanted.len()).max(1)).map(|_| scope.spawn(work)).collect();
            let mut all = Vec::new();
            for thread in threads {
                let done: Result<Vec<(usize, PathBuf)>> =
                    thread.join().unwrap_or_else(|_| bail!("a download has panicked"));
                all.extend(done?);
            }
            Ok::<_, anyhow::Error>(all)
        })?;
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }
}

/// A file of a folder, whose bytes need not come.
fn found(path: PathBuf, progress: &ProgressBar) -> Result<PathBuf> {
    let about = fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
    progress.inc(about.len());
    Ok(path)
}

/// The folder of the cache.
pub(crate) fn cache_folder(folder: Option<&Path>) -> Result<PathBuf> {
    Cache::folder(folder)
}

/// The SHA-256 of a file, in hexadecimal digits.
pub(crate) fn sha256_of(path: &Path) -> Result<String> {
    let name = path.display();
    let mut file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer).with_context(|| format!("cannot read {name}"))?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
    }
    Ok(sysext::rpm::hex(&hash.finalize()))
}

/// The SHA-256 of bytes, in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    sysext::rpm::hex(&Sha256::digest(bytes))
}

/// Holds a file against a digest.
pub(crate) fn matches(path: &Path, checksum: &Checksum) -> Result<bool> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    checksum.matches(file).with_context(|| format!("cannot read {name}"))
}
