//! Where a package's path lies in an extension, which has nothing but `/usr`.

/// Where a path goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// There, relative to the root of the image.
    At(Vec<u8>),
    /// There, moved from `/etc`.
    MovedFromEtc(Vec<u8>),
    /// Nowhere: `/bin` and its like are links of the base system, the root is no file.
    OfBase,
    /// Nowhere: an extension cannot have it.
    Outside,
}

/// Since which release `/usr/sbin` is `/usr/bin`
/// (<https://fedoraproject.org/wiki/Changes/Unify_bin_and_sbin>).
const SBIN_MERGED: u32 = 42;

/// Folders of old that are links into `/usr`, and where they lead.
const MERGED: [(&[u8], &[u8]); 4] =
    [(b"bin", b"usr/bin"), (b"sbin", b"usr/sbin"), (b"lib", b"usr/lib"), (b"lib64", b"usr/lib64")];

/// The place of an absolute path for a Fedora release.
pub(crate) fn place(path: &[u8], is_symlink: bool, release: &str) -> Place {
    let mut parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    parts.retain(|part| !part.is_empty() && *part != b".");
    if parts.contains(&b"..".as_slice()) {
        return Place::Outside;
    }
    let Some((&first, rest)) = parts.split_first() else { return Place::OfBase };
    let mut place = match MERGED.iter().find(|(from, _)| *from == first) {
        Some((_, to)) => [vec![*to], rest.to_vec()].concat().join(&b'/'),
        None if first == b"usr" => parts.join(&b'/'),
        None if first == b"etc" => {
            return Place::MovedFromEtc(
                [vec![b"usr/etc".as_slice()], rest.to_vec()].concat().join(&b'/'),
            );
        }
        None => return Place::Outside,
    };
    let merges_sbin = release.parse::<u32>().is_ok_and(|release| release >= SBIN_MERGED);
    if merges_sbin && (place == b"usr/sbin" || place.starts_with(b"usr/sbin/")) {
        place = [b"usr/bin".as_slice(), &place[b"usr/sbin".len()..]].concat();
    }
    // The packages of the base have `/bin` and its like as links.
    let is_folder_of_old =
        matches!(place.as_slice(), b"usr/bin" | b"usr/sbin" | b"usr/lib" | b"usr/lib64");
    if is_folder_of_old && is_symlink { Place::OfBase } else { Place::At(place) }
}

/// Why only the base system may have a path, if so.
pub(crate) fn base_only(place: &[u8]) -> Option<&'static str> {
    match place {
        b"usr/lib/os-release" => Some("systemd refuses extensions that have an os-release file"),
        _ if place.starts_with(b"usr/lib/extension-release.d/") => {
            Some("the extension has a release file of its own")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_where_todays_recipes_put_them() {
        let at = |place: &str| Place::At(place.as_bytes().to_vec());
        let check = |path: &str, release: &str, expected: Place| {
            assert_eq!(place(path.as_bytes(), false, release), expected, "{path} on {release}");
        };
        check("/usr/bin/app", "43", at("usr/bin/app"));
        check("/bin/app", "43", at("usr/bin/app"));
        check("/sbin/app", "43", at("usr/bin/app"));
        check("/usr/sbin/app", "43", at("usr/bin/app"));
        check("/usr/sbin/app", "41", at("usr/sbin/app"));
        check("/sbin/app", "41", at("usr/sbin/app"));
        check("/usr/sbinx", "43", at("usr/sbinx"));
        check("/lib64/libx.so", "43", at("usr/lib64/libx.so"));
        check("/lib/systemd", "43", at("usr/lib/systemd"));
        check("/etc/app.conf", "43", Place::MovedFromEtc(b"usr/etc/app.conf".to_vec()));
        check("/", "43", Place::OfBase);
        for path in ["/var/lib/app", "/opt/app", "/boot/x", "/usr/../etc/shadow", "/srv"] {
            check(path, "43", Place::Outside);
        }
        assert_eq!(place(b"/bin", true, "43"), Place::OfBase);
        assert_eq!(place(b"/usr/sbin", true, "43"), Place::OfBase);
        assert_eq!(place(b"/usr/bin/sh", true, "43"), at("usr/bin/sh"));
    }
}
