//! zchunk: chunks that are compressed one by one, so that a client can fetch those it lacks. Here they are all read, in
//! their order.
//!
//! See <https://github.com/zchunk/zchunk/blob/main/zchunk_format.txt>. The digests of chunks are not checked: `repomd.xml`
//! has one for the whole file.

use std::io::{self, Read};

use ruzstd::decoding::{BlockDecodingStrategy, Dictionary, FrameDecoder};

use crate::error::{Error, broken};

/// What a file starts with.
pub(super) const MAGIC: &[u8] = b"\0ZCK1";
/// Bytes that one chunk may have, compressed or not; `zck` makes them of some ten KiB.
const MAX_CHUNK: usize = 64 << 20;
/// Bytes that the header may have.
const MAX_HEADER: usize = 64 << 20;

/// A stream that decompresses another.
pub(super) struct Zchunk<R> {
    source: R,
    decoder: Option<FrameDecoder>,
    /// The dictionary's number, for frames that do not name theirs.
    dictionary: Option<u32>,
    /// Compressed and decompressed bytes of the chunks that are left, the last first.
    chunks: Vec<[usize; 2]>,
    /// The current chunk, and how much of it has been read.
    data: Vec<u8>,
    at: usize,
}

impl<R: Read> Zchunk<R> {
    /// Reads the header and the dictionary.
    pub(super) fn new(mut source: R) -> Result<Self, Error> {
        let header = Header::read(&mut source)?;
        let mut chunks = header.chunks;
        chunks.reverse();
        let decoder = match header.compression {
            0 => None,
            2 => Some(FrameDecoder::new()),
            _ => return Err(Error::Unsupported("zchunk with another compressor than zstd")),
        };
        let mut zchunk =
            Self { source, decoder, dictionary: None, chunks, data: Vec::new(), at: 0 };
        // The first chunk is the dictionary.
        let failed = |error| broken(0, "zchunk dictionary", "a chunk", error);
        if zchunk.next_chunk().map_err(failed)? && !zchunk.data.is_empty() {
            let dictionary = Dictionary::decode_dict(&zchunk.data)
                .map_err(|error| broken(0, "zchunk dictionary", "a zstd dictionary", error))?;
            zchunk.dictionary = Some(dictionary.id);
            if let Some(decoder) = &mut zchunk.decoder {
                let added = decoder.add_dict(dictionary);
                added
                    .map_err(|error| broken(0, "zchunk dictionary", "a zstd dictionary", error))?;
            }
        }
        zchunk.data.clear();
        Ok(zchunk)
    }

    /// Decompresses the next chunk into `data`; `false` at the end.
    fn next_chunk(&mut self) -> io::Result<bool> {
        let Some([packed, unpacked]) = self.chunks.pop() else { return Ok(false) };
        self.data.clear();
        self.at = 0;
        let mut bytes = Vec::new();
        self.source.by_ref().take(packed as u64).read_to_end(&mut bytes)?;
        if bytes.len() < packed {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(decoder) = &mut self.decoder else {
            self.data = bytes;
            return Ok(true);
        };
        if packed == 0 {
            return Ok(true);
        }
        let mut input = bytes.as_slice();
        decoder.init(&mut input).map_err(io::Error::other)?;
        if let Some(id) = self.dictionary {
            decoder.force_dict(id).map_err(io::Error::other)?;
        }
        // Not all at once: a few bytes may stand for very many.
        let limit = BlockDecodingStrategy::UptoBytes(unpacked.saturating_add(1));
        let finished = decoder.decode_blocks(&mut input, limit).map_err(io::Error::other)?;
        self.data = decoder.collect().unwrap_or_default();
        if !finished || self.data.len() != unpacked {
            return Err(io::Error::other("a chunk of another size than its header says"));
        }
        Ok(true)
    }
}

impl<R: Read> Read for Zchunk<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut left = self.data.get(self.at..).unwrap_or_default();
            let read = left.read(into)?;
            self.at = self.at.saturating_add(read);
            if read > 0 || into.is_empty() || !self.next_chunk()? {
                return Ok(read);
            }
        }
    }
}

struct Header {
    compression: usize,
    chunks: Vec<[usize; 2]>,
}

impl Header {
    fn read(source: &mut impl Read) -> Result<Self, Error> {
        let failed = |error: io::Error| broken(0, "zchunk header", "a header", error);
        let mut lead = [0; MAGIC.len()];
        source.read_exact(&mut lead).map_err(failed)?;
        let digest = digest_size(integer(source).map_err(failed)?)?;
        let size = integer(source).map_err(failed)?;
        if size > MAX_HEADER {
            return Err(broken(
                0,
                "zchunk header",
                format_args!("at most {MAX_HEADER} bytes"),
                size,
            ));
        }
        skip(source, digest).map_err(failed)?;
        let mut bytes = Vec::new();
        source.take(size as u64).read_to_end(&mut bytes).map_err(failed)?;
        let mut rest = bytes.as_slice();
        let header = &mut rest;
        skip(header, digest).map_err(failed)?;
        let flags = integer(header).map_err(failed)?;
        let compression = integer(header).map_err(failed)?;
        if flags & 2 != 0 {
            for _ in 0..integer(header).map_err(failed)? {
                integer(header).map_err(failed)?;
                let length = integer(header).map_err(failed)?;
                skip(header, length).map_err(failed)?;
            }
        }
        let index = integer(header).map_err(failed)?;
        let (mut index, _) = header.split_at_checked(index).ok_or_else(|| {
            broken(0, "zchunk header", format_args!("{index} bytes of index"), header.len())
        })?;
        let index = &mut index;
        let digest = digest_size(integer(index).map_err(failed)?)?;
        integer(index).map_err(failed)?;
        let mut chunks = Vec::new();
        while !index.is_empty() {
            if flags & 1 != 0 {
                integer(index).map_err(failed)?;
            }
            skip(index, digest).map_err(failed)?;
            if flags & 4 != 0 {
                skip(index, digest).map_err(failed)?;
            }
            let chunk = [integer(index).map_err(failed)?, integer(index).map_err(failed)?];
            if chunk.iter().any(|size| *size > MAX_CHUNK) {
                let expected = format_args!("at most {MAX_CHUNK} bytes");
                return Err(broken(0, "zchunk chunk", expected, chunk[0].max(chunk[1])));
            }
            chunks.push(chunk);
        }
        Ok(Self { compression, chunks })
    }
}

/// Bytes of a digest of the type that a header names.
fn digest_size(kind: usize) -> Result<usize, Error> {
    match kind {
        0 => Ok(20),
        1 => Ok(32),
        2 => Ok(64),
        3 => Ok(16),
        _ => Err(Error::Unsupported("zchunk with an unknown digest")),
    }
}

/// An integer of seven bits a byte, the lowest first; the last byte has the eighth bit.
fn integer(source: &mut impl Read) -> io::Result<usize> {
    let mut value = 0_usize;
    for shift in (0..usize::BITS).step_by(7) {
        let mut byte = [0];
        source.read_exact(&mut byte)?;
        value |= usize::from(byte[0] & 0x7F) << shift;
        if byte[0] & 0x80 != 0 {
            return Ok(value);
        }
    }
    Err(io::Error::other("an integer without an end"))
}

fn skip(source: &mut impl Read, length: usize) -> io::Result<()> {
    let skipped = io::copy(&mut source.take(length as u64), &mut io::sink())?;
    if skipped == length as u64 { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
