//! Toy worlds: packages as lines of text, wishes, and what comes of them as text.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use resolve::index::{self, Index};
use resolve::{PackageId, Pool, Repo, Request, Spec, solve};
use rpm::Dependency;
use rpm::repodata::RepoPackage;

/// A package from a line: `NAME-VERSION[.ARCH][: requires A, conflicts B >= 1, ...]`.
fn package(line: &str) -> RepoPackage {
    let (head, rest) = line.split_once(": ").unwrap_or((line, ""));
    let (head, arch) = match head.rsplit_once('.') {
        Some((head, arch @ ("x86_64" | "i686" | "aarch64"))) => (head, arch),
        _ => (head, "noarch"),
    };
    let (name, version) = head.rsplit_once('-').unwrap();
    let evr = format!("{version}-1");
    let mut package = RepoPackage {
        name: name.into(),
        arch: arch.into(),
        provides: vec![Dependency::parse(&format!("{name} = {evr}")).unwrap()],
        evr,
        ..RepoPackage::default()
    };
    for clause in rest.split(", ").filter(|clause| !clause.is_empty()) {
        let (verb, what) = clause.split_once(' ').unwrap();
        let dependency = match what.starts_with('(') {
            true => Dependency { name: what.into(), ..Dependency::default() },
            false => Dependency::parse(what).unwrap(),
        };
        let list = match verb {
            "provides" => &mut package.provides,
            "requires" => &mut package.requires,
            "conflicts" => &mut package.conflicts,
            "obsoletes" => &mut package.obsoletes,
            "recommends" => &mut package.recommends,
            "suggests" => &mut package.suggests,
            "supplements" => &mut package.supplements,
            "enhances" => &mut package.enhances,
            _ => panic!("{clause}"),
        };
        list.push(dependency);
    }
    package
}

/// What comes of wishes in a world. Lines that start with `base` are of the base, `high` of a repository of higher
/// priority. The same must come of it when the packages come as indexes.
fn outcome(world: &[&str], wishes: &str, change: impl Fn(&Pool, &mut Request)) -> String {
    let mut repos = [("base", 99, Vec::new()), ("high", 10, Vec::new()), ("low", 99, Vec::new())];
    for line in world {
        let (at, line) = match line.split_once(' ') {
            Some(("base", line)) => (0, line),
            Some(("high", line)) => (1, line),
            _ => (2, *line),
        };
        repos[at].2.push(package(line));
    }
    let [plain, indexed] = [false, true].map(|indexed| {
        let mut pool = Pool::new("x86_64");
        for (name, priority, packages) in &repos {
            let (name, base) = ((*name).to_owned(), *name == "base");
            let repo = pool.add_repo(Repo { name, priority: *priority, base });
            if indexed {
                pool.add_index(
                    repo,
                    &Index::read(&index::write(packages, index::More::default())).unwrap(),
                );
            } else {
                for package in packages {
                    pool.add(repo, package);
                }
            }
        }
        pool.index();
        answer(&pool, wishes, &change)
    });
    assert_eq!(plain, indexed);
    plain
}

fn answer(pool: &Pool, wishes: &str, change: &impl Fn(&Pool, &mut Request)) -> String {
    let wishes = wishes.split(", ").flat_map(|text| Spec::parse(text).wishes(pool)).collect();
    let mut request = Request { wishes, ..Request::default() };
    change(pool, &mut request);
    match solve(pool, &request) {
        Ok(solution) => {
            let show =
                |id: &PackageId| pool.nevra(*id).replace("-1.noarch", "").replace("-1.x86_64", "");
            solution.packages.iter().map(show).collect::<Vec<_>>().join(" ")
        }
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

fn check(world: &[&str], wishes: &str, expected: &str) {
    assert_eq!(outcome(world, wishes, |_, _| {}), expected, "{world:#?}");
}

#[test]
fn what_the_base_has_does_not_come_along() {
    let world =
        ["base glibc-2", "htop-3: requires glibc, requires ncurses", "ncurses-6", "glibc-2"];
    check(&world, "htop", "htop-3 ncurses-6");
    check(&world, "glibc", "");
}

#[test]
fn the_best_comes() {
    check(&["a-1", "a-2", "a-10", "a-9"], "a", "a-10");
    check(&["a-1", "a-2.i686", "a-1.x86_64"], "a", "a-1");
    check(&["a-1.i686", "a-1.x86_64"], "a", "a-1");
    check(&["high a-1", "a-2"], "a", "a-1");
    check(&["a-1: requires x", "b-1: provides x = 1", "c-1: provides x = 2"], "a", "a-1 c-1");
    check(&["a-1: requires x", "bb-1: provides x", "b-1: provides x"], "a", "a-1 b-1");
}

#[test]
fn an_older_version_comes_only_if_it_may() {
    let world = ["a-1", "a-2: requires nothing"];
    check(
        &world,
        "a",
        "`a` cannot be installed\n  - nobody provides nothing, which a-2-1.noarch requires\n  \
         help: take an older version where the newest cannot be installed",
    );
    assert_eq!(outcome(&world, "a", |_, request| request.best = false), "a-1");
}

#[test]
fn weak_dependencies_come_where_they_can() {
    let world = [
        "base shell-1",
        "a-1: recommends b, recommends c, recommends gone, suggests d",
        "b-1",
        "c-1: conflicts a",
        "d-1",
        "a-lang-1: supplements (a and shell)",
        "shell-lang-1: supplements shell",
    ];
    check(&world, "a", "a-1 b-1 a-lang-1");
    assert_eq!(outcome(&world, "a", |_, request| request.weak = false), "a-1");
}

#[test]
fn rich_dependencies_mean_what_they_say() {
    check(&["a-1: requires (b if c)", "b-1", "c-1"], "a", "a-1");
    check(&["a-1: requires (b if c)", "b-1", "c-1"], "a, c", "a-1 b-1 c-1");
    check(&["base c-1", "a-1: requires (b if c else d)", "b-1", "d-1"], "a", "a-1 b-1");
    check(&["a-1: requires (b if c else d)", "b-1", "d-1"], "a", "a-1 d-1");
    check(&["base c-1: requires (lang if a)", "a-1", "lang-1"], "a", "a-1 lang-1");
    check(
        &["a-1: requires (x >= 2 with x < 3)", "b-1: provides x = 1", "c-1: provides x = 2"],
        "a",
        "a-1 c-1",
    );
    check(&["a-1: requires (x without b)", "b-1: provides x", "c-1: provides x"], "a", "a-1 c-1");
}

#[test]
fn other_word_sizes_come_when_they_are_needed() {
    let world =
        ["a-1.i686: requires l(32)", "l-1.i686: provides l(32)", "l-1.x86_64: provides l(64)"];
    check(&world, "a", "a-1-1.i686 l-1-1.i686 l-1");
    check(
        &["a-1.aarch64"],
        "a",
        "`a` cannot be installed\n  - a-1-1.aarch64 is for another architecture",
    );
}

#[test]
fn what_stands_in_the_way_is_said() {
    check(&["a-1"], "b", "no package is named `b` or provides it");
    check(
        &["base l-1", "a-1: requires l >= 2", "l-2"],
        "a",
        "`a` cannot be installed\n  - l-2-1.noarch would replace l-1-1.noarch of the base, and an extension cannot\n  \
         - a-1-1.noarch requires l >= 2\n  help: a newer base, with another l, might have what is needed",
    );
    check(
        &["base old-1: conflicts a", "a-1"],
        "a",
        "`a` cannot be installed\n  - old-1-1.noarch of the base conflicts with a, which a-1-1.noarch provides\n  \
         help: take old of the base for absent",
    );
    check(
        &["a-1: conflicts b", "b-1"],
        "a, b",
        "`a`, `b` cannot be installed together\n  - a-1-1.noarch conflicts with b, which b-1-1.noarch provides\n  \
         help: leave out `a`\n  help: leave out `b`",
    );
    check(
        &["a-1: requires b", "b-1: requires gone", "c-1: requires lost"],
        "a, c",
        "`a` cannot be installed\n  - nobody provides gone, which b-1-1.noarch requires\n  - a-1-1.noarch requires b\n\
         `c` cannot be installed\n  - nobody provides lost, which c-1-1.noarch requires",
    );
    let excluded = outcome(&["a-1: requires b", "b-1"], "a", |pool, request| {
        request.exclude = pool.named("b").collect();
    });
    assert_eq!(
        excluded,
        "`a` cannot be installed\n  - nobody provides b, which a-1-1.noarch requires\n  help: exclude less"
    );
}

#[test]
fn reasons_are_said() {
    let mut pool = Pool::new("x86_64");
    let repo = pool.add_repo(Repo { name: "repo".into(), priority: 99, base: false });
    for line in [
        "a-1: requires x >= 2, recommends c",
        "b-1: provides x = 2, requires (d if a), requires (h if c), requires (j if gone else i)",
        "c-1",
        "d-1",
        "e-1: supplements c",
        "f-1: requires a",
        "h-1",
        "i-1",
    ] {
        pool.add(repo, &package(line));
    }
    pool.index();
    let request = Request { wishes: vec![Spec::parse("a").wish(&pool)], ..Request::default() };
    let packages = solve(&pool, &request).unwrap().packages;
    let reasons = resolve::reasons(&pool, &request, &packages);
    let reasons: Vec<String> = packages
        .iter()
        .zip(reasons)
        .map(|(id, reason)| format!("{}: {reason}", pool.package_name(*id)))
        .collect();
    let expected = [
        "a: asked for as `a`",
        "b: a-1-1.noarch requires x >= 2",
        "c: a-1-1.noarch recommends c",
        "d: b-1-1.noarch requires (d if a)",
        "e: e-1-1.noarch supplements c",
        "h: b-1-1.noarch requires (h if c)",
        "i: b-1-1.noarch requires (j if gone else i)",
    ];
    assert_eq!(reasons, expected);
    let way = |name: &str| {
        let id = pool.named(name).next().unwrap();
        let way = resolve::way(&pool, &request, &packages, id)?;
        Some(way.iter().map(|need| need.describe(&pool)).collect::<Vec<_>>().join(", "))
    };
    assert_eq!(way("a").as_deref(), Some(""));
    let to_d = "a-1-1.noarch requires x >= 2, b-1-1.noarch requires (d if a)";
    assert_eq!(way("d").as_deref(), Some(to_d));
    let to_e = "a-1-1.noarch recommends c, e-1-1.noarch supplements c";
    assert_eq!(way("e").as_deref(), Some(to_e));
    assert_eq!(way("f"), None);
}

#[test]
fn a_plain_name_means_what_replaced_it() {
    let world = ["old-1", "new-1: obsoletes old < 2", "a-1: requires old"];
    check(&world, "old", "new-1");
    check(&world, "a", "old-1 a-1");
}

#[test]
fn the_order_of_packages_and_wishes_changes_nothing() {
    let mut world = vec![
        "a-1: requires x",
        "a-2: requires x, recommends c",
        "b-1: provides x = 1",
        "c-1: provides x = 2, conflicts b",
        "d-1: requires (x and a)",
    ];
    let first = outcome(&world, "a, d", |_, _| {});
    let sorted = |text: &str| {
        let mut words: Vec<&str> = text.split(' ').collect();
        words.sort_unstable();
        words.join(" ")
    };
    for _ in 0..world.len() {
        world.rotate_left(1);
        assert_eq!(sorted(&outcome(&world, "d, a", |_, _| {})), sorted(&first));
    }
}
