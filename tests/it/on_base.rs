//! Extensions for a target that is known: its users' numbers, and the labels that `setfiles` would give.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sysext::rpm::{Capabilities, Compression, NewFile, NewPackage};
use testdata::shared::data;
use testdata::tools::{Mount, can_mount, composer, has, run};

use crate::bases::root;
use crate::packages::packages;
use crate::walk::xattrs;

const CONTEXTS: &str = "etc/selinux/targeted/contexts/files/file_contexts";

/// A base pack of a root with users, groups and a policy.
fn base(folder: &Path, file_contexts: &str, subs_dist: &str) -> PathBuf {
    base_of("43", folder, file_contexts, subs_dist)
}

/// A base pack of a root of a release, with users, groups and a policy.
pub(crate) fn base_of(
    release: &str,
    folder: &Path,
    file_contexts: &str,
    subs_dist: &str,
) -> PathBuf {
    let root = root(folder, 1);
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("usr/lib/os-release", &format!("ID=fedora\nVERSION_ID={release}\n"));
    write("usr/lib/passwd", "root:x:0:0::/root:/bin/sh\nsquid:x:23:23::/:/sbin/nologin\n");
    write("usr/lib/group", "root:x:0:\ntcpdump:x:72:\nsquid:x:23:\n");
    write(CONTEXTS, file_contexts);
    write(&format!("{CONTEXTS}.subs_dist"), subs_dist);
    let pack = folder.join("target.base");
    run(composer().args(["base", "make"]).arg(&root).arg("-o").arg(&pack));
    pack
}

fn compose(folder: &Path, base: &Path, packages: &[PathBuf]) -> (PathBuf, serde_json::Value) {
    let image = folder.join("x.raw");
    let output = run(composer()
        .args(["--json", "compose", "--name", "x", "--release", "43", "--arch", "x86_64", "--base"])
        .arg(base)
        .arg("-o")
        .arg(&image)
        .args(packages));
    (image, serde_json::from_slice(&output.stdout).unwrap())
}

/// The label of every path below a folder, the folder itself as the empty path.
fn labels(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut labels = BTreeMap::new();
    let mut below = vec![root.to_owned()];
    while let Some(path) = below.pop() {
        if path.symlink_metadata().unwrap().is_dir() {
            below.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let label = xattrs(&path).remove("security.selinux").unwrap_or_default();
        labels.insert(path.strip_prefix(root).unwrap().to_owned(), label);
    }
    labels
}

/// Holds the labels of a mounted image against those that `setfiles` gives to a copy of it.
fn check_labels(folder: &Path, image: &Path, file_contexts: &Path) -> usize {
    let mount = Mount::new(image);
    let copy = folder.join("copy");
    let _ = fs::remove_dir_all(&copy);
    run(Command::new("cp").args(["-r", "--preserve=mode,links"]).arg(mount.path()).arg(&copy));
    run(Command::new("setfiles").arg("-r").arg(&copy).arg(file_contexts).arg(&copy));
    let (expected, found) = (labels(&copy), labels(mount.path()));
    for (path, expected) in &expected {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&found[path]), text(expected), "{}", path.display());
    }
    assert_eq!(expected.len(), found.len());
    expected.len()
}

fn program(path: &str, mode: u16, user: &str, group: &str) -> NewFile {
    let (user, group) = (user.into(), group.into());
    NewFile { user, group, ..NewFile::file(path, mode, b"program".to_vec()) }
}

#[test]
fn owners_set_id_bits_and_capabilities_survive() {
    if !can_mount() || !has("rpm") || !has("setfiles") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let policy = "/.*\tsystem_u:object_r:default_t:s0\n/\t-d\tsystem_u:object_r:root_t:s0\n\
        /usr(/.*)?\tunconfined_u:object_r:usr_t:s0\n/usr/bin(/.*)?\tsystem_u:object_r:bin_t:s0\n\
        /usr/bin/ping\t--\tsystem_u:object_r:ping_exec_t:s0\n/usr/lib/cache\t-d\t<<none>>\n";
    let pack = base(folder.path(), policy, "/usr/sbin /usr/bin\n");
    let package = NewPackage {
        files: vec![
            NewFile {
                capabilities: "cap_net_raw,cap_net_admin=ep".into(),
                ..program("/usr/bin/dumpcap", 0o750, "root", "tcpdump")
            },
            program("/usr/bin/ping", 0o4755, "root", "root"),
            program("/usr/lib/x/chrome-sandbox", 0o4755, "root", "root"),
            program("/usr/lib/squid/helper", 0o6755, "squid", "squid"),
            program("/usr/bin/other", 0o6755, "nobody-knows", "squid"),
            NewFile::directory("/usr/lib/cache", 0o755),
            NewFile::symlink("/usr/bin/link", "ping"),
            NewFile::file("/usr/share/selinux/packages/x.pp.bz2", 0o644, b"module".to_vec()),
        ],
        ..NewPackage::new("x", "1", "1", "x86_64")
    };
    let path = folder.path().join("x.rpm");
    fs::write(&path, package.write(&Compression::Gzip)).unwrap();
    let (image, json) = compose(folder.path(), &pack, &[path]);
    let mount = Mount::new(&image);
    let check = |path: &str, mode: u32, uid: u32, gid: u32| {
        let found = fs::symlink_metadata(mount.path().join(path)).unwrap();
        let found = (found.mode() & 0o7777, found.uid(), found.gid());
        assert_eq!(found, (mode, uid, gid), "{path}: {:o}", found.0);
    };
    check("usr/bin/dumpcap", 0o750, 0, 72);
    check("usr/bin/ping", 0o4755, 0, 0);
    check("usr/lib/x/chrome-sandbox", 0o4755, 0, 0);
    check("usr/lib/squid/helper", 0o6755, 23, 23);
    // Root in place of somebody whom the target does not have gains no rights.
    check("usr/bin/other", 0o2755, 0, 23);
    let dumpcap = xattrs(&mount.path().join("usr/bin/dumpcap"));
    let capabilities = Capabilities::parse("cap_net_raw,cap_net_admin=ep").unwrap();
    assert_eq!(dumpcap["security.capability"], capabilities.xattr());
    let label = |path: &str| {
        let label = xattrs(&mount.path().join(path)).remove("security.selinux");
        label.map(|label| String::from_utf8(label).unwrap())
    };
    let of = |name: &str| Some(format!("system_u:object_r:{name}:s0\0"));
    assert_eq!(label(""), of("root_t"));
    assert_eq!(label("usr"), of("usr_t"));
    assert_eq!(label("usr/bin/ping"), of("ping_exec_t"));
    assert_eq!(label("usr/bin/link"), of("bin_t"));
    assert_eq!(label("usr/lib/cache"), None);
    assert_eq!(label("usr/lib/extension-release.d/extension-release.x"), of("usr_t"));

    let findings = json["findings"].as_array().unwrap();
    let about = |check: &str| -> Vec<&str> {
        let own = findings.iter().filter(|finding| finding["check"] == check);
        own.map(|finding| finding["message"].as_str().unwrap()).collect()
    };
    assert!(about("owner")[0].contains("the user nobody-knows"), "{findings:?}");
    assert_eq!((about("owner").len(), about("set-id").len()), (1, 1));
    assert!(about("label")[0].contains("/usr/lib/cache"), "{findings:?}");
    assert!(about("policy-module")[0].contains("x.pp.bz2"), "{findings:?}");
}

#[test]
fn labels_are_those_of_setfiles() {
    if !can_mount() || !has("rpm") || !has("setfiles") {
        return;
    }
    let Some(policy) = data("selinux/generated-rawhide") else { return };
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| fs::read_to_string(policy.join(name)).unwrap();
    let pack = base(folder.path(), &read("file_contexts"), &read("file_contexts.subs_dist"));
    let mut compared = 0;
    // Every third: all kinds of packages, in a third of the time.
    for package in packages("rpms").into_iter().step_by(3) {
        let bytes = fs::read(&package).unwrap();
        if sysext::rpm::Package::read(bytes.as_slice()).unwrap().is_source {
            continue;
        }
        let (image, _) = compose(folder.path(), &pack, &[package]);
        compared += check_labels(folder.path(), &image, &policy.join("file_contexts"));
    }
    assert!(compared > 1000, "{compared} paths");
}

#[test]
fn what_the_base_has_already_is_told() {
    if !has("rpm") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Its one package has files 0 to 499 in /usr/share/package-0.
    let pack = base(folder.path(), "/usr(/.*)?\tsystem_u:object_r:usr_t:s0\n", "");
    let check = |name: &str, version: &str, file: &str, expected: &[(&str, &str)]| {
        let package = NewPackage {
            files: vec![
                NewFile::directory("/usr/share/package-0", 0o755),
                NewFile::file(file, 0o644, b"other".to_vec()),
            ],
            ..NewPackage::new(name, version, "1", "noarch")
        };
        let path = folder.path().join("x.rpm");
        fs::write(&path, package.write(&Compression::Gzip)).unwrap();
        let (_, json) = compose(folder.path(), &pack, &[path]);
        let findings: Vec<(&str, &str)> = json["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| {
                (finding["check"].as_str().unwrap(), finding["message"].as_str().unwrap())
            })
            .filter(|(check, _)| matches!(*check, "in-base" | "base-shadow"))
            .collect();
        assert_eq!(findings, expected);
    };
    check("other", "1.0", "/usr/share/package-0/500", &[]);
    let shadow = ("base-shadow", "/usr/share/package-0/7 is in the base as well");
    check("other", "1.0", "/usr/share/package-0/7", &[shadow]);
    let same = ("in-base", "package-0-1.0-1.noarch is left out: the base has exactly it");
    check("package-0", "1.0", "/usr/share/package-0/7", &[same]);
    let hides = ("in-base", "package-0-2.0-1.noarch hides package-0-1.0-1.noarch of the base");
    check("package-0", "2.0", "/usr/share/package-0/new", &[hides]);
}

#[test]
fn a_base_without_a_policy_is_told() {
    if !has("rpm") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("base.txt");
    fs::write(&list, "bash-5-1.x86_64\n").unwrap();
    let package = NewPackage {
        files: vec![NewFile::file("/usr/bin/x", 0o755, b"x".to_vec())],
        ..NewPackage::new("x", "1", "1", "x86_64")
    };
    let path = folder.path().join("x.rpm");
    fs::write(&path, package.write(&Compression::Gzip)).unwrap();
    let (_, json) = compose(folder.path(), &list, std::slice::from_ref(&path));
    assert!(
        json["findings"][0]["message"].as_str().unwrap().contains("no file contexts"),
        "{json}"
    );
    let pack = base(folder.path(), "/usr(/.*)?\n", "");
    let output = composer()
        .args(["compose", "--name", "x", "--release", "43", "--arch", "x86_64", "--base"])
        .arg(pack)
        .arg("-o")
        .arg(folder.path().join("y.raw"))
        .arg(path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(2) && said.contains("the base's file_contexts: line 1"),
        "{said}"
    );
}

/// The topmost layer's folder is the one that is seen, so it must be as the base's.
#[test]
fn folders_of_the_base_keep_mode_and_owner() {
    if !can_mount() || !has("rpm") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = root(folder.path(), 1);
    let owned = |path: &str, mode: u16, user: &str| NewFile {
        user: user.into(),
        group: user.into(),
        ..NewFile::directory(path, mode)
    };
    let polkit = NewPackage {
        files: vec![
            owned("/usr/share/polkit-1/rules.d", 0o700, "squid"),
            owned("/usr/share/plain", 0o755, "root"),
        ],
        ..NewPackage::new("polkit", "1", "1", "noarch")
    };
    let path = folder.path().join("polkit.rpm");
    fs::write(&path, polkit.write(&Compression::Gzip)).unwrap();
    let mut install = Command::new("rpm");
    install.arg("--dbpath").arg(root.join("usr/lib/sysimage/rpm"));
    run(install
        .args(["--install", "--justdb", "--nodeps", "--nosignature", "--ignoreos"])
        .arg(&path));
    fs::write(root.join("usr/lib/passwd"), "squid:x:23:23::/:/sbin/nologin\n").unwrap();
    fs::write(root.join("usr/lib/group"), "squid:x:23:\n").unwrap();
    let pack = folder.path().join("target.base");
    run(composer().args(["base", "make"]).arg(&root).arg("-o").arg(&pack));

    let package = NewPackage {
        files: vec![
            // A folder that is only passed through, one that another package closes, and one of its own.
            NewFile::file("/usr/share/polkit-1/rules.d/50-x.rules", 0o644, b"x".to_vec()),
            owned("/usr/share/plain", 0o700, "root"),
            owned("/usr/share/own", 0o750, "squid"),
        ],
        ..NewPackage::new("x", "1", "1", "noarch")
    };
    let path = folder.path().join("x.rpm");
    fs::write(&path, package.write(&Compression::Gzip)).unwrap();
    let (image, json) = compose(folder.path(), &pack, &[path]);
    let mount = Mount::new(&image);
    let check = |path: &str, mode: u32, uid: u32| {
        let found = fs::symlink_metadata(mount.path().join(path)).unwrap();
        assert_eq!((found.mode() & 0o7777, found.uid()), (mode, uid), "{path}");
    };
    check("usr/share/polkit-1/rules.d", 0o700, 23);
    check("usr/share/plain", 0o755, 0);
    check("usr/share/own", 0o750, 23);
    check("usr/share", 0o755, 0);
    let findings = json["findings"].as_array().unwrap();
    let told = findings.iter().find(|finding| finding["check"] == "dir-meta").unwrap();
    let expected = "2 folders keep mode and owner of the base: /usr/share/plain 0755 root:root";
    assert_eq!(told["message"], expected);
}
