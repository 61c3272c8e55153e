//! Images of a few files each, and what they hold.

use super::*;
use crate::lz4::Workspace;
use crate::options::Profile;
use crate::read::{Area, Image, Part};
use crate::tree::{Kind, Meta};

/// An image of files with these contents, checked to have them; `prepare` may change the writer.
pub(super) fn pack(
    contents: &[Vec<u8>],
    options: Options,
    prepare: impl FnOnce(&mut Writer),
) -> Vec<u8> {
    let mut tree = Tree::new(Meta::new(0o755));
    let add = |(number, content): (usize, &Vec<u8>)| {
        let (name, size) = (number.to_string(), content.len() as u64);
        tree.file(tree.root(), name.as_bytes(), Meta::new(0o644), size).unwrap()
    };
    let ids: Vec<NodeId> = contents.iter().enumerate().map(add).collect();
    let mut writer = Writer::new(tree, options).unwrap();
    prepare(&mut writer);
    let (mut bytes, mut workspace) = (Vec::new(), Workspace::default());
    for (id, content) in ids.iter().zip(contents) {
        let mut left = content.len();
        for piece in content.chunks(writer.segment()) {
            left -= piece.len();
            let job = Job::new(&writer, *id, piece.to_vec(), left as u64);
            writer.add(job.run(&mut workspace)).unwrap();
        }
    }
    while let jobs = writer.jobs(true)
        && !jobs.is_empty()
    {
        for job in jobs {
            writer.add(job.run(&mut workspace)).unwrap();
            writer.writes().for_each(|write| write.put(&mut bytes));
        }
    }
    writer.finish(|write| write.put(&mut bytes)).unwrap();
    let mut image = Image::open(std::io::Cursor::new(bytes.as_slice())).unwrap();
    let tree = image.tree().unwrap();
    for (number, content) in contents.iter().enumerate() {
        let id = tree.child(tree.root(), number.to_string().as_bytes()).unwrap();
        let Kind::File(found) = &tree.node(id).kind else { panic!("{number} is a file") };
        assert!(image.read_all(found).unwrap() == *content, "file {number}");
    }
    bytes
}

#[test]
fn noise_is_a_fragment_only_where_it_is_like_other_noise() {
    let noise = crate::lz4::tests::noise(90_000, 256);
    let [one, other, third] = [0, 30_000, 60_000].map(|at| noise[at..at + 30_000].to_vec());
    let size = |contents: &[Vec<u8>]| pack(contents, Options::new(Profile::Small), |_| ()).len();
    // None begins a block where the other does.
    let moved = [&[1, 2, 3], &one[..29_000]].concat();
    let (alone, alike) = (size(&[one.clone(), other, third]), size(&[one.clone(), moved]));
    assert_eq!(alone, (2 + 3 * 7) * BLOCK, "each in blocks and behind its inode");
    assert_eq!(alike, (1 + 8) * BLOCK, "the second in a few bytes");
}

#[test]
fn fragments_may_come_between_the_pieces_of_another_file() {
    let mut tree = Tree::new(Meta::new(0o755));
    let bytes = crate::lz4::tests::noise(SEGMENT + 1_000_000, 16);
    let large = (&bytes[..], "large");
    let noise = crate::lz4::tests::noise(20_000, 256);
    // Behind so many inodes of files that share it there is no room for the third.
    let others = [(&bytes[..5_000], "text"), (&noise[..], "noise"), (&noise[..30], "short")];
    let mut add = |(content, name): (&[u8], &str)| {
        tree.file(tree.root(), name.as_bytes(), Meta::new(0o644), content.len() as u64).unwrap()
    };
    let large_id = add(large);
    let ids = others.map(&mut add);
    let twins: Vec<_> = (0..200).map(|nth| add((others[2].0, &nth.to_string()))).collect();
    let mut writer = Writer::new(tree, Options::new(Profile::Small)).unwrap();
    twins.iter().for_each(|twin| writer.share(*twin, ids[2]).unwrap());

    let (mut image, mut workspace) = (Vec::new(), Workspace::default());
    let (first, last) = large.0.split_at(SEGMENT);
    let job = Job::new(&writer, large_id, first.to_vec(), last.len() as u64);
    let job = writer.gather(job, &mut workspace).unwrap().expect("a piece of a file");
    writer.add(job.run(&mut workspace)).unwrap();
    for (id, (content, name)) in ids.into_iter().zip(others) {
        let mut gather = || {
            let job = Job::new(&writer, id, content.to_vec(), 0);
            writer.gather(job, &mut workspace)
        };
        assert!(gather().unwrap().is_none(), "{name}");
        assert!(gather().is_err(), "{name} has come");
    }
    let job = Job::new(&writer, large_id, last.to_vec(), 0);
    let job = writer.gather(job, &mut workspace).unwrap().expect("not all of the file");
    writer.add(job.run(&mut workspace)).unwrap();
    let jobs = writer.jobs(true);
    jobs.into_iter().for_each(|job| writer.add(job.run(&mut workspace)).unwrap());
    assert!(writer.jobs(true).is_empty());
    writer.finish(|write| write.put(&mut image)).unwrap();

    let mut image = Image::open(std::io::Cursor::new(image.as_slice())).unwrap();
    let tree = image.tree().unwrap();
    for (content, name) in others.into_iter().chain([large, (others[2].0, "199")]) {
        let id = tree.child(tree.root(), name.as_bytes()).unwrap();
        let Kind::File(found) = &tree.node(id).kind else { panic!("{name} is a file") };
        assert!(image.read_all(found).unwrap() == content, "{name}");
    }
    let map = image.map().unwrap();
    let is_large = |area: &Area| area.path.as_deref() == Some(b"large") && area.part == Part::Data;
    let (first, last) = (map.iter().position(is_large), map.iter().rposition(is_large));
    let between = &map[first.expect("its blocks")..last.expect("its blocks")];
    let of_others = between.iter().find(|area| !is_large(area) && area.part != Part::Padding);
    assert!(of_others.is_none(), "{of_others:?}");
}

/// As a tree with more than 4 GiB of small files.
#[test]
fn what_does_not_fit_the_packed_inode_gets_blocks_of_its_own() {
    let contents: Vec<Vec<u8>> = (0..20_u8)
        .map(|number| {
            let length = 20_000 + 3_000 * usize::from(number);
            (0..length).map(|at| number ^ (at * at / 50) as u8).collect()
        })
        .collect();
    let fill = |writer: &mut Writer| writer.fragments.as_mut().unwrap().most = 200_000;
    pack(&contents, Options::new(Profile::Small), fill);
}
