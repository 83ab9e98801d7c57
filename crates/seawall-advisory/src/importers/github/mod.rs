//! GitHub's advisory database as its own interfaces give it: REST
//! (<https://docs.github.com/rest/security-advisories/global-advisories>) and GraphQL
//! (`securityAdvisories`). Its files in OSV form are read by the OSV importer.
//!
//! One advisory, a list of them, or a whole GraphQL answer.

use super::constraint;
use super::rejected::Rejected;
use super::{FeedFile, Importer, Records, document, text};
use crate::{Advisory, Affected, NameKind, Source, State};
use seawall_model::{Ecosystem, IncompleteReason, Severity};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;

/// How far into a file the telling key is looked for.
const HEAD: usize = 64 << 10;

/// Reads GitHub's own form.
#[derive(Debug, Clone, Copy)]
pub struct GitHub;

#[derive(Deserialize)]
struct Record {
    #[serde(alias = "ghsaId")]
    ghsa_id: String,
    #[serde(alias = "cveId")]
    cve_id: Option<String>,
    #[serde(alias = "permalink")]
    html_url: Option<String>,
    summary: Option<String>,
    description: Option<String>,
    severity: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    cvss: Option<Score>,
    #[serde(alias = "cvssSeverities")]
    cvss_severities: Option<Scores>,
    #[serde(default)]
    identifiers: Vec<Identifier>,
    #[serde(default)]
    references: Vec<Reference>,
    cwes: Option<List<Cwe>>,
    #[serde(alias = "publishedAt")]
    published_at: Option<String>,
    #[serde(alias = "updatedAt")]
    updated_at: Option<String>,
    #[serde(alias = "withdrawnAt")]
    withdrawn_at: Option<String>,
    vulnerabilities: Option<List<Vulnerability>>,
}

/// REST has plain lists, GraphQL wraps them.
#[derive(Deserialize)]
#[serde(untagged)]
enum List<T> {
    Plain(Vec<T>),
    Nodes { nodes: Vec<T> },
}

impl<T> List<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::Plain(list) | Self::Nodes { nodes: list } => list,
        }
    }
}

#[derive(Deserialize)]
struct Score {
    #[serde(alias = "vectorString")]
    vector_string: Option<String>,
}

#[derive(Deserialize)]
struct Scores {
    #[serde(alias = "cvssV3")]
    cvss_v3: Option<Score>,
    #[serde(alias = "cvssV4")]
    cvss_v4: Option<Score>,
}

#[derive(Deserialize)]
struct Identifier {
    value: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Reference {
    Plain(String),
    Object { url: String },
}

#[derive(Deserialize)]
struct Cwe {
    #[serde(alias = "cweId")]
    cwe_id: String,
}

#[derive(Deserialize)]
struct Vulnerability {
    package: Package,
    #[serde(alias = "vulnerableVersionRange")]
    vulnerable_version_range: Option<String>,
    #[serde(alias = "firstPatchedVersion")]
    first_patched_version: Option<Version>,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: String,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Version {
    Plain(String),
    Object { identifier: String },
}

impl Importer for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        let head = document::head(file, HEAD);
        let is_json = matches!(head.trim_ascii_start().first(), Some(b'{' | b'['));
        is_json
            && (document::contains(head, "\"ghsa_id\"") || document::contains(head, "\"ghsaId\""))
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        let mut rejected = Rejected::new(file);
        match document::json::<Value>(file) {
            Ok(value) => {
                for (index, value) in advisories(value).into_iter().enumerate() {
                    let name = format!("advisory {}", index + 1);
                    match Record::deserialize(value) {
                        Ok(record) => {
                            records
                                .advisories
                                .push(advisory(record, &name, &mut rejected))
                        }
                        Err(error) => {
                            let message = format!("{name} cannot be read: {error}");
                            rejected.push(IncompleteReason::Corrupt, None, message);
                        }
                    }
                }
            }
            Err(error) => records.incomplete.push(error),
        }
        rejected.finish(records);
    }
}

/// The advisories in a file: itself, its elements, or what a GraphQL answer holds.
fn advisories(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        Value::Object(mut object) => {
            let data = object.get_mut("data").map(Value::take);
            let Some(mut data) = data else {
                return vec![Value::Object(object)];
            };
            if let Some(one) = data.get_mut("securityAdvisory") {
                return vec![one.take()];
            }
            match data
                .pointer_mut("/securityAdvisories/nodes")
                .map(Value::take)
            {
                Some(Value::Array(nodes)) => nodes,
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

fn advisory(record: Record, name: &str, rejected: &mut Rejected<'_>) -> Advisory {
    let mut advisory = Advisory::new(record.ghsa_id, Source::GitHub);
    let mut seen = HashSet::from([advisory.id.clone()]);
    let ids = record.identifiers.into_iter().map(|id| id.value);
    advisory.aliases = record.cve_id.into_iter().chain(ids).collect();
    advisory.aliases.retain(|id| seen.insert(id.clone()));
    advisory.title = text::title(record.summary.as_deref(), record.description.as_deref());
    advisory.description = record.description.unwrap_or_default();
    advisory.published = record.published_at.as_deref().and_then(text::date);
    advisory.modified = record.updated_at.as_deref().and_then(text::date);
    advisory.withdrawn = record.withdrawn_at.as_deref().and_then(text::date);
    advisory.severity = record
        .severity
        .as_deref()
        .and_then(Severity::from_word)
        .filter(|severity| *severity != Severity::Unknown)
        .or((record.kind.as_deref() == Some("malware")).then_some(Severity::Critical));
    let (v3, v4) = record
        .cvss_severities
        .map_or((None, None), |scores| (scores.cvss_v3, scores.cvss_v4));
    for vector in [v4, v3, record.cvss].into_iter().flatten() {
        let vector = vector.vector_string.unwrap_or_default();
        let cvss = crate::cvss::parse(&vector, Source::GitHub.name());
        advisory
            .cvss
            .extend(cvss.filter(|cvss| !advisory.cvss.contains(cvss)));
    }
    let cwes = record.cwes.map(List::into_vec).unwrap_or_default();
    advisory.cwes = cwes.into_iter().map(|cwe| cwe.cwe_id).collect();
    let links = record
        .references
        .into_iter()
        .map(|reference| match reference {
            Reference::Plain(url) | Reference::Object { url } => url,
        });
    advisory.references = record.html_url.into_iter().chain(links).collect();
    advisory.references.retain(|url| seen.insert(url.clone()));
    let list = record.vulnerabilities.map(List::into_vec);
    for vulnerability in list.unwrap_or_default() {
        match affected(vulnerability) {
            Ok(affected) => advisory.affected.extend(affected),
            Err(message) => {
                let message = format!("{name} ({}): {message}", advisory.id);
                rejected.push(IncompleteReason::Corrupt, None, message);
            }
        }
    }
    advisory
}

/// `None` for an ecosystem that GitHub calls `other`.
fn affected(vulnerability: Vulnerability) -> Result<Option<Affected>, String> {
    let package = vulnerability.package;
    let (Some(ecosystem), Some(name)) = (ecosystem(&package.ecosystem), package.name) else {
        return Ok(None);
    };
    let scheme = ecosystem.scheme();
    let read = |text: &str| {
        constraint::parse(text, scheme)
            .map_err(|error| format!("the versions of {name} cannot be read: {error}"))
    };
    let range = vulnerability.vulnerable_version_range.unwrap_or_default();
    // Without a range every version is meant (malware).
    let vulnerable = match range.trim() {
        "" => read("*")?,
        range => read(range)?,
    };
    let patched = match vulnerability.first_patched_version {
        Some(
            Version::Plain(version)
            | Version::Object {
                identifier: version,
            },
        ) if !version.is_empty() => read(&format!(">= {version}"))?,
        _ => constraint::VersionSet::empty(scheme),
    };
    let ranges = vulnerable.ranges(&patched);
    let mut affected = Affected::new(ecosystem, name, NameKind::Binary, State::Affected);
    affected.ranges = ranges;
    Ok((!affected.ranges.is_empty()).then_some(affected))
}

fn ecosystem(name: &str) -> Option<Ecosystem> {
    Some(match name.to_ascii_lowercase().as_str() {
        "npm" => Ecosystem::Npm,
        "pip" => Ecosystem::PyPi,
        "maven" => Ecosystem::Maven,
        "go" => Ecosystem::Go,
        "rubygems" => Ecosystem::RubyGems,
        "composer" => Ecosystem::Packagist,
        "nuget" => Ecosystem::NuGet,
        "rust" => Ecosystem::CratesIo,
        "pub" => Ecosystem::Pub,
        "erlang" => Ecosystem::Hex,
        "swift" => Ecosystem::SwiftUrl,
        "actions" => Ecosystem::GithubActions,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::importers::testing;

    const SAMPLES: [(&str, &str); 2] = [
        ("rest.json", "advisories.json"),
        ("graphql.json", "page.json"),
    ];

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in SAMPLES {
            testing::check(&GitHub, "github", sample, name);
        }
    }

    #[test]
    fn damaged_files_are_reported() {
        for (sample, name) in SAMPLES {
            testing::survives_damage(&GitHub, "github", sample, name);
        }
    }
}
