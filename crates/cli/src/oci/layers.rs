//! The files of an image, layer by layer: whiteouts, links, and which layer has the last word.
//!
//! Layers are read once to learn what is where, of which little is kept, and once more for the files that are wanted. So
//! memory does not grow with the image. OSTree's images have their files as hard links to objects, which only the second
//! reading can give.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sysext::rpm::repodata::open;
use tar::EntryType;

use crate::interrupt;

/// Links that are followed on the way to a file; Linux has the same limit.
const MAX_LINKS: usize = 40;

/// The layers of an image, and where in them files of some names are.
pub(crate) struct Layers {
    /// The lowest first.
    layers: Vec<PathBuf>,
    tree: Tree,
}

/// What layers on top of each other show.
#[derive(Default)]
struct Tree {
    /// Names of files that are kept.
    names: BTreeSet<String>,
    entries: BTreeMap<String, Entry>,
}

/// What a path is, and of which layer.
struct Entry {
    layer: usize,
    kind: Kind,
}

enum Kind {
    /// A file, by the path of its content in the layer: its own, or that of the file that it is a hard link to.
    File(String),
    /// A symbolic link, by its target.
    Link(String),
}

impl Layers {
    /// Reads layers for files whose last part of the path is one of the names.
    pub(crate) fn read(layers: Vec<PathBuf>, names: &[&str]) -> Result<Self> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let mut tree = Tree { names, ..Tree::default() };
        for (number, layer) in layers.iter().enumerate() {
            entries(layer, |path, kind, target, _| {
                tree.add(number, path, kind, target);
                Ok(())
            })?;
        }
        Ok(Self { layers, tree })
    }

    /// Whether there is a file at a path, links followed.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.tree.find(path).is_some()
    }

    /// Shows the content of files that are there. Links are followed.
    pub(crate) fn content(
        &self,
        paths: &[&str],
        mut each: impl FnMut(&str, &mut dyn Read) -> Result<()>,
    ) -> Result<()> {
        // Of each layer, which members are wanted, for which of the paths.
        let mut wanted: BTreeMap<usize, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
        for path in paths {
            if let Some((layer, member)) = self.tree.find(path) {
                wanted.entry(layer).or_default().entry(member).or_default().push(path);
            }
        }
        while let Some((number, mut members)) = wanted.pop_last() {
            entries(&self.layers[number], |path, kind, _, content| {
                if is_file(kind)
                    && let Some(paths) = members.remove(path)
                {
                    // Only the first reader gets what comes; more of them are links to one file.
                    let [only] = paths.as_slice() else {
                        let mut bytes = Vec::new();
                        content.read_to_end(&mut bytes)?;
                        return paths.iter().try_for_each(|path| each(path, &mut bytes.as_slice()));
                    };
                    each(only, content)?;
                }
                Ok(())
            })?;
            // The file that a hard link names may be of a layer below.
            match (number.checked_sub(1), members.first_key_value()) {
                (Some(below), Some(_)) => {
                    let entry = wanted.entry(below).or_default();
                    members.into_iter().for_each(|(member, paths)| {
                        entry.entry(member).or_default().extend(paths);
                    });
                }
                (None, Some((member, _))) => bail!("no layer has {member}, which files link to"),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Tree {
    fn add(&mut self, layer: usize, path: &str, kind: EntryType, target: Option<String>) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if let Some(name) = name.strip_prefix(".wh.") {
            match name {
                ".wh..opq" => self.remove_below(layer, folder),
                _ if folder.is_empty() => self.remove(layer, name),
                _ => self.remove(layer, &format!("{folder}/{name}")),
            }
            return;
        }
        if kind.is_dir() {
            self.entries.remove(path);
            return;
        }
        self.remove(layer, path);
        let kind = if kind.is_symlink() {
            Kind::Link(target.unwrap_or_default())
        } else if self.names.contains(name) && (is_file(kind) || kind.is_hard_link()) {
            Kind::File(target.as_deref().and_then(clean).unwrap_or_else(|| path.to_owned()))
        } else {
            return;
        };
        self.entries.insert(path.to_owned(), Entry { layer, kind });
    }

    /// Takes away what lower layers have at a path and below it.
    fn remove(&mut self, layer: usize, path: &str) {
        if self.entries.get(path).is_some_and(|entry| entry.layer < layer) {
            self.entries.remove(path);
        }
        self.remove_below(layer, path);
    }

    fn remove_below(&mut self, layer: usize, folder: &str) {
        let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let below =
            self.entries.range(start.clone()..).take_while(|(path, _)| path.starts_with(&start));
        let lower = below.filter(|(_, entry)| entry.layer < layer);
        let paths: Vec<String> = lower.map(|(path, _)| path.clone()).collect();
        paths.iter().for_each(|path| drop(self.entries.remove(path)));
    }

    /// The layer and path of the content of a file, links followed.
    fn find(&self, path: &str) -> Option<(usize, &str)> {
        let mut rest: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut done: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = rest.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    done.pop();
                    continue;
                }
                _ => done.push(part),
            }
            if let Some(Entry { kind: Kind::Link(target), .. }) = self.entries.get(&done.join("/"))
            {
                links += 1;
                if links > MAX_LINKS {
                    return None;
                }
                done.pop();
                if target.starts_with('/') {
                    done.clear();
                }
                rest.extend(target.split('/').rev().map(str::to_owned));
            }
        }
        match self.entries.get(&done.join("/")) {
            Some(Entry { layer, kind: Kind::File(member) }) => Some((*layer, member)),
            _ => None,
        }
    }
}

fn is_file(kind: EntryType) -> bool {
    kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()
}

/// Shows every member of a layer: its path, kind, target if it is a link, and content.
fn entries(
    layer: &Path,
    mut each: impl FnMut(&str, EntryType, Option<String>, &mut dyn Read) -> Result<()>,
) -> Result<()> {
    let name = layer.file_name().unwrap_or_default().to_string_lossy();
    let broken = || format!("layer {name}");
    let file = File::open(layer).with_context(broken)?;
    let mut archive = tar::Archive::new(open(file).with_context(broken)?);
    for entry in archive.entries().with_context(broken)? {
        interrupt::check()?;
        let mut entry = entry.with_context(broken)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let Some(path) = clean(&text(&entry.path_bytes())) else { continue };
        let target = entry.link_name_bytes().map(|target| text(&target));
        let kind = entry.header().entry_type();
        each(&path, kind, target, &mut entry).with_context(broken)?;
    }
    Ok(())
}

/// A path without a first slash and dots, or nothing if it leads out of the image or is its root.
fn clean(path: &str) -> Option<String> {
    let parts: Vec<&str> =
        path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    (!parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "layers are files")]
mod tests {
    use super::*;

    /// A layer of entries `PATH`, `PATH=CONTENT`, `PATH->SYMLINK`, `PATH=>HARDLINK` and `PATH/`.
    fn layer(folder: &Path, number: usize, entries: &[&str]) -> PathBuf {
        let path = folder.join(number.to_string());
        let mut archive = tar::Builder::new(File::create(&path).unwrap());
        for entry in entries {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(0);
            if let Some((path, target)) = entry.split_once("->") {
                header.set_entry_type(EntryType::Symlink);
                archive.append_link(&mut header, path, target).unwrap();
            } else if let Some((path, target)) = entry.split_once("=>") {
                header.set_entry_type(EntryType::Link);
                archive.append_link(&mut header, path, target).unwrap();
            } else if let Some((path, content)) = entry.split_once('=') {
                header.set_size(content.len() as u64);
                archive.append_data(&mut header, path, content.as_bytes()).unwrap();
            } else {
                if entry.ends_with('/') {
                    header.set_entry_type(EntryType::Directory);
                }
                archive.append_data(&mut header, entry, &b""[..]).unwrap();
            }
        }
        archive.finish().unwrap();
        path
    }

    fn check(layers: &[&[&str]], path: &str, expected: Option<&str>) {
        let folder = tempfile::tempdir().unwrap();
        let paths =
            layers.iter().enumerate().map(|(at, entries)| layer(folder.path(), at, entries));
        let layers = Layers::read(paths.collect(), &["x", "y"]).unwrap();
        let mut found = None;
        layers
            .content(&[path], |_, content| {
                let mut text = String::new();
                content.read_to_string(&mut text)?;
                found = Some(text);
                Ok(())
            })
            .unwrap();
        assert_eq!(found.as_deref(), expected, "{path}");
        assert_eq!(layers.has(path), expected.is_some(), "{path}");
    }

    #[test]
    fn the_highest_layer_has_the_last_word() {
        check(&[&["usr/x=1"], &["./usr/x=2"]], "usr/x", Some("2"));
        check(&[&["usr/x=1"], &["usr/z=2"]], "usr/x", Some("1"));
        check(&[&["usr/x=1"]], "usr/y", None);
    }

    #[test]
    fn whiteouts_take_away_what_is_below_them() {
        check(&[&["usr/x=1"], &["usr/.wh.x"]], "usr/x", None);
        check(&[&["usr/a/x=1"], &["usr/.wh.a"]], "usr/a/x", None);
        check(&[&["usr/ab/x=1"], &["usr/.wh.a"]], "usr/ab/x", Some("1"));
        check(&[&["usr/x=1"], &["usr/x=2", "usr/.wh..wh..opq"]], "usr/x", Some("2"));
        check(&[&["usr/x=1"], &["usr/.wh..wh..opq", "usr/y=2"]], "usr/x", None);
        check(&[&["x=1"], &[".wh.x"], &["x=3"]], "x", Some("3"));
        check(&[&["usr/x=1"], &["usr=file"]], "usr/x", None);
    }

    #[test]
    fn links_are_followed() {
        check(&[&["usr/lib/x=1", "etc/x->../usr/lib/x"]], "etc/x", Some("1"));
        check(&[&["usr/lib/x=1", "lib->/usr/lib"]], "lib/x", Some("1"));
        check(&[&["a/x->b", "a/b->x"]], "a/x", None);
        check(&[&["usr/x=1", "var/lib->../usr"], &["var/lib/"]], "var/lib/x", None);
        check(&[&["repo/objects/1.file=one", "usr/x=>repo/objects/1.file"]], "usr/x", Some("one"));
        check(&[&["repo/1.file=one"], &["usr/x=>repo/1.file"]], "usr/x", Some("one"));
        check(&[&["up/x->../../../usr/x", "usr/x=1"]], "up/x", Some("1"));
    }

    #[test]
    fn links_to_nothing_and_broken_layers_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let layers = vec![layer(folder.path(), 0, &["usr/x=>gone"])];
        let layers = Layers::read(layers, &["x"]).unwrap();
        let error = layers.content(&["usr/x"], |_, _| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "no layer has gone, which files link to");
        let path = folder.path().join("broken");
        std::fs::write(&path, [7; 700]).unwrap();
        assert!(Layers::read(vec![path], &["x"]).is_err());
    }
}
