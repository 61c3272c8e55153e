//! The recipes of `extensions/`: whole, in their form, told in the table; and built from packages that have what the real ones
//! have, the tree is that of the shell steps which published it so far.

mod justfiles;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sysext::checks::About;
use sysext::extension::{Action, table};
use sysext::rpm::{Compression, NewFile, NewPackage};
use sysext::{Extension, Targets};

use crate::walk::{walk, xattrs};
use justfiles::{CASES, Case};
use testdata::tools::{Mount, can_mount, composer, has, merge, merge_in_lab, run};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../extensions");

fn recipes() -> Vec<(String, Extension)> {
    let mut recipes = Vec::new();
    for entry in fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path().join("extension.toml");
        if let Ok(text) = fs::read_to_string(&path) {
            let name = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
            let extension = Extension::read(&text).unwrap_or_else(|bad| panic!("{name}: {bad}"));
            recipes.push((name, extension));
        }
    }
    recipes.sort_by(|a, b| a.0.cmp(&b.0));
    recipes
}

#[test]
fn all_published_extensions_are_here() {
    let recipes = recipes();
    let of = |collection: &'static str| {
        recipes.iter().filter(move |(_, recipe)| recipe.collection == collection)
    };
    assert_eq!((of("fedora").count(), of("community").count()), (69, 31));
    // As many as their workflows build today: 11 images, 2 architectures.
    let targets = Targets::published();
    assert_eq!(of("fedora").map(|(_, recipe)| recipe.builds(&targets).len()).sum::<usize>(), 382);
    let only = |id: &str| {
        let is_only = |recipe: &Extension| {
            recipe.target_names().iter().all(|name| name.split(':').next() == Some(id))
        };
        of("fedora").filter(|(_, recipe)| is_only(recipe)).count()
    };
    assert_eq!(
        [only("coreos"), only("silverblue"), only("kinoite"), only("base-atomic")],
        [14, 3, 1, 51]
    );
    let upheld = recipes.iter().filter(|(_, recipe)| !recipe.services.is_empty()).count();
    assert_eq!(upheld, 20);
}

#[test]
fn recipes_are_in_their_form() {
    run(composer().args(["check", "--extensions", FOLDER]));
    run(composer().args(["fmt", "--check", "--extensions", FOLDER]));
    for (name, recipe) in recipes() {
        assert!(!recipe.explain(&name).is_empty(), "{name}");
        assert!(recipe.homepage.starts_with("https://"), "{name}");
    }
}

#[test]
fn the_table_is_that_of_the_recipes() {
    let readme = fs::read_to_string(format!("{FOLDER}/README.md")).unwrap();
    let table = table(&recipes());
    assert!(readme.ends_with(&table), "run `cargo xtask table`");
    let example = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    Extension::read(example).unwrap_or_else(|bad| panic!("the example of the README: {bad}"));
    let checks = fs::read_to_string(format!("{FOLDER}/CHECKS.md")).unwrap();
    assert_eq!(checks, format!("# Checks\n\n{}", About::pages()), "run `cargo xtask table`");
}

/// A package as a text: its name and perhaps version, then lines of a path, a mode of four digits unless it is 0644 or 0755 in `bin`, and
/// `-> TARGET` or `= CONTENT`.
fn package(text: &str, arch: &str) -> NewPackage {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let header = lines.next().unwrap();
    let (name, version) = header.split_once(' ').unwrap_or((header, "1.0"));
    let file = |line: &str| {
        let (line, target) =
            line.split_once(" -> ").map_or((line, None), |(line, target)| (line, Some(target)));
        let (line, content) =
            line.split_once(" = ").map_or((line, None), |(line, content)| (line, Some(content)));
        let (path, mode) = line
            .rsplit_once(' ')
            .and_then(|(path, mode)| {
                Some((path, u16::from_str_radix(mode, 8).ok().filter(|_| mode.len() == 4)?))
            })
            .unwrap_or((line, if line.contains("bin/") { 0o755 } else { 0o644 }));
        let content = content
            .map_or_else(|| format!("what is in {path}\n"), |content| content.replace("\\n", "\n"));
        match target {
            Some(target) => NewFile::symlink(path, target),
            None if path.ends_with('/') => NewFile::directory(path.trim_end_matches('/'), 0o755),
            None => NewFile::file(path, mode, content.into_bytes()),
        }
    };
    NewPackage { files: lines.map(file).collect(), ..NewPackage::new(name, version, "1", arch) }
}

/// What a case is built in.
struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The packages of a case, the first of which has the units that the recipe starts, and a repository of them.
    fn packages(&self, case: &Case<'_>) -> Vec<PathBuf> {
        let text = fs::read_to_string(format!("{FOLDER}/{}/extension.toml", case.recipe)).unwrap();
        let mut units = Extension::read(&text).unwrap().services;
        units.retain(|unit| !case.packages.iter().any(|package| package.contains(unit.as_str())));
        fs::create_dir(self.path("repo")).unwrap();
        let packages = case.packages.iter().map(|text| {
            let mut package = package(text, "x86_64");
            package.files.extend(units.drain(..).map(|unit| {
                NewFile::file(&format!("/usr/lib/systemd/system/{unit}"), 0o644, Vec::new())
            }));
            let path = self.path("repo").join(format!("{}.rpm", package.name));
            fs::write(&path, package.write(&Compression::Gzip)).unwrap();
            path
        });
        let packages = packages.collect();
        run(Command::new("createrepo_c").arg("--quiet").arg(self.path("repo")));
        packages
    }

    /// The recipe, and a lock that says where its sources are.
    fn recipe(&self, case: &Case<'_>, target: &str, extension: &Extension) {
        let folder = self.path("extensions").join(case.recipe);
        fs::create_dir_all(folder.join("locks")).unwrap();
        fs::copy(format!("{FOLDER}/{}/extension.toml", case.recipe), folder.join("extension.toml"))
            .unwrap();
        if extension.sources.is_empty() {
            return;
        }
        let sources: Vec<Value> = extension.sources.iter().map(|source| {
            let path = match source.kind {
                sysext::extension::SourceKind::Rpm => self.path("repo").join(format!("{}.rpm", source.name)),
                sysext::extension::SourceKind::File => {
                    fs::write(self.path("file"), "the program").unwrap();
                    self.path("file")
                }
                sysext::extension::SourceKind::Archive => self.archive(case.archive),
            };
            let sum = run(Command::new("sha256sum").arg(&path)).stdout;
            let sum = String::from_utf8(sum).unwrap();
            json!({
                "name": source.name, "version": "1.0", "url": format!("file://{}", path.display()),
                "sha256": sum.split(' ').next().unwrap(),
            })
        }).collect();
        let lock = json!({ "version": 1, "specs": [], "arch": "x86_64", "packages": [], "sources": sources });
        let path = folder.join(format!("locks/{}-x86_64.json", target.replace(':', "-")));
        fs::write(path, lock.to_string()).unwrap();
    }

    fn archive(&self, files: &[&str]) -> PathBuf {
        let root = self.path("archive");
        for file in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("what is in {file}\n")).unwrap();
        }
        let path = self.path("source.tar.gz");
        run(Command::new("tar").arg("-czf").arg(&path).arg("-C").arg(&root).arg("."));
        path
    }

    /// The image of the case, and all that `build` says of it.
    fn build(&self, case: &Case<'_>) -> (PathBuf, Value) {
        let text = fs::read_to_string(format!("{FOLDER}/{}/extension.toml", case.recipe)).unwrap();
        let extension = Extension::read(&text).unwrap();
        let targets = Targets::published();
        let builds = extension.builds(&targets);
        let build = builds.iter().find(|build| build.tag == "43").unwrap_or(&builds[0]);
        let (target, release) = (build.target(), extension.releases.first());
        let release = release.map_or("43", String::as_str);
        self.recipe(case, &target, &extension);
        let base = crate::on_base::base_of(
            release,
            self.folder.path(),
            "/.*\tsystem_u:object_r:usr_t:s0\n",
            "",
        );
        let output = composer()
            .args([
                "--json",
                "build",
                case.recipe,
                "--allow-unsigned",
                "--arch",
                "x86_64",
                "--target",
                &target,
            ])
            .args(if extension.sources.is_empty() { None } else { Some("--locked") })
            .arg("--repo")
            .arg(self.path("repo"))
            .arg("--base")
            .arg(base)
            .arg("--extensions")
            .arg(self.path("extensions"))
            .arg("--cache")
            .arg(self.path("cache"))
            .arg("-o")
            .arg(self.path("images"))
            .output()
            .unwrap();
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said:#}\n{errors}", case.recipe);
        let build = said["builds"][0].clone();
        (PathBuf::from(build["image"].as_str().unwrap_or_else(|| panic!("{said:#}"))), build)
    }

    /// The tree that the shell steps make of the packages.
    fn by_shell(&self, case: &Case<'_>, packages: &[PathBuf]) -> PathBuf {
        let root = self.path("rootfs");
        fs::create_dir(&root).unwrap();
        for package in packages {
            let script = format!(
                "rpm2cpio {} | cpio --quiet -idmu --no-absolute-filenames",
                package.display()
            );
            run(Command::new("sh").args(["-ec", &script]).current_dir(&root));
        }
        let archive = self.path("archive");
        let script = format!("{}\n{}\n{}", justfiles::PRELUDE, case.script, justfiles::SYSEXT_JUST);
        run(Command::new("bash")
            .args(["-ec", &script])
            .env("ARCHIVE", &archive)
            .env("FILE", self.path("file"))
            .current_dir(&root));
        root
    }
}

/// What is compared: type, permissions, owner, target, content, capabilities. Times and labels have tests of their own.
fn tree(root: &Path, name: &str) -> BTreeMap<Vec<u8>, String> {
    let generated = [
        format!("usr/lib/systemd/system/{name}-sysext-setup.service"),
        format!("usr/lib/systemd/system/multi-user.target.d/10-{name}-sysext.conf"),
        format!("usr/lib/tmpfiles.d/{name}-sysext-etc.conf"),
        format!("usr/lib/extension-release.d/extension-release.{name}"),
    ];
    let folders: Vec<&str> = generated
        .iter()
        .flat_map(|path| path.match_indices('/').map(move |(at, _)| &path[..at]))
        .collect();
    walk(root)
        .into_iter()
        .filter(|(path, _)| {
            let path = String::from_utf8_lossy(path).into_owned();
            // Folders may be there for what is generated alone.
            let is_generated = generated.contains(&path) || folders.contains(&path.as_str());
            !path.is_empty() && !is_generated
        })
        .map(|(path, line)| {
            let words: Vec<&str> = line.split(' ').collect();
            let at = root.join(String::from_utf8_lossy(&path).as_ref());
            let mut content = line.split_once('}').map_or("", |(_, content)| content).to_owned();
            // What compresses it may differ; what is in it may not.
            if fs::read(&at).is_ok_and(|bytes| bytes.starts_with(b"\x1F\x8B")) {
                content = format!("{:?}", run(Command::new("gzip").arg("-dc").arg(&at)).stdout);
            }
            let capability = xattrs(&at).remove("security.capability").unwrap_or_default();
            let mode = if words[0].starts_with("12") { "link" } else { words[0] };
            (path, format!("{mode} {} {capability:?}{content}", words[1]))
        })
        .collect()
}

#[test]
fn built_from_packages_like_the_real_ones_trees_are_those_of_the_justfiles() {
    if !can_mount() || !has("createrepo_c") || !has("rpm2cpio") || !has("cpio") || !has("setcap") {
        return;
    }
    for case in CASES {
        let workshop = Workshop::new();
        let packages = workshop.packages(case);
        let (image, _) = workshop.build(case);
        let mount = Mount::new(&image);
        let expected = tree(&workshop.by_shell(case, &packages), case.recipe);
        let found = tree(mount.path(), case.recipe);
        assert!(!found.is_empty(), "{}", case.recipe);
        crate::walk::assert_same(&expected, &found);
    }
}

/// systemd merges images of recipes, on their release alone, and takes their units.
#[test]
fn systemd_merges_images_of_recipes() {
    if !can_mount() || !has("createrepo_c") || !has("systemd-sysext") || !has("systemd-analyze") {
        return;
    }
    let recipes = [
        "docker-ce",
        "emacs",
        "google-chrome",
        "iwd",
        "kubernetes-cri-o-1.34",
        "libvirtd",
        "mullvad-vpn",
        "nordvpn",
        "qemu-guest-agent",
        "tailscale",
        "wireshark-silverblue",
        "bandwhich",
    ];
    for name in recipes {
        let text = fs::read_to_string(format!("{FOLDER}/{name}/extension.toml")).unwrap();
        let recipe = Extension::read(&text).unwrap();
        let packages: Vec<String> = recipe
            .packages
            .iter()
            .map(|package| format!("{package}\n/usr/bin/{package}"))
            .collect();
        let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
        let plain = Case { recipe: name, packages: &packages, archive: &[], script: "" };
        let case = CASES.iter().find(|case| case.recipe == name).unwrap_or(&plain);
        let workshop = Workshop::new();
        workshop.packages(case);
        let (image, _) = workshop.build(case);
        // Programs of the base that units name are none of the root's; all else must be right.
        let script = format!(
            "find usr -type f | sort; for unit in {}; do \
                 systemd-analyze verify --man=no --root=$PWD /usr/lib/systemd/system/$unit 2>&1 \
                     | grep -v 'is not executable\\|Failed to prepare filename\\|not found' >&2 || true; done",
            recipe.services.join(" ")
        );
        let merges =
            [Some(merge(&image, name, "43", &script)), merge_in_lab(&image, name, "43", &script)];
        for merged in merges.into_iter().flatten() {
            let (said, complaints) =
                (String::from_utf8_lossy(&merged.stdout), String::from_utf8_lossy(&merged.stderr));
            assert!(merged.status.success(), "{name}: {complaints}");
            assert!(said.contains(&format!("extension-release.{name}")), "{name}: {said}");
            let bad = complaints
                .lines()
                .find(|line| line.contains("Unknown") || line.contains("ordering cycle"));
            assert_eq!(bad, None, "{name}: {complaints}");
        }
        if !recipe.any_release {
            let other = merge(&image, name, "44", "find usr -type f");
            assert!(
                !String::from_utf8_lossy(&other.stdout).contains("extension-release"),
                "{name}"
            );
        }
    }
}

/// All that is found in images of all recipes, built from packages like the real ones or, where no step is about files, from
/// packages with one program each: advice for people, which somebody should read when it changes.
#[test]
fn findings_of_all_recipes_are_as_written_down() {
    if !has("createrepo_c") {
        return;
    }
    let mut found = String::new();
    for (name, recipe) in recipes() {
        let packages: Vec<String> = recipe
            .packages
            .iter()
            .chain(recipe.sources.iter().map(|source| &source.name))
            .map(|package| format!("{package}\n/usr/bin/{package}"))
            .collect();
        let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
        let plain = Case { recipe: &name, packages: &packages, archive: &[], script: "" };
        let case = CASES.iter().find(|case| case.recipe == name).unwrap_or(&plain);
        let workshop = Workshop::new();
        workshop.packages(case);
        let (_, build) = workshop.build(case);
        let _ = writeln!(found, "{name}");
        for finding in build["findings"].as_array().unwrap() {
            let text = |key: &str| finding[key].as_str().unwrap_or_default();
            let _ =
                writeln!(found, "  {} {}: {}", text("severity"), text("check"), text("message"));
            if !text("fix").is_empty() {
                let _ = writeln!(found, "    {}", text("fix"));
            }
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/findings.txt");
    let expected = fs::read_to_string(path).unwrap_or_default();
    if found != expected {
        let new = std::env::temp_dir().join("findings.txt");
        fs::write(&new, &found).unwrap();
        panic!("the findings changed; if they read well, copy {} to {path}", new.display());
    }
}

#[test]
fn every_recipe_with_steps_is_built_by_the_test_above() {
    for (name, recipe) in recipes() {
        let changes = |action: &Action| !matches!(action, Action::Mkdir(_));
        if recipe.steps.iter().any(|step| changes(&step.action)) {
            assert!(CASES.iter().any(|case| case.recipe == name), "{name}");
        }
    }
}
