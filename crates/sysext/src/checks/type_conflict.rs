//! `type-conflict` on the base: a file where the base has a folder, or a folder where it has a link. Overlaid, what was below is
//! gone.

use erofs::{Kind, NodeId};

use super::{Image, display};
use crate::finding::{Check, Severity};

/// Links of image based systems, and where they lead.
const LINKS: [(&str, &str); 2] = [("usr/tmp", "/var/tmp"), ("usr/lib/sysimage/state", "/var")];

pub(super) fn check(image: &mut Image<'_, '_>) {
    let mut found = Vec::new();
    for (link, target) in LINKS {
        let hides = |node: &NodeId| matches!(&image.tree.node(*node).kind, Kind::Directory(all) if !all.is_empty());
        if image.paths.get(link.as_bytes()).is_some_and(hides) {
            found.push((link.as_bytes().to_vec(), format!("/{link} is a link to {target} on image based systems, which the folder would hide")));
        }
    }
    for (path, node) in &image.paths {
        let is_folder = matches!(image.tree.node(*node).kind, Kind::Directory(_));
        if !is_folder && image.is_folder_of_base(path) {
            found.push((path.clone(), format!("{} is a folder of the base, and no folder in the extension: all that is below would be gone", display(path))));
        }
    }
    for (path, message) in found {
        image.add(
            Severity::Error,
            Check::TypeConflict,
            Some(&path),
            message,
            "leave it out, or move it",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{base, file, messages};
    use super::*;
    use crate::extension::Extension;

    #[test]
    fn what_hides_folders_and_links_of_the_base_is_refused() {
        let base = base(&["python3-1-1 /usr/lib/python3/x.py /usr/share/doc"]);
        let check = |path: &str| {
            messages(Check::TypeConflict, vec![file(path, "")], Extension::default(), Some(&base))
                .len()
        };
        assert_eq!(check("/usr/lib/python3"), 1);
        assert_eq!(check("/usr/lib/python3/y.py"), 0);
        assert_eq!(check("/usr/tmp/x"), 1);
        assert_eq!(check("/usr/share/doc/x"), 0);
    }
}
