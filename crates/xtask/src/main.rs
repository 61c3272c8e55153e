//! Developer commands. `cargo xtask` lists them.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this crate sets machines up and talks to a terminal"
)]

mod bench;
mod demo;
mod page;
mod serve;
mod setup;
mod shell;
mod table;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
Developer commands of sysext-composer.

  cargo xtask serve [ARG...]     build the page and serve it on 127.0.0.1 (port 8080, or the next free one); ARG as for
                                 `sysext-composer serve`, such as --catalog DIR
  cargo xtask test [STEP...]     run every test, or the steps named; `test --list` names them
  cargo xtask build              build the page into target/site
  cargo xtask table              write the table of extensions/README.md and extensions/CHECKS.md
  cargo xtask bench              compare with rpm2cpio, cpio and mkfs.erofs on the same input
  cargo xtask bench erofs [DIR...]  compare each profile with mkfs.erofs (or $MKFS_EROFS) on folders
  cargo xtask bench reads DIR   random reads from mounted images of both (root)
  cargo xtask bench page        the page in Chromium next to the command line

Each installs what it lacks, or says what to install.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        [] | ["help" | "--help" | "-h"] | ["bench" | "test", .., "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        ["serve", rest @ ..] => serve::run(rest),
        ["test", rest @ ..] => test::run(rest),
        ["build"] => page::build().map(|page| println!("{}", page.display())),
        ["table"] => table::run(),
        ["bench", rest @ ..] => bench::run(rest),
        // What cargo calls to run a test that was compiled to WebAssembly.
        ["test-runner", ..] => wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(
            std::env::args_os().skip(1),
        ),
        other => Err(anyhow::anyhow!("unknown command: {}\n\n{USAGE}", other.join(" "))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
