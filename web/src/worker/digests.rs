//! Digests by the browser, which has the processor's instructions for them: several times as fast as WebAssembly, and on
//! a thread of its own. It takes only what is whole, so that what it is given waits in the browser's memory.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Object, Promise, Reflect, Uint8Array};
use sysext::rpm::{self, Digesting, Ticket};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{SubtleCrypto, WorkerGlobalScope};

use super::buffers::Buffers;
use super::source::describe;

/// Bytes below which it takes longer to ask the browser.
const WORTH: u64 = 64 << 10;
/// What may wait at once, as a part of the machine's memory.
const PART: f64 = 12.0;
/// The machine's memory in GiB where the browser does not say.
const USUAL: f64 = 2.0;
/// The most GiB that are believed.
const MOST: f64 = 8.0;

/// Digests that the browser computes.
#[derive(Clone, Debug)]
pub(super) struct Digests(Rc<State>);

#[derive(Debug)]
struct State {
    subtle: SubtleCrypto,
    /// Bytes that may wait, beyond those that do.
    room: Cell<u64>,
    spare: Buffers,
    /// What will be known.
    promises: RefCell<BTreeMap<Ticket, Promise>>,
    next: Cell<Ticket>,
}

impl Digests {
    /// None where the browser offers none: outside of workers, and on pages that came by an insecure way.
    pub(super) fn new() -> Option<Self> {
        let scope: WorkerGlobalScope = js_sys::global().dyn_into().ok()?;
        let subtle = scope.crypto().ok()?.subtle();
        if subtle.is_undefined() {
            return None;
        }
        let memory = Reflect::get(&scope.navigator(), &"deviceMemory".into()).ok();
        let memory = memory.and_then(|memory| memory.as_f64()).unwrap_or(USUAL).min(MOST);
        let room = memory * f64::from(1 << 30) / PART;
        Some(Self(Rc::new(State {
            subtle,
            room: Cell::new(room as u64),
            spare: Buffers::default(),
            promises: RefCell::default(),
            next: Cell::default(),
        })))
    }

    /// The digest, once the browser has it.
    pub(super) async fn take(&self, ticket: Ticket) -> Result<Vec<u8>, String> {
        let promise = self.0.promises.borrow_mut().remove(&ticket);
        let promise = promise.ok_or("the core asks for a digest twice")?;
        let digest = JsFuture::from(promise).await.map_err(|error| describe(&error))?;
        Ok(Uint8Array::new(&digest).to_vec())
    }
}

impl State {
    /// Takes room for that many bytes, if they are worth it and there is so much.
    fn reserve(&self, size: u64) -> Option<()> {
        let left = self.room.get().checked_sub(size).filter(|_| size >= WORTH)?;
        self.room.set(left);
        Some(())
    }

    fn release(&self, size: u64) {
        self.room.set(self.room.get() + size);
    }

    /// Remembers what will be a digest; from then on the bytes do not wait any more.
    fn promise(self: &Rc<Self>, promise: Promise, size: u64) -> Ticket {
        let (state, done) = (Rc::clone(self), promise.clone());
        spawn_local(async move {
            let _ = JsFuture::from(done).await;
            state.release(size);
        });
        let ticket = self.next.get();
        self.next.set(ticket + 1);
        self.promises.borrow_mut().insert(ticket, promise);
        ticket
    }
}

impl rpm::Digests for Digests {
    fn begin(&self, algorithm: u32, size: u64) -> Option<Box<dyn Digesting>> {
        let algorithm = name(algorithm)?;
        self.0.reserve(size)?;
        let Some(bytes) = self.0.spare.take(usize::try_from(size).ok()?) else {
            self.0.release(size);
            return None;
        };
        Some(Box::new(Waiting { state: Rc::clone(&self.0), algorithm, bytes, size, filled: 0 }))
    }
}

/// Bytes that wait until they are whole.
#[derive(Debug)]
struct Waiting {
    state: Rc<State>,
    algorithm: &'static str,
    /// A buffer with room for them.
    bytes: Uint8Array,
    /// How many there will be.
    size: u64,
    filled: u64,
}

impl Digesting for Waiting {
    fn update(&mut self, bytes: &[u8]) {
        let end = self.filled.saturating_add(bytes.len() as u64);
        // More than was announced is found out by its size.
        if end <= self.size {
            self.bytes.subarray(self.filled as u32, end as u32).copy_from(bytes);
        }
        self.filled = end;
    }

    fn finish(self: Box<Self>) -> Ticket {
        let Self { state, algorithm, bytes, size, filled } = *self;
        // The browser takes a copy at once, so that the buffer can be used again.
        let content = bytes.subarray(0, size as u32);
        let content: &Object = content.as_ref();
        let digest = match state.subtle.digest_with_str_and_buffer_source(algorithm, content) {
            Ok(digest) if filled == size => digest,
            Ok(_) => Promise::reject(&"a digest is of other bytes than were announced".into()),
            Err(error) => Promise::reject(&error),
        };
        state.spare.give(bytes);
        state.promise(digest, size)
    }
}

/// What Web Crypto calls an algorithm.
fn name(algorithm: u32) -> Option<&'static str> {
    Some(match algorithm {
        8 => "SHA-256",
        9 => "SHA-384",
        10 => "SHA-512",
        _ => return None,
    })
}
