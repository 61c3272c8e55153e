//! `repomd.xml`: which files the metadata has, and their digests.

use std::io::Read;

use super::primary::Checksum;
use super::xml::{Item, Xml};
use crate::error::{Error, broken};

/// The table of a repository's metadata.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Repomd {
    /// Of what state it is; grows with time.
    pub revision: String,
    /// The files.
    pub records: Vec<Record>,
}

/// A file of metadata.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Record {
    /// `primary`, `filelists`, `group`, `primary_zck`, `updateinfo` ...
    pub kind: String,
    /// Path below the repository's URL.
    pub location: String,
    /// Digest of the file as it lies there.
    pub checksum: Option<Checksum>,
    /// Digest of what it decompresses to.
    pub open_checksum: Option<Checksum>,
    /// Bytes of the file.
    pub size: Option<u64>,
    /// Bytes that it decompresses to.
    pub open_size: Option<u64>,
}

impl Record {
    /// Holds a file against its size and digest.
    ///
    /// # Errors
    /// It is another file, or the digest is of an algorithm that is not known.
    pub fn verify(&self, bytes: &[u8]) -> Result<(), Error> {
        let what = || format!("{} ({})", self.location, self.kind);
        if let Some(size) = self.size
            && size != bytes.len() as u64
        {
            return Err(broken(0, what(), format_args!("{size} bytes"), bytes.len()));
        }
        self.checksum.as_ref().map_or(Ok(()), |checksum| checksum.verify(&what(), bytes))
    }
}

impl Repomd {
    /// Reads a `repomd.xml`.
    ///
    /// # Errors
    /// The file is broken.
    pub fn read(source: impl Read) -> Result<Self, Error> {
        let mut xml = Xml::new(source, "repomd.xml");
        let mut repomd = Self::default();
        let mut record: Option<Record> = None;
        loop {
            match (xml.next()?, &mut record) {
                (Item::Open(element), None) if element.name() == "data" => {
                    let kind = xml.required(&element, "type")?;
                    record = Some(Record { kind, ..Record::default() });
                }
                (Item::Open(element), Some(record)) => match element.name() {
                    "location" => record.location = xml.required(&element, "href")?,
                    "checksum" | "open-checksum" => {
                        let algorithm = xml.required(&element, "type")?;
                        let checksum = Some(Checksum { algorithm, hex: String::new() });
                        let into = match element.name() {
                            "checksum" => &mut record.checksum,
                            _ => &mut record.open_checksum,
                        };
                        *into = checksum;
                    }
                    _ => {}
                },
                (Item::Close(name), Some(found)) => match name.as_str() {
                    "data" => {
                        if found.location.is_empty() {
                            let what = format_args!("<data type=\"{}\">", found.kind);
                            return Err(xml.broken(what, "a <location>", "none"));
                        }
                        repomd.records.extend(record.take());
                    }
                    "checksum" => {
                        found.checksum.iter_mut().for_each(|sum| sum.hex = xml.take_text());
                    }
                    "open-checksum" => {
                        found.open_checksum.iter_mut().for_each(|sum| sum.hex = xml.take_text());
                    }
                    "size" => found.size = number(&mut xml, &found.kind, "size")?,
                    "open-size" => found.open_size = number(&mut xml, &found.kind, "open-size")?,
                    _ => {}
                },
                (Item::Close(name), None) if name == "revision" => {
                    repomd.revision = xml.take_text();
                }
                (Item::End, _) => return Ok(repomd),
                _ => {}
            }
        }
    }

    /// The file of a kind.
    pub fn record(&self, kind: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.kind == kind)
    }
}

fn number<R: Read>(xml: &mut Xml<R>, kind: &str, field: &str) -> Result<Option<u64>, Error> {
    let text = xml.take_text();
    let number = text.parse().map_err(|_| {
        let what = format_args!("<data type=\"{kind}\">: <{field}>");
        xml.broken(what, "a number", format_args!("`{text}`"))
    })?;
    Ok(Some(number))
}
