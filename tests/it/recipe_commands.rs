//! The commands around recipes: new, check, fmt, explain, schema, lock, build.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use sysext::rpm::{Compression, Dependency, NewFile, NewPackage};

use crate::on_base::base_of;
use testdata::server::Server;
use testdata::tools::{Mount, can_mount, composer, has, merge_in_lab, run};

/// A folder of recipes, a repository and a base.
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

    fn recipe(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path("extensions").join(name).join("extension.toml");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn package(&self, name: &str, version: &str, content: &str) {
        self.add(&NewPackage {
            files: vec![NewFile::file(&format!("/usr/bin/{name}"), 0o755, content.into())],
            ..NewPackage::new(name, version, "1", "x86_64")
        });
    }

    /// Puts a package into the repository.
    fn add(&self, package: &NewPackage) {
        fs::create_dir_all(self.path("repo")).unwrap();
        let path = self.path("repo").join(format!("{}-{}.rpm", package.name, package.version));
        fs::write(path, package.write(&Compression::Gzip)).unwrap();
        run(Command::new("createrepo_c").arg("--quiet").arg(self.path("repo")));
    }

    fn run(&self, arguments: &[&str]) -> Output {
        composer()
            .args(arguments)
            .env("SYSEXT_EXTENSIONS", self.path("extensions"))
            .env("SYSEXT_COMPOSER_CACHE", self.path("cache"))
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    fn json(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let output = self.run(&[&["--json"], arguments].concat());
        let text = String::from_utf8_lossy(&output.stderr);
        let value = serde_json::from_slice(&output.stdout);
        (output.status.code(), value.unwrap_or_else(|error| panic!("{error}: {text}")))
    }

    fn base(&self, release: &str) -> PathBuf {
        base_of(release, self.folder.path(), "/.*\tsystem_u:object_r:usr_t:s0\n", "")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_new_recipe_is_in_its_form_and_is_not_written_twice() {
    let shop = Workshop::new();
    let arguments = ["new", "htop", "--summary", "shows processes", "--service", "htop.service"];
    assert!(shop.run(&arguments).status.success());
    let path = shop.path("extensions/htop/extension.toml");
    let expected =
        "summary = \"shows processes\"\n\npackages = [\"htop\"]\n\nservices = [\"htop.service\"]\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert!(
        shop.run(&["check"]).status.success() && shop.run(&["fmt", "--check"]).status.success()
    );
    assert_eq!(shop.run(&arguments).status.code(), Some(2));
    let wrong = shop.run(&["new", "vim", "--target", "silverbleu"]);
    assert!(text(&wrong.stderr).contains("did you mean `silverblue`?"), "{}", text(&wrong.stderr));
    assert!(!shop.path("extensions/vim").exists());
}

#[test]
fn mistakes_are_told_as_compilers_tell_them() {
    let shop = Workshop::new();
    shop.recipe("good", "summary = \"x\"\npackages = [\"a\"]\n");
    let path = shop.recipe("bad", "summary = \"x\"\npakages = [\"a\"]\n");
    let output = shop.run(&["check"]);
    assert_eq!(output.status.code(), Some(1));
    let expected =
        format!("{}:2:1: unknown key `pakages`: did you mean `packages`?\n", path.display());
    assert_eq!(text(&output.stderr), expected);
    let (code, said) = shop.json(&["check"]);
    assert_eq!(
        (code, &said["checked"], &said["mistakes"][0]["line"]),
        (Some(1), &2.into(), &2.into())
    );
    assert!(shop.run(&["check", "good"]).status.success());
    let missing = "summary = \"x\"\npackages = [\"a\"]\n[[step]]\nfile = { path = \"/usr/a\", from = \"files/a\" }\n";
    shop.recipe("good", missing);
    assert!(text(&shop.run(&["check", "good"]).stderr).contains("there is no files/a beside it"));
}

#[test]
fn form_is_made_and_comments_stay() {
    let shop = Workshop::new();
    let path = shop.recipe(
        "x",
        "# Of the file.\nservices=['a.service']\npackages   = [ 'a',\n  'b' ] # both\n# Why.\nexclude = [\"c\"]\nsummary=\"x\"\n\n\n\
         [[step]]\n   mkdir={path=\"/usr/a\"}\n# A second step.\n[[step]]\noptional=true\nremove = { path = \"/usr/b\" }\n[version]\npackage=\"a\"\n# The end.\n",
    );
    assert_eq!(shop.run(&["fmt", "--check"]).status.code(), Some(1));
    assert!(shop.run(&["fmt"]).status.success());
    let formed = fs::read_to_string(&path).unwrap();
    assert_eq!(
        formed,
        "summary = \"x\"\n\npackages = ['a', 'b'] # both\n# Why.\nexclude = [\"c\"]\n\n# Of the file.\nservices = ['a.service']\n\n\
         [version]\npackage = \"a\"\n\n[[step]]\nmkdir = { path = \"/usr/a\" }\n\n# A second step.\n[[step]]\noptional = true\n\
         remove = { path = \"/usr/b\" }\n\n# The end.\n"
    );
    assert!(shop.run(&["fmt", "--check"]).status.success());
    assert!(shop.run(&["check"]).status.success());
}

#[test]
fn builds_come_from_locks_and_nothing_else() {
    if !has("createrepo_c") || !has("rpm") {
        return;
    }
    let shop = Workshop::new();
    shop.recipe("tool", "summary = \"a tool\"\npackages = [\"tool\"]\n");
    shop.package("tool", "1.0", "one");
    let base = shop.base("43");
    let base = base.to_str().unwrap();
    let whom = ["--target", "silverblue:43", "--arch", "x86_64", "--base", base];
    let trust = ["--repo", "repo", "--allow-unsigned"];
    let lock = |shop: &Workshop| {
        let output = shop.run(&[&["lock", "tool"], &whom[..], &trust].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        fs::read(shop.path("extensions/tool/locks/silverblue-43-x86_64.json")).unwrap()
    };
    let build = |shop: &Workshop, extra: &[&str]| {
        let (code, said) = shop.json(&[&["build", "tool"], &whom[..], extra].concat());
        (code, said["builds"][0].clone())
    };
    let (code, refused) = build(&shop, &["--locked"]);
    assert!(
        code == Some(1) && refused["error"].as_str().unwrap().contains("there is no lock"),
        "{refused}"
    );
    let first = lock(&shop);
    assert_eq!(first, lock(&shop), "the same packages give the same lock");

    // A newer package comes; the lock stays with the older one.
    shop.package("tool", "2.0", "two");
    let (code, locked) = build(&shop, &["--locked"]);
    assert_eq!(
        (code, locked["file_name"].as_str()),
        (Some(0), Some("tool-1.0-1-43-x86-64.raw")),
        "{locked}"
    );
    let (_, newest) = build(&shop, &[&trust[..], &["--twice"]].concat());
    assert_eq!(newest["file_name"], "tool-2.0-1-43-x86-64.raw");
    let images = fs::read_dir(shop.path("images")).unwrap();
    let names = images.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| name.ends_with(".raw")), "the second image is gone");
    assert_ne!(lock(&shop), first);

    // The package of the lock is another one now.
    shop.package("tool", "2.0", "changed");
    let (code, refused) = build(&shop, &["--locked"]);
    assert!(
        code == Some(1)
            && refused["error"].as_str().unwrap().contains("is not the one of the lock"),
        "{refused}"
    );
}

#[test]
fn what_fails_for_one_does_not_stop_the_others() {
    if !has("createrepo_c") || !has("rpm") {
        return;
    }
    let shop = Workshop::new();
    for name in ["a", "b", "missing", "old"] {
        let releases = if name == "old" { "releases = [\"42\"]\n" } else { "" };
        shop.recipe(name, &format!("summary = \"x\"\npackages = [\"{name}\"]\n{releases}"));
    }
    shop.package("a", "1", "a");
    shop.package("b", "1", "b");
    let base = shop.base("43");
    let whom = [
        "--all",
        "--repo",
        "repo",
        "--allow-unsigned",
        "--arch",
        "x86_64",
        "--base",
        base.to_str().unwrap(),
    ];
    let (code, said) = shop.json(&[&["build", "--target", "kinoite:43"], &whom[..]].concat());
    assert_eq!((code, &said["failed"]), (Some(1), &1.into()), "{said:#}");
    let builds = said["builds"].as_array().unwrap();
    let names: Vec<&str> =
        builds.iter().map(|build| build["extension"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b", "missing"], "`old` is for another release");
    assert!(builds[2]["error"].as_str().unwrap().contains("no package is named `missing`"));
    let output = shop.run(&[&["build", "--target", "kinoite:43"], &whom[..]].concat());
    let table = text(&output.stdout);
    assert!(table.contains("2 of 3 images are written"), "{table}");
    // One worker or four, side by side or not: the same bytes.
    let digests = |extra: &[&str]| -> Vec<String> {
        let (_, said) =
            shop.json(&[&["build", "--target", "kinoite:43"], &whom[..], extra].concat());
        let of = |build: &Value| build["sha256"].as_str().unwrap_or_default().to_owned();
        said["builds"].as_array().unwrap().iter().map(of).collect()
    };
    assert_eq!(
        digests(&["--jobs", "1", "--workers", "4"]),
        digests(&["--jobs", "4", "--workers", "1"])
    );
}

/// Repositories are read once for all recipes of a system. What one needs to know of them must not change another.
#[test]
fn recipes_are_built_together_as_each_alone() {
    if !has("createrepo_c") || !has("rpm") {
        return;
    }
    let shop = Workshop::new();
    // Only the list of all files knows who has this path.
    let deep = Dependency::parse("/usr/share/deep/file").unwrap();
    let file = |path: &str| vec![NewFile::file(path, 0o644, path.into())];
    let package = |name: &str, path: &str| NewPackage {
        files: file(path),
        ..NewPackage::new(name, "1", "1", "noarch")
    };
    shop.add(&package("deep", "/usr/share/deep/file"));
    let requires = vec![deep.clone()];
    shop.add(&NewPackage { requires, ..package("needs", "/usr/share/needs") });
    let recommends = vec![deep];
    shop.add(&NewPackage { recommends, ..package("recommends", "/usr/share/recommends") });
    for name in ["needs", "recommends"] {
        let text = format!("summary = \"x\"\npackages = [\"{name}\"]\nweak-dependencies = true\n");
        shop.recipe(name, &text);
    }
    let base = shop.base("43");
    let build = |names: &[&str]| -> BTreeMap<String, Value> {
        let how = ["--repo", "repo", "--allow-unsigned", "--target", "kinoite:43", "--jobs", "1"];
        let base = ["--arch", "x86_64", "--base", base.to_str().unwrap()];
        let (code, said) = shop.json(&[&["build"], names, &how, &base].concat());
        assert_eq!(code, Some(0), "{said:#}");
        let builds = said["builds"].as_array().unwrap().iter();
        builds.map(|build| (build["extension"].to_string(), build["sha256"].clone())).collect()
    };
    let mut alone = build(&["needs"]);
    alone.extend(build(&["recommends"]));
    assert!(alone.values().all(Value::is_string), "{alone:?}");
    assert_eq!(build(&["needs", "recommends"]), alone);
}

#[test]
fn sources_are_held_against_digests_that_are_published() {
    if !has("rpm") {
        return;
    }
    let shop = Workshop::new();
    let served = shop.path("served");
    fs::create_dir(&served).unwrap();
    fs::write(served.join("latest.txt"), "v1.2.3\n").unwrap();
    fs::write(served.join("tool-1.2.3-amd64"), "the tool").unwrap();
    let sum =
        text(&run(Command::new("sha256sum").arg("tool-1.2.3-amd64").current_dir(&served)).stdout);
    fs::write(served.join("sums"), &sum).unwrap();
    let server = Server::new(&served);
    let url = &server.url;
    shop.recipe("tool", &format!(
        "summary = \"a tool\"\nany-release = true\n[version]\nsource = \"tool\"\n[[source]]\nname = \"tool\"\ntype = \"file\"\n\
         url = \"{url}/tool-{{version}}-{{arch}}\"\narch = {{ x86_64 = \"amd64\" }}\ndiscover = {{ text = \"{url}/latest.txt\" }}\n\
         sha256-url = \"{url}/sums\"\n[[step]]\ninstall = {{ source = \"tool\", path = \"/usr/bin/tool\", mode = \"0755\" }}\n"
    ));
    let base = shop.base("43");
    let build = |shop: &Workshop| {
        let (_, said) = shop.json(&[
            "build",
            "tool",
            "--target",
            "coreos:stable",
            "--arch",
            "x86_64",
            "--base",
            base.to_str().unwrap(),
        ]);
        said["builds"][0].clone()
    };
    let built = build(&shop);
    assert_eq!(built["file_name"], "tool-1.2.3-43-x86-64.raw", "{built}");
    // Somebody has put another file there.
    fs::write(served.join("tool-1.2.3-amd64"), "another").unwrap();
    fs::remove_dir_all(shop.path("cache")).unwrap();
    let refused = build(&shop);
    assert!(refused["error"].as_str().is_some_and(|error| error.contains("SHA-256")), "{refused}");
}

#[test]
fn configuration_becomes_a_confext() {
    if !can_mount() || !has("createrepo_c") {
        return;
    }
    let shop = Workshop::new();
    shop.recipe(
        "settings",
        "summary = \"settings\"\nclass = \"confext\"\n[version]\ntext = \"3\"\n[[step]]\nfile = { path = \"/etc/app.conf\", text = \"a = 1\\n\" }\n\
         [[step]]\ndrop-in = { unit = \"app.service\", name = \"10.conf\", text = \"[Service]\\nNice=1\\n\" }\n",
    );
    let base = shop.base("43");
    let (code, said) = shop.json(&[
        "build",
        "settings",
        "--target",
        "coreos:stable",
        "--arch",
        "x86_64",
        "--base",
        base.to_str().unwrap(),
    ]);
    assert_eq!(code, Some(0), "{said:#}");
    let image = PathBuf::from(said["builds"][0]["image"].as_str().unwrap());
    let image = shop.path("").join(image);
    let mount = Mount::new(&image);
    let read = |path: &str| fs::read_to_string(mount.path().join(path)).unwrap();
    assert_eq!(read("etc/app.conf"), "a = 1\n");
    assert!(read("etc/extension-release.d/extension-release.settings").contains("VERSION_ID=43\n"));
    assert!(mount.path().join("etc/systemd/system/app.service.d/10.conf").exists());
    assert!(!mount.path().join("usr").exists());
    let wrong = "summary = \"x\"\nclass = \"confext\"\n[version]\ntext = \"1\"\n[[step]]\nfile = { path = \"/usr/bin/x\", text = \"\" }\n";
    shop.recipe("wrong", wrong);
    assert!(text(&shop.run(&["check", "wrong"]).stderr).contains("an extension only has /etc"));
    // systemd 254 and newer merge it.
    let script = "mkdir -p var/lib/confexts; mv var/lib/extensions/settings.raw var/lib/confexts/; systemd-confext --root=$PWD merge >&2; cat etc/app.conf; systemd-confext --root=$PWD unmerge >&2";
    if let Some(merged) = merge_in_lab(&image, "settings", "43", script) {
        assert_eq!(text(&merged.stdout), "a = 1\n", "{}", text(&merged.stderr));
    }
}
