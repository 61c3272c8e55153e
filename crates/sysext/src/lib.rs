//! Packages to system extension images.
//!
//! A [`Recipe`] says what an extension is, [`Plan`] works out what its image will hold and says everything that is
//! worth knowing about it, [`Compose`] makes the image. Neither touches a file: a host asks [`Compose::step`] what
//! to do next and does it, and any host gets the same bytes.
//!
//! ```
//! use sysext::{Compose, Plan, Recipe, Step, Target, Arch};
//! use sysext::rpm::{Compression, NewFile, NewPackage, Package};
//!
//! let hello = NewPackage {
//!     files: vec![NewFile::file("/usr/bin/hello", 0o755, b"#!/bin/sh\necho hello\n".to_vec())],
//!     ..NewPackage::new("hello", "1.0", "1.fc43", "noarch")
//! }
//! .write(&Compression::Gzip);
//!
//! let recipe = Recipe::new("hello", Target { release: "43".into(), arch: Arch::X86_64 });
//! let plan = Plan::new(vec![Package::read(hello.as_slice())?], &recipe)?;
//! let mut compose = Compose::new(plan)?;
//! let mut workspace = sysext::erofs::Workspace::default();
//! let mut image = Vec::new();
//! let report = loop {
//!     match compose.step()? {
//!         Step::Package(_) => compose.package(hello.as_slice())?,
//!         Step::Compress(jobs) => {
//!             compose.compressed(jobs.into_iter().map(|job| job.run(&mut workspace)).collect())?;
//!         }
//!         Step::Wait | Step::Digest(_) => unreachable!("results are given at once"),
//!         Step::Write(write) => write.put(&mut image),
//!         Step::Read { at, length } => compose.image(&image[at as usize..][..length])?,
//!         Step::Done(report) => break report,
//!     }
//! };
//! assert_eq!(report.file_name, "hello-1.0-1.fc43-43-x86-64.raw");
//! assert_eq!(report.size, image.len() as u64);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Repositories`] finds the packages that an extension needs and its target lacks.
//!
//! Not here: signatures of images, and anything of a host.

mod base;
pub mod catalog;
pub mod checks;
pub mod collisions;
mod compose;
mod error;
pub mod extension;
mod finding;
mod groups;
mod inspection;
mod layout;
mod lock;
mod make_index;
mod path;
mod plan;
mod recipe;
mod release;
mod repositories;
mod select;
mod targets;
mod text;
mod users;

pub use base::{About, Base, BaseFile, Installed, Nevra};
pub use catalog::{Catalog, CatalogSystem};
pub use compose::{Compose, Phase, Progress, Report, Step};
pub use error::Error;
pub use extension::{BadExtension, Extension};
pub use finding::{Check, Finding, Severity};
pub use inspection::{Entry, EntryKind, ExtensionRelease, Inspection};
pub use lock::{BadLock, Lock, LockedPackage, LockedSource};
pub use make_index::{Metadata, make_index};
pub use plan::{BesideFile, Contents, Held, Plan};
pub use recipe::{Arch, Recipe, Target, check_name};
pub use repositories::{Repositories, Repository, Selection, Wanted, known_repositories};
pub use resolve::index::Origin;
pub use select::{Exclude, PathBytes};
pub use targets::{System, Targets};

pub use {
    erofs::{self, Profile},
    resolve, rpm, selinux,
};
