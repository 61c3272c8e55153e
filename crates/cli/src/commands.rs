//! The commands, one module each.

pub(crate) mod base;
pub(crate) mod build;
pub(crate) mod catalog;
pub(crate) mod check;
pub(crate) mod checks;
pub(crate) mod checksig;
pub(crate) mod compose;
pub(crate) mod deps;
pub(crate) mod explain;
pub(crate) mod extract;
pub(crate) mod fetch;
pub(crate) mod fmt;
pub(crate) mod index;
pub(crate) mod info;
pub(crate) mod inspect;
pub(crate) mod label;
pub(crate) mod load;
pub(crate) mod lock;
pub(crate) mod make;
pub(crate) mod new;
pub(crate) mod obtain;
pub(crate) mod pack;
pub(crate) mod resolve;
pub(crate) mod schema;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod shelf;
pub(crate) mod targets;
pub(crate) mod verify;
pub(crate) mod why;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context as _, Result};
use sysext::erofs::Image;

/// An image on disk.
pub(crate) type OpenImage = Image<BufReader<File>>;

/// Opens an image.
pub(crate) fn open(path: &Path) -> Result<OpenImage> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    Image::open(BufReader::new(file)).with_context(|| format!("cannot read {name}"))
}
