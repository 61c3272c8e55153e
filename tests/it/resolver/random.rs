//! Random small repositories with every kind of dependency, against libsolv's `testsolv`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use sysext::resolve::{Pool, Repo, Request, Spec, solve};

use super::testtags;
use testdata::tools::{has, run};

/// Worlds of one run; each has some jobs.
const WORLDS: u64 = 400;
const JOBS: usize = 5;

/// Numbers that are the same everywhere (SplitMix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }

    pub(super) fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    fn name(&mut self) -> String {
        match self.below(4) {
            0 => format!("v{}", self.below(4)),
            _ => format!("p{}", self.below(12)),
        }
    }

    fn plain(&mut self) -> String {
        let name = self.name();
        match self.below(3) {
            0 => format!("{name} {} {}", self.of(&["=", ">=", "<", ">", "<="]), 1 + self.below(3)),
            _ => name,
        }
    }

    fn dependency(&mut self, depth: u64) -> String {
        if depth == 0 || self.below(3) > 0 {
            return self.plain();
        }
        let mut side = || match self.dependency(depth - 1) {
            text if text.contains(['&', '|'])
                || text.contains('<') && text.contains("> ")
                || text.contains(" + ") =>
            {
                format!("({text})")
            }
            text => text,
        };
        let (left, right, third) = (side(), side(), side());
        match self.below(8) {
            0 | 1 => format!("{left} & {right}"),
            2 | 3 => format!("{left} | {right}"),
            4 => format!("{left} <IF> {right}"),
            5 => format!("{left} <IF> ({right} <ELSE> {third})"),
            6 => format!("{left} <UNLESS> {right}"),
            _ => {
                let name = self.name();
                format!("{name} >= 1 + {name} < {}", 2 + self.below(2))
            }
        }
    }

    fn package(&mut self, lines: &mut String, name: u64, version: u64) {
        let arch = self.of(&["noarch", "x86_64", "x86_64", "x86_64", "i686"]);
        writeln!(lines, "#>=Pkg: p{name} {version} 1 {arch}").unwrap();
        if self.below(3) == 0 {
            writeln!(lines, "#>=Prv: v{} = {}", self.below(4), 1 + self.below(3)).unwrap();
        }
        for (tag, odds) in
            [("Req", 2), ("Req", 3), ("Con", 8), ("Rec", 5), ("Sug", 8), ("Sup", 10), ("Enh", 12)]
        {
            if self.below(odds) == 0 {
                writeln!(lines, "#>={tag}: {}", self.dependency(2)).unwrap();
            }
        }
        if self.below(12) == 0 {
            writeln!(lines, "#>=Obs: {}", self.plain()).unwrap();
        }
    }
}

/// A base that holds together as far as libsolv cares, and a repository.
fn world(random: &mut Random) -> [String; 2] {
    let mut base = String::new();
    for name in 0..random.below(6).saturating_sub(2) {
        writeln!(base, "#>=Pkg: p{name} 1 1 x86_64").unwrap();
    }
    let mut repo = String::new();
    for name in 0..12 {
        for version in 1..=1 + random.below(3) {
            random.package(&mut repo, name, version);
        }
    }
    [base, repo]
}

#[test]
fn random_worlds_are_solved_as_libsolv_does() {
    if !has("testsolv") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut same, mut unsolvable, mut other) = (0, 0, Vec::new());
    for seed in 0..WORLDS {
        let mut random = Random(seed);
        let [base, repo] = world(&mut random);
        let weak = random.below(2) == 0;
        let jobs: Vec<[String; 2]> =
            (0..JOBS).map(|_| [0, 1].map(|_| format!("p{}", random.below(12)))).collect();
        let mut case = format!(
            "repo system 0 testtags <inline>\n{base}repo test 99 testtags <inline>\n{repo}system x86_64 rpm system\n\
             poolflags implicitobsoleteusescolors\n"
        );
        for [first, second] in &jobs {
            if !weak {
                case += "solverflags ignorerecommended\n";
            }
            write!(
                case,
                "job install name {first}\njob install name {second}\njob lock repo system\nresult transaction,problems\n\
                 nextjob\n"
            )
            .unwrap();
        }
        let path = folder.path().join("case.t");
        fs::write(&path, &case).unwrap();
        let answers = run(Command::new("testsolv").arg("-r").arg(&path)).stdout;
        let answers = String::from_utf8(answers).unwrap();
        let answers: Vec<&str> = answers.split("test ").skip(1).collect();
        let mut pool = Pool::new("x86_64");
        for (name, lines, base) in [("system", &base, true), ("test", &repo, false)] {
            let repo = pool.add_repo(Repo { name: name.into(), priority: 99, base });
            let lines = lines.lines().filter_map(|line| line.strip_prefix("#>"));
            testtags::add(&mut pool, repo, lines).unwrap_or_else(|| panic!("{case}"));
        }
        pool.index();
        for (job, answer) in jobs.iter().zip(answers) {
            let expected: BTreeSet<&str> = answer
                .lines()
                .filter_map(|line| line.strip_prefix("install ")?.strip_suffix("@test"))
                .collect();
            let problems = answer.contains("\nproblem ");
            let wishes = job.iter().map(|name| {
                let mut wish = Spec::parse(name).wish(&pool);
                wish.candidates.retain(|id| pool.package_name(*id) == name);
                wish
            });
            let request =
                Request { wishes: wishes.collect(), weak, best: false, ..Request::default() };
            match solve(&pool, &request) {
                Err(found) => {
                    assert!(problems, "seed {seed}, {job:?}: {found:?}\n{case}\n{answer}");
                    unsolvable += 1;
                }
                Ok(solution) => {
                    assert!(!problems, "seed {seed}, {job:?}: {solution:?}\n{case}\n{answer}");
                    let found: BTreeSet<String> =
                        solution.packages.iter().map(|id| pool.nevra(*id)).collect();
                    if found.iter().map(String::as_str).eq(expected.iter().copied()) {
                        same += 1;
                    } else {
                        // Where a base package has an update that would fulfil a dependency as well, libsolv would rather
                        // not install at all what needs it, although the base stays ("choice rules"). We take it.
                        assert!(
                            !base.is_empty(),
                            "seed {seed}, {job:?}: {found:?} for {expected:?}\n{case}"
                        );
                        other.push(format!("seed {seed}, {job:?}: {found:?} for {expected:?}"));
                    }
                }
            }
        }
    }
    let all = same + other.len();
    assert!(unsolvable > 100 && same > 500, "{same} the same, {unsolvable} unsolvable");
    let rare = other.len() * 40 <= all;
    assert!(rare, "{} of {all} solutions differ:\n{}", other.len(), other.join("\n"));
}
