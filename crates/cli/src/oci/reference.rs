//! Names of images in registries.

use std::fmt;
use std::str::FromStr;

/// `[docker://]REGISTRY/NAME[:TAG][@DIGEST]`, as container engines write it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Reference {
    registry: String,
    name: String,
    tag: Option<String>,
    /// `sha256:...`
    pub(crate) digest: Option<String>,
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("expected REGISTRY/NAME:TAG or REGISTRY/NAME@DIGEST, found `{text}`");
        let rest = text.strip_prefix("docker://").unwrap_or(text);
        let (registry, rest) = rest.split_once('/').ok_or_else(wrong)?;
        let is_host = registry.contains(['.', ':']) || registry == "localhost";
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (rest, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) => (name, Some(tag)),
            None => (rest, None),
        };
        let plain = |part: &str, more: &[u8]| {
            let fine = |byte: u8| byte.is_ascii_alphanumeric() || more.contains(&byte);
            !part.is_empty() && part.bytes().all(fine)
        };
        let fine = is_host
            && plain(registry, b".-:[]")
            && name.split('/').all(|part| plain(part, b"._-") && !part.starts_with('.'))
            && tag.is_none_or(|tag| plain(tag, b"._-") && !tag.starts_with('.'))
            && digest.is_none_or(|digest| {
                digest.split_once(':').is_some_and(|(algorithm, hex)| {
                    plain(algorithm, b"") && hex.len() >= 32 && plain(hex, b"")
                })
            });
        if !fine {
            return Err(wrong());
        }
        let (registry, name) = match (registry, name.contains('/')) {
            ("docker.io", true) => ("registry-1.docker.io", name.to_owned()),
            ("docker.io", false) => ("registry-1.docker.io", format!("library/{name}")),
            _ => (registry, name.to_owned()),
        };
        Ok(Self {
            registry: registry.to_owned(),
            name,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }
}

impl Reference {
    /// Where the image is. A registry on this machine is spoken to without TLS, as container engines do.
    pub(crate) fn url(&self) -> String {
        let Self { registry, name, .. } = self;
        let host = registry.rsplit_once(':').map_or(registry.as_str(), |(host, _)| host);
        let is_here = host == "localhost" || host.starts_with("127.") || host == "[::1]";
        format!("{}://{registry}/v2/{name}", if is_here { "http" } else { "https" })
    }

    /// The digest, or else the tag.
    pub(crate) fn version(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or("latest")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { registry, name, tag, digest } = self;
        write!(f, "{registry}/{name}")?;
        tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_say_where_an_image_is() {
        let check = |text: &str, url: &str, version: &str| {
            let reference: Reference = text.parse().unwrap();
            assert_eq!((reference.url().as_str(), reference.version()), (url, version));
        };
        let digest = format!("sha256:{}", "0f".repeat(32));
        check("quay.io/fedora/silverblue:43", "https://quay.io/v2/fedora/silverblue", "43");
        check("docker://ghcr.io/ublue-os/x", "https://ghcr.io/v2/ublue-os/x", "latest");
        check("docker.io/fedora:43", "https://registry-1.docker.io/v2/library/fedora", "43");
        check("127.0.0.1:5000/a:1", "http://127.0.0.1:5000/v2/a", "1");
        check(&format!("a.example/b@{digest}"), "https://a.example/v2/b", &digest);
        check(&format!("a.example/b:7@{digest}"), "https://a.example/v2/b", &digest);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "fedora",
            "a/b",
            "quay.io/",
            "quay.io/a//b",
            "quay.io/../b",
            "quay.io/a:",
            "quay.io/a@sha256:1",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
