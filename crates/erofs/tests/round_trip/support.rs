//! Trees of files with content, written and read as hosts do it.

use std::collections::BTreeMap;
use std::io::Cursor;

use erofs::{
    Batch, Bundle, Content, Image, Job, Kind, Meta, Node, NodeId, Options, Packed, Profile,
    Results, Tree, Workspace, Writer,
};

/// A tree of files with content.
pub(crate) type Contents = Tree<Vec<u8>>;

/// The same tree with sizes in place of contents.
pub(crate) fn sizes(tree: &Contents) -> Tree<u64> {
    let mut sizes = Tree::new(tree.node(tree.root()).meta.clone());
    let mut known = BTreeMap::from([(tree.root(), sizes.root())]);
    for (path, id) in tree.paths().skip(1) {
        let (folder, name) = match path.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (find(&sizes, &path[..slash]), path[slash + 1..].to_vec()),
            None => (sizes.root(), path),
        };
        if let Some(&first) = known.get(&id) {
            sizes.link(folder, &name, first).unwrap();
            continue;
        }
        let Node { meta, kind } = tree.node(id).clone();
        let kind = match kind {
            Kind::File(content) => Kind::File(content.len() as u64),
            Kind::Directory(_) => Kind::Directory(Box::default()),
            Kind::Symlink(target) => Kind::Symlink(target),
            Kind::Fifo => Kind::Fifo,
            Kind::Socket => Kind::Socket,
            Kind::CharDevice(rdev) => Kind::CharDevice(rdev),
            Kind::BlockDevice(rdev) => Kind::BlockDevice(rdev),
        };
        known.insert(id, sizes.add(folder, &name, Node { meta, kind }).unwrap());
    }
    sizes
}

pub(crate) fn find<T>(tree: &Tree<T>, path: &[u8]) -> NodeId {
    path.split(|byte| *byte == b'/')
        .fold(tree.root(), |folder, name| tree.child(folder, name).unwrap())
}

pub(crate) fn write(tree: &Contents, options: Options) -> Vec<u8> {
    let mut writer = Writer::new(sizes(tree), options).unwrap();
    let mut workspace = Workspace::default();
    let mut image = Vec::new();
    let mut put = |write: erofs::Write| {
        let (at, end) = (write.at as usize, write.at as usize + write.bytes.len());
        image.resize(image.len().max(end), 0xAA);
        image[at..end].copy_from_slice(&write.bytes);
    };
    let mut done = std::collections::BTreeSet::new();
    let mut files = Vec::new();
    let mut contents = BTreeMap::new();
    for (path, id) in tree.paths() {
        let Kind::File(content) = &tree.node(id).kind else { continue };
        if content.is_empty() || !done.insert(id) {
            continue;
        }
        let node = find(writer.tree(), &path);
        match contents.get(content) {
            Some(&first) => writer.share(node, first).unwrap(),
            None => {
                contents.insert(content, node);
                files.push((node, content));
            }
        }
    }
    let pieces: Vec<_> = files
        .iter()
        .flat_map(|(node, content)| {
            let mut left = content.len();
            content.chunks(writer.segment()).map(move |piece| {
                left -= piece.len();
                (*node, piece, left as u64)
            })
        })
        .collect();
    for (nth, some) in pieces.chunks(4).enumerate() {
        let job =
            |&(node, piece, left): &(_, &[u8], _)| Job::new(&writer, node, piece.to_vec(), left);
        let mut jobs: Vec<_> = some.iter().map(job).collect();
        // Fragments that come at once, and such that come in order.
        if nth.is_multiple_of(2) {
            let others = jobs.into_iter().map(|job| writer.gather(job, &mut workspace).unwrap());
            jobs = others.flatten().collect();
        }
        while !jobs.is_empty() {
            for packed in run_elsewhere(jobs, &mut workspace) {
                writer.add(packed).unwrap();
            }
            writer.writes().for_each(&mut put);
            jobs = writer.jobs(false);
        }
    }
    while let jobs = writer.jobs(true)
        && !jobs.is_empty()
    {
        for packed in run_elsewhere(jobs, &mut workspace) {
            writer.add(packed).unwrap();
        }
    }
    let finished = writer.finish(put).unwrap();
    assert_eq!(image.len() as u64, finished.size);
    image
}

/// Runs jobs as a host does whose workers share no memory, the last bundle first.
pub(crate) fn run_elsewhere(jobs: Vec<Job>, workspace: &mut Workspace) -> Vec<Packed> {
    let (mut batch, bundles) = Batch::new(jobs, workspace);
    for bundle in bundles.into_iter().rev() {
        assert!(!batch.is_done());
        let (head, content) = bundle.into_parts();
        let (head, body) =
            Bundle::from_parts(&head, content.concat()).unwrap().run(workspace).into_parts();
        batch.put(Results::from_parts(&head, body.concat()).unwrap());
    }
    assert!(batch.is_done());
    batch.results()
}

/// Every path as text, with all that is known of it and the content of files.
pub(crate) fn describe<T>(tree: &Tree<T>, mut content: impl FnMut(&T) -> Vec<u8>) -> Vec<String> {
    let mut first_names = BTreeMap::new();
    let mut lines = Vec::new();
    for (path, id) in tree.paths() {
        let name = String::from_utf8_lossy(&path).into_owned();
        if let Some(first) = first_names.get(&id) {
            lines.push(format!("{name} = {first}"));
            continue;
        }
        first_names.insert(id, name.clone());
        let node = tree.node(id);
        let kind = match &node.kind {
            Kind::Directory(_) => "directory".to_owned(),
            Kind::File(file) => format!("{:?}", content(file)),
            Kind::Symlink(target) => format!("-> {target:?}"),
            Kind::Fifo => "fifo".to_owned(),
            Kind::Socket => "socket".to_owned(),
            Kind::CharDevice(rdev) => format!("char {rdev:?}"),
            Kind::BlockDevice(rdev) => format!("block {rdev:?}"),
        };
        lines.push(format!("{name} {:?} {kind}", node.meta));
    }
    lines
}

pub(crate) fn read_all(image: &mut Image<Cursor<Vec<u8>>>, content: &Content) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut chunks = image.chunks(content);
    while let Some(chunk) = chunks.next_chunk().unwrap() {
        bytes.extend(chunk);
    }
    bytes
}

pub(crate) fn check(tree: &Contents) {
    for profile in Profile::ALL {
        check_with(tree, Options::new(profile));
    }
}

pub(crate) fn check_with(tree: &Contents, options: Options) {
    let bytes = write(tree, options);
    assert_eq!(bytes, write(tree, options), "the same bytes again");
    let mut image = Image::open(Cursor::new(bytes)).unwrap();
    let read = image.tree().unwrap();
    let found = describe(&read, |content| read_all(&mut image, content));
    let mut end = 0;
    for area in image.map().unwrap() {
        assert_eq!(area.at, end, "{options:?}: every byte is told once");
        end += area.length;
    }
    assert_eq!(end, image.size());
    assert!(describe(tree, Clone::clone) == found, "{options:?}: {:#?}", found.first());
}

/// Bytes that compress as text does.
pub(crate) fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| b"etaoin shrdlu\n"[(at * at / 7 + at / 31) % 14]).collect()
}

pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..length).map(next).collect()
}

/// Pseudorandom bytes below a limit: noise would be no fragment.
pub(crate) fn below(limit: u8, length: usize) -> Vec<u8> {
    noise(length).into_iter().map(|byte| byte % limit).collect()
}

pub(crate) fn one_file(content: Vec<u8>) -> Contents {
    let mut tree = Tree::new(Meta::new(0o755));
    tree.file(tree.root(), b"file", Meta::new(0o644), content).unwrap();
    tree
}
