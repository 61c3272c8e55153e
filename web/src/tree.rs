//! The files of all packages as one tree of check boxes: which are chosen, which are shown.

use std::collections::BTreeMap;

use sysext::{Exclude, PathBytes};

use crate::protocol::{Key, PackageInfo};

/// An entry of the tree, by its place in it.
pub(crate) type Index = usize;

/// The tree. Packages are at the top, their folders and files below. It is [`Eq`] so that two [`Rc`](std::rc::Rc)s of one
/// are equal without a look at all of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct FileTree {
    pub(crate) nodes: Vec<Node>,
    roots: Vec<Index>,
    /// What a name must hold to be shown, in lower case.
    filter: String,
    /// The entries that are shown, in their order.
    pub(crate) rows: Vec<Index>,
}

/// An entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) package: Key,
    path: Vec<u8>,
    pub(crate) depth: usize,
    parent: Option<Index>,
    pub(crate) children: Vec<Index>,
    pub(crate) is_folder: bool,
    is_open: bool,
    /// Bytes of the files in it.
    pub(crate) size: u64,
    /// Files in it, itself if it is one; an empty folder counts as one.
    leaves: usize,
    chosen: usize,
}

/// State of a check box.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Check {
    On,
    Off,
    Mixed,
}

impl Check {
    /// As `aria-checked` has it.
    pub(crate) fn aria(self) -> &'static str {
        match self {
            Self::On => "true",
            Self::Off => "false",
            Self::Mixed => "mixed",
        }
    }
}

impl Node {
    pub(crate) fn check(&self) -> Check {
        match self.chosen {
            0 => Check::Off,
            chosen if chosen == self.leaves => Check::On,
            _ => Check::Mixed,
        }
    }
}

impl FileTree {
    /// Adds a package with all of its files chosen.
    pub(crate) fn add(&mut self, key: Key, package: &PackageInfo) {
        let root = self.push(None, key, package.nevra.clone(), Vec::new(), true);
        self.roots.push(root);
        let mut folders = BTreeMap::from([(Vec::new(), root)]);
        for file in &package.files {
            let path = &file.path.0;
            let parts: Vec<&[u8]> =
                path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect();
            let Some((name, above)) = parts.split_last() else { continue };
            let (mut at, mut folder) = (Vec::new(), root);
            for part in above {
                at.push(b'/');
                at.extend_from_slice(part);
                folder = self.folder(&mut folders, &at, folder, key, part);
            }
            if file.is_folder {
                self.folder(&mut folders, path, folder, key, name);
            } else {
                let text = String::from_utf8_lossy(name).into_owned();
                let leaf = self.push(Some(folder), key, text, path.clone(), false);
                self.nodes[leaf].size = file.size;
            }
        }
        self.count(root);
        self.open_single_folders(root);
        self.update_rows();
    }

    /// Takes a package out.
    pub(crate) fn remove(&mut self, key: Key) {
        self.roots.retain(|root| self.nodes[*root].package != key);
        self.update_rows();
    }

    fn folder(
        &mut self,
        folders: &mut BTreeMap<Vec<u8>, Index>,
        path: &[u8],
        parent: Index,
        key: Key,
        name: &[u8],
    ) -> Index {
        if let Some(&known) = folders.get(path) {
            return known;
        }
        let name = String::from_utf8_lossy(name).into_owned();
        let folder = self.push(Some(parent), key, name, path.to_vec(), true);
        folders.insert(path.to_vec(), folder);
        folder
    }

    fn push(
        &mut self,
        parent: Option<Index>,
        package: Key,
        name: String,
        path: Vec<u8>,
        is_folder: bool,
    ) -> Index {
        let depth = parent.map_or(0, |parent| self.nodes[parent].depth + 1);
        let index = self.nodes.len();
        self.nodes.push(Node {
            name,
            package,
            path,
            depth,
            parent,
            children: Vec::new(),
            is_folder,
            is_open: false,
            size: 0,
            leaves: 1,
            chosen: 1,
        });
        if let Some(parent) = parent {
            self.nodes[parent].children.push(index);
        }
        index
    }

    /// Adds up sizes and counts of all from `root` on, and sorts folders: folders first, then by name. What is in a
    /// folder comes after it, so going backwards no folder is met before its content.
    fn count(&mut self, root: Index) {
        for index in (root..self.nodes.len()).rev() {
            let mut children = std::mem::take(&mut self.nodes[index].children);
            if children.is_empty() {
                continue;
            }
            children.sort_by(|a, b| {
                let (a, b) = (&self.nodes[*a], &self.nodes[*b]);
                b.is_folder.cmp(&a.is_folder).then_with(|| a.name.cmp(&b.name))
            });
            let (mut leaves, mut size) = (0, 0_u64);
            for child in &children {
                leaves += self.nodes[*child].leaves;
                size = size.saturating_add(self.nodes[*child].size);
            }
            let node = &mut self.nodes[index];
            (node.leaves, node.chosen, node.size, node.children) = (leaves, leaves, size, children);
        }
    }

    /// Opens folders down to the first that holds more than one entry.
    fn open_single_folders(&mut self, mut index: Index) {
        loop {
            self.nodes[index].is_open = true;
            match self.nodes[index].children.as_slice() {
                [only] if self.nodes[*only].is_folder => index = *only,
                _ => return,
            }
        }
    }

    /// Chooses an entry with all below it, or takes it off.
    pub(crate) fn toggle(&mut self, index: Index) {
        let on = self.nodes[index].check() != Check::On;
        let before = self.nodes[index].chosen;
        let mut below = vec![index];
        while let Some(index) = below.pop() {
            let node = &mut self.nodes[index];
            node.chosen = if on { node.leaves } else { 0 };
            below.extend_from_slice(&node.children);
        }
        let after = self.nodes[index].chosen;
        let mut above = self.nodes[index].parent;
        while let Some(parent) = above {
            let node = &mut self.nodes[parent];
            node.chosen = node.chosen + after - before;
            above = node.parent;
        }
    }

    /// Opens or closes a folder.
    pub(crate) fn set_open(&mut self, index: Index, open: bool) {
        self.nodes[index].is_open = open;
        self.update_rows();
    }

    /// Shows only what has a text in its path, and the folders above it.
    pub(crate) fn set_filter(&mut self, filter: &str) {
        self.filter = filter.trim().to_lowercase();
        self.update_rows();
    }

    /// Whether what is in a folder is shown; a search opens all.
    pub(crate) fn is_open(&self, index: Index) -> bool {
        self.nodes[index].is_open || !self.filter.is_empty()
    }

    /// From the root on; nothing for what is at the top.
    pub(crate) fn path(&self, index: Index) -> &[u8] {
        &self.nodes[index].path
    }

    pub(crate) fn parent(&self, index: Index) -> Option<Index> {
        self.nodes[index].parent
    }

    /// Files that are chosen and files in all.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let roots = self.roots.iter().map(|root| &self.nodes[*root]);
        roots
            .filter(|root| !root.children.is_empty())
            .fold((0, 0), |(chosen, leaves), root| (chosen + root.chosen, leaves + root.leaves))
    }

    /// What the recipe leaves out: whole folders where that is possible.
    pub(crate) fn excludes(&self) -> Vec<Exclude> {
        let mut excludes = Vec::new();
        for &root in &self.roots {
            let package = &self.nodes[root].name;
            let mut below = self.nodes[root].children.clone();
            while let Some(index) = below.pop() {
                let node = &self.nodes[index];
                match node.check() {
                    Check::On => {}
                    Check::Off => {
                        let path = PathBytes(node.path.clone());
                        excludes.push(Exclude::Path { package: package.clone(), path });
                    }
                    Check::Mixed => below.extend_from_slice(&node.children),
                }
            }
        }
        excludes
    }

    fn update_rows(&mut self) {
        let matches = (!self.filter.is_empty()).then(|| self.matches());
        let mut rows = Vec::new();
        let mut below: Vec<Index> = self.roots.iter().rev().copied().collect();
        while let Some(index) = below.pop() {
            let node = &self.nodes[index];
            if matches.as_ref().is_some_and(|matches| !matches[index]) {
                continue;
            }
            rows.push(index);
            if self.is_open(index) {
                below.extend(node.children.iter().rev());
            }
        }
        self.rows = rows;
    }

    /// Which entries are found, or are above one that is.
    fn matches(&self) -> Vec<bool> {
        let mut matches = vec![false; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            let path = String::from_utf8_lossy(&node.path);
            if node.parent.is_none() || !path.to_lowercase().contains(&self.filter) {
                continue;
            }
            let mut above = Some(index);
            while let Some(index) = above.filter(|index| !matches[*index]) {
                matches[index] = true;
                above = self.nodes[index].parent;
            }
        }
        matches
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::protocol::FileInfo;

    /// A package with files at these paths; those that end with a slash are folders.
    pub(crate) fn package(paths: &[&str]) -> PackageInfo {
        let files = paths.iter().map(|path| FileInfo {
            path: PathBytes(path.trim_end_matches('/').as_bytes().to_vec()),
            size: 10,
            is_folder: path.ends_with('/'),
        });
        PackageInfo {
            name: "app".into(),
            nevra: "app-1-1.noarch".into(),
            evr: "1-1".into(),
            arch: "noarch".into(),
            summary: String::new(),
            installed: 0,
            files: files.collect(),
        }
    }

    fn tree(paths: &[&str]) -> FileTree {
        let mut tree = FileTree::default();
        tree.add(0, &package(paths));
        tree
    }

    fn find(tree: &FileTree, path: &str) -> Index {
        tree.nodes
            .iter()
            .position(|node| node.path == path.as_bytes() && node.depth > 0)
            .expect(path)
    }

    /// Takes entries off and says what is left out, and the state of the package's box.
    fn check(paths: &[&str], off: &[&str], excluded: &[&str], package: Check) {
        let mut tree = tree(paths);
        for path in off {
            let index = find(&tree, path);
            tree.toggle(index);
        }
        let mut found: Vec<String> = tree.excludes().iter().map(ToString::to_string).collect();
        found.sort();
        let expected: Vec<String> =
            excluded.iter().map(|path| format!("app-1-1.noarch:{path}")).collect();
        assert_eq!(found, expected);
        assert_eq!(tree.nodes[0].check(), package);
    }

    #[wasm_bindgen_test]
    fn boxes_have_three_states_and_folders_are_left_out_whole() {
        let paths =
            ["/usr/bin/app", "/usr/share/doc/", "/usr/share/doc/a", "/usr/share/doc/b", "/etc/app"];
        check(&paths, &[], &[], Check::On);
        check(&paths, &["/usr/share/doc/a"], &["/usr/share/doc/a"], Check::Mixed);
        check(&paths, &["/usr/share/doc/a", "/usr/share/doc/b"], &["/usr/share"], Check::Mixed);
        check(&paths, &["/usr", "/usr/bin/app"], &["/usr/share"], Check::Mixed);
        check(&paths, &["/usr", "/etc"], &["/etc", "/usr"], Check::Off);
        check(&paths, &["/usr/share/doc/a", "/usr"], &[], Check::On);
    }

    #[wasm_bindgen_test]
    fn searching_shows_what_is_found_and_the_folders_above() {
        let mut tree = tree(&["/usr/bin/app", "/usr/share/doc/README", "/usr/share/x"]);
        tree.set_filter(" readme ");
        let names: Vec<&str> = tree.rows.iter().map(|row| tree.nodes[*row].name.as_str()).collect();
        assert_eq!(names, ["app-1-1.noarch", "usr", "share", "doc", "README"]);
        tree.set_filter("nothing like it");
        assert!(tree.rows.is_empty());
    }

    #[wasm_bindgen_test]
    fn a_package_taken_out_leaves_the_others() {
        let mut tree = tree(&["/usr/bin/app"]);
        tree.add(1, &package(&["/usr/bin/other"]));
        tree.remove(0);
        assert_eq!(tree.counts(), (1, 1));
        assert!(tree.rows.iter().all(|row| tree.nodes[*row].package == 1));
    }
}
