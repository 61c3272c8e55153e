//! Compression in several workers. They share no memory: content goes over and blocks come back without a copy.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, Function, Promise, Uint8Array};
use sysext::erofs::{Job, Packed, Workspace};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{
    DedicatedWorkerGlobalScope, ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType,
};

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
    helpers: Option<Vec<Rc<Helper>>>,
    /// For what is compressed here.
    workspace: Workspace,
}

impl Pool {
    /// How many workers compress.
    pub(super) fn workers(&self) -> usize {
        self.helpers.as_ref().map_or(1, |helpers| helpers.len().max(1))
    }

    /// Runs the jobs; their results are in the order of the jobs.
    pub(super) async fn run(&mut self, jobs: Vec<Job>) -> Result<Vec<Packed>, String> {
        let content: usize = jobs.iter().filter(|job| job.is_work()).map(Job::size).sum();
        if jobs.len() > 1 && content >= WORTH && self.helpers.is_none() {
            self.helpers = Some(start());
        }
        let helpers = self.helpers.as_deref().unwrap_or_default();
        if helpers.is_empty() || jobs.len() < 2 || content < WORTH {
            return Ok(jobs.into_iter().map(|job| job.run(&mut self.workspace)).collect());
        }
        let results = Rc::new(RefCell::new(jobs.iter().map(|_| None).collect::<Vec<_>>()));
        let queue: VecDeque<_> = jobs.into_iter().enumerate().collect();
        let queue = Rc::new(RefCell::new(queue));
        let work: Array = helpers
            .iter()
            .map(|helper| {
                let (helper, queue) = (Rc::clone(helper), Rc::clone(&queue));
                let results = Rc::clone(&results);
                future_to_promise(async move {
                    loop {
                        let next = queue.borrow_mut().pop_front();
                        let Some((place, job)) = next else { return Ok(JsValue::UNDEFINED) };
                        let packed = helper.run(job).await?;
                        results.borrow_mut()[place] = Some(packed);
                    }
                })
            })
            .collect();
        JsFuture::from(Promise::all(&work)).await.map_err(|error| describe(&error))?;
        let results = results.take().into_iter().collect::<Option<Vec<_>>>();
        results.ok_or_else(|| "a worker gave no answer".to_owned())
    }
}

/// One worker for each core, or none where there is but one core or no worker can be started here.
fn start() -> Vec<Rc<Helper>> {
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

/// A worker that compresses, one job at a time.
struct Helper {
    worker: Worker,
    /// Fulfilled once it listens.
    ready: Promise,
    /// What the answer to the job that it has goes to: fulfilled, failed.
    waiting: Rc<RefCell<Option<(Function, Function)>>>,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_error: Closure<dyn Fn(ErrorEvent)>,
}

impl Helper {
    fn new(script: &str) -> Result<Rc<Self>, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name(NAME);
        let worker = Worker::new_with_options(script, &options)?;
        let waiting = Rc::new(RefCell::new(None::<(Function, Function)>));
        let ready = Promise::new(&mut |fulfilled, failed| {
            waiting.replace(Some((fulfilled, failed)));
        });
        let on_message = {
            let waiting = Rc::clone(&waiting);
            Closure::new(move |event: MessageEvent| {
                if let Some((fulfilled, _)) = waiting.take() {
                    let _ = fulfilled.call1(&JsValue::UNDEFINED, &event.data());
                }
            })
        };
        let on_error = {
            let waiting = Rc::clone(&waiting);
            Closure::new(move |event: ErrorEvent| {
                if let Some((_, failed)) = waiting.take() {
                    let text = format!("a worker failed: {}", event.message());
                    let _ = failed.call1(&JsValue::UNDEFINED, &text.into());
                }
            })
        };
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        worker.post_message(&wasm_bindgen::module())?;
        Ok(Rc::new(Self { worker, ready, waiting, _on_message: on_message, _on_error: on_error }))
    }

    async fn run(&self, job: Job) -> Result<Packed, JsValue> {
        JsFuture::from(self.ready.clone()).await?;
        let (head, content) = job.into_parts();
        let message = parts(&head, &content);
        drop(content);
        let answer = Promise::new(&mut |fulfilled, failed| {
            self.waiting.replace(Some((fulfilled, failed)));
        });
        self.worker.post_message_with_transfer(&message, &buffers(&message))?;
        let answer: Array = JsFuture::from(answer).await?.unchecked_into();
        let (head, body) = unpack(&answer);
        Packed::from_parts(&head, body).ok_or_else(|| "a worker's answer is not one".into())
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
            let (head, content) = unpack(&message);
            let Some(job) = Job::from_parts(&head, content) else { return };
            let (head, body) = job.run(&mut workspace.borrow_mut()).into_parts();
            let message = parts(&head, &body);
            let _ = scope.post_message_with_transfer(&message, &buffers(&message));
        })
    };
    scope.set_onmessage(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
    let _ = scope.post_message(&JsValue::NULL);
}

fn parts(head: &[u8], body: &[u8]) -> Array {
    [head, body].into_iter().map(Uint8Array::from).collect()
}

fn unpack(message: &Array) -> (Vec<u8>, Vec<u8>) {
    let part = |place| Uint8Array::new(&message.get(place)).to_vec();
    (part(0), part(1))
}

/// What goes over rather than being copied.
fn buffers(message: &Array) -> Array {
    message.iter().map(|part| part.unchecked_into::<Uint8Array>().buffer()).collect()
}
