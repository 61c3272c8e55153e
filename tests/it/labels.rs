//! Labels: what libselinux answers for the same paths.

use std::fs;
use std::path::Path;
use std::process::Command;

use sysext::selinux::{Kind, Labels, Policy, module_contexts};
use testdata::shared::data;
use testdata::tools::{self, composer, has, run};

/// Kinds, as the oracle's lists name them.
fn kind(name: &str) -> Kind {
    match name {
        "file" => Kind::File,
        "dir" => Kind::Dir,
        "link" => Kind::Link,
        _ => panic!("{name}"),
    }
}

/// Kinds, as `matchpathcon` names them.
const KINDS: [(Kind, &str); 8] = [
    (Kind::Any, ""),
    (Kind::File, "file"),
    (Kind::Dir, "dir"),
    (Kind::Link, "lnk_file"),
    (Kind::Char, "chr_file"),
    (Kind::Block, "blk_file"),
    (Kind::Fifo, "pipe"),
    (Kind::Socket, "sock_file"),
];

fn labels(folder: &Path) -> Labels {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let file_contexts = read("file_contexts");
    let (subs, subs_dist) = (read("file_contexts.subs"), read("file_contexts.subs_dist"));
    let policy = Policy { subs: &subs, subs_dist: &subs_dist, ..Policy::default() };
    Labels::new(&Policy { file_contexts: &file_contexts, ..policy }).unwrap()
}

/// 100,000 paths of packages and systems: libselinux's answers for them, line by line.
#[test]
fn real_paths_have_the_labels_of_libselinux() {
    let Some(folder) = data("selinux") else { return };
    let mut labels = labels(&folder.join("generated-rawhide"));
    let mut compared = 0;
    for list in ["rpmpaths", "cs9-developer"] {
        let path = folder.join(format!("oracle/generated-rawhide.{list}.tsv.zst"));
        let text = run(Command::new("zstdcat").arg(path)).stdout;
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let fields: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
            let [name, path, expected] = fields.as_slice() else { panic!("{line:?}") };
            let name = std::str::from_utf8(name).unwrap();
            let expected = std::str::from_utf8(expected).unwrap();
            let found = labels.lookup(path, kind(name)).unwrap_or("<<none>>");
            assert_eq!(found, expected, "{name} {}", String::from_utf8_lossy(path));
            compared += 1;
        }
    }
    assert!(compared > 100_000, "{compared} paths");
}

/// A small generator of numbers, so that every run has the same policies.
struct Random(u32);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % end
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

const NAMES: [&str; 8] = ["a", "b", "ab", "lob", "lob64", "x.y", "a-b", "_c"];
const PARTS: [&str; 24] = [
    "a",
    "b",
    "ab",
    "lob",
    "lob(64)?",
    "lob[36][24]",
    ".*",
    "[^/]*",
    "[^/]+",
    r"x\.y",
    "x.y",
    r"\_c",
    "a-b",
    "[-ab]+",
    "(a|b)",
    "(a|ab)?",
    "[[:alpha:]]+",
    "a{1,2}",
    "b*",
    "a+",
    "(.*/)?b",
    r"\w+",
    "a|b",
    "[]b[]*",
];
const ENDS: [&str; 6] = ["", "(/.*)?", "/.*", ".*", "/?", r"\.so(\.[^/]*)*"];
const TYPES: [&str; 8] = ["", "--", "-d", "-l", "-c", "-b", "-p", "-s"];

/// A policy of random lines.
fn policy(random: &mut Random, lines: usize) -> String {
    let mut text = String::new();
    for number in 0..lines {
        let depth = 1 + random.below(3);
        let mut regex: String = (0..depth).map(|_| format!("/{}", random.pick(&PARTS))).collect();
        regex += random.pick(&ENDS);
        let context = match random.below(12) {
            0 => "<<none>>".to_owned(),
            _ => format!("system_u:object_r:t{number}_t:s0"),
        };
        text += &format!("{regex}\t{}\t{context}\n", random.pick(&TYPES));
    }
    text
}

fn path(random: &mut Random) -> String {
    let depth = 1 + random.below(4);
    let mut path: String = (0..depth).map(|_| format!("/{}", random.pick(&NAMES))).collect();
    path += random.pick(&["", "", "", "/", "//a", ".so", ".so.1"]);
    path
}

/// Policies that nobody has seen, with all that expressions may have: the same answers as `matchpathcon`.
#[test]
fn random_policies_are_read_as_libselinux_does() {
    if !has("matchpathcon") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file_contexts");
    let mut random = Random(1);
    for _ in 0..60 {
        let lines = 1 + random.below(40);
        fs::write(&file, policy(&mut random, lines)).unwrap();
        let subs = format!(
            "/{} /{}/b\n/{}/lob /a\n",
            random.pick(&NAMES),
            random.pick(&NAMES),
            random.pick(&NAMES)
        );
        fs::write(folder.path().join("file_contexts.subs_dist"), &subs).unwrap();
        fs::write(
            folder.path().join("file_contexts.subs"),
            format!("/{} /lob\n", random.pick(&NAMES)),
        )
        .unwrap();
        let mut labels = labels(folder.path());
        let paths: Vec<String> = (0..60).map(|_| path(&mut random)).collect();
        for (kind, name) in KINDS {
            let mut command = Command::new("matchpathcon");
            command.arg("-f").arg(&file);
            if kind != Kind::Any {
                command.args(["-m", name]);
            }
            let output = command.args(&paths).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            let expected: Vec<&str> =
                said.lines().map(|line| line.split_once('\t').unwrap().1).collect();
            assert_eq!(expected.len(), paths.len(), "{}", String::from_utf8_lossy(&output.stderr));
            for (path, expected) in paths.iter().zip(expected) {
                let found = labels.lookup(path.as_bytes(), kind).unwrap_or("<<none>>");
                assert_eq!(
                    found,
                    expected,
                    "{kind:?} {path} in\n{}\n{subs}",
                    fs::read_to_string(&file).unwrap()
                );
            }
        }
    }
}

const MODULE: &str = "module probe 1.0;
require { type bin_t; type etc_t; role object_r; sensitivity s0; category c0, c1, c2; class file read; }
type probe_t; type probe_exec_t;
allow probe_t probe_exec_t:file read;
";
const MODULE_CONTEXTS: &str = "/usr/bin/probe\t--\tsystem_u:object_r:probe_exec_t:s0
/usr/lib/probe(/.*)?\t\tsystem_u:object_r:probe_exec_t:s0-s0:c0.c2
/run/probe/[^/]+\\.sock\t-s\t<<none>>
/etc/probe\t-d\tsystem_u:object_r:etc_t:s0:c0,c2
";

/// The lines of a module as `semodule_unpackage` and our reader have them, and those of the CIL that it becomes.
fn check_module(package: &Path, folder: &Path) {
    let (module, contexts) = (folder.join("unpacked.mod"), folder.join("unpacked.fc"));
    let _ = fs::remove_file(&contexts);
    run(Command::new("semodule_unpackage").arg(package).arg(module).arg(&contexts));
    let lines = |text: &str| -> Vec<Vec<String>> {
        let lines =
            text.lines().map(|line| line.split_ascii_whitespace().map(str::to_owned).collect());
        lines
            .filter(|words: &Vec<String>| words.first().is_some_and(|word| !word.starts_with('#')))
            .collect()
    };
    let expected = lines(&fs::read_to_string(contexts).unwrap_or_default());
    let found = module_contexts(&fs::read(package).unwrap()).unwrap();
    assert_eq!(lines(&found), expected, "{}", package.display());
    let cil = folder.join("module.cil");
    run(Command::new(HLL).arg(package).arg(&cil));
    let found = module_contexts(&fs::read(cil).unwrap()).unwrap();
    assert_eq!(lines(&found), expected, "{}", package.display());
}

/// What makes CIL of a module package: `semodule` calls it.
const HLL: &str = "/usr/libexec/selinux/hll/pp";

#[test]
fn modules_add_what_semodule_unpacks() {
    if !["checkmodule", "semodule_package", "semodule_unpackage"].into_iter().all(has) || !has(HLL)
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("probe.te"), MODULE).unwrap();
    fs::write(path("probe.fc"), MODULE_CONTEXTS).unwrap();
    run(Command::new("checkmodule")
        .args(["-M", "-m", "-o"])
        .args([path("probe.mod"), path("probe.te")]));
    run(Command::new("semodule_package")
        .arg("-o")
        .arg(path("probe.pp"))
        .arg("-m")
        .arg(path("probe.mod"))
        .arg("-f")
        .arg(path("probe.fc")));
    check_module(&path("probe.pp"), folder.path());
    // And all those of the policy, where there is one.
    for package in fs::read_dir("/usr/share/selinux/default").into_iter().flatten().flatten() {
        let name = package.file_name().to_string_lossy().replace(".bz2", "");
        if name.ends_with(".pp") {
            let text = run(Command::new("bzcat").arg(package.path())).stdout;
            fs::write(path(&name), text).unwrap();
            check_module(&path(&name), folder.path());
        }
    }
}

#[test]
fn lines_of_modules_come_where_semodule_puts_them() {
    let file_contexts =
        "/usr/.*\tu:r:usr_t:s0\n/usr/bin/.*\tu:r:bin_t:s0\n/usr/bin/long-name\\.x\tu:r:long_t:s0\n";
    let module =
        "/usr/bin/[^/]*\t--\tu:r:all_t:s0\n/usr/bin/probe\tu:r:probe_t:s0\n/usr/b.*\tu:r:b_t:s0\n";
    let modules = [module];
    let policy = Policy { file_contexts, modules: &modules, ..Policy::default() };
    let mut labels = Labels::new(&policy).unwrap();
    let mut check = |path: &str, expected: &str| {
        assert_eq!(labels.lookup(path.as_bytes(), Kind::File), Some(expected), "{path}");
    };
    check("/usr/bin/probe", "u:r:probe_t:s0");
    check("/usr/bin/other", "u:r:all_t:s0");
    check("/usr/bin/a/b", "u:r:bin_t:s0");
    check("/usr/bin/long-name.x", "u:r:long_t:s0");
    check("/usr/b", "u:r:b_t:s0");
}

/// The plain command: what `matchpathcon` says, for lines on standard input.
#[test]
fn the_command_prints_the_label_of_each_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file_contexts");
    fs::write(&file, "/usr/.*\tu:r:usr_t:s0\n/usr/tmp\t-d\t<<none>>\n").unwrap();
    fs::write(folder.path().join("file_contexts.subs_dist"), "/bin /usr/bin\n").unwrap();
    fs::write(folder.path().join("file_contexts.local"), "/usr/local/.*\t-l\tu:r:local_t:s0\n")
        .unwrap();
    let label = |input: &str| {
        let mut command = composer();
        command.args(["label", "--policy"]).arg(&file).stdin(tools::input(input.as_bytes()));
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let input = "file\t/bin/ls\ndir\t/usr/tmp\nlnk_file\t/usr/local/x\nany\t/home\n";
    let expected = "u:r:usr_t:s0\n<<none>>\nu:r:local_t:s0\n<<none>>\n";
    assert_eq!(label(input), (Some(0), expected.to_owned(), String::new()));
    let (code, _, said) = label("file\t/usr/x\ndoor\t/usr/x\n");
    assert!(code == Some(2) && said.contains("line 2: expected TYPE<TAB>PATH"), "{said}");
}
