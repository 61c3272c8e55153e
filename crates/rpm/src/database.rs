//! The database of installed packages, `rpmdb.sqlite`: the headers in it.
//!
//! Reads one table of an SQLite file and no more: see <https://www.sqlite.org/fileformat2.html>. Older forms of the
//! database (Berkeley DB, ndb) are refused.

use std::collections::BTreeSet;

use crate::error::{Error, broken};

const MAGIC: &[u8] = b"SQLite format 3\0";
/// Pages of a table: interior and leaf.
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;
/// How deep a table's tree can be; with 2^31 pages it is less.
const MAX_DEPTH: u32 = 64;
/// The column type of bytes: this, and twice their number.
const BLOB: u64 = 12;
const TEXT: u64 = 13;

/// A file as it lies on disk.
struct File<'a> {
    bytes: &'a [u8],
    page_size: usize,
    /// Bytes of a page that are used.
    usable: usize,
}

/// The headers of all installed packages, in the order in which they were installed. See
/// [`crate::repodata::RepoPackage::from_database`].
///
/// # Errors
/// The file is not of SQLite, has no table of packages, or is broken.
pub fn headers(file: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let file = File::new(file)?;
    let mut root = None;
    file.rows(1, &mut |row| {
        // type, name, tbl_name, rootpage, sql
        let columns = columns(row)?;
        if let [kind, name, _, page, ..] = columns.as_slice()
            && kind.bytes == b"table"
            && name.bytes == b"Packages"
        {
            root = Some(page.bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        }
        Some(())
    })?;
    let root = root.ok_or_else(|| bad(0, "a table named Packages", "none"))?;
    let mut headers = Vec::new();
    file.rows(root, &mut |row| {
        let columns = columns(row)?;
        headers.push(columns.iter().find(|column| column.is_blob)?.bytes.to_vec());
        Some(())
    })?;
    Ok(headers)
}

fn bad(at: usize, expected: impl std::fmt::Display, found: impl std::fmt::Display) -> Error {
    broken(at as u64, "rpmdb.sqlite", expected, found)
}

impl<'a> File<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        if !bytes.starts_with(MAGIC) {
            return Err(bad(0, "a file of SQLite", "another"));
        }
        let number = |at: usize| bytes.get(at).copied().map_or(0, usize::from);
        let page_size = match number(16) << 8 | number(17) {
            1 => 65536,
            size => size,
        };
        let usable = page_size.saturating_sub(number(20));
        if !page_size.is_power_of_two() || page_size < 512 || usable < 480 {
            return Err(bad(16, "a page size from 512 to 65536", page_size));
        }
        Ok(Self { bytes, page_size, usable })
    }

    fn page(&self, number: u64) -> Result<&'a [u8], Error> {
        let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let start = at.and_then(|at| at.checked_mul(self.page_size));
        let page =
            start.and_then(|start| self.bytes.get(start..start.checked_add(self.page_size)?));
        page.ok_or_else(|| {
            bad(self.bytes.len(), format_args!("page {number}"), "the end of the file")
        })
    }

    /// Shows every row of the table whose tree starts at a page.
    fn rows(&self, root: u64, each: &mut impl FnMut(&[u8]) -> Option<()>) -> Result<(), Error> {
        // What is left to be visited, the next at the end.
        let mut work = vec![(root, MAX_DEPTH)];
        let mut seen = BTreeSet::new();
        while let Some((number, depth)) = work.pop() {
            let broken = || bad(0, format_args!("page {number} of a table"), "something else");
            if depth == 0 || !seen.insert(number) {
                return Err(broken());
            }
            let page = self.page(number)?;
            // The first page has the file's header before its own.
            let head = if number == 1 { 100 } else { 0 };
            let (children, rows) = self.cells(page, head).ok_or_else(broken)?;
            let depth = depth.saturating_sub(1);
            work.extend(children.into_iter().rev().map(|child| (child, depth)));
            for row in rows {
                let row = self.row(page, row)?.ok_or_else(broken)?;
                each(&row).ok_or_else(broken)?;
            }
        }
        Ok(())
    }

    /// The pages below a page, or where its rows are.
    fn cells(&self, page: &[u8], head: usize) -> Option<(Vec<u64>, Vec<usize>)> {
        let kind = *page.get(head)?;
        let count = number16(page, head.checked_add(3)?)?;
        let pointers = head.checked_add(if kind == INTERIOR { 12 } else { 8 })?;
        let cells: Option<Vec<usize>> = (0..count)
            .map(|at| number16(page, pointers.checked_add(at.checked_mul(2)?)?))
            .collect();
        match kind {
            LEAF => Some((Vec::new(), cells?)),
            INTERIOR => {
                let mut children: Vec<u64> =
                    cells?.into_iter().map(|cell| number32(page, cell)).collect::<Option<_>>()?;
                children.push(number32(page, head.checked_add(8)?)?);
                Some((children, Vec::new()))
            }
            _ => None,
        }
    }

    /// The bytes of a row, from its page and those that it overflows into.
    fn row(&self, page: &[u8], cell: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut rest = page.get(cell..).unwrap_or_default();
        let (Some(length), Some(_)) = (varint(&mut rest), varint(&mut rest)) else {
            return Ok(None);
        };
        let Ok(length) = usize::try_from(length) else { return Ok(None) };
        if length > self.bytes.len() {
            return Ok(None);
        }
        let local = self.local(length);
        let Some(start) = rest.get(..local) else { return Ok(None) };
        let mut row = start.to_vec();
        let mut next = if local < length { number32(rest, local) } else { Some(0) };
        while row.len() < length {
            let Some(number) = next.filter(|number| *number != 0) else { return Ok(None) };
            let page = self.page(number)?;
            next = number32(page, 0);
            let left = length.saturating_sub(row.len()).min(self.usable.saturating_sub(4));
            row.extend(page.get(4..left.saturating_add(4)).unwrap_or_default());
        }
        Ok(Some(row))
    }

    /// How many bytes of a row of that length are on its own page.
    fn local(&self, length: usize) -> usize {
        let most = self.usable.saturating_sub(35);
        if length <= most {
            return length;
        }
        let least = (self.usable.saturating_sub(12).saturating_mul(32) / 255).saturating_sub(23);
        let page = self.usable.saturating_sub(4);
        let over = length.saturating_sub(least).checked_rem(page).unwrap_or_default();
        let local = least.saturating_add(over);
        if local <= most { local } else { least }
    }
}

struct Column<'a> {
    is_blob: bool,
    bytes: &'a [u8],
}

/// The columns of a row.
fn columns(row: &[u8]) -> Option<Vec<Column<'_>>> {
    let mut head = row;
    let length = usize::try_from(varint(&mut head)?).ok()?;
    let mut kinds = row.get(row.len().checked_sub(head.len())?..length)?;
    let mut values = row.get(length..)?;
    let mut columns = Vec::new();
    while !kinds.is_empty() {
        let kind = varint(&mut kinds)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            _ if kind >= BLOB => kind.checked_sub(if kind % 2 == 0 { BLOB } else { TEXT })? / 2,
            _ => return None,
        };
        let (bytes, rest) = values.split_at_checked(usize::try_from(length).ok()?)?;
        values = rest;
        columns.push(Column { is_blob: kind >= BLOB && kind % 2 == 0, bytes });
    }
    Some(columns)
}

/// A number of one to nine bytes, the highest first, seven bits each and eight of the ninth.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for at in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if at == 8 {
            return Some(value << 8 | u64::from(*byte));
        }
        value = value << 7 | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn number16(bytes: &[u8], at: usize) -> Option<usize> {
    let pair = bytes.get(at..at.checked_add(2)?)?;
    Some(pair.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

fn number32(bytes: &[u8], at: usize) -> Option<u64> {
    let word = bytes.get(at..at.checked_add(4)?)?;
    Some(word.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
