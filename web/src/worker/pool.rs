//! Compression in several workers.

use js_sys::{Array, Promise, Uint8Array};
use sysext::erofs::{Job, Packed, Workspace};
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
            self.helpers = Some(Helper::start(NAME, MOST));
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
            let answer = begin(helper, job, &self.spare).await;
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

/// Gives a worker a job, and what it will answer.
async fn begin(helper: &Helper, job: Job, spare: &Buffers) -> Result<Promise, JsValue> {
    helper.ready().await?;
    let (head, content) = job.into_parts();
    let buffer = spare.take(content.len()).ok_or("the browser has no memory left")?;
    let message = pack(&head, &content, &buffer);
    drop(content);
    helper.ask(&message)
}

/// Compresses what comes, and sends back what comes of it.
pub(super) fn help(scope: DedicatedWorkerGlobalScope) {
    let mut workspace = Workspace::default();
    helper::listen(&scope.clone(), move |message| {
        let (head, content, buffer) = unpack(&message);
        let Some(job) = Job::from_parts(&head, content) else { return };
        let (head, body) = job.run(&mut workspace).into_parts();
        // What was compressed has room where it came from, but for what does not compress.
        let fits = buffer.length() as usize >= body.len();
        let buffer = if fits { buffer } else { Uint8Array::new_with_length(body.len() as u32) };
        helper::answer(&scope, &pack(&head, &body, &buffer));
    });
}

/// A message of a small part and one that lies in a buffer with room for it.
fn pack(head: &[u8], body: &[u8], buffer: &Uint8Array) -> Array {
    buffer.subarray(0, body.len() as u32).copy_from(body);
    helper::message(&Uint8Array::from(head), buffer, body.len())
}

/// The parts of a message, and its buffer.
fn unpack(message: &Array) -> (Vec<u8>, Vec<u8>, Uint8Array) {
    let (head, buffer, length) = helper::parts(message);
    let body = buffer.subarray(0, length).to_vec();
    (Uint8Array::new(&head).to_vec(), body, buffer)
}
