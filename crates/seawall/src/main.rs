//! The `seawall` command.

mod assess;
mod cli;
mod commands;
mod exit;
mod inventories;
mod inventory;
mod known;
mod locations;
mod outputs;
mod place;
mod progress;
mod stdout;

use clap::Parser;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse_from(std::env::args_os().map(standard_input));
    start_log(cli.verbose);
    match commands::run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) if is_broken_pipe(&failure.error) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to tell anybody when standard error is closed too.
            drop(writeln!(io::stderr(), "{failure}"));
            failure.exit.into()
        }
    }
}

/// `-:NAME`, an image from standard input, is no option, though it begins like one; no option begins
/// like that.
fn standard_input(word: OsString) -> OsString {
    match word.to_str().and_then(|word| word.strip_prefix("-:")) {
        Some(name) => format!("/dev/stdin:{name}").into(),
        None => word,
    }
}

/// Whether the reader of our output went away, as `head` does: that is its choice, no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

fn start_log(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("SEAWALL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .without_time()
        .init();
}
