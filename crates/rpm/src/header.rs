//! Headers: an index of tags and a store of values. The signature and the package's own header have the same form.

use std::io::Read;

use crate::error::{Error, corrupt};
use crate::source::Source;
use crate::tag;

/// Magic and version of a header, and four reserved bytes.
pub(crate) const MAGIC: [u8; 8] = [0x8E, 0xAD, 0xE8, 0x01, 0, 0, 0, 0];
/// Most tags of a header (rpm's `HEADER_TAGS_MAX`).
const MAX_TAGS: u32 = 0xFFFF;
/// Most bytes of a header's store (rpm's `HEADER_DATA_MAX`).
const MAX_STORE: u32 = 0x0FFF_FFFF;

const TYPE_INT16: u32 = 3;
const TYPE_INT32: u32 = 4;
const TYPE_INT64: u32 = 5;
const TYPE_STRING: u32 = 6;
const TYPE_BIN: u32 = 7;
const TYPE_STRING_ARRAY: u32 = 8;
const TYPE_I18NSTRING: u32 = 9;

/// A header as it was read.
#[derive(Debug)]
pub(crate) struct Header {
    /// Byte offset in the package.
    at: u64,
    /// The whole header, magic and all: digests cover these bytes.
    pub(crate) bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    tag: u32,
    kind: u32,
    offset: u32,
    count: u32,
}

impl Header {
    /// Reads a header and checks its index.
    pub(crate) fn read<R: Read>(source: &mut Source<R>, what: &str) -> Result<Self, Error> {
        let at = source.at();
        let mut bytes = source.read_vec(16, what)?;
        let (magic, tags, store) = split_intro(&bytes);
        if magic != MAGIC {
            let expected = "8eade80100000000";
            return Err(corrupt(
                at,
                format_args!("magic of the {what}"),
                expected,
                crate::digest::hex(&magic),
            ));
        }
        for (name, found, most) in [("tags", tags, MAX_TAGS), ("bytes", store, MAX_STORE)] {
            if found > most {
                return Err(corrupt(
                    at,
                    format_args!("{name} of the {what}"),
                    format_args!("<= {most}"),
                    found,
                ));
            }
        }
        let index = usize::try_from(tags).unwrap_or_default().saturating_mul(16);
        source.append_to(&mut bytes, index, what)?;
        source.append_to(&mut bytes, usize::try_from(store).unwrap_or_default(), what)?;
        let (records, _) = bytes.get(16..).unwrap_or_default().as_chunks::<16>();
        let mut entries = Vec::new();
        for (number, record) in
            records.iter().take(usize::try_from(tags).unwrap_or_default()).enumerate()
        {
            let entry = Entry::parse(record);
            if !entry.fits(store) {
                let Entry { tag, kind, offset, count } = entry;
                let place =
                    at.saturating_add(16).saturating_add((number as u64).saturating_mul(16));
                return Err(corrupt(
                    place,
                    format_args!("tag {tag} in the {what}"),
                    format_args!("values of type 1 to 9, aligned, within {store} bytes"),
                    format_args!("{count} of type {kind} at {offset}"),
                ));
            }
            entries.push(entry);
        }
        Ok(Self { at, bytes, entries })
    }

    pub(crate) fn has(&self, tag: u32) -> bool {
        self.entry(tag).is_some()
    }

    /// The strings of a tag; nothing where it is missing.
    pub(crate) fn strings(&self, tag: u32) -> Result<Vec<&[u8]>, Error> {
        let Some(entry) = self.entry(tag) else { return Ok(Vec::new()) };
        if !matches!(entry.kind, TYPE_STRING | TYPE_STRING_ARRAY | TYPE_I18NSTRING) {
            return Err(self.wrong(entry, "a string", format_args!("type {}", entry.kind)));
        }
        let count = if entry.kind == TYPE_STRING { 1 } else { entry.count };
        let mut rest = self.value(entry);
        let mut strings = Vec::new();
        for _ in 0..count {
            let Some(end) = rest.iter().position(|byte| *byte == 0) else {
                return Err(self.wrong(entry, format_args!("{count} strings"), strings.len()));
            };
            let (string, more) = rest.split_at(end);
            strings.push(string);
            rest = more.get(1..).unwrap_or_default();
        }
        Ok(strings)
    }

    /// The first string of a tag as text; bytes that are not UTF-8 are replaced.
    pub(crate) fn text(&self, tag: u32) -> Result<Option<String>, Error> {
        let first =
            self.strings(tag)?.first().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Ok(first)
    }

    /// The numbers of a tag, whatever their width; nothing where it is missing.
    pub(crate) fn numbers(&self, tag: u32) -> Result<Vec<u64>, Error> {
        let Some(entry) = self.entry(tag) else { return Ok(Vec::new()) };
        let width = match entry.kind {
            TYPE_INT16 => 2,
            TYPE_INT32 => 4,
            TYPE_INT64 => 8,
            found => return Err(self.wrong(entry, "numbers", format_args!("type {found}"))),
        };
        let bytes = self.sized(entry, width)?;
        let number =
            |bytes: &[u8]| bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        Ok(bytes.chunks_exact(width).map(number).collect())
    }

    /// The first number of a tag.
    pub(crate) fn number(&self, tag: u32) -> Result<Option<u64>, Error> {
        Ok(self.numbers(tag)?.first().copied())
    }

    /// The bytes of a tag.
    pub(crate) fn binary(&self, tag: u32) -> Result<Option<&[u8]>, Error> {
        let Some(entry) = self.entry(tag) else { return Ok(None) };
        if entry.kind != TYPE_BIN {
            return Err(self.wrong(entry, "bytes", format_args!("type {}", entry.kind)));
        }
        self.sized(entry, 1).map(Some)
    }

    /// The error for a tag whose value is wrong.
    pub(crate) fn wrong_value(
        &self,
        tag: u32,
        expected: impl std::fmt::Display,
        found: impl std::fmt::Display,
    ) -> Error {
        match self.entry(tag) {
            Some(entry) => self.wrong(entry, expected, found),
            None => corrupt(self.at, label(tag), expected, found),
        }
    }

    fn wrong(
        &self,
        entry: Entry,
        expected: impl std::fmt::Display,
        found: impl std::fmt::Display,
    ) -> Error {
        let store = self.store_at() as u64;
        let at = self.at.saturating_add(store).saturating_add(u64::from(entry.offset));
        corrupt(at, label(entry.tag), expected, found)
    }

    fn entry(&self, tag: u32) -> Option<Entry> {
        self.entries.iter().find(|entry| entry.tag == tag).copied()
    }

    /// Where the store starts in `bytes`.
    fn store_at(&self) -> usize {
        self.entries.len().saturating_mul(16).saturating_add(16)
    }

    /// The store from a tag's value on.
    fn value(&self, entry: Entry) -> &[u8] {
        let offset = usize::try_from(entry.offset).unwrap_or(usize::MAX);
        self.bytes.get(self.store_at().saturating_add(offset)..).unwrap_or_default()
    }

    fn sized(&self, entry: Entry, width: usize) -> Result<&[u8], Error> {
        let length = usize::try_from(entry.count).unwrap_or(usize::MAX).saturating_mul(width);
        let value = self.value(entry);
        value
            .get(..length)
            .ok_or_else(|| self.wrong(entry, format_args!("{length} bytes"), value.len()))
    }
}

impl Entry {
    /// Whether the values of numbers and bytes lie within a store of that size, as rpm demands. Strings are held
    /// against it when they are read.
    fn fits(self, store: u32) -> bool {
        let width = match self.kind {
            TYPE_INT16 => 2,
            TYPE_INT32 => 4,
            TYPE_INT64 => 8,
            1..=TYPE_I18NSTRING => 1,
            _ => return false,
        };
        let end =
            u64::from(self.count).saturating_mul(width).saturating_add(u64::from(self.offset));
        self.count > 0 && u64::from(self.offset).is_multiple_of(width) && end <= u64::from(store)
    }

    fn parse(record: &[u8; 16]) -> Self {
        let (words, _) = record.as_chunks::<4>();
        let mut words = words.iter().map(|word| u32::from_be_bytes(*word));
        let mut next = || words.next().unwrap_or_default();
        Self { tag: next(), kind: next(), offset: next(), count: next() }
    }
}

/// What a message calls a tag.
fn label(tag: u32) -> String {
    format!("{} (tag {tag})", tag::name(tag))
}

fn split_intro(bytes: &[u8]) -> ([u8; 8], u32, u32) {
    let mut magic = [0; 8];
    let (words, _) = bytes.as_chunks::<4>();
    if let [a, b, tags, store] = words {
        for (to, from) in magic.iter_mut().zip(a.iter().chain(b)) {
            *to = *from;
        }
        return (magic, u32::from_be_bytes(*tags), u32::from_be_bytes(*store));
    }
    (magic, 0, 0)
}
