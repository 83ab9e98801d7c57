//! `seawall db`: the advisory database.

mod build;
mod delta;
mod keygen;
mod lookup;
mod query;
mod status;
mod update;

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
        Db::Update {
            print_feeds: true, ..
        } => update::print_feeds(),
        Db::Update {
            feeds,
            out,
            sign,
            quiet,
            ..
        } => update::run(
            feeds.as_deref(),
            &path(out.as_deref())?,
            sign.as_deref(),
            *quiet,
        ),
        Db::Status { database } => status::run(database),
        Db::Query { id, database } => query::run(id, database),
        Db::Lookup { purl, database } => lookup::run(purl, database),
        Db::Delta(command) => delta::run(command),
        Db::Keygen { out } => keygen::run(out),
    }
}

/// The named file to write, else the database that scans use.
fn path(named: Option<&Path>) -> Result<PathBuf> {
    named.map_or_else(locations::database, |path| Ok(path.to_owned()))
}
