//! How an image is to be written, and which kernel can read it then.

use std::fmt;
use std::str::FromStr;

use crate::format::BLOCK;
use crate::lz4::Level;

/// How to write an image.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Options {
    /// How file data is stored.
    pub profile: Profile,
    /// How hard to compress, if not as the profile says.
    pub level: Option<Level>,
    /// Size of physical clusters, if not the profile's.
    pub pcluster: Option<Pcluster>,
}

/// How file data is stored, named by cost and by the kernel that is needed.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Profile {
    /// Stored as it is, for those who compress the download. Linux 5.4.
    None,
    /// LZ4 in physical clusters of one block, as Fedora's extensions are today. Linux 5.4.
    #[default]
    Compat,
    /// High compression in physical clusters of 64 KiB, tails behind their inodes. Linux 5.17.
    Default,
    /// High compression in physical clusters of 256 KiB, ends of files and small files together. Linux 6.1.
    Small,
}

/// Most bytes of a physical cluster: 4 KiB to 1 MiB, whole blocks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pcluster(usize);

/// A version of Linux, such as 6.1.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Kernel {
    /// 6 in 6.1.
    pub major: u16,
    /// 1 in 6.1.
    pub minor: u16,
}

/// A feature of the format that old kernels lack.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Feature {
    /// What the documentation calls it.
    pub name: &'static str,
    /// The first kernel that has it.
    pub since: Kernel,
}

/// What profile and knobs come to, where anything is compressed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Features {
    /// Most bytes of a physical cluster.
    pub(crate) pcluster: usize,
    /// How hard the encoder looks.
    pub(crate) level: Level,
    /// Whether the last cluster of what is no fragment may follow its inode (`ztailpacking`).
    pub(crate) inline_tails: bool,
    /// Whether ends of files and small files go into the packed inode (`fragments`).
    pub(crate) fragments: bool,
}

impl Features {
    /// Whether physical clusters may be larger than a block.
    pub(crate) fn has_big_clusters(&self) -> bool {
        self.pcluster > BLOCK
    }

    /// Whether so many bytes at the end of a file, or all of it, become a fragment: what would be its last cluster.
    pub(crate) fn is_fragment(&self, length: usize) -> bool {
        self.fragments && length <= self.pcluster
    }
}

impl Options {
    /// The options of a profile.
    pub fn new(profile: Profile) -> Self {
        Self { profile, ..Self::default() }
    }

    /// Features that an image of these options needs.
    pub fn features(&self) -> Vec<Feature> {
        let feature = |name, major, minor| Feature { name, since: Kernel { major, minor } };
        let mut features = vec![feature("EROFS with LZ4", 5, 4)];
        if let Some(used) = self.compression() {
            if used.has_big_clusters() {
                features.push(feature("big physical clusters", 5, 13));
            }
            if used.inline_tails {
                features.push(feature("inline tails (ztailpacking)", 5, 17));
            }
            if used.fragments {
                features.push(feature("fragments", 6, 1));
            }
        }
        features
    }

    /// The oldest kernel that reads an image of these options.
    pub fn kernel(&self) -> Kernel {
        let since = self.features().into_iter().map(|feature| feature.since);
        since.max().expect("EROFS itself has a version")
    }

    /// What profile and knobs come to, or `None` where nothing is compressed.
    pub(crate) fn compression(&self) -> Option<Features> {
        const { assert!(BLOCK == 4096, "clusters are counted in blocks") };
        let features = |blocks, level, inline_tails, fragments| Features {
            pcluster: self.pcluster.map_or(blocks * BLOCK, |Pcluster(bytes)| bytes),
            level: self.level.unwrap_or(level),
            inline_tails,
            fragments,
        };
        match self.profile {
            Profile::None => None,
            Profile::Compat => Some(features(1, Level::FASTEST, false, false)),
            Profile::Default => Some(features(16, Level::HIGH, true, false)),
            // What all else saves is ten times what a higher level would.
            Profile::Small => Some(features(64, Level::GOOD, true, true)),
        }
    }
}

impl Profile {
    /// All of them, by the kernel that they need.
    pub const ALL: [Self; 4] = [Self::None, Self::Compat, Self::Default, Self::Small];
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Compat => "compat",
            Self::Default => "default",
            Self::Small => "small",
        })
    }
}

impl FromStr for Profile {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|profile| profile.to_string() == name);
        named.ok_or("expected none, compat, default or small")
    }
}

impl Pcluster {
    /// `Z_EROFS_PCLUSTER_MAX_SIZE`.
    const MAX: usize = 1 << 20;

    /// Clusters of at most so many bytes.
    pub fn new(bytes: usize) -> Option<Self> {
        let valid = bytes.is_multiple_of(BLOCK) && (BLOCK..=Self::MAX).contains(&bytes);
        valid.then_some(Self(bytes))
    }

    /// The number of bytes.
    pub fn bytes(self) -> usize {
        self.0
    }
}

impl fmt::Display for Pcluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}K", self.0 >> 10)
    }
}

impl FromStr for Pcluster {
    type Err = &'static str;

    /// Bytes, or KiB or MiB with K or M behind the number, or k or m.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let units = [(['K', 'k'], 1 << 10), (['M', 'm'], 1 << 20)];
        let (number, unit) = units
            .into_iter()
            .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))
            .unwrap_or((text, 1));
        let bytes = number.parse::<usize>().ok().and_then(|number| number.checked_mul(unit));
        bytes.and_then(Self::new).ok_or("expected 4K to 1M, a multiple of 4K")
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

impl FromStr for Level {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().ok().and_then(Self::new).ok_or("expected a number from 1 to 12")
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Kernel {
    type Err = &'static str;

    /// As `uname -r` prints it; what comes behind the second number does not count.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut numbers = text.split(|char: char| !char.is_ascii_digit()).map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Ok(Self { major, minor }),
            _ => Err("expected a version such as 5.15 or 6.1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_need_the_kernels_that_they_say() {
        let kernels = Profile::ALL.map(|profile| Options::new(profile).kernel().to_string());
        assert_eq!(kernels, ["5.4", "5.4", "5.17", "6.1"]);
        let big = Options { pcluster: Pcluster::new(8192), ..Options::new(Profile::Compat) };
        assert_eq!(big.kernel().to_string(), "5.13");
    }

    #[test]
    fn knobs_are_read_as_people_write_them() {
        let bytes = |text: &str| text.parse().map(Pcluster::bytes);
        assert_eq!(bytes("64K"), Ok(65_536));
        assert_eq!(bytes("64k"), Ok(65_536));
        assert_eq!(bytes("1M"), Ok(1 << 20));
        assert_eq!(bytes("4096"), Ok(4096));
        for bad in ["0", "6000", "2M", "K", "-4K", "99999999999999999999M"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
        assert_eq!("6.12.8-200.fc43".parse(), Ok(Kernel { major: 6, minor: 12 }));
        assert!("six".parse::<Kernel>().is_err());
        assert!("13".parse::<Level>().is_err());
        assert!(Profile::ALL.iter().all(|profile| profile.to_string().parse() == Ok(*profile)));
    }
}
