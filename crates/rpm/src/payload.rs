//! The content of a package's files: a cpio archive, compressed.
//!
//! Everything that has a digest is checked on the way: each file when its last byte has been read, payload and package
//! when the archive has ended.

mod cpio;
mod whole;

use std::io::{BufRead as _, BufReader, Read};
use std::rc::Rc;

use crate::compression::Decoder;
use crate::digest::{self, Check, Digests, Sum, differ};
use crate::error::{Error, corrupt};
use crate::package::{File, Headers, Package};
use crate::source::Source;
use crate::tag;
use whole::Whole;

/// Reads a package from its first byte to its last.
pub struct Payload<R: Read> {
    package: Package,
    source: Source<R>,
    decoder: Option<Decoder<BufReader<Source<R>>>>,
    compressor: String,
    whole: Whole,
    /// The host's own digests, if it has them.
    digests: Option<Rc<dyn Digests>>,
    /// What the host has yet to tell.
    checks: Vec<Check>,
    /// Indexes of files in the order of their paths.
    by_path: Vec<usize>,
    /// Bytes of the archive so far.
    at: u64,
    /// The member whose content is being read.
    current: Option<Current>,
    done: bool,
}

/// A member of the archive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Member {
    /// Index of its file in [`Package::files`].
    pub file: usize,
    /// Bytes of content that [`Payload::read`] will give. Of a file with several names only the last has content.
    pub size: u64,
}

struct Current {
    file: usize,
    left: u64,
    sum: Option<Sum>,
    /// A link's target, to be held against the header.
    target: Option<Vec<u8>>,
}

impl<R: Read> std::fmt::Debug for Payload<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payload").field("package", &self.package.nevra()).finish_non_exhaustive()
    }
}

impl<R: Read> Payload<R> {
    /// Reads the headers of a package; its payload follows on demand.
    ///
    /// # Errors
    /// As [`Package::read`], and a payload that is not a cpio archive.
    pub fn open(source: R) -> Result<Self, Error> {
        Self::begin(source, None, None)
    }

    /// As [`Payload::open`], of what is taken for a package that was read before: if it has the same header, the list of
    /// its files is not made again. Else [`Payload::package`] tells which one it is. With digests of the host, what it
    /// computes is for the caller to check ([`Payload::checks`]).
    ///
    /// # Errors
    /// As [`Payload::open`].
    pub fn reopen(
        source: R,
        known: Package,
        digests: Option<Rc<dyn Digests>>,
    ) -> Result<Self, Error> {
        Self::begin(source, Some(known), digests)
    }

    fn begin(
        source: R,
        known: Option<Package>,
        digests: Option<Rc<dyn Digests>>,
    ) -> Result<Self, Error> {
        let mut source = Source::new(source);
        let headers = Headers::read(&mut source)?;
        let package = Package::from_headers(&headers, known)?;
        let format = headers.header.text(tag::PAYLOADFORMAT)?.unwrap_or_default();
        if !matches!(format.as_str(), "" | "cpio") {
            return Err(Error::Unsupported("a payload that is not a cpio archive"));
        }
        let compressor = headers.header.text(tag::PAYLOADCOMPRESSOR)?.unwrap_or_default();
        let whole = Whole::new(&headers, &source, digests.as_deref())?;
        let mut by_path: Vec<usize> = (0..package.files.len()).collect();
        by_path.sort_by_key(|index| path(&package.files, *index));
        Ok(Self {
            package,
            source,
            decoder: None,
            compressor,
            whole,
            digests,
            checks: Vec::new(),
            by_path,
            at: 0,
            current: None,
            done: false,
        })
    }

    /// What the package says of itself.
    pub fn package(&self) -> &Package {
        &self.package
    }

    /// Bytes of the package read so far.
    pub fn position(&self) -> u64 {
        self.source.at()
    }

    /// What the host has yet to tell of all that was read since the last call.
    pub fn checks(&mut self) -> Vec<Check> {
        std::mem::take(&mut self.checks)
    }

    /// The next member, or `None` at the end. What is left of the current one is read and checked first.
    ///
    /// # Errors
    /// The payload does not decode, does not match the header, or a digest is wrong.
    pub fn next_member(&mut self) -> Result<Option<Member>, Error> {
        let mut rest = [0; 8192];
        while self.read(&mut rest)? > 0 {}
        if self.done {
            return Ok(None);
        }
        let Some(entry) = self.read_entry()? else {
            self.done = true;
            self.finish()?;
            return Ok(None);
        };
        let member = self.enter(entry)?;
        Ok(Some(member))
    }

    /// Fills `into` with content of the current member; 0 at its end, when its digest has been checked.
    ///
    /// # Errors
    /// As [`Payload::next_member`].
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let Some(mut current) = self.current.take() else { return Ok(0) };
        if into.is_empty() {
            self.current = Some(current);
            return Ok(0);
        }
        let want = usize::try_from(current.left).unwrap_or(usize::MAX).min(into.len());
        let into = into.get_mut(..want).unwrap_or_default();
        if into.is_empty() {
            self.end(current)?;
            return Ok(0);
        }
        self.read_exact(into)?;
        if let Some(sum) = &mut current.sum {
            sum.update(into);
        }
        if let Some(target) = &mut current.target {
            target.extend_from_slice(into);
        }
        current.left = current.left.saturating_sub(into.len() as u64);
        if current.left == 0 {
            self.end(current)?;
        } else {
            self.current = Some(current);
        }
        Ok(want)
    }

    /// Matches a member with its file and prepares to read it.
    fn enter(&mut self, entry: cpio::Entry) -> Result<Member, Error> {
        let (index, size) = match entry {
            cpio::Entry::Named { path: found, size } => {
                let Some(index) = self.find(&found) else {
                    let found = String::from_utf8_lossy(&found).into_owned();
                    return Err(self.wrong("member of the payload", "a file of the header", found));
                };
                (index, Some(size))
            }
            cpio::Entry::Indexed(index) => (usize::try_from(index).unwrap_or(usize::MAX), None),
        };
        let Some(file) = self.package.files.get(index) else {
            let expected = format!("less than {}", self.package.files.len());
            return Err(self.wrong("file index of a payload member", expected, index));
        };
        let expected = content_size(file, index);
        let size = size.unwrap_or(expected);
        // Old packages carry the content of hard links with another of the names than the last.
        let fits =
            size == expected || file.hard_links.is_some() && (size == 0 || size == file.size);
        if !fits {
            let what = format!("size of {} in the payload", file.display());
            return Err(self.wrong(&what, expected, size));
        }
        let sum = (file.is_file() && size == file.size && !file.digest.is_empty())
            .then(|| Sum::new(self.digests.as_deref(), file.digest_algorithm, size))
            .flatten();
        let target = file.is_symlink().then(Vec::new);
        let current = Current { file: index, left: size, sum, target };
        if size == 0 && file.hard_links.is_none() {
            self.end(current)?;
        } else if size > 0 {
            self.current = Some(current);
        }
        Ok(Member { file: index, size })
    }

    /// The file of a path; of several, the last.
    fn find(&self, found: &[u8]) -> Option<usize> {
        let files = &self.package.files;
        let behind = self.by_path.partition_point(|index| path(files, *index) <= found);
        let index = *self.by_path.get(behind.checked_sub(1)?)?;
        (path(files, index) == found).then_some(index)
    }

    /// Checks a member whose content has been read, and skips the padding behind it.
    fn end(&mut self, current: Current) -> Result<(), Error> {
        self.align()?;
        let Some(file) = self.package.files.get(current.file) else { return Ok(()) };
        if let Some(sum) = current.sum {
            let what = || format!("digest of {}", file.display());
            self.checks.extend(sum.verify(&file.digest, self.source.at(), what)?);
        }
        if let Some(target) = current.target
            && *target != *file.link_target
        {
            let what = format!("target of {}", file.display());
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            return Err(self.wrong(&what, text(&file.link_target), text(&target)));
        }
        Ok(())
    }

    /// Holds the whole payload against its digest and size.
    fn finish(&mut self) -> Result<(), Error> {
        self.source.drain()?;
        let end = self.source.at();
        if let Some(expected) = self.whole.size {
            let found =
                end.saturating_sub(self.package.payload_at).saturating_add(self.whole.header_size);
            if found != expected {
                return Err(self.wrong("size of header and payload", expected, found));
            }
        }
        if let Some((name, expected)) = &self.whole.digest {
            let sum = self.source.take_sum().ok_or_else(|| differ(end, name, expected, &[]))?;
            self.checks.extend(sum.verify(expected, end, || (*name).to_owned())?);
        }
        Ok(())
    }

    /// Fills `into` from the archive.
    fn read_exact(&mut self, into: &mut [u8]) -> Result<(), Error> {
        if self.decoder.is_none() {
            self.decoder = Some(open_payload(&self.source, &self.compressor)?);
        }
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let expected = decoder.name();
        match decoder.read_exact(into) {
            Ok(()) => {
                self.at = self.at.saturating_add(into.len() as u64);
                Ok(())
            }
            Err(error) => Err(self.source.error("payload", expected, &error)),
        }
    }

    /// Skips to the next multiple of four bytes of the archive.
    fn align(&mut self) -> Result<(), Error> {
        let padding = self.at.next_multiple_of(4).saturating_sub(self.at);
        let mut skipped = [0; 4];
        let skipped = skipped.get_mut(..usize::try_from(padding).unwrap_or_default());
        self.read_exact(skipped.unwrap_or_default())
    }

    fn wrong(
        &self,
        what: &str,
        expected: impl std::fmt::Display,
        found: impl std::fmt::Display,
    ) -> Error {
        corrupt(self.source.at(), what, expected, found)
    }
}

/// A decoder for what the payload starts with. The header's tag may lie or be missing; it decides only for lzma, which
/// has no magic.
fn open_payload<R: Read>(
    source: &Source<R>,
    compressor: &str,
) -> Result<Decoder<BufReader<Source<R>>>, Error> {
    let failed = |error: &std::io::Error| source.error("payload", "readable bytes", error);
    let reader = BufReader::with_capacity(64 << 10, source.clone());
    let mut reader = match Decoder::by_magic(reader).map_err(|error| failed(&error))? {
        Decoder::None(reader) => reader,
        decoder => return Ok(decoder),
    };
    match reader.fill_buf().map_err(|error| failed(&error))? {
        [b'0', b'7', b'0', b'7', ..] => Ok(Decoder::None(reader)),
        _ if compressor == "lzma" => {
            Decoder::lzma(reader).map_err(|error| source.error("payload", "lzma", &error))
        }
        found => {
            let found = digest::hex(found.get(..found.len().min(6)).unwrap_or_default());
            let found = if found.is_empty() { "the end of the package" } else { &found };
            let expected = "zstd, xz, gzip, bzip2, lzma or cpio";
            Err(corrupt(source.at(), "start of the payload", expected, found))
        }
    }
}

/// The path of a file; empty where there is none of that index.
fn path(files: &[File], index: usize) -> &[u8] {
    files.get(index).map_or(&[], |file| &file.path)
}

/// Bytes of content that the archive has for a file.
fn content_size(file: &File, index: usize) -> u64 {
    if file.is_file() {
        let elsewhere = file.hard_links.is_some_and(|links| links.last != index);
        if elsewhere { 0 } else { file.size }
    } else if file.is_symlink() {
        file.link_target.len() as u64
    } else {
        0
    }
}
