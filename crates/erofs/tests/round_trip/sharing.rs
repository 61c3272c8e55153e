//! What files have in common is there once.

use std::io::Cursor;

use erofs::{
    BLOCK, Image, Job, Kind, Meta, NodeId, Options, Part, Profile, SEGMENT, Tree, Workspace, Writer,
};

use crate::support::{
    Contents, below, check, check_with, find, noise, one_file, read_all, text, write,
};

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
            let fronts = size(&one_file(text(front))) + 3 * BLOCK;
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

#[test]
fn small_files_that_are_alike_meet() {
    // As far from each other in the tree as LZ4 does not see; they begin and end differently.
    let (common, mut tree) = (below(200, 40 * 7000), Tree::new(Meta::new(0o755)));
    for folder in [b"a", b"b"] {
        let id = tree.directory(tree.root(), folder, Meta::new(0o755)).unwrap();
        for (nth, common) in common.chunks(7000).enumerate() {
            let content = [folder, common, folder].concat();
            tree.file(id, nth.to_string().as_bytes(), Meta::new(0o644), content).unwrap();
        }
    }
    let size = write(&tree, Options::new(Profile::Small)).len();
    assert!(size < common.len() * 11 / 10, "{size} and {} bytes", common.len());
    check(&tree);
}

/// Programs or fonts of one package: each is longer than LZ4 sees, and much at its end is like what the others end with.
#[test]
fn long_files_that_end_alike_meet_there() {
    let (fronts, ends) = (below(200, 3 * 90_000), below(200, 50_000));
    let mut tree = Tree::new(Meta::new(0o755));
    for (nth, front) in fronts.chunks(90_000).enumerate() {
        // No run is as long as a block.
        let end = ends.chunks(700).flat_map(|part| [part, &[nth as u8; 5]].concat());
        let content = front.iter().copied().chain(end).collect();
        tree.file(tree.root(), nth.to_string().as_bytes(), Meta::new(0o644), content).unwrap();
    }
    let size = write(&tree, Options::new(Profile::Small)).len();
    let most = fronts.len() + ends.len() * 4 / 3;
    assert!(size < most, "{size} of {most} bytes");
    check(&tree);
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
        ends.iter().map(|&(id, content)| Job::new(writer, id, content.to_vec(), 0)).collect()
    };
    let pieces: Vec<_> = large.chunks(SEGMENT).collect();
    for (nth, ends) in ends.chunks(140).enumerate() {
        let mut batch = jobs(&writer, ends);
        let left = pieces[1].len() as u64;
        batch.extend((nth == 1).then(|| Job::new(&writer, large_id, pieces[0].to_vec(), left)));
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
    let last = Job::new(&writer, large_id, pieces[1].to_vec(), 0);
    run(&mut writer, vec![last]);
    while let jobs = writer.jobs(true)
        && !jobs.is_empty()
    {
        run(&mut writer, jobs);
    }
    writer.finish(|write| write.put(&mut image)).unwrap();

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

/// Pictures and archives that differ in a few bytes: LZ4 makes little of them, and the same of what is behind those.
#[test]
fn what_hardly_compresses_is_shared_in_short_clusters() {
    let noise = noise(600_000);
    // One byte of 16 can be saved.
    let picture = |first: u8| -> Vec<u8> {
        let cells = noise.chunks(480).flat_map(|cell| [cell, &[b' '; 40]].concat());
        [vec![first; 100], noise[..100].to_vec()].concat().into_iter().chain(cells).collect()
    };
    let size = |pictures: &[u8]| {
        let mut tree = Tree::new(Meta::new(0o755));
        for first in pictures {
            tree.file(tree.root(), &[b'a' + first], Meta::new(0o644), picture(*first)).unwrap();
        }
        check_with(&tree, Options::new(Profile::Small));
        write(&tree, Options::new(Profile::Small)).len()
    };
    let (one, three) = (size(&[1]), size(&[1, 2, 3]));
    assert!(three < one + one / 3, "{three} bytes, one takes {one}");
}

/// What follows each inode is there as often; in a block it is there once.
#[test]
fn what_many_files_end_with_is_in_a_block() {
    for (content, profile) in
        [(noise(300), Profile::None), ([below(16, 20_000), noise(900)].concat(), Profile::Default)]
    {
        let size = |count: usize| {
            let mut tree = Tree::new(Meta::new(0o755));
            for nth in 0..count {
                let name = nth.to_string();
                tree.file(tree.root(), name.as_bytes(), Meta::new(0o644), content.clone()).unwrap();
            }
            check(&tree);
            write(&tree, Options::new(profile)).len()
        };
        let (one, many) = (size(1), size(60));
        assert!(many <= one + 3 * BLOCK, "{profile:?}: {many} bytes, one file {one}");
    }
}
