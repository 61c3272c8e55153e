//! The page's end of a worker. Dropping it ends the worker, whatever it is doing.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{ErrorEvent, File, MessageEvent, Worker, WorkerOptions, WorkerType};
use yew::Callback;

use crate::browser;
use crate::protocol::{Request, Response};
use crate::worker::Here;

/// A message of the worker and the file that came with it.
pub(crate) type Answer = (Response, Option<File>);

/// A worker, or its work done on the page where the browser has no workers.
pub(crate) enum Agent {
    Worker(WorkerAgent),
    Here(Rc<Here>),
}

pub(crate) struct WorkerAgent {
    worker: Worker,
    /// Messages that wait for the worker to listen; `None` since it does.
    waiting: Rc<RefCell<Option<Vec<Array>>>>,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_error: Closure<dyn Fn(ErrorEvent)>,
}

impl Agent {
    /// Starts a worker that answers to `on_answer`.
    pub(crate) fn new(on_answer: Callback<Answer>) -> Self {
        match WorkerAgent::new(on_answer.clone()) {
            Ok(agent) => Self::Worker(agent),
            Err(_) => Self::Here(Rc::new(Here::new(on_answer))),
        }
    }

    /// Sends a request with its files.
    pub(crate) fn send(&self, request: &Request, files: &[File]) {
        let message = message(request, files.iter().map(JsValue::from));
        match self {
            Self::Worker(agent) => agent.send(message),
            Self::Here(here) => here.handle(&message),
        }
    }
}

impl WorkerAgent {
    fn new(on_answer: Callback<Answer>) -> Result<Self, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&browser::asset("worker.js"), &options)?;
        let waiting = Rc::new(RefCell::new(Some(Vec::<Array>::new())));
        let on_message = {
            let (waiting, worker, on_answer) =
                (Rc::clone(&waiting), worker.clone(), on_answer.clone());
            Closure::new(move |event: MessageEvent| {
                let Some((response, file)) = parse(&event.data()) else { return };
                if matches!(response, Response::Ready) {
                    for message in waiting.borrow_mut().take().unwrap_or_default() {
                        let _ = worker.post_message(&message);
                    }
                } else {
                    on_answer.emit((response, file));
                }
            })
        };
        let on_error = Closure::new(move |event: ErrorEvent| {
            on_answer
                .emit((Response::Failed(format!("the worker failed: {}", event.message())), None));
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        // The compiled module is shared, so that it is fetched and compiled once.
        worker.post_message(&wasm_bindgen::module())?;
        Ok(Self { worker, waiting, _on_message: on_message, _on_error: on_error })
    }

    fn send(&self, message: Array) {
        match &mut *self.waiting.borrow_mut() {
            Some(waiting) => waiting.push(message),
            None => {
                let _ = self.worker.post_message(&message);
            }
        }
    }
}

impl Drop for WorkerAgent {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// A message: JSON, then the files.
pub(crate) fn message(
    content: &impl serde::Serialize,
    files: impl Iterator<Item = JsValue>,
) -> Array {
    let json = serde_json::to_string(content).unwrap_or_default();
    std::iter::once(JsValue::from(json)).chain(files).collect()
}

/// A worker's message.
fn parse(data: &JsValue) -> Option<Answer> {
    let parts: &Array = data.dyn_ref()?;
    let response = serde_json::from_str(&parts.get(0).as_string()?).ok()?;
    Some((response, parts.get(1).dyn_into().ok()))
}
