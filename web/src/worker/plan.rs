//! Plans in a tab: headers first, then contents of the files that a plan asks for.

use std::cell::RefCell;
use std::io::Read as _;

use sysext::rpm::Package;
use sysext::{Base, Contents, Plan, Recipe};
use web_sys::File;

use super::source::Source;

/// A package and the file that it is in.
#[derive(Clone)]
pub(crate) struct Here {
    pub(crate) package: Package,
    pub(crate) file: File,
}

/// Plans the extension of packages. What has been looked at is kept for the next plan. Gives the files in the plan's order as
/// well.
pub(crate) async fn plan(
    packages: &[Here],
    recipe: &Recipe,
    base: Option<&Base>,
    contents: &RefCell<Contents>,
) -> Result<(Plan, Vec<File>), String> {
    let text = |error: sysext::Error| error.to_string();
    let all = packages.iter().map(|here| here.package.clone()).collect();
    let mut plan = Plan::of(all, recipe, base, &contents.borrow()).map_err(text)?;
    let file_of = |package: &Package| {
        let here = packages.iter().find(|here| here.package.header_sha256 == package.header_sha256);
        here.map(|here| here.file.clone())
    };
    let files: Vec<File> = plan.packages().iter().filter_map(file_of).collect();
    for _ in 0..Plan::ROUNDS {
        let wanted = plan.wanted();
        if wanted.is_empty() {
            break;
        }
        for (package, indexes) in wanted {
            let file = files.get(package).ok_or("the plan names a package that was not given")?;
            let source = Source::open(file).await?;
            contents.borrow_mut().read(source, &indexes).map_err(text)?;
        }
        plan = Plan::of(plan.into_packages(), recipe, base, &contents.borrow()).map_err(text)?;
    }
    Ok((plan, files))
}

/// Reads a base pack.
pub(super) async fn base(file: &File) -> Result<Base, String> {
    let mut pack = Vec::new();
    let mut source = Source::open(file).await?;
    source.read_to_end(&mut pack).map_err(|error| error.to_string())?;
    Base::read(&pack).map_err(|error| format!("{}: {error}", file.name()))
}
