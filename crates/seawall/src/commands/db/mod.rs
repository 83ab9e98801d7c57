//! `seawall db`: the advisory database.

mod build;
mod keygen;

use crate::cli::Db;
use crate::exit::{Exit, Result};
use crate::locations;
use std::path::{Path, PathBuf};

pub(crate) fn run(command: &Db) -> Result<Exit> {
    match command {
        Db::Build {
            from,
            out,
            sign,
            quiet,
        } => build::run(from, &path(out.as_deref())?, sign.as_deref(), *quiet),
        Db::Keygen { out } => keygen::run(out),
        _ => unreachable!(),
    }
}

/// The named database, else the one that scans use.
fn path(named: Option<&Path>) -> Result<PathBuf> {
    named.map_or_else(locations::database, |path| Ok(path.to_owned()))
}
