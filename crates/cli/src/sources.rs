//! The repositories of the arguments: folders, URLs, indexes, `.repo` files and names that are known.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, Result, anyhow, bail};
use sysext::resolve::index::Parts;
use sysext::rpm::repodata::{Metalink, RepoConfig, State, Variables};
use sysext::rpm::signature::{Keyring, Verdict};
use sysext::{Repository, known_repositories};

use crate::args;
use crate::fetch::{Fetcher, Place, Wanted};

/// Mirrors that are asked at most.
const MAX_MIRRORS: usize = 10;

/// A repository and where it is.
pub(crate) struct Source {
    pub(crate) repository: Repository,
    /// Where its packages are, and unless it came as an index its metadata.
    pub(crate) place: Place,
    /// The index that it came as.
    pub(crate) index: Option<IndexFile>,
    /// The repository as an index has it: a section of a `.repo` file; empty if it is a folder here.
    pub(crate) described: String,
    /// What its metalink says of `repomd.xml`, the newest state first.
    states: Vec<State>,
    /// URLs of the keys that it names.
    keys: Vec<String>,
    /// Whether its packages must be signed.
    pub(crate) gpgcheck: bool,
    /// Whether its `repomd.xml` must be signed.
    repo_gpgcheck: bool,
}

/// A file that `index` made.
pub(crate) enum IndexFile {
    Here(PathBuf),
    /// One on the web, and the state that it was in when the first part came.
    Web {
        url: String,
        state: OnceLock<Option<String>>,
    },
}

impl IndexFile {
    /// Bytes of it, fewer where it ends.
    pub(crate) fn read(&self, range: &Range<u64>, fetcher: &Fetcher) -> Result<Vec<u8>> {
        match self {
            Self::Here(path) => {
                read_range(path, range).with_context(|| format!("cannot read {}", path.display()))
            }
            Self::Web { url, state } => {
                let part = fetcher.part(url, range)?;
                if *state.get_or_init(|| part.state.clone()) != part.state {
                    bail!("{url} has changed while it was read: try again");
                }
                Ok(part.bytes)
            }
        }
    }

    /// As much of it as choosing and fetching need.
    pub(crate) fn packages(&self, fetcher: &Fetcher) -> Result<Vec<u8>> {
        let head = self.read(&(0..Parts::HEAD as u64), fetcher)?;
        let parts = Parts::read(&head).with_context(|| self.to_string())?;
        self.read(&parts.packages, fetcher)
    }
}

impl std::fmt::Display for IndexFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Here(path) => path.display().fmt(f),
            Self::Web { url, .. } => f.write_str(url),
        }
    }
}

/// Bytes of a file, fewer where it ends.
fn read_range(path: &Path, range: &Range<u64>) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(range.start))?;
    let mut bytes = Vec::new();
    file.take(range.end - range.start).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// All repositories that the arguments name, and those that are described as a `.repo` file has them.
pub(crate) fn sources(
    repos: &[args::Repo],
    described: &str,
    release: Option<&str>,
    arch: &str,
    fetcher: &Fetcher,
) -> Result<Vec<Source>> {
    let variables = Variables::new(release, arch);
    let mut sources: Vec<Source> = Vec::new();
    for repo in repos {
        let found = expand(repo, &variables, fetcher).with_context(|| repo.to_string())?;
        for mut source in found {
            if let Some(priority) = repo.priority {
                source.repository.priority = priority;
            }
            sources.push(source);
        }
    }
    for config in RepoConfig::read(described, &variables).context("the recipe's repositories")? {
        sources.push(Source::of(&config, fetcher)?);
    }
    Ok(sources)
}

/// The one repository that an argument names.
pub(crate) fn source(
    repo: &args::Repo,
    release: Option<&str>,
    arch: &str,
    fetcher: &Fetcher,
) -> Result<Source> {
    let mut found = sources(std::slice::from_ref(repo), "", release, arch, fetcher)?;
    if found.len() != 1 {
        bail!("{repo} names {} repositories: say which one", found.len());
    }
    Ok(found.remove(0))
}

fn expand(repo: &args::Repo, variables: &Variables, fetcher: &Fetcher) -> Result<Vec<Source>> {
    let place = repo.place.as_str();
    let unknown = "--release says what $releasever stands for";
    if place.ends_with(".repo") {
        let file = fetcher.get_url(place)?;
        let text = String::from_utf8(file).context("expected text")?;
        let configs = RepoConfig::read_some(&text, variables, |id, enabled| match &repo.name {
            Some(name) => id == name,
            None => enabled,
        });
        let configs = configs.context(unknown)?;
        if configs.is_empty() {
            match &repo.name {
                Some(name) => bail!("it has no section [{name}]"),
                None => bail!("none of its repositories is enabled: say which with ID=FILE.repo"),
            }
        }
        return configs.iter().map(|config| Source::of(config, fetcher)).collect();
    }
    if !place.contains('/') || place.starts_with("copr:") {
        let configs = known_repositories(place, variables).context(unknown)?;
        if !configs.is_empty() {
            return configs.iter().map(|config| Source::of(config, fetcher)).collect();
        }
        if place.starts_with("copr:") {
            bail!("expected copr:OWNER/PROJECT or copr:@GROUP/PROJECT");
        }
        if !Path::new(place).exists() {
            bail!(
                "there is no folder of this name, and no repository is known by it: extensions/repositories.repo has \
                 those that are"
            );
        }
    }
    let (mut found, mut index, mut described) = (Place::new(place)?, None, String::new());
    match &found {
        Place::Folder(path) if path.is_file() => {
            index = Some(IndexFile::Here(path.clone()));
            found = Place::Folder(crate::output::folder(path).to_owned());
        }
        Place::Web(_) if place.ends_with(".index") => {
            let (folder, _) = place.rsplit_once('/').unwrap_or_default();
            found = Place::new(folder)?;
            index = Some(IndexFile::Web { url: place.to_owned(), state: OnceLock::new() });
        }
        Place::Web(urls) => {
            described = format!("[{}]\nbaseurl={}\n", repo.display_name(), urls.join(" "));
        }
        Place::Folder(_) => {}
    }
    Ok(vec![Source {
        repository: Repository::new(&repo.display_name()),
        place: found,
        index,
        described,
        states: Vec::new(),
        keys: Vec::new(),
        gpgcheck: true,
        repo_gpgcheck: false,
    }])
}

impl Source {
    /// The repository of a section, with its mirrors.
    fn of(config: &RepoConfig, fetcher: &Fetcher) -> Result<Self> {
        let mut metalink = Metalink::default();
        if let Some(url) = &config.metalink {
            metalink = Metalink::read(fetcher.get_url(url)?.as_slice()).context("metalink")?;
        } else if let Some(url) = &config.mirrorlist {
            let list = fetcher.get_url(url)?;
            metalink =
                Metalink::read_list(&String::from_utf8_lossy(&list)).context("mirrorlist")?;
        }
        let urls: Vec<String> =
            config.baseurl.iter().cloned().chain(metalink.mirrors).take(MAX_MIRRORS).collect();
        let place = match urls.first().map(|url| Place::new(url)).transpose()? {
            None => bail!("[{}]: no mirror of http or https is known", config.id),
            Some(Place::Web(_)) => Place::Web(urls),
            Some(folder) => folder,
        };
        let described = match &place {
            Place::Web(_) => config.section(),
            Place::Folder(_) => String::new(),
        };
        Ok(Self {
            repository: Repository::from(config),
            place,
            index: None,
            described,
            states: metalink.states,
            keys: config.gpgkey.clone(),
            gpgcheck: config.gpgcheck,
            repo_gpgcheck: config.repo_gpgcheck,
        })
    }

    /// Takes over what its index says of where packages are and of their keys, before packages are fetched.
    pub(crate) fn settle(&mut self, described: &str, fetcher: &Fetcher) -> Result<()> {
        let name = self.name().to_owned();
        let configs = RepoConfig::read(described, &Variables::default());
        let configs = configs.with_context(|| format!("{name}: what its index says of it"))?;
        if let Some(config) = configs.first() {
            let found = Self::of(config, fetcher).with_context(|| name)?;
            (self.place, self.keys, self.gpgcheck) = (found.place, found.keys, found.gpgcheck);
        }
        Ok(())
    }

    /// The name for messages.
    pub(crate) fn name(&self) -> &str {
        &self.repository.name
    }

    /// The keys that it names and the others that are trusted, or nothing if there are none.
    pub(crate) fn keyring(&self, fetcher: &Fetcher, others: &Keyring) -> Result<Option<Keyring>> {
        let mut keyring = others.clone();
        for url in &self.keys {
            let file = match fetcher.get_url(url) {
                // A file of a system that this is not, while somebody has said which keys to use.
                Err(_) if url.starts_with("file:") && !others.is_empty() => continue,
                file => file.with_context(|| format!("{}: gpgkey", self.name()))?,
            };
            keyring.add(&file).with_context(|| format!("{}: {url}", self.name()))?;
        }
        Ok((!keyring.is_empty()).then_some(keyring))
    }

    /// Its `repomd.xml`: one that its metalink knows, and signed if it must be.
    pub(crate) fn repomd(&self, fetcher: &Fetcher, keys: &Keyring) -> Result<Vec<u8>> {
        if !self.repo_gpgcheck {
            return self.state_at(&self.place, fetcher);
        }
        let keyring = self.keyring(fetcher, keys)?.with_context(|| {
            let name = self.name();
            format!("{name}: repo_gpgcheck needs keys: the repository names none in gpgkey")
        })?;
        // The signature must be of the same mirror: others may be ahead or behind.
        let places = match &self.place {
            Place::Web(urls) => urls.iter().map(|url| Place::Web(vec![url.clone()])).collect(),
            place => vec![place.clone()],
        };
        let mut failed = None;
        for place in places {
            match self.signed_at(&place, fetcher, &keyring) {
                Ok(repomd) => return Ok(repomd),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        Err(failed.unwrap_or_else(|| anyhow!("there is no mirror")))
    }

    fn signed_at(&self, place: &Place, fetcher: &Fetcher, keyring: &Keyring) -> Result<Vec<u8>> {
        let repomd = self.state_at(place, fetcher)?;
        let signature = fetcher.get(&Wanted::unknown(place.clone(), "repodata/repomd.xml.asc"));
        let signature = signature.context("repo_gpgcheck asks for a signature")?;
        match keyring.verify_detached(&repomd, &signature).context("repomd.xml.asc")? {
            Verdict::Signed(_) => Ok(repomd),
            Verdict::Unsigned => bail!("repomd.xml is not signed"),
            Verdict::NoKey(keys) => {
                bail!("repomd.xml is signed by {}, which is none of the keys", keys.join(", "))
            }
            Verdict::Bad(why) => bail!("repomd.xml has a bad signature: {why}"),
        }
    }

    /// The first state of `repomd.xml` that can be had.
    fn state_at(&self, place: &Place, fetcher: &Fetcher) -> Result<Vec<u8>> {
        let whatever = Wanted::unknown(place.clone(), "repodata/repomd.xml");
        let mut failed = None;
        for state in self.states.iter().filter(|state| state.checksum.is_some()) {
            let State { size, checksum } = state.clone();
            match fetcher.get(&Wanted { size, checksum, ..whatever.clone() }) {
                Ok(repomd) => return Ok(repomd),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => fetcher.get(&whatever),
        }
    }
}
