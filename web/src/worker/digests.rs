//! Digests by the browser, which has the processor's instructions for them: several times as fast as WebAssembly. It
//! takes only what is whole, so that what it is given waits in the browser's memory. And it may compute where it is
//! asked, for half a second if a package is large: where there are cores for it a worker asks, so that those that
//! compress do not run out of jobs meanwhile.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use sysext::rpm::{self, Digesting, Ticket};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise, spawn_local};
use web_sys::{DedicatedWorkerGlobalScope, SubtleCrypto, WorkerGlobalScope};

use super::buffers::Buffers;
use super::helper::{self, Helper};
use super::source::describe;

/// Name of a worker that asks for digests and does nothing else.
pub(super) const NAME: &str = "digester";
/// Bytes below which it takes longer to ask the browser.
const WORTH: u64 = 64 << 10;
/// Bytes from which on a worker asks.
const LONG: u64 = 4 << 20;
/// Workers that ask: the digest of a package's end, of its last file and of the image come one upon the other.
const HELPERS: usize = 2;
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
    /// Who asks for long ones; none where there cannot be any.
    helpers: Vec<Helper>,
    /// Bytes that may wait, beyond those that do.
    room: Cell<u64>,
    spare: Buffers,
    /// What will be known.
    promises: RefCell<BTreeMap<Ticket, Promise>>,
    next: Cell<Ticket>,
}

impl Digests {
    /// Those for packages of so many bytes. None where the browser offers none: outside of workers, and on pages that
    /// came by an insecure way.
    pub(super) async fn new(size: f64) -> Option<Self> {
        let scope: WorkerGlobalScope = js_sys::global().dyn_into().ok()?;
        let subtle = subtle(&scope)?;
        let memory = Reflect::get(&scope.navigator(), &"deviceMemory".into()).ok();
        let memory = memory.and_then(|memory| memory.as_f64()).unwrap_or(USUAL).min(MOST);
        let room = memory * f64::from(1 << 30) / PART;
        let mut helpers = Vec::new();
        if size >= LONG as f64 {
            for helper in Helper::start(NAME, HELPERS) {
                if helper.ready().await.is_ok() {
                    helpers.push(helper);
                }
            }
        }
        Some(Self(Rc::new(State {
            subtle,
            helpers,
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
        let digest = match state.helpers.iter().min_by_key(|helper| helper.due()) {
            _ if filled != size => Err("a digest is of other bytes than were announced".into()),
            Some(helper) if size >= LONG => asked(helper, &state.spare, algorithm, &bytes, size),
            _ => {
                let digest = begin(&state.subtle, algorithm, &bytes, size as u32);
                // The browser has taken a copy, so that the buffer can be used again.
                state.spare.give(bytes);
                digest
            }
        };
        let digest = digest.unwrap_or_else(|error| Promise::reject(&error));
        state.promise(digest, size)
    }
}

/// What the browser computes digests with, on pages that came by a secure way.
fn subtle(scope: &WorkerGlobalScope) -> Option<SubtleCrypto> {
    let subtle = scope.crypto().ok()?.subtle();
    (!subtle.is_undefined()).then_some(subtle)
}

/// Begins the digest of the first bytes of a buffer.
fn begin(
    subtle: &SubtleCrypto,
    algorithm: &str,
    buffer: &Uint8Array,
    length: u32,
) -> Result<Promise, JsValue> {
    let content = buffer.subarray(0, length);
    let content: &Object = content.as_ref();
    subtle.digest_with_str_and_buffer_source(algorithm, content)
}

/// Lets a helper begin it. The buffer comes back with the digest.
fn asked(
    helper: &Helper,
    spare: &Buffers,
    algorithm: &str,
    buffer: &Uint8Array,
    size: u64,
) -> Result<Promise, JsValue> {
    let answer = helper.ask(&helper::message(&algorithm.into(), buffer, size as usize))?;
    let spare = spare.clone();
    Ok(future_to_promise(async move {
        let answer: Array = JsFuture::from(answer).await?.unchecked_into();
        let (digest, buffer, _) = helper::parts(&answer);
        spare.give(buffer);
        if digest.is_string() { Err(digest) } else { Ok(digest) }
    }))
}

/// Asks for the digest of what comes, one after the other, and sends back what comes of it: the digest, or what is wrong.
pub(super) fn help(scope: DedicatedWorkerGlobalScope) {
    let subtle = subtle(&scope).expect("whoever started this has it");
    let mut last = Promise::resolve(&JsValue::NULL);
    helper::listen(&scope.clone(), move |message| {
        let (before, scope, subtle) = (last.clone(), scope.clone(), subtle.clone());
        last = future_to_promise(async move {
            let _ = JsFuture::from(before).await;
            let (algorithm, buffer, length) = helper::parts(&message);
            let algorithm = algorithm.as_string().unwrap_or_default();
            let digest = match begin(&subtle, &algorithm, &buffer, length) {
                Ok(digest) => JsFuture::from(digest).await,
                Err(error) => Err(error),
            };
            let digest = digest.unwrap_or_else(|error| describe(&error).into());
            helper::answer(&scope, &helper::message(&digest, &buffer, 0));
            Ok(JsValue::NULL)
        });
    });
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
