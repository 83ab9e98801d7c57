//! The tracker's files as JSON: `{"name": ..., "priority": ..., "patches": [{"distro": "jammy",
//! "status": "released", "version": "1.2-3", "package": "curl"}], "ignored_patches": [...]}`.

use super::super::document;
use super::super::rejected::Rejected;
use super::super::{FeedFile, Records};
use super::status::{Statuses, Verdict, priority};
use crate::{Advisory, Source};
use seawall_model::IncompleteReason;
use serde::Deserialize;

#[derive(Deserialize)]
struct Flaw {
    name: String,
    #[serde(default)]
    priority: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    references: Vec<String>,
    #[serde(default)]
    patches: Vec<Patch>,
    /// Those of releases that the writer did not care for.
    #[serde(default)]
    ignored_patches: Vec<Patch>,
}

#[derive(Deserialize)]
struct Patch {
    distro: String,
    status: String,
    #[serde(default)]
    version: Option<String>,
    package: String,
    #[serde(default)]
    priority: Option<String>,
}

pub(super) fn import(file: &FeedFile<'_>, records: &mut Records) {
    let flaw: Flaw = match document::json(file) {
        Ok(flaw) => flaw,
        Err(incomplete) => return records.incomplete.push(incomplete),
    };
    let mut rejected = Rejected::new(file);
    let mut advisory = Advisory::new(flaw.name, Source::Ubuntu);
    advisory.severity = flaw.priority.as_deref().and_then(priority);
    advisory.description = flaw.description.unwrap_or_default();
    advisory.references = flaw.references;
    let mut statuses = Statuses::default();
    let patches = || flaw.patches.iter().chain(&flaw.ignored_patches);
    for patch in patches().filter(|patch| patch.distro != "upstream") {
        let detail = patch.version.as_deref().unwrap_or_default();
        match Verdict::parse(&patch.status, detail) {
            Ok(verdict) => statuses.add(&patch.package, &patch.distro, verdict),
            Err(error) => {
                let message = format!("'{}' in {}: {error}", patch.package, patch.distro);
                rejected.push(IncompleteReason::Corrupt, None, message);
            }
        }
    }
    for patch in patches() {
        if let Some(severity) = patch.priority.as_deref().and_then(priority) {
            statuses.rate(&patch.package, Some(&patch.distro), severity);
        }
    }
    advisory.affected = statuses.rows(&mut rejected, records);
    if !advisory.affected.is_empty() {
        records.advisories.push(advisory);
    }
    rejected.finish(records);
}
