//! What a program or library says of itself: read with the crate `object`.

use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME};
use object::read::elf::{Dyn as _, FileHeader};
use object::{Endianness, elf};

/// Names of each kind that are kept: no linker writes more, and tables that overlap could tell of billions.
const MAX_NAMES: usize = 10_000;

/// What matters of an ELF file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Elf {
    /// 32 or 64.
    pub(crate) bits: u8,
    /// The name that others need it by.
    pub(crate) soname: Option<String>,
    /// Names of libraries that it needs.
    pub(crate) needed: Vec<String>,
    /// Versions of symbols that it needs: library and version.
    pub(crate) versions: Vec<(String, String)>,
    /// Where it looks for them, `DT_RUNPATH` or `DT_RPATH`.
    pub(crate) runpath: Vec<String>,
}

/// Reads a file, if it is an ELF file that is whole.
pub(crate) fn read(bytes: &[u8]) -> Option<Elf> {
    match bytes.get(..5)? {
        [0x7F, b'E', b'L', b'F', 2] => of::<elf::FileHeader64<Endianness>>(bytes, 64),
        [0x7F, b'E', b'L', b'F', 1] => of::<elf::FileHeader32<Endianness>>(bytes, 32),
        _ => None,
    }
}

fn of<H: FileHeader<Endian = Endianness>>(bytes: &[u8], bits: u8) -> Option<Elf> {
    let header = H::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, bytes).ok()?;
    let mut elf = Elf { bits, ..Elf::default() };
    let Ok(Some((entries, link))) = sections.dynamic(endian, bytes) else { return Some(elf) };
    let strings = sections.strings(endian, bytes, link).ok()?;
    let text = |offset: u32| {
        strings.get(offset).ok().map(|text| String::from_utf8_lossy(text).into_owned())
    };
    for entry in entries.iter().take(MAX_NAMES) {
        let Some(offset) = entry.val32(endian) else { continue };
        match entry.tag(endian) {
            DT_NEEDED => elf.needed.extend(text(offset)),
            DT_SONAME => elf.soname = text(offset),
            DT_RUNPATH | DT_RPATH => {
                let paths = text(offset).unwrap_or_default();
                elf.runpath
                    .extend(paths.split(':').filter(|path| !path.is_empty()).map(str::to_owned));
            }
            _ => {}
        }
    }
    if let Ok(Some((mut needs, link))) = sections.gnu_verneed(endian, bytes) {
        let strings = sections.strings(endian, bytes, link).ok()?;
        while let Ok(Some((need, mut versions))) = needs.next() {
            let file = need.file(endian, strings).ok()?;
            while let Ok(Some(version)) = versions.next() {
                if elf.versions.len() == MAX_NAMES {
                    return Some(elf);
                }
                let name = version.name(endian, strings).ok()?;
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                elf.versions.push((text(file), text(name)));
            }
        }
    }
    Some(elf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none_is_none() {
        assert_eq!(read(b""), None);
        assert_eq!(read(b"#!/bin/sh\n"), None);
        assert_eq!(read(b"\x7FELF"), None);
        assert_eq!(read(b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"), None);
    }
}
