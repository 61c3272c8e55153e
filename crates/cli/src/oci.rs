//! Images in registries: which layers an image has, and the files in them. No container engine, no root.
//!
//! <https://github.com/opencontainers/distribution-spec>, <https://github.com/opencontainers/image-spec>

mod layers;
mod reference;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;
use serde::Deserialize;
use sysext::Arch;
use sysext::rpm::repodata::Checksum;

use crate::fetch::{Fetcher, Place, Wanted, sha256};

pub(crate) use layers::Layers;
pub(crate) use reference::Reference;

/// What a manifest may be, in the words of `Accept`.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";
/// Layers that an image may have; container engines stop at 500 at the latest.
const MAX_LAYERS: usize = 1000;

/// A manifest of an image, or a list of them.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    manifests: Vec<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

/// What a file of a registry is.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
    platform: Option<Platform>,
}

#[derive(Clone, Debug, Deserialize)]
struct Platform {
    architecture: String,
    os: String,
}

/// An image of one architecture.
pub(crate) struct Image {
    /// Digest of its manifest, `sha256:...`.
    pub(crate) digest: String,
    /// The lowest first.
    layers: Vec<Descriptor>,
    place: Place,
}

impl Image {
    /// Looks an image up. The architecture decides where there is a choice.
    pub(crate) fn find(
        reference: &Reference,
        arch: Option<Arch>,
        fetcher: &Fetcher,
    ) -> Result<Self> {
        let place = Place::Web(vec![reference.url()]);
        let path = format!("manifests/{}", reference.version());
        let get = |wanted: Wanted| fetcher.get(&Wanted { accept: Some(MANIFESTS), ..wanted });
        let mut bytes = get(Wanted::unknown(place.clone(), &path))?;
        if let Some(digest) = &reference.digest
            && !checksum(digest)?.matches(bytes.as_slice())?
        {
            bail!("the registry has another manifest at {digest}");
        }
        let mut manifest: Manifest = serde_json::from_slice(&bytes).context("its manifest")?;
        if !manifest.manifests.is_empty() {
            let wanted = choose(&manifest.manifests, arch)?.wanted(&place, "manifests")?;
            bytes = get(wanted)?;
            manifest = serde_json::from_slice(&bytes).context("its manifest")?;
        }
        let layers = manifest.layers;
        if layers.is_empty() || layers.len() > MAX_LAYERS {
            bail!("expected 1 to {MAX_LAYERS} layers, found {}", layers.len());
        }
        if let Some(layer) = layers.iter().find(|layer| !is_tar(&layer.media_type)) {
            bail!("layers of {} are not supported", layer.media_type);
        }
        Ok(Self { digest: format!("sha256:{}", sha256(&bytes)), layers, place })
    }

    /// Bytes of all layers.
    pub(crate) fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size).sum()
    }

    /// Fetches all layers, the lowest first.
    pub(crate) fn fetch(&self, fetcher: &Fetcher, progress: &ProgressBar) -> Result<Vec<PathBuf>> {
        let wanted = self.layers.iter().map(|layer| layer.wanted(&self.place, "blobs"));
        fetcher.all(&wanted.collect::<Result<Vec<_>>>()?, progress)
    }
}

impl Descriptor {
    fn wanted(&self, place: &Place, kind: &str) -> Result<Wanted> {
        let whatever = Wanted::unknown(place.clone(), &format!("{kind}/{}", self.digest));
        Ok(Wanted { size: Some(self.size), checksum: Some(checksum(&self.digest)?), ..whatever })
    }
}

/// The image for an architecture, or the only one.
fn choose(manifests: &[Descriptor], arch: Option<Arch>) -> Result<&Descriptor> {
    let name = |descriptor: &Descriptor| {
        let platform = descriptor.platform.as_ref().filter(|platform| platform.os == "linux");
        platform.map(|platform| platform.architecture.clone())
    };
    let mut named: Vec<(String, &Descriptor)> =
        manifests.iter().filter_map(|descriptor| Some((name(descriptor)?, descriptor))).collect();
    if let Some(arch) = arch {
        named.retain(|(name, _)| name == arch.oci());
    }
    match named.as_slice() {
        [(_, only)] => Ok(only),
        [] => {
            let all: Vec<String> = manifests.iter().filter_map(name).collect();
            bail!("there is no image for this architecture, only for {}", all.join(", "))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
            bail!("there are images for {}: say which with --arch", names.join(", "))
        }
    }
}

fn is_tar(media_type: &str) -> bool {
    let is_layer = media_type.starts_with("application/vnd.oci.image.layer.v1.tar")
        || media_type.starts_with("application/vnd.docker.image.rootfs.diff.tar");
    is_layer && !media_type.contains("encrypted")
}

fn checksum(digest: &str) -> Result<Checksum> {
    let (algorithm, hex) = digest
        .split_once(':')
        .with_context(|| format!("expected a digest such as sha256:..., found `{digest}`"))?;
    Ok(Checksum { algorithm: algorithm.to_owned(), hex: hex.to_owned() })
}
