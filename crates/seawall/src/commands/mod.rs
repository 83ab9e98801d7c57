//! One file per subcommand.

mod base;
mod completions;
mod db;
mod host;
mod rematch;
mod sbom;
mod scan;
mod version_compare;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Result};

/// Runs the chosen subcommand.
pub(crate) fn run(cli: Cli) -> Result<Exit> {
    match cli.command {
        Command::Scan(args) => scan::run(&args),
        Command::Sbom(args) => sbom::run(&args),
        Command::Db(args) => db::run(&args),
        Command::Base(args) => base::run(&args),
        Command::Rematch(args) => rematch::run(&args),
        Command::VersionCompare(args) => version_compare::run(&args),
        Command::Completions { shell } => completions::completions(shell),
        Command::Man { directory } => completions::man(directory.as_deref()),
    }
}
