//! Collections of extensions: which images they make, and the table of them.

use std::fmt::Write as _;

use super::{Extension, SourceKind};
use crate::recipe::Arch;
use crate::targets::{System, Targets};

/// The architectures that extensions are built for if they do not say.
const DEFAULT_ARCHES: [Arch; 2] = [Arch::X86_64, Arch::Aarch64];

/// A system that an extension is built for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Build<'a> {
    /// The system.
    pub system: &'a System,
    /// The tag of its image: a release or a stream.
    pub tag: &'a str,
    /// The architecture.
    pub arch: Arch,
}

impl Extension {
    /// All systems that it is built for, of those that are known. Releases that it is not for are left out where the tag
    /// tells the release; a stream's is known when it is built.
    pub fn builds<'a>(&self, targets: &'a Targets) -> Vec<Build<'a>> {
        let arches =
            if self.arches.is_empty() { DEFAULT_ARCHES.as_slice() } else { self.arches.as_slice() };
        let mut builds = Vec::new();
        for name in self.target_names() {
            let (id, only) = name.split_once(':').map_or((name, None), |(id, tag)| (id, Some(tag)));
            let Some(system) = targets.systems.iter().find(|system| system.id == id) else {
                continue;
            };
            for tag in system.tags.iter().filter(|tag| only.is_none_or(|only| **tag == only)) {
                if tag.parse::<u32>().is_ok() && !self.is_for_release(tag) {
                    continue;
                }
                let has = |arch: &&Arch| system.arches.contains(arch);
                builds.extend(arches.iter().filter(has).map(|arch| Build {
                    system,
                    tag,
                    arch: *arch,
                }));
            }
        }
        builds
    }

    /// Whether it is for a Fedora release.
    pub fn is_for_release(&self, release: &str) -> bool {
        self.releases.is_empty() || self.releases.iter().any(|known| known == release)
    }
}

impl Build<'_> {
    /// `ID:TAG`
    pub fn target(&self) -> String {
        format!("{}:{}", self.system.id, self.tag)
    }
}

/// A table of extensions in Markdown, a row each, in the order of their names.
pub fn table(extensions: &[(String, Extension)]) -> String {
    let mut rows: Vec<&(String, Extension)> = extensions.iter().collect();
    rows.sort_by_key(|(folder, _)| folder.to_lowercase());
    let mut table = String::from(
        "| extension | what it is | for | starts | packages are from |\n|---|---|---|---|---|\n",
    );
    for (folder, extension) in rows {
        let mut whom: Vec<String> =
            extension.target_names().iter().map(|name| (*name).to_owned()).collect();
        if !extension.releases.is_empty() {
            whom.push(format!("only {}", extension.releases.join(", ")));
        }
        whom.extend(
            extension
                .arches
                .iter()
                .filter(|_| extension.arches.len() == 1)
                .map(|arch| format!("only {}", arch.rpm())),
        );
        let services: Vec<String> =
            extension.services.iter().map(|unit| format!("`{unit}`")).collect();
        let services = match services.as_slice() {
            [first, rest @ ..] if rest.len() > 2 => format!("{first} and {} more", rest.len()),
            all => all.join(", "),
        };
        let _ = writeln!(
            table,
            "| [{folder}]({folder}/extension.toml) | {} | {} | {services} | {} |",
            extension.summary.replace('|', "\\|"),
            whom.join(", "),
            extension.origins().join(", ")
        );
    }
    table
}

impl Extension {
    /// Where it takes its files from, in few words.
    fn origins(&self) -> Vec<String> {
        let mut origins = Vec::new();
        if !self.packages.is_empty() {
            origins.extend(self.default_repositories.then(|| "Fedora".to_owned()));
            let short = |name: &String| match name.split("://").nth(1) {
                Some(rest) => rest.split('/').next().unwrap_or(rest).to_owned(),
                None => name.clone(),
            };
            origins.extend(self.repositories.iter().map(short));
            origins.extend(self.own_repositories.iter().map(|own| own.id.clone()));
        }
        origins.extend(self.sources.iter().map(|source| {
            let kind = match source.kind {
                SourceKind::Rpm => "package",
                SourceKind::Archive => "archive",
                SourceKind::File => "file",
            };
            format!("a {kind} by URL")
        }));
        origins
    }
}
