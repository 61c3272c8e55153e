//! The program under test, the tools that it is held against, and mounts that end with the test.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Seek as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use crate::shared::skipped;

/// The released build of the command line, built once.
pub fn composer() -> Command {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path = PATH.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--release", "--package", "sysext-composer"]);
        // Build scripts that read what cargo says of this package would run again.
        let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        for name in variables {
            if name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_") {
                build.env_remove(name);
            }
        }
        let built = build.current_dir(&root).status();
        assert!(built.unwrap().success(), "the program does not build");
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
        target.join("release/sysext-composer").canonicalize().unwrap()
    });
    let mut command = Command::new(path);
    // Times of images are what the test says.
    command.env_remove("SOURCE_DATE_EPOCH");
    command
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

/// A file with this content, to be the standard input of a command: a pipe takes only so much before somebody reads.
pub fn input(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    file
}

/// Where roots of tests have the database of packages.
pub const DATABASE: &str = "usr/lib/sysimage/rpm";

/// Puts packages into the database of a root folder, and nothing else of them.
pub fn install(root: &Path, packages: impl IntoIterator<Item = PathBuf>) {
    let database = root.join(DATABASE);
    fs::create_dir_all(&database).unwrap();
    let mut install = Command::new("rpm");
    install.arg("--dbpath").arg(&database);
    install.args(["--install", "--justdb", "--nodeps", "--nosignature", "--ignoreos"]);
    run(install.args(packages));
}

/// A page that the program serves until the value is dropped.
pub struct Served {
    server: Child,
    /// Its address, with a slash at its end.
    pub url: String,
}

/// Has the program serve a page, with more arguments.
pub fn serve(page: &Path, more: &[&str]) -> Served {
    let mut command = composer();
    command.args(["serve", "--port", "0"]).arg(page).args(more);
    let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(server.stdout.take().unwrap());
    let line = output.lines().next().unwrap().unwrap();
    let url = line.split_whitespace().find(|word| word.starts_with("http://"));
    Served { server, url: url.unwrap_or_else(|| panic!("no address: {line}")).to_owned() }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Whether a tool is there. A missing one fails the test in CI and is said elsewhere.
pub fn has(tool: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(tool).exists()));
    if !found {
        assert!(std::env::var_os("CI").is_none(), "CI lacks {tool}");
        skipped(&format!("no {tool}"));
    }
    found
}

/// Whether images can be mounted here.
pub fn can_mount() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skipped("mounting needs root");
    }
    root && has("mount")
}

/// A mounted image.
pub struct Mount {
    folder: tempfile::TempDir,
}

impl Mount {
    /// Mounts an image at a folder of its own.
    ///
    /// # Panics
    /// The kernel refuses the image.
    pub fn new(image: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(Command::new("mount")
            .args(["-t", "erofs", "-o", "loop,ro"])
            .arg(image)
            .arg(folder.path()));
        Self { folder }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.folder.path()).status();
    }
}

/// A system root on which extensions can be merged.
fn system_root(folder: &Path, release: &str) {
    for sub in ["usr/lib", "usr/bin", "etc", "var/lib/extensions"] {
        fs::create_dir_all(folder.join(sub)).unwrap();
    }
    fs::write(folder.join("usr/lib/os-release"), format!("ID=fedora\nVERSION_ID={release}\n"))
        .unwrap();
    symlink("../usr/lib/os-release", folder.join("etc/os-release")).unwrap();
}

/// Merges an image into a root of that release, in a mount namespace of its own, and runs a script there.
///
/// # Panics
/// The root cannot be made.
pub fn merge(image: &Path, name: &str, release: &str, script: &str) -> Output {
    merge_with("exec bash -c \"$1\"", image, name, release, script)
}

/// As [`merge`], with the newest systemd, in a root folder that `$SYSEXT_LAB` names; nothing if it names none.
///
/// # Panics
/// The root cannot be made.
pub fn merge_in_lab(image: &Path, name: &str, release: &str, script: &str) -> Option<Output> {
    let enter = enter_lab("only this machine's systemd merges")?;
    Some(merge_with(&enter, image, name, release, script))
}

/// Runs a script with the newest tools, in a root folder that `$SYSEXT_LAB` names and with this machine's /tmp; nothing if it
/// names none, which `otherwise` is said of.
///
/// # Panics
/// There is no shell.
pub fn in_lab(script: &str, otherwise: &str) -> Option<Output> {
    let enter = enter_lab(otherwise)?;
    let mut command = Command::new("unshare");
    Some(command.args(["--mount", "bash", "-ec", &enter, "bash", script]).output().unwrap())
}

/// The script that goes into the lab and runs its first argument there.
fn enter_lab(otherwise: &str) -> Option<String> {
    let Some(lab) = std::env::var_os("SYSEXT_LAB") else {
        skipped(&format!("no SYSEXT_LAB: {otherwise}"));
        return None;
    };
    Some(format!(
        "lab={}; mount --bind $lab $lab; mount --rbind /tmp $lab/tmp; mount -t proc proc $lab/proc; \
         mount --rbind /dev $lab/dev; mount --rbind /sys $lab/sys; exec chroot $lab bash -c \"$1\"",
        Path::new(&lab).display()
    ))
}

fn merge_with(enter: &str, image: &Path, name: &str, release: &str, script: &str) -> Output {
    let root = tempfile::tempdir().unwrap();
    system_root(root.path(), release);
    fs::copy(image, root.path().join(format!("var/lib/extensions/{name}.raw"))).unwrap();
    let script = format!(
        "set -e; mount --make-rshared /; mount -t tmpfs tmpfs /run; cd {}; \
         systemd-sysext --root=$PWD merge >&2; trap 'systemd-sysext --root=$PWD unmerge >&2' EXIT; {script}",
        root.path().display()
    );
    Command::new("unshare")
        .args(["--mount", "bash", "-ec", enter, "bash", &script])
        .output()
        .unwrap()
}
