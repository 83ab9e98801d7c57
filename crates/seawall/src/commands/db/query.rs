//! `seawall db query`.

use crate::assess::{damaged, open_database};
use crate::cli::DatabaseFile;
use crate::exit::{Exit, Failure, Result};
use crate::stdout;
use anyhow::anyhow;
use seawall_advisory::query::FlawDetails;
use seawall_advisory::{Advisory, Affected, State, Upper};
use seawall_report::escape;
use serde_json::{Value, json};
use std::io::{self, Write};

pub(super) fn run(id: &str, file: &DatabaseFile) -> Result<Exit> {
    let database = open_database(file.db.as_deref())?;
    let flaws = database.query(id).map_err(damaged)?;
    if file.json {
        let flaws: Vec<Value> = flaws.iter().map(to_json).collect();
        return stdout::json(&json!({"schema_version": 1, "flaws": flaws}));
    }
    if flaws.is_empty() {
        return Err(Failure::usage(anyhow!("the database knows no flaw '{id}'"))
            .hint("check the spelling, and with `seawall db status` how new the database is"));
    }
    stdout::text(|out| {
        for (at, flaw) in flaws.iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            print(flaw, out)?;
        }
        Ok(())
    })
}

fn print(flaw: &FlawDetails, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", escape::line(&flaw.id))?;
    if !flaw.aliases.is_empty() {
        let aliases = flaw.aliases.join(", ");
        writeln!(out, "  also called  {}", escape::line(&aliases))?;
    }
    for kev in &flaw.kev {
        let since = kev.date_added.as_deref().unwrap_or("an unknown day");
        let ransomware = if kev.ransomware {
            ", by ransomware too"
        } else {
            ""
        };
        writeln!(
            out,
            "  exploited    known since {}{ransomware} (CISA KEV)",
            escape::line(since)
        )?;
    }
    if let Some(epss) = flaw.epss {
        writeln!(
            out,
            "  prediction   {:.1} % within 30 days, more than {:.1} % of all flaws (EPSS)",
            epss.score * 100.0,
            epss.percentile * 100.0
        )?;
    }
    for entry in &flaw.cnnvd {
        let severity = entry
            .severity
            .map_or("no rating", |severity| severity.name());
        writeln!(
            out,
            "  CNNVD        {} {} ({severity})",
            escape::line(&entry.id),
            escape::line(&entry.title)
        )?;
    }
    for advisory in &flaw.advisories {
        writeln!(out)?;
        print_advisory(advisory, out)?;
    }
    Ok(())
}

fn print_advisory(advisory: &Advisory, out: &mut dyn Write) -> io::Result<()> {
    let severity = advisory
        .severity
        .map_or(String::new(), |one| format!(", {}", one.name()));
    writeln!(
        out,
        "  {} ({}{severity})",
        escape::line(&advisory.id),
        advisory.source.name()
    )?;
    if !advisory.title.is_empty() {
        writeln!(out, "    {}", escape::line(&advisory.title))?;
    }
    if let Some(day) = &advisory.withdrawn {
        writeln!(out, "    withdrawn {}: it never matches", escape::line(day))?;
    }
    for cvss in &advisory.cvss {
        let version = cvss.version.name();
        writeln!(
            out,
            "    CVSS {version}  {:.1}  {}",
            cvss.score,
            escape::line(&cvss.vector)
        )?;
    }
    for affected in &advisory.affected {
        writeln!(
            out,
            "    {:<20} {}  {}",
            escape::line(&affected.ecosystem.to_string()),
            escape::line(&affected.name),
            escape::line(&verdict(affected))
        )?;
    }
    if let Some(reference) = advisory.references.first() {
        writeln!(out, "    {}", escape::line(reference))?;
    }
    Ok(())
}

/// What a statement says, in words: `1.0 <= version < 1.2, fixed in 1.2`.
pub(super) fn verdict(affected: &Affected) -> String {
    let state = match affected.state {
        State::NotAffected if affected.ranges.is_empty() && affected.versions.is_empty() => {
            return format!("not affected{}", restrictions(affected));
        }
        State::NotAffected => "not affected: ",
        State::Affected => "",
        State::WontFix => "will not be fixed: ",
        State::UnderInvestigation => "under investigation: ",
    };
    let mut parts: Vec<String> = affected
        .ranges
        .iter()
        .map(|range| {
            let from = range
                .introduced
                .as_deref()
                .filter(|version| *version != "0");
            let sign = if range.introduced_exclusive {
                "<"
            } else {
                "<="
            };
            let from = from.map_or(String::new(), |version| format!("{version} {sign} "));
            match &range.upper {
                Upper::Fixed(version) => format!("{from}version < {version} (fixed)"),
                Upper::Before(version) => format!("{from}version < {version}"),
                Upper::LastAffected(version) => format!("{from}version <= {version}"),
                Upper::Open if from.is_empty() => "all versions".to_owned(),
                Upper::Open => format!("{from}version, no fix"),
            }
        })
        .collect();
    match affected.versions.as_slice() {
        [] if parts.is_empty() => parts.push("all versions".to_owned()),
        [] => {}
        [one] => parts.push(format!("version {one}")),
        [first, .., last] => {
            parts.push(format!(
                "{} listed versions, {first} to {last}",
                affected.versions.len()
            ));
        }
    }
    let mut verdict = format!("{state}{}", parts.join(" or "));
    verdict.push_str(&restrictions(affected));
    verdict
}

/// For which packages of the name alone a statement is meant.
fn restrictions(affected: &Affected) -> String {
    let module = affected
        .module
        .iter()
        .map(|module| format!(", in module {module}"));
    let on = match affected.architectures.as_slice() {
        [] => String::new(),
        architectures => format!(", on {}", architectures.join(" and ")),
    };
    module.chain([on]).collect()
}

/// One statement as JSON.
pub(super) fn affected_to_json(affected: &Affected) -> Value {
    let ranges: Vec<Value> = affected
        .ranges
        .iter()
        .map(|range| {
            let (end, version) = match &range.upper {
                Upper::Fixed(version) => ("fixed", Some(version)),
                Upper::Before(version) => ("before", Some(version)),
                Upper::LastAffected(version) => ("last_affected", Some(version)),
                Upper::Open => ("open", None),
            };
            json!({
                "introduced": range.introduced,
                "introduced_exclusive": range.introduced_exclusive,
                "end": end,
                "version": version,
            })
        })
        .collect();
    let state = match affected.state {
        State::Affected => "affected",
        State::NotAffected => "not-affected",
        State::WontFix => "wont-fix",
        State::UnderInvestigation => "under-investigation",
    };
    json!({
        "ecosystem": affected.ecosystem.to_string(),
        "name": affected.name,
        "state": state,
        "ranges": ranges,
        "versions": affected.versions,
        "architectures": affected.architectures,
        "module": affected.module,
        "severity": affected.severity.map(|severity| severity.name()),
    })
}

fn to_json(flaw: &FlawDetails) -> Value {
    let advisories: Vec<Value> = flaw
        .advisories
        .iter()
        .map(|one| {
            let cvss: Vec<Value> = one
                .cvss
                .iter()
                .map(|cvss| {
                    json!({"version": cvss.version.name(), "vector": cvss.vector, "score": cvss.score})
                })
                .collect();
            json!({
                "id": one.id,
                "source": one.source.name(),
                "title": one.title,
                "description": one.description,
                "published": one.published,
                "modified": one.modified,
                "withdrawn": one.withdrawn,
                "severity": one.severity.map(|severity| severity.name()),
                "cvss": cvss,
                "cwes": one.cwes,
                "references": one.references,
                "affected": one.affected.iter().map(affected_to_json).collect::<Vec<_>>(),
            })
        })
        .collect();
    let kev: Vec<Value> = flaw
        .kev
        .iter()
        .map(|kev| {
            json!({
                "cve": kev.cve,
                "date_added": kev.date_added,
                "due_date": kev.due_date,
                "ransomware": kev.ransomware,
            })
        })
        .collect();
    let cnnvd: Vec<Value> = flaw
        .cnnvd
        .iter()
        .map(|entry| {
            json!({
                "id": entry.id,
                "title": entry.title,
                "description": entry.description,
                "severity": entry.severity.map(|severity| severity.name()),
            })
        })
        .collect();
    json!({
        "id": flaw.id,
        "aliases": flaw.aliases,
        "kev": kev,
        "epss": flaw.epss.map(|epss| json!({"score": epss.score, "percentile": epss.percentile})),
        "cnnvd": cnnvd,
        "advisories": advisories,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_advisory::NameKind;
    use seawall_model::Ecosystem;

    #[test]
    fn statements_on_other_builds_and_versions_contradicted_each_other() {
        let row = |state| Affected::new(Ecosystem::Npm, "a", NameKind::Binary, state);
        let mut on_one = row(State::Affected).until(Upper::Fixed("1-2".to_owned()));
        on_one.architectures = vec!["aarch64".to_owned(), "x86_64".to_owned()];
        on_one.module = Some("nodejs:18".to_owned());
        let mut of_one = row(State::NotAffected);
        of_one.versions = vec!["4.17.19".to_owned()];
        let mut nowhere = row(State::NotAffected);
        nowhere.module = Some("php:8.0".to_owned());
        for (affected, expected) in [
            (
                on_one,
                "version < 1-2 (fixed), in module nodejs:18, on aarch64 and x86_64",
            ),
            (of_one, "not affected: version 4.17.19"),
            (nowhere, "not affected, in module php:8.0"),
            (row(State::NotAffected), "not affected"),
            (row(State::Affected), "all versions"),
        ] {
            assert_eq!(verdict(&affected), expected);
        }
    }
}
