//! Extensions that are merged on one system: paths that two of them have.

use std::collections::BTreeMap;

use erofs::{Kind, Tree};

use crate::finding::{Check, Finding, Severity};
use crate::plan::ByNode;

/// What an extension has, for comparing it with others.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// What is known of the content of each path that is no folder, such that equal is equal.
    paths: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl crate::Plan {
    /// What the image has, for comparing it with others.
    pub fn inventory(&self) -> Inventory {
        let by_node = ByNode::new(&self.contents, &self.texts);
        let tree: &Tree<u64> = self.tree();
        let mut paths = BTreeMap::new();
        for (path, node) in tree.paths() {
            let what = match &tree.node(node).kind {
                Kind::Directory(_) => continue,
                Kind::Symlink(target) => [b"link ", &**target].concat(),
                Kind::File(size) => match (by_node.text(node), by_node.origin(node)) {
                    (Some(text), _) => [b"text ", text].concat(),
                    (None, Some((package, file))) => {
                        let file = &self.packages()[package].files[file];
                        [size.to_string().as_bytes(), b" ", &file.digest].concat()
                    }
                    (None, None) => continue,
                },
                other => format!("{other:?}").into_bytes(),
            };
            paths.insert(path, what);
        }
        Inventory { paths }
    }
}

/// Paths that two extensions of one system have with different content, by the extensions' names.
pub fn collisions(extensions: &[(String, Inventory)]) -> Vec<Finding> {
    let mut owners = BTreeMap::<&[u8], (&str, &[u8])>::new();
    let mut pairs = BTreeMap::<(&str, &str), Vec<&[u8]>>::new();
    for (name, inventory) in extensions {
        for (path, what) in &inventory.paths {
            match owners.get(path.as_slice()) {
                Some((_, known)) if *known == what.as_slice() => {}
                Some((other, _)) => pairs.entry((*other, name.as_str())).or_default().push(path),
                None => {
                    owners.insert(path, (name, what));
                }
            }
        }
    }
    let finding = |((first, second), paths): ((&str, &str), Vec<&[u8]>)| {
        let some = String::from_utf8_lossy(paths.first().copied().unwrap_or_default()).into_owned();
        let message = match paths.len() {
            1 => format!("{first} and {second} both have /{some}, with different content"),
            count => format!(
                "{first} and {second} both have {count} files with different content, such as /{some}"
            ),
        };
        Finding::new(Severity::Warning, Check::ExtCollide, message)
            .path(format!("/{some}").as_bytes())
            .fix("of two that are merged together, the one whose name comes last is seen")
    };
    pairs.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{file, plan};
    use crate::extension::Extension;

    #[test]
    fn two_extensions_with_one_file_are_told() {
        let extension = |content: &str| {
            let files = vec![file("/usr/bin/tool", content), file("/usr/share/doc/x", "same")];
            plan(files, Extension::default(), None).inventory()
        };
        let find = |a: &str, b: &str| {
            collisions(&[("a".into(), extension(a)), ("b".into(), extension(b))])
        };
        assert_eq!(find("1", "1"), []);
        let found = find("1", "2");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].message, "a and b both have /usr/bin/tool, with different content");
    }
}
