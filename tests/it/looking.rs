//! Looking at packages before choosing them: `search`, `info`, `deps`, `why`. The repository's metadata is written here, for
//! its dependencies are the point.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use serde_json::Value;
use testdata::tools::composer;

/// A package: name, version, summary, and its dependencies, each with the list that it is in.
type Package<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)]);

fn repository(packages: &[Package<'_>]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let mut xml = format!("<metadata packages=\"{}\">", packages.len());
    for (name, version, summary, dependencies) in packages {
        let entry = |name: &str| format!("<rpm:entry name=\"{name}\"/>");
        let lists: String = dependencies
            .iter()
            .map(|(list, name)| format!("<rpm:{list}>{}</rpm:{list}>", entry(name)))
            .collect();
        xml += &format!(
            "<package type=\"rpm\"><name>{name}</name><arch>noarch</arch><version epoch=\"0\" ver=\"{version}\" \
             rel=\"1\"/><checksum type=\"sha256\" pkgid=\"YES\">{}</checksum><summary>{summary}</summary>\
             <size package=\"1000\" installed=\"2048\"/><location href=\"{name}.rpm\"/><format>\
             <rpm:provides><rpm:entry name=\"{name}\" flags=\"EQ\" epoch=\"0\" ver=\"{version}\" rel=\"1\"/>\
             </rpm:provides>{lists}</format></package>",
            "ab".repeat(32)
        );
    }
    xml += "</metadata>";
    let repodata = folder.path().join("repodata");
    fs::create_dir(&repodata).unwrap();
    fs::write(repodata.join("primary.xml"), xml).unwrap();
    fs::write(
        repodata.join("repomd.xml"),
        "<repomd><data type=\"primary\"><location href=\"repodata/primary.xml\"/></data></repomd>",
    )
    .unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

fn world() -> (tempfile::TempDir, PathBuf) {
    repository(&[
        ("editor", "1", "Edits text", &[("requires", "lib"), ("recommends", "spell")]),
        ("editor", "2", "Edits texts", &[("requires", "lib"), ("recommends", "spell")]),
        ("lib", "1", "A library that the editor needs", &[("requires", "deep")]),
        ("spell", "1", "Finds mistakes in texts", &[("requires", "deep")]),
        ("deep", "1", "Below all", &[]),
        ("langpack", "1", "Words", &[("supplements", "spell")]),
        ("other", "1", "Something else", &[]),
    ])
}

fn ask(command: &str, repo: &PathBuf, arguments: &[&str]) -> Output {
    let mut program = composer();
    if let Some(command) = command.strip_prefix("--json ") {
        program.args(["--json", command]);
    } else {
        program.arg(command);
    }
    program.args(arguments).args(["--arch", "x86_64", "--repo"]).arg(repo).output().unwrap()
}

fn check(output: &Output, code: i32, expected: &str) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    let found = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(found, expected);
}

#[test]
fn words_find_packages_by_name_and_summary() {
    let (_folder, repo) = world();
    let search = |words: &[&str]| ask("search", &repo, words);
    let (editor, lib) =
        ("editor.noarch 2-1: Edits texts\n", "lib.noarch 1-1: A library that the editor needs\n");
    check(&search(&["EDITOR"]), 0, &format!("{editor}{lib}"));
    check(&search(&["edi", "texts"]), 0, editor);
    check(&search(&["nothing"]), 1, "no package has nothing in its name or summary\n");
    let json = ask("--json search", &repo, &["lib"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["packages"][0]["name"], "lib");
}

#[test]
fn packages_are_described() {
    let (_folder, repo) = world();
    let name = repo.file_name().unwrap().to_string_lossy().into_owned();
    let digest = "ab".repeat(32);
    check(
        &ask("info", &repo, &["spell", "--dependencies"]),
        0,
        &format!(
            "spell-1-1.noarch\n  repository {name}\n  summary    Finds mistakes in texts\n  \
             size       1000 B, installed 2.00 KiB\n  location   spell.rpm\n  sha256     {digest}\n  \
             provides   spell = 1-1\n  requires   deep\n"
        ),
    );
    check(&ask("info", &repo, &["none"]), 1, "error: no package matches `none`\n");
    let json = ask("--json info", &repo, &["editor"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let versions: Vec<&str> = json["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["evr"].as_str().unwrap())
        .collect();
    assert_eq!(versions, ["2-1", "1-1"]);
    assert_eq!(json["packages"][0]["recommends"][0], "spell");
}

#[test]
fn who_needs_whom_is_told() {
    let (_folder, repo) = world();
    check(
        &ask("deps", &repo, &["editor", "--tree"]),
        0,
        "editor-2-1.noarch\n\
         ├─ lib-1-1.noarch\n\
         │  └─ deep-1-1.noarch\n\
         └─ spell-1-1.noarch (recommended)\n\
         \u{20}  ├─ deep-1-1.noarch\n\
         \u{20}  └─ langpack-1-1.noarch (recommended)\n",
    );
    check(
        &ask("deps", &repo, &["editor", "--no-weak"]),
        0,
        "deep-1-1.noarch\neditor-2-1.noarch\n  requires lib: lib-1-1.noarch\n\
         lib-1-1.noarch\n  requires deep: deep-1-1.noarch\n",
    );
    let json = ask("--json deps", &repo, &["spell"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["packages"].as_array().unwrap().len(), 3);
    assert_eq!(json["needs"][0]["verb"], "requires");
    let none = ask("deps", &repo, &["none"]);
    assert_eq!(none.status.code(), Some(1));
}

#[test]
fn why_a_package_comes_along_is_told() {
    let (_folder, repo) = world();
    let why = |arguments: &[&str]| ask("why", &repo, arguments);
    check(
        &why(&["deep", "editor"]),
        0,
        "deep-1-1.noarch\n  lib-1-1.noarch requires deep\n  editor-2-1.noarch requires lib\n  \
         editor-2-1.noarch was asked for\n",
    );
    check(
        &why(&["langpack", "editor"]),
        0,
        "langpack-1-1.noarch\n  langpack-1-1.noarch supplements spell\n  \
         editor-2-1.noarch recommends spell\n  editor-2-1.noarch was asked for\n",
    );
    check(&why(&["editor", "editor"]), 0, "editor-2-1.noarch\n  editor-2-1.noarch was asked for\n");
    check(
        &why(&["other", "editor"]),
        1,
        "other does not come along: nothing that was asked for needs it\n",
    );
    check(&why(&["none", "editor"]), 1, "none does not come along: no package matches `none`\n");
    let base = repo.join("base.txt");
    fs::write(&base, "deep-1-1.noarch\n").unwrap();
    check(
        &why(&["deep", "editor", "--base", base.to_str().unwrap()]),
        1,
        "deep does not come along: the base has deep-1-1.noarch\n",
    );
}

/// A reader that goes away early, such as `head`, is no failure of ours.
#[test]
fn a_reader_may_go_away() {
    let many: Vec<String> = (0..20_000).map(|number| format!("package-{number}")).collect();
    let packages: Vec<_> = many.iter().map(|name| (name.as_str(), "1", "Text", &[][..])).collect();
    let (_folder, repo) = repository(&packages);
    let mut program = composer()
        .args(["search", "text", "--arch", "x86_64", "--repo"])
        .arg(repo)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    program.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = program.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
