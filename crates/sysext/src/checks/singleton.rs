//! `singleton`: files of which a system has one, made of all that is installed. An extension's would hide the base's.

use fast_glob::glob_match;

/// Paths that are left out.
const CACHES: [&str; 22] = [
    "usr/share/icons/*/icon-theme.cache",
    "usr/share/glib-2.0/schemas/gschemas.compiled",
    "usr/share/applications/mimeinfo.cache",
    "usr/share/mime/{mime.cache,aliases,generic-icons,globs,globs2,icons,magic,subclasses,treemagic,types,version,XMLnamespaces}",
    "usr/lib{,64}/gio/modules/giomodule.cache",
    "usr/lib{,64}/gdk-pixbuf-2.0/*/loaders.cache",
    "usr/lib{,64}/gtk-*/*/immodules.cache",
    "usr/share/fonts/**/{fonts.dir,fonts.scale,.uuid}",
    "usr/lib/fontconfig/cache/**",
    "usr/lib/udev/hwdb.bin",
    "usr/lib/modules/*/modules.{alias,alias.bin,builtin,builtin.alias.bin,builtin.bin,builtin.modinfo,dep,dep.bin,devname,order,softdep,symbols,symbols.bin,weakdep}",
    "etc/ld.so.cache",
    "etc/udev/hwdb.bin",
    "usr/lib/locale/locale-archive{,.tmpl}",
    "usr/share/info/dir",
    "usr/lib/sysimage/rpm/**",
    "usr/share/rpm/**",
    "etc/dconf/db/{local,site,distro,ibus}",
    "usr/lib/systemd/catalog/database",
    "usr/share/man/{index.db,CACHEDIR.TAG}",
    "usr/share/vim/vimfiles/doc/tags",
    "etc/{passwd,group,shadow,gshadow,subuid,subgid}{,-}",
];

/// Whether a path is a file that is made of all that is installed.
pub(crate) fn is_dropped(path: &[u8]) -> bool {
    CACHES.iter().any(|pattern| glob_match(pattern, path))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, messages};
    use crate::extension::Extension;
    use crate::finding::Check;

    #[test]
    fn caches_of_the_whole_system_are_dropped() {
        let check = |path: &str| {
            messages(
                Check::Singleton,
                vec![file(path, "x"), file("/usr/bin/x", "")],
                Extension::default(),
                None,
            )
            .len()
        };
        // The icon cache that hid the icons of all other programs.
        assert_eq!(check("/usr/share/icons/hicolor/icon-theme.cache"), 1);
        for cache in [
            "/usr/share/glib-2.0/schemas/gschemas.compiled",
            "/usr/lib64/gio/modules/giomodule.cache",
            "/usr/share/mime/mime.cache",
            "/usr/share/info/dir",
            "/usr/lib/udev/hwdb.bin",
            "/etc/passwd",
        ] {
            assert_eq!(check(cache), 1, "{cache}");
        }
        for fine in [
            "/usr/share/icons/hicolor/48x48/apps/x.png",
            "/usr/share/mime/packages/x.xml",
            "/usr/share/info/x.info.gz",
            "/usr/share/x/gschemas.compiled",
        ] {
            assert_eq!(check(fine), 0, "{fine}");
        }
    }
}
