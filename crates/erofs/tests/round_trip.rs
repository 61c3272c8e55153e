//! Any tree, any profile: write, read, the same tree.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::Cursor;

use erofs::{
    BLOCK, Batch, Bundle, Content, Image, Job, Kind, Level, Meta, Node, NodeId, Options, Packed,
    Part, Pcluster, Profile, Rdev, Results, SEGMENT, Time, Tree, Workspace, Writer,
};
use proptest::prelude::*;

/// A tree of files with content.
type Contents = Tree<Vec<u8>>;

/// The same tree with sizes in place of contents.
fn sizes(tree: &Contents) -> Tree<u64> {
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
            Kind::Directory(_) => Kind::Directory(BTreeMap::new()),
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

fn find<T>(tree: &Tree<T>, path: &[u8]) -> NodeId {
    path.split(|byte| *byte == b'/')
        .fold(tree.root(), |folder, name| tree.child(folder, name).unwrap())
}

fn write(tree: &Contents, options: Options) -> Vec<u8> {
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
        .flat_map(|(node, content)| content.chunks(writer.segment()).map(|piece| (*node, piece)))
        .collect();
    for some in pieces.chunks(4) {
        let mut jobs: Vec<_> =
            some.iter().map(|(node, piece)| Job::new(&writer, *node, piece.to_vec())).collect();
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
    let finished = writer.finish().unwrap();
    finished.writes.into_iter().for_each(put);
    assert_eq!(image.len() as u64, finished.size);
    image
}

/// Runs jobs as a host does whose workers share no memory, the last bundle first.
fn run_elsewhere(jobs: Vec<Job>, workspace: &mut Workspace) -> Vec<Packed> {
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
fn describe<T>(tree: &Tree<T>, mut content: impl FnMut(&T) -> Vec<u8>) -> Vec<String> {
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

fn read_all(image: &mut Image<Cursor<Vec<u8>>>, content: &Content) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut chunks = image.chunks(content);
    while let Some(chunk) = chunks.next_chunk().unwrap() {
        bytes.extend(chunk);
    }
    bytes
}

fn check(tree: &Contents) {
    for profile in Profile::ALL {
        check_with(tree, Options::new(profile));
    }
}

fn check_with(tree: &Contents, options: Options) {
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
fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| b"etaoin shrdlu\n"[(at * at / 7 + at / 31) % 14]).collect()
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..length).map(next).collect()
}

/// Pseudorandom bytes below a limit: noise would be no fragment.
fn below(limit: u8, length: usize) -> Vec<u8> {
    noise(length).into_iter().map(|byte| byte % limit).collect()
}

fn one_file(content: Vec<u8>) -> Contents {
    let mut tree = Tree::new(Meta::new(0o755));
    tree.file(tree.root(), b"file", Meta::new(0o644), content).unwrap();
    tree
}

#[test]
fn sizes_around_blocks_and_segments() {
    for length in [
        0, 1, 2, 4031, 4032, 4033, 4064, 4065, 4095, 4096, 4097, 8191, 8192, 8193, 65_536,
        1_048_577,
    ] {
        for content in [text(length), noise(length), vec![0; length]] {
            check(&one_file(content));
        }
    }
    for length in [SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT + 5000] {
        check(&one_file(text(length)));
    }
    // A stored segment before and after a compressed one.
    check(&one_file([noise(SEGMENT), text(SEGMENT), noise(5000)].concat()));
    check(&one_file([text(SEGMENT), noise(SEGMENT + 1)].concat()));
}

/// Files `a` and `b` that are equal up to a byte, or from a byte on.
fn two_files(a: Vec<u8>, b: Vec<u8>) -> Contents {
    let mut tree = Tree::new(Meta::new(0o755));
    tree.file(tree.root(), b"a", Meta::new(0o644), a).unwrap();
    tree.file(tree.root(), b"b", Meta::new(0o644), b).unwrap();
    tree
}

#[test]
fn files_that_begin_or_end_alike_share_what_is_alike() {
    let letters = |length| below(16, length);
    let size = |tree: &Contents| write(tree, Options::new(Profile::Small)).len();
    // Stored and compressed beginnings, of files of one piece and of several.
    for common in [noise(900_000), letters(2_000_000), letters(SEGMENT + 3_000_000)] {
        let one = size(&one_file(common.clone()));
        let two = two_files(
            [common.as_slice(), b"here"].concat(),
            [common.as_slice(), &text(20_000), b"there"].concat(),
        );
        assert!(size(&two) < one + one / 3, "{} and {one} bytes", size(&two));
        check(&two);
    }
    // Ends, with more or less in front of them. LZ4 finds nothing in the first.
    for (length, front) in [(200_000, 1), (200_000, 4096), (60_000, 9000), (200_000, 190_000)] {
        for common in [below(200, length), letters(length)] {
            let one = size(&one_file(common.clone()));
            let two = two_files(common.clone(), [text(front), common].concat());
            let fronts = size(&one_file(text(front))) + 8192;
            assert!(size(&two) < one + fronts, "{} and {one} bytes", size(&two));
            check(&two);
        }
    }
    // A short end is not shared: a third file may have more in common with what is in front of it.
    let (short, long) = (text(20_000), letters(300_000));
    let mut three = two_files(short.clone(), [long.as_slice(), &short].concat());
    let another = [b"here".as_slice(), &long, &short].concat();
    three.file(three.root(), b"c", Meta::new(0o644), another).unwrap();
    let one = size(&one_file([long, short].concat()));
    assert!(size(&three) < one + 16_384, "{} and {one} bytes", size(&three));
    check(&three);
}

/// Hosts compress a batch of pieces at once, so fragments come back while the pieces of a large file do.
#[test]
fn nothing_comes_between_the_pieces_of_a_file() {
    let ends = below(200, 2 * 140 * 250_000);
    let large = below(16, SEGMENT + 2_000_000);
    let mut tree = Tree::new(Meta::new(0o755));
    let add = |tree: &mut Tree<u64>, name: &str, size: usize| {
        tree.file(tree.root(), name.as_bytes(), Meta::new(0o644), size as u64).unwrap()
    };
    let ends: Vec<_> = ends
        .chunks(250_000)
        .enumerate()
        .map(|(nth, content)| (add(&mut tree, &nth.to_string(), content.len()), content))
        .collect();
    let large_id = add(&mut tree, "large", large.len());

    let mut writer = Writer::new(tree, Options::new(Profile::Small)).unwrap();
    let mut workspace = Workspace::default();
    let mut image = Vec::new();
    let mut run = |writer: &mut Writer, jobs: Vec<Job>| {
        for job in jobs {
            writer.add(job.run(&mut workspace)).unwrap();
            writer.writes().for_each(|write| write.put(&mut image));
        }
    };
    let jobs = |writer: &Writer, ends: &[(NodeId, &[u8])]| -> Vec<Job> {
        ends.iter().map(|&(id, content)| Job::new(writer, id, content.to_vec())).collect()
    };
    let pieces: Vec<_> = large.chunks(SEGMENT).collect();
    for (nth, ends) in ends.chunks(140).enumerate() {
        let mut batch = jobs(&writer, ends);
        batch.extend((nth == 1).then(|| Job::new(&writer, large_id, pieces[0].to_vec())));
        run(&mut writer, batch);
        let mut batches = 0;
        while let jobs = writer.jobs(false)
            && !jobs.is_empty()
        {
            run(&mut writer, jobs);
            batches += 1;
        }
        assert!(batches > 1, "there is more for fragments than goes out at once");
    }
    let last = Job::new(&writer, large_id, pieces[1].to_vec());
    run(&mut writer, vec![last]);
    while let jobs = writer.jobs(true)
        && !jobs.is_empty()
    {
        run(&mut writer, jobs);
    }
    writer.finish().unwrap().writes.iter().for_each(|write| write.put(&mut image));

    let mut image = Image::open(Cursor::new(image)).unwrap();
    let tree = image.tree().unwrap();
    let mut read = |name: &str| match &tree.node(find(&tree, name.as_bytes())).kind {
        Kind::File(content) => read_all(&mut image, content),
        _ => panic!("{name} is a file"),
    };
    assert!(read("large") == large, "the file is whole");
    assert!(ends.iter().enumerate().all(|(nth, (_, content))| read(&nth.to_string()) == *content));
    // The packed inode lies here and there, and its index is compact nevertheless.
    let map = image.map().unwrap();
    let of_fragments =
        |part| map.iter().filter(move |area| area.part == part && area.path.is_none());
    assert!(of_fragments(Part::Fragments).count() > 1);
    let index: u64 = of_fragments(Part::Index).map(|area| area.length).sum();
    let content = ends.iter().map(|(_, content)| content.len()).sum::<usize>();
    assert!(index < (content / BLOCK * 3) as u64, "{index} bytes");
}

/// The whole of a small image, byte by byte.
#[test]
fn the_map_of_an_image() {
    let mut tree: Contents = Tree::new(Meta::new(0o755));
    let labelled = |mode| {
        let label = b"system_u:object_r:usr_t:s0\0".to_vec();
        Meta { xattrs: [(b"security.selinux".to_vec(), label)].into(), ..Meta::new(mode) }
    };
    let usr = tree.directory(tree.root(), b"usr", labelled(0o755)).unwrap();
    let large: Vec<u8> = noise(60_000).into_iter().map(|byte| byte & 15).collect();
    tree.file(usr, b"large", labelled(0o644), large.clone()).unwrap();
    tree.file(usr, b"same", labelled(0o644), large).unwrap();
    tree.file(usr, b"short", labelled(0o644), text(2000)).unwrap();
    tree.add(usr, b"link", Node { meta: labelled(0o777), kind: Kind::Symlink(b"large".to_vec()) })
        .unwrap();
    let map = |profile| {
        let mut image = Image::open(Cursor::new(write(&tree, Options::new(profile)))).unwrap();
        let areas = image.map().unwrap();
        let line = |area: &erofs::Area| {
            let path = area.path.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            format!("{:6} {:6} {} {path}", area.at, area.length, area.part).trim_end().to_owned()
        };
        areas.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(map(Profile::Default), include_str!("map-default.txt").trim_end());
    assert_eq!(map(Profile::Small), include_str!("map-small.txt").trim_end());
}

#[test]
fn every_type_and_the_edges_of_names_and_numbers() {
    let mut tree: Contents = Tree::new(Meta { uid: 70_000, ..Meta::new(0o1777) });
    let root = tree.root();
    let old = Time { seconds: -315_619_200, nanoseconds: 999_999_999 };
    let meta = Meta { mtime: old, gid: 4_000_000_000, ..Meta::new(0o6755) };
    let file = tree.file(root, &[0xFF; 255], meta.clone(), text(10_000)).unwrap();
    tree.link(root, b"!", file).unwrap();
    tree.link(root, b"second", file).unwrap();
    for (name, kind) in [
        (b"fifo".as_slice(), Kind::Fifo),
        (b"socket", Kind::Socket),
        (b"char", Kind::CharDevice(Rdev { major: 4095, minor: 1_048_575 })),
        (b"block", Kind::BlockDevice(Rdev { major: 8, minor: 1 })),
        (b"short", Kind::Symlink(b"x".to_vec())),
        (b"long", Kind::Symlink(noise(4095).into_iter().map(|byte| byte | 1).collect())),
    ] {
        tree.add(root, name, Node { meta: meta.clone(), kind }).unwrap();
    }
    let mut deep = root;
    for _ in 0..300 {
        deep = tree.directory(deep, b"deep", Meta::new(0o700)).unwrap();
    }
    let many = tree.directory(root, b"many", Meta::new(0o755)).unwrap();
    for number in 0..3000 {
        tree.file(many, format!("{number}").as_bytes(), Meta::new(0o600), noise(number % 50))
            .unwrap();
    }
    check(&tree);
}

#[test]
fn xattrs_shared_and_inline() {
    let mut tree: Contents = Tree::new(Meta::new(0o755));
    let root = tree.root();
    tree.meta_mut(root)
        .xattrs
        .insert(b"security.selinux".to_vec(), b"system_u:object_r:usr_t:s0\0".to_vec());
    for number in 0..600_u32 {
        let mut meta = Meta::new(0o644);
        meta.xattrs.insert(b"security.selinux".to_vec(), b"system_u:object_r:bin_t:s0\0".to_vec());
        meta.xattrs.insert(b"user.number".to_vec(), number.to_string().into_bytes());
        meta.xattrs.insert(b"system.posix_acl_access".to_vec(), vec![2; 28]);
        if number % 100 == 0 {
            meta.xattrs.insert(b"trusted.large".to_vec(), noise(60_000));
            meta.xattrs.insert(b"user.".iter().chain(&[b'n'; 250]).copied().collect(), Vec::new());
        }
        tree.file(root, number.to_string().as_bytes(), meta, text(number as usize * 10)).unwrap();
    }
    // More attributes than an inode can share.
    for name in [b"a", b"b"] {
        let mut meta = Meta::new(0o644);
        for number in 0..300 {
            meta.xattrs.insert(format!("user.{number}").into_bytes(), vec![number as u8; 40]);
        }
        tree.file(root, name, meta, Vec::new()).unwrap();
    }
    check(&tree);
}

#[test]
fn xattrs_that_cannot_be_stored_are_named() {
    for (name, value) in [(b"system.nfs4_acl".as_slice(), 1), (b"user.", 1), (b"user.x", 65_536)] {
        let mut tree = Tree::new(Meta::new(0o755));
        tree.meta_mut(tree.root()).xattrs.insert(name.to_vec(), vec![0; value]);
        let error = Writer::new(tree, Options::default()).unwrap_err().to_string();
        assert!(error.contains(&*String::from_utf8_lossy(name)), "{error}");
    }
}

#[test]
fn content_that_differs_from_its_size_is_refused() {
    let tree = |size| {
        let mut tree = Tree::new(Meta::new(0o755));
        let id = tree.file(tree.root(), b"f", Meta::new(0o644), size).unwrap();
        (Writer::new(tree, Options::default()).unwrap(), id)
    };
    let (mut writer, id) = tree(10);
    let error =
        writer.add(Job::new(&writer, id, vec![0; 11]).run(&mut Workspace::default())).unwrap_err();
    assert_eq!(error.to_string(), "a file of 10 bytes was given 11 bytes of content");
    let (writer, _) = tree(10);
    assert!(writer.finish().unwrap_err().to_string().contains("given 0 bytes"));
    let (mut writer, id) = tree(10);
    writer.add(Job::new(&writer, id, vec![0; 10]).run(&mut Workspace::default())).unwrap();
    assert!(writer.add(Job::new(&writer, id, vec![0; 10]).run(&mut Workspace::default())).is_err());
}

/// What may happen to a tree: names and contents are made from the numbers.
fn arbitrary_tree() -> impl Strategy<Value = Contents> {
    let entry = (
        0..7_u8,
        any::<u16>(),
        prop::collection::vec(any::<u8>(), 1..20),
        0..20_000_usize,
        any::<u32>(),
    );
    prop::collection::vec(entry, 0..60).prop_map(|entries| {
        let mut tree: Contents = Tree::new(Meta::new(0o755));
        let mut folders = vec![tree.root()];
        let mut others = Vec::new();
        for (kind, pick, name, length, number) in entries {
            let folder = folders[usize::from(pick) % folders.len()];
            let mut meta = Meta { uid: number, gid: number >> 16, ..Meta::new(pick) };
            meta.mtime = Time { seconds: i64::from(number % 3), nanoseconds: 0 };
            if number % 4 == 0 {
                meta.xattrs.insert(b"user.x".to_vec(), name.clone());
            }
            let kind = match kind {
                0 => Kind::Directory(BTreeMap::new()),
                1 => Kind::File(text(length)),
                // Longer ones that begin alike, end alike, or are the same.
                2 => Kind::File([text(length), noise(60_000 + length)].concat()),
                3 => Kind::File([noise(length), noise(50_000)].concat()),
                4 => Kind::Symlink(text(length % 4095 + 1)),
                5 => Kind::Fifo,
                _ => {
                    if let Some(&target) = others.first() {
                        let _ = tree.link(folder, &name, target);
                    }
                    continue;
                }
            };
            let is_folder = matches!(kind, Kind::Directory(_));
            if let Ok(id) = tree.add(folder, &name, Node { meta, kind }) {
                if is_folder { folders.push(id) } else { others.push(id) }
            }
        }
        tree
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn any_tree(tree in arbitrary_tree()) {
        check(&tree);
    }

    #[test]
    fn any_knobs(tree in arbitrary_tree(), profile in prop::sample::select(&Profile::ALL), blocks in 1..=256_usize, level in 1..=12_u8) {
        let (pcluster, level) = (Pcluster::new(blocks * 4096), Level::new(level));
        check_with(&tree, Options { profile, level, pcluster });
    }

    /// Errors are fine; panics are bugs.
    #[test]
    fn mutated_images_do_not_panic(tree in arbitrary_tree(), profile in prop::sample::select(&Profile::ALL), changes in prop::collection::vec((any::<u32>(), any::<u8>()), 1..20), cut in any::<u32>()) {
        let mut bytes = write(&tree, Options::new(profile));
        for (at, value) in changes {
            let length = bytes.len();
            // Metadata lies in the first and the last blocks.
            let at = if at % 2 == 0 { 1024 + at as usize % 400 } else { length - 1 - at as usize % length.min(20_000) };
            bytes[at] = value;
        }
        if cut % 4 == 0 {
            bytes.truncate(cut as usize % bytes.len());
        }
        // Without the checksum's bit the reader goes on to the rest.
        if let Some(compat) = bytes.get_mut(1032) {
            *compat &= !1;
        }
        if let Ok(mut image) = Image::open(Cursor::new(bytes))
            && let Ok(tree) = image.tree()
        {
            let _ = image.map();
            for id in tree.ids() {
                if let Kind::File(content) = &tree.node(id).kind {
                    let mut chunks = image.chunks(content);
                    while let Ok(Some(_)) = chunks.next_chunk() {}
                }
            }
        }
    }
}
