//! The compressors of payloads and metadata, all in pure Rust, so that the same code runs in a browser.

use std::io::{self, BufRead, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::{LzmaReader, XzReader};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// Memory that a dictionary may take, in KiB. `xz -9`, the most that rpm uses, wants 64 MiB.
const DICTIONARY_KIB: u32 = 192 << 10;
/// Bytes that a zstd window may take; `zstd --ultra -22` wants 128 MiB.
const ZSTD_WINDOW: u64 = 128 << 20;

/// A stream that decompresses another.
pub(crate) enum Decoder<B: BufRead> {
    None(B),
    Gzip(Box<MultiGzDecoder<B>>),
    Bzip2(MultiBzDecoder<B>),
    Xz(Box<XzReader<B>>),
    Lzma(Box<LzmaReader<B>>),
    Zstd(Zstd<B>),
}

impl<B: BufRead> Decoder<B> {
    /// A decoder for what the stream starts with; [`Decoder::None`] for what has none of the known starts.
    pub(crate) fn by_magic(mut reader: B) -> io::Result<Self> {
        Ok(match reader.fill_buf()? {
            [0x1F, 0x8B, ..] => Self::Gzip(Box::new(MultiGzDecoder::new(reader))),
            [b'B', b'Z', b'h', ..] => Self::Bzip2(MultiBzDecoder::new(reader)),
            [0xFD, b'7', b'z', b'X', b'Z', ..] => {
                Self::Xz(Box::new(XzReader::new_mem_limit(reader, true, DICTIONARY_KIB)))
            }
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => {
                Self::Zstd(Zstd { reader: Some(reader), frame: None })
            }
            _ => Self::None(reader),
        })
    }

    /// A decoder for lzma, which has no magic.
    pub(crate) fn lzma(reader: B) -> io::Result<Self> {
        let decoder = LzmaReader::new_mem_limit(reader, DICTIONARY_KIB, None)?;
        Ok(Self::Lzma(Box::new(decoder)))
    }

    /// What the stream should be, for messages.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::None(_) => "uncompressed data",
            Self::Gzip(_) => "gzip data",
            Self::Bzip2(_) => "bzip2 data",
            Self::Xz(_) => "xz data",
            Self::Lzma(_) => "lzma data",
            Self::Zstd(_) => "zstd data",
        }
    }
}

impl<B: BufRead> Read for Decoder<B> {
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
pub(crate) struct Zstd<B: BufRead> {
    reader: Option<B>,
    frame: Option<Box<Frame<B>>>,
}

type Frame<B> = StreamingDecoder<B, FrameDecoder>;

impl<B: BufRead> Read for Zstd<B> {
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

impl<B: BufRead> Zstd<B> {
    /// Starts the next frame that holds data, or `None` at the end of the stream.
    fn next_frame(&mut self) -> io::Result<Option<Box<Frame<B>>>> {
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
