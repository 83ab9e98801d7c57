//! The security tracker's export, <https://security-tracker.debian.org/tracker/data/json>:
//! package, flaw, release, verdict.

use super::super::document::{self, corrupt};
use super::super::flaws::FlawTable;
use super::super::rejected::Rejected;
use super::super::{FeedFile, Records};
use super::line::unknown_release;
use crate::{Affected, NameKind, Source, State, Upper};
use seawall_model::{DistroFamily, Ecosystem, Severity};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What the tracker says of one flaw of one package.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    description: String,
    #[serde(default)]
    debianbug: Option<u64>,
    #[serde(default)]
    releases: Map<String, Value>,
}

/// Its verdict on one release.
#[derive(Deserialize)]
struct Verdict {
    status: String,
    #[serde(default)]
    fixed_version: Option<String>,
    #[serde(default)]
    urgency: String,
    /// Why there is no bulletin: empty, `ignored`, `postponed`.
    #[serde(default)]
    nodsa_reason: Option<String>,
}

pub(super) fn import(file: &FeedFile<'_>, records: &mut Records) {
    let mut flaws = FlawTable::new(Source::Debian);
    let mut unknown = BTreeSet::new();
    let mut rejected = Rejected::new(file);
    document::json_members(file, &mut rejected, |package, entries, rejected| {
        let Value::Object(entries) = entries else {
            let message = format!("package '{package}' holds no flaws");
            return rejected.report(corrupt(file, message));
        };
        for (id, entry) in entries {
            match serde_json::from_value(entry) {
                Ok(entry) => {
                    read_entry(
                        file,
                        &package,
                        &id,
                        entry,
                        &mut flaws,
                        &mut unknown,
                        rejected,
                    );
                }
                Err(error) => {
                    let message = format!("{id} of package '{package}': {error}");
                    rejected.report(corrupt(file, message));
                }
            }
        }
    });
    for codename in unknown {
        rejected.report(unknown_release(file, &codename));
    }
    flaws.finish(records);
    rejected.finish(records);
}

fn read_entry(
    file: &FeedFile<'_>,
    package: &str,
    id: &str,
    entry: Entry,
    flaws: &mut FlawTable,
    unknown: &mut BTreeSet<String>,
    rejected: &mut Rejected<'_>,
) {
    let advisory = flaws.entry(id);
    if advisory.description.is_empty() {
        advisory.description = entry.description;
    }
    if advisory.references.is_empty() {
        let page = format!("https://security-tracker.debian.org/tracker/{id}");
        advisory.references.push(page);
    }
    if let Some(bug) = entry.debianbug {
        let page = format!("https://bugs.debian.org/{bug}");
        advisory.references.push(page);
    }
    for (codename, verdict) in entry.releases {
        let Some(ecosystem) = Ecosystem::by_codename(DistroFamily::Debian, &codename) else {
            unknown.insert(codename);
            continue;
        };
        let row = serde_json::from_value(verdict)
            .map_err(|error| error.to_string())
            .and_then(|verdict| row(ecosystem, package, verdict));
        match row {
            Ok(row) => advisory.affected.push(row),
            Err(error) => {
                let message = format!("{id} of package '{package}' in {codename}: {error}");
                rejected.report(corrupt(file, message));
            }
        }
    }
}

fn row(ecosystem: Ecosystem, package: &str, verdict: Verdict) -> Result<Affected, String> {
    let (state, upper) = match (verdict.status.as_str(), verdict.fixed_version) {
        // The tracker's way to say that no version in this release was ever affected.
        ("resolved", Some(version)) if version == "0" => (State::NotAffected, None),
        ("resolved", Some(version)) => (State::Affected, Some(Upper::Fixed(version))),
        ("resolved", None) => return Err("resolved, but no fixed version".to_owned()),
        ("open", _) => {
            let declined = verdict.nodsa_reason.as_deref() == Some("ignored");
            match declined || verdict.urgency == "end-of-life" {
                true => (State::WontFix, Some(Upper::Open)),
                false => (State::Affected, Some(Upper::Open)),
            }
        }
        ("undetermined", _) => (State::UnderInvestigation, Some(Upper::Open)),
        (other, _) => return Err(format!("status '{other}' is not known")),
    };
    let mut row = Affected::new(ecosystem, package, NameKind::Source, state);
    row.severity = urgency(&verdict.urgency);
    Ok(match upper {
        Some(upper) => row.until(upper),
        None => row,
    })
}

/// The rating behind an urgency. `end-of-life` is a support state, `not yet assigned` no rating.
pub(super) fn urgency(word: &str) -> Option<Severity> {
    Severity::from_word(word).filter(|severity| *severity != Severity::Unknown)
}
