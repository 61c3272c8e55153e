//! The demo: our own command line as a package, for those who have none at hand. Its extension puts
//! `sysext-composer` on an image based system.

use std::fs;

use anyhow::{Context as _, Result};
use rpm::{Compression, FileFlags, NewFile, NewPackage};

use crate::shell::{cargo, root, run, say, target};

/// The package, or nothing where the command line is not a program for Linux.
pub(crate) fn build() -> Result<Option<Vec<u8>>> {
    if !cfg!(target_os = "linux") {
        say("No demo package: the command line is not built for Linux here");
        return Ok(None);
    }
    say("Compiling the command line for the demo");
    run(cargo().args(["build", "--release", "--package", "sysext-composer"]))?;
    let program = target().join("release/sysext-composer");
    let program = fs::read(&program).with_context(|| program.display().to_string())?;
    let license = fs::read(root().join("LICENSE"))?;
    let arch = std::env::consts::ARCH;
    let arch = if arch == "powerpc64" { "ppc64le" } else { arch };
    let package = NewPackage {
        summary: "Makes systemd system extensions from RPM packages".to_owned(),
        license: "MIT OR Apache-2.0".to_owned(),
        files: vec![
            NewFile::file("/usr/bin/sysext-composer", 0o755, program),
            NewFile::directory("/usr/share/licenses/sysext-composer", 0o755),
            NewFile {
                flags: FileFlags::LICENSE,
                ..NewFile::file("/usr/share/licenses/sysext-composer/LICENSE", 0o644, license)
            },
        ],
        ..NewPackage::new("sysext-composer", env!("CARGO_PKG_VERSION"), "1", arch)
    };
    Ok(Some(package.write(&Compression::Gzip)))
}
