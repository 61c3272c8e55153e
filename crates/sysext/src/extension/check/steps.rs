//! Steps, held against what can be.

use fast_glob::glob_match;
use rpm::Capabilities;

use super::Mistakes;
use crate::extension::read::{Part, Way, closest};
use crate::extension::{Action, Class, Extension, Install, SourceKind, Step, Symlink};

impl Mistakes {
    pub(super) fn step(&mut self, extension: &Extension, at: usize, step: &Step) {
        let verb = step.action.verb();
        let way = |key: &'static str| way!["step", at, verb, key];
        match &step.action {
            Action::File(file) => {
                self.path(extension, way("path"), &file.path);
                if file.text.is_some() == file.from.is_some() {
                    self.add(way!["step", at, verb], "expected one of `text` and `from`");
                }
                if let Some(from) = &file.from {
                    self.beside(way("from"), from);
                }
            }
            Action::Files(files) => {
                self.path(extension, way("to"), &files.to);
                self.beside(way("from"), &files.from);
            }
            Action::Install(install) => {
                self.path(extension, way("path"), &install.path);
                self.install(extension, at, install);
            }
            Action::Mkdir(mkdir) => self.path(extension, way("path"), &mkdir.path),
            Action::Move(step) => {
                self.absolute(way("from"), &step.from);
                self.path(extension, way("to"), &step.to);
                if step.from == step.to {
                    self.add(way("to"), "it is there already");
                }
            }
            Action::Symlink(link) => self.symlink(extension, at, link),
            Action::Remove(step) => self.absolute(way("path"), &step.path),
            Action::Mode(step) => self.absolute(way("path"), &step.path),
            Action::SetOwner(step) => {
                self.absolute(way("path"), &step.path);
                if step.user.is_none() && step.group.is_none() {
                    self.add(way!["step", at, verb], "expected `user`, `group` or both");
                }
            }
            Action::SetCapabilities(step) => {
                self.absolute(way("path"), &step.path);
                if Capabilities::parse(&step.set).is_none() {
                    self.add(
                        way("set"),
                        format!(
                            "expected capabilities such as \"cap_net_raw=ep\", found `{}`",
                            step.set
                        ),
                    );
                }
            }
            Action::Replace(step) => {
                self.absolute(way("path"), &step.path);
                if step.find.is_empty() {
                    self.add(way("find"), "expected a text that is not empty");
                }
            }
            Action::DropIn(step) => {
                if !step.name.ends_with(".conf") || step.name.contains('/') {
                    self.add(
                        way("name"),
                        format!(
                            "systemd reads drop-ins whose names end with .conf, found `{}`",
                            step.name
                        ),
                    );
                }
                if !step.unit.contains('.') {
                    self.add(
                        way("unit"),
                        format!(
                            "`{}` is no unit: did you mean `{}.service`?",
                            step.unit, step.unit
                        ),
                    );
                }
            }
        }
    }

    fn install(&mut self, extension: &Extension, at: usize, install: &Install) {
        let name = &install.source;
        let Some(source) = extension.sources.iter().find(|source| source.name == *name) else {
            let meant = closest(name, extension.sources.iter().map(|source| source.name.as_str()));
            let meant = meant.map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default();
            self.add(
                way!["step", at, "install", "source"],
                format!("there is no source `{name}`{meant}"),
            );
            return;
        };
        let message = match (source.kind, &install.from) {
            (SourceKind::Rpm, _) => {
                "files of packages are in the image already: `move` gives them other paths"
            }
            (SourceKind::Archive, None) => "expected `from`, the path of the file in the archive",
            (SourceKind::File, Some(_)) => "the source is a file, not an archive: leave `from` out",
            _ => return,
        };
        self.add(way!["step", at, "install", "from"], message);
    }

    fn symlink(&mut self, extension: &Extension, at: usize, link: &Symlink) {
        self.path(extension, way!["step", at, "symlink", "path"], &link.path);
        let has_place = link.path.contains("{}");
        if !link.each.is_empty() && !has_place {
            self.add(
                way!["step", at, "symlink", "path"],
                "expected `{}`, where the words of `each` go: all links would have one path",
            );
        }
        if link.each.is_empty() && has_place {
            self.add(
                way!["step", at, "symlink"],
                "expected `each`, which says what `{}` stands for",
            );
        }
        if link.target.is_empty() {
            self.add(way!["step", at, "symlink", "target"], "expected where the link leads");
        }
    }

    fn absolute(&mut self, way: Way, path: &str) {
        if !path.starts_with('/') || path.split('/').any(|part| part == "..") {
            self.add(way, format!("expected an absolute path without `..`, found `{path}`"));
        }
    }

    /// A path that the image is to have.
    pub(super) fn path(&mut self, extension: &Extension, way: Way, path: &str) {
        if !path.starts_with('/') || path.split('/').any(|part| part == "..") {
            self.absolute(way, path);
            return;
        }
        let (top, fine) = match extension.class {
            Class::Sysext => {
                ("/usr", ["/usr/**", "/etc/**", "/{bin,sbin,lib,lib64}/**"].as_slice())
            }
            Class::Confext => ("/etc", ["/etc/**"].as_slice()),
        };
        if !fine.iter().any(|pattern| glob_match(pattern, path)) {
            self.add(way, format!("an extension only has {top}, found `{path}`"));
        }
    }

    /// A path beside `extension.toml`.
    fn beside(&mut self, way: Way, path: &str) {
        if path.starts_with('/') || path.is_empty() || path.split('/').any(|part| part == "..") {
            self.add(way, format!("expected a path beside extension.toml, found `{path}`"));
        }
    }
}
