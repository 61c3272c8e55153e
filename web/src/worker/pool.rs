//! Compression in several workers. They share no memory: content goes over and blocks come back without a copy, in buffers
//! that go to and fro, for new memory costs as much as a copy.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, Function, Promise, Uint8Array};
use sysext::erofs::{Job, Packed, Workspace};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DedicatedWorkerGlobalScope, ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType,
};

use super::buffers::Buffers;
use super::source::describe;

/// Name of a worker that compresses and does nothing else.
const NAME: &str = "compressor";
/// Most of them: each takes some 50 MiB.
const MOST: usize = 8;
/// Content below which starting them takes longer than they save.
const WORTH: usize = 4 << 20;

/// Workers, started when there is first enough for them to do.
#[derive(Default)]
pub(super) struct Pool {
    helpers: Option<Vec<Helper>>,
    /// Jobs given away so far: each goes to the next worker.
    next: usize,
    spare: Buffers,
    /// For what is compressed here.
    workspace: Workspace,
}

impl Pool {
    /// How many workers compress.
    pub(super) fn workers(&self) -> usize {
        self.helpers.as_ref().map_or(1, |helpers| helpers.len().max(1))
    }

    /// Begins a batch of jobs. They run in turn in the workers, while the caller goes on.
    pub(super) async fn begin(&mut self, jobs: Vec<Job>) -> Result<Begun, String> {
        let content: usize = jobs.iter().filter(|job| job.is_work()).map(Job::size).sum();
        if content >= WORTH && self.helpers.is_none() {
            self.helpers = Some(start());
        }
        let helpers = self.helpers.as_deref().unwrap_or_default();
        if helpers.is_empty() || content < WORTH {
            let run = |job: Job| job.run(&mut self.workspace);
            return Ok(Begun::Done(jobs.into_iter().map(run).collect()));
        }
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            let helper = &helpers[self.next % helpers.len()];
            self.next += 1;
            let answer = helper.begin(job, &self.spare).await;
            answers.push(answer.map_err(|error| describe(&error))?);
        }
        Ok(Begun::Away(answers, self.spare.clone()))
    }
}

/// A batch of jobs that was begun.
pub(super) enum Begun {
    Done(Vec<Packed>),
    /// What the workers will answer, in the order of the jobs, and where its buffers go.
    Away(Vec<Promise>, Buffers),
}

impl Begun {
    /// The results, in the order of the jobs.
    pub(super) async fn wait(self) -> Result<Vec<Packed>, String> {
        let (answers, spare) = match self {
            Self::Done(results) => return Ok(results),
            Self::Away(answers, spare) => (answers, spare),
        };
        let mut results = Vec::with_capacity(answers.len());
        for answer in answers {
            let answer = JsFuture::from(answer).await.map_err(|error| describe(&error))?;
            let (head, body, buffer) = unpack(answer.unchecked_ref());
            spare.give(buffer);
            let packed = Packed::from_parts(&head, body);
            results.push(packed.ok_or_else(|| "a worker's answer is not one".to_owned())?);
        }
        Ok(results)
    }
}

/// One worker for each core, or none where there is but one core or no worker can be started here.
fn start() -> Vec<Helper> {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    if !super::is_worker() {
        return Vec::new();
    }
    let cores = scope.navigator().hardware_concurrency() as usize;
    if cores < 2 {
        return Vec::new();
    }
    (0..cores.min(MOST)).map_while(|_| Helper::new(&scope.location().href()).ok()).collect()
}

/// A worker that compresses one job after the other.
struct Helper {
    worker: Worker,
    /// Fulfilled once it listens.
    ready: Promise,
    /// What the answers to the jobs that it has go to, in their order: fulfilled, failed.
    waiting: Rc<RefCell<VecDeque<(Function, Function)>>>,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_error: Closure<dyn Fn(ErrorEvent)>,
}

impl Helper {
    fn new(script: &str) -> Result<Self, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name(NAME);
        let worker = Worker::new_with_options(script, &options)?;
        let waiting = Rc::new(RefCell::new(VecDeque::<(Function, Function)>::new()));
        let ready = Promise::new(&mut |fulfilled, failed| {
            waiting.borrow_mut().push_back((fulfilled, failed));
        });
        let on_message = {
            let waiting = Rc::clone(&waiting);
            Closure::new(move |event: MessageEvent| {
                let next = waiting.borrow_mut().pop_front();
                if let Some((fulfilled, _)) = next {
                    let _ = fulfilled.call1(&JsValue::UNDEFINED, &event.data());
                }
            })
        };
        let on_error = {
            let waiting = Rc::clone(&waiting);
            Closure::new(move |event: ErrorEvent| {
                let text = format!("a worker failed: {}", event.message());
                for (_, failed) in waiting.take() {
                    let _ = failed.call1(&JsValue::UNDEFINED, &text.as_str().into());
                }
            })
        };
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        worker.post_message(&wasm_bindgen::module())?;
        Ok(Self { worker, ready, waiting, _on_message: on_message, _on_error: on_error })
    }

    /// Gives the worker a job, and what it will answer.
    async fn begin(&self, job: Job, spare: &Buffers) -> Result<Promise, JsValue> {
        JsFuture::from(self.ready.clone()).await?;
        let (head, content) = job.into_parts();
        let buffer = spare.take(content.len()).ok_or("the browser has no memory left")?;
        let message = pack(&head, &content, &buffer);
        drop(content);
        let answer = Promise::new(&mut |fulfilled, failed| {
            self.waiting.borrow_mut().push_back((fulfilled, failed));
        });
        self.worker.post_message_with_transfer(&message, &transferred(&message))?;
        Ok(answer)
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// Whether this worker is one that compresses.
pub(super) fn is_helper(scope: &DedicatedWorkerGlobalScope) -> bool {
    scope.name() == NAME
}

/// Compresses what comes, and sends back what comes of it.
pub(super) fn help(scope: &DedicatedWorkerGlobalScope) {
    let workspace = RefCell::new(Workspace::default());
    let listener = {
        let scope = scope.clone();
        Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            let Some(message) = event.data().dyn_ref::<Array>().cloned() else { return };
            let (head, content, buffer) = unpack(&message);
            let Some(job) = Job::from_parts(&head, content) else { return };
            let (head, body) = job.run(&mut workspace.borrow_mut()).into_parts();
            // What was compressed has room where it came from, but for what does not compress.
            let fits = buffer.length() as usize >= body.len();
            let buffer = if fits { buffer } else { Uint8Array::new_with_length(body.len() as u32) };
            let message = pack(&head, &body, &buffer);
            let _ = scope.post_message_with_transfer(&message, &transferred(&message));
        })
    };
    scope.set_onmessage(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
    let _ = scope.post_message(&JsValue::NULL);
}

/// A message of a small part and one that lies in a buffer with room for it.
fn pack(head: &[u8], body: &[u8], buffer: &Uint8Array) -> Array {
    buffer.subarray(0, body.len() as u32).copy_from(body);
    Array::of3(&Uint8Array::from(head), buffer, &JsValue::from(body.len() as u32))
}

/// The parts of a message, and its buffer.
fn unpack(message: &Array) -> (Vec<u8>, Vec<u8>, Uint8Array) {
    let buffer: Uint8Array = message.get(1).unchecked_into();
    let length = message.get(2).as_f64().unwrap_or_default() as u32;
    let body = buffer.subarray(0, length).to_vec();
    (Uint8Array::new(&message.get(0)).to_vec(), body, buffer)
}

/// What goes over rather than being copied.
fn transferred(message: &Array) -> Array {
    Array::of1(&message.get(1).unchecked_into::<Uint8Array>().buffer())
}
