//! libsolv's own test cases: those that install, on a base that stays.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sysext::resolve::{Pool, Repo, Request, Wish, solve};
use sysext::rpm::evr;

use super::testtags;
use testdata::shared::data;

/// What came of a case.
enum Verdict {
    Held,
    Skipped(&'static str),
}

/// A file of jobs on one set of repositories.
#[derive(Default)]
struct Case<'a> {
    repos: BTreeMap<&'a str, Vec<&'a str>>,
    arch: &'a str,
    system: &'a str,
    multilib: bool,
    lines: Vec<&'a str>,
}

#[test]
fn libsolvs_test_cases_hold() {
    let Some(folder) = data("repodata/libsolv-testcases") else { return };
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .flat_map(|entry| fs::read_dir(entry.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut held = 0;
    let mut skipped = BTreeMap::<&str, BTreeSet<String>>::new();
    for path in paths {
        let parent = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let name = format!("{parent}/{}", path.file_name().unwrap().to_string_lossy());
        let text = fs::read_to_string(&path).unwrap();
        for (number, verdict) in run(&name, &text).into_iter().enumerate() {
            match verdict {
                Verdict::Held => held += 1,
                Verdict::Skipped(why) => {
                    skipped.entry(why).or_default().insert(format!("{name}:{}", number + 1));
                }
            }
        }
    }
    let mut report = format!("held: {held}\n");
    for (why, cases) in skipped {
        report += &format!("skipped, {why}: {}\n", Vec::from_iter(cases).join(" "));
    }
    let expected = include_str!("../../fixtures/libsolv-testcases.txt");
    assert_eq!(report, expected, "the new report:\n{report}");
}

fn run(name: &str, text: &str) -> Vec<Verdict> {
    let mut case = Case { arch: "unset", ..Case::default() };
    let mut verdicts = Vec::new();
    let mut repo = None;
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("#>") {
            match repo {
                Some(repo) => case.repos.entry(repo).or_default().push(line),
                None => case.lines.push(line),
            }
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        repo = None;
        match words.as_slice() {
            ["repo", name, .., "<inline>"] => repo = Some(*name),
            ["repo", name, ..] => drop(case.repos.entry(name).or_default()),
            ["system", arch, _, system] => (case.arch, case.system) = (arch, system),
            ["system", arch, _] => case.arch = arch,
            ["poolflags", "implicitobsoleteusescolors"] => case.multilib = true,
            ["nextjob", ..] => {
                verdicts.push(case.job(name));
                case.lines.clear();
            }
            [] | ["feature" | "disable" | "vendorclass" | "evrcmp", ..] => {}
            _ => case.lines.push(line),
        }
    }
    verdicts.push(case.job(name));
    verdicts
}

impl Case<'_> {
    /// Runs the jobs up to here.
    fn job(&self, name: &str) -> Verdict {
        let mut pool = Pool::new(if self.arch == "unset" { "x86_64" } else { self.arch });
        for (name, lines) in &self.repos {
            let base = *name == self.system;
            let repo = pool.add_repo(Repo { name: (*name).to_owned(), priority: 99, base });
            if testtags::add(&mut pool, repo, lines.iter().copied()).is_none() {
                return Verdict::Skipped("packages with tags of other systems");
            }
        }
        pool.index();
        let mut request = Request { best: false, multilib: self.multilib, ..Request::default() };
        let mut expected = BTreeSet::new();
        let mut problems = false;
        let mut result = "";
        for line in &self.lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["job", "install", "name" | "provides", rest @ ..] => {
                    let (flags, rest): (Vec<&str>, Vec<&str>) =
                        rest.iter().partition(|word| word.starts_with('['));
                    match flags.as_slice() {
                        [] => {}
                        ["[forcebest]"] => request.best = true,
                        _ => return Verdict::Skipped("flags of jobs"),
                    }
                    let Some(dependency) = testtags::dependency(&rest.join(" ")) else {
                        return Verdict::Skipped("rich dependencies as jobs");
                    };
                    let by_name = words[2] == "name";
                    request.wishes.push(wish(&pool, &dependency, by_name));
                }
                ["job", "lock", "repo", _] | ["genid", ..] => {}
                ["job", other, ..] => return Verdict::Skipped(jobs(other)),
                ["solverflags", flags @ ..] => {
                    for flag in flags {
                        match *flag {
                            "ignorerecommended" => request.weak = false,
                            "allowvendorchange"
                            | "keepexplicitobsoletes"
                            | "bestobeypolicy"
                            | "keeporphans"
                            | "yumobsoletes"
                            | "!keepexplicitobsoletes" => {}
                            _ => return Verdict::Skipped("solver flags that dnf does not set"),
                        }
                    }
                }
                ["poolflags", ..] => return Verdict::Skipped("pool flags that dnf does not set"),
                ["result", kinds, ..] => result = kinds,
                ["install", nevra] => drop(expected.insert((*nevra).to_owned())),
                [
                    "erase" | "upgrade" | "downgrade" | "reinstall" | "change" | "multiinstall",
                    ..,
                ] => {
                    return Verdict::Skipped("changes of what is installed");
                }
                ["problem", ..] => problems = true,
                _ => {}
            }
        }
        if !result.contains("transaction") || request.wishes.is_empty() {
            return Verdict::Skipped("no packages to be installed in the result");
        }
        match solve(&pool, &request) {
            Ok(solution) => {
                let show = |id| format!("{}@{}", pool.nevra(id), pool.repo(id).name);
                let found: BTreeSet<String> = solution.packages.into_iter().map(show).collect();
                assert_eq!(found, expected, "{name}");
                assert!(!problems, "{name}: libsolv sees problems");
            }
            Err(found) => assert!(problems, "{name}: {found:?}"),
        }
        Verdict::Held
    }
}

fn jobs(kind: &str) -> &'static str {
    match kind {
        "favor" | "disfavor" => "jobs that favour packages",
        "multiversion" => "packages in several versions at once",
        "blacklist" | "excludefromweak" => "jobs that exclude packages",
        _ => "jobs that change what is installed",
    }
}

fn wish(pool: &Pool, dependency: &sysext::rpm::Dependency, by_name: bool) -> Wish {
    let text = dependency.to_string();
    let mut candidates = sysext::resolve::Spec::parse(&text).packages(pool);
    if by_name {
        candidates.retain(|id| pool.package_name(*id) == dependency.name);
    }
    Wish { text, candidates }
}

#[test]
fn versions_compare_as_in_libsolvs_test_cases() {
    let Some(folder) = data("repodata/libsolv-testcases/evrcmp") else { return };
    let mut compared = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let results: Vec<Vec<&str>> = text
            .lines()
            .filter_map(|line| line.strip_prefix("#>job noop provides "))
            .map(|line| line.split(' ').collect())
            .collect();
        for result in results {
            let [a, sign, b] = result.try_into().unwrap();
            let found = match evr::compare(a, b) {
                std::cmp::Ordering::Less => "<",
                std::cmp::Ordering::Equal => "=",
                std::cmp::Ordering::Greater => ">",
            };
            assert_eq!(found, sign, "{a} and {b}");
            compared += 1;
        }
    }
    assert!(compared > 30, "{compared} pairs");
}
