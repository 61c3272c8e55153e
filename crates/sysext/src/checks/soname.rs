//! `soname`: libraries that a program needs and nobody has. Where packages come from repositories, choosing them has seen to it;
//! what vendors put into /opt or an archive tells rpm nothing.

use std::collections::BTreeSet;

use super::{Elf, Image, display};
use crate::finding::{Check, Severity};

pub(super) fn check(image: &mut Image<'_, '_>) {
    let files: Vec<Vec<u8>> = candidates(image);
    let mut elves = Vec::new();
    for path in files {
        if let Some(elf) = image.elf(&path) {
            elves.push((path, elf));
        }
    }
    any_id(image, &elves);
    paths_to_opt(image, &elves);
    let Some(index) = image.base.and_then(|base| base.index()) else { return };
    let base: BTreeSet<&str> =
        index.dependency_names().filter(|name| name.contains(".so")).collect();
    let own: BTreeSet<&str> = elves.iter().filter_map(|(_, elf)| elf.soname.as_deref()).collect();
    let names: BTreeSet<Vec<u8>> = image
        .paths
        .keys()
        .filter_map(|path| path.rsplit(|byte| *byte == b'/').next().map(<[u8]>::to_vec))
        .collect();
    let mut missing = Vec::new();
    for (path, elf) in &elves {
        let end = if elf.bits == 64 { "(64bit)" } else { "" };
        let in_image = |name: &str| own.contains(name) || names.contains(name.as_bytes());
        for name in &elf.needed {
            if !in_image(name)
                && !base.contains(format!("{name}(){end}").as_str())
                && !is_loader(name)
            {
                missing.push((
                    path.clone(),
                    format!(
                        "{} needs {name}, which neither the image nor the base has",
                        display(path)
                    ),
                ));
            }
        }
        for (name, version) in &elf.versions {
            // Without any version of that library in the base's words nothing is known of it.
            let (start, bare) = (format!("{name}("), format!("{name}()"));
            let mut words =
                base.range(start.as_str()..).take_while(|word| word.starts_with(&start));
            let known = words.any(|word| !word.starts_with(&bare));
            if !in_image(name)
                && known
                && !base.contains(format!("{name}({version}){end}").as_str())
            {
                missing.push((
                    path.clone(),
                    format!(
                        "{} needs {version} of {name}, which the base's does not have",
                        display(path)
                    ),
                ));
            }
        }
    }
    for (path, message) in missing {
        image.add(
            Severity::Error,
            Check::Soname,
            Some(&path),
            message,
            "add the package that has the library",
        );
    }
}

/// Files that are looked into: those whose package has something in /opt, and those of no package at all; with `any-release`, all
/// programs and libraries.
fn candidates(image: &Image<'_, '_>) -> Vec<Vec<u8>> {
    let is_vendor = |package: usize| {
        image.packages[package].files.iter().any(|file| file.path.starts_with(b"/opt/"))
    };
    let vendors: BTreeSet<usize> =
        (0..image.packages.len()).filter(|package| is_vendor(*package)).collect();
    let any = image.recipe.extension.any_release;
    image
        .paths
        .iter()
        .filter(|(path, node)| {
            let is_program = image.tree.node(**node).meta.mode & 0o111 != 0;
            let is_library = path.windows(3).any(|window| window == b".so");
            let package = image.by_node.origin(**node).map(|(package, _)| package);
            (is_program || is_library)
                && package.is_none_or(|package| any || vendors.contains(&package))
        })
        .map(|(path, _)| path.clone())
        .collect()
}

/// The dynamic loader, which everybody has.
fn is_loader(name: &str) -> bool {
    name.starts_with("ld-linux") || name.starts_with("ld64") || name.starts_with("ld-")
}

/// Programs for any release must not need libraries of one.
fn any_id(image: &mut Image<'_, '_>, elves: &[(Vec<u8>, Elf)]) {
    if !image.recipe.extension.any_release {
        return;
    }
    let own: BTreeSet<&str> = elves.iter().filter_map(|(_, elf)| elf.soname.as_deref()).collect();
    let needs = |elf: &Elf| elf.needed.iter().find(|name| !own.contains(name.as_str())).cloned();
    let first = elves.iter().find_map(|(path, elf)| Some((path.clone(), needs(elf)?)));
    if let Some((path, library)) = first {
        let message = format!(
            "{} needs {library} of the system, and is merged on any release",
            display(&path)
        );
        image.add(Severity::Warning, Check::AnyId, Some(&path), message, "leave `any-release` out");
    }
}

/// Libraries that are looked for in /opt, which is not there.
fn paths_to_opt(image: &mut Image<'_, '_>, elves: &[(Vec<u8>, Elf)]) {
    for (path, elf) in elves {
        if let Some(run) = elf.runpath.iter().find(|run| run.starts_with("/opt/")) {
            let message = format!(
                "{} looks for libraries in {run}, where the extension cannot be",
                display(path)
            );
            image.add(
                Severity::Warning,
                Check::PathOpt,
                Some(path),
                message,
                "look for a build that installs to /usr",
            );
        }
    }
}
