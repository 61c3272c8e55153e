//! The command line: arguments, files and the terminal around the core.
//!
//! Exit codes: 0 done, 1 what was asked for has errors (nothing was written), 2 bad use or bad input, 130 interrupted.
#![expect(
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this crate is the outside world"
)]

mod args;
mod commands;
mod fetch;
mod interrupt;
mod oci;
mod output;
mod recipes;
mod sources;
mod terminal;
mod workers;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Command};

/// How a command that did not fail ended.
pub(crate) enum Outcome {
    /// Done.
    Done,
    /// What was asked for has errors; they have been said.
    Refused,
}

fn main() -> ExitCode {
    let Args { json, command } = Args::parse();
    let terminal = terminal::Terminal { json };
    interrupt::install();
    let outcome = match command {
        Command::Compose(args) => commands::compose::run(&args, &terminal),
        Command::Build(args) => commands::build::run(&args, &terminal),
        Command::New(args) => commands::new::run(&args, &terminal),
        Command::Checks(args) => commands::checks::run(&args, &terminal),
        Command::Check(args) => commands::check::run(&args, &terminal),
        Command::Fmt(args) => commands::fmt::run(&args, &terminal),
        Command::Explain(args) => commands::explain::run(&args, &terminal),
        Command::Schema => commands::schema::run(&terminal),
        Command::Pack(args) => commands::pack::run(&args, &terminal),
        Command::Checksig(args) => commands::checksig::run(&args, &terminal),
        Command::Fetch(args) => commands::fetch::run(&args, &terminal),
        Command::Index(args) => commands::index::run(&args, &terminal),
        Command::Catalog(args) => commands::catalog::run(&args, &terminal),
        Command::Serve(args) => commands::serve::run(&args, &terminal),
        Command::Base(args) => commands::base::run(&args, &terminal),
        Command::Search(args) => commands::search::run(&args, &terminal),
        Command::Info(args) => commands::info::run(&args, &terminal),
        Command::Deps(args) => commands::deps::run(&args, &terminal),
        Command::Why(args) => commands::why::run(&args, &terminal),
        Command::Lock(args) => commands::lock::run(&args, &terminal),
        Command::Label(args) => commands::label::run(&args, &terminal),
        Command::Targets => commands::targets::run(&terminal),
        Command::Resolve(args) => commands::resolve::run(&args, &terminal),
        Command::Inspect(args) => commands::inspect::run(&args, &terminal),
        Command::Extract(args) => commands::extract::run(&args, &terminal),
        Command::Verify(args) => commands::verify::run(&args, &terminal),
    };
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Refused) => ExitCode::from(1),
        Err(error) => {
            terminal.error(&error);
            ExitCode::from(if error.is::<interrupt::Interrupted>() { 130 } else { 2 })
        }
    }
}
