//! Base packs of images in a registry: Debian's docker-registry, filled with layers that `tar` makes.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sysext::Base;
use testdata::server::Server;
use testdata::tools::{composer, has, run};

use crate::bases::root;

/// A registry that ends with the test. It wants a token, which it has another server give.
struct Registry {
    program: Child,
    /// `HOST:PORT`
    address: String,
    tokens: Server,
}

/// A file in the registry, as manifests name it.
fn descriptor(media_type: &str, content: &[u8]) -> Value {
    let digest = sysext::rpm::hex(&Sha256::digest(content));
    json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": content.len() })
}

impl Registry {
    fn new(folder: &Path) -> Option<Self> {
        if !has("docker-registry") || !has("rpm") {
            return None;
        }
        fs::write(folder.join("token"), r#"{"token":"anybody"}"#).unwrap();
        let tokens = Server::new(folder);
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = folder.join("registry.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: \"{free}\"}}\nauth: {{silly: {{realm: \"{}/token\", service: here}}}}\n",
            folder.join("registry").display(),
            tokens.url
        );
        fs::write(&config, text).unwrap();
        let program = Command::new("docker-registry")
            .arg("serve")
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut registry = Self { program, address: free.to_string(), tokens };
        while registry.get("").is_err() {
            assert!(registry.program.try_wait().unwrap().is_none(), "the registry has ended");
            std::thread::yield_now();
        }
        Some(registry)
    }

    /// Whether the registry answers.
    fn get(&self, path: &str) -> Result<(), ureq::Error> {
        let url = format!("http://{}/v2/{path}", self.address);
        ureq::get(&url).header("Authorization", "Bearer x").call().map(drop)
    }

    fn blob(&self, media_type: &str, content: &[u8]) -> Value {
        let url = format!("http://{}/v2/test/image/blobs/uploads/", self.address);
        let begun = ureq::post(&url).header("Authorization", "Bearer x").send_empty().unwrap();
        let place = begun.headers()["location"].to_str().unwrap();
        let descriptor = descriptor(media_type, content);
        ureq::put(place)
            .query("digest", descriptor["digest"].as_str().unwrap())
            .header("Authorization", "Bearer x")
            .header("Content-Type", "application/octet-stream")
            .send(content)
            .unwrap();
        descriptor
    }

    fn manifest(&self, tag: &str, manifest: &Value) -> Value {
        let content = serde_json::to_vec(manifest).unwrap();
        let media_type = manifest["mediaType"].as_str().unwrap();
        ureq::put(format!("http://{}/v2/test/image/manifests/{tag}", self.address))
            .header("Authorization", "Bearer x")
            .header("Content-Type", media_type)
            .send(&content)
            .unwrap();
        descriptor(media_type, &content)
    }

    /// An image of layers; its descriptor.
    fn image(&self, tag: &str, layers: &[(&str, Vec<u8>)]) -> Value {
        let config = self.blob("application/vnd.oci.image.config.v1+json", b"{}");
        let layers: Vec<Value> = layers
            .iter()
            .map(|(end, content)| {
                self.blob(&format!("application/vnd.oci.image.layer.v1.tar{end}"), content)
            })
            .collect();
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers,
        });
        self.manifest(tag, &manifest)
    }

    fn name(&self, version: &str) -> String {
        format!("{}/test/image{version}", self.address)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// A layer of all that is in a folder.
fn layer(folder: &Path, compress: &[&str]) -> Vec<u8> {
    let tar = run(Command::new("tar").arg("-C").arg(folder).args(["-c", "."])).stdout;
    let Some((program, arguments)) = compress.split_first() else { return tar };
    let path = folder.with_extension("tar");
    fs::write(&path, tar).unwrap();
    run(Command::new(program).args(arguments).arg(path)).stdout
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn make(folder: &Path, source: &str, name: &str, extra: &[&str]) -> (PathBuf, Output) {
    let pack = folder.join(name);
    let output = composer()
        .args(["base", "make", source, "--retries", "0", "-o"])
        .arg(&pack)
        .arg("--cache")
        .arg(folder.join("cache"))
        .args(extra)
        .output()
        .unwrap();
    (pack, output)
}

fn pack(folder: &Path, source: &str, name: &str, extra: &[&str]) -> Base {
    let (pack, output) = make(folder, source, name, extra);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Base::read(&fs::read(pack).unwrap()).unwrap()
}

fn refused(folder: &Path, source: &str, extra: &[&str], words: &str) {
    let (pack, output) = make(folder, source, "refused.base", extra);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains(words), "{said}");
    assert!(!pack.exists());
}

/// All that two bases have but where they are from.
fn same(one: &Base, other: &Base) {
    let nevras = |base: &Base| -> Vec<String> {
        base.packages().map(|nevra| nevra.text().to_owned()).collect()
    };
    assert_eq!(nevras(one), nevras(other));
    assert_eq!(format!("{:?}", one.index()), format!("{:?}", other.index()));
    let about = |base: &Base| {
        let mut about = base.about.clone();
        about.from.clear();
        about.digest.clear();
        about
    };
    assert_eq!(about(one), about(other));
}

#[test]
fn an_image_and_its_root_agree() {
    let folder = tempfile::tempdir().unwrap();
    let Some(registry) = Registry::new(folder.path()) else { return };
    let root = root(folder.path(), 20);
    let contexts = "etc/selinux/targeted/contexts/files/file_contexts";
    write(&root, contexts, "/usr(/.*)?\tsystem_u:object_r:usr_t:s0\n");
    write(&root, &format!("{contexts}.subs_dist"), "/run /var/run\n");
    write(&root, "usr/lib/group", "root:x:0:\n");
    let of_root = pack(folder.path(), root.to_str().unwrap(), "root.base", &[]);

    // Below: other texts, and users that the layer above takes away. Above: the root itself.
    let below = folder.path().join("below");
    write(&below, "usr/lib/os-release", "ID=other\n");
    write(&below, "usr/lib/passwd", "gone:x:1:1::/:/bin/sh\n");
    write(&root, "usr/lib/.wh.passwd", "");
    let layers = [("", layer(&below, &[])), ("+gzip", layer(&root, &["gzip", "-c"]))];
    let plain = registry.image("plain", &layers);
    let of_image = pack(folder.path(), &registry.name(":plain"), "plain.base", &[]);
    same(&of_image, &of_root);
    assert_eq!(of_image.about.digest, plain["digest"].as_str().unwrap());
    assert_eq!(of_image.about.from, "image");
    let asked = registry.tokens.requests();
    assert!(
        asked[0].path.contains("scope=repository") && asked[0].path.contains("pull"),
        "{asked:?}"
    );
    let pinned = registry.name(&format!("@{}", plain["digest"].as_str().unwrap()));
    same(&pack(folder.path(), &pinned, "pinned.base", &[]), &of_root);
    let offline = pack(folder.path(), &registry.name(":plain"), "offline.base", &["--offline"]);
    same(&offline, &of_root);

    // As OSTree keeps an image: the files are objects, their names hard links, and /etc is /usr/etc.
    fs::remove_file(root.join("usr/lib/.wh.passwd")).unwrap();
    let ostree = folder.path().join("ostree");
    let objects = ostree.join("sysroot/ostree/repo/objects");
    fs::create_dir_all(&objects).unwrap();
    run(Command::new("cp").arg("-r").arg(root.join("usr")).arg(&ostree));
    run(Command::new("cp").arg("-r").arg(root.join("etc")).arg(ostree.join("usr/etc")));
    let files = run(Command::new("find").arg(ostree.join("usr")).args(["-type", "f"])).stdout;
    for (number, path) in String::from_utf8(files).unwrap().lines().enumerate() {
        fs::hard_link(path, objects.join(format!("{number}.file"))).unwrap();
    }
    let tar = folder.path().join("ostree.tar");
    run(Command::new("tar").arg("-C").arg(&ostree).args(["-c", "sysroot", "usr", "-f"]).arg(&tar));
    let zstd = run(Command::new("zstd").args(["-q", "-c"]).arg(&tar)).stdout;
    registry.image("ostree", &[("+zstd", zstd)]);
    same(&pack(folder.path(), &registry.name(":ostree"), "ostree.base", &[]), &of_root);
}

#[test]
fn a_list_of_images_has_one_for_each_architecture() {
    let folder = tempfile::tempdir().unwrap();
    let Some(registry) = Registry::new(folder.path()) else { return };
    let root = root(folder.path(), 3);
    let images = ["amd64", "arm64"].map(|arch| {
        write(&root, "usr/lib/os-release", &format!("ID={arch}\n"));
        let mut image = registry.image(arch, &[("+gzip", layer(&root, &["gzip", "-c"]))]);
        image["platform"] = json!({ "architecture": arch, "os": "linux" });
        image
    });
    let media_type = "application/vnd.oci.image.index.v1+json";
    let list = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": images });
    registry.manifest("43", &list);
    let name = registry.name(":43");
    let base = pack(folder.path(), &name, "arm.base", &["--arch", "aarch64"]);
    assert_eq!(base.about.os("ID"), Some("arm64"));
    assert_eq!(base.about.digest, images[1]["digest"].as_str().unwrap());
    refused(folder.path(), &name, &[], "there are images for amd64, arm64: say which with --arch");
    refused(folder.path(), &name, &["--arch", "s390x"], "only for amd64, arm64");
    refused(folder.path(), &registry.name(":44"), &[], "404");
    refused(folder.path(), "no-such-thing", &[], "it names no target and no image");

    let empty = folder.path().join("empty");
    write(&empty, "usr/lib/os-release", "ID=x\n");
    registry.image("empty", &[("", layer(&empty, &[]))]);
    refused(folder.path(), &registry.name(":empty"), &[], "it has no database of packages at");
    // A layer that is not the one that the manifest names.
    let stored =
        run(Command::new("grep").args(["-rl", "ID=x"]).arg(folder.path().join("registry")));
    fs::write(String::from_utf8(stored.stdout).unwrap().trim(), vec![0; 10240]).unwrap();
    fs::remove_dir_all(folder.path().join("cache")).unwrap();
    refused(folder.path(), &registry.name(":empty"), &[], "is not what the repository says");
}
