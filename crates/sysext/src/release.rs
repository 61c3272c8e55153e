//! The release file in an extension, and the name of its image.

use rpm::Package;

use crate::extension::{Class, Version};
use crate::recipe::Recipe;

/// Path of the release file in the image. systemd wants the extension's name in it.
pub(crate) fn path(recipe: &Recipe) -> String {
    let folder = match recipe.extension.class {
        Class::Sysext => "usr/lib",
        Class::Confext => "etc",
    };
    format!("{folder}/extension-release.d/extension-release.{}", recipe.name)
}

/// The release file: on which systems systemd may merge the image, see `extension-release(5)`. `reloads` says whether it must
/// read its units anew.
pub(crate) fn content(recipe: &Recipe, reloads: bool) -> String {
    let arch = recipe.target.arch.systemd();
    // With `ID=_any` systemd looks at no version, so there is none.
    let system = if recipe.extension.any_release {
        "ID=_any\n".to_owned()
    } else {
        format!("ID=fedora\nVERSION_ID={}\n", recipe.target.release)
    };
    let reload = if reloads { "EXTENSION_RELOAD_MANAGER=1\n" } else { "" };
    format!("{system}ARCHITECTURE={arch}\n{reload}")
}

/// `NAME-VERSION-RELEASE-ARCH.raw`, as Fedora's extensions are published.
pub(crate) fn file_name(recipe: &Recipe, packages: &[Package]) -> String {
    let version = version(recipe, packages).unwrap_or_else(|| "0".into());
    // What a URL, a shell or sysupdate would trip over.
    let version: String = version
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || ".+-_".contains(c) { c } else { '_' })
        .collect();
    let Recipe { name, target, .. } = recipe;
    format!("{name}-{version}-{}-{}.raw", target.release, target.arch.systemd())
}

/// The version: as the recipe says; else that of the package that bears the extension's name, of the only one that is asked for, or
/// of the first one.
fn version(recipe: &Recipe, packages: &[Package]) -> Option<String> {
    let evr = |name: &str| packages.iter().find(|package| package.name == name).map(Package::evr);
    let asked = || match recipe.extension.packages.as_slice() {
        [only] => evr(only),
        _ => None,
    };
    match &recipe.extension.version {
        Some(Version::Text(text)) => Some(text.clone()),
        Some(Version::Package(name)) => evr(name).or_else(|| evr(&recipe.name)),
        Some(Version::Source(_)) => recipe.source_version.clone(),
        None => None,
    }
    .or_else(|| evr(&recipe.name))
    .or_else(asked)
    .or_else(|| packages.first().map(Package::evr))
}
