//! `type-conflict` on the base: a file where the base has a folder, or a folder where it has a link. Overlaid, what was below is
//! gone.

use erofs::Kind;

use super::{Image, display};
use crate::finding::{Check, Severity};

/// Links of image based systems, and where they lead.
const LINKS: [(&str, &str); 3] =
    [("usr/tmp", "/var/tmp"), ("usr/lib/sysimage/state", "/var"), ("usr/sbin", "bin")];

pub(super) fn check(image: &mut Image<'_, '_>) {
    let mut found = Vec::new();
    for (link, target) in LINKS {
        let is_folder =
            |node: &erofs::NodeId| matches!(image.tree.node(*node).kind, Kind::Directory(_));
        let below = [link.as_bytes(), b"/"].concat();
        let is_merged = link == "usr/sbin"
            && image.recipe.target.release.parse::<u32>().is_ok_and(|release| release < 42);
        if image.paths.get(link.as_bytes()).is_some_and(is_folder)
            && !is_merged
            && image
                .paths
                .range(below.clone()..)
                .next()
                .is_some_and(|(path, _)| path.starts_with(&below))
        {
            found.push((link.as_bytes().to_vec(), format!("/{link} is a link to {target} on image based systems, which the folder would hide")));
        }
    }
    if let Some(base) = image.base_paths() {
        for (path, node) in &image.paths {
            if matches!(image.tree.node(*node).kind, Kind::Directory(_)) {
                continue;
            }
            let below = [path.as_slice(), b"/"].concat();
            if base.range(below.clone()..).next().is_some_and(|next| next.starts_with(&below)) {
                found.push((path.clone(), format!("{} is a folder of the base, and no folder in the extension: all that is below would be gone", display(path))));
            }
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
