//! SELinux labels of an image: each path as the base's policy has it, with the user `system_u`.

use std::collections::{BTreeMap, BTreeSet};

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
    modules: &BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let contexts: Vec<String> = modules
        .iter()
        .filter_map(|(path, content)| {
            let found = selinux::module_contexts(content.as_ref()?);
            findings.push(module(path, found.as_ref().err()));
            found.ok()
        })
        .collect();
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
        modules: &contexts.iter().map(String::as_str).collect::<Vec<_>>(),
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
        let absolute = [b"/", path.as_slice()].concat();
        match labels.lookup(&absolute, kind(&tree.node(node).kind)) {
            Some(label) => {
                let label = format!("{}\0", with_user(label));
                tree.set_xattr(node, XATTR, label.as_bytes());
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

/// Whether a path is where packages put modules of the policy.
pub(super) fn is_module(path: &[u8]) -> bool {
    path.starts_with(MODULES)
        && [&b".pp"[..], b".pp.bz2", b".cil"].iter().any(|end| path.ends_with(end))
}

fn module(path: &[u8], error: Option<&selinux::Error>) -> Finding {
    let name = String::from_utf8_lossy(path);
    let message = match error {
        None => format!(
            "/{name} is a module of the policy: the image has its labels, and the set-up unit loads it"
        ),
        Some(error) => format!(
            "/{name} cannot be read as a module of the policy, and its labels are not in the image: {error}"
        ),
    };
    let severity = if error.is_none() { Severity::Info } else { Severity::Warning };
    Finding::new(severity, Check::PolicyModule, message).path(path)
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
