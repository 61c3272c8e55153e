//! The systems that extensions are for, as they are published: `extensions/targets.toml`.

use serde::{Deserialize, Serialize};

use crate::recipe::Arch;

const PUBLISHED: &str = include_str!("../../../extensions/targets.toml");

/// All systems that are known.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// Fedora releases that are offered, the usual one first.
    pub releases: Vec<String>,
    /// The systems.
    #[serde(rename = "target")]
    pub systems: Vec<System>,
}

/// A system as it is published.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// What it is called where targets are named: `silverblue`.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// Where its images are, without a tag: `quay.io/fedora-ostree-desktops/silverblue`.
    pub image: String,
    /// Tags of images that are kept up to date: releases or streams.
    pub tags: Vec<String>,
    /// Architectures that it is made for.
    pub arches: Vec<Arch>,
}

impl Targets {
    /// The systems that the project knows.
    ///
    /// # Panics
    /// The project's own file is broken, which a test rules out.
    pub fn published() -> Self {
        toml::from_str(PUBLISHED).expect("a test reads the project's own file")
    }

    /// The system and tag of `ID:TAG`.
    pub fn find<'a>(&self, text: &'a str) -> Option<(&System, &'a str)> {
        let (id, tag) = text.split_once(':')?;
        let system = self.systems.iter().find(|system| system.id == id)?;
        Some((system, tag))
    }

    /// As [`Targets::find`], if the tag is one that is kept up to date.
    pub fn kept<'a>(&self, text: &'a str) -> Option<(&System, &'a str)> {
        self.find(text).filter(|(system, tag)| system.tags.iter().any(|known| known == tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_targets_are_whole() {
        let targets = Targets::published();
        for release in &targets.releases {
            assert!(release.parse::<u32>().is_ok(), "{release}");
            let has = |system: &System| system.tags.contains(release);
            assert!(targets.systems.iter().any(has), "no system is of release {release}");
        }
        let mut ids: Vec<&str> = targets.systems.iter().map(|system| system.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), targets.systems.len(), "each is told once");
        for system in &targets.systems {
            assert!(!system.tags.is_empty() && !system.arches.is_empty(), "{}", system.id);
            assert!(system.image.split('/').count() > 2 && !system.image.contains(':'));
        }
    }

    #[test]
    fn systems_are_found_by_id_and_tag() {
        let targets = Targets::published();
        let (system, tag) = targets.find("silverblue:43").unwrap();
        assert_eq!(
            format!("{}:{tag}", system.image),
            "quay.io/fedora-ostree-desktops/silverblue:43"
        );
        assert!(targets.find("silverblue").is_none() && targets.find("other:43").is_none());
        assert!(targets.kept("silverblue:43").is_some() && targets.kept("silverblue:1").is_none());
    }
}
