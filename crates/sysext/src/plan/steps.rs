//! The steps of a recipe, taken on the entries of an image.

use std::collections::BTreeSet;

use fast_glob::glob_match;

use super::entries::{Entries, Entry, What};
use super::known::Known;
use crate::extension::{Action, Files, Install, Move, Replace, Step, Symlink, When};
use crate::finding::{Check, Finding, Severity};
use crate::layout;
use crate::path::{display, is_within};

/// What goes wrong with a step, in words that follow "step 3 (move): ".
type Taken = Result<(), String>;

/// Takes all steps. What a step needs to know and nobody has looked at yet is in `Known::wanted` afterwards.
pub(super) fn take(entries: &mut Entries<'_>, known: &mut Known<'_>) {
    let recipe = entries.recipe;
    for (number, step) in recipe.extension.steps.iter().enumerate() {
        if !entries.is_time(&step.when) {
            continue;
        }
        if let Err(why) = entries.take(step, known) {
            let message = format!("step {} ({}): {why}", number + 1, step.action.verb());
            entries.findings.push(Finding::new(Severity::Error, Check::Step, message));
        }
    }
}

impl Entries<'_> {
    fn is_time(&self, when: &When) -> bool {
        let target = &self.recipe.target;
        let has = |path: &Option<String>| path.as_ref().map(|path| !self.matching(path).is_empty());
        has(&when.exists).unwrap_or(true)
            && !has(&when.missing).unwrap_or(false)
            && (when.releases.is_empty() || when.releases.contains(&target.release))
            && (when.arches.is_empty() || when.arches.contains(&target.arch))
    }

    fn take(&mut self, step: &Step, known: &mut Known<'_>) -> Taken {
        match &step.action {
            Action::File(file) => {
                let text = match (&file.text, &file.from) {
                    (Some(text), _) => text.clone().into_bytes(),
                    (None, from) => known.beside(from.as_deref().unwrap_or_default())?,
                };
                self.put(&file.path, Entry::new(What::File(text), file.mode.0))
            }
            Action::Files(files) => self.files(files, known),
            Action::Install(install) => self.install(install, step.optional, known),
            Action::Mkdir(step) => self.mkdir(&step.path, step.mode.0),
            Action::Move(step_move) => self.moved(step_move, step.optional),
            Action::Symlink(link) => self.symlink(link),
            Action::Remove(remove) => {
                let found = self.matching(&remove.path);
                self.entries.retain(|path, _| !found.iter().any(|top| is_within(path, top)));
                check_found(&found, &remove.path, step.optional)
            }
            Action::Mode(mode) => {
                self.change(&mode.path, step.optional, |entry| entry.mode = Some(mode.mode.0))
            }
            Action::SetOwner(owner) => self.change(&owner.path, step.optional, |entry| {
                let own = entry.own_mut();
                own.user = owner.user.clone().or(own.user.take());
                own.group = owner.group.clone().or(own.group.take());
            }),
            Action::SetCapabilities(set) => self.change(&set.path, step.optional, |entry| {
                entry.own_mut().capabilities = Some(set.set.clone());
            }),
            Action::Replace(replace) => self.replace(replace, step.optional, known),
            Action::DropIn(drop_in) => {
                let folder = self.recipe.extension.class.units();
                let path = format!("/{folder}/{}.d/{}", drop_in.unit, drop_in.name);
                self.put(&path, Entry::new(What::File(drop_in.text.clone().into_bytes()), 0o644))
            }
        }
    }

    /// A path of a recipe as entries have it.
    fn path(&self, path: &str) -> Result<Vec<u8>, String> {
        let merged = layout::merged(path.as_bytes(), false, &self.recipe.target.release);
        merged
            .filter(|path| !path.is_empty())
            .ok_or_else(|| format!("{path} is no path in an image"))
    }

    /// All paths that match, folders that nobody lists included, none below another one.
    fn matching(&self, pattern: &str) -> Vec<Vec<u8>> {
        let Ok(pattern) = self.path(pattern) else { return Vec::new() };
        let mut found = BTreeSet::new();
        for path in self.entries.keys() {
            let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
            for end in ends.chain([path.len()]) {
                let top = &path[..end];
                if top == pattern || glob_match(&pattern, top) {
                    found.insert(top.to_vec());
                    break;
                }
            }
        }
        found.into_iter().collect()
    }

    /// Puts an entry where a file may be.
    fn put(&mut self, path: &str, entry: Entry) -> Taken {
        let path = self.path(path)?;
        self.put_at(path, entry)
    }

    fn put_at(&mut self, path: Vec<u8>, entry: Entry) -> Taken {
        let is_folder = match self.entries.get(&path) {
            Some(known) => self.is_directory(known),
            None => self.has_below(&path),
        };
        if is_folder {
            return Err(format!("{} is a folder", display(&path)));
        }
        self.entries.insert(path, entry);
        Ok(())
    }

    fn files(&mut self, files: &Files, known: &Known<'_>) -> Taken {
        let found = known.folder_beside(&files.from);
        if found.is_empty() {
            return Err(format!("there are no files in {}", files.from));
        }
        for (name, file) in found {
            let entry = Entry::new(What::File(file.bytes.clone()), file.mode);
            self.put(&format!("{}/{name}", files.to.trim_end_matches('/')), entry)?;
        }
        Ok(())
    }

    fn install(&mut self, install: &Install, optional: bool, known: &mut Known<'_>) -> Taken {
        let Some(content) = known.installed(install)? else {
            let from = install.from.as_deref().unwrap_or_default();
            let why = format!("{} has no {from}", install.source);
            return if optional { Ok(()) } else { Err(why) };
        };
        let content = if install.gzip { Known::gzip(&content) } else { content };
        self.put(&install.path, Entry::new(What::File(content), install.mode.0))
    }

    fn mkdir(&mut self, path: &str, mode: u16) -> Taken {
        let path = self.path(path)?;
        if let Some(known) = self.entries.get(&path).filter(|known| !self.is_directory(known)) {
            let kind = if self.is_file(known) { "a file" } else { "a link" };
            return Err(format!("{} is {kind}", display(&path)));
        }
        self.entries.insert(path, Entry::new(What::Directory, mode));
        Ok(())
    }

    fn moved(&mut self, step: &Move, optional: bool) -> Taken {
        let found = self.matching(&step.from);
        check_found(&found, &step.from, optional)?;
        let into = step.to.ends_with('/');
        if found.len() > 1 && !into {
            return Err(format!(
                "{} paths match {}: to move them all into a folder, end its path with /",
                found.len(),
                step.from
            ));
        }
        let to = self.path(&step.to)?;
        for from in found {
            let name = from.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            let to = if into { [to.as_slice(), b"/", name].concat() } else { to.clone() };
            if is_within(&to, &from) && to != from {
                return Err(format!("{} lies below {}", display(&to), display(&from)));
            }
            self.rename(&from, &to)?;
        }
        Ok(())
    }

    fn rename(&mut self, from: &[u8], to: &[u8]) -> Taken {
        let paths: Vec<Vec<u8>> =
            self.entries.keys().filter(|path| is_within(path, from)).cloned().collect();
        for path in paths {
            let Some(entry) = self.entries.remove(&path) else { continue };
            let new = [to, &path[from.len()..]].concat();
            match self.entries.get(&new) {
                None => {}
                Some(there) if self.is_directory(there) && self.is_directory(&entry) => continue,
                Some(there) if self.leads_to(there, &path) => {}
                Some(_) => return Err(format!("{} is there already", display(&new))),
            }
            self.entries.insert(new, entry);
        }
        Ok(())
    }

    /// Whether an entry is a link to a path: what is moved there takes its place.
    fn leads_to(&self, entry: &Entry, path: &[u8]) -> bool {
        let target = self.link_target(entry).and_then(|target| target.strip_prefix(b"/"));
        target == Some(path)
    }

    fn symlink(&mut self, link: &Symlink) -> Taken {
        let words: Vec<&str> = match link.each.as_slice() {
            [] => vec![""],
            words => words.iter().map(String::as_str).collect(),
        };
        for word in words {
            let target = link.target.replace("{}", word).into_bytes();
            self.put(&link.path.replace("{}", word), Entry::new(What::Symlink(target), 0o777))?;
        }
        Ok(())
    }

    fn change(&mut self, pattern: &str, optional: bool, change: impl Fn(&mut Entry)) -> Taken {
        let found = self.matching(pattern);
        for path in &found {
            let entry = self.entries.entry(path.clone());
            // A folder that nobody lists.
            change(entry.or_insert_with(|| Entry::new(What::Directory, 0o755)));
        }
        check_found(&found, pattern, optional)
    }

    fn replace(&mut self, step: &Replace, optional: bool, known: &mut Known<'_>) -> Taken {
        let found = self.matching(&step.path);
        check_found(&found, &step.path, optional)?;
        let mut replaced = false;
        for path in found {
            let Some(entry) = self.entries.get(&path).filter(|entry| self.is_file(entry)) else {
                continue;
            };
            // What nobody has read yet the host reads, and the plan is made again.
            let Some(text) = self.text(entry, known) else {
                replaced = true;
                continue;
            };
            if let Some(new) = replace(&text, step.find.as_bytes(), step.with.as_bytes()) {
                replaced = true;
                if let Some(entry) = self.entries.get_mut(&path) {
                    entry.what = What::File(new);
                }
            }
        }
        let nowhere = || format!("no file that matches {} has `{}` in it", step.path, step.find);
        if replaced || optional { Ok(()) } else { Err(nowhere()) }
    }
}

fn check_found(found: &[Vec<u8>], pattern: &str, optional: bool) -> Taken {
    if found.is_empty() && !optional {
        return Err(format!("nothing matches {pattern}; `optional = true` says that this is fine"));
    }
    Ok(())
}

/// A text with another in the place of all that is found, or nothing if it is not found.
pub(super) fn replace(text: &[u8], find: &[u8], with: &[u8]) -> Option<Vec<u8>> {
    let mut new = Vec::with_capacity(text.len());
    let (mut rest, mut found) = (text, false);
    while let Some(at) = rest.windows(find.len()).position(|window| window == find) {
        new.extend_from_slice(&rest[..at]);
        new.extend_from_slice(with);
        rest = &rest[at + find.len()..];
        found = true;
    }
    new.extend_from_slice(rest);
    found.then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_replaced() {
        let check = |text: &str, find: &str, with: &str, expected: Option<&str>| {
            let new = replace(text.as_bytes(), find.as_bytes(), with.as_bytes());
            assert_eq!(new.as_deref(), expected.map(str::as_bytes));
        };
        check(
            "Exec=/opt/a %U\nTryExec=/opt/a\n",
            "/opt/a",
            "/usr/bin/a",
            Some("Exec=/usr/bin/a %U\nTryExec=/usr/bin/a\n"),
        );
        check("aaa", "aa", "b", Some("ba"));
        check("abc", "abc", "", Some(""));
        check("abc", "d", "e", None);
        check("", "d", "e", None);
    }
}
