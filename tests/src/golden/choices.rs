//! An index of packages and what is chosen of it: the same bytes and the same answers everywhere.

use sysext::resolve::index::{self, AllPaths, Index, More};
use sysext::resolve::{Pool, Repo, Request, Spec, solve};
use sysext::rpm::Dependency;
use sysext::rpm::repodata::{Checksum, RepoPackage};
use sysext::{About, Installed};

/// Packages that need each other in every way, by numbers that only look random.
fn packages() -> Vec<RepoPackage> {
    let mut state = 7_u32;
    let mut below = |end: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % end
    };
    let mut packages = Vec::new();
    for number in 0..600_u32 {
        let name = format!("package-{}", number / 2);
        let evr = format!("{}.{}-1.fc43", 1 + number % 2, below(20));
        let plain = |text: String| Dependency::parse(&text).expect("a dependency");
        let rich = |name: String| Dependency { name, ..Dependency::default() };
        let mut provides = vec![plain(format!("{name} = {evr}"))];
        provides.push(plain(format!("lib{}.so.{}()(64bit)", below(90), below(3))));
        let mut requires = Vec::new();
        for _ in 0..below(4) {
            requires.push(plain(format!("package-{}", below(300))));
        }
        if below(3) == 0 {
            requires.push(plain(format!("lib{}.so.{}()(64bit)", below(90), below(3))));
        }
        if below(6) == 0 {
            requires.push(rich(format!("(package-{} if package-{})", below(300), below(300))));
        }
        let mut recommends = Vec::new();
        if below(3) == 0 {
            recommends.push(plain(format!("package-{}", below(300))));
        }
        let mut conflicts = Vec::new();
        if below(40) == 0 {
            conflicts.push(plain(format!("package-{} < 2", below(300))));
        }
        packages.push(RepoPackage {
            location: format!("Packages/p/{name}-{evr}.x86_64.rpm"),
            checksum: Checksum {
                algorithm: "sha256".into(),
                hex: format!("{:08x}", below(u32::MAX)).repeat(8),
            },
            summary: format!("Package number {number}"),
            package_size: u64::from(below(1 << 20)),
            installed_size: u64::from(below(1 << 24)) << 10,
            name,
            evr,
            arch: "x86_64".into(),
            provides,
            requires,
            recommends,
            conflicts,
            ..RepoPackage::default()
        });
    }
    packages
}

/// An index, a base pack, and answers as text.
pub(super) fn all() -> [(&'static str, Vec<u8>); 3] {
    let packages = packages();
    let mut paths = AllPaths::default();
    for (at, package) in packages.iter().enumerate() {
        paths.add(at, &format!("/usr/share/doc/{}/README", package.name));
    }
    let file = index::write(&packages, More { paths, ..More::default() });
    let index = Index::read(&file).expect("our own index");
    let base = Installed::from(packages[..80].to_vec())
        .write(&About { from: "root".into(), ..About::default() });
    let mut pool = Pool::new("x86_64");
    let base_repo = pool.add_repo(Repo { name: "base".into(), priority: 99, base: true });
    let repo = pool.add_repo(Repo { name: "repo".into(), priority: 99, base: false });
    for package in packages.iter().step_by(30) {
        pool.add(base_repo, package);
    }
    pool.add_index(repo, &index);
    pool.index();
    let mut answers = String::new();
    for number in 0..300 {
        let wish = Spec::parse(&format!("package-{number}")).wish(&pool);
        let answer =
            solve(&pool, &Request { wishes: vec![wish], best: false, ..Request::default() });
        match answer {
            Ok(solution) => solution.packages.iter().for_each(|id| {
                answers += &pool.nevra(*id);
                answers.push(' ');
            }),
            Err(problems) => problems.iter().for_each(|problem| answers += &problem.to_string()),
        }
        answers.push('\n');
    }
    [("index", file), ("base", base), ("answers", answers.into_bytes())]
}
