//! The National Vulnerability Database: pages of the CVE API 2.0 and the yearly feeds of the same
//! form (<https://nvd.nist.gov/developers/vulnerabilities>, `cve_api_json_2.0.schema`).
//!
//! Configurations become affected programs named `vendor:product`. Only what is marked vulnerable
//! is taken, of applications and of the Linux kernel. The platform that a configuration may demand
//! beside it (`AND` nodes) is not checked, which is one reason why such matches are of lower
//! confidence; negated nodes are passed over.

mod configuration;

use super::flaws::drop_repeated;
use super::rejected::Rejected;
use super::{FeedFile, Importer, Records, json, text};
use crate::{Advisory, KevEntry, Source};
use configuration::Configuration;
use rayon::prelude::*;
use seawall_model::IncompleteReason;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashSet};

/// Reads the National Vulnerability Database.
#[derive(Debug, Clone, Copy)]
pub struct Nvd;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    vulnerabilities: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Item {
    cve: Cve,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cve {
    id: String,
    published: Option<String>,
    last_modified: Option<String>,
    #[serde(default)]
    vuln_status: String,
    #[serde(default)]
    descriptions: Vec<Description>,
    #[serde(default)]
    metrics: BTreeMap<String, Vec<Metric>>,
    #[serde(default)]
    weaknesses: Vec<Weakness>,
    #[serde(default)]
    configurations: Vec<Configuration>,
    #[serde(default)]
    references: Vec<Reference>,
    cisa_exploit_add: Option<String>,
    cisa_action_due: Option<String>,
}

#[derive(Deserialize)]
struct Description {
    lang: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    #[serde(default)]
    source: String,
    #[serde(default, rename = "type")]
    kind: String,
    cvss_data: Option<CvssData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CvssData {
    vector_string: String,
}

#[derive(Deserialize)]
struct Weakness {
    #[serde(default)]
    description: Vec<Description>,
}

#[derive(Deserialize)]
struct Reference {
    url: String,
}

impl Importer for Nvd {
    fn name(&self) -> &'static str {
        "nvd"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        let keys = json::first_keys(file.bytes);
        let has = |key: &str| keys.contains(&key.as_bytes());
        has("vulnerabilities") && has("format") && has("resultsPerPage")
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        let mut rejected = Rejected::new(file);
        let page: Page<'_> = match serde_json::from_slice(json::without_bom(file.bytes)) {
            Ok(page) => page,
            Err(error) => {
                rejected.push_json(&error, "the page");
                return rejected.finish(records);
            }
        };
        let read: Vec<Result<Item, serde_json::Error>> = page
            .vulnerabilities
            .par_iter()
            .map(|raw| serde_json::from_str(raw.get()))
            .collect();
        let mut exploited: HashSet<String> = records.kev.iter().map(|e| e.cve.clone()).collect();
        for ((index, raw), item) in page.vulnerabilities.iter().enumerate().zip(read) {
            match item {
                Ok(Item { cve }) => {
                    if cve.cisa_exploit_add.is_some() && exploited.insert(cve.id.clone()) {
                        records.kev.push(kev(&cve));
                    }
                    records.advisories.push(advisory(cve));
                }
                Err(error) => {
                    let start = raw.get().as_ptr().addr() - file.bytes.as_ptr().addr();
                    let message = format!("element {} cannot be read: {error}", index + 1);
                    rejected.push(IncompleteReason::Corrupt, Some(start as u64), message);
                }
            }
        }
        rejected.finish(records);
    }
}

fn kev(cve: &Cve) -> KevEntry {
    KevEntry {
        cve: cve.id.clone(),
        date_added: cve.cisa_exploit_add.as_deref().and_then(text::date),
        due_date: cve.cisa_action_due.as_deref().and_then(text::date),
        ransomware: false,
    }
}

fn advisory(cve: Cve) -> Advisory {
    let mut advisory = Advisory::new(cve.id, Source::Nvd);
    let english = |list: &[Description]| {
        list.iter()
            .find(|text| text.lang.starts_with("en"))
            .map(|text| text.value.clone())
    };
    advisory.description = english(&cve.descriptions).unwrap_or_default();
    advisory.title = text::title(None, Some(&advisory.description));
    advisory.published = cve.published.as_deref().and_then(text::date);
    advisory.modified = cve.last_modified.as_deref().and_then(text::date);
    if cve.vuln_status == "Rejected" {
        let date = advisory.modified.clone().or(advisory.published.clone());
        advisory.withdrawn = Some(date.unwrap_or_else(|| "rejected".to_owned()));
    }
    // NVD's own scores before those of others, the newest version of CVSS first: the keys are
    // cvssMetricV2, V30, V31, V40.
    let mut metrics: Vec<&Metric> = cve.metrics.values().rev().flatten().collect();
    metrics.sort_by_key(|metric| metric.kind != "Primary");
    for metric in metrics {
        let source = match metric.source.as_str() {
            "nvd@nist.gov" | "" => "nvd",
            // Numbering authorities go by a UUID or by a mail address.
            other if other.contains('@') => other,
            _ => "cna",
        };
        let vector = metric.cvss_data.as_ref().map(|data| &data.vector_string);
        if let Some(cvss) = vector.and_then(|vector| crate::cvss::parse(vector, source)) {
            advisory.cvss.push(cvss);
        }
    }
    for description in cve.weaknesses.iter().flat_map(|w| &w.description) {
        let is_number = description.value.starts_with("CWE-");
        if is_number {
            advisory.cwes.push(description.value.clone());
        }
    }
    drop_repeated(&mut advisory.cwes);
    advisory.references = cve.references.into_iter().map(|r| r.url).collect();
    drop_repeated(&mut advisory.references);
    advisory.affected = configuration::affected(&cve.configurations);
    advisory
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::importers::testing;

    #[test]
    fn samples_become_the_expected_records() {
        testing::check(&Nvd, "nvd", "page.json", "nvdcve-2.0-2024.json");
    }

    #[test]
    fn damaged_pages_are_reported() {
        testing::survives_damage(&Nvd, "nvd", "page.json", "nvdcve-2.0-2024.json");
    }
}
