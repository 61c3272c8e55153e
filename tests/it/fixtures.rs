//! Makes `fixtures/*.rpm`, see `fixtures/README.md`.

use std::path::Path;
use std::process::Command;

use sysext::rpm::{Compression, NewFile, NewPackage};
use testdata::tools::{input, run};

#[test]
#[ignore = "makes files of the repository"]
fn make_fixtures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let text: String = (0..3000)
        .map(|number| format!("line {} of the fixture\n", number * number % 1009))
        .collect();
    let package = NewPackage {
        files: vec![
            NewFile::file("/usr/bin/hello", 0o755, b"#!/bin/sh\necho hello\n".to_vec()),
            NewFile::file("/usr/share/hello/text", 0o644, text.into_bytes()),
            NewFile::symlink("/usr/bin/hallo", "hello"),
        ],
        ..NewPackage::new("hello", "1.0", "1", "noarch")
    };
    for (name, program, args) in [
        ("xz", "xz", &["--check=sha256", "-6"][..]),
        ("lzma", "xz", &["--format=lzma", "-6"]),
        ("bzip2", "bzip2", &["-9"]),
        ("zstd", "zstd", &["-19", "--quiet"]),
    ] {
        let compress = |archive: &[u8]| {
            run(Command::new(program).args(args).arg("-c").stdin(input(archive))).stdout
        };
        let bytes = package.write(&Compression::Other(name, &compress));
        std::fs::write(folder.join(format!("hello-{name}.rpm")), bytes).unwrap();
    }
}
