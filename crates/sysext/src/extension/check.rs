//! What an extension says, held against what can be.

use std::collections::BTreeSet;

use rpm::repodata::Variables;

use super::read::{Part, Way, closest};
use super::{Action, Class, Extension, Source, SourceKind, Step, Version};
use crate::recipe::check_name;
use crate::repositories::{known_names, known_repositories};
use crate::targets::Targets;

/// What is wrong, and where.
#[derive(Default)]
struct Mistakes(Vec<(Way, String)>);

/// Types of units that can be started.
const UNITS: [&str; 6] = [".service", ".socket", ".timer", ".path", ".mount", ".target"];
/// Lines are read in lists; longer ones are cut there.
const MAX_SUMMARY: usize = 100;

/// A place in the text.
macro_rules! way {
    ($($part:expr),*) => { vec![$(Part::from($part)),*] };
}

mod steps;

impl From<&'static str> for Part {
    fn from(key: &'static str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Part {
    fn from(index: usize) -> Self {
        Self::At(index)
    }
}

/// Everything in an extension that cannot be.
pub(super) fn check(extension: &Extension) -> Vec<(Way, String)> {
    let mut mistakes = Mistakes::default();
    mistakes.about(extension);
    mistakes.packages(extension);
    mistakes.repositories(extension);
    for (at, source) in extension.sources.iter().enumerate() {
        mistakes.source(extension, at, source);
    }
    mistakes.targets(extension);
    mistakes.version(extension);
    mistakes.system(extension);
    for (at, step) in extension.steps.iter().enumerate() {
        mistakes.step(extension, at, step);
    }
    mistakes.0
}

impl Mistakes {
    fn add(&mut self, way: Way, message: impl Into<String>) {
        self.0.push((way, message.into()));
    }

    fn about(&mut self, extension: &Extension) {
        let Extension { summary, name, .. } = extension;
        let length = summary.chars().count();
        if summary.trim().is_empty() {
            self.add(way!["summary"], "expected `summary`, one line about the extension");
        } else if length > MAX_SUMMARY || summary.contains('\n') {
            let message = format!(
                "expected one line of at most {MAX_SUMMARY} letters, found {length}: `description` takes more"
            );
            self.add(way!["summary"], message);
        }
        if let Some(Err(error)) = name.as_ref().map(|name| check_name(name)) {
            self.add(way!["name"], error.to_string());
        }
    }

    fn packages(&mut self, extension: &Extension) {
        let Extension { packages, exclude, sources, steps, .. } = extension;
        let makes_files =
            steps.iter().any(|step| matches!(step.action, Action::File(_) | Action::Files(_)));
        if packages.is_empty() && sources.is_empty() && !makes_files {
            self.add(way!["packages"], "expected `packages`, a `source` or steps that write files: there is nothing to put into the image");
        }
        self.unique("packages", packages);
        self.unique("exclude", exclude);
        for (at, package) in exclude.iter().enumerate() {
            if packages.contains(package) {
                let message =
                    format!("`{package}` is asked for in `packages` and excluded as well");
                self.add(way!["exclude", at], message);
            }
        }
        for (at, allow) in extension.allowed.iter().enumerate() {
            if allow.reason.trim().is_empty() {
                self.add(way!["allow", at, "reason"], "expected why it is fine");
            }
            if extension.deny.contains(&allow.check) {
                self.add(way!["allow", at, "check"], "this check is in `deny` as well");
            }
        }
    }

    fn unique(&mut self, key: &'static str, texts: &[String]) {
        let mut seen = BTreeSet::new();
        for (at, text) in texts.iter().enumerate() {
            if text.trim().is_empty() {
                self.add(way![key, at], "expected a text that is not empty");
            } else if !seen.insert(text) {
                self.add(way![key, at], format!("`{text}` is there twice"));
            }
        }
    }

    fn repositories(&mut self, extension: &Extension) {
        self.unique("repositories", &extension.repositories);
        for (at, name) in extension.repositories.iter().enumerate() {
            let is_url = name.ends_with(".repo") && name.contains("://");
            if is_url || is_known(name) {
                continue;
            }
            let meant = closest(name, known_names().into_iter());
            let meant = meant.map(|meant| format!(": did you mean `{meant}`?"));
            let message = meant.unwrap_or_else(|| {
                ", and it is neither copr:OWNER/PROJECT nor the URL of a .repo file".into()
            });
            self.add(
                way!["repositories", at],
                format!("no repository is known as `{name}`{message}"),
            );
        }
        let nowhere = !extension.default_repositories
            && extension.repositories.is_empty()
            && extension.own_repositories.is_empty();
        if nowhere && !extension.packages.is_empty() {
            self.add(way!["default-repositories"], "without `fedora` and `updates` there is no repository that packages could come from");
        }
        for (at, repository) in extension.own_repositories.iter().enumerate() {
            if repository.gpgcheck && repository.gpgkey.is_empty() {
                self.add(
                    way!["repository", at],
                    format!(
                        "`{}` names no keys: expected `gpgkey`, or `gpgcheck = false`",
                        repository.id
                    ),
                );
            }
            self.url(way!["repository", at, "baseurl"], &repository.baseurl);
        }
    }

    fn url(&mut self, way: Way, url: &str) {
        if !url.starts_with("https://")
            && !url.starts_with("http://")
            && !url.starts_with("file://")
        {
            self.add(way, format!("expected a URL, found `{url}`"));
        }
    }

    fn source(&mut self, extension: &Extension, at: usize, source: &Source) {
        let name = &source.name;
        if extension.sources.iter().take(at).any(|other| other.name == *name) {
            self.add(way!["source", at, "name"], format!("another source is called `{name}`"));
        }
        self.url(way!["source", at, "url"], &source.url);
        match (&source.version, &source.discover) {
            (Some(_), Some(_)) => self.add(
                way!["source", at, "discover"],
                "the version is pinned by `version`: expected one of the two",
            ),
            (None, None) if source.url.contains("{version}") => self.add(
                way!["source", at, "url"],
                "expected `version` or `discover`, which say what {version} stands for",
            ),
            _ => {}
        }
        let tells_digest = matches!(source.discover, Some(super::Discover::Github(_)));
        let is_signed = source.key.is_some() && source.kind == SourceKind::Rpm;
        if source.sha256.is_empty() && source.sha256_url.is_none() && !tells_digest && !is_signed {
            let key = if source.kind == SourceKind::Rpm {
                ", `sha256-url` or `key`"
            } else {
                " or `sha256-url`"
            };
            self.add(
                way!["source", at],
                format!("nothing says what `{name}` must be: expected `sha256`{key}"),
            );
        }
        if source.key.is_some() && source.kind != SourceKind::Rpm {
            self.add(
                way!["source", at, "key"],
                "only packages are signed within: expected `sha256` or `sha256-url`",
            );
        }
        for (arch, digest) in &source.sha256 {
            if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                self.add(
                    way!["source", at, "sha256"],
                    format!("expected 64 hexadecimal digits for {}, found `{digest}`", arch.rpm()),
                );
            }
        }
        let is_used =
            |step: &Step| matches!(&step.action, Action::Install(step) if step.source == *name);
        if source.kind != SourceKind::Rpm && !extension.steps.iter().any(is_used) {
            self.add(way!["source", at], format!("no step installs anything of `{name}`"));
        }
    }

    fn targets(&mut self, extension: &Extension) {
        let known = Targets::published();
        self.unique("targets", &extension.targets);
        for (at, name) in extension.targets.iter().enumerate() {
            let (id, tag) =
                name.split_once(':').map_or((name.as_str(), None), |(id, tag)| (id, Some(tag)));
            let Some(system) = known.systems.iter().find(|system| system.id == id) else {
                let meant = closest(id, known.systems.iter().map(|system| system.id.as_str()));
                let meant =
                    meant.map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default();
                self.add(way!["targets", at], format!("no target is known as `{id}`{meant}"));
                continue;
            };
            if let Some(tag) = tag.filter(|tag| !system.tags.iter().any(|known| known == tag)) {
                self.add(
                    way!["targets", at],
                    format!("`{id}` has no `{tag}`: expected one of {}", system.tags.join(", ")),
                );
            }
        }
        self.unique("releases", &extension.releases);
        for (at, release) in extension.releases.iter().enumerate() {
            if release.parse::<u32>().is_err() {
                self.add(
                    way!["releases", at],
                    format!("expected a Fedora release such as \"43\", found `{release}`"),
                );
            }
        }
    }

    fn version(&mut self, extension: &Extension) {
        match &extension.version {
            Some(Version::Source(name))
                if !extension.sources.iter().any(|source| source.name == *name) =>
            {
                self.add(way!["version", "source"], format!("there is no source `{name}`"));
            }
            None if extension.packages.is_empty() => {
                let message = "expected `[version]` with `package`, `source` or `text`: nothing is asked for whose version it could be";
                self.add(way!["version"], message);
            }
            Some(Version::Text(text) | Version::Package(text)) if text.trim().is_empty() => {
                self.add(way!["version"], "expected a text that is not empty");
            }
            _ => {}
        }
    }

    fn system(&mut self, extension: &Extension) {
        self.unique("services", &extension.services);
        for (key, units) in
            [("services", &extension.services), ("restart", &extension.setup.restart)]
        {
            for (at, unit) in units.iter().enumerate() {
                if UNITS.iter().any(|end| unit.ends_with(end)) {
                    continue;
                }
                let way = if key == "services" {
                    way!["services", at]
                } else {
                    way!["setup", "restart", at]
                };
                self.add(way, format!("`{unit}` is no unit: did you mean `{unit}.service`?"));
            }
        }
        if extension.class == Class::Confext && extension.etc != super::EtcPolicy::UsrEtc {
            self.add(way!["etc"], "a confext has its files in /etc: leave `etc` out");
        }
        for (at, path) in extension.required.iter().enumerate() {
            self.path(extension, way!["required", at], path);
        }
        for (at, path) in extension.setup.relabel.iter().enumerate() {
            if !path.starts_with('/') {
                self.add(
                    way!["setup", "relabel", at],
                    format!("expected an absolute path, found `{path}`"),
                );
            }
        }
    }
}

/// Whether repositories are known by a name, in which a recipe may have variables of the system.
fn is_known(name: &str) -> bool {
    let some = Variables::new(Some("43"), "x86_64");
    let name = some.replace(name).unwrap_or_default();
    known_repositories(&name, &some).is_ok_and(|found| !found.is_empty())
}
