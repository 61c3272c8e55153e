//! What the page is made of: PatternFly's classes, small functions.

mod extension;
mod files;
mod finder;
mod findings;
mod look;
mod masthead;
mod packages;
mod parts;
mod result;
mod system;
mod tree_view;

pub(crate) use extension::Extension;
pub(crate) use files::Files;
pub(crate) use finder::FinderCard;
pub(crate) use look::LookCard;
pub(crate) use masthead::Masthead;
pub(crate) use packages::Packages;
pub(crate) use parts::{Alert, Tone};
pub(crate) use result::ResultCard;
