//! What an image holds, for a person to look at: the same on the command line and on the page.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use erofs::{Content, Image, Kind, Node, Tree};
use rpm::Capabilities;
use serde::{Deserialize, Serialize};

/// Where an extension's release file lies.
const RELEASE_FOLDER: &[u8] = b"usr/lib/extension-release.d/";
/// Where a configuration extension's does.
const CONFEXT_RELEASE_FOLDER: &[u8] = b"etc/extension-release.d/";
/// Longest release file that is shown.
const MAX_RELEASE: u64 = 1 << 20;

/// An image and all of its paths.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Inspection {
    /// Bytes of the image.
    pub size: u64,
    /// UUID of the volume.
    pub uuid: String,
    /// The oldest kernel that reads it, such as 5.4.
    pub kernel: String,
    /// The time that most entries have, in seconds.
    pub epoch: i64,
    /// Blocks of 4096 bytes.
    pub blocks: u32,
    /// Number of inodes.
    pub inodes: u64,
    /// Features that a reader may ignore.
    pub feature_compat: u32,
    /// Features that a reader must know.
    pub feature_incompat: u32,
    /// Its release file, if it is an extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension_release: Option<ExtensionRelease>,
    /// All paths, what is in a folder behind it.
    pub files: Vec<Entry>,
}

/// The release file of an extension: `os-release(5)`, `systemd-sysext(8)`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ExtensionRelease {
    /// The extension's name, from that of the file.
    pub name: String,
    /// The file.
    pub content: String,
}

/// One path. Bytes that are not UTF-8 show as replacement characters.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Entry {
    /// From the root on.
    pub path: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: EntryKind,
    /// Permissions with set-id and sticky bits, in octal.
    pub mode: String,
    /// Number of the owner.
    pub uid: u32,
    /// Number of the group.
    pub gid: u32,
    /// Seconds since 1970.
    pub mtime: i64,
    /// Bytes of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What a symbolic link says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The first name of the same inode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard_link_to: Option<String>,
    /// Major and minor number of a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// SELinux label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// File capabilities as `getcap(8)` prints them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<String>,
}

/// What a path is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "inode(7) says what they are")]
pub enum EntryKind {
    Directory,
    File,
    Symlink,
    Fifo,
    Socket,
    CharDevice,
    BlockDevice,
}

impl Inspection {
    /// Looks into an image.
    ///
    /// # Errors
    /// A structure breaks the format or needs a feature that the reader lacks.
    pub fn new<R: Read + Seek>(image: &mut Image<R>) -> Result<Self, erofs::Error> {
        let tree = image.tree()?;
        let mut first_names = BTreeMap::new();
        let mut files = Vec::new();
        for (path, id) in tree.paths() {
            let path = text(&[b"/", path.as_slice()].concat());
            let hard_link_to = first_names.get(&id).cloned();
            first_names.entry(id).or_insert_with(|| path.clone());
            files.push(Entry::new(path, tree.node(id), hard_link_to));
        }
        let superblock = *image.superblock();
        Ok(Self {
            size: image.size(),
            uuid: uuid(superblock.uuid),
            kernel: image.kernel().to_string(),
            epoch: superblock.epoch.get().cast_signed(),
            blocks: superblock.blocks.get(),
            inodes: superblock.inos.get(),
            feature_compat: superblock.feature_compat.get(),
            feature_incompat: superblock.feature_incompat.get(),
            extension_release: extension_release(image, &tree)?,
            files,
        })
    }
}

/// The release file among the paths.
fn extension_release<R: Read + Seek>(
    image: &mut Image<R>,
    tree: &Tree<Content>,
) -> Result<Option<ExtensionRelease>, erofs::Error> {
    for (path, id) in tree.paths() {
        let name = [RELEASE_FOLDER, CONFEXT_RELEASE_FOLDER]
            .iter()
            .find_map(|folder| path.strip_prefix(*folder))
            .and_then(|name| name.strip_prefix(b"extension-release."));
        if let (Some(name), Kind::File(content)) = (name, &tree.node(id).kind)
            && content.size() <= MAX_RELEASE
        {
            let bytes = image.read_all(content)?;
            return Ok(Some(ExtensionRelease { name: text(name), content: text(&bytes) }));
        }
    }
    Ok(None)
}

impl Entry {
    fn new(path: String, node: &Node<Content>, hard_link_to: Option<String>) -> Self {
        let (mut size, mut target, mut device) = (None, None, None);
        let kind = match &node.kind {
            Kind::Directory(_) => EntryKind::Directory,
            Kind::File(content) => {
                size = Some(content.size());
                EntryKind::File
            }
            Kind::Symlink(to) => {
                target = Some(text(to));
                EntryKind::Symlink
            }
            Kind::Fifo => EntryKind::Fifo,
            Kind::Socket => EntryKind::Socket,
            Kind::CharDevice(rdev) | Kind::BlockDevice(rdev) => {
                device = Some(format!("{}:{}", rdev.major, rdev.minor));
                match &node.kind {
                    Kind::CharDevice(_) => EntryKind::CharDevice,
                    _ => EntryKind::BlockDevice,
                }
            }
        };
        let meta = &node.meta;
        let xattr = |name: &[u8]| meta.xattrs.get(name);
        let label = xattr(b"security.selinux").map(text);
        let capabilities = xattr(b"security.capability");
        let capabilities = capabilities.and_then(Capabilities::from_xattr);
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
            label: label.map(|label| label.trim_end_matches('\0').to_owned()),
            capabilities: capabilities.map(|capabilities| capabilities.to_string()),
        }
    }
}

impl EntryKind {
    /// The letter of `ls -l`.
    pub fn letter(self) -> char {
        match self {
            Self::Directory => 'd',
            Self::File => '-',
            Self::Symlink => 'l',
            Self::Fifo => 'p',
            Self::Socket => 's',
            Self::CharDevice => 'c',
            Self::BlockDevice => 'b',
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn uuid(bytes: [u8; 16]) -> String {
    let hex = rpm::hex(&bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use erofs::{Job, Meta, Options, Profile, Tree, Workspace, Writer};

    use super::*;

    #[test]
    fn an_extension_is_known_by_its_release_file() {
        let mut tree = Tree::new(Meta::new(0o755));
        let mut folder = tree.root();
        for name in ["usr", "lib", "extension-release.d"] {
            folder = tree.directory(folder, name.as_bytes(), Meta::new(0o755)).expect("a folder");
        }
        let release = b"ID=fedora\nVERSION_ID=43\n";
        let size = release.len() as u64;
        let meta = Meta {
            xattrs: [("security.selinux", "u:r:t:s0\0")].into_iter().collect(),
            ..Meta::new(0o4644)
        };
        let file = tree.file(folder, b"extension-release.app", meta, size).expect("a new name");
        let mut writer = Writer::new(tree, Options::new(Profile::Default)).expect("a tree");
        let job = Job::new(&writer, file, release.to_vec(), 0);
        writer.add(job.run(&mut Workspace::default())).expect("the content");
        let mut bytes = Vec::new();
        writer.finish(|write| write.put(&mut bytes)).expect("all content");
        let mut image = Image::open(Cursor::new(bytes)).expect("an image");
        let found = Inspection::new(&mut image).expect("a tree");
        assert_eq!(found.kernel, "5.17");
        let release = found.extension_release.expect("a release file");
        assert_eq!((release.name.as_str(), release.content.lines().count()), ("app", 2));
        let entry = found.files.last().expect("a file");
        assert_eq!((entry.mode.as_str(), entry.label.as_deref()), ("4644", Some("u:r:t:s0")));
    }
}
