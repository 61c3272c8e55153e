//! Which architectures a target runs, and which it prefers.

/// The best first; each is another colour, so that packages of one name can be there in two of them.
const COMPATIBLE: [(&str, &[&str]); 8] = [
    ("x86_64", &["x86_64", "athlon", "i686", "i586", "i486", "i386"]),
    ("x86_64_v2", &["x86_64_v2", "x86_64", "athlon", "i686", "i586", "i486", "i386"]),
    ("x86_64_v3", &["x86_64_v3", "x86_64_v2", "x86_64", "athlon", "i686", "i586", "i486", "i386"]),
    (
        "x86_64_v4",
        &[
            "x86_64_v4",
            "x86_64_v3",
            "x86_64_v2",
            "x86_64",
            "athlon",
            "i686",
            "i586",
            "i486",
            "i386",
        ],
    ),
    ("i686", &["i686", "i586", "i486", "i386"]),
    ("ppc64", &["ppc64", "ppc"]),
    ("s390x", &["s390x", "s390"]),
    ("riscv64", &["riscv64"]),
];

/// How well a package's architecture suits a target.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Fit {
    /// `noarch`: suits all.
    Any,
    /// Place in the target's list, 0 is the target's own.
    Native(u8),
    /// Does not run there.
    Foreign,
}

/// How well packages of `arch` suit the target `target`.
pub(crate) fn fit(target: &str, arch: &str) -> Fit {
    if arch == "noarch" {
        return Fit::Any;
    }
    match COMPATIBLE.iter().find(|(name, _)| *name == target) {
        Some((_, list)) => match list.iter().position(|known| *known == arch) {
            Some(place) => Fit::Native(u8::try_from(place).unwrap_or(u8::MAX)),
            None => Fit::Foreign,
        },
        None if arch == target => Fit::Native(0),
        None => Fit::Foreign,
    }
}

/// The word size that programs of an architecture have: packages of one name may be there once in each.
pub(crate) fn color(arch: &str) -> u8 {
    match arch {
        "noarch" => 3,
        _ if arch.contains("64") || arch == "s390x" => 2,
        _ => 1,
    }
}
