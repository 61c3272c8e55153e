//! Jobs that are shared out among workers: what is small goes together, since to give a job away takes time, however
//! little there is to do.

use super::{Job, Packed};
use crate::lz4::Workspace;

/// Content that is enough for a bundle: to compress it takes some hundred times as long as to give it away.
const ENOUGH: usize = 256 << 10;

/// Results that are due, which come in any order and are given in that of the jobs.
#[derive(Debug)]
pub struct Batch {
    results: Vec<Option<Packed>>,
    /// How many are due.
    due: usize,
}

/// Jobs of a batch for one worker.
#[derive(Debug, Default)]
pub struct Bundle(Vec<(usize, Job)>);

/// What came of a bundle.
#[derive(Debug)]
pub struct Results(Vec<(usize, Packed)>);

impl Batch {
    /// Shares jobs out in bundles. Those that are done as soon as they are looked at are done here.
    pub fn new(jobs: Vec<Job>, workspace: &mut Workspace) -> (Self, Vec<Bundle>) {
        let mut batch = Self { due: 0, results: Vec::with_capacity(jobs.len()) };
        let (mut bundles, mut bundle, mut size) = (Vec::new(), Bundle::default(), 0);
        for (place, job) in jobs.into_iter().enumerate() {
            if !job.is_work() {
                batch.results.push(Some(job.run(workspace)));
                continue;
            }
            batch.results.push(None);
            batch.due += 1;
            size += job.size();
            bundle.0.push((place, job));
            if size >= ENOUGH {
                bundles.push(std::mem::take(&mut bundle));
                size = 0;
            }
        }
        if !bundle.0.is_empty() {
            bundles.push(bundle);
        }
        (batch, bundles)
    }

    /// Takes what came of one of its bundles.
    pub fn put(&mut self, results: Results) {
        for (place, packed) in results.0 {
            if let Some(result @ None) = self.results.get_mut(place) {
                *result = Some(packed);
                self.due -= 1;
            }
        }
    }

    /// Whether all results are there.
    pub fn is_done(&self) -> bool {
        self.due == 0
    }

    /// The results in the order of the jobs, those that are there.
    pub fn results(self) -> Vec<Packed> {
        self.results.into_iter().flatten().collect()
    }
}

impl Bundle {
    /// Bytes of content.
    pub fn size(&self) -> usize {
        self.0.iter().map(|(_, job)| job.size()).sum()
    }

    /// Packs the content of all, as [`Job::run`] does.
    pub fn run(self, workspace: &mut Workspace) -> Results {
        Results(self.0.into_iter().map(|(place, job)| (place, job.run(workspace))).collect())
    }

    /// What is to be done, and content that belongs behind one another, for a worker that shares no memory.
    pub fn into_parts(self) -> (Vec<u8>, Vec<Vec<u8>>) {
        join(self.0.into_iter().map(|(place, job)| (place, job.into_parts())))
    }

    /// The bundle of these parts, or `None` if they are not one's.
    pub fn from_parts(head: &[u8], body: Vec<u8>) -> Option<Self> {
        split(head, body, Job::from_parts).map(Self)
    }
}

impl Results {
    /// What came of it, and bytes that belong behind one another, for a host that shares no memory.
    pub fn into_parts(self) -> (Vec<u8>, Vec<Vec<u8>>) {
        join(self.0.into_iter().map(|(place, packed)| (place, packed.into_parts())))
    }

    /// The results of these parts, or `None` if they are not such.
    pub fn from_parts(head: &[u8], body: Vec<u8>) -> Option<Self> {
        split(head, body, Packed::from_parts).map(Self)
    }
}

/// In front of each head: place, length of the head, length of the body.
const LENGTHS: usize = 3 * size_of::<u64>();

fn join(parts: impl Iterator<Item = (usize, (Vec<u8>, Vec<u8>))>) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (mut heads, mut bodies) = (Vec::new(), Vec::new());
    for (place, (head, body)) in parts {
        let numbers = [place, head.len(), body.len()];
        heads.extend(numbers.into_iter().flat_map(|number| (number as u64).to_le_bytes()));
        heads.extend(head);
        bodies.push(body);
    }
    (heads, bodies)
}

fn split<T>(
    mut heads: &[u8],
    mut body: Vec<u8>,
    from_parts: impl Fn(&[u8], Vec<u8>) -> Option<T>,
) -> Option<Vec<(usize, T)>> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some((numbers, rest)) = heads.split_at_checked(LENGTHS) {
        let number = |nth: usize| u64::from_le_bytes(numbers.as_chunks().0[nth]) as usize;
        let (head, rest) = rest.split_at_checked(number(1))?;
        let end = number(2).checked_add(at).filter(|end| *end <= body.len())?;
        // One body is not copied.
        let part = if (at, end) == (0, body.len()) {
            std::mem::take(&mut body)
        } else {
            body[at..end].to_vec()
        };
        all.push((number(0), from_parts(head, part)?));
        (heads, at) = (rest, end);
    }
    (heads.is_empty() && at >= body.len()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Options, Profile};
    use crate::tree::{Meta, Tree};
    use crate::write::Writer;

    /// Jobs for files of these sizes.
    fn jobs(profile: Profile, sizes: &[usize]) -> Vec<Job> {
        let mut tree = Tree::new(Meta::new(0o755));
        let root = tree.root();
        let nodes: Vec<_> = sizes
            .iter()
            .enumerate()
            .map(|(nth, size)| {
                let name = nth.to_string().into_bytes();
                tree.file(root, &name, Meta::new(0o644), *size as u64).expect("a new name")
            })
            .collect();
        let writer = Writer::new(tree, Options::new(profile)).expect("options");
        let job = |(node, size): (_, &usize)| {
            Job::new(&writer, node, crate::lz4::tests::noise(*size, 16), 0)
        };
        nodes.into_iter().zip(sizes).map(job).collect()
    }

    #[test]
    fn what_is_small_goes_together_and_results_keep_their_order() {
        let sizes = [1_000, 300_000, 90_000, 200_000, 5_000, 400_000, 7];
        let alone: Vec<_> = jobs(Profile::Default, &sizes)
            .into_iter()
            .map(|job| format!("{:?}", job.run(&mut Workspace::default())))
            .collect();
        let (mut batch, bundles) =
            Batch::new(jobs(Profile::Default, &sizes), &mut Workspace::default());
        let lengths: Vec<_> = bundles.iter().map(Bundle::size).collect();
        assert_eq!(lengths, [301_000, 290_000, 405_000, 7]);
        for bundle in bundles.into_iter().rev() {
            assert!(!batch.is_done());
            let (head, body) = bundle.into_parts();
            assert!(Bundle::from_parts(&head, body.concat()[1..].to_vec()).is_none());
            assert!(Bundle::from_parts(&head[1..], body.concat()).is_none());
            let bundle = Bundle::from_parts(&head, body.concat()).expect("its parts");
            let (head, body) = bundle.run(&mut Workspace::default()).into_parts();
            batch.put(Results::from_parts(&head, body.concat()).expect("its parts"));
        }
        assert!(batch.is_done());
        let results: Vec<_> = batch.results().iter().map(|packed| format!("{packed:?}")).collect();
        assert_eq!(results, alone);
    }

    #[test]
    fn what_is_no_work_is_not_given_away() {
        let given = [(Profile::None, 0), (Profile::Small, 300_000), (Profile::Default, 400_000)];
        for (profile, given) in given {
            let (batch, bundles) =
                Batch::new(jobs(profile, &[100_000, 300_000]), &mut Workspace::default());
            assert_eq!(bundles.iter().map(Bundle::size).sum::<usize>(), given, "{profile:?}");
            assert_eq!(batch.is_done(), given == 0);
        }
    }
}
