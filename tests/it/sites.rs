//! What the page is served with: catalogs, and packages that are fetched when they are asked for.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::Digest as _;
use sysext::Catalog;
use testdata::shared::data;
use testdata::tools::{Served, composer, has, run, serve};

use crate::bases::root;
use crate::fetching::World;

/// A catalog of the repository of a world, which is on a server, or the folder itself.
fn catalog(world: &World, name: &str, repo: &str) -> PathBuf {
    let (base, folder) = (world.path("x.base"), world.path(name));
    if !base.exists() {
        let root = root(world.path("repo").parent().unwrap(), 1);
        run(composer().args(["base", "make"]).arg(root).arg("-o").arg(&base));
    }
    run(composer()
        .args(["catalog", "silverblue:43", "kinoite:43", "--repo", repo, "--base"])
        .arg(&base)
        .arg("-o")
        .arg(&folder));
    folder
}

/// A page, as far as serving it goes.
fn page(world: &World) -> PathBuf {
    let page = world.path("page");
    fs::create_dir_all(&page).unwrap();
    fs::write(page.join("index.html"), "<!doctype html>").unwrap();
    page
}

fn serve_catalog(world: &World, catalog: &Path, more: &[&str]) -> Served {
    let (catalog, cache) = (catalog.to_str().unwrap(), world.path("cache"));
    let arguments = ["--catalog", catalog, "--cache", cache.to_str().unwrap(), "--retries", "0"];
    serve(&page(world), &[&arguments, more].concat())
}

/// Status and bytes of an answer.
fn get(url: &str, range: Option<&str>) -> (u16, Vec<u8>) {
    let mut request = ureq::get(url).config().http_status_as_error(false).build();
    if let Some(range) = range {
        request = request.header("Range", range);
    }
    let mut response = request.call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_vec().unwrap())
}

/// Where a catalog has a package.
fn package_url(served: &Served, world: &World, name: &str) -> String {
    let file = fs::read(world.path("repo").join(format!("{name}.rpm"))).unwrap();
    let digest = sysext::rpm::hex(&sha2::Sha256::digest(file));
    format!("{}catalog/packages/sha256-{digest}.rpm", served.url)
}

#[test]
fn a_catalog_names_what_lies_beside_it_and_is_the_same_each_time() {
    let Some(world) = World::new() else { return };
    if !has("rpm") {
        return;
    }
    let repo = world.path("repo");
    let one = catalog(&world, "one", repo.to_str().unwrap());
    let two = catalog(&world, "two", repo.to_str().unwrap());
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&one), names(&two));
    for name in names(&one) {
        assert!(fs::read(one.join(&name)).unwrap() == fs::read(two.join(&name)).unwrap());
    }
    let read: Catalog =
        serde_json::from_slice(&fs::read(one.join("catalog.json")).unwrap()).unwrap();
    let titles: Vec<&str> = read.systems.iter().map(|system| system.title.as_str()).collect();
    assert_eq!(titles, ["Fedora Silverblue 43", "Fedora Kinoite 43"]);
    for system in &read.systems {
        assert_eq!(system.release, "43");
        let indexes = system.repositories.iter().map(|repository| &repository.index);
        for file in indexes.chain([&system.base]) {
            assert_eq!(fs::metadata(one.join(&file.name)).unwrap().len(), file.size);
        }
    }
}

#[test]
fn catalogs_are_of_systems_that_are_published() {
    let check = |target: &str, arch: &str| {
        let mut command = composer();
        command.args(["catalog", target, "--arch", arch, "-o", "/nonexistent/catalog"]);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("no target {target} for {arch}")), "{said}");
    };
    check("silverblue:12", "x86_64");
    check("windows:11", "x86_64");
    check("silverblue:43", "s390x");
}

#[test]
fn packages_are_fetched_when_a_page_asks_for_them() {
    let Some(world) = World::new() else { return };
    if !has("rpm") {
        return;
    }
    let folder = catalog(&world, "catalog", &world.server.url);
    let served = serve_catalog(&world, &folder, &["--allow-unsigned"]);
    world.server.requests();
    let (status, bytes) = get(&package_url(&served, &world, "two"), None);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
    assert!(bytes == fs::read(world.path("repo/two.rpm")).unwrap());
    // Nothing else was fetched, and not again.
    let asked = || -> Vec<String> {
        world.server.requests().into_iter().map(|request| request.path).collect()
    };
    assert_eq!(asked(), ["two.rpm"]);
    assert_eq!(
        get(&package_url(&served, &world, "two"), Some("bytes=10-19")),
        (206, bytes[10..20].to_vec())
    );
    assert!(asked().is_empty());

    // What no index names is nobody's.
    let unknown = format!("{}catalog/packages/sha256-{}.rpm", served.url, "0".repeat(64));
    assert_eq!(get(&unknown, None).0, 404);
    // Another file at that place is refused.
    fs::write(world.path("repo/one.rpm.new"), "not the package").unwrap();
    let url = package_url(&served, &world, "one");
    fs::rename(world.path("repo/one.rpm.new"), world.path("repo/one.rpm")).unwrap();
    let (status, why) = get(&url, None);
    assert_eq!(status, 502, "{}", String::from_utf8_lossy(&why));
}

#[test]
fn packages_without_a_signature_are_not_served() {
    let Some(world) = World::new() else { return };
    if !has("rpm") {
        return;
    }
    let Some(key) = data("rpms/keys/maccel/RPM-GPG-KEY-maccel") else { return };
    let folder = catalog(&world, "catalog", &world.server.url);
    let served = serve_catalog(&world, &folder, &["--key", key.to_str().unwrap()]);
    let (status, why) = get(&package_url(&served, &world, "two"), None);
    let why = String::from_utf8_lossy(&why);
    assert_eq!(status, 502);
    assert!(why.contains("two.rpm: it is not signed"), "{why}");
}

#[test]
fn only_what_is_below_the_folders_is_served() {
    let Some(world) = World::new() else { return };
    let page = page(&world);
    let served = serve(&page, &[]);
    assert_eq!(get(&served.url, None), (200, b"<!doctype html>".to_vec()));
    assert_eq!(get(&format!("{}none.js", served.url), None).0, 404);
    // As a client that does not tidy paths up.
    let address = served.url.trim_start_matches("http://").trim_end_matches('/');
    let ask = |path: &str| {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    for path in ["/../x.base", "/catalog/../../repo/one.rpm", "//etc/passwd"] {
        assert!(ask(path).contains(" 404 "), "{path}");
    }
    let bad = composer().args(["serve", "/nonexistent"]).output().unwrap();
    assert_eq!(bad.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&bad.stderr).contains("has no index.html"));
}
