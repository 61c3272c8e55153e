//! What page and worker say to each other: JSON, with files beside it.

use serde::{Deserialize, Serialize};
use sysext::{Finding, Inspection, PathBytes, Progress, Recipe, Report};

/// A package of the page; the page counts them up.
pub(crate) type Key = u32;

/// From the page to the worker.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Request {
    /// Read the header of the package that comes with the message.
    Read { key: Key },
    /// Forget a package.
    Forget { key: Key },
    /// Say what the extension of these packages will be.
    Plan { serial: u32, keys: Vec<Key>, recipe: Recipe },
    /// Make the extension of the packages that come with the message.
    Compose { recipe: Recipe },
    /// Say what is in the image that comes with the message.
    Look,
    /// Decode every byte of the image that comes with the message.
    Verify,
    /// Give the file at that place of [`Inspection::files`] of the image that comes with the message.
    Extract { entry: usize },
}

/// From the worker to the page.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Response {
    /// The worker listens.
    Ready,
    /// A package's header, or why it has none.
    Read { key: Key, package: Result<PackageInfo, String> },
    /// What the extension will be.
    Planned { serial: u32, plan: Result<PlanInfo, String> },
    /// How far composing has come.
    Progress(Progress),
    /// The image, which comes with the message as a file, and whether it is held in memory.
    Composed { report: Box<Report>, seconds: f64, workers: usize, in_memory: bool },
    /// What is in an image, or why it is none.
    Looked(Result<Box<Inspection>, String>),
    /// Bytes of content that have been decoded, of so many.
    Decoded { done: u64, total: u64 },
    /// Whether an image is whole: the bytes of its content, or what is wrong with it.
    Verified(Result<u64, String>),
    /// A file of an image, which comes with the message, or why it cannot be read.
    Extracted(Result<(), String>),
    /// Why there is no image.
    Failed(String),
}

/// What the page shows of a package.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct PackageInfo {
    pub(crate) name: String,
    pub(crate) nevra: String,
    pub(crate) evr: String,
    pub(crate) arch: String,
    pub(crate) summary: String,
    /// Bytes of its files.
    pub(crate) installed: u64,
    pub(crate) files: Vec<FileInfo>,
}

/// A file of a package.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct FileInfo {
    pub(crate) path: PathBytes,
    pub(crate) size: u64,
    pub(crate) is_folder: bool,
}

/// What an extension will be.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct PlanInfo {
    pub(crate) findings: Vec<Finding>,
    pub(crate) files: usize,
    pub(crate) content_size: u64,
}
