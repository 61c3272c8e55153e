//! What is left out of an extension: files and folders of packages, one by one or by pattern.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use rpm::{File, Package};

/// Something that is left out. A folder takes all that is below with it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Exclude {
    /// One path of a package, byte for byte.
    Path {
        /// Name, version, release, architecture.
        package: String,
        /// Absolute path as the package has it.
        path: PathBytes,
    },
    /// All paths that match. `*` stands for anything but a slash, `**` for anything, `?` for one character, `[a-z]`
    /// and `{a,b}` for choices; without a slash in front it matches at any depth.
    Glob {
        /// Name of the package, or all packages.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        package: Option<String>,
        /// The pattern.
        pattern: String,
    },
}

/// A path, which is bytes. Serialized, it is text where it is UTF-8, and a list of numbers elsewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathBytes(pub Vec<u8>);

impl Serialize for PathBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PathBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(String),
            Bytes(Vec<u8>),
        }
        Ok(Self(match Either::deserialize(deserializer)? {
            Either::Text(text) => text.into_bytes(),
            Either::Bytes(bytes) => bytes,
        }))
    }
}

impl std::str::FromStr for Exclude {
    type Err = String;

    /// `PATTERN` or `PACKAGE:PATTERN`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (package, pattern) = match text.split_once(':') {
            Some((package, pattern)) if !package.contains(['/', '*']) => {
                (Some(package.to_owned()), pattern)
            }
            _ => (None, text),
        };
        if pattern.is_empty() {
            return Err("expected a path or a pattern".to_owned());
        }
        Ok(Self::Glob { package, pattern: pattern.to_owned() })
    }
}

impl std::fmt::Display for Exclude {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path { package, path } => {
                write!(f, "{package}:{}", String::from_utf8_lossy(&path.0))
            }
            Self::Glob { package: Some(package), pattern } => write!(f, "{package}:{pattern}"),
            Self::Glob { package: None, pattern } => f.write_str(pattern),
        }
    }
}

/// Excludes, ready to be asked often.
pub(crate) struct Selection<'a> {
    excludes: &'a [Exclude],
    used: Vec<bool>,
    paths: BTreeSet<(&'a str, &'a [u8])>,
    globs: Vec<(usize, Option<&'a str>, String)>,
}

impl<'a> Selection<'a> {
    pub(crate) fn new(excludes: &'a [Exclude]) -> Self {
        let mut selection = Self {
            excludes,
            used: vec![false; excludes.len()],
            paths: BTreeSet::new(),
            globs: Vec::new(),
        };
        for (index, exclude) in excludes.iter().enumerate() {
            match exclude {
                Exclude::Path { package, path } => {
                    selection.paths.insert((package, &path.0));
                    selection.used[index] = true;
                }
                Exclude::Glob { package, pattern } => {
                    let trimmed = pattern.strip_suffix('/').unwrap_or(pattern);
                    let deep = if pattern.starts_with('/') {
                        trimmed.to_owned()
                    } else {
                        format!("**/{trimmed}")
                    };
                    selection.globs.push((index, package.as_deref(), deep));
                }
            }
        }
        selection
    }

    /// Whether a file, or a folder above it, is left out.
    pub(crate) fn leaves_out(&mut self, package: &Package, nevra: &str, file: &File) -> bool {
        let slashes = file.path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/');
        let ends = slashes.map(|(at, _)| at).chain([file.path.len()]);
        let mut out = false;
        for end in ends {
            let above = &file.path[..end];
            if self.paths.contains(&(nevra, above)) {
                return true;
            }
            for (index, name, pattern) in &self.globs {
                let applies = name.is_none_or(|name| name == package.name || name == nevra);
                if applies && fast_glob::glob_match(pattern, above) {
                    self.used[*index] = true;
                    out = true;
                }
            }
        }
        out
    }

    /// Those that matched nothing.
    pub(crate) fn unused(&self) -> impl Iterator<Item = &Exclude> {
        self.excludes.iter().zip(&self.used).filter(|(_, used)| !**used).map(|(exclude, _)| exclude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_paths_and_what_is_below() {
        let package = |name: &str| {
            rpm::NewPackage::new(name, "1", "1", "noarch").write(&rpm::Compression::None)
        };
        let check = |exclude: &str, path: &str, expected: bool| {
            let package = Package::read(package("app").as_slice()).unwrap();
            let excludes = [exclude.parse::<Exclude>().unwrap()];
            let file = File { path: path.as_bytes().into(), ..File::default() };
            let mut selection = Selection::new(&excludes);
            assert_eq!(
                selection.leaves_out(&package, "app-1-1.noarch", &file),
                expected,
                "{exclude} {path}"
            );
            assert_eq!(selection.unused().count(), usize::from(!expected));
        };
        check("/usr/share/doc", "/usr/share/doc/app/README", true);
        check("/usr/share/doc/", "/usr/share/doc", true);
        check("/usr/share/doc", "/usr/share/docs", false);
        check("/usr/share/*/README", "/usr/share/app/README", true);
        check("/usr/share/*/README", "/usr/share/app/x/README", false);
        check("/usr/**/README", "/usr/share/app/x/README", true);
        check("*.a", "/usr/lib64/libx.a", true);
        check("share/doc", "/usr/share/doc/x", true);
        check("app:*.a", "/usr/lib64/libx.a", true);
        check("other:*.a", "/usr/lib64/libx.a", false);
        check("app-1-1.noarch:/usr/bin", "/usr/bin/app", true);
    }
}
