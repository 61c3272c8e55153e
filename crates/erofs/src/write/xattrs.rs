//! Extended attributes: behind the inode, or once for all in the head of the image where that is shorter.

use std::collections::BTreeMap;

use twox_hash::XxHash32;
use zerocopy::IntoBytes as _;

use crate::error::Error;
use crate::format::{self, XATTR_PREFIXES, XattrEntry, XattrIbodyHeader};
use crate::tree::{NodeId, Tree, TreeError};

/// Most shared attributes of an inode: their count is a byte.
const MAX_SHARED: usize = 255;
/// Most bytes of an inode's attributes: their count in 4 bytes is 16 bits wide.
const MAX_BODY: usize = 12 + 4 * (u16::MAX as usize - 1);

/// Which attributes are shared, and where they lie.
#[derive(Debug)]
pub(super) struct Xattrs {
    /// Shared entries with their byte offset in the image.
    shared: BTreeMap<Vec<u8>, usize>,
    end: usize,
}

impl Xattrs {
    /// Chooses what to share.
    ///
    /// # Errors
    /// A name or value that the format has no room for.
    pub(super) fn plan(tree: &Tree<u64>) -> Result<Self, Error> {
        let mut uses = BTreeMap::<Vec<u8>, usize>::new();
        for id in tree.ids() {
            let mut size = size_of::<XattrIbodyHeader>();
            for (name, value) in tree.node(id).meta.xattrs.iter() {
                let entry = entry(name, value).ok_or_else(|| TreeError::Xattr(name.to_vec()))?;
                size += entry.len();
                if size > MAX_BODY {
                    return Err(TreeError::Xattr(name.to_vec()).into());
                }
                *uses.entry(entry).or_default() += 1;
            }
        }
        // Shared, an entry is stored once and each use takes an id of 4 bytes.
        let shared = uses
            .into_iter()
            .filter(|(entry, uses)| entry.len() + 4 * uses < entry.len() * uses)
            .map(|(entry, _)| (entry, 0))
            .collect();
        Ok(Self { shared, end: 0 })
    }

    /// Puts the shared entries into the image from byte `at` on.
    pub(super) fn place(&mut self, at: usize) {
        self.end = at.next_multiple_of(4);
        for (entry, place) in &mut self.shared {
            *place = self.end;
            self.end += entry.len();
        }
    }

    /// Byte behind the last shared entry.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Writes the shared entries into the head of the image.
    pub(super) fn write_shared(&self, head: &mut [u8]) {
        for (entry, &at) in &self.shared {
            head[at..at + entry.len()].copy_from_slice(entry);
        }
    }

    /// The attributes of an entry as they follow its inode; nothing if it has none.
    pub(super) fn body(&self, tree: &Tree<u64>, id: NodeId) -> Vec<u8> {
        let xattrs = &tree.node(id).meta.xattrs;
        if xattrs.is_empty() {
            return Vec::new();
        }
        let (mut ids, mut inline, mut shared) = (Vec::new(), Vec::new(), 0_u8);
        for (name, value) in xattrs.iter() {
            let entry = entry(name, value).expect("checked when planned");
            match self.shared.get(&entry) {
                Some(at) if usize::from(shared) < MAX_SHARED => {
                    shared += 1;
                    ids.extend_from_slice(&((at / 4) as u32).to_le_bytes());
                }
                _ => inline.extend(entry),
            }
        }
        let filter = xattrs.iter().fold(u32::MAX, |filter, (name, _)| filter & !filter_bit(name));
        let header = XattrIbodyHeader {
            h_name_filter: filter.into(),
            h_shared_count: shared,
            ..XattrIbodyHeader::default()
        };
        [header.as_bytes(), &ids, &inline].concat()
    }

    /// Bytes of [`Xattrs::body`].
    pub(super) fn body_size(&self, tree: &Tree<u64>, id: NodeId) -> usize {
        if tree.node(id).meta.xattrs.is_empty() { 0 } else { self.body(tree, id).len() }
    }
}

/// The bit of a name filter that is zero where an inode has an attribute of that name.
fn filter_bit(name: &[u8]) -> u32 {
    let Some((index, rest)) = prefix(name) else { return 0 };
    let seed = format::XATTR_FILTER_SEED.wrapping_add(u32::from(index));
    1 << (XxHash32::oneshot(seed, rest) % u32::BITS)
}

/// The number of a name's prefix, and what follows it.
fn prefix(name: &[u8]) -> Option<(u8, &[u8])> {
    let mut prefixes = XATTR_PREFIXES.iter();
    prefixes.find_map(|(index, prefix)| Some((*index, name.strip_prefix(*prefix)?)))
}

/// Whether EROFS has a place for an extended attribute of that name.
pub fn can_store_xattr(name: &[u8]) -> bool {
    entry(name, &[]).is_some()
}

/// An attribute as it is stored, or `None` if it cannot be.
fn entry(name: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let (index, rest) = prefix(name)?;
    // The access control lists are whole names, the others are prefixes.
    let whole = matches!(index, 2 | 3);
    if rest.is_empty() != whole {
        return None;
    }
    let header = XattrEntry {
        e_name_len: u8::try_from(rest.len()).ok()?,
        e_name_index: index,
        e_value_size: u16::try_from(value.len()).ok()?.into(),
    };
    let mut entry = [header.as_bytes(), rest, value].concat();
    entry.resize(entry.len().next_multiple_of(4), 0);
    Some(entry)
}
