//! Reading: columns, of which nothing is believed before it was looked at.

use std::io::Read as _;

use flate2::read::DeflateDecoder;
use rpm::repodata::Checksum;
use rpm::{Dependency, Sense};

use super::{
    BadIndex, HEAD, Index, Lengths, MAGIC, MAX_CONTENT, Origin, Origins, RICH, TextTable,
    usual_location,
};

/// A section that is being read.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    tag: u8,
}

/// The lengths of the parts of a file.
pub(super) fn lengths(file: &[u8]) -> Result<[u64; 3], BadIndex> {
    let rest = file
        .strip_prefix(MAGIC)
        .ok_or(BadIndex { section: 0, what: "it does not start as an index of version 3 does" })?;
    let (lengths, _) = rest.as_chunks::<4>();
    let [a, b, c, ..] = lengths else {
        return Err(BadIndex { section: 0, what: "it ends early" });
    };
    Ok([a, b, c].map(|bytes| u64::from(u32::from_le_bytes(*bytes))))
}

impl<'a> Reader<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest, tag: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn bad(&self, what: &'static str) -> BadIndex {
        BadIndex { section: self.tag, what }
    }

    pub(super) fn number(&mut self) -> Result<u64, BadIndex> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or_else(|| self.bad("it ends early"))?;
            self.rest = rest;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.bad("a number is too long"))
    }

    /// A number below a limit.
    pub(super) fn below(&mut self, limit: usize) -> Result<u32, BadIndex> {
        let number = self.number()?;
        match u32::try_from(number) {
            Ok(small) if number < limit as u64 => Ok(small),
            _ => Err(self.bad("a number is too large")),
        }
    }

    /// A number below a limit, as a difference to the one before.
    pub(super) fn difference(&mut self, last: &mut u32, limit: usize) -> Result<u32, BadIndex> {
        let coded = self.number()?;
        let difference = (coded >> 1) as i64 ^ -((coded & 1) as i64);
        let number = i64::from(*last).checked_add(difference);
        let number = number.and_then(|number| u32::try_from(number).ok());
        *last = number
            .filter(|number| (*number as usize) < limit)
            .ok_or_else(|| self.bad("a difference leads out of the table"))?;
        Ok(*last)
    }

    /// How many things follow. Each takes a byte at least, so no more than there are bytes.
    pub(super) fn count(&mut self) -> Result<usize, BadIndex> {
        let limit = self.rest.len() + 1;
        Ok(self.below(limit)? as usize)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], BadIndex> {
        let (bytes, rest) =
            self.rest.split_at_checked(length).ok_or_else(|| self.bad("it ends early"))?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// Decompresses the sections of a file, which must be there in this order. What follows them comes back as well.
///
/// # Errors
/// A section is missing or broken.
pub fn read_sections<'a>(
    file: &'a [u8],
    tags: &'static [u8],
) -> Result<(Vec<Vec<u8>>, &'a [u8]), BadIndex> {
    let mut reader = Reader::new(file);
    let sections = sections(&mut reader, tags)?;
    Ok((sections.into_iter().map(|(_, content)| content).collect(), reader.rest))
}

/// Decompresses sections that come next.
pub(super) fn sections<'a>(
    rest: &mut Reader<'a>,
    tags: &'static [u8],
) -> Result<Vec<(u8, Vec<u8>)>, BadIndex> {
    let mut sections = Vec::new();
    let mut left = MAX_CONTENT;
    for tag in tags.iter().copied() {
        if rest.bytes(1)? != [tag] {
            return Err(BadIndex { section: tag, what: "it is not where it belongs" });
        }
        let (length, packed) = (rest.number()?, rest.number()?);
        left = left
            .checked_sub(length)
            .ok_or(BadIndex { section: tag, what: "it is larger than any index" })?;
        let packed: &'a [u8] = rest.bytes(usize::try_from(packed).unwrap_or(usize::MAX))?;
        // Deflate packs no more than 1,032 bytes into one.
        let most = packed.len().saturating_mul(1032);
        let mut content =
            Vec::with_capacity(usize::try_from(length).map_or(most, |it| it.min(most)) + 1);
        let decoded = DeflateDecoder::new(packed).take(length + 1).read_to_end(&mut content);
        if decoded.is_err() || content.len() as u64 != length {
            return Err(BadIndex { section: tag, what: "it does not decompress to its length" });
        }
        sections.push((tag, content));
    }
    Ok(sections)
}

/// The section that comes next.
pub(super) fn next<'a>(
    sections: &mut impl Iterator<Item = &'a (u8, Vec<u8>)>,
) -> Result<Reader<'a>, BadIndex> {
    let (tag, content) =
        sections.next().ok_or(BadIndex { section: 0, what: "a section is missing" })?;
    Ok(Reader { rest: content, tag: *tag })
}

impl Index {
    /// Reads an index; what follows [`Parts::packages`](super::Parts) does not matter.
    ///
    /// # Errors
    /// It is none, or broken.
    pub fn read(file: &[u8]) -> Result<Self, BadIndex> {
        let [choosing, fetching, _] = lengths(file)?.map(|length| length as usize);
        let mut parts = Reader::new(&file[HEAD..]);
        let mut rest = Reader::new(parts.bytes(choosing)?);
        let origins = parts.bytes(fetching)?.to_vec();
        let decoded = sections(&mut rest, b"SDPFGU")?;
        let mut sections = decoded.iter();
        let mut index = Self {
            texts: read_texts(&mut next(&mut sections)?)?,
            dependencies: Vec::new(),
            packages: Vec::new(),
            lists: Default::default(),
            paths: Lengths::default(),
            groups: String::new(),
            repository: String::new(),
            origins,
        };
        index.read_dependencies(&mut next(&mut sections)?)?;
        index.read_packages(&mut next(&mut sections)?)?;
        index.read_paths(&mut next(&mut sections)?)?;
        for text in [&mut index.groups, &mut index.repository] {
            let section = next(&mut sections)?;
            let found = String::from_utf8(section.rest.to_vec());
            *text = found.map_err(|_| section.bad("it is not text"))?;
        }
        Ok(index)
    }

    fn read_dependencies(&mut self, reader: &mut Reader<'_>) -> Result<(), BadIndex> {
        let limit = self.texts.ends.len();
        let mut name = 0_u64;
        let count = reader.count()?;
        self.dependencies.reserve(count.min(1 << 20));
        for _ in 0..count {
            name = name.saturating_add(reader.number()?);
            if name >= limit as u64 {
                return Err(reader.bad("a name is not in the table"));
            }
            let sense = reader.number()?;
            let evr = match sense {
                0 | RICH => 0,
                1..=7 => reader.below(limit)?,
                _ => return Err(reader.bad("a sense is unknown")),
            };
            self.dependencies.push((name as u32, sense as u8, evr));
        }
        Ok(())
    }

    fn read_packages(&mut self, reader: &mut Reader<'_>) -> Result<(), BadIndex> {
        let (texts, dependencies) = (self.texts.ends.len(), self.dependencies.len());
        let count = reader.count()?;
        let mut last = 0;
        for _ in 0..count {
            self.packages.push([reader.difference(&mut last, texts)?, 0, 0]);
        }
        for package in &mut self.packages {
            package[1] = reader.below(texts)?;
        }
        for package in &mut self.packages {
            package[2] = reader.below(texts)?;
        }
        for list in &mut self.lists {
            for _ in 0..count {
                list.lengths.push(reader.below(reader.rest.len() + 1)?);
            }
            let total: usize = list.lengths.iter().map(|length| *length as usize).sum();
            // Each takes a byte at least.
            list.all.reserve(total.min(reader.rest.len()));
            for length in &list.lengths {
                let mut last = 0;
                for _ in 0..*length {
                    list.all.push(reader.difference(&mut last, dependencies)?);
                }
            }
        }
        Ok(())
    }

    fn read_paths(&mut self, reader: &mut Reader<'_>) -> Result<(), BadIndex> {
        let mut last = 0;
        for _ in 0..self.packages.len() {
            let length = reader.below(reader.rest.len() + 1)?;
            self.paths.lengths.push(length);
            for _ in 0..length {
                self.paths.all.push(reader.difference(&mut last, self.texts.ends.len())?);
            }
        }
        Ok(())
    }

    /// How many packages there are.
    pub fn len(&self) -> usize {
        self.packages.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// A dependency by its number.
    pub(crate) fn dependency(&self, number: usize) -> Dependency {
        let (name, sense, evr) = self.dependencies[number];
        let sense = if u64::from(sense) == RICH { Sense::ANY } else { Sense::from_bits(sense) };
        let text = |number| self.texts.get(number).to_owned();
        Dependency { name: text(name), sense, evr: text(evr) }
    }

    /// `name`, `[epoch:]version-release` and architecture of all packages.
    pub fn nevras(&self) -> impl Iterator<Item = [&str; 3]> {
        self.packages.iter().map(|parts| parts.map(|text| self.texts.get(text)))
    }

    /// What the index says of groups, as it was given to [`super::write()`].
    pub fn groups(&self) -> &str {
        &self.groups
    }

    /// The repository that its packages are fetched from, as a section of a `.repo` file; empty if they lie beside it.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// What its packages provide: name, how the version is meant, `[epoch:]version-release`.
    pub fn provides(&self) -> impl Iterator<Item = (&str, Sense, &str)> {
        let [provides, ..] = &self.lists;
        provides.all.iter().map(|number| {
            let (name, sense, evr) = self.dependencies[*number as usize];
            let sense = if u64::from(sense) == RICH { Sense::ANY } else { Sense::from_bits(sense) };
            (self.texts.get(name), sense, self.texts.get(evr))
        })
    }

    /// Names of everything that its packages provide, require, conflict with and so on.
    pub fn dependency_names(&self) -> impl Iterator<Item = &str> {
        self.dependencies.iter().map(|(name, _, _)| self.texts.get(*name))
    }

    /// Paths that its packages have: of repositories those that others may require, of bases all.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.all.iter().map(|path| self.texts.get(*path))
    }

    /// Where the packages are; read when it is asked for.
    ///
    /// # Errors
    /// That part of the index is broken.
    pub fn origins(&self) -> Result<Origins, BadIndex> {
        let mut rest = Reader::new(&self.origins);
        let decoded = sections(&mut rest, b"TOH")?;
        let mut sections = decoded.iter();
        let mut origins = Origins {
            texts: read_texts(&mut next(&mut sections)?)?,
            locations: Vec::new(),
            sizes: Vec::new(),
            summaries: Vec::new(),
            algorithm: 0,
            digest_size: 0,
            digests: Vec::new(),
        };
        origins.read_origins(&mut next(&mut sections)?, self.len())?;
        origins.read_digests(&mut next(&mut sections)?, self.len())?;
        Ok(origins)
    }
}

impl Origins {
    fn read_origins(&mut self, reader: &mut Reader<'_>, count: usize) -> Result<(), BadIndex> {
        let texts = self.texts.ends.len();
        for _ in 0..count {
            self.locations.push(match reader.number()? {
                0 => None,
                1 => Some(reader.below(texts)?),
                _ => return Err(reader.bad("a kind of place is unknown")),
            });
        }
        for _ in 0..count {
            self.sizes.push([reader.number()?, reader.number()?]);
        }
        for _ in 0..count {
            self.summaries.push(reader.below(texts)?);
        }
        Ok(())
    }

    fn read_digests(&mut self, reader: &mut Reader<'_>, count: usize) -> Result<(), BadIndex> {
        self.algorithm = reader.below(self.texts.ends.len())?;
        self.digest_size = reader.below(129)? as usize;
        self.digests = reader.bytes(self.digest_size * count)?.to_vec();
        Ok(())
    }

    /// One line about a package, by its place in the index.
    pub fn summary(&self, at: usize) -> Option<&str> {
        Some(self.texts.get(*self.summaries.get(at)?))
    }

    /// Where a package is, by its place in the index.
    pub fn get(&self, index: &Index, at: usize) -> Option<Origin> {
        let [name, evr, arch] = index.packages.get(at)?.map(|text| index.texts.get(text));
        let location = match (*self.locations.get(at)?).map(|text| self.texts.get(text)) {
            Some(text) => text.to_owned(),
            None => usual_location(name, evr, arch),
        };
        let digest = self.digests.get(at * self.digest_size..(at + 1) * self.digest_size)?;
        let hex = rpm::hex(digest);
        let [size, installed_size] = self.sizes[at];
        Some(Origin {
            location,
            checksum: Checksum { algorithm: self.texts.get(self.algorithm).to_owned(), hex },
            size,
            installed_size,
            summary: self.summary(at)?.to_owned(),
        })
    }
}

fn read_texts(reader: &mut Reader<'_>) -> Result<TextTable, BadIndex> {
    let count = reader.count()?;
    let mut table = TextTable::default();
    table.ends.reserve(count);
    table.text.reserve(2 * reader.rest.len());
    let mut last = 0;
    for at in 0..count {
        let start = table.text.len();
        let shared = reader.below(start - last + 1)? as usize;
        let length = reader.count()?;
        let bytes = reader.bytes(length)?;
        let (true, Ok(end)) =
            (table.text.is_char_boundary(last + shared), std::str::from_utf8(bytes))
        else {
            return Err(reader.bad("a text is not UTF-8"));
        };
        // What texts share is written once; what they come to must stay within bounds all the same.
        if (start + shared + length) as u64 > MAX_CONTENT {
            return Err(reader.bad("its texts are larger than any index"));
        }
        table.text.extend_from_within(last..last + shared);
        table.text.push_str(end);
        if at > 0 && table.text[last..start] >= table.text[start..] {
            return Err(reader.bad("its texts are not in order"));
        }
        table.ends.push(table.text.len());
        last = start;
    }
    if table.ends.first() != Some(&0) {
        return Err(reader.bad("its first text is not empty"));
    }
    Ok(table)
}
