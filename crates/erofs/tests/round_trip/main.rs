//! Any tree, any profile: write, read, the same tree.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod any;
mod sharing;
mod support;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;

use erofs::{
    Area, BLOCK, Image, Job, Kind, Meta, Node, Options, Part, Profile, Rdev, SEGMENT, Time, Tree,
    Workspace, Writer,
};

use support::{Contents, below, check, noise, one_file, text, write};

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

/// Whether the last piece of a file fills a segment or not, its end lies where ends of files do.
#[test]
fn the_end_of_whole_segments_is_packed_like_any_other() {
    for (profile, part) in [(Profile::Default, Part::Inline), (Profile::Small, Part::Fragments)] {
        for length in [SEGMENT - 1, SEGMENT, 2 * SEGMENT] {
            let image = write(&one_file(text(length)), Options::new(profile));
            let map = Image::open(Cursor::new(image)).unwrap().map().unwrap();
            let bytes: u64 =
                map.iter().filter(|area| area.part == part).map(|area| area.length).sum();
            // Names in a folder are inline as well, and few.
            assert!(bytes > 100, "{length} as {profile}: {bytes} bytes of {part}");
        }
    }
}

/// The whole of a small image, byte by byte.
#[test]
fn the_map_of_an_image() {
    let mut tree: Contents = Tree::new(Meta::new(0o755));
    let labelled = |mode| {
        let label = [("security.selinux", "system_u:object_r:usr_t:s0\0")];
        Meta { xattrs: label.into_iter().collect(), ..Meta::new(mode) }
    };
    let usr = tree.directory(tree.root(), b"usr", labelled(0o755)).unwrap();
    let large: Vec<u8> = noise(60_000).into_iter().map(|byte| byte & 15).collect();
    tree.file(usr, b"large", labelled(0o644), large.clone()).unwrap();
    tree.file(usr, b"same", labelled(0o644), large).unwrap();
    tree.file(usr, b"short", labelled(0o644), text(2000)).unwrap();
    tree.add(usr, b"link", Node { meta: labelled(0o777), kind: Kind::Symlink((*b"large").into()) })
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

/// The end of the packed inode follows its index, and its inode lies among the others.
#[test]
fn a_few_small_files_are_one_block() {
    let mut tree: Contents = Tree::new(Meta::new(0o755));
    for (name, length) in [(b"a", 900), (b"b", 700)] {
        tree.file(tree.root(), name, Meta::new(0o644), text(length)).unwrap();
    }
    check(&tree);
    assert_eq!(write(&tree, Options::new(Profile::Small)).len(), erofs::BLOCK);
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
        (b"short", Kind::Symlink((*b"x").into())),
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
    tree.set_xattr(root, b"security.selinux", b"system_u:object_r:usr_t:s0\0");
    for number in 0..600_u32 {
        let mut meta = Meta::new(0o644);
        meta.xattrs.insert(b"security.selinux", b"system_u:object_r:bin_t:s0\0");
        meta.xattrs.insert(b"user.number", number.to_string().as_bytes());
        meta.xattrs.insert(b"system.posix_acl_access", &[2; 28]);
        if number % 100 == 0 {
            meta.xattrs.insert(b"trusted.large", &noise(60_000));
            meta.xattrs.insert(&[b"user.".as_slice(), &[b'n'; 250]].concat(), &[]);
        }
        tree.file(root, number.to_string().as_bytes(), meta, text(number as usize * 10)).unwrap();
    }
    // More attributes than an inode can share.
    for name in [b"a", b"b"] {
        let mut meta = Meta::new(0o644);
        for number in 0..300 {
            meta.xattrs.insert(format!("user.{number}").as_bytes(), &[number as u8; 40]);
        }
        tree.file(root, name, meta, Vec::new()).unwrap();
    }
    check(&tree);
}

/// Older kernels refuse a link whose target is in another block than the end of its inode.
#[test]
fn inodes_cross_blocks_but_links_do_not() {
    let mut tree: Contents = Tree::new(Meta::new(0o755));
    for number in 0..500_i64 {
        let mut meta = Meta::new(0o644);
        meta.mtime.seconds = number;
        meta.xattrs.insert(b"user.number", number.to_string().as_bytes());
        let kind = match number % 5 {
            0 => Kind::File(noise(3700 + number as usize)),
            1 => Kind::File(Vec::new()),
            _ => Kind::Symlink(vec![b't'; number as usize % 90 + 1].into()),
        };
        tree.add(tree.root(), number.to_string().as_bytes(), Node { meta, kind }).unwrap();
    }
    check(&tree);
    let mut image = Image::open(Cursor::new(write(&tree, Options::new(Profile::None)))).unwrap();
    let mut ends = BTreeMap::new();
    for Area { at, length, part, path } in image.map().unwrap() {
        if matches!(part, Part::Inode | Part::Xattrs | Part::Inline) {
            ends.entry(path.unwrap_or_default()).or_insert((at, at)).1 = at + length;
        }
    }
    let is_cut = |(start, end): (u64, u64)| start / BLOCK as u64 != (end - 1) / BLOCK as u64;
    let cut = ends.iter().filter(|(_, ends)| is_cut(**ends)).map(|(path, _)| path);
    let (links, others): (Vec<_>, Vec<_>) = cut.partition(|path| {
        let id = tree.find(path).unwrap();
        matches!(tree.node(id).kind, Kind::Symlink(_))
    });
    assert_eq!(links, [] as [&Vec<u8>; 0]);
    assert!(!others.is_empty());
}

#[test]
fn xattrs_that_cannot_be_stored_are_named() {
    for (name, value) in [(b"system.nfs4_acl".as_slice(), 1), (b"user.", 1), (b"user.x", 65_536)] {
        let mut tree = Tree::new(Meta::new(0o755));
        tree.set_xattr(tree.root(), name, &vec![0; value]);
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
    let error = writer
        .add(Job::new(&writer, id, vec![0; 11], 0).run(&mut Workspace::default()))
        .unwrap_err();
    assert_eq!(error.to_string(), "a file of 10 bytes was given 11 bytes of content");
    let (writer, _) = tree(10);
    assert!(writer.finish(|_| ()).unwrap_err().to_string().contains("given 0 bytes"));
    let (mut writer, id) = tree(10);
    writer.add(Job::new(&writer, id, vec![0; 10], 0).run(&mut Workspace::default())).unwrap();
    assert!(
        writer.add(Job::new(&writer, id, vec![0; 10], 0).run(&mut Workspace::default())).is_err()
    );
}

/// An image that counts the bytes that are read of it.
struct Counted(Cursor<Vec<u8>>, Rc<Cell<usize>>);

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.1.update(|count| count + into.len());
        self.0.read(into)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn what_many_files_are_in_is_read_once() {
    let (files, mut tree) = (300, Tree::new(Meta::new(0o755)));
    for (nth, content) in below(64, files * 5000).chunks(5000).enumerate() {
        let name = nth.to_string().into_bytes();
        tree.file(tree.root(), &name, Meta::new(0o644), content.to_vec()).unwrap();
    }
    let count = Rc::new(Cell::new(0));
    let bytes = Cursor::new(write(&tree, Options::new(Profile::Small)));
    let mut image = Image::open(Counted(bytes, Rc::clone(&count))).unwrap();
    let read = image.tree().unwrap();
    count.set(0);
    // From one file to the next is as far as it can be.
    for nth in (0..files).map(|nth| nth * 151 % files) {
        let id = read.find(nth.to_string().as_bytes()).unwrap();
        let Kind::File(content) = &read.node(id).kind else { unreachable!("all are files") };
        image.read_all(content).unwrap();
    }
    let (read, size) = (count.get() as u64, image.size());
    assert!(size / 2 < read && read < size, "{read} of {size} bytes");
}

#[test]
fn what_a_source_has_in_its_buffer_is_not_read_again() {
    let mut tree = Tree::new(Meta::new(0o755));
    for nth in 0..2000 {
        tree.file(tree.root(), nth.to_string().as_bytes(), Meta::new(0o644), Vec::new()).unwrap();
    }
    let count = Rc::new(Cell::new(0));
    let bytes = Cursor::new(write(&tree, Options::new(Profile::None)));
    let source = BufReader::new(Counted(bytes, Rc::clone(&count)));
    let mut image = Image::open(source).unwrap();
    assert_eq!(image.tree().unwrap().len(), 2001);
    let (read, size) = (count.get() as u64, image.size());
    assert!(read < 10 * size, "{read} of {size} bytes");
}
