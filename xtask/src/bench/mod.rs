//! Measurements beside other tools.

mod images;
mod measure;
mod scan;

use anyhow::Result;
use clap::Subcommand;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Images: inventory, matching and memory, beside syft, trivy and grype where they are on PATH
    Scan(scan::Args),
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.what {
        What::Scan(args) => scan::run(args),
    }
}
