//! A package as a stream: read piece by piece in a worker, at once where there is none.

use std::io::{self, Cursor, Read};

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FileReaderSync};

/// Bytes that are read at first: often only headers are wanted.
const FIRST: f64 = 256.0 * 1024.0;
/// Each piece is so many times as large as the one before,
const GROWTH: f64 = 4.0;
/// up to this: each costs a way through the browser's processes.
const MOST: f64 = 16.0 * 1024.0 * 1024.0;

/// A file of the person.
#[derive(Debug)]
pub(crate) enum Source {
    /// Only workers may wait for a file.
    Pieces {
        reader: FileReaderSync,
        file: File,
        at: f64,
        /// Bytes that are read next.
        next: f64,
        piece: Cursor<Vec<u8>>,
    },
    Whole(Cursor<Vec<u8>>),
}

impl Source {
    /// The file from its first byte on.
    pub(crate) async fn open(file: &File) -> Result<Self, String> {
        if let Ok(reader) = FileReaderSync::new() {
            let piece = Cursor::new(Vec::new());
            return Ok(Self::Pieces { reader, file: file.clone(), at: 0.0, next: FIRST, piece });
        }
        let buffer = JsFuture::from(file.array_buffer()).await.map_err(|error| describe(&error))?;
        Ok(Self::Whole(Cursor::new(Uint8Array::new(&buffer).to_vec())))
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Whole(bytes) => bytes.read(into),
            Self::Pieces { reader, file, at, next, piece } => {
                let read = piece.read(into)?;
                if read > 0 || into.is_empty() || *at >= file.size() {
                    return Ok(read);
                }
                let end = (*at + *next).min(file.size());
                let wrong = |error: JsValue| io::Error::other(describe(&error));
                let blob = file.slice_with_f64_and_f64(*at, end).map_err(wrong)?;
                let buffer = reader.read_as_array_buffer(&blob).map_err(wrong)?;
                let read = Uint8Array::new(&buffer);
                let mut bytes = std::mem::take(piece).into_inner();
                bytes.resize(read.length() as usize, 0);
                read.copy_to(&mut bytes);
                *piece = Cursor::new(bytes);
                *at = end;
                *next = (*next * GROWTH).min(MOST);
                piece.read(into)
            }
        }
    }
}

/// What the browser says went wrong.
pub(crate) fn describe(error: &JsValue) -> String {
    let message =
        js_sys::Reflect::get(error, &"message".into()).ok().and_then(|message| message.as_string());
    message.or_else(|| error.as_string()).unwrap_or_else(|| format!("{error:?}"))
}
