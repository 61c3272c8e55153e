//! A package as a stream: read piece by piece in a worker, at once where there is none.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Cursor, Read};
use std::rc::Rc;

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FileReaderSync, ReadableStreamByobReader};

/// Bytes that are read at first: often only headers are wanted.
const FIRST: f64 = 256.0 * 1024.0;
/// Each piece is so many times as large as the one before,
const GROWTH: f64 = 4.0;
/// up to this: each costs a way through the browser's processes.
const MOST: f64 = 16.0 * 1024.0 * 1024.0;
/// Bytes of the buffer that is filled again and again by those who read ahead.
const BUFFER: u32 = 1 << 20;

/// A file of the person.
#[derive(Debug)]
pub(crate) enum Source {
    /// Only workers may wait for a file.
    Pieces(Rc<RefCell<Pieces>>),
    Whole(Cursor<Vec<u8>>),
}

/// What is read of a file and not yet taken.
#[derive(Debug)]
pub(crate) struct Pieces {
    reader: FileReaderSync,
    file: File,
    /// Where in the file the pieces end.
    end: f64,
    /// Bytes that are read next.
    next: f64,
    pieces: VecDeque<Vec<u8>>,
    /// Bytes of the first piece that are taken.
    taken: usize,
}

/// Reads a source ahead, into memory that is used again: what the browser makes for each piece that is waited for is new
/// memory, and costs as much again as to read it.
#[derive(Debug)]
pub(super) struct Ahead {
    pieces: Rc<RefCell<Pieces>>,
    /// The rest of the file from that byte on.
    stream: Option<(ReadableStreamByobReader, f64)>,
    buffer: Uint8Array,
}

impl Source {
    /// The file from its first byte on.
    pub(crate) async fn open(file: &File) -> Result<Self, String> {
        if let Ok(reader) = FileReaderSync::new() {
            return Ok(Self::Pieces(Rc::new(RefCell::new(Pieces {
                reader,
                file: file.clone(),
                end: 0.0,
                next: FIRST,
                pieces: VecDeque::new(),
                taken: 0,
            }))));
        }
        let buffer = JsFuture::from(file.array_buffer()).await.map_err(|error| describe(&error))?;
        Ok(Self::Whole(Cursor::new(Uint8Array::new(&buffer).to_vec())))
    }

    /// Who reads it ahead, unless it is read already.
    pub(super) fn ahead(&self) -> Option<Ahead> {
        let Self::Pieces(pieces) = self else { return None };
        let buffer = Uint8Array::new_with_length(BUFFER);
        Some(Ahead { pieces: Rc::clone(pieces), stream: None, buffer })
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Whole(bytes) => bytes.read(into),
            Self::Pieces(pieces) => pieces.borrow_mut().read(into),
        }
    }
}

impl Pieces {
    /// Bytes that are there.
    fn left(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum::<usize>() - self.taken
    }

    fn is_read(&self) -> bool {
        self.end >= self.file.size()
    }

    fn push(&mut self, bytes: &Uint8Array) {
        self.end += f64::from(bytes.length());
        self.pieces.push_back(bytes.to_vec());
    }

    /// Waits for the next piece.
    fn wait(&mut self) -> Result<(), JsValue> {
        let end = (self.end + self.next).min(self.file.size());
        let bytes = read_slice(&self.reader, &self.file, self.end, end)?;
        self.push(&bytes);
        self.next = (self.next * GROWTH).min(MOST);
        Ok(())
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.pieces.is_empty() && !self.is_read() && !into.is_empty() {
            self.wait().map_err(|error| io::Error::other(describe(&error)))?;
        }
        let Some(piece) = self.pieces.front() else { return Ok(0) };
        let read = (&piece[self.taken..]).read(into)?;
        self.taken += read;
        if self.taken == piece.len() {
            self.pieces.pop_front();
            self.taken = 0;
        }
        Ok(read)
    }
}

impl Ahead {
    /// Sees to it that so many bytes are there, or all of the file. Nothing is done where the browser cannot read files like
    /// this: then they are waited for.
    pub(super) async fn fill(&mut self, least: usize) -> Result<(), String> {
        self.read(least).await.map_err(|error| describe(&error))
    }

    async fn read(&mut self, least: usize) -> Result<(), JsValue> {
        loop {
            let end = {
                let pieces = self.pieces.borrow();
                if pieces.left() >= least || pieces.is_read() {
                    return Ok(());
                }
                pieces.end
            };
            let Some(stream) = self.stream_from(end) else { return Ok(()) };
            let result = JsFuture::from(stream.read_with_array_buffer_view(&self.buffer)).await?;
            let bytes: Uint8Array = Reflect::get(&result, &"value".into())?.dyn_into()?;
            if bytes.length() == 0 {
                return Err("the file is shorter than it was".into());
            }
            self.pieces.borrow_mut().push(&bytes);
            self.stream = Some((stream, end + f64::from(bytes.length())));
            // The bytes are in the same memory, which has changed hands.
            self.buffer = Uint8Array::new(&bytes.buffer());
        }
    }

    /// The rest of the file, if it can be read into memory of ours.
    fn stream_from(&mut self, at: f64) -> Option<ReadableStreamByobReader> {
        if let Some((stream, _)) = self.stream.take().filter(|(_, next)| *next == at) {
            return Some(stream);
        }
        let rest = self.pieces.borrow().file.slice_with_f64(at).ok()?;
        ReadableStreamByobReader::new(&rest.stream()).ok()
    }
}

/// Waits for the bytes of a file from `start` to `end`.
pub(super) fn read_slice(
    reader: &FileReaderSync,
    file: &File,
    start: f64,
    end: f64,
) -> Result<Uint8Array, JsValue> {
    let slice = file.slice_with_f64_and_f64(start, end)?;
    let bytes = reader.read_as_array_buffer(&slice)?;
    Ok(Uint8Array::new(&bytes))
}

/// What the browser says went wrong.
pub(crate) fn describe(error: &JsValue) -> String {
    let message =
        Reflect::get(error, &"message".into()).ok().and_then(|message| message.as_string());
    message.or_else(|| error.as_string()).unwrap_or_else(|| format!("{error:?}"))
}
