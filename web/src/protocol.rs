//! What page and worker say to each other: JSON, with files beside it.

use serde::{Deserialize, Serialize};
use sysext::{CatalogSystem, Finding, Inspection, PathBytes, Progress, Recipe, Report};

/// A package of the page; the page counts them up.
pub(crate) type Key = u32;

/// From the page to the worker.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Request {
    /// Read the header of the package that comes with the message.
    Read { key: Key },
    /// Forget a package.
    Forget { key: Key },
    /// Say what the extension of these packages will be; the base pack comes with the message if there is one.
    Plan { serial: u32, keys: Vec<Key>, recipe: Recipe },
    /// Make the extension of the packages that come with the message, after the base pack if there is one.
    Compose { recipe: Recipe, on_base: bool },
    /// Choose packages of repositories.
    Choose(Choosing),
    /// Fetch packages.
    Bring(Vec<WantedPackage>),
    /// Say what is in the image that comes with the message.
    Look,
    /// Decode every byte of the image that comes with the message.
    Verify,
    /// Give the file at that place of [`Inspection::files`] of the image that comes with the message.
    Extract { entry: usize },
}

/// What choosing packages asks for. What is asked for later makes the same void that still waits.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Choosing {
    /// Fetch what is needed to choose packages for a system, from the catalog at a URL that ends with a slash.
    Open { folder: String, system: CatalogSystem },
    /// Find packages by words.
    Search { serial: u32, words: String },
    /// Say which packages must come along.
    Choose { serial: u32, specs: Vec<String>, weak: bool },
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
    /// Packages can be chosen; the base pack comes with the message.
    Opened(Result<(), String>),
    /// Bytes that have been fetched, of so many.
    Fetching { done: u64, total: u64 },
    /// The best of the packages that were found, and how many there are.
    Found { serial: u32, found: Vec<FoundPackage>, all: usize },
    /// The packages that must come along, those that were asked for first; or what stands in the way.
    Chosen { serial: u32, chosen: Result<Vec<ChosenPackage>, Vec<Obstacle>> },
    /// A package has come; it comes with the message.
    Brought,
    /// All packages have come but these.
    AllBrought(Vec<Missing>),
    /// Why there is no image.
    Failed(String),
}

/// A package that was found.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct FoundPackage {
    /// What names it and no other.
    pub(crate) spec: String,
    pub(crate) name: String,
    pub(crate) evr: String,
    pub(crate) arch: String,
    pub(crate) summary: String,
    /// Whether the system has it already.
    pub(crate) is_there: bool,
}

/// A package that must come along.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct ChosenPackage {
    pub(crate) name: String,
    pub(crate) evr: String,
    pub(crate) arch: String,
    /// Bytes of its files.
    pub(crate) installed: u64,
    pub(crate) why: String,
    /// Whether it was asked for by itself.
    pub(crate) asked: bool,
    pub(crate) file: WantedPackage,
}

/// Why packages cannot be had.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Obstacle {
    pub(crate) what: String,
    /// What leads there, one sentence each.
    pub(crate) because: Vec<String>,
    /// Changes that help, one sentence each.
    pub(crate) help: Vec<String>,
}

/// A package file that is wanted.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct WantedPackage {
    pub(crate) nevra: String,
    pub(crate) url: String,
    pub(crate) size: u64,
    pub(crate) algorithm: String,
    pub(crate) digest: String,
}

/// A package that did not come.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Missing {
    pub(crate) nevra: String,
    /// Whether the site does not have it, so that it must be got elsewhere.
    pub(crate) is_elsewhere: bool,
    pub(crate) why: String,
}

/// What the page shows of a package. It is [`Eq`] so that two [`Rc`](std::rc::Rc)s of one are equal without a look at all
/// of its files.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
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
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
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
