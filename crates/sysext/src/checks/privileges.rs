//! `privileges`: programs that run with more rights than their caller has.

use erofs::Kind;

use super::{Image, some};
use crate::finding::{Check, Severity};

pub(super) fn check(image: &mut Image<'_, '_>) {
    let mut programs = Vec::new();
    for (path, node) in &image.paths {
        let node = image.tree.node(*node);
        if !matches!(node.kind, Kind::File(_)) {
            continue;
        }
        let mode = node.meta.mode;
        let sets_id = mode & 0o4000 != 0 || mode & 0o2000 != 0 && mode & 0o010 != 0;
        let capable = node.meta.xattrs.get(b"security.capability").is_some();
        match (sets_id, capable) {
            (true, _) => {
                programs.push((path.clone(), format!("{} ({mode:04o})", super::display(path))));
            }
            (false, true) => {
                programs.push((path.clone(), format!("{} (capabilities)", super::display(path))));
            }
            (false, false) => {}
        }
    }
    let Some((first, _)) = programs.first().cloned() else { return };
    let names: Vec<String> = programs.into_iter().map(|(_, text)| text).collect();
    let message = format!("more rights than their callers have: {}", some(&names));
    image.add(Severity::Info, Check::Privileges, Some(&first), message, "");
}

#[cfg(test)]
mod tests {
    use rpm::NewFile;

    use super::super::testing::messages;
    use super::*;
    use crate::extension::Extension;

    #[test]
    fn programs_with_rights_are_listed() {
        let program = |mode, capabilities: &str| {
            let capabilities = capabilities.to_owned();
            vec![NewFile {
                capabilities,
                ..NewFile::file("/usr/lib/x/chrome-sandbox", mode, vec![1])
            }]
        };
        let check = |files| messages(Check::Privileges, files, Extension::default(), None).len();
        assert_eq!(check(program(0o4755, "")), 1);
        assert_eq!(check(program(0o2755, "")), 1);
        assert_eq!(check(program(0o755, "cap_net_raw=ep")), 1);
        assert_eq!(check(program(0o755, "")), 0);
    }
}
