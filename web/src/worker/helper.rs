//! Workers of the worker: the same script under another name, which does one thing and answers in turn. They share no
//! memory: bytes go over and come back without a copy, in buffers that go to and fro, for new memory costs as much as a
//! copy.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, Function, Promise, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DedicatedWorkerGlobalScope, ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType,
};

/// A worker that does what it is asked, one after the other.
#[derive(Debug)]
pub(super) struct Helper {
    worker: Worker,
    /// Fulfilled once it listens.
    ready: Promise,
    waiting: Waiting,
    /// What went wrong in it: it answers no more.
    failure: Rc<RefCell<Option<String>>>,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_error: Closure<dyn Fn(ErrorEvent)>,
}

/// What was asked and not answered, in order.
type Waiting = Rc<RefCell<VecDeque<Asked>>>;

#[derive(Debug)]
struct Asked {
    /// What the answer goes to, and what goes wrong.
    fulfilled: Function,
    failed: Function,
    /// Bytes that went with it.
    bytes: u32,
}

impl Helper {
    /// One for each core, but no more than `most`; none where there is but one core or no worker can be started here.
    pub(super) fn start(name: &str, most: usize) -> Vec<Self> {
        let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
        if !super::is_worker() {
            return Vec::new();
        }
        let cores = scope.navigator().hardware_concurrency() as usize;
        if cores < 2 {
            return Vec::new();
        }
        let script = scope.location().href();
        (0..cores.min(most)).map_while(|_| Self::new(&script, name).ok()).collect()
    }

    fn new(script: &str, name: &str) -> Result<Self, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name(name);
        let worker = Worker::new_with_options(script, &options)?;
        let waiting = Waiting::default();
        let ready = promise(&waiting, 0);
        let on_message = {
            let waiting = Rc::clone(&waiting);
            Closure::new(move |event: MessageEvent| {
                let next = waiting.borrow_mut().pop_front();
                if let Some(Asked { fulfilled, .. }) = next {
                    let _ = fulfilled.call1(&JsValue::UNDEFINED, &event.data());
                }
            })
        };
        let failure = Rc::new(RefCell::new(None));
        let on_error = {
            let (waiting, failure) = (Rc::clone(&waiting), Rc::clone(&failure));
            Closure::new(move |event: ErrorEvent| {
                let text = format!("a worker failed: {}", event.message());
                for Asked { failed, .. } in waiting.take() {
                    let _ = failed.call1(&JsValue::UNDEFINED, &text.as_str().into());
                }
                failure.replace(Some(text));
            })
        };
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        worker.post_message(&wasm_bindgen::module())?;
        Ok(Self { worker, ready, waiting, failure, _on_message: on_message, _on_error: on_error })
    }

    /// Waits until it listens.
    pub(super) async fn ready(&self) -> Result<(), JsValue> {
        JsFuture::from(self.ready.clone()).await.map(drop)
    }

    /// How many bytes it has yet to answer for.
    pub(super) fn due(&self) -> u64 {
        self.waiting.borrow().iter().map(|asked| u64::from(asked.bytes)).sum()
    }

    /// Sends a message to one that listens, and gives what it will answer.
    pub(super) fn ask(&self, message: &Array) -> Result<Promise, JsValue> {
        if let Some(failure) = &*self.failure.borrow() {
            return Err(failure.as_str().into());
        }
        self.worker.post_message_with_transfer(message, &transferred(message))?;
        Ok(promise(&self.waiting, parts(message).2))
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// What the next answer without one goes to.
fn promise(waiting: &Waiting, bytes: u32) -> Promise {
    Promise::new(&mut |fulfilled, failed| {
        waiting.borrow_mut().push_back(Asked { fulfilled, failed, bytes });
    })
}

/// In the helper: does with each message what it is there for.
pub(super) fn listen(scope: &DedicatedWorkerGlobalScope, mut to: impl FnMut(Array) + 'static) {
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Ok(message) = event.data().dyn_into::<Array>() {
            to(message);
        }
    });
    scope.set_onmessage(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
    let _ = scope.post_message(&JsValue::NULL);
}

/// In the helper: answers a message.
pub(super) fn answer(scope: &DedicatedWorkerGlobalScope, message: &Array) {
    let _ = scope.post_message_with_transfer(message, &transferred(message));
}

/// A message: what is said of some bytes, and a buffer of which they are the first.
pub(super) fn message(head: &JsValue, buffer: &Uint8Array, length: usize) -> Array {
    Array::of3(head, buffer, &JsValue::from(length as f64))
}

/// The parts of a message.
pub(super) fn parts(message: &Array) -> (JsValue, Uint8Array, u32) {
    let length = message.get(2).as_f64().unwrap_or_default() as u32;
    (message.get(0), message.get(1).unchecked_into(), length)
}

/// What goes over rather than being copied.
fn transferred(message: &Array) -> Array {
    Array::of1(&message.get(1).unchecked_into::<Uint8Array>().buffer())
}
