//! Extensions of packages: what the kernel shows is what `rpm` lists, and `systemd-sysext` merges it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use sysext::rpm::{
    Capabilities, Compression, File, FileFlags, NewFile, NewPackage, Package, Payload,
};

use crate::packages::packages;
use crate::walk::xattrs;
use testdata::shared::data;
use testdata::tools::{Mount, can_mount, composer, has, merge, run};

/// Where today's recipes put a path of a package on Fedora 43, written down apart from the product's own rules.
fn place(path: &str) -> Option<String> {
    // What is made of all that is installed belongs to the base.
    let caches =
        ["/usr/share/info/dir", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"];
    if caches.contains(&path) || path.ends_with("/icon-theme.cache") || path.contains("/modules.") {
        return None;
    }
    let merged = [
        ("/usr/sbin/", "usr/bin/"),
        ("/sbin/", "usr/bin/"),
        ("/bin/", "usr/bin/"),
        ("/lib/", "usr/lib/"),
        ("/lib64/", "usr/lib64/"),
        ("/etc/", "usr/etc/"),
        ("/usr/", "usr/"),
    ];
    let (from, to) = merged.iter().find(|(from, _)| path.starts_with(from))?;
    Some(format!("{to}{}", &path[from.len()..]))
}

/// Holds a file of the mounted image against what the package says of it.
fn check_file(root: &Path, file: &File) {
    let Some(place) = place(&file.display()) else { return };
    let path = root.join(&place);
    let found = path.symlink_metadata().unwrap_or_else(|error| panic!("{place}: {error}"));
    let mut mode = u32::from(file.mode);
    if !file.is_directory() && *file.user != *"root" {
        mode &= !0o4000;
    }
    if !file.is_directory() && *file.group != *"root" {
        mode &= !0o2000;
    }
    // What systemd reads is no program, whatever a package says.
    let read = ["system/", "user/", "tmpfiles.d/", "sysusers.d/", "sysctl.d/", "modules-load.d/"];
    let is_read = read.iter().any(|folder| {
        place.starts_with(&format!("usr/lib/systemd/{folder}"))
            || place.starts_with(&format!("usr/lib/{folder}"))
    });
    if is_read && file.is_file() && mode & 0o111 != 0 {
        mode = 0o100_644;
    }
    assert_eq!(found.mode(), mode, "mode of {place}");
    assert_eq!((found.uid(), found.gid()), (0, 0), "owner of {place}");
    assert_eq!(found.mtime(), i64::from(file.mtime), "time of {place}");
    if file.is_symlink() {
        let target = fs::read_link(&path).unwrap();
        assert_eq!(target.as_os_str().as_encoded_bytes(), &*file.link_target, "target of {place}");
    }
    if file.is_file() {
        assert_eq!(found.len(), file.size, "size of {place}");
        let expected =
            Capabilities::parse(&file.capabilities).filter(|_| !file.capabilities.is_empty());
        let capability = xattrs(&path).remove("security.capability");
        assert_eq!(
            capability,
            expected.map(|capabilities| capabilities.xattr()),
            "capability of {place}"
        );
    }
}

/// The contents of a package as its payload has them.
fn contents(bytes: &[u8]) -> BTreeMap<usize, Vec<u8>> {
    let mut payload = Payload::open(bytes).unwrap();
    let mut contents = BTreeMap::new();
    while let Some(member) = payload.next_member().unwrap() {
        let mut content = vec![0; member.size as usize];
        let mut filled = 0;
        while filled < content.len() {
            filled += payload.read(&mut content[filled..]).unwrap();
        }
        contents.insert(member.file, content);
    }
    contents
}

#[test]
fn every_package_becomes_what_rpm_lists() {
    if !can_mount() || !has("fsck.erofs") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let image = scratch.path().join("x.raw");
    let mut composed = 0;
    for path in packages("rpms") {
        let bytes = fs::read(&path).unwrap();
        let package = Package::read(bytes.as_slice()).unwrap();
        if package.is_source {
            continue;
        }
        run(composer()
            .args(["compose", "--name", "x", "--release", "43", "--arch", "x86_64", "-o"])
            .arg(&image)
            .arg(&path));
        run(Command::new("fsck.erofs").arg("--extract").arg(&image));
        run(composer().arg("verify").arg(&image));
        let mount = Mount::new(&image);
        let contents = contents(&bytes);
        for (index, file) in package.files.iter().enumerate() {
            if file.flags.contains(FileFlags::GHOST) {
                continue;
            }
            check_file(mount.path(), file);
            if let Some(place) = place(&file.display()).filter(|_| file.is_file()) {
                let source = file.hard_links.map_or(index, |links| links.last);
                assert!(
                    fs::read(mount.path().join(&place)).unwrap() == contents[&source],
                    "content of {place}"
                );
            }
        }
        composed += 1;
    }
    assert!(composed > 200 || data("rpms").is_none(), "only {composed} packages");
}

fn hello(version: &str) -> NewPackage {
    NewPackage {
        files: vec![
            NewFile::file(
                "/usr/bin/hello",
                0o755,
                b"#!/bin/sh\necho hello from an extension\n".to_vec(),
            ),
            NewFile {
                capabilities: "cap_net_raw=ep".into(),
                ..NewFile::file("/usr/sbin/ping", 0o755, b"ping".to_vec())
            },
            NewFile::file("/etc/hello.conf", 0o644, b"greeting".to_vec()),
            NewFile::file("/var/lib/hello/state", 0o644, b"state".to_vec()),
            NewFile {
                user: "nobody".into(),
                mode: 0o104_755,
                ..NewFile::file("/usr/bin/nobodys", 0, b"x".to_vec())
            },
        ],
        post: Some("make-a-key > /etc/hello.key\n".into()),
        build_time: 1_700_000_000,
        ..NewPackage::new("hello", version, "1.fc43", "x86_64")
    }
}

fn compose(
    folder: &Path,
    packages: &[&NewPackage],
    more: &[&str],
) -> (std::process::Output, serde_json::Value) {
    let mut command = composer();
    command.args([
        "compose",
        "--json",
        "--name",
        "hello",
        "--release",
        "43",
        "--arch",
        "x86_64",
        "-o",
    ]);
    command.arg(folder.join("hello.raw")).args(more);
    for (number, package) in packages.iter().enumerate() {
        let path = folder.join(format!("{number}.rpm"));
        fs::write(&path, package.write(&Compression::Gzip)).unwrap();
        command.arg(path);
    }
    let output = command.output().unwrap();
    let json = serde_json::from_slice(&output.stdout).unwrap();
    (output, json)
}

fn checks(json: &serde_json::Value) -> Vec<String> {
    let findings = json["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["check"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn systemd_merges_an_extension_and_its_program_runs() {
    if !can_mount() || !has("systemd-sysext") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let (output, json) = compose(scratch.path(), &[&hello("1.0")], &[]);
    assert!(output.status.success(), "{json}");
    assert_eq!(json["file_name"], "hello-1.0-1.fc43-43-x86-64.raw");
    assert_eq!(
        checks(&json),
        ["path-root", "owner", "set-id", "scriptlets", "etc-moved", "privileges"]
    );
    let image = scratch.path().join("hello.raw");
    let merged = merge(
        &image,
        "hello",
        "43",
        "usr/bin/hello; cat usr/etc/hello.conf; stat -c %a usr/bin/nobodys; getcap usr/bin/ping || true",
    );
    let text = String::from_utf8_lossy(&merged.stdout).into_owned();
    assert!(
        text.starts_with("hello from an extension\ngreeting755\n"),
        "{text}{}",
        String::from_utf8_lossy(&merged.stderr)
    );
    assert!(text.contains("cap_net_raw=ep"), "{text}");
    // The release is checked: that is what ID=fedora is for.
    let other = merge(&image, "hello", "44", "test ! -e usr/bin/hello");
    assert!(other.status.success(), "{}", String::from_utf8_lossy(&other.stderr));
    compose(scratch.path(), &[&hello("1.0")], &["--any-release"]);
    let any = merge(&image, "hello", "44", "usr/bin/hello");
    assert!(any.status.success(), "{}", String::from_utf8_lossy(&any.stderr));
}

#[test]
fn a_real_package_merges_and_runs() {
    if !can_mount() || !has("systemd-sysext") {
        return;
    }
    let Some(package) = data("rpms/david35mm-rpms/fd-8.2.1-2.fc34.x86_64.rpm") else { return };
    let scratch = tempfile::tempdir().unwrap();
    let image = scratch.path().join("fd.raw");
    run(composer()
        .args(["compose", "--name", "fd", "--release", "43", "--arch", "x86_64", "-o"])
        .arg(&image)
        .arg(package));
    let merged = merge(&image, "fd", "43", "usr/bin/fd --version");
    assert_eq!(String::from_utf8_lossy(&merged.stdout), "fd 8.2.1\n");
}

#[test]
fn conflicts_name_both_packages_and_write_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let mut other = NewPackage::new("other", "2.0", "1", "noarch");
    other.files = vec![NewFile::file("/bin/hello", 0o755, b"something else".to_vec())];
    let (output, json) = compose(scratch.path(), &[&hello("1.0"), &other], &[]);
    assert_eq!(output.status.code(), Some(1));
    let finding = &json["findings"][0];
    assert_eq!(
        (finding["severity"].as_str(), finding["check"].as_str()),
        (Some("error"), Some("file-conflict"))
    );
    let message = finding["message"].as_str().unwrap();
    assert!(
        message.contains("hello-1.0-1.fc43.x86_64") && message.contains("other-2.0-1.noarch"),
        "{message}"
    );
    assert!(!scratch.path().join("hello.raw").exists());
    // Left out of one, there is no conflict.
    let (output, _) =
        compose(scratch.path(), &[&hello("1.0"), &other], &["--exclude", "other:/bin/hello"]);
    assert!(output.status.success());
    // Nor where the content is the same.
    other.files = vec![hello("1.0").files[0].clone()];
    let (output, json) = compose(scratch.path(), &[&hello("1.0"), &other], &[]);
    assert!(output.status.success(), "{json}");
}

#[test]
fn what_is_left_out_is_not_in_the_image() {
    let scratch = tempfile::tempdir().unwrap();
    let (_, json) = compose(
        scratch.path(),
        &[&hello("1.0")],
        &["--exclude", "/usr/sbin", "--exclude", "*.conf", "--exclude", "/nothing"],
    );
    assert!(checks(&json).contains(&"exclude".to_owned()));
    let listed =
        run(composer().args(["inspect", "--json"]).arg(scratch.path().join("hello.raw"))).stdout;
    let listed: serde_json::Value = serde_json::from_slice(&listed).unwrap();
    let paths: Vec<&str> = listed["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    assert!(paths.contains(&"/usr/bin/hello"));
    assert!(
        !paths.contains(&"/usr/bin/ping") && !paths.contains(&"/usr/etc/hello.conf"),
        "{paths:?}"
    );
}

#[test]
fn the_order_of_packages_and_the_clock_change_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let mut other = NewPackage::new("other", "2.0", "1", "noarch");
    other.files = vec![NewFile {
        mtime: 2_000_000_000,
        ..NewFile::file("/usr/share/other", 0o644, vec![b'x'; 100_000])
    }];
    let digest = |packages: &[&NewPackage], more: &[&str]| {
        let (_, json) = compose(scratch.path(), packages, more);
        json["sha256"].as_str().unwrap().to_owned()
    };
    let hello = hello("1.0");
    let first = digest(&[&hello, &other], &[]);
    assert_eq!(first, digest(&[&other, &hello], &[]));
    assert_eq!(first, digest(&[&other, &hello, &other], &[]));
    assert_ne!(first, digest(&[&hello, &other], &["--source-date-epoch", "1000000000"]));
    if can_mount() {
        let mount = Mount::new(&scratch.path().join("hello.raw"));
        let time = |path: &str| mount.path().join(path).metadata().unwrap().mtime();
        assert_eq!(
            (time("usr/share/other"), time("usr/bin"), time("usr/bin/hello")),
            (1_000_000_000, 1_000_000_000, 0)
        );
    }
}

#[test]
fn bad_use_and_bad_input_end_with_2() {
    let scratch = tempfile::tempdir().unwrap();
    let package = scratch.path().join("package.rpm");
    fs::write(&package, hello("1.0").write(&Compression::None)).unwrap();
    let image = scratch.path().join("image.raw");
    let check = |name: &str, release: &str, arch: &str, package: &Path, expected: &str| {
        let mut command = composer();
        command
            .args(["compose", "--name", name, "--release", release, "--arch", arch, "-o"])
            .arg(&image)
            .arg(package);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(expected), "{text}");
        assert!(!image.exists());
    };
    check("a/b", "43", "x86_64", &package, "cannot name an extension");
    check("x", "rawhide", "x86_64", &package, "expected a number such as 43");
    check("x", "43", "vax", &package, "expected one of x86_64");
    check("x", "43", "x86_64", &scratch.path().join("none.rpm"), "cannot open");
    fs::write(&package, b"not a package").unwrap();
    check("x", "43", "x86_64", &package, "lead at byte 0: expected 96 bytes");
    let mut bytes = hello("1.0").write(&Compression::Gzip);
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    fs::write(&package, bytes).unwrap();
    check("x", "43", "x86_64", &package, "at byte");
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1, "nothing half-written is left");
}
