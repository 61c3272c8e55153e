//! What the page is made of: PatternFly's classes, small functions.

mod extension;
mod files;
mod findings;
mod masthead;
mod packages;
mod parts;
mod result;
mod system;

pub(crate) use extension::Extension;
pub(crate) use files::Files;
pub(crate) use masthead::Masthead;
pub(crate) use packages::Packages;
pub(crate) use parts::{Alert, Tone};
pub(crate) use result::ResultCard;
