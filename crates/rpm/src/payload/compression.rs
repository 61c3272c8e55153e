//! The compressors of payloads, all in pure Rust, so that the same code runs in a browser.

use std::io::{self, BufRead as _, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::{LzmaReader, XzReader};
use ruzstd::decoding::StreamingDecoder;

use crate::error::Error;
use crate::source::Source;

/// Memory that a payload's dictionary may take, in KiB. `xz -9`, the most that rpm uses, wants 64 MiB.
const DICTIONARY_KIB: u32 = 192 << 10;
/// Bytes that a zstd window may take; `zstd --ultra -22` wants 128 MiB.
const ZSTD_WINDOW: u64 = 128 << 20;

/// A stream that decompresses another.
pub(super) enum Decoder<R: Read> {
    None(BufReader<Source<R>>),
    Gzip(Box<MultiGzDecoder<BufReader<Source<R>>>>),
    Bzip2(MultiBzDecoder<BufReader<Source<R>>>),
    Xz(Box<XzReader<BufReader<Source<R>>>>),
    Lzma(Box<LzmaReader<BufReader<Source<R>>>>),
    Zstd(Zstd<R>),
}

impl<R: Read> Decoder<R> {
    /// A decoder for what the stream starts with. The header's tag may lie or be missing; it decides only for lzma,
    /// which has no magic.
    pub(super) fn new(source: &Source<R>, compressor: &str) -> Result<Self, Error> {
        let mut reader = BufReader::with_capacity(64 << 10, source.clone());
        let start =
            reader.fill_buf().map_err(|error| source.error("payload", "readable bytes", &error))?;
        let failed = |error: &io::Error| source.error("payload", compressor, error);
        Ok(match start {
            [0x1F, 0x8B, ..] => Self::Gzip(Box::new(MultiGzDecoder::new(reader))),
            [b'B', b'Z', b'h', ..] => Self::Bzip2(MultiBzDecoder::new(reader)),
            [0xFD, b'7', b'z', b'X', b'Z', ..] => {
                Self::Xz(Box::new(XzReader::new_mem_limit(reader, true, DICTIONARY_KIB)))
            }
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => {
                Self::Zstd(Zstd { reader: Some(reader), frame: None })
            }
            [b'0', b'7', b'0', b'7', ..] => Self::None(reader),
            _ if compressor == "lzma" => {
                let decoder = LzmaReader::new_mem_limit(reader, DICTIONARY_KIB, None);
                Self::Lzma(Box::new(decoder.map_err(|error| failed(&error))?))
            }
            found => {
                let found = crate::digest::hex(found.get(..found.len().min(6)).unwrap_or_default());
                let found =
                    if found.is_empty() { "the end of the package".to_owned() } else { found };
                let expected = "zstd, xz, gzip, bzip2, lzma or cpio";
                return Err(crate::error::corrupt(
                    source.at(),
                    "start of the payload",
                    expected,
                    found,
                ));
            }
        })
    }

    /// What the stream should be, for messages.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::None(_) => "cpio data",
            Self::Gzip(_) => "gzip data",
            Self::Bzip2(_) => "bzip2 data",
            Self::Xz(_) => "xz data",
            Self::Lzma(_) => "lzma data",
            Self::Zstd(_) => "zstd data",
        }
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::None(decoder) => decoder.read(into),
            Self::Gzip(decoder) => decoder.read(into),
            Self::Bzip2(decoder) => decoder.read(into),
            Self::Xz(decoder) => decoder.read(into),
            Self::Lzma(decoder) => decoder.read(into),
            Self::Zstd(decoder) => decoder.read(into),
        }
    }
}

/// Zstandard frames one after the other; the decoder below knows one.
pub(super) struct Zstd<R: Read> {
    reader: Option<BufReader<Source<R>>>,
    frame: Option<Box<Frame<R>>>,
}

type Frame<R> = StreamingDecoder<BufReader<Source<R>>, ruzstd::decoding::FrameDecoder>;

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None => match self.next_frame()? {
                    Some(frame) => frame,
                    None => return Ok(0),
                },
            };
            let read = frame.read(into)?;
            if read > 0 || into.is_empty() {
                self.frame = Some(frame);
                return Ok(read);
            }
            self.reader = Some(frame.into_inner());
        }
    }
}

impl<R: Read> Zstd<R> {
    /// Starts the next frame that holds data, or `None` at the end of the stream.
    fn next_frame(&mut self) -> io::Result<Option<Box<Frame<R>>>> {
        let Some(mut reader) = self.reader.take() else { return Ok(None) };
        loop {
            let start = reader.fill_buf()?;
            if start.is_empty() {
                return Ok(None);
            }
            if let [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] = start {
                let mut head = [0; 8];
                reader.read_exact(&mut head)?;
                let [_, _, _, _, length @ ..] = head;
                let length = u64::from(u32::from_le_bytes(length));
                io::copy(&mut Read::take(&mut reader, length), &mut io::sink())?;
                continue;
            }
            let decoder = StreamingDecoder::new_with_max_window_size(reader, ZSTD_WINDOW);
            return decoder.map(Box::new).map(Some).map_err(io::Error::other);
        }
    }
}
