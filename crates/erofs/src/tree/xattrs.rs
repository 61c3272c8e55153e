//! Extended attributes of an entry.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// Extended attributes by full name, `security.capability` for instance, in byte order of their names.
///
/// Copies are the same memory until one is changed: a system has a label on every file, but only a few hundred labels.
#[derive(Clone, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Xattrs(Option<Arc<Vec<Xattr>>>);

/// Name and value.
type Xattr = (Box<[u8]>, Box<[u8]>);

impl Xattrs {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    /// The value of an attribute.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let place = self.place(name).ok()?;
        self.all().get(place).map(|(_, value)| &**value)
    }

    /// Sets an attribute.
    pub fn insert(&mut self, name: &[u8], value: &[u8]) {
        let place = self.place(name);
        let all = Arc::make_mut(self.0.get_or_insert_default());
        match place {
            Ok(place) => all[place].1 = value.into(),
            Err(place) => all.insert(place, (name.into(), value.into())),
        }
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.all().iter().map(|(name, value)| (&**name, &**value))
    }

    fn all(&self) -> &[Xattr] {
        self.0.as_ref().map_or(&[], |all| all.as_slice())
    }

    fn place(&self, name: &[u8]) -> Result<usize, usize> {
        self.all().binary_search_by(|(other, _)| (**other).cmp(name))
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Xattrs {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(all: I) -> Self {
        let mut xattrs = Self::default();
        all.into_iter().for_each(|(name, value)| xattrs.insert(name.as_ref(), value.as_ref()));
        xattrs
    }
}

impl fmt::Debug for Xattrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes| String::from_utf8_lossy(bytes);
        f.debug_map().entries(self.iter().map(|(name, value)| (text(name), text(value)))).finish()
    }
}

/// The attributes that entries of a tree have, each set once.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(BTreeSet<Xattrs>);

impl Known {
    /// The same attributes, in the memory of those that are known.
    pub(super) fn share(&mut self, xattrs: Xattrs) -> Xattrs {
        if xattrs.is_empty() {
            return xattrs;
        }
        if let Some(known) = self.0.get(&xattrs) {
            return known.clone();
        }
        self.0.insert(xattrs.clone());
        xattrs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_in_order_and_set_once() {
        let mut xattrs: Xattrs = [("user.b", "1"), ("user.a", "2")].into_iter().collect();
        let copy = xattrs.clone();
        xattrs.insert(b"user.b", b"3");
        xattrs.insert(b"trusted.c", b"");
        let all: Vec<_> = xattrs.iter().collect();
        let expected = [("trusted.c", ""), ("user.a", "2"), ("user.b", "3")];
        assert_eq!(all, expected.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        assert_eq!(copy.get(b"user.b"), Some(b"1".as_slice()), "a copy does not change");
        assert_eq!(copy.get(b"trusted.c"), None);
        assert!(Xattrs::default().is_empty() && !copy.is_empty());
    }

    #[test]
    fn equal_attributes_are_the_same_memory() {
        let label = |label: &str| Xattrs::from_iter([("security.selinux", label)]);
        let mut known = Known::default();
        let shared = ["a", "b", "a"].map(|name| known.share(label(name)));
        assert_eq!(shared, ["a", "b", "a"].map(label));
        let [first, other, again] = shared.map(|xattrs| xattrs.0.map(|all| Arc::as_ptr(&all)));
        assert_eq!(first, again);
        assert_ne!(first, other);
    }
}
