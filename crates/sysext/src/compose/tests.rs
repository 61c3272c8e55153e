use std::cell::RefCell;

use erofs::{Profile, Workspace};
use rpm::{Compression, Digesting, NewFile, NewPackage};

use super::*;
use crate::recipe::{Arch, Recipe, Target};

/// What a host got.
struct Made {
    image: Vec<u8>,
    report: Report,
    /// The most batches of jobs that were out.
    out_at_most: usize,
    /// A letter for each package (P) and digest (D) that it was asked for.
    asked: String,
}

/// Does what composing asks for, as a host that has up to `most` batches of jobs out before it answers.
fn drive<'a>(
    mut compose: Compose<&'a [u8]>,
    packages: &[&'a [u8]],
    most: usize,
    mut digest: impl FnMut(Ticket) -> Vec<u8>,
) -> Result<Made, Error> {
    let (mut workspace, mut image) = (Workspace::default(), Vec::new());
    let (mut out, mut out_at_most) = (VecDeque::<Vec<Job>>::new(), 0);
    let mut asked = String::new();
    loop {
        let step = compose.step()?;
        let waits = matches!(step, Step::Wait);
        match step {
            Step::Package(index) => {
                asked.push('P');
                compose.package(packages[index])?;
            }
            Step::Compress(jobs) => out.push_back(jobs),
            Step::Wait => {}
            Step::Digest(ticket) => {
                asked.push('D');
                compose.digest(&digest(ticket))?;
            }
            Step::Write(write) => write.put(&mut image),
            Step::Read { at, length } => compose.image(&image[at as usize..][..length])?,
            Step::Done(report) => return Ok(Made { image, report, out_at_most, asked }),
        }
        out_at_most = out_at_most.max(out.len());
        if waits || out.len() >= most {
            let jobs = out.pop_front().expect("jobs that are waited for");
            compose.compressed(jobs.into_iter().map(|job| job.run(&mut workspace)).collect())?;
        }
    }
}

fn start<'a>(packages: &[&'a [u8]], recipe: &Recipe) -> Result<Compose<&'a [u8]>, Error> {
    let headers = packages.iter().map(|package| rpm::Package::read(*package).expect("a package"));
    Compose::new(Plan::new(headers.collect(), recipe)?)
}

/// Composes with a host that leaves digests to the core.
fn compose(package: &[u8], recipe: &Recipe, most: usize) -> Made {
    let compose = start(&[package], recipe).expect("a plan without errors");
    let digest = |_| unreachable!("digests are the core's here");
    drive(compose, &[package], most, digest).expect("composing works")
}

fn recipe() -> Recipe {
    Recipe::new("app", Target { release: "43".into(), arch: Arch::X86_64 })
}

#[test]
fn a_host_that_answers_late_gets_the_same_image() {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 & 15
    };
    let mut bytes = |length| (0..length).map(|_| next()).collect::<Vec<u8>>();
    // Large files and others whose ends are gathered, then small ones that are gathered as they are, more than are sorted at
    // once: text and noise, which is stored as it is if it is like no other.
    let mut files = Vec::new();
    let mut add = |name: String, content| files.push(NewFile::file(&name, 0o644, content));
    for number in 0..2 {
        add(format!("/usr/lib/large/{number}"), bytes(12_000_000 + number));
    }
    for number in 0..30 {
        add(format!("/usr/lib/medium/{number}"), bytes(700_000));
    }
    for number in 0..1_400 {
        let text = bytes(40_000);
        let noise = || text.iter().zip(&text[20_000..]).map(|(one, other)| one << 4 | other);
        let content = if number % 2 == 0 { noise().collect() } else { text };
        add(format!("/usr/lib/small/{number}"), content);
    }
    let package = NewPackage { files, ..NewPackage::new("app", "1", "1", "x86_64") };
    let package = package.write(&Compression::None);
    let recipe = Recipe { profile: Profile::Small, ..recipe() };
    let at_once = compose(&package, &recipe, 1);
    assert_eq!(at_once.out_at_most, 1);
    for most in [2, usize::MAX] {
        let late = compose(&package, &recipe, most);
        assert!(late.out_at_most > 1, "jobs go out while others are out");
        assert!(at_once.image == late.image, "the same bytes with up to {most} batches out");
    }
}

/// A host that computes digests of its own, once it is asked for them.
#[derive(Debug)]
struct Host {
    known: Rc<RefCell<Vec<Vec<u8>>>>,
}

#[derive(Debug)]
struct Gathered {
    sum: Sum,
    known: Rc<RefCell<Vec<Vec<u8>>>>,
}

fn remember(known: &RefCell<Vec<Vec<u8>>>, sum: Sum) -> Ticket {
    let Found::Digest(digest) = sum.finish() else { unreachable!("computed by the core") };
    known.borrow_mut().push(digest);
    known.borrow().len() as Ticket - 1
}

impl Digests for Host {
    fn begin(&self, algorithm: u32, size: u64) -> Option<Box<dyn Digesting>> {
        let sum = Sum::new(None, algorithm, size)?;
        Some(Box::new(Gathered { sum, known: Rc::clone(&self.known) }))
    }
}

impl Digesting for Gathered {
    fn update(&mut self, bytes: &[u8]) {
        self.sum.update(bytes);
    }

    fn finish(self: Box<Self>) -> Ticket {
        remember(&self.known, self.sum)
    }
}

/// Composes with a host that has its own digests, and is wrong about one of them.
fn compose_with_digests(packages: &[&[u8]], wrong: Option<Ticket>) -> Result<Made, Error> {
    let known = Rc::default();
    let host = Host { known: Rc::clone(&known) };
    let compose = start(packages, &recipe())?.with_digests(Rc::new(host));
    drive(compose, packages, 1, |ticket| {
        let mut digest = known.borrow()[ticket as usize].clone();
        digest[0] ^= u8::from(Some(ticket) == wrong);
        digest
    })
}

#[test]
fn digests_of_the_host_count() {
    let files = ["one", "two"].map(|name| {
        NewFile::file(&format!("/usr/share/{name}"), 0o644, name.repeat(9_000).into_bytes())
    });
    let package = NewPackage { files: files.into(), ..NewPackage::new("app", "1", "1", "x86_64") };
    let package = package.write(&Compression::Gzip);
    let made = compose_with_digests(&[&package], None).expect("all digests are right");
    assert_eq!(made.asked, "PDDDD", "two files, the payload, the image");
    let image = compose(&package, &recipe(), 1).image;
    let mut sum = Sum::sha256(None, image.len() as u64);
    sum.update(&image);
    let Found::Digest(digest) = sum.finish() else { unreachable!("computed by the core") };
    assert_eq!(made.report.sha256, hex(&digest));
    for (ticket, what) in [(0, "/usr/share/one"), (1, "/usr/share/two"), (2, "payload digest")] {
        let error = compose_with_digests(&[&package], Some(ticket)).err().expect("one is wrong");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn digests_of_a_package_are_asked_for_when_the_next_is_read() {
    let packages = ["a", "b", "c"].map(|name| {
        let file = NewFile::file(&format!("/usr/share/{name}"), 0o644, name.into());
        let package = NewPackage { files: vec![file], ..NewPackage::new(name, "1", "1", "x86_64") };
        package.write(&Compression::Gzip)
    });
    let packages = packages.each_ref().map(Vec::as_slice);
    let made = compose_with_digests(&packages, None).expect("all digests are right");
    // Of each package the file and the payload, and last of all the image.
    assert_eq!(made.asked, "PPDDPDDDDD");
    for (ticket, name) in [(0, "a-1-1"), (3, "b-1-1"), (5, "c-1-1")] {
        let error = compose_with_digests(&packages, Some(ticket)).err().expect("one is wrong");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn another_package_than_the_planned_one_is_refused_by_name() {
    let [planned, newer] = ["1", "2"].map(|version| {
        let file = NewFile::file("/usr/share/app", 0o644, version.into());
        let package =
            NewPackage { files: vec![file], ..NewPackage::new("app", version, "1", "x86_64") };
        package.write(&Compression::Gzip)
    });
    let compose = start(&[&planned], &recipe()).expect("a plan without errors");
    let digest = |_| unreachable!("digests are the core's here");
    let error = drive(compose, &[&newer], 1, digest).err().expect("not what was planned");
    let Error::Changed { expected, found } = error else { panic!("{error}") };
    assert_eq!((expected.as_str(), found.as_str()), ("app-1-1.x86_64", "app-2-1.x86_64"));
}
