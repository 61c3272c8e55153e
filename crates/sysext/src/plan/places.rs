//! Where the contents of packages' files go.

use erofs::NodeId;

use super::entries::Origin;

/// Nodes by package and index of the file. Of hundreds of thousands of files a list takes a fifth of what a map would.
#[derive(Debug)]
pub(crate) struct Places(Vec<Vec<Option<NodeId>>>);

impl Places {
    /// None yet, of packages with so many files.
    pub(super) fn new(files: impl Iterator<Item = usize>) -> Self {
        Self(files.map(|files| vec![None; files]).collect())
    }

    pub(super) fn insert(&mut self, (package, file): Origin, node: NodeId) {
        self.0[package][file] = Some(node);
    }

    /// Leaves only those of which `keeps` says so.
    pub(super) fn retain(&mut self, keeps: impl Fn(NodeId) -> bool) {
        for place in self.0.iter_mut().flatten() {
            place.take_if(|node| !keeps(*node));
        }
    }

    pub(crate) fn get(&self, (package, file): Origin) -> Option<NodeId> {
        *self.0.get(package)?.get(file)?
    }

    /// All, in the order of the packages and their files.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Origin, NodeId)> + '_ {
        self.0.iter().enumerate().flat_map(|(package, files)| {
            let places = files.iter().enumerate();
            places.filter_map(move |(file, node)| Some(((package, file), (*node)?)))
        })
    }
}

#[cfg(test)]
mod tests {
    use erofs::{Meta, Tree};

    use super::*;

    #[test]
    fn places_are_found_and_told_in_order() {
        let mut tree = Tree::new(Meta::new(0o755));
        let mut add = |name: &str| {
            tree.file(tree.root(), name.as_bytes(), Meta::new(0o644), 1).expect("a new name")
        };
        let [one, other, third] = ["one", "other", "third"].map(&mut add);
        let mut places = Places::new([2, 0, 6].into_iter());
        places.insert((2, 5), one);
        places.insert((0, 1), other);
        places.insert((2, 0), third);
        assert_eq!(places.get((2, 5)), Some(one));
        for missing in [(2, 4), (2, 6), (1, 0), (3, 0)] {
            assert_eq!(places.get(missing), None);
        }
        places.retain(|node| node != third);
        assert_eq!(Vec::from_iter(places.iter()), [((0, 1), other), ((2, 5), one)]);
    }
}
