//! Compression in several workers.

use js_sys::{Array, Promise, Uint8Array};
use sysext::erofs::{Batch, Bundle, Job, Packed, Results, Workspace};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::DedicatedWorkerGlobalScope;

use super::buffers::Buffers;
use super::helper::{self, Helper};
use super::source::describe;

/// Name of a worker that compresses and does nothing else.
pub(super) const NAME: &str = "compressor";
/// Most of them: each takes some 50 MiB.
const MOST: usize = 8;
/// Content below which starting them takes longer than they save.
const WORTH: usize = 4 << 20;

/// Workers, started when there is first enough for them to do.
#[derive(Default)]
pub(super) struct Pool {
    helpers: Option<Vec<Helper>>,
    spare: Buffers,
    /// For what is compressed here.
    workspace: Workspace,
}

impl Pool {
    /// How many workers compress.
    pub(super) fn workers(&self) -> usize {
        self.helpers.as_ref().map_or(1, |helpers| helpers.len().max(1))
    }

    /// Begins a batch of jobs. Each bundle goes to the worker that has least to do, while the caller goes on.
    pub(super) async fn begin(&mut self, jobs: Vec<Job>) -> Result<Begun, String> {
        let (mut batch, bundles) = Batch::new(jobs, &mut self.workspace);
        let content: usize = bundles.iter().map(Bundle::size).sum();
        if content >= WORTH && self.helpers.is_none() {
            self.helpers = Some(Helper::start(NAME, MOST));
        }
        let helpers = self.helpers.as_deref().filter(|_| content >= WORTH).unwrap_or_default();
        let mut answers = Vec::with_capacity(bundles.len());
        for bundle in bundles {
            let Some(helper) = helpers.iter().min_by_key(|helper| helper.due()) else {
                batch.put(bundle.run(&mut self.workspace));
                continue;
            };
            let answer = begin(helper, bundle, &self.spare).await;
            answers.push(answer.map_err(|error| describe(&error))?);
        }
        Ok(Begun { batch, answers, spare: self.spare.clone() })
    }
}

/// A batch of jobs that was begun.
pub(super) struct Begun {
    batch: Batch,
    /// What the workers will answer, and where its buffers go.
    answers: Vec<Promise>,
    spare: Buffers,
}

impl Begun {
    /// Whether nothing was given away.
    pub(super) fn is_done(&self) -> bool {
        self.batch.is_done()
    }

    /// The results, in the order of the jobs.
    pub(super) async fn wait(self) -> Result<Vec<Packed>, String> {
        let Self { mut batch, answers, spare } = self;
        for answer in answers {
            let answer = JsFuture::from(answer).await.map_err(|error| describe(&error))?;
            let (head, body, buffer) = unpack(answer.unchecked_ref());
            spare.give(buffer);
            let results = Results::from_parts(&head, body);
            batch.put(results.ok_or_else(|| "a worker's answer is not one".to_owned())?);
        }
        Ok(batch.results())
    }
}

/// Gives a worker a bundle, and what it will answer.
async fn begin(helper: &Helper, bundle: Bundle, spare: &Buffers) -> Result<Promise, JsValue> {
    helper.ready().await?;
    let (head, content) = bundle.into_parts();
    let buffer = spare.take(length(&content)).ok_or("the browser has no memory left")?;
    let message = pack(&head, &content, &buffer);
    drop(content);
    helper.ask(&message)
}

/// Compresses what comes, and sends back what comes of it.
pub(super) fn help(scope: DedicatedWorkerGlobalScope) {
    let mut workspace = Workspace::default();
    helper::listen(&scope.clone(), move |message| {
        let (head, content, buffer) = unpack(&message);
        let Some(bundle) = Bundle::from_parts(&head, content) else { return };
        let (head, body) = bundle.run(&mut workspace).into_parts();
        // What was compressed has room where it came from, but for what does not compress.
        let length = length(&body);
        let fits = buffer.length() as usize >= length;
        let buffer = if fits { buffer } else { Uint8Array::new_with_length(length as u32) };
        helper::answer(&scope, &pack(&head, &body, &buffer));
    });
}

/// A message of a small part and one that lies in a buffer with room for it.
fn pack(head: &[u8], body: &[Vec<u8>], buffer: &Uint8Array) -> Array {
    let mut at = 0;
    for part in body {
        let end = at + part.len() as u32;
        buffer.subarray(at, end).copy_from(part);
        at = end;
    }
    helper::message(&Uint8Array::from(head), buffer, at as usize)
}

fn length(body: &[Vec<u8>]) -> usize {
    body.iter().map(Vec::len).sum()
}

/// The parts of a message, and its buffer.
fn unpack(message: &Array) -> (Vec<u8>, Vec<u8>, Uint8Array) {
    let (head, buffer, length) = helper::parts(message);
    let body = buffer.subarray(0, length).to_vec();
    (Uint8Array::new(&head).to_vec(), body, buffer)
}
