//! Which packages an extension needs: RPM dependencies, solved as dnf does, without I/O.
//!
//! A [`Pool`] holds the packages of repositories and of the base, which is what the target has already and never loses. A
//! [`Request`] says what shall be there, and [`solve()`] finds what must come along, or why nothing will do.
//!
//! ```
//! use resolve::{Pool, Repo, Request, Spec, solve};
//! use rpm::Dependency;
//! use rpm::repodata::RepoPackage;
//!
//! let package = |name: &str, requires: &str| RepoPackage {
//!     name: name.into(),
//!     evr: "1.0-1".into(),
//!     arch: "noarch".into(),
//!     provides: Dependency::parse(&format!("{name} = 1.0-1")).into_iter().collect(),
//!     requires: Dependency::parse(requires).into_iter().collect(),
//!     ..RepoPackage::default()
//! };
//! let mut pool = Pool::new("x86_64");
//! let base = pool.add_repo(Repo { name: "base".into(), priority: 99, base: true });
//! let fedora = pool.add_repo(Repo { name: "fedora".into(), priority: 99, base: false });
//! pool.add(base, &package("glibc", ""));
//! pool.add(fedora, &package("htop", "ncurses-libs >= 1"));
//! pool.add(fedora, &package("ncurses-libs", "glibc"));
//! pool.index();
//!
//! let wishes = vec![Spec::parse("htop").wish(&pool)];
//! let solution = solve(&pool, &Request { wishes, ..Request::default() }).unwrap();
//! let names: Vec<String> = solution.packages.iter().map(|id| pool.nevra(*id)).collect();
//! assert_eq!(names, ["htop-1.0-1.noarch", "ncurses-libs-1.0-1.noarch"]);
//! ```
//!
//! The method is that of libsolv (M. Schroeder, BSD-3-Clause), which dnf uses: rules over all packages that could come
//! along, conflict-driven learning, and its order of choices, so that the answers are the same. Each solution is checked
//! by code that knows nothing of the search ([`violations`]).
//!
//! Not here: removing, updating, downgrading; modules.

mod arch;
mod check;
mod drive;
mod explain;
pub mod index;
mod lists;
mod needs;
mod policy;
mod pool;
mod rich;
mod rules;
mod search;
mod solve;
mod spec;
mod strings;
mod weak;

pub use check::violations;
pub use explain::Problem;
pub use needs::{Need, asked, needs, reasons, way};
pub use pool::{PackageId, Pool, Repo, RepoId};
pub use solve::{Request, Solution, Wish, missing_paths, solve};
pub use spec::Spec;
