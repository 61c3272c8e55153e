//! Compression on several cores. The results keep the order of the jobs, so the number of cores changes no byte.

use std::num::NonZero;
use std::sync::Mutex;
use std::thread;

use sysext::erofs::{Job, Packed, Workspace};

/// Threads for compression, and the memory of each.
pub(crate) struct Workers {
    workspaces: Vec<Workspace>,
}

impl Workers {
    /// So many workers, or one for each core.
    pub(crate) fn new(count: Option<NonZero<usize>>) -> Self {
        let count = count.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZero::get);
        Self { workspaces: (0..count).map(|_| Workspace::default()).collect() }
    }

    /// Runs the jobs; their results are in the order of the jobs.
    pub(crate) fn run(&mut self, jobs: Vec<Job>) -> Vec<Packed> {
        if jobs.len() < 2 || self.workspaces.len() == 1 || !jobs.iter().any(Job::is_work) {
            let workspace = &mut self.workspaces[0];
            return jobs.into_iter().map(|job| job.run(workspace)).collect();
        }
        let mut results: Vec<Option<Packed>> = jobs.iter().map(|_| None).collect();
        let work = Mutex::new(jobs.into_iter().zip(results.iter_mut()));
        let worker = |workspace: &mut Workspace| {
            loop {
                let next = work.lock().expect("compression does not panic").next();
                let Some((job, result)) = next else { break };
                *result = Some(job.run(workspace));
            }
        };
        thread::scope(|scope| {
            for workspace in &mut self.workspaces {
                scope.spawn(|| worker(workspace));
            }
        });
        results.into_iter().map(|result| result.expect("every job was run")).collect()
    }
}
