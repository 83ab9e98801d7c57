//! `seawall completions` and `seawall man`: made from the grammar in `cli.rs`.

use crate::cli::Cli;
use crate::exit::{Exit, Failure, Result};
use crate::stdout;
use anyhow::Context;
use clap::CommandFactory;
use std::path::Path;

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<Exit> {
    // Into memory first: the generator panics when its writer fails, as a closed pipe does.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "seawall", &mut script);
    stdout::raw(&script)
}

pub(crate) fn man(directory: Option<&Path>) -> Result<Exit> {
    match directory {
        Some(directory) => {
            std::fs::create_dir_all(directory)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), directory))
                .with_context(|| format!("cannot write man pages to {}", directory.display()))
                .map_err(|error| {
                    Failure::usage(error).hint("name a directory that you may write to")
                })?;
            Ok(Exit::Clean)
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut page)
                .map_err(stdout::failed)?;
            stdout::raw(&page)
        }
    }
}
