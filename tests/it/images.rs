//! Images of folders: the kernel mounts them and shows the folder again; `fsck.erofs --extract` decodes them.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use rustix::fs::{CWD, FileType, Mode, XattrFlags};

use crate::walk::{assert_same, walk};
use testdata::golden::noise;
use testdata::shared::data;
use testdata::tools::{Mount, can_mount, composer, has, run};

/// Packs a folder with every profile and holds the mounted image against it.
fn check(folder: &Path) {
    check_profiles(folder, &["none", "compat", "default", "small"]);
}

fn check_profiles(folder: &Path, profiles: &[&str]) {
    if !can_mount() || !has("fsck.erofs") {
        return;
    }
    let expected = walk(folder);
    let scratch = tempfile::tempdir().unwrap();
    for profile in profiles {
        let image = scratch.path().join("image.raw");
        run(composer().arg("pack").arg(folder).args(["--profile", profile, "-o"]).arg(&image));
        // fsck.erofs 1.5 reads a stored file at once and dies of one of 5 GiB; fragments came with 1.6.
        let old = String::from_utf8(run(Command::new("fsck.erofs").arg("-V")).stdout).unwrap();
        let knows = match *profile {
            "none" => fs::metadata(&image).unwrap().len() < 2 << 30,
            "small" => !old.contains("erofs 1.5"),
            _ => true,
        };
        if knows {
            run(Command::new("fsck.erofs").arg("--extract").arg(&image));
        }
        run(composer().arg("verify").arg(&image));
        assert_same(&expected, &walk(Mount::new(&image).path()));
    }
}

/// A folder that the machine has anyway, the smaller the better.
pub(crate) fn some_folder() -> &'static Path {
    let folders = ["/usr/share/perl5", "/usr/share/doc", "/usr/share"].map(Path::new);
    folders.into_iter().find(|folder| folder.is_dir()).unwrap()
}

#[test]
fn a_folder_of_documents() {
    check(Path::new("/usr/share/doc"));
}

#[test]
fn any_number_of_workers_gives_the_same_bytes() {
    let scratch = tempfile::tempdir().unwrap();
    let images = ["1", "2", "4"].map(|workers| {
        let image = scratch.path().join(workers);
        let mut pack = composer();
        pack.args(["pack", "--profile", "small", "--workers", workers, "-o"]).arg(&image);
        run(pack.arg(some_folder()));
        fs::read(image).unwrap()
    });
    assert!(images.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_kernel_that_is_too_old_is_named_with_what_would_do() {
    let scratch = tempfile::tempdir().unwrap();
    let image = scratch.path().join("image.raw");
    let mut pack = composer();
    pack.args(["pack", "--profile", "small", "--kernel", "5.15.0-200", "-o"]).arg(&image);
    let output = pack.arg(scratch.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("fragments (Linux 6.1)") && error.contains("--profile compat"),
        "{error}"
    );
    assert!(!image.exists());
}

#[test]
fn a_rust_toolchain() {
    let sysroot = run(Command::new("rustc").args(["--print", "sysroot"])).stdout;
    let bin = Path::new(std::str::from_utf8(&sysroot).unwrap().trim()).join("lib/rustlib");
    check(&bin);
}

#[test]
fn every_file_type_and_extreme() {
    if !can_mount() {
        return;
    }
    let (_scratch, root) = strange_tree();
    contents(&root);
    check_profiles(&root, &["default", "small"]);
    large(&root);
    let many = root.join("many");
    fs::create_dir(&many).unwrap();
    for number in 0..70_000 {
        fs::write(many.join(format!("entry-{number}")), []).unwrap();
    }
    check_profiles(&root, &["none", "compat"]);
}

/// Among these numbers of inodes are some that fill their blocks.
#[test]
fn the_last_inode_may_be_read_beyond() {
    if !has("fsck.erofs") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let (root, image) = (scratch.path().join("tree"), scratch.path().join("image.raw"));
    fs::create_dir(&root).unwrap();
    for number in 1..100 {
        let empty = File::create(root.join(number.to_string())).unwrap();
        empty.set_modified(UNIX_EPOCH + Duration::from_secs(number)).unwrap();
        run(composer().args(["pack", "--profile", "none"]).arg(&root).arg("-o").arg(&image));
        run(Command::new("fsck.erofs").arg("--extract").arg(&image));
        fs::remove_file(&image).unwrap();
    }
}

/// A folder with every type of file, names, owners and attributes that are seldom, and content that is shared in part.
pub(crate) fn strange_tree() -> (tempfile::TempDir, PathBuf) {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("tree");
    fs::create_dir(&root).unwrap();
    special_files(&root);
    names(&root);
    owners_and_attributes(&root);
    across_blocks(&root);
    alike(&root);
    (scratch, root)
}

fn special_files(root: &Path) {
    let mode = Mode::from_raw_mode(0o640);
    for (name, kind, device) in [
        ("fifo", FileType::Fifo, 0),
        ("socket", FileType::Socket, 0),
        ("char", FileType::CharacterDevice, rustix::fs::makedev(1, 3)),
        ("block", FileType::BlockDevice, rustix::fs::makedev(259, 300_000)),
    ] {
        rustix::fs::mknodat(CWD, root.join(name), kind, mode, device).unwrap();
    }
    symlink("target/".repeat(428) + "last", root.join("symlink-3000")).unwrap();
    symlink("x", root.join("symlink-1")).unwrap();
    fs::write(root.join("first"), "hard link").unwrap();
    fs::hard_link(root.join("first"), root.join("second")).unwrap();
    fs::create_dir(root.join("empty")).unwrap();
}

fn names(root: &Path) {
    let bytes = |name: &[u8]| root.join(std::ffi::OsStr::from_bytes(name));
    for name in [
        b"not utf-8 \xFF\xFE".as_slice(),
        b"!",
        b"-x",
        b"..hidden",
        &[b'n'; 255],
        "größe".as_bytes(),
    ] {
        fs::write(bytes(name), name).unwrap();
    }
    fs::create_dir_all(root.join("deep/".repeat(200))).unwrap();
}

fn owners_and_attributes(root: &Path) {
    let file = root.join("owned");
    fs::write(&file, "owned by 70000").unwrap();
    lchown(&file, Some(70_000), Some(80_000)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o6711)).unwrap();
    let old = root.join("old");
    let time = rustix::fs::Timespec { tv_sec: -315_619_200, tv_nsec: 123_456_789 };
    fs::write(&old, "from 1960").unwrap();
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(CWD, &old, &times, rustix::fs::AtFlags::empty()).unwrap();
    for number in 0..40 {
        let path = root.join(format!("attributes-{number}"));
        fs::write(&path, "x".repeat(number * 200)).unwrap();
        let set = |name: &str, value: &[u8]| {
            rustix::fs::lsetxattr(&path, name, value, XattrFlags::empty()).unwrap();
        };
        set(
            "security.capability",
            b"\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        );
        set("trusted.number", number.to_string().as_bytes());
        set("security.selinux", b"system_u:object_r:usr_t:s0\0");
    }
}

/// Inodes of 64 bytes with attributes, which ends of blocks cut in all places that there are. Some leave little room.
fn across_blocks(root: &Path) {
    let folder = root.join("across");
    fs::create_dir(&folder).unwrap();
    for number in 0..600_u32 {
        let path = folder.join(number.to_string());
        match number % 5 {
            0 => fs::write(&path, noise(3700 + number as usize % 300)).unwrap(),
            1 => fs::write(&path, vec![number as u8; number as usize]).unwrap(),
            _ => symlink("t".repeat(number as usize % 90 + 1), &path).unwrap(),
        }
        let value = number.to_string().repeat(number as usize % 7 + 1);
        rustix::fs::lsetxattr(&path, "trusted.x", value.as_bytes(), XattrFlags::empty()).unwrap();
        let time = rustix::fs::Timespec { tv_sec: number.into(), tv_nsec: 0 };
        let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::utimensat(CWD, &path, &times, flags).unwrap();
    }
}

/// Files that begin alike, with less than a cluster has room for.
fn alike(root: &Path) {
    let content: Vec<u8> = noise(3_000_000).iter().map(|byte| byte & 15).collect();
    for (nth, other) in content[1_000_000..].chunks(1_000_000).enumerate() {
        let file = [&content[..300_000], other].concat();
        fs::write(root.join(format!("alike-{nth}")), file).unwrap();
    }
}

fn contents(root: &Path) {
    let text: Vec<u8> = (0..20_000_u32)
        .flat_map(|number| format!("line {}\n", number * number).into_bytes())
        .collect();
    for size in [0, 1, 4031, 4032, 4064, 4065, 4095, 4096, 4097, 8192, 65_536, 100_000] {
        fs::write(root.join(format!("text-{size}")), &text[..size]).unwrap();
        fs::write(root.join(format!("noise-{size}")), noise(size)).unwrap();
    }
    // Files that begin and end alike, stored and compressed.
    let noise = noise(3_000_000);
    for (name, common) in [("text", &text), ("noise", &noise)] {
        for end in ["one", "another"] {
            let begins = root.join(format!("{name}-{end}"));
            fs::write(begins, [common, end.as_bytes()].concat()).unwrap();
            let ends = root.join(format!("{end}-{name}"));
            fs::write(ends, [end.as_bytes(), &common[common.len() - 100_000..]].concat()).unwrap();
        }
    }
    // What is in two files at different places.
    let letters: Vec<u8> = noise.iter().map(|byte| byte & 15).collect();
    for (name, before, after) in [("moved", 0, 70_000), ("moved-here", 12_345, 0)] {
        let content = [&text[..before], &letters, &text[..after]].concat();
        fs::write(root.join(name), content).unwrap();
    }
    let sparse = File::create(root.join("sparse")).unwrap();
    sparse.write_all_at(b"in the middle", 3_000_000).unwrap();
    sparse.set_len(10_000_001).unwrap();
}

fn large(root: &Path) {
    let large = File::create(root.join("five-gibibytes")).unwrap();
    large.write_all_at(&[7; 70_000], (4 << 30) - 35_000).unwrap();
    large.set_len((5 << 30) + 12_345).unwrap();
}

#[test]
fn extract_gives_the_folder_again() {
    if !can_mount() {
        return;
    }
    let (scratch, root) = strange_tree();
    let (image, out) = (scratch.path().join("image.raw"), scratch.path().join("out"));
    run(composer().arg("pack").arg(&root).arg("-o").arg(&image));
    run(composer().arg("extract").arg(&image).arg(&out));
    assert_same(&walk(&root), &walk(&out));
    // What is there is not overwritten.
    assert_eq!(
        composer().arg("extract").arg(&image).arg(&out).output().unwrap().status.code(),
        Some(2)
    );
}

#[test]
fn a_list_that_finds_no_place_is_an_error() {
    let scratch = tempfile::tempdir().unwrap();
    let (folder, image) = (scratch.path().join("folder"), scratch.path().join("image.raw"));
    fs::create_dir(&folder).unwrap();
    run(composer().arg("pack").arg(&folder).arg("-o").arg(&image));
    for arguments in [&["inspect"][..], &["inspect", "--map"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = composer().args(arguments).arg(&image).stdout(full).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("cannot write to the standard output"), "{error}");
    }
}

#[test]
fn images_of_mkfs_are_read() {
    if !has("mkfs.erofs") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let (image, out) = (scratch.path().join("mkfs.raw"), scratch.path().join("out"));
    let folder = some_folder();
    let mkfs = |options: &[&str]| {
        run(Command::new("mkfs.erofs").arg("--quiet").args(options).arg(&image).arg(folder));
    };
    for options in [
        &[][..],
        &["-zlz4"],
        &["-zlz4hc", "-C65536"],
        &["-zlz4", "-C1048576"],
        &["-zlz4", "-Eztailpacking"],
        &["-zlz4", "-C65536", "-Eztailpacking"],
        &["-zlz4", "-C65536", "-Efragments,ztailpacking"],
        &["-zlz4", "-Eall-fragments"],
        &["-zlz4", "-C32768", "-Ededupe,fragments"],
        &["-zlz4", "-Eforce-inode-extended,noinline_data"],
    ] {
        mkfs(options);
        run(composer().arg("extract").arg(&image).arg(&out));
        assert_same(&walk(folder), &walk(&out));
        fs::remove_dir_all(&out).unwrap();
    }
    // Images that need more say what, and are not called corrupt.
    mkfs(&["-zlz4", "-Elegacy-compress"]);
    let refused = composer().arg("verify").arg(&image).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("unsupported EROFS feature"));
}

#[test]
fn images_of_other_writers_are_whole_or_unsupported() {
    let Some(verdicts) = data("erofs/FSCK-erofs-utils-1.5.tsv") else { return };
    let root = data("").unwrap();
    let (mut whole, mut judged) = (0, 0);
    for line in fs::read_to_string(verdicts).unwrap().lines().filter(|line| line.contains("\trc=0"))
    {
        let image = root.join(line.split('\t').next().unwrap());
        if !image.exists() {
            continue;
        }
        let code = composer().arg("verify").arg(&image).output().unwrap().status.code();
        assert!(
            matches!(code, Some(0 | 2)),
            "{} is good for fsck.erofs, we say {code:?}",
            image.display()
        );
        whole += usize::from(code == Some(0));
        judged += 1;
    }
    assert!(whole > 30, "{whole} of {judged} read");
}

#[test]
fn broken_images_are_errors() {
    for folder in ["erofs", "bad/erofs"] {
        let mut below: Vec<_> = data(folder).into_iter().collect();
        while let Some(path) = below.pop() {
            if path.is_dir() {
                below.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let output = composer().arg("verify").arg(&path).output().unwrap();
            // 101 is a panic, no code a signal.
            assert!(matches!(output.status.code(), Some(0..=2)), "{}: {output:?}", path.display());
        }
    }
}

#[test]
fn damaged_images_are_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let image = scratch.path().join("image.raw");
    run(composer().arg("pack").arg(some_folder()).arg("-o").arg(&image));
    let whole = fs::read(&image).unwrap();
    // There are no checksums of content, but of the superblock, and nothing may be missing.
    for (flipped, length) in
        [(1100, whole.len()), (0, whole.len() - 1), (0, whole.len() / 2), (0, 1000)]
    {
        let mut bytes = whole[..length].to_vec();
        if flipped > 0 {
            bytes[flipped] ^= 0x5A;
        }
        fs::write(&image, bytes).unwrap();
        let verdict = composer().arg("verify").arg(&image).output().unwrap();
        assert_eq!(verdict.status.code(), Some(1), "{flipped} {length}");
    }
}
