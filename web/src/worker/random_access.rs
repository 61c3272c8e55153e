//! A file that is read here and there: pieces of it as they are needed in a worker, all of it where there is none.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use js_sys::Uint8Array;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FileReaderSync};

use super::source::{describe, read_slice};

/// Bytes of a piece.
const PIECE: u64 = 64 << 10;
/// Most pieces that are kept.
const KEPT: usize = 256;

/// A file of the person.
#[derive(Debug)]
pub(super) enum RandomAccess {
    /// Only workers may wait for a file.
    Pieces {
        reader: FileReaderSync,
        file: File,
        at: u64,
        pieces: BTreeMap<u64, Vec<u8>>,
    },
    Whole(Cursor<Vec<u8>>),
}

impl RandomAccess {
    pub(super) async fn open(file: &File) -> Result<Self, String> {
        if let Ok(reader) = FileReaderSync::new() {
            let pieces = BTreeMap::new();
            return Ok(Self::Pieces { reader, file: file.clone(), at: 0, pieces });
        }
        let buffer = JsFuture::from(file.array_buffer()).await.map_err(|error| describe(&error))?;
        Ok(Self::Whole(Cursor::new(Uint8Array::new(&buffer).to_vec())))
    }
}

impl Read for RandomAccess {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let (reader, file, at, pieces) = match self {
            Self::Whole(bytes) => return bytes.read(into),
            Self::Pieces { reader, file, at, pieces } => (reader, file, at, pieces),
        };
        let number = *at / PIECE;
        if !pieces.contains_key(&number) {
            let start = (number * PIECE) as f64;
            let end = (start + PIECE as f64).min(file.size());
            if start >= end {
                return Ok(0);
            }
            let bytes = read_slice(reader, file, start, end);
            let bytes = bytes.map_err(|error| io::Error::other(describe(&error)))?;
            if pieces.len() >= KEPT {
                pieces.clear();
            }
            pieces.insert(number, bytes.to_vec());
        }
        let piece = pieces.get(&number).map(Vec::as_slice).unwrap_or_default();
        let read = piece.get((*at % PIECE) as usize..).unwrap_or_default().read(into)?;
        *at += read as u64;
        Ok(read)
    }
}

impl Seek for RandomAccess {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (file, at) = match self {
            Self::Whole(bytes) => return bytes.seek(to),
            Self::Pieces { file, at, .. } => (file, at),
        };
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => (file.size() as u64).checked_add_signed(by),
            SeekFrom::Current(by) => at.checked_add_signed(by),
        };
        *at = place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(*at)
    }
}
