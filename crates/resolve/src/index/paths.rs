//! All paths of a repository's packages, for those that only a list of all files has: there are millions, of which one or
//! two are asked for now and then. They lie in chunks at the end of an index, so that a host reads the few it needs.

use std::collections::BTreeMap;
use std::ops::Range;

use super::read::{Reader, next, sections};
use super::write::{put, put_difference, put_text, section};
use super::{BadIndex, split_path};

/// Bytes of a chunk before compression, about.
const CHUNK: usize = 64 << 10;
/// Bytes that a path may have.
const MAX_PATH: usize = 1 << 20;

/// Paths of packages that are gathered for an index.
#[derive(Clone, Debug, Default)]
pub struct AllPaths {
    folders: BTreeMap<String, u32>,
    names: String,
    entries: Vec<Entry>,
}

/// A path of a package.
#[derive(Clone, Copy, Debug)]
struct Entry {
    folder: u32,
    /// Where its last part ends in `names`; it starts where that of the one before ends.
    end: usize,
    package: u32,
}

impl AllPaths {
    /// A package, by its place in the index, has a path.
    pub fn add(&mut self, package: usize, path: &str) {
        let (folder, name) = split_path(path);
        let next = self.folders.len() as u32;
        let folder = match self.folders.get(folder) {
            Some(&number) => number,
            None => *self.folders.entry(folder.to_owned()).or_insert(next),
        };
        self.names.push_str(name);
        self.entries.push(Entry { folder, end: self.names.len(), package: package as u32 });
    }

    /// The table of the chunks and the chunks; nothing if there are no paths.
    pub(super) fn write(self) -> (Vec<u8>, Vec<u8>) {
        let Self { folders, names, entries } = self;
        if entries.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let mut by_number = vec![""; folders.len()];
        for (folder, number) in &folders {
            by_number[*number as usize] = folder;
        }
        let starts = std::iter::once(0).chain(entries.iter().map(|entry| entry.end));
        let mut all: Vec<(&str, &str, u32)> = entries
            .iter()
            .zip(starts)
            .map(|(entry, start)| {
                (by_number[entry.folder as usize], &names[start..entry.end], entry.package)
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        let (mut table, mut count, mut chunks) = (Vec::new(), 0, Vec::new());
        let mut chunk = Vec::new();
        let mut last = String::new();
        for same in all.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (folder, name, _) = same[0];
            let path = format!("{folder}/{name}");
            if chunk.is_empty() {
                count += 1;
                put(&mut table, path.len() as u64);
                table.extend(path.bytes());
                last.clear();
            }
            put_text(&mut chunk, &path, &last);
            put(&mut chunk, same.len() as u64);
            let mut number = 0;
            for (_, _, package) in same {
                put_difference(&mut chunk, u64::from(*package), &mut number);
            }
            last = path;
            if chunk.len() >= CHUNK {
                close(&mut chunk, &mut table, &mut chunks);
            }
        }
        close(&mut chunk, &mut table, &mut chunks);
        let mut content = Vec::new();
        put(&mut content, count);
        content.extend(table);
        let mut table = Vec::new();
        section(&mut table, b'Q', &content);
        (table, chunks)
    }
}

/// Ends a chunk, and notes in the table how long it is.
fn close(chunk: &mut Vec<u8>, table: &mut Vec<u8>, chunks: &mut Vec<u8>) {
    if chunk.is_empty() {
        return;
    }
    let before = chunks.len();
    section(chunks, b'N', chunk);
    put(table, (chunks.len() - before) as u64);
    chunk.clear();
}

/// Which paths are in which chunks.
#[derive(Clone, Debug)]
pub struct PathTable {
    /// The first path of each chunk, and its bytes in the file.
    chunks: Vec<(String, Range<u64>)>,
}

impl PathTable {
    /// Reads the table; chunks start at a byte of the file.
    ///
    /// # Errors
    /// It is broken.
    pub fn read(bytes: &[u8], mut at: u64) -> Result<Self, BadIndex> {
        let decoded = sections(&mut Reader::new(bytes), b"Q")?;
        let mut reader = next(&mut decoded.iter())?;
        let count = reader.count()?;
        let mut chunks: Vec<(String, Range<u64>)> = Vec::with_capacity(count.min(1 << 16));
        for _ in 0..count {
            let length = reader.below(MAX_PATH)? as usize;
            let first = std::str::from_utf8(reader.bytes(length)?);
            let first = first.map_err(|_| reader.bad("a path is not text"))?.to_owned();
            if chunks.last().is_some_and(|(before, _)| split_path(before) >= split_path(&first)) {
                return Err(reader.bad("chunks are not in order"));
            }
            let end = at.checked_add(reader.number()?);
            let end = end.ok_or_else(|| reader.bad("a chunk is too long"))?;
            chunks.push((first, at..end));
            at = end;
        }
        Ok(Self { chunks })
    }

    /// The number of the chunk that tells of a path if any does, and its bytes in the file.
    pub fn chunk(&self, path: &str) -> Option<(usize, Range<u64>)> {
        let behind =
            self.chunks.partition_point(|(first, _)| split_path(first) <= split_path(path));
        let number = behind.checked_sub(1)?;
        Some((number, self.chunks[number].1.clone()))
    }
}

/// Reads a chunk: `found` is called with each path that is wanted and the place in the index of each of `packages` packages
/// that has it.
///
/// # Errors
/// It is broken.
pub fn read_chunk(
    bytes: &[u8],
    packages: usize,
    wanted: impl Fn(&str) -> bool,
    mut found: impl FnMut(&str, usize),
) -> Result<(), BadIndex> {
    let decoded = sections(&mut Reader::new(bytes), b"N")?;
    let mut reader = next(&mut decoded.iter())?;
    let mut path = String::new();
    while !reader.is_empty() {
        let shared = reader.below(path.len() + 1)? as usize;
        if !path.is_char_boundary(shared) {
            return Err(reader.bad("a path is not text"));
        }
        path.truncate(shared);
        let length = reader.below(MAX_PATH)? as usize;
        let rest = std::str::from_utf8(reader.bytes(length)?);
        path.push_str(rest.map_err(|_| reader.bad("a path is not text"))?);
        let is_wanted = wanted(&path);
        let mut package = 0;
        for _ in 0..reader.count()? {
            let package = reader.difference(&mut package, packages)?;
            if is_wanted {
                found(&path, package as usize);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[(usize, String)], wanted: &str) -> Vec<usize> {
        let mut all = AllPaths::default();
        paths.iter().for_each(|(package, path)| all.add(*package, path));
        let (table, chunks) = all.write();
        let table = PathTable::read(&table, 100).unwrap();
        let Some((_, range)) = table.chunk(wanted) else { return Vec::new() };
        let bytes = &chunks[range.start as usize - 100..range.end as usize - 100];
        let mut found = Vec::new();
        read_chunk(bytes, 1000, |path| path == wanted, |_, package| found.push(package)).unwrap();
        found
    }

    #[test]
    fn every_path_is_found_in_its_chunk() {
        let path = |number: usize| format!("/usr/share/folder-{}/ä{number}", number % 97);
        let mut paths: Vec<_> = (0..60_000).map(|number| (number % 1000, path(number))).collect();
        paths.push((7, path(3)));
        for number in [0, 1, 59_999, 15_000, 96, 97] {
            assert_eq!(found(&paths, &path(number)), [number % 1000], "{}", path(number));
        }
        assert_eq!(found(&paths, &path(3)), [3, 7]);
        for nobodys in ["/", "/usr", "/usr/share/folder-5", "/zzz", "/usr/share/folder-3/ä"] {
            assert_eq!(found(&paths, nobodys), [0; 0], "{nobodys}");
        }
        let mut all = AllPaths::default();
        paths.iter().for_each(|(package, path)| all.add(*package, path));
        let (table, _) = all.write();
        assert!(PathTable::read(&table, 0).unwrap().chunks.len() > 3, "there are several");
    }
}
