//! File contexts of policy modules that packages bring: packaged modules (`.pp`, libsepol's `module_to_cil.c` and
//! `semodule_package(8)`) and modules in CIL (`secilc(8)`). Compressed ones are decompressed by the caller.

mod cil;

use crate::error::{Error, Place, corrupt};

/// A module package: `SEPOL_MODULE_PACKAGE_MAGIC`.
const PACKAGE: u32 = 0xF97C_FF8F;
/// Its section of file contexts: `SEPOL_PACKAGE_SECTION_FC`.
const FILE_CONTEXTS: u32 = 0xF97C_FF90;
/// Sections that a package may have; there are kinds for five.
const MAX_SECTIONS: u32 = 64;

/// The lines of `file_contexts` that a module adds; empty if it adds none.
///
/// # Errors
/// It is no module, is broken, or has something in CIL that is not known here.
pub fn module_contexts(file: &[u8]) -> Result<String, Error> {
    if number(file, 0) == Some(PACKAGE) {
        return package(file);
    }
    match std::str::from_utf8(file) {
        Ok(text) if text.trim_start().starts_with(['(', ';']) || text.trim().is_empty() => {
            cil::contexts(text)
        }
        _ => Err(corrupt(Place::Byte(0), "a module package or CIL", "something else")),
    }
}

/// The section of a package: `SEPOL_PACKAGE_SECTION_FC` and a text.
fn package(file: &[u8]) -> Result<String, Error> {
    let cut = |at: usize| corrupt(Place::Byte(at), "more of the package", "its end");
    // Magic, version, number of sections, where they are.
    let count = number(file, 8).ok_or_else(|| cut(8))?;
    if count > MAX_SECTIONS {
        return Err(corrupt(Place::Byte(8), "at most 64 sections", count.to_string()));
    }
    let mut starts = Vec::new();
    for section in 0..count as usize {
        let at = section.saturating_mul(4).saturating_add(12);
        let start = number(file, at).ok_or_else(|| cut(at))?;
        starts.push(usize::try_from(start).unwrap_or(usize::MAX));
    }
    let mut text = String::new();
    for (section, start) in starts.iter().copied().enumerate() {
        if number(file, start).ok_or_else(|| cut(start))? != FILE_CONTEXTS {
            continue;
        }
        let end = starts.get(section.saturating_add(1)).copied().unwrap_or(file.len());
        let content = file.get(start.saturating_add(4)..end).ok_or_else(|| cut(start))?;
        let content = std::str::from_utf8(content)
            .map_err(|_| corrupt(Place::Byte(start), "a text of file contexts", "other bytes"))?;
        text.push_str(content.trim_end_matches('\0'));
        text.push('\n');
    }
    Ok(text)
}

fn number(file: &[u8], at: usize) -> Option<u32> {
    let bytes = file.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A package of sections.
    #[expect(clippy::arithmetic_side_effects, reason = "the numbers of a test")]
    fn package(sections: &[(u32, &str)]) -> Vec<u8> {
        let mut file = [PACKAGE, 1, sections.len() as u32].map(u32::to_le_bytes).concat();
        let mut start = file.len() + sections.len() * 4;
        for (_, content) in sections {
            file.extend((start as u32).to_le_bytes());
            start += 4 + content.len();
        }
        for (magic, content) in sections {
            file.extend(magic.to_le_bytes());
            file.extend(content.bytes());
        }
        file
    }

    #[test]
    fn the_section_of_file_contexts_is_found() {
        let line = "/usr/bin/x\t--\tsystem_u:object_r:x_t:s0\n";
        let file = package(&[(0xF97C_FF8D, "module"), (FILE_CONTEXTS, line), (0x097C_FF92, "")]);
        assert_eq!(module_contexts(&file), Ok(format!("{line}\n")));
        assert_eq!(module_contexts(&package(&[(0xF97C_FF8D, "module")])), Ok(String::new()));
        for end in 0..file.len() - line.len() - 4 {
            let _ = module_contexts(&file[..end]);
        }
    }

    #[test]
    fn broken_packages_are_refused() {
        let check = |file: &[u8], expected: &str| {
            let error = module_contexts(file).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(b"\x7FELF", "byte 0: expected a module package or CIL");
        check(&PACKAGE.to_le_bytes(), "byte 8: expected more of the package");
        check(
            &[PACKAGE, 1, 1000].map(u32::to_le_bytes).concat(),
            "at most 64 sections, found 1000",
        );
        check(&[PACKAGE, 1, 1, 1000].map(u32::to_le_bytes).concat(), "byte 1000: expected more");
    }
}
