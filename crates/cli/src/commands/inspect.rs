//! `sysext-composer inspect`: what an image holds.

mod map;

use anyhow::{Context as _, Result};
use serde::Serialize;
use sysext::erofs::{Content, Kind, Node, Tree};
use sysext::rpm::Capabilities;

use super::{OpenImage, open};
use crate::terminal::{Terminal, bytes};
use crate::{Outcome, args};

/// Where an extension's release file lies.
const RELEASE_FOLDER: &[u8] = b"usr/lib/extension-release.d/";
/// Longest release file that is shown.
const MAX_RELEASE: u64 = 1 << 20;

#[derive(Serialize)]
struct Inspection {
    size: u64,
    uuid: String,
    epoch: i64,
    blocks: u32,
    inodes: u64,
    feature_compat: u32,
    feature_incompat: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    extension_release: Option<Release>,
    files: Vec<Entry>,
}

#[derive(Serialize)]
struct Release {
    name: String,
    content: String,
}

/// One path. Bytes that are not UTF-8 show as replacement characters.
#[derive(Serialize)]
struct Entry {
    path: String,
    #[serde(rename = "type")]
    kind: &'static str,
    mode: String,
    uid: u32,
    gid: u32,
    mtime: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hard_link_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<String>,
}

pub(crate) fn run(args: &args::Inspect, terminal: &Terminal) -> Result<Outcome> {
    let mut image = open(&args.image)?;
    if args.map {
        let areas = image.map().with_context(|| format!("cannot read {}", args.image.display()))?;
        return Ok(map::print(&areas, terminal));
    }
    let tree = image.tree().with_context(|| format!("cannot read {}", args.image.display()))?;
    let inspection = Inspection::new(&mut image, &tree)?;
    if terminal.json {
        terminal.result(&inspection);
    } else {
        inspection.print();
    }
    Ok(Outcome::Done)
}

impl Inspection {
    fn new(image: &mut OpenImage, tree: &Tree<Content>) -> Result<Self> {
        let superblock = *image.superblock();
        let mut first_names = std::collections::BTreeMap::new();
        let mut files = Vec::new();
        let mut extension_release = None;
        for (path, id) in tree.paths() {
            let node = tree.node(id);
            if let Some(name) = path.strip_prefix(RELEASE_FOLDER)
                && let Kind::File(content) = &node.kind
                && content.size() <= MAX_RELEASE
            {
                let content = read_text(image, content)?;
                let name = text(name);
                let name = name.strip_prefix("extension-release.").unwrap_or(&name).to_owned();
                extension_release = Some(Release { name, content });
            }
            let path = text(&[b"/", path.as_slice()].concat());
            let hard_link_to = first_names.get(&id).cloned();
            first_names.entry(id).or_insert_with(|| path.clone());
            files.push(Entry::new(path, node, hard_link_to));
        }
        Ok(Self {
            size: image.size(),
            uuid: uuid(superblock.uuid),
            epoch: superblock.epoch.get().cast_signed(),
            blocks: superblock.blocks.get(),
            inodes: superblock.inos.get(),
            feature_compat: superblock.feature_compat.get(),
            feature_incompat: superblock.feature_incompat.get(),
            extension_release,
            files,
        })
    }

    fn print(&self) {
        println!("size              {} bytes ({})", self.size, bytes(self.size));
        println!("uuid              {}", self.uuid);
        println!("epoch             {}", self.epoch);
        println!("blocks            {} of 4096 bytes", self.blocks);
        println!("inodes            {}", self.inodes);
        println!(
            "features          compat {:#x}, incompat {:#x}",
            self.feature_compat, self.feature_incompat
        );
        if let Some(Release { name, content }) = &self.extension_release {
            println!("extension         {name}");
            for line in content.lines() {
                println!("                  {line}");
            }
        }
        println!();
        for entry in &self.files {
            println!("{}", entry.line());
        }
    }
}

impl Entry {
    fn new(path: String, node: &Node<Content>, hard_link_to: Option<String>) -> Self {
        let (mut size, mut target, mut device) = (None, None, None);
        let kind = match &node.kind {
            Kind::Directory(_) => "directory",
            Kind::File(content) => {
                size = Some(content.size());
                "file"
            }
            Kind::Symlink(to) => {
                target = Some(text(to));
                "symlink"
            }
            Kind::Fifo => "fifo",
            Kind::Socket => "socket",
            Kind::CharDevice(rdev) => {
                device = Some(format!("{}:{}", rdev.major, rdev.minor));
                "char-device"
            }
            Kind::BlockDevice(rdev) => {
                device = Some(format!("{}:{}", rdev.major, rdev.minor));
                "block-device"
            }
        };
        let meta = &node.meta;
        let xattr = |name: &[u8]| meta.xattrs.get(name);
        let capabilities =
            xattr(b"security.capability").and_then(|value| Capabilities::from_xattr(value));
        Self {
            path,
            kind,
            mode: format!("{:04o}", meta.mode),
            uid: meta.uid,
            gid: meta.gid,
            mtime: meta.mtime.seconds,
            size,
            target,
            hard_link_to,
            device,
            label: xattr(b"security.selinux")
                .map(|value| text(value).trim_end_matches('\0').to_owned()),
            capabilities: capabilities.map(|capabilities| capabilities.to_string()),
        }
    }

    fn line(&self) -> String {
        let letter = match self.kind {
            "directory" => 'd',
            "symlink" => 'l',
            "fifo" => 'p',
            "socket" => 's',
            "char-device" => 'c',
            "block-device" => 'b',
            _ => '-',
        };
        let size = match (&self.device, self.size) {
            (Some(device), _) => device.clone(),
            (None, Some(size)) => size.to_string(),
            (None, None) => "-".to_owned(),
        };
        let owner = format!("{}:{}", self.uid, self.gid);
        let mut line = format!("{letter}{} {owner:>9} {size:>11} {}", self.mode, self.path);
        for (mark, value) in [(" ->", &self.target), (" =", &self.hard_link_to)] {
            if let Some(value) = value {
                line.push_str(&format!("{mark} {value}"));
            }
        }
        for value in [&self.label, &self.capabilities].into_iter().flatten() {
            line.push_str(&format!("  [{value}]"));
        }
        line
    }
}

fn read_text(image: &mut OpenImage, content: &Content) -> Result<String> {
    let mut bytes = Vec::new();
    let mut chunks = image.chunks(content);
    while let Some(chunk) = chunks.next_chunk()? {
        bytes.extend(chunk);
    }
    Ok(text(&bytes))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn uuid(bytes: [u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
