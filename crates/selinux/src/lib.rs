//! SELinux labels: which context a path has by a policy's `file_contexts`, as libselinux's `selabel_lookup(3)` and
//! `setfiles(8)` have it.
//!
//! ```
//! use selinux::{Kind, Labels, Policy};
//!
//! let file_contexts = "\
//! /usr/.*\tsystem_u:object_r:usr_t:s0
//! /usr/bin/.*\t--\tsystem_u:object_r:bin_t:s0
//! /usr/lib/[^/]*/cache\t-d\t<<none>>
//! ";
//! let policy = Policy { file_contexts, subs_dist: "/bin /usr/bin\n", ..Policy::default() };
//! let mut labels = Labels::new(&policy)?;
//! assert_eq!(labels.lookup(b"/bin/ls", Kind::File), Some("system_u:object_r:bin_t:s0"));
//! assert_eq!(labels.lookup(b"/usr/bin", Kind::Dir), Some("system_u:object_r:usr_t:s0"));
//! assert_eq!(labels.lookup(b"/usr/lib/x/cache", Kind::Dir), None);
//! assert_eq!(labels.lookup(b"/home", Kind::Dir), None);
//! # Ok::<(), selinux::Error>(())
//! ```
//!
//! What a line of `file_contexts` means is in `selabel_file(5)`: a regular expression of the whole path, perhaps a type of
//! file, a context. Of those that match the last one counts, and lines without any special character come after all others.
//!
//! Not here: what a policy allows, booleans, labels of processes; reading policies in their binary form.
#![warn(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

mod error;
mod expression;
mod labels;
mod module;
mod spec;
mod subs;

pub use error::Error;
pub use labels::{Labels, Policy};
pub use module::module_contexts;
pub use spec::Kind;
