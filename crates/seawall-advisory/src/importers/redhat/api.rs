//! The security data API's record of one flaw
//! (<https://access.redhat.com/hydra/rest/securitydata/cve/CVE.json>). Its packages are sources.

use super::super::document::{self, corrupt};
use super::super::rejected::Rejected;
use super::super::rpm_rows::{Key, RpmRows, Verdict, evr};
use super::super::text::date;
use super::super::{FeedFile, Records};
use super::{NOT_RPM, OTHER_PRODUCTS, module_stream, release};
use crate::{Advisory, Source, cvss};
use seawall_model::Severity;
use serde::Deserialize;

#[derive(Deserialize)]
struct Record {
    name: String,
    #[serde(default)]
    threat_severity: Option<String>,
    #[serde(default)]
    public_date: Option<String>,
    #[serde(default)]
    bugzilla: Option<Bug>,
    #[serde(default)]
    cvss: Option<Cvss2>,
    #[serde(default)]
    cvss3: Option<Cvss3>,
    #[serde(default)]
    cwe: Option<String>,
    #[serde(default)]
    details: Vec<String>,
    #[serde(default)]
    references: Vec<String>,
    #[serde(default)]
    affected_release: OneOrMany<Release>,
    #[serde(default)]
    package_state: OneOrMany<PackageState>,
}

#[derive(Deserialize)]
struct Bug {
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct Cvss2 {
    #[serde(default)]
    cvss_scoring_vector: Option<String>,
}

#[derive(Deserialize)]
struct Cvss3 {
    #[serde(default)]
    cvss3_scoring_vector: Option<String>,
}

/// A single entry is written without a list around it.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
    None(()),
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::Many(many) => many,
            Self::One(one) => std::slice::from_ref(one),
            Self::None(()) => &[],
        }
    }
}

#[derive(Deserialize)]
struct Release {
    #[serde(default)]
    cpe: String,
    #[serde(default)]
    package: Option<String>,
}

#[derive(Deserialize)]
struct PackageState {
    #[serde(default)]
    cpe: String,
    fix_state: String,
    package_name: String,
}

pub(super) fn import(file: &FeedFile<'_>, records: &mut Records) {
    let record: Record = match document::json(file) {
        Ok(record) => record,
        Err(incomplete) => return records.incomplete.push(incomplete),
    };
    let mut advisory = Advisory::new(record.name.as_str(), Source::RedHat);
    let rating = record.threat_severity.as_deref();
    advisory.severity = rating.and_then(Severity::from_word);
    advisory.published = record.public_date.as_deref().and_then(date);
    advisory.title = record
        .bugzilla
        .map(|bug| bug.description)
        .unwrap_or_default();
    advisory.description = record.details.first().cloned().unwrap_or_default();
    advisory.cwes.extend(record.cwe);
    let links = record.references.iter().flat_map(|links| links.lines());
    advisory.references = links.map(str::to_owned).collect();
    let vectors = [
        record.cvss3.and_then(|score| score.cvss3_scoring_vector),
        record.cvss.and_then(|score| score.cvss_scoring_vector),
    ];
    let vectors = vectors.into_iter().flatten();
    advisory
        .cvss
        .extend(vectors.filter_map(|vector| cvss::parse(&vector, Source::RedHat.name())));
    let mut rows = RpmRows::default();
    let mut rejected = Rejected::new(file);
    for fixed in record.affected_release.as_slice() {
        let Some(ecosystem) = release(&fixed.cpe) else {
            records.skip(OTHER_PRODUCTS, 1);
            continue;
        };
        let package = fixed.package.as_deref().and_then(name_and_version);
        let Some((name, version)) = package.filter(|(name, _)| !name.contains([':', '/'])) else {
            // `ruby:2.7-8080020230427102918.63b34585`: the packages in it are not named.
            records.skip(NOT_RPM, 1);
            continue;
        };
        let mut key = Key::binary(ecosystem, name);
        key.source = true;
        rows.add(key, Verdict::Fixed(evr(version).to_owned()), None);
    }
    for state in record.package_state.as_slice() {
        let Some(ecosystem) = release(&state.cpe) else {
            records.skip(OTHER_PRODUCTS, 1);
            continue;
        };
        let verdict = match state.fix_state.as_str() {
            "Affected" | "Fix deferred" | "New" => Verdict::Open,
            "Will not fix" | "Out of support scope" => Verdict::WontFix,
            "Not affected" => Verdict::NotAffected,
            "Under investigation" => Verdict::UnderInvestigation,
            other => {
                let message = format!("'{other}' of '{}' is not known", state.package_name);
                rejected.report(corrupt(file, message));
                continue;
            }
        };
        let (module, name) = match state.package_name.split_once('/') {
            Some((module, name)) => (module_stream(module), name),
            None => (None, state.package_name.as_str()),
        };
        if module
            .as_deref()
            .is_some_and(|module| module.ends_with(":flatpak"))
            || name.contains([':', '/'])
        {
            records.skip(NOT_RPM, 1);
            continue;
        }
        let mut key = Key::binary(ecosystem, name);
        key.source = true;
        key.module = module;
        rows.add(key, verdict, None);
    }
    rejected.finish(records);
    advisory.affected = rows.finish();
    if !advisory.affected.is_empty() {
        records.advisories.push(advisory);
    }
}

/// `libwebp-0:1.2.0-6.el9_0` as `libwebp` and `0:1.2.0-6.el9_0`.
fn name_and_version(package: &str) -> Option<(&str, &str)> {
    let release = package.rfind('-')?;
    let version = package.get(..release)?.rfind('-')?;
    Some((package.get(..version)?, package.get(version + 1..)?))
}
