//! The release file in an extension, and the name of its image.

use rpm::Package;

use crate::recipe::Recipe;

/// Path of the release file in the image. systemd wants the extension's name in it.
pub(crate) fn path(name: &str) -> String {
    format!("usr/lib/extension-release.d/extension-release.{name}")
}

/// The release file: on which systems `systemd-sysext` may merge the image, see `extension-release(5)`.
pub(crate) fn content(recipe: &Recipe) -> String {
    let arch = recipe.target.arch.systemd();
    // With `ID=_any` systemd looks at no version, so there is none.
    if recipe.any_release {
        format!("ID=_any\nARCHITECTURE={arch}\n")
    } else {
        format!("ID=fedora\nVERSION_ID={}\nARCHITECTURE={arch}\n", recipe.target.release)
    }
}

/// `NAME-VERSION-RELEASE-ARCH.raw`, as Fedora's extensions are published. The version is that of the package that
/// bears the extension's name, or of the first one.
pub(crate) fn file_name(recipe: &Recipe, packages: &[Package]) -> String {
    let named = packages.iter().find(|package| package.name == recipe.name);
    let version = named.or(packages.first()).map(Package::evr).unwrap_or_default();
    // What a URL, a shell or sysupdate would trip over.
    let version: String = version
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || ".+-_".contains(c) { c } else { '_' })
        .collect();
    let Recipe { name, target, .. } = recipe;
    format!("{name}-{version}-{}-{}.raw", target.release, target.arch.systemd())
}
