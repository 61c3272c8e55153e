//! Extended attributes, inline and shared.

use std::io::{Read, Seek};

use zerocopy::FromBytes as _;

use super::Image;
use super::inodes::Inode;
use crate::error::{Error, corrupt};
use crate::format::{BLOCK_BYTES, XATTR_PREFIXES, XattrEntry, XattrIbodyHeader};
use crate::tree::Xattrs;

impl<R: Read + Seek> Image<R> {
    /// The extended attributes of an inode by their full names.
    pub(super) fn xattrs(&mut self, inode: &Inode) -> Result<Xattrs, Error> {
        let at = inode.xattrs_at();
        let body = self.xattr_body(inode)?;
        let mut xattrs = Xattrs::default();
        for (place, length) in self.shared_xattrs(inode, &body)? {
            let entry = self.read_vec(place, length, "shared attribute")?;
            insert(&mut xattrs, &entry, place)?;
        }
        let (_, mut rest) = split(inode, &body)?;
        while let Ok((header, _)) = XattrEntry::read_from_prefix(rest) {
            // Zeros fill what the entries leave.
            if header.e_name_index == 0 && rest.iter().all(|byte| *byte == 0) {
                break;
            }
            let length = stored_size(header);
            let Some(entry) = rest.get(..length) else {
                return Err(corrupt(
                    at,
                    "extended attribute",
                    format_args!("{length} bytes"),
                    rest.len(),
                ));
            };
            insert(&mut xattrs, entry, at)?;
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        Ok(xattrs)
    }

    /// The bytes of an inode's attributes; none if it has none.
    pub(super) fn xattr_body(&mut self, inode: &Inode) -> Result<Vec<u8>, Error> {
        if inode.xattr_size == 0 {
            return Ok(Vec::new());
        }
        self.read_vec(inode.xattrs_at(), inode.xattr_size, "extended attributes")
    }

    /// Where the shared attributes of an inode lie: byte offsets, and bytes without padding.
    pub(super) fn shared_xattrs(
        &mut self,
        inode: &Inode,
        body: &[u8],
    ) -> Result<Vec<(u64, u64)>, Error> {
        let start = u64::from(self.superblock.xattr_blkaddr.get()).saturating_mul(BLOCK_BYTES);
        let (ids, _) = split(inode, body)?;
        let mut places = Vec::with_capacity(ids.len());
        for id in ids {
            let place = start.saturating_add(u64::from(u32::from_le_bytes(*id)).saturating_mul(4));
            let header: XattrEntry = self.read_struct(place, "shared attribute")?;
            places.push((place, stored_size(header) as u64));
        }
        Ok(places)
    }
}

/// The ids of shared attributes, and the entries behind them.
fn split<'a>(inode: &Inode, body: &'a [u8]) -> Result<(&'a [[u8; 4]], &'a [u8]), Error> {
    let at = inode.xattrs_at();
    if body.is_empty() {
        return Ok((&[], &[]));
    }
    let Ok((header, rest)) = XattrIbodyHeader::read_from_prefix(body) else {
        return Err(corrupt(at, "extended attributes", "a header", "less"));
    };
    let ids = usize::from(header.h_shared_count).saturating_mul(4);
    let Some((ids, entries)) = rest.split_at_checked(ids) else {
        return Err(corrupt(at, "shared attributes", header.h_shared_count, "fewer"));
    };
    Ok((ids.as_chunks().0, entries))
}

/// Bytes of an entry without its padding.
fn stored_size(header: XattrEntry) -> usize {
    size_of::<XattrEntry>()
        .saturating_add(usize::from(header.e_name_len))
        .saturating_add(usize::from(header.e_value_size.get()))
}

fn insert(xattrs: &mut Xattrs, entry: &[u8], at: u64) -> Result<(), Error> {
    let Ok((header, rest)) = XattrEntry::read_from_prefix(entry) else {
        return Err(corrupt(at, "extended attribute", "a header", "less"));
    };
    let index = header.e_name_index;
    if index & 0x80 != 0 {
        return Err(Error::Unsupported("long names of extended attributes (Linux 6.4)"));
    }
    let Some((_, prefix)) = XATTR_PREFIXES.iter().find(|(known, _)| *known == index) else {
        return Err(corrupt(at, "prefix of an extended attribute", "1, 2, 3, 4 or 6", index));
    };
    let Some((name, value)) = rest.split_at_checked(usize::from(header.e_name_len)) else {
        return Err(corrupt(at, "name of an extended attribute", header.e_name_len, rest.len()));
    };
    xattrs.insert(&[prefix, name].concat(), value);
    Ok(())
}
