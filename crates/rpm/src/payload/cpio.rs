//! Members of a cpio archive: `newc` (`070701`, `070702`), and rpm's stripped form (`07070X`), whose members are only
//! an index into the header's files, since `newc` has no room for sizes of 4 GiB and more.

use std::io::Read;

use super::Payload;
use crate::error::Error;

/// Bytes of a magic.
const MAGIC: usize = 6;
/// Numbers of eight hexadecimal digits that follow the magic of `newc`.
const FIELDS: usize = 13;
const FIELD_FILESIZE: usize = 6;
const FIELD_NAMESIZE: usize = 11;
/// `PATH_MAX` and the dot in front.
const MAX_NAME: u64 = 4098;
const TRAILER: &[u8] = b"TRAILER!!!";

/// Head of a member.
#[derive(Debug)]
pub(super) enum Entry {
    /// With an absolute path and the size of its content.
    Named { path: Vec<u8>, size: u64 },
    /// With the index of its file.
    Indexed(u32),
}

impl<R: Read> Payload<R> {
    /// Reads the head of the next member; `None` at the trailer.
    pub(super) fn read_entry(&mut self) -> Result<Option<Entry>, Error> {
        let mut magic = [0; MAGIC];
        self.read_exact(&mut magic)?;
        match &magic {
            b"070701" | b"070702" => self.read_named(),
            b"07070X" => {
                let index = self.read_hex()?;
                self.align()?;
                Ok(Some(Entry::Indexed(index)))
            }
            _ => {
                let found = String::from_utf8_lossy(&magic).into_owned();
                Err(self.wrong("magic of a payload member", "070701, 070702 or 07070X", found))
            }
        }
    }

    fn read_named(&mut self) -> Result<Option<Entry>, Error> {
        let (mut size, mut name_size) = (0, 0);
        for field in 0..FIELDS {
            let value = u64::from(self.read_hex()?);
            match field {
                FIELD_FILESIZE => size = value,
                FIELD_NAMESIZE => name_size = value,
                _ => {}
            }
        }
        if !(1..=MAX_NAME).contains(&name_size) {
            return Err(self.wrong("name of a payload member", "1 to 4098 bytes", name_size));
        }
        let mut name = vec![0; usize::try_from(name_size).unwrap_or_default()];
        self.read_exact(&mut name)?;
        self.align()?;
        name.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()));
        if name == TRAILER {
            return Ok(None);
        }
        let relative =
            name.strip_prefix(b".").filter(|rest| rest.starts_with(b"/")).unwrap_or(&name);
        let path =
            if relative.starts_with(b"/") { relative.to_vec() } else { [b"/", relative].concat() };
        Ok(Some(Entry::Named { path, size }))
    }

    fn read_hex(&mut self) -> Result<u32, Error> {
        let mut digits = [0; 8];
        self.read_exact(&mut digits)?;
        let value =
            str::from_utf8(&digits).ok().and_then(|text| u32::from_str_radix(text, 16).ok());
        value.ok_or_else(|| {
            let found = String::from_utf8_lossy(&digits).into_owned();
            self.wrong("number in a payload member", "8 hexadecimal digits", found)
        })
    }
}
