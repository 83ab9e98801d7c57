//! `seawall db delta`.

use super::build::write;
use crate::assess::{damaged, open_database, trusted_keys};
use crate::cli::Delta;
use crate::exit::{Exit, Failure, Result};
use crate::locations;
use crate::place::is_same_file;
use crate::stdout;
use anyhow::{Context, anyhow};
use seawall_advisory::database::OpenOptions;
use seawall_advisory::delta::{self, DeltaError};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// Largest delta file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;

pub(super) fn run(command: &Delta) -> Result<Exit> {
    match command {
        Delta::Create { old, new, out } => create(old, new, out),
        Delta::Apply { delta, db, out } => {
            let db = locations::database(db.as_deref())?;
            apply(delta, &db, out.as_deref().unwrap_or(&db))
        }
    }
}

fn create(old: &Path, new: &Path, out: &Path) -> Result<Exit> {
    for database in [old, new] {
        if is_same_file(database, out) {
            return Err(Failure::usage(anyhow!(
                "the delta would be written over the database {}",
                database.display()
            ))
            .hint("name another file with --out"));
        }
    }
    let (before, after) = (open_database(Some(old))?, open_database(Some(new))?);
    before
        .check_all()
        .and_then(|()| after.check_all())
        .map_err(damaged)?;
    let bytes = delta::create(&before, &after).map_err(Failure::incomplete)?;
    fs::write(out, &bytes)
        .with_context(|| format!("cannot write {}", out.display()))
        .map_err(Failure::usage)?;
    stdout::line(&format!(
        "{}  {:.1} kB instead of {:.1} MB",
        out.display(),
        bytes.len() as f64 / 1e3,
        after.len() as f64 / 1e6
    ))
}

fn apply(path: &Path, db: &Path, out: &Path) -> Result<Exit> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", path.display()))
        .map_err(Failure::usage)?;
    let old = open_database(Some(db))?;
    let options = OpenOptions {
        trusted_keys: trusted_keys()?,
    };
    let new = delta::apply(&old, &bytes, &options).map_err(|error| refused(error, db))?;
    let Some(new) = new else {
        if !is_same_file(db, out) {
            let bytes = fs::read(db)
                .with_context(|| format!("cannot read {}", db.display()))
                .map_err(Failure::usage)?;
            write(out, &bytes)?;
        }
        return stdout::line(&format!("{} was up to date already", db.display()));
    };
    write(out, &new)?;
    stdout::line(&format!("{} is up to date", out.display()))
}

fn refused(error: DeltaError, db: &Path) -> Failure {
    Failure::usage(error).hint(format!(
        "{} is as it was; fetch the newer database whole, or run `seawall db update`",
        db.display()
    ))
}
