//! How long it takes to load an index and to choose from it, natively and in a page. `cargo xtask bench resolve` runs it and
//! says by the environment of the compiler which index and which names.

use sysext::{Base, Repositories, Repository, Selection};

const INDEX: &[u8] = include_bytes!(env!("SYSEXT_BENCH_INDEX"));
/// Names with blanks between them, sets with semicolons.
const SETS: &str = env!("SYSEXT_BENCH_SETS");
/// Runs of each; the fastest counts.
const RUNS: usize = 5;

/// Measures by a clock that tells milliseconds, and prints a line for each set.
fn measure(clock: impl Fn() -> f64, print: impl Fn(&str)) {
    let mut load = f64::INFINITY;
    let mut loaded = None;
    for _ in 0..RUNS {
        drop(loaded.take());
        let start = clock();
        let repository = Repository::new("bench");
        let mut repositories = Repositories::new("x86_64", vec![repository], Base::default());
        repositories.provide_index(0, INDEX).expect("an index");
        repositories.index();
        load = load.min(clock() - start);
        loaded = Some(repositories);
    }
    let repositories = loaded.expect("there was a run");
    for set in SETS.split(';') {
        let specs: Vec<String> = set.split(' ').map(str::to_owned).collect();
        let names = specs.len();
        let selection = Selection { specs, weak: true, multilib: true, ..Selection::default() };
        let (mut choose, mut packages) = (f64::INFINITY, 0);
        for _ in 0..RUNS {
            let start = clock();
            let solution = repositories.resolve(&selection).expect("it can be installed");
            choose = choose.min(clock() - start);
            packages = solution.packages.len();
        }
        print(&format!("{names:5} {packages:9} {load:8.0} {choose:9.1}"));
    }
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn choosing() {
    let start = std::time::Instant::now();
    measure(|| start.elapsed().as_secs_f64() * 1000.0, |line| println!("  {line}"));
}

#[cfg(target_arch = "wasm32")]
mod page {
    wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

    #[wasm_bindgen_test::wasm_bindgen_test]
    fn choosing() {
        let performance = web_sys::window().and_then(|window| window.performance());
        let performance = performance.expect("a page has a clock");
        super::measure(|| performance.now(), |line| wasm_bindgen_test::console_log!("  {line}"));
        let pages = core::arch::wasm32::memory_size(0);
        wasm_bindgen_test::console_log!("  {} MiB of memory, the index included", pages / 16);
    }
}
