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
        let of_base = image.base_files.and_then(|base| base.get(path));
        if !is_folder && image.is_folder_of_base(path) {
            found.push((path.clone(), format!("{} is a folder of the base, and no folder in the extension: all that is below would be gone", display(path))));
        } else if is_folder
            && let Some(file) = of_base
            && file.is_known()
            && !file.is_folder()
        {
            let what = match file.is_link() {
                true => format!("a link to {}", String::from_utf8_lossy(file.target)),
                false => "a file".to_owned(),
            };
            found.push((
                path.clone(),
                format!("{} is {what} in the base, which the folder would hide", display(path)),
            ));
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
    use rpm::NewFile;

    use super::super::testing::{base, base_of, file, messages};
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
    #[test]
    fn a_folder_hides_a_link_or_a_file_of_the_base() {
        let base = base_of(vec![
            NewFile::symlink("/usr/lib/app", "app-2"),
            file("/usr/lib/tool", ""),
            NewFile::directory("/usr/lib/empty", 0o755),
        ]);
        let check = |path: &str| {
            let files = vec![file(path, "own")];
            messages(Check::TypeConflict, files, Extension::default(), Some(&base)).concat()
        };
        let link = "/usr/lib/app is a link to app-2 in the base, which the folder would hide";
        assert_eq!(check("/usr/lib/app/x"), link);
        assert!(check("/usr/lib/tool/x").starts_with("/usr/lib/tool is a file in the base"));
        assert!(check("/usr/lib/empty").starts_with("/usr/lib/empty is a folder of the base"));
        assert_eq!(check("/usr/lib/empty/x") + &check("/usr/lib/tool"), "");
    }
}
