//! The stream that a package comes in as: counted, and hashed where a digest covers it.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::digest::Sum;
use crate::error::{Error, corrupt};

/// Bytes that memory is asked for at once, at least.
const STEP: usize = 64 << 10;

/// A handle to the stream. Decoders own one, the payload keeps another to ask how far they have come.
#[derive(Debug)]
pub(crate) struct Source<R>(Rc<RefCell<State<R>>>);

#[derive(Debug)]
struct State<R> {
    inner: R,
    at: u64,
    sum: Option<Sum>,
    /// The stream's own failure, which decoders would pass on as if the data were wrong.
    failure: Option<io::Error>,
}

impl<R> Clone for Source<R> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<R: Read> Source<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self(Rc::new(RefCell::new(State { inner, at: 0, sum: None, failure: None })))
    }

    /// Bytes read so far.
    pub(crate) fn at(&self) -> u64 {
        self.0.borrow().at
    }

    /// Puts a digest over all that is read from now on.
    pub(crate) fn set_sum(&self, sum: Option<Sum>) {
        self.0.borrow_mut().sum = sum;
    }

    /// The digest of what was read since [`Source::set_sum`].
    pub(crate) fn take_sum(&self) -> Option<Sum> {
        self.0.borrow_mut().sum.take()
    }

    /// Reads exactly `length` bytes.
    pub(crate) fn read_vec(&mut self, length: usize, what: &str) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.append_to(&mut bytes, length, what)?;
        Ok(bytes)
    }

    /// Appends exactly `length` bytes; memory grows with what comes, not with what is claimed.
    pub(crate) fn append_to(
        &mut self,
        bytes: &mut Vec<u8>,
        length: usize,
        what: &str,
    ) -> Result<(), Error> {
        let (at, start) = (self.at(), bytes.len());
        let end = start.saturating_add(length);
        while bytes.len() < end {
            let before = bytes.len();
            let step = before.max(STEP).min(end.saturating_sub(before));
            bytes.reserve_exact(step);
            let read = Read::take(&mut *self, step as u64).read_to_end(bytes);
            if read.map_err(|error| self.error(what, "readable bytes", &error))? < step {
                let found =
                    format_args!("the end after {} bytes", bytes.len().saturating_sub(start));
                return Err(corrupt(at, what, format_args!("{length} bytes"), found));
            }
        }
        Ok(())
    }

    /// The error for a decoder's failure: the stream's own if that is what it was.
    pub(crate) fn error(&self, what: &str, expected: &str, found: &io::Error) -> Error {
        let failure = self.0.borrow_mut().failure.take();
        match failure {
            Some(failure) => Error::Io(failure),
            None => corrupt(self.at(), what, expected, found),
        }
    }

    /// Reads to the end of the stream.
    pub(crate) fn drain(&mut self) -> Result<(), Error> {
        let drained = io::copy(self, &mut io::sink());
        drained.map(drop).map_err(|error| self.error("payload", "readable bytes", &error))
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let state = &mut *self.0.borrow_mut();
        match state.inner.read(into) {
            Ok(read) => {
                state.at = state.at.saturating_add(read as u64);
                if let (Some(sum), Some(bytes)) = (&mut state.sum, into.get(..read)) {
                    sum.update(bytes);
                }
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let copy = io::Error::new(error.kind(), error.to_string());
                state.failure = Some(error);
                Err(copy)
            }
        }
    }
}
