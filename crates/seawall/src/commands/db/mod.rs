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

pub(crate) fn run(command: &Db) -> Result<Exit> {
    match command {
        Db::Build {
            from,
            out,
            sign,
            quiet,
        } => build::run(
            from,
            &locations::database(out.as_deref())?,
            sign.as_deref(),
            *quiet,
        ),
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
            &locations::database(out.as_deref())?,
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
