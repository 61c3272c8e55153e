//! The database of installed packages, `rpmdb.sqlite`: the headers in it.
//!
//! Reads one table of an SQLite file and no more: see <https://www.sqlite.org/fileformat2.html>. Older forms of the
//! database (Berkeley DB, ndb) are refused.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom};

use crate::error::{Error, broken};

const MAGIC: &[u8] = b"SQLite format 3\0";
/// Pages of a table: interior and leaf.
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;
/// How deep a table's tree can be; with 2^31 pages it is less.
const MAX_DEPTH: u32 = 64;
/// Bytes that a row may have: rpm's limit for a header.
const MAX_ROW: usize = 256 << 20;
/// The column type of bytes: this, and twice their number.
const BLOB: u64 = 12;
const TEXT: u64 = 13;

/// A database that is read header by header, in the order in which packages were installed.
#[derive(Debug)]
pub struct Database<R> {
    file: File<R>,
    rows: Rows,
}

/// A file as it lies on disk.
#[derive(Debug)]
struct File<R> {
    source: R,
    /// Bytes of the file.
    length: u64,
    page_size: usize,
    /// Bytes of a page that are used.
    usable: usize,
}

/// How far a table has been read.
#[derive(Debug)]
struct Rows {
    /// Pages that are left to be visited and how deep they may go, the next at the end.
    pages: Vec<(u64, u32)>,
    seen: BTreeSet<u64>,
    /// The leaf that is being read, its number, and its rows that are left, the next at the end.
    leaf: Vec<u8>,
    number: u64,
    cells: Vec<usize>,
}

impl<R: Read + Seek> Database<R> {
    /// Opens a database.
    ///
    /// # Errors
    /// It cannot be read, is not of SQLite, has no table of packages, or is broken.
    pub fn open(source: R) -> Result<Self, Error> {
        let mut file = File::new(source)?;
        let mut schema = Rows::new(1);
        let mut root = None;
        while let Some(row) = schema.next(&mut file)? {
            // type, name, tbl_name, rootpage, sql
            let columns = columns(&row).ok_or_else(|| schema.broken())?;
            if let [kind, name, _, page, ..] = columns.as_slice()
                && kind.bytes == b"table"
                && name.bytes == b"Packages"
            {
                let number = |number, byte: &u8| number << 8 | u64::from(*byte);
                root = Some(page.bytes.iter().fold(0, number));
            }
        }
        let root = root.ok_or_else(|| bad(0, "a table named Packages", "none"))?;
        Ok(Self { file, rows: Rows::new(root) })
    }

    /// The next header, or `None` after the last. See [`crate::repodata::RepoPackage::from_database`].
    ///
    /// # Errors
    /// The file cannot be read or is broken.
    pub fn next_header(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Some(row) = self.rows.next(&mut self.file)? else { return Ok(None) };
        let columns = columns(&row).ok_or_else(|| self.rows.broken())?;
        let blob = columns.iter().find(|column| column.is_blob);
        Ok(Some(blob.ok_or_else(|| self.rows.broken())?.bytes.to_vec()))
    }
}

fn bad(at: u64, expected: impl std::fmt::Display, found: impl std::fmt::Display) -> Error {
    broken(at, "rpmdb.sqlite", expected, found)
}

impl Rows {
    /// The rows of the table whose tree starts at a page.
    fn new(root: u64) -> Self {
        Self {
            pages: vec![(root, MAX_DEPTH)],
            seen: BTreeSet::new(),
            leaf: Vec::new(),
            number: 0,
            cells: Vec::new(),
        }
    }

    fn next<R: Read + Seek>(&mut self, file: &mut File<R>) -> Result<Option<Vec<u8>>, Error> {
        loop {
            if let Some(cell) = self.cells.pop() {
                return file.row(&self.leaf, cell)?.ok_or_else(|| self.broken()).map(Some);
            }
            let Some((number, depth)) = self.pages.pop() else { return Ok(None) };
            self.number = number;
            if depth == 0 || !self.seen.insert(number) {
                return Err(self.broken());
            }
            self.leaf = file.page(number)?;
            // The first page has the file's header before its own.
            let head = if number == 1 { 100 } else { 0 };
            let (children, mut cells) = cells(&self.leaf, head).ok_or_else(|| self.broken())?;
            let depth = depth.saturating_sub(1);
            self.pages.extend(children.into_iter().rev().map(|child| (child, depth)));
            cells.reverse();
            self.cells = cells;
        }
    }

    fn broken(&self) -> Error {
        bad(0, format_args!("page {} of a table", self.number), "something else")
    }
}

impl<R: Read + Seek> File<R> {
    fn new(mut source: R) -> Result<Self, Error> {
        let length = source.seek(SeekFrom::End(0)).map_err(Error::Io)?;
        source.rewind().map_err(Error::Io)?;
        let mut head = Vec::new();
        source.by_ref().take(100).read_to_end(&mut head).map_err(Error::Io)?;
        if !head.starts_with(MAGIC) {
            return Err(bad(0, "a file of SQLite", "another"));
        }
        let number = |at: usize| head.get(at).copied().map_or(0, usize::from);
        let page_size = match number(16) << 8 | number(17) {
            1 => 65536,
            size => size,
        };
        let usable = page_size.saturating_sub(number(20));
        if !page_size.is_power_of_two() || page_size < 512 || usable < 480 {
            return Err(bad(16, "a page size from 512 to 65536", page_size));
        }
        Ok(Self { source, length, page_size, usable })
    }

    fn page(&mut self, number: u64) -> Result<Vec<u8>, Error> {
        let at = number.checked_sub(1).and_then(|at| at.checked_mul(self.page_size as u64));
        let missing = || bad(self.length, format_args!("page {number}"), "the end of the file");
        let at = at.ok_or_else(missing)?;
        let mut page = vec![0; self.page_size];
        self.source.seek(SeekFrom::Start(at)).map_err(Error::Io)?;
        match self.source.read_exact(&mut page) {
            Ok(()) => Ok(page),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(missing()),
            Err(error) => Err(Error::Io(error)),
        }
    }

    /// The bytes of a row, from its page and those that it overflows into.
    fn row(&mut self, page: &[u8], cell: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut rest = page.get(cell..).unwrap_or_default();
        let (Some(length), Some(_)) = (varint(&mut rest), varint(&mut rest)) else {
            return Ok(None);
        };
        let Ok(length) = usize::try_from(length) else { return Ok(None) };
        if length > MAX_ROW || length as u64 > self.length {
            return Ok(None);
        }
        let local = self.local(length);
        let Some(start) = rest.get(..local) else { return Ok(None) };
        let mut row = start.to_vec();
        let mut next = if local < length { number32(rest, local) } else { Some(0) };
        while row.len() < length {
            let Some(number) = next.filter(|number| *number != 0) else { return Ok(None) };
            let page = self.page(number)?;
            next = number32(&page, 0);
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

/// The pages below a page, or where its rows are.
fn cells(page: &[u8], head: usize) -> Option<(Vec<u64>, Vec<usize>)> {
    let kind = *page.get(head)?;
    let count = number16(page, head.checked_add(3)?)?;
    let pointers = head.checked_add(if kind == INTERIOR { 12 } else { 8 })?;
    let cells: Option<Vec<usize>> =
        (0..count).map(|at| number16(page, pointers.checked_add(at.checked_mul(2)?)?)).collect();
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
