//! Digests by the browser, which has the processor's instructions for them: several times as fast as WebAssembly, and on
//! a thread of its own. It takes only what is whole, so that what it is given waits in the browser's memory.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use sysext::rpm::{self, Digesting, Ticket};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise, spawn_local};
use web_sys::{File, SubtleCrypto, WorkerGlobalScope};

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
    /// The package that is being read.
    package: RefCell<Option<File>>,
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
            package: RefCell::default(),
            promises: RefCell::default(),
            next: Cell::default(),
        })))
    }

    /// Says which package is being read.
    pub(super) fn reads(&self, package: &File) {
        *self.0.package.borrow_mut() = Some(package.clone());
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
        let Some(bytes) = array(size) else {
            self.0.release(size);
            return None;
        };
        Some(Box::new(Waiting { state: Rc::clone(&self.0), algorithm, bytes, filled: 0 }))
    }

    fn package(&self, algorithm: u32, from: u64) -> Option<Ticket> {
        let algorithm = name(algorithm)?;
        let package = self.0.package.borrow().clone()?;
        let rest = package.slice_with_f64(from as f64).ok()?;
        let size = rest.size() as u64;
        self.0.reserve(size)?;
        let subtle = self.0.subtle.clone();
        let digest = future_to_promise(async move {
            let bytes = JsFuture::from(rest.array_buffer()).await?;
            JsFuture::from(
                subtle.digest_with_str_and_buffer_source(algorithm, bytes.unchecked_ref())?,
            )
            .await
        });
        Some(self.0.promise(digest, size))
    }
}

/// Bytes that wait until they are whole.
#[derive(Debug)]
struct Waiting {
    state: Rc<State>,
    algorithm: &'static str,
    bytes: Uint8Array,
    filled: u32,
}

impl Digesting for Waiting {
    fn update(&mut self, bytes: &[u8]) {
        let end = self.filled.saturating_add(bytes.len() as u32);
        // More than was announced is found out by its size.
        if end <= self.bytes.length() {
            self.bytes.subarray(self.filled, end).copy_from(bytes);
        }
        self.filled = end;
    }

    fn finish(self: Box<Self>) -> Ticket {
        let (size, bytes): (_, &Object) = (self.bytes.length(), self.bytes.as_ref());
        let whole = self.filled == size;
        let digest =
            match self.state.subtle.digest_with_str_and_buffer_source(self.algorithm, bytes) {
                Ok(digest) if whole => digest,
                Ok(_) => Promise::reject(&"a digest is of other bytes than were announced".into()),
                Err(error) => Promise::reject(&error),
            };
        self.state.promise(digest, u64::from(size))
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

/// Memory of the browser, if it has so much.
fn array(size: u64) -> Option<Uint8Array> {
    let constructor = Reflect::get(&js_sys::global(), &"Uint8Array".into()).ok()?;
    let arguments = Array::of1(&JsValue::from(size as f64));
    Reflect::construct::<fn() -> JsValue>(constructor.unchecked_ref(), &arguments)
        .ok()?
        .dyn_into()
        .ok()
}
