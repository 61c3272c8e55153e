//! Compression on several cores. The results keep the order of the jobs, so the number of cores changes no byte.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use sysext::erofs::{Batch, Bundle, Job, Packed, Results, Workspace};

/// Threads for compression. With one worker there is none: the work is done where it is begun.
pub(crate) struct Workers {
    count: usize,
    here: Workspace,
    threads: Option<Threads>,
    /// The batches that were begun, in their order.
    batches: VecDeque<Batch>,
    /// The number of the first of them.
    first: usize,
}

struct Threads {
    /// Each with the number of its batch.
    bundles: Sender<(usize, Bundle)>,
    /// `None` if a thread failed.
    results: Receiver<Option<(usize, Results)>>,
}

impl Workers {
    /// So many workers, or one for each core.
    pub(crate) fn new(count: Option<NonZero<usize>>) -> Self {
        let count = count.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZero::get);
        let threads = (count > 1).then(|| Threads::start(count));
        let (here, batches) = (Workspace::default(), VecDeque::new());
        Self { count, here, threads, batches, first: 0 }
    }

    /// Begins a batch of jobs.
    pub(crate) fn begin(&mut self, jobs: Vec<Job>) {
        let number = self.first + self.batches.len();
        let (mut batch, bundles) = Batch::new(jobs, &mut self.here);
        for bundle in bundles {
            match &self.threads {
                Some(threads) => threads.bundles.send((number, bundle)).expect("threads listen"),
                None => batch.put(bundle.run(&mut self.here)),
            }
        }
        self.batches.push_back(batch);
    }

    /// The results of the first batch that was begun, if they are there.
    pub(crate) fn ready(&mut self) -> Option<Vec<Packed>> {
        while let Some(result) =
            self.threads.as_ref().and_then(|threads| threads.results.try_recv().ok())
        {
            self.put(result);
        }
        self.take()
    }

    /// The results of the first batch that was begun.
    pub(crate) fn wait(&mut self) -> Vec<Packed> {
        loop {
            if let Some(results) = self.take() {
                return results;
            }
            let threads = self.threads.as_ref().expect("without threads all is done");
            let result = threads.results.recv().expect("threads end with the workers");
            self.put(result);
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Batches that were begun and not taken.
    pub(crate) fn out(&self) -> usize {
        self.batches.len()
    }

    fn put(&mut self, results: Option<(usize, Results)>) {
        let (number, results) = results.expect("compression does not panic");
        self.batches[number - self.first].put(results);
    }

    fn take(&mut self) -> Option<Vec<Packed>> {
        let batch = self.batches.pop_front_if(|batch| batch.is_done())?;
        self.first += 1;
        Some(batch.results())
    }
}

impl Threads {
    #[expect(clippy::disallowed_methods, reason = "the command line is not the browser")]
    fn start(count: usize) -> Self {
        let (bundles, queue) = mpsc::channel::<(usize, Bundle)>();
        let (done, results) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..count {
            let (queue, done) = (Arc::clone(&queue), Alarm(done.clone()));
            thread::spawn(move || {
                let mut workspace = Workspace::default();
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    // Either end goes with the workers.
                    let Ok((number, bundle)) = next else { break };
                    if done.0.send(Some((number, bundle.run(&mut workspace)))).is_err() {
                        break;
                    }
                }
            });
        }
        Self { bundles, results }
    }
}

/// Tells that a thread failed, so that nobody waits for it.
struct Alarm(Sender<Option<(usize, Results)>>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send(None);
        }
    }
}
