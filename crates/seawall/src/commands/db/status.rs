//! `seawall db status`.

use crate::assess::{damaged, open_database};
use crate::cli::DatabaseFile;
use crate::exit::{Exit, Result};
use crate::locations;
use crate::stdout;
use seawall_advisory::database::SignatureState;
use seawall_advisory::query::DatabaseStatus;
use serde_json::{Map, Value, json};
use std::io::{self, Write};
use std::path::Path;

pub(super) fn run(file: &DatabaseFile) -> Result<Exit> {
    let path = locations::database(file.db.as_deref())?;
    let database = open_database(Some(&path))?;
    // Whoever asks for the state wants all of it checked, not only what a scan would touch.
    database.check_all().map_err(damaged)?;
    let status = database.status().map_err(damaged)?;
    if file.json {
        stdout::json(&to_json(&path, &status))
    } else {
        stdout::text(|out| print(&path, &status, out))
    }
}

fn print(path: &Path, status: &DatabaseStatus, out: &mut dyn Write) -> io::Result<()> {
    let all = &status.statistics;
    writeln!(out, "{}", path.display())?;
    writeln!(out, "  format      {}", status.format_version)?;
    writeln!(out, "  digest      {}", status.digest)?;
    writeln!(out, "  signature   {}", signature(status))?;
    writeln!(out, "  size        {:.1} MB", status.len as f64 / 1e6)?;
    writeln!(
        out,
        "  newest      {}",
        all.newest.as_deref().unwrap_or("unknown")
    )?;
    writeln!(
        out,
        "  advisories  {} on {} flaws",
        all.advisories, all.flaws
    )?;
    writeln!(
        out,
        "  beside      {} known to be exploited, {} exploit predictions, {} CNNVD entries",
        all.kev, all.epss, all.cnnvd
    )?;
    writeln!(out, "\n{:<24} {:>10}", "PUBLISHER", "ADVISORIES")?;
    for (name, count) in &all.sources {
        writeln!(out, "{name:<24} {count:>10}")?;
    }
    writeln!(
        out,
        "\n{:<24} {:>10} {:>10}  NEWEST",
        "ECOSYSTEM", "PACKAGES", "STATEMENTS"
    )?;
    for ecosystem in &all.ecosystems {
        let newest = ecosystem.newest.as_deref().unwrap_or("no date");
        writeln!(
            out,
            "{:<24} {:>10} {:>10}  {}",
            ecosystem.key,
            ecosystem.packages,
            ecosystem.rows,
            newest.get(..10).unwrap_or(newest)
        )?;
    }
    Ok(())
}

fn signature(status: &DatabaseStatus) -> String {
    match status.signature {
        SignatureState::Unsigned => "none".to_owned(),
        SignatureState::Valid { key, trusted: true } => format!("valid, by the trusted {key}"),
        SignatureState::Valid {
            key,
            trusted: false,
        } => format!("valid, by {key}"),
    }
}

fn to_json(path: &Path, status: &DatabaseStatus) -> Value {
    let all = &status.statistics;
    let sources: Map<String, Value> = all
        .sources
        .iter()
        .map(|(name, count)| (name.clone(), json!(count)))
        .collect();
    let ecosystems: Map<String, Value> = all
        .ecosystems
        .iter()
        .map(|one| {
            (
                one.key.clone(),
                json!({
                    "packages": one.packages,
                    "statements": one.rows,
                    "newest": one.newest,
                }),
            )
        })
        .collect();
    json!({
        "schema_version": 1,
        "file": path.display().to_string(),
        "format_version": status.format_version,
        "digest": status.digest,
        "signature": signature(status),
        "bytes": status.len,
        "newest": all.newest,
        "advisories": all.advisories,
        "flaws": all.flaws,
        "kev": all.kev,
        "epss": all.epss,
        "cnnvd": all.cnnvd,
        "sources": sources,
        "ecosystems": ecosystems,
    })
}
