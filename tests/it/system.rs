//! What an extension does on the running system: systemd's own tools read and do what is generated.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sysext::rpm::{Compression, NewFile, NewPackage};

use crate::on_base::base_of;
use testdata::tools::{Mount, can_mount, composer, has, run};

/// A recipe of an extension that asks for everything.
const RECIPE: &str = r#"
summary = "asks for everything"
packages = ["daemon"]
services = ["daemon.socket", "daemon.service"]

[setup]
restart = ["polkit.service"]
relabel = ["/var/lib/daemon"]
"#;

fn file(path: &str, content: &str) -> NewFile {
    let mode = if path.contains("bin/") { 0o755 } else { 0o644 };
    NewFile::file(path, mode, content.as_bytes().to_vec())
}

pub(crate) fn daemon() -> NewPackage {
    NewPackage {
        files: vec![
            file("/usr/bin/daemon", "#!/bin/sh\nexit 0\n"),
            file(
                "/usr/lib/systemd/system/daemon.service",
                "[Unit]\nDescription=A daemon\n[Service]\nExecStart=/usr/bin/daemon\n[Install]\nWantedBy=multi-user.target\n",
            ),
            file(
                "/usr/lib/systemd/system/daemon.socket",
                "[Unit]\nDescription=Its socket\n[Socket]\nListenStream=/run/daemon.socket\n[Install]\nWantedBy=sockets.target\n",
            ),
            file(
                "/usr/lib/sysusers.d/daemon.conf",
                "u daemond 777 \"A daemon\" /var/lib/daemon\nm daemond daemons\n",
            ),
            file("/usr/lib/tmpfiles.d/daemon.conf", "d /var/lib/daemon 0750 daemond daemond -\n"),
            file("/usr/lib64/daemon/libdaemon.so.1", "a library"),
            file("/etc/ld.so.conf.d/daemon.conf", "/usr/lib64/daemon\n"),
            file("/usr/lib/udev/rules.d/70-daemon.rules", "KERNEL==\"nothing\"\n"),
            file("/usr/lib/modules-load.d/daemon.conf", "# none\n"),
            file("/usr/lib/sysctl.d/70-daemon.conf", "# none\n"),
            file("/usr/share/dbus-1/system.d/daemon.conf", "<busconfig/>\n"),
            file(
                "/usr/share/selinux/packages/daemon.cil",
                "(filecon \"/usr/lib64/daemon(/.*)?\" any (system_u object_r daemon_lib_t ((s0) (s0))))\n",
            ),
        ],
        ..NewPackage::new("daemon", "1.0", "1", "x86_64")
    }
}

/// Builds a recipe from packages. Gives the folder's image and what was said.
pub(crate) fn build(
    folder: &Path,
    recipe: &str,
    packages: &[NewPackage],
    extra: &[&str],
) -> (PathBuf, Value) {
    let repo = folder.join("repo");
    fs::create_dir_all(&repo).unwrap();
    for package in packages {
        let path = repo.join(format!("{}.rpm", package.name));
        fs::write(path, package.write(&Compression::Gzip)).unwrap();
    }
    run(Command::new("createrepo_c").arg("--quiet").arg(&repo));
    let extension = folder.join("extensions/daemon");
    fs::create_dir_all(&extension).unwrap();
    fs::write(extension.join("extension.toml"), recipe).unwrap();
    let contexts = "/.*\tsystem_u:object_r:default_t:s0\n/usr/.*\tsystem_u:object_r:usr_t:s0\n";
    let base = base_of("43", folder, contexts, "");
    let output = composer()
        .args(["--json", "build", "daemon", "--allow-unsigned", "--arch", "x86_64"])
        .args(["--target", "base-atomic:43", "--extensions"])
        .arg(folder.join("extensions"))
        .arg("--repo")
        .arg(&repo)
        .arg("--base")
        .arg(base)
        .arg("--cache")
        .arg(folder.join("cache"))
        .arg("-o")
        .arg(folder.join("images"))
        .args(extra)
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let build = said["builds"][0].clone();
    assert_eq!(output.status.success(), build["image"].is_string(), "{said:#}");
    (PathBuf::from(build["image"].as_str().unwrap_or_default()), build)
}

fn findings(build: &Value, check: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = build["findings"].as_array().cloned().unwrap_or_default();
    let of = all.iter().filter(|finding| finding["check"] == check);
    of.map(|finding| (text(&finding["severity"]), text(&finding["message"]))).collect()
}

/// A root folder with an image's /usr, and stubs of the programs that units name.
fn root_of(folder: &Path, image: &Path) -> PathBuf {
    let mount = Mount::new(image);
    let root = folder.join("merged");
    fs::create_dir_all(&root).unwrap();
    run(Command::new("cp").arg("-a").arg(mount.path().join("usr")).arg(&root));
    let programs = [
        "usr/bin/systemd-sysusers",
        "usr/bin/systemd-tmpfiles",
        "usr/bin/ldconfig",
        "usr/bin/semodule",
        "usr/bin/systemctl",
        "usr/bin/udevadm",
        "usr/bin/restorecon",
        "usr/lib/systemd/systemd-modules-load",
        "usr/lib/systemd/systemd-sysctl",
    ];
    for program in programs {
        let path = root.join(program);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "#!/bin/sh\n").unwrap();
        run(Command::new("chmod").arg("755").arg(&path));
    }
    for folder in ["etc", "var/lib", "run"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    for target in [
        "multi-user.target",
        "sockets.target",
        "shutdown.target",
        "local-fs.target",
        "sysinit.target",
        "basic.target",
    ] {
        let text = format!("[Unit]\nDescription={target}\n");
        fs::write(root.join("usr/lib/systemd/system").join(target), text).unwrap();
    }
    root
}

/// The commands of a unit by the program's name.
fn commands(unit: &str) -> BTreeMap<String, Vec<String>> {
    let lines = unit.lines().filter_map(|line| line.strip_prefix("ExecStart=-"));
    let mut commands = BTreeMap::<String, Vec<String>>::new();
    for line in lines {
        let (program, arguments) = line.split_once(' ').unwrap_or((line, ""));
        let name = program.rsplit('/').next().unwrap().to_owned();
        commands.entry(name).or_default().push(arguments.to_owned());
    }
    commands
}

#[test]
fn the_set_up_unit_is_accepted_and_does_what_it_says() {
    let tools =
        ["createrepo_c", "systemd-analyze", "systemd-sysusers", "systemd-tmpfiles", "ldconfig"];
    if !can_mount() || !tools.iter().all(|tool| has(tool) || Path::new("/sbin").join(tool).exists())
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (image, said) = build(folder.path(), RECIPE, &[daemon()], &[]);
    assert!(image.exists(), "{said:#}");
    let root = root_of(folder.path(), &image);
    let system = root.join("usr/lib/systemd/system");
    let unit = fs::read_to_string(system.join("daemon-sysext-setup.service")).unwrap();

    // systemd takes all units of the image, and finds no cycle among them.
    let units =
        ["daemon-sysext-setup.service", "daemon.service", "daemon.socket", "multi-user.target"];
    let verified = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(format!("--root={}", root.display()))
        .args(
            units
                .map(|unit| system.join(unit).strip_prefix(&root).unwrap().to_owned())
                .iter()
                .map(|path| Path::new("/").join(path)),
        )
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && !complaints.contains("daemon"), "{complaints}\n{unit}");

    // It is upheld with the services, before which it runs.
    let upheld =
        fs::read_to_string(system.join("multi-user.target.d/10-daemon-sysext.conf")).unwrap();
    assert_eq!(
        upheld,
        "[Unit]\nUpholds=daemon-sysext-setup.service daemon.socket daemon.service\n"
    );
    assert!(unit.contains("\nBefore=daemon.socket daemon.service shutdown.target\n"), "{unit}");
    let release = root.join("usr/lib/extension-release.d/extension-release.daemon");
    let release = fs::read_to_string(release).unwrap();
    assert!(release.contains("EXTENSION_RELOAD_MANAGER=1\n"), "{release}");

    // What it runs does what is meant.
    let commands = commands(&unit);
    let only = |program: &str| commands[program].join(" ");
    run(Command::new("systemd-sysusers")
        .arg(format!("--root={}", root.display()))
        .args(only("systemd-sysusers").split(' ')));
    assert!(fs::read_to_string(root.join("etc/passwd")).unwrap().contains("daemond:x:777:"));
    assert!(fs::read_to_string(root.join("etc/group")).unwrap().contains("daemons:"));
    run(Command::new("systemd-tmpfiles")
        .arg(format!("--root={}", root.display()))
        .args(only("systemd-tmpfiles").split(' ')));
    let made = fs::metadata(root.join("var/lib/daemon")).unwrap();
    assert_eq!((made.uid(), made.mode() & 0o7777), (777, 0o750));
    let link = fs::read_link(root.join("etc/ld.so.conf.d/daemon.conf")).unwrap();
    assert_eq!(link, Path::new("/usr/etc/ld.so.conf.d/daemon.conf"));
    assert_eq!(only("semodule"), "-X 200 -i /usr/share/selinux/packages/daemon.cil");
    assert_eq!(commands["udevadm"], ["control --reload", "trigger"]);
    assert_eq!(only("systemd-sysctl"), "70-daemon.conf");
    assert_eq!(only("systemd-modules-load"), "daemon.conf");
    assert_eq!(only("restorecon"), "-R /var/lib/daemon");
    assert_eq!(
        commands["systemctl"],
        ["--no-block reload dbus.service", "--no-block try-restart polkit.service"]
    );
    assert_eq!(commands["ldconfig"], [""]);
}

#[test]
fn an_image_that_asks_for_nothing_has_no_set_up_unit() {
    if !can_mount() || !has("createrepo_c") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let package = NewPackage {
        files: vec![file("/usr/bin/daemon", "program")],
        ..NewPackage::new("daemon", "1.0", "1", "x86_64")
    };
    let (image, said) =
        build(folder.path(), "summary = \"x\"\npackages = [\"daemon\"]\n", &[package], &[]);
    assert!(image.exists(), "{said:#}");
    let mount = Mount::new(&image);
    let names: Vec<_> = fs::read_dir(mount.path().join("usr/lib"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["extension-release.d"]);
    let release = mount.path().join("usr/lib/extension-release.d/extension-release.daemon");
    assert!(!fs::read_to_string(release).unwrap().contains("RELOAD"));
}

#[test]
fn labels_of_modules_in_packages_count() {
    if !can_mount() || !has("createrepo_c") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (image, said) = build(folder.path(), RECIPE, &[daemon()], &[]);
    let mount = Mount::new(&image);
    let label = |path: &str| {
        let label =
            crate::walk::xattrs(&mount.path().join(path)).remove("security.selinux").unwrap();
        String::from_utf8(label).unwrap()
    };
    assert_eq!(label("usr/lib64/daemon/libdaemon.so.1"), "system_u:object_r:daemon_lib_t:s0\0");
    assert_eq!(label("usr/lib64/daemon"), "system_u:object_r:daemon_lib_t:s0\0");
    assert_eq!(label("usr/bin/daemon"), "system_u:object_r:usr_t:s0\0");
    assert_eq!(findings(&said, "policy-module")[0].0, "info");
}

#[test]
fn findings_are_allowed_and_denied() {
    if !has("createrepo_c") {
        return;
    }
    let script = |recipe: &str, extra: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let package = NewPackage {
            files: vec![file("/usr/bin/daemon", "program")],
            post: Some("make-a-key\n".into()),
            ..NewPackage::new("daemon", "1.0", "1", "x86_64")
        };
        let (image, said) = build(folder.path(), recipe, &[package], extra);
        (image.exists(), findings(&said, "scriptlets").remove(0).0)
    };
    let recipe = "summary = \"x\"\npackages = [\"daemon\"]\n";
    assert_eq!(script(recipe, &[]), (true, "warning".into()));
    assert_eq!(script(recipe, &["--deny", "scriptlets"]), (false, "error".into()));
    assert_eq!(script(recipe, &["--allow", "scriptlets"]), (true, "info".into()));
    let allowed =
        format!("{recipe}[[allow]]\ncheck = \"scriptlets\"\nreason = \"the key is not needed\"\n");
    assert_eq!(script(&allowed, &[]), (true, "info".into()));
    assert_eq!(script(&format!("{recipe}deny = [\"scriptlets\"]\n"), &[]), (false, "error".into()));
}

/// What the compiler links, held against what the check finds.
#[test]
fn libraries_that_nobody_has_are_found_in_programs_of_vendors() {
    if !has("createrepo_c") || !has("gcc") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("lib.c"), "int answer(void) { return 42; }\n").unwrap();
    fs::write(path("main.c"), "int answer(void); int main(void) { return answer(); }\n").unwrap();
    run(Command::new("gcc")
        .args(["-shared", "-fPIC", "-Wl,-soname,libanswer.so.7", "-o"])
        .arg(path("libanswer.so.7"))
        .arg(path("lib.c")));
    run(Command::new("gcc")
        .arg("-Wl,-rpath,/opt/vendor/lib")
        .arg("-o")
        .arg(path("program"))
        .arg(path("main.c"))
        .arg(path("libanswer.so.7")));
    let read = |name: &str| fs::read(path(name)).unwrap();
    let build_with = |library: bool| {
        let mut files = vec![NewFile::file("/opt/vendor/program", 0o755, read("program"))];
        if library {
            files.push(NewFile::file(
                "/opt/vendor/lib/libanswer.so.7",
                0o755,
                read("libanswer.so.7"),
            ));
        }
        let package = NewPackage { files, ..NewPackage::new("daemon", "1.0", "1", "x86_64") };
        let folder = tempfile::tempdir().unwrap();
        build(folder.path(), "summary = \"x\"\npackages = [\"daemon\"]\n", &[package], &[]).1
    };
    let missing = |said: &Value| -> Vec<String> {
        findings(said, "soname").into_iter().map(|(_, message)| message).collect()
    };
    let without = build_with(false);
    assert!(
        missing(&without).iter().any(|message| message.contains("libanswer.so.7")),
        "{without:#}"
    );
    // The base of the test has no C library either.
    assert!(missing(&without).iter().any(|message| message.contains("libc.so.6")));
    let with = build_with(true);
    assert!(!missing(&with).iter().any(|message| message.contains("libanswer")), "{with:#}");
    assert!(findings(&with, "path-opt").iter().any(|(severity, message)| severity == "warning" && message.contains("/opt/vendor/lib")));
}
