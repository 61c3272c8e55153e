//! What the running system does with an extension: units that are started, and the unit that sets up before them what rpm's
//! scripts would have done.
//!
//! At boot, extensions are merged after systemd-sysusers has run and before systemd-tmpfiles does (systemd 254 and newer); on a
//! running system nothing of that runs at all. So one unit does what the files of the image ask for, in both cases, and before
//! the extension's services. It is started and kept by `Upholds=` of multi-user.target, which `EXTENSION_RELOAD_MANAGER=1`
//! (systemd 255) makes count right after the merge.

use std::fmt::Write as _;

use super::entries::{Entries, Entry, Placed, What};
use crate::extension::{Class, EtcPolicy, Task};

/// The generated unit's commands by what asks for them: folder below `usr/`, ends of names, task.
const ASKS: [(&str, &[&str], Task); 13] = [
    ("lib/sysusers.d/", &[".conf"], Task::Sysusers),
    ("lib/tmpfiles.d/", &[".conf"], Task::Tmpfiles),
    ("etc/ld.so.conf.d/", &[".conf"], Task::Ldconfig),
    ("lib/ld.so.conf.d/", &[".conf"], Task::Ldconfig),
    ("share/factory/etc/ld.so.conf.d/", &[".conf"], Task::Ldconfig),
    ("share/selinux/packages/", &[".pp", ".pp.bz2", ".cil"], Task::Semodule),
    ("lib/modules-load.d/", &[".conf"], Task::Modules),
    ("lib/sysctl.d/", &[".conf"], Task::Sysctl),
    ("lib/binfmt.d/", &[".conf"], Task::Binfmt),
    ("lib/udev/rules.d/", &[".rules"], Task::Udev),
    ("share/dbus-1/system.d/", &[".conf"], Task::Dbus),
    ("share/dbus-1/system-services/", &[".service"], Task::Dbus),
    ("lib/udev/hwdb.d/", &[".hwdb"], Task::Udev),
];

/// Adds what the running system needs. Says whether systemd must read its units anew.
pub(super) fn add(entries: &mut Entries<'_>, placed: &Placed) -> bool {
    let extension = &entries.recipe.extension;
    let name = &entries.recipe.name;
    let class = extension.class;
    let mut asked = Vec::new();
    if class == Class::Sysext {
        if let Some(text) = tmpfiles(placed, extension.etc) {
            let path = format!("usr/lib/tmpfiles.d/{name}-sysext-etc.conf");
            entries.entries.insert(path.into_bytes(), generated(text));
        }
        asked = tasks(entries);
    }
    let has_setup = !asked.is_empty()
        || !extension.setup.restart.is_empty()
        || !extension.setup.relabel.is_empty();
    let units = class.units();
    let mut upheld = Vec::new();
    if has_setup {
        let unit = setup_unit(name);
        let text = setup(entries, &asked);
        entries.entries.insert(format!("{units}/{unit}").into_bytes(), generated(text));
        upheld.push(unit);
    }
    upheld.extend(extension.services.iter().cloned());
    if upheld.is_empty() {
        return false;
    }
    let path = format!("{units}/multi-user.target.d/10-{name}-sysext.conf");
    let text = format!("[Unit]\nUpholds={}\n", upheld.join(" "));
    entries.entries.insert(path.into_bytes(), generated(text));
    true
}

/// Name of the generated unit.
pub(crate) fn setup_unit(name: &str) -> String {
    format!("{name}-sysext-setup.service")
}

fn generated(text: String) -> Entry {
    Entry::new(What::File(text.into_bytes()), 0o644)
}

/// Lines of `tmpfiles.d(5)` that bring to /etc what the system should have there, and the image has elsewhere.
fn tmpfiles(placed: &Placed, etc: EtcPolicy) -> Option<String> {
    let is_meant = |path: &&Vec<u8>| match etc {
        EtcPolicy::Factory => true,
        // The linker looks nowhere else.
        EtcPolicy::UsrEtc => path.starts_with(b"etc/ld.so.conf.d/"),
        EtcPolicy::Drop => false,
    };
    let mut text = String::new();
    for path in placed.from_etc.iter().filter(is_meant) {
        let path = String::from_utf8_lossy(path);
        // Spaces in paths are escaped as in C.
        let escaped = path.replace('\\', "\\\\").replace(' ', "\\x20").replace('%', "%%");
        let _ = match etc {
            EtcPolicy::Factory => {
                writeln!(text, "C /{escaped} - - - - /usr/share/factory/{escaped}")
            }
            _ => writeln!(text, "L /{escaped} - - - - /usr/{escaped}"),
        };
    }
    (!text.is_empty()).then_some(text)
}

/// What the files of an image ask for, and is not turned off, in the order in which it is done.
fn tasks(entries: &Entries<'_>) -> Vec<(Task, Vec<String>)> {
    let without = &entries.recipe.extension.setup.without;
    let mut tasks: Vec<(Task, Vec<String>)> = Vec::new();
    for (folder, ends, task) in ASKS {
        let top = format!("usr/{folder}").into_bytes();
        let below = entries.entries.range(top.clone()..);
        let below = below.take_while(|(path, _)| path.starts_with(&top));
        let names: Vec<String> = below
            .filter(|(_, entry)| !entries.is_directory(entry))
            .map(|(path, _)| String::from_utf8_lossy(path).into_owned())
            .filter(|path| ends.iter().any(|end| path.ends_with(end)))
            .collect();
        if names.is_empty() || without.contains(&task) {
            continue;
        }
        match tasks.iter_mut().find(|(known, _)| *known == task) {
            Some((_, known)) => known.extend(names),
            None => tasks.push((task, names)),
        }
    }
    tasks.sort_by_key(|(task, _)| *task);
    tasks
}

/// The unit that does it.
fn setup(entries: &Entries<'_>, tasks: &[(Task, Vec<String>)]) -> String {
    let extension = &entries.recipe.extension;
    let name = &entries.recipe.name;
    let before: Vec<&str> = extension.services.iter().map(String::as_str).collect();
    let mut unit = format!(
        "# What the files of this extension ask for, as rpm's scripts would have done it.\n\
         [Unit]\n\
         Description=Set up the system extension {}\n\
         DefaultDependencies=no\n\
         RequiresMountsFor=/var /etc\n\
         After=systemd-sysext.service systemd-confext.service local-fs.target systemd-sysusers.service systemd-tmpfiles-setup.service\n\
         Before={}\n\
         Conflicts=shutdown.target\n\n\
         [Service]\n\
         Type=oneshot\n\
         RemainAfterExit=yes\n",
        escape(name),
        [before.as_slice(), &["shutdown.target"]].concat().join(" ")
    );
    // One that fails must not keep the others from being done.
    for command in tasks.iter().flat_map(|(task, files)| commands(*task, files)) {
        let _ = writeln!(unit, "ExecStart=-{command}");
    }
    for path in &extension.setup.relabel {
        let _ = writeln!(unit, "ExecStart=-restorecon -R {}", escape(path));
    }
    for restart in &extension.setup.restart {
        let _ = writeln!(unit, "ExecStart=-systemctl --no-block try-restart {restart}");
    }
    unit
}

/// The commands of a task. None of them may wait for a unit: others wait for this one. Programs are looked for where systemd does,
/// since /usr/sbin is /usr/bin on some systems and not on others.
fn commands(task: Task, files: &[String]) -> Vec<String> {
    let names: Vec<String> =
        files.iter().map(|path| escape(path.rsplit('/').next().unwrap_or_default())).collect();
    let names = names.join(" ");
    let one = |command: String| vec![command];
    match task {
        Task::Sysusers => one(format!("systemd-sysusers {names}")),
        Task::Tmpfiles => one(format!("systemd-tmpfiles --create {names}")),
        Task::Ldconfig => one("ldconfig".into()),
        Task::Semodule => {
            let paths: Vec<String> =
                files.iter().map(|path| format!("-i {}", escape(&format!("/{path}")))).collect();
            one(format!("semodule -X 200 {}", paths.join(" ")))
        }
        Task::Modules => one(format!("/usr/lib/systemd/systemd-modules-load {names}")),
        Task::Sysctl => one(format!("/usr/lib/systemd/systemd-sysctl {names}")),
        Task::Binfmt => one(format!("/usr/lib/systemd/systemd-binfmt {names}")),
        Task::Udev => {
            let mut commands = Vec::new();
            if files.iter().any(|file| file.ends_with(".hwdb")) {
                commands.push("systemd-hwdb update".to_owned());
            }
            commands.push("udevadm control --reload".to_owned());
            commands.push("udevadm trigger".to_owned());
            commands
        }
        Task::Dbus => one("systemctl --no-block reload dbus.service".into()),
    }
}

/// A word for a command line of `systemd.service(5)`.
fn escape(word: &str) -> String {
    let word = word.replace('%', "%%").replace('$', "$$").replace('\\', "\\\\");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+/@:=,%$\\".contains(&byte);
    if word.bytes().all(plain) { word } else { format!("\"{}\"", word.replace('"', "\\\"")) }
}
