//! What an extension does, in words.

use super::{
    Action, Class, Discover, EtcPolicy, Extension, Source, SourceKind, Step, Task, Version,
};
use crate::plan::system::setup_unit;
use crate::targets::Targets;

/// What people ask of an extension, and the answer in sentences.
pub type Answer = (&'static str, Vec<String>);

impl Extension {
    /// What is in it, where it can be merged, what happens on the running system.
    pub fn explain(&self, name: &str) -> Vec<Answer> {
        let answers = [
            ("What is in it", self.explain_contents()),
            ("Where it can be merged", self.explain_targets(name)),
            ("What is changed in the packages", self.steps.iter().map(Step::explain).collect()),
            ("What happens on the running system", self.explain_system(name)),
            ("What somebody has looked at", self.explain_allowed()),
        ];
        answers.into_iter().filter(|(_, sentences)| !sentences.is_empty()).collect()
    }

    fn explain_contents(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if !self.packages.is_empty() {
            let (they, end) = if self.packages.len() == 1 { ("it", "s") } else { ("they", "") };
            let weak = if self.weak_dependencies {
                format!("what {they} need{end} or recommend{end}")
            } else {
                format!("what {they} need{end}, not what {they} only recommend{end}")
            };
            sentences.push(format!(
                "The {} {}, and {weak}, as far as the target lacks it.",
                plural(&self.packages, "package", "packages"),
                list(&self.packages)
            ));
        }
        if !self.exclude.is_empty() {
            sentences.push(format!("Never {}.", list(&self.exclude)));
        }
        if !self.absent.is_empty() {
            sentences.push(format!("The target counts as if it had no {}.", list(&self.absent)));
        }
        if !self.packages.is_empty() {
            let mut names: Vec<String> =
                self.repository_names().into_iter().map(str::to_owned).collect();
            names.extend(
                self.own_repositories.iter().map(|own| format!("{} ({})", own.id, own.baseurl)),
            );
            sentences.push(format!("Packages come from {}.", list(&names)));
        }
        for own in self.own_repositories.iter().filter(|own| !own.gpgcheck) {
            sentences.push(format!("Nobody asks whether packages of {} are signed.", own.id));
        }
        sentences.extend(self.sources.iter().map(Source::explain));
        if !self.leave_out.is_empty() {
            sentences.push(format!("Left out are files that match {}.", list(&self.leave_out)));
        }
        sentences.push(match self.etc {
            _ if self.class == Class::Confext => return sentences,
            EtcPolicy::UsrEtc => return sentences,
            EtcPolicy::Factory => "Files of packages in /etc are copied there by systemd-tmpfiles where they are missing.".into(),
            EtcPolicy::Drop => "Files of packages in /etc are left out.".into(),
        });
        sentences
    }

    fn explain_targets(&self, name: &str) -> Vec<String> {
        let known = Targets::published();
        let mut titles = Vec::new();
        for target in self.target_names() {
            let (id, tag) =
                target.split_once(':').map_or((target, None), |(id, tag)| (id, Some(tag)));
            let title = known
                .systems
                .iter()
                .find(|system| system.id == id)
                .map_or(id, |system| system.title.as_str());
            titles.push(tag.map_or_else(|| title.to_owned(), |tag| format!("{title} ({tag})")));
        }
        let mut sentences = vec![format!("It is built for {}.", list(&titles))];
        if !self.releases.is_empty() {
            sentences.push(format!("Only for Fedora {}.", list(&self.releases)));
        }
        if !self.arches.is_empty() {
            let arches: Vec<String> =
                self.arches.iter().map(|arch| arch.rpm().to_owned()).collect();
            sentences.push(format!("Only for {}.", list(&arches)));
        }
        sentences.push(if self.any_release {
            "systemd merges it on any distribution and release.".into()
        } else {
            "systemd refuses it on another release of Fedora than the one it was built for.".into()
        });
        let name = self.name.as_deref().unwrap_or(name);
        sentences.push(match &self.version {
            None => format!(
                "Its version is that of the package {name}, or of the only one that is asked for."
            ),
            Some(Version::Package(package)) => {
                format!("Its version is that of the package {package}.")
            }
            Some(Version::Source(source)) => format!("Its version is that of {source}."),
            Some(Version::Text(text)) => format!("Its version is {text}."),
        });
        sentences
    }

    fn explain_system(&self, name: &str) -> Vec<String> {
        let name = self.name.as_deref().unwrap_or(name);
        let (tool, top) = match self.class {
            Class::Sysext => ("systemd-sysext", "/usr"),
            Class::Confext => ("systemd-confext", "/etc"),
        };
        let mut sentences = vec![format!(
            "{tool} lays it over {top}; without it {top} is as it was before. Installed, it is called {name}.raw."
        )];
        if !self.services.is_empty() {
            sentences.push(format!(
                "systemd starts {} and starts {} again when {} ends.",
                list(&self.services),
                it(&self.services),
                if self.services.len() == 1 { "it" } else { "one of them" }
            ));
        }
        if self.class == Class::Sysext {
            sentences.push(format!("What its files ask for (users, folders, libraries, rules for devices) is done before that by {}, if there is any of it.", setup_unit(name)));
        }
        let setup = &self.setup;
        if !setup.without.is_empty() {
            let without: Vec<String> =
                setup.without.iter().map(|task| task.explain().to_owned()).collect();
            sentences.push(format!("But not this: {}.", without.join("; ")));
        }
        if !setup.restart.is_empty() {
            sentences.push(format!(
                "{} {} restarted if {} running.",
                list(&setup.restart),
                if setup.restart.len() == 1 { "is" } else { "are" },
                if setup.restart.len() == 1 { "it is" } else { "they are" }
            ));
        }
        if !setup.relabel.is_empty() {
            sentences.push(format!("SELinux labels of {} are set anew.", list(&setup.relabel)));
        }
        sentences
    }

    fn explain_allowed(&self) -> Vec<String> {
        let sentence = |allow: &super::Allow| {
            let path = allow.path.as_ref().map(|path| format!(" for {path}")).unwrap_or_default();
            format!("{}{path} is fine: {}", allow.check.title(), allow.reason)
        };
        self.allowed.iter().map(sentence).collect()
    }
}

impl Source {
    fn explain(&self) -> String {
        let kind = match self.kind {
            SourceKind::Rpm => "The package",
            SourceKind::Archive => "Files of the archive",
            SourceKind::File => "The file",
        };
        let version = match (&self.version, &self.discover) {
            (Some(version), _) => format!("version {version}"),
            (None, Some(Discover::Github(project))) => {
                format!("the newest release of {project} on GitHub")
            }
            (None, Some(Discover::Gitlab(project))) => {
                format!("the newest release of {project} on GitLab")
            }
            (None, Some(Discover::Text(url) | Discover::Json { url, .. })) => {
                format!("the version that {url} tells")
            }
            (None, None) => "whatever version is there".into(),
        };
        let trust = match (&self.key, &self.sha256_url, self.sha256.is_empty()) {
            (_, _, false) => "held against digests that are written in the recipe".to_owned(),
            (Some(key), _, true) => format!("signed by the key at {key}"),
            (None, Some(url), true) => format!("held against the digest at {url}"),
            (None, None, true) => "held against the digest that the release tells".to_owned(),
        };
        format!("{kind} {} from {}, {version}, {trust}.", self.name, self.url)
    }
}

impl Step {
    fn explain(&self) -> String {
        let what = match &self.action {
            Action::File(step) => match &step.from {
                Some(from) => format!("{} is written, from {from}", step.path),
                None => format!("{} is written", step.path),
            },
            Action::Files(step) => format!("All files of {} are put below {}", step.from, step.to),
            Action::Install(step) => format!(
                "{} of {} is put at {}{}",
                step.from.as_deref().unwrap_or("The file"),
                step.source,
                step.path,
                if step.gzip { ", compressed" } else { "" }
            ),
            Action::Mkdir(step) => format!("The folder {} is made", step.path),
            Action::Move(step) => format!("{} is moved to {}", step.from, step.to),
            Action::Symlink(step) if step.each.is_empty() => {
                format!("{} is a link to {}", step.path, step.target)
            }
            Action::Symlink(step) => format!(
                "{} is a link to {}, for each of {}",
                step.path,
                step.target,
                list(&step.each)
            ),
            Action::Remove(step) => format!("{} is taken out", step.path),
            Action::Mode(step) => format!("{} gets the permissions {:04o}", step.path, step.mode.0),
            Action::SetOwner(step) => {
                let user = step.user.as_ref().map(|user| format!("the user {user}"));
                let group = step.group.as_ref().map(|group| format!("the group {group}"));
                let owners: Vec<String> = user.into_iter().chain(group).collect();
                format!("{} belongs to {}", step.path, owners.join(" and "))
            }
            Action::SetCapabilities(step) => {
                format!("{} gets the capabilities {}", step.path, step.set)
            }
            Action::Replace(step) => format!(
                "In {}, \u{201c}{}\u{201d} becomes \u{201c}{}\u{201d}",
                step.path, step.find, step.with
            ),
            Action::DropIn(step) => format!("{} gets the drop-in {}", step.unit, step.name),
        };
        let mut conditions = Vec::new();
        if let Some(path) = &self.when.exists {
            conditions.push(format!("if there is {path}"));
        }
        if let Some(path) = &self.when.missing {
            conditions.push(format!("if there is no {path}"));
        }
        if !self.when.releases.is_empty() {
            conditions.push(format!("on Fedora {}", list(&self.when.releases)));
        }
        if !self.when.arches.is_empty() {
            let arches: Vec<String> =
                self.when.arches.iter().map(|arch| arch.rpm().to_owned()).collect();
            conditions.push(format!("on {}", list(&arches)));
        }
        if self.optional {
            conditions.push("if it is there".into());
        }
        let conditions = if conditions.is_empty() {
            String::new()
        } else {
            format!(", {}", conditions.join(", "))
        };
        format!("{what}{conditions}.")
    }
}

impl Task {
    /// What it does, as a sentence begins.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Sysusers => "users and groups are created (systemd-sysusers)",
            Self::Tmpfiles => "files and folders are created (systemd-tmpfiles)",
            Self::Ldconfig => "the cache of libraries is made anew (ldconfig)",
            Self::Semodule => "modules of the SELinux policy are loaded (semodule)",
            Self::Modules => "kernel modules are loaded (systemd-modules-load)",
            Self::Sysctl => "kernel parameters are set (systemd-sysctl)",
            Self::Binfmt => "formats of programs are registered (systemd-binfmt)",
            Self::Udev => "rules for devices are read and devices asked again (udevadm)",
            Self::Dbus => "D-Bus reads its policies and services anew",
        }
    }
}

fn plural<'a>(items: &[String], one: &'a str, many: &'a str) -> &'a str {
    if items.len() == 1 { one } else { many }
}

fn it(items: &[String]) -> &'static str {
    plural(items, "it", "them")
}

/// `a`, `a and b`, `a, b and c`
fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
