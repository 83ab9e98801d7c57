//! `seawall db lookup`.

use super::print_json;
use super::query::{affected_to_json, verdict};
use crate::assess::{damaged, open_database};
use crate::cli::DatabaseFile;
use crate::exit::{Exit, Failure, Result};
use anyhow::anyhow;
use seawall_advisory::matcher::Says;
use seawall_advisory::query::{Lookup, LookupStatement};
use seawall_report::escape;
use seawall_scan::sbom;
use serde_json::{Value, json};
use std::io::{self, Write};

pub(super) fn run(purl: &str, file: &DatabaseFile) -> Result<Exit> {
    let (package, distro) = sbom::read_purl(purl).ok_or_else(|| {
        Failure::usage(anyhow!("'{purl}' is not a package URL of a known type")).hint(
            "write it like pkg:npm/lodash@4.17.20 or 'pkg:deb/debian/bash@5.2-1?distro=debian-12'",
        )
    })?;
    if package.kind.is_os() && distro.is_none() {
        return Err(
            Failure::usage(anyhow!("'{purl}' does not say of which distribution it is"))
                .hint("add the release, like ?distro=debian-12"),
        );
    }
    let database = open_database(file.db.as_deref())?;
    let lookup = database
        .lookup(&package, distro.as_ref())
        .map_err(damaged)?;
    if file.json {
        print_json(&to_json(purl, &lookup))?;
    } else {
        print(purl, &lookup).map_err(Failure::incomplete)?;
    }
    Ok(if lookup.matches.incomplete.is_empty() {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}

fn print(purl: &str, lookup: &Lookup) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let ecosystem = lookup.ecosystem.as_deref().unwrap_or("no ecosystem");
    writeln!(out, "{} in {}", escape::line(purl), escape::line(ecosystem))?;
    for missed in &lookup.matches.incomplete {
        writeln!(out, "  not matched: {}", escape::line(&missed.to_string()))?;
    }
    if lookup.statements.is_empty() {
        writeln!(out, "  no advisory speaks of this package")?;
    }
    for statement in &lookup.statements {
        writeln!(
            out,
            "  {:<22} {:<22} {:<18} {}",
            escape::line(&statement.flaws.join(", ")),
            escape::line(&statement.advisory),
            says(&statement.says).0,
            escape::line(&verdict(&statement.affected))
        )?;
    }
    let findings = &lookup.matches.findings;
    match findings.len() {
        0 => writeln!(out, "not affected by any of them"),
        count => {
            let names: Vec<&str> = findings.iter().map(|finding| finding.id.as_str()).collect();
            writeln!(
                out,
                "affected by {count}: {}",
                escape::line(&names.join(", "))
            )
        }
    }
}

/// A word for the verdict, and what goes with it.
fn says(says: &Says) -> (&'static str, Option<&str>) {
    match says {
        Says::Affected { fixed } => ("affected", fixed.as_deref()),
        Says::NotAffected => ("not affected", None),
        Says::UnderInvestigation => ("in question", None),
        Says::Elsewhere => ("about others", None),
        Says::Withdrawn => ("withdrawn", None),
        Says::NotComparable(why) => ("not comparable", Some(why)),
    }
}

fn to_json(purl: &str, lookup: &Lookup) -> Value {
    let statements: Vec<Value> = lookup.statements.iter().map(statement_to_json).collect();
    let findings: Vec<Value> = lookup
        .matches
        .findings
        .iter()
        .map(|finding| {
            json!({
                "id": finding.id,
                "aliases": finding.aliases,
                "severity": finding.severity.name(),
                "severity_source": finding.severity_source,
                "fix": {"state": finding.fix.state.name(), "version": finding.fix.version},
                "matched_by": finding.matched_by,
            })
        })
        .collect();
    let incomplete: Vec<String> = lookup
        .matches
        .incomplete
        .iter()
        .map(ToString::to_string)
        .collect();
    json!({
        "schema_version": 1,
        "purl": purl,
        "ecosystem": lookup.ecosystem,
        "affected": !findings.is_empty(),
        "findings": findings,
        "statements": statements,
        "incomplete": incomplete,
    })
}

fn statement_to_json(statement: &LookupStatement) -> Value {
    let (word, detail) = says(&statement.says);
    json!({
        "flaws": statement.flaws,
        "advisory": statement.advisory,
        "source": statement.source.name(),
        "verdict": word,
        "detail": detail,
        "statement": affected_to_json(&statement.affected),
    })
}
