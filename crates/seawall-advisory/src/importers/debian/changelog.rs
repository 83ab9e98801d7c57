//! CVEs named in the changelogs of a suite's packages, one JSON object a line:
//! `{"suite": "bookworm", "source": "apt", "version": "2.1.13", "cves": ["CVE-2020-27350"]}`.
//!
//! They say where a flaw was mended and nothing of flaws that are open, so they fill in for the
//! tracker where a machine has no network.

use super::super::document;
use super::super::flaws::FlawTable;
use super::super::rejected::Rejected;
use super::super::{FeedFile, Records};
use super::line::unknown_release;
use crate::{Affected, NameKind, Source, State, Upper, versions};
use seawall_model::{DistroFamily, Ecosystem, VersionScheme};
use serde::Deserialize;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct Entry {
    suite: String,
    source: String,
    version: String,
    cves: Vec<String>,
}

pub(super) fn import(file: &FeedFile<'_>, records: &mut Records) {
    let mut first_fix: BTreeMap<(String, String, String), String> = BTreeMap::new();
    let mut rejected = Rejected::new(file);
    document::json_lines(file, &mut rejected, |entry: Entry| {
        for cve in entry.cves {
            let key = (cve, entry.suite.clone(), entry.source.clone());
            // A later version that names the flaw again mends the mending, not the flaw.
            let fix = first_fix
                .entry(key)
                .or_insert_with(|| entry.version.clone());
            let order = versions::compare(VersionScheme::Deb, &entry.version, fix);
            if order == Ok(Ordering::Less) {
                fix.clone_from(&entry.version);
            }
        }
    });
    let mut flaws = FlawTable::new(Source::Debian);
    let mut unknown = BTreeSet::new();
    for ((cve, suite, source), version) in first_fix {
        let Some(ecosystem) = Ecosystem::by_codename(DistroFamily::Debian, &suite) else {
            unknown.insert(suite);
            continue;
        };
        let row = Affected::new(ecosystem, source, NameKind::Source, State::Affected)
            .until(Upper::Fixed(version));
        flaws.entry(&cve).affected.push(row);
    }
    for codename in unknown {
        rejected.report(unknown_release(file, &codename));
    }
    flaws.finish(records);
    rejected.finish(records);
}
