//! SELinux labels of an image: each path as the base's policy has it, with the user `system_u`.

use std::collections::BTreeSet;

use erofs::{Kind, Tree};
use selinux::{Labels, Policy};

use crate::base::Base;
use crate::error::Error;
use crate::finding::{Check, Finding, Severity};

/// The attribute that the kernel reads; its value ends with a NUL, as `setfilecon(3)` writes it.
const XATTR: &[u8] = b"security.selinux";
const USER: &str = "system_u";
/// Where packages put modules of the policy.
const MODULES: &[u8] = b"usr/share/selinux/";

/// Labels every entry of a tree, folders and the root as well. Without file contexts of the base there are none.
pub(super) fn label(
    tree: &mut Tree<u64>,
    base: &Base,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let about = &base.about;
    if about.file_contexts.is_empty() {
        let message = "the base has no file contexts: the image has no labels, and SELinux keeps services from its files";
        let finding = Finding::new(Severity::Warning, Check::Label, message);
        findings.push(finding.fix("give a base pack that was made of an image or a root folder"));
        return Ok(());
    }
    let policy = Policy {
        file_contexts: &about.file_contexts,
        subs_dist: &about.file_contexts_subs,
        ..Policy::default()
    };
    let mut labels = Labels::new(&policy).map_err(|error| Error::Policy { error })?;
    let paths: Vec<_> = tree.paths().collect();
    let mut seen = BTreeSet::new();
    let (mut without, mut first) = (0_usize, None);
    for (path, node) in paths {
        // Names of one file: the first counts.
        if !seen.insert(node) {
            continue;
        }
        if path.starts_with(MODULES) && is_module(&path) {
            findings.push(module(&path));
        }
        let absolute = [b"/", path.as_slice()].concat();
        match labels.lookup(&absolute, kind(&tree.node(node).kind)) {
            Some(label) => {
                let label = format!("{}\0", with_user(label));
                tree.meta_mut(node).xattrs.insert(XATTR.to_vec(), label.into_bytes());
            }
            None => {
                without += 1;
                first = first.or(Some(absolute));
            }
        }
    }
    if let Some(first) = first {
        let message = format!(
            "{without} paths have no label by the base's policy, the first is {}",
            String::from_utf8_lossy(&first)
        );
        let finding = Finding::new(Severity::Warning, Check::Label, message);
        findings.push(finding.path(&first));
    }
    Ok(())
}

fn is_module(path: &[u8]) -> bool {
    [&b".pp"[..], b".pp.bz2", b".cil"].iter().any(|end| path.ends_with(end))
}

fn module(path: &[u8]) -> Finding {
    let message = format!(
        "/{} is a module of the policy, which is not loaded by merging; files that it would label have the base's labels",
        String::from_utf8_lossy(path)
    );
    let finding = Finding::new(Severity::Warning, Check::PolicyModule, message);
    finding.path(path).fix("load it with semodule on the system, then restorecon what it is about")
}

/// A context with the user that all of an image has.
fn with_user(label: &str) -> String {
    match label.split_once(':') {
        Some((_, rest)) => format!("{USER}:{rest}"),
        None => label.to_owned(),
    }
}

fn kind(kind: &Kind<u64>) -> selinux::Kind {
    match kind {
        Kind::Directory(_) => selinux::Kind::Dir,
        Kind::File(_) => selinux::Kind::File,
        Kind::Symlink(_) => selinux::Kind::Link,
        Kind::Fifo => selinux::Kind::Fifo,
        Kind::Socket => selinux::Kind::Socket,
        Kind::CharDevice(_) => selinux::Kind::Char,
        Kind::BlockDevice(_) => selinux::Kind::Block,
    }
}
