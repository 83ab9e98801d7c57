//! `seawall db lookup`.

use super::query::{affected_to_json, verdict};
use crate::assess::{damaged, open_database};
use crate::cli::DatabaseFile;
use crate::exit::{Exit, Failure, Result};
use crate::stdout;
use anyhow::anyhow;
use seawall_advisory::matcher::Says;
use seawall_advisory::query::{Lookup, LookupStatement};
use seawall_model::Package;
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
        stdout::json(&to_json(purl, &lookup))?;
    } else {
        stdout::text(|out| print(purl, &package, &lookup, out))?;
    }
    Ok(if lookup.matches.incomplete.is_empty() {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}

fn print(purl: &str, package: &Package, lookup: &Lookup, out: &mut dyn Write) -> io::Result<()> {
    let without_version = package.version.is_empty();
    let ecosystem = lookup.ecosystem.as_deref().unwrap_or("no ecosystem");
    writeln!(out, "{} in {ecosystem}", purl)?;
    // What cannot be compared with no version is all of it.
    let missed = lookup.matches.incomplete.iter();
    for missed in missed.filter(|_| !without_version) {
        writeln!(out, "  not matched: {}", missed)?;
    }
    if lookup.statements.is_empty() {
        writeln!(out, "  no advisory speaks of this package")?;
    }
    for statement in &lookup.statements {
        let says = match &statement.says {
            Says::NotComparable(_) if without_version => "depends",
            said => says(said).0,
        };
        writeln!(
            out,
            "  {:<22} {:<22} {says:<18} {}",
            statement.flaws.join(", "),
            statement.advisory,
            verdict(&statement.affected)
        )?;
    }
    let findings = &lookup.matches.findings;
    let uncertain = lookup
        .statements
        .iter()
        .any(|statement| matches!(statement.says, Says::NotComparable(_)));
    match findings.len() {
        0 if uncertain && without_version => writeln!(
            out,
            "no verdict without a version: add it to the package URL, like @1.0"
        ),
        0 if uncertain => writeln!(out, "no verdict: the version cannot be compared"),
        0 if lookup.statements.is_empty() => writeln!(out, "nothing is known of it"),
        0 => writeln!(out, "not affected by any of them"),
        count => {
            let names: Vec<&str> = findings.iter().map(|finding| finding.id.as_str()).collect();
            writeln!(out, "affected by {count}: {}", names.join(", "))
        }
    }?;
    for note in &lookup.matches.notes {
        writeln!(out, "note: {note}")?;
    }
    if package.kind.is_os() && package.source.is_none() {
        let hint = "advisories of distributions speak of source packages: add the one that it is \
                    built from, like &upstream=gnupg2 for gpgv";
        writeln!(out, "hint: {hint}")?;
    }
    Ok(())
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
