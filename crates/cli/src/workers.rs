//! Compression on all cores. The results keep the order of the jobs, so the number of cores changes no byte.

use std::sync::Mutex;
use std::thread;

use sysext::erofs::{Job, Packed, Workspace};

/// Runs the jobs; their results are in the order of the jobs.
pub(crate) fn run(jobs: Vec<Job>) -> Vec<Packed> {
    let cores = thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    if cores <= 1 {
        let mut workspace = Workspace::default();
        return jobs.into_iter().map(|job| job.run(&mut workspace)).collect();
    }
    let mut results: Vec<Option<Packed>> = jobs.iter().map(|_| None).collect();
    let work = Mutex::new(jobs.into_iter().zip(results.iter_mut()));
    let worker = || {
        let mut workspace = Workspace::default();
        loop {
            let next = work.lock().expect("compression does not panic").next();
            let Some((job, result)) = next else { break };
            *result = Some(job.run(&mut workspace));
        }
    };
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(worker);
        }
    });
    results.into_iter().map(|result| result.expect("every job was run")).collect()
}
