//! What stops composing. What a person's choice leads to is a [`crate::Finding`] instead.

/// Composing cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The extension's name cannot be one.
    #[error(
        "`{0}` cannot name an extension: it takes letters, digits, `.`, `_`, `+` and `-`, and starts with a letter \
         or digit"
    )]
    Name(String),
    /// The release is not a Fedora release.
    #[error("`{0}` is not a release: expected a number such as 43")]
    Release(String),
    /// There is nothing to compose.
    #[error("no packages")]
    NoPackages,
    /// A source package, whose files are not for a system.
    #[error("{0} is a source package: choose the package that was built from it")]
    SourcePackage(String),
    /// The plan has findings of severity error.
    #[error("the plan has errors: compose after they are resolved")]
    PlanHasErrors,
    /// Content that a step changes is not known.
    #[error("the plan lacks contents of files that the recipe changes")]
    Incomplete,
    /// What a recipe leaves out is no pattern.
    #[error("leave-out: {0}")]
    LeaveOut(String),
    /// A package cannot be read.
    #[error("{package}: {error}")]
    Package {
        /// Its name, version, release and architecture.
        package: String,
        /// Why.
        error: rpm::Error,
    },
    /// A package is not the one that was planned.
    #[error("{expected} changed while it was read: found {found}")]
    Changed {
        /// The planned package.
        expected: String,
        /// The package that came.
        found: String,
    },
    /// A package's payload lacks a file that its header lists.
    #[error("{package}: the payload lacks {path}")]
    Missing {
        /// Its name, version, release and architecture.
        package: String,
        /// Path of the file in the image.
        path: String,
    },
    /// The metadata of a repository cannot be read.
    #[error("{repository}: {error}")]
    Repository {
        /// Its name.
        repository: String,
        /// Why.
        error: rpm::Error,
    },
    /// The index of a repository cannot be read.
    #[error("{repository}: {error}")]
    Index {
        /// Its name.
        repository: String,
        /// Why.
        error: resolve::index::BadIndex,
    },
    /// A base pack cannot be read.
    #[error("base pack: {error}")]
    BasePack {
        /// Why.
        error: resolve::index::BadIndex,
    },
    /// A base pack is of another version of the format.
    #[error("expected a base pack of version {expected}, found version {found}: make it anew")]
    BaseVersion {
        /// The version that is read.
        expected: u8,
        /// The version of the pack.
        found: u8,
    },
    /// A list of the base's packages has something else in it.
    #[error(
        "line {line} of the base's list: expected name-[epoch:]version-release.arch, found `{found}`"
    )]
    BaseList {
        /// Number of the line, from 1.
        line: usize,
        /// What is there.
        found: String,
    },
    /// The policy of the base cannot be read.
    #[error("the base's {error}")]
    Policy {
        /// Why.
        error: selinux::Error,
    },
    /// The image cannot be written.
    #[error(transparent)]
    Image(#[from] erofs::Error),
    /// A host answered a step that was not asked.
    #[error("the host answered a question that was not asked")]
    Protocol,
}
