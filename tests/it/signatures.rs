//! Signatures of packages: the verdicts of rpm, and that no bit can change unseen.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sysext::rpm::signature::{Keyring, Verdict};

use testdata::shared::data;
use testdata::tools::{in_lab, run};

/// Where rpm 4.18 says something else, and why we differ.
const OTHERWISE: [(&str, &str); 5] = [
    // v6 signatures, which rpm 4.18 does not know; rpm 6.1 says OK.
    ("rpm-rs/rpm-basic-multiple-signatures-2.3.4-5.el9.noarch.rpm", "SIGNED-OK"),
    ("rpm-rs/rpm-basic-with-ed25519-2.3.4-5.el9.noarch.fab33683.rpm", "SIGNED-OK"),
    ("rpm-rs/rpm-basic-with-rsa4k-2.3.4-5.el9.noarch.rpm", "SIGNED-OK"),
    // Signed by subkeys: rpm 6.1 says OK of the second, and of the first once it has the newer file of the key.
    ("rpm/hello-2.0-1.x86_64-signed-with-new-subkey.rpm", "SIGNED-OK"),
    ("rpm/hello-2.0-1.x86_64-signed-with-subkey.rpm", "SIGNED-OK"),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn keyring(folder: &Path) -> Keyring {
    let mut keyring = Keyring::default();
    for path in files(folder) {
        // One of them is a certificate of another kind.
        if let Err(error) = keyring.add(&fs::read(&path).unwrap()) {
            assert!(path.to_string_lossy().ends_with("-IMA"), "{}: {error}", path.display());
        }
    }
    keyring
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Signed(_) => "SIGNED-OK",
        Verdict::Unsigned => "DIGEST-OK",
        Verdict::NoKey(_) => "NOKEY",
        Verdict::Bad(_) => "BAD",
    }
}

#[test]
fn verdicts_are_those_of_rpm() {
    let Some(root) = data("") else { return };
    let keyring = keyring(&root.join("rpms/keys"));
    let otherwise: BTreeMap<&str, &str> = OTHERWISE.into_iter().collect();
    let mut counts = BTreeMap::<&str, usize>::new();
    let table = fs::read_to_string(root.join("RPM-VERIFY-rpm4.18.tsv")).unwrap();
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let Ok(file) = fs::File::open(root.join(fields[0])) else { continue };
        let verdict = keyring.verify_package(std::io::BufReader::new(file));
        let verdict = verdict.unwrap_or_else(|error| panic!("{}: {error}", fields[0]));
        let name = fields[0].strip_prefix("rpms/").unwrap_or(fields[0]);
        // rpm 4.18 does not import their key, which has text after it; rpm 6.1 does and says OK.
        let xlibre = name.starts_with("xlibre-opensuse/").then_some("SIGNED-OK");
        let expected = otherwise.get(name).copied().or(xlibre).unwrap_or(fields[1]);
        assert_eq!(word(&verdict), expected, "{}: {verdict:?}, rpm says {}", fields[0], fields[2]);
        *counts.entry(expected).or_default() += 1;
    }
    assert!(
        counts["SIGNED-OK"] > 40 && counts["NOKEY"] > 25 && counts["DIGEST-OK"] > 190,
        "{counts:?}"
    );
}

/// What the newest rpm says of the signatures of a package, from the lines of `rpmkeys -Kv`.
fn newest(lines: &[&str]) -> &'static str {
    let is_signature =
        |line: &&&str| line.contains(" OpenPGP ") && line.contains(" signature, key ");
    let verdicts: Vec<&str> = lines
        .iter()
        .filter(is_signature)
        .filter_map(|line| Some(line.rsplit_once(": ")?.1))
        .collect();
    match verdicts.as_slice() {
        [] => "DIGEST-OK",
        all if all.contains(&"BAD") => "BAD",
        all if all.contains(&"OK") => "SIGNED-OK",
        // Of keys and digests that its policy does not trust any more, and of those that it does not have.
        _ => "NOKEY",
    }
}

#[test]
fn verdicts_are_those_of_the_newest_rpm() {
    let Some(root) = data("") else { return };
    let scratch = tempfile::tempdir_in("/tmp").unwrap();
    let at = scratch.path().display();
    run(Command::new("cp").arg("-r").arg(root.join("rpms")).arg(scratch.path()));
    let ask = format!(
        "find {at}/rpms/keys -type f -exec rpmkeys --define='_keyringpath {at}/keys' --dbpath={at}/db --import {{}} ';' >&2; \
         find {at}/rpms -name '*.rpm' -exec rpmkeys --define='_keyringpath {at}/keys' --dbpath={at}/db -Kv {{}} ';'"
    );
    let Some(said) = in_lab(&ask, "nobody asks rpm 6 for its verdicts") else { return };
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let mut packages = BTreeMap::<&str, Vec<&str>>::new();
    let mut current = "";
    for line in said.lines() {
        match line.strip_suffix(':').filter(|line| line.starts_with('/')) {
            Some(path) => current = path,
            None => packages.entry(current).or_default().push(line),
        }
    }
    // What rpm 4.18 says, which still trusts old keys.
    let table = fs::read_to_string(root.join("RPM-VERIFY-rpm4.18.tsv")).unwrap();
    let older: BTreeMap<&str, &str> = table
        .lines()
        .filter_map(|line| {
            line.split_once('\t').map(|(path, rest)| (path, rest.split('\t').next().unwrap()))
        })
        .collect();
    let keyring = keyring(&root.join("rpms/keys"));
    let mut counts = BTreeMap::<&str, usize>::new();
    for (path, lines) in &packages {
        let Ok(file) = fs::File::open(path) else { continue };
        let Ok(verdict) = keyring.verify_package(std::io::BufReader::new(file)) else { continue };
        let name = path.strip_prefix(&format!("{at}/")).unwrap();
        let newest = newest(lines);
        let is_old_key = newest == "NOKEY" && older.get(name) == Some(&"SIGNED-OK");
        // The file of this key that comes last is an older one.
        let is_subkey = name.ends_with("signed-with-new-subkey.rpm");
        if !is_old_key && !is_subkey {
            assert_eq!(word(&verdict), newest, "{name}: {verdict:?}, rpm says {lines:#?}");
        }
        *counts.entry(newest).or_default() += 1;
    }
    assert!(counts["SIGNED-OK"] > 35 && counts["NOKEY"] > 40, "{counts:?}");
}

#[test]
fn no_bit_changes_unseen() {
    let Some(root) = data("rpms/rpm") else { return };
    let keyring = keyring(&root.join("../keys"));
    let path = root.join("hello-2.0-1.x86_64-signed-with-subkey.rpm");
    let bytes = fs::read(&path).unwrap();
    let verdict = |bytes: &[u8]| keyring.verify_package(std::io::Cursor::new(bytes));
    assert!(matches!(verdict(&bytes), Ok(Verdict::Signed(_))), "{:?}", verdict(&bytes));
    // From the second header on: what is before are the signatures themselves and space kept free for them.
    let magic = [0x8E, 0xAD, 0xE8, 0x01];
    let header =
        bytes.windows(4).enumerate().filter(|(_, window)| *window == magic).nth(1).unwrap().0;
    for at in (header..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let seen = !matches!(verdict(&changed), Ok(Verdict::Signed(_)));
        assert!(seen, "a bit of byte {at} of {}", bytes.len());
    }
}

#[test]
fn metadata_is_held_against_its_signature() {
    let Some(folder) = data("repodata/librepo/repo_yum_01/repodata") else { return };
    let mut keyring = Keyring::default();
    keyring.add(&fs::read(folder.join("repomd.xml.key")).unwrap()).unwrap();
    let repomd = fs::read(folder.join("repomd.xml")).unwrap();
    let signature = fs::read(folder.join("repomd.xml.asc")).unwrap();
    let verdict =
        |keyring: &Keyring, file: &[u8]| keyring.verify_detached(file, &signature).unwrap();
    assert!(matches!(verdict(&keyring, &repomd), Verdict::Signed(_)));
    assert!(matches!(verdict(&keyring, b"another"), Verdict::Bad(_)));
    assert!(matches!(verdict(&Keyring::default(), &repomd), Verdict::NoKey(_)));
    keyring.verify_detached(&repomd, b"no signature").unwrap_err();
}
