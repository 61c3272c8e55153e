//! A container with systemd as init: what a set-up unit does, it does before the services need it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::system::{build, daemon};
use testdata::shared::skipped;
use testdata::tools::{can_mount, composer, has, run};

/// An extension of nothing but steps, whose service needs a user, a folder and a file of /etc, and whose socket the user.
const SERVICE: &str = r#"
summary = "a daemon"
any-release = true
services = ["daemon.socket", "daemon.service"]
etc = "factory"

[version]
text = "1.0"

[[step]]
file = { path = "/usr/lib/systemd/system/daemon.service", text = """
[Service]
User=daemond
WorkingDirectory=/var/lib/daemond
RuntimeDirectory=daemond
RuntimeDirectoryPreserve=yes
ExecStart=/usr/bin/sh -c 'id --user > /run/daemond/ran; cat /etc/daemon.conf >> /run/daemond/ran; exec sleep infinity'
""" }

[[step]]
file = { path = "/usr/lib/systemd/system/daemon.socket", text = """
[Socket]
ListenStream=/run/daemon.socket
SocketUser=daemond
""" }

[[step]]
file = { path = "/usr/lib/sysusers.d/daemon.conf", text = """
u daemond 777 "A daemon" /var/lib/daemond
""" }

[[step]]
file = { path = "/usr/lib/tmpfiles.d/daemon.conf", text = """
d /var/lib/daemond 0750 daemond daemond -
""" }

[[step]]
file = { path = "/etc/daemon.conf", text = """
greeting=hello
""" }
"#;

/// A container with systemd as init, in which a script runs once all is up; its output. `options` are more of systemd-nspawn's.
fn boot(folder: &Path, lab: &Path, options: &str, script: &str) -> String {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let folders = ["wants", "early"].map(|name| folder.join(name));
    folders.iter().for_each(|folder| fs::create_dir_all(folder).unwrap());
    let link = |target: &str, path: PathBuf| {
        let _ = fs::remove_file(&path);
        symlink(target, path).unwrap();
    };
    link("/etc/systemd/system/probe.service", folders[0].join("probe.service"));
    link(
        "/usr/lib/systemd/system/systemd-sysext.service",
        folders[1].join("systemd-sysext.service"),
    );
    write(
        "probe.service",
        "[Unit]\nAfter=multi-user.target\n[Service]\nType=oneshot\nExecStart=/bin/sh /shared/script\n\
         ExecStopPost=/usr/bin/systemctl --no-block poweroff\n",
    );
    // What is upheld is started in its own time.
    let wait = "for n in $(seq 100); do [ -s /run/daemond/ran ] && break; sleep 0.1; done";
    write("script", &format!("exec > /shared/said 2>&1\n{}\n", script.replace("WAIT", wait)));
    let (shared, units) = (folder.display(), "/etc/systemd/system");
    let enter = format!(
        "lab={lab}; mount --bind $lab $lab; mount --rbind /tmp $lab/tmp; mount -t proc proc $lab/proc; \
         mount --rbind /dev $lab/dev; mount --rbind /sys $lab/sys; mount -t tmpfs tmpfs $lab/run; \
         umount -l $lab/sys/fs/cgroup; mount -t cgroup2 cgroup2 $lab/sys/fs/cgroup; \
         exec chroot $lab timeout 60 systemd-nspawn --quiet -D {lab} --volatile=overlay --register=no --keep-unit \
         -M sysext-test --bind={shared}:/shared --bind-ro={shared}/wants:{units}/multi-user.target.wants \
         --bind-ro={shared}/early:{units}/sysinit.target.wants --bind-ro={shared}/probe.service:{units}/probe.service \
         {options} --boot",
        lab = lab.display()
    );
    let booted = Command::new("unshare").args(["--mount", "bash", "-ec", &enter]).output().unwrap();
    let said = fs::read_to_string(folder.join("said"));
    said.unwrap_or_else(|_| {
        panic!(
            "{}{}",
            String::from_utf8_lossy(&booted.stdout),
            String::from_utf8_lossy(&booted.stderr)
        )
    })
}

/// In a container with systemd as init, merged at boot and on the running system: the user, the folder and the file are there
/// before the service starts.
#[test]
fn the_set_up_unit_runs_before_the_services_at_boot_and_on_a_running_system() {
    let Some(lab) = std::env::var_os("SYSEXT_LAB") else {
        skipped("no SYSEXT_LAB: nothing is booted");
        return;
    };
    if !can_mount() || !has("createrepo_c") {
        return;
    }
    // Below /tmp, which the container's root has as well.
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let (image, said) = build(folder.path(), SERVICE, &[daemon()], &[]);
    assert!(image.exists(), "{said:#}");
    let tree = folder.path().join("tree");
    run(composer().arg("extract").arg(&image).arg(&tree));
    let check = |said: &str| {
        assert!(
            said.contains("777\ngreeting=hello\n")
                && said.contains("daemond 750\n")
                && said.contains("socket daemond\n"),
            "{said}"
        );
    };
    let look = "WAIT; cat /run/daemond/ran; stat -c '%U %a' /var/lib/daemond; \
                echo socket $(stat -c %U /run/daemon.socket)";
    let bind = format!("--bind-ro={}:/var/lib/extensions/daemon", tree.display());
    check(&boot(folder.path(), Path::new(&lab), &bind, look));
    let live = format!(
        "mkdir -p /var/lib/extensions; cp -a /shared/tree /var/lib/extensions/daemon; systemd-sysext refresh; {look}"
    );
    check(&boot(folder.path(), Path::new(&lab), "", &live));
}
