//! One file per subcommand.

mod completions;
mod version_compare;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Result};

/// Runs the chosen subcommand.
pub(crate) fn run(cli: Cli) -> Result<Exit> {
    match cli.command {
        Command::VersionCompare(args) => version_compare::run(&args),
        Command::Completions { shell } => completions::completions(shell),
        Command::Man { directory } => completions::man(directory.as_deref()),
        _ => unreachable!(),
    }
}
