//! Measurements beside other tools.

use anyhow::Result;
use clap::Subcommand;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {}

pub(crate) fn run(args: &Args) -> Result<()> {
    match args.what {}
}
