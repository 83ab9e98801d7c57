//! CISA's Known Exploited Vulnerabilities catalogue
//! (<https://www.cisa.gov/known-exploited-vulnerabilities-catalog>), in JSON or CSV.
//!
//! Both forms hold the same entries; of a CVE that the records have already, no second entry is
//! made.

use super::rejected::Rejected;
use super::{FeedFile, Importer, Records, json, text};
use crate::KevEntry;
use seawall_model::IncompleteReason;
use serde::Deserialize;
use std::collections::HashSet;

/// Reads the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Kev;

#[derive(Deserialize)]
struct Catalogue {
    vulnerabilities: Vec<serde_json::Value>,
}

/// The columns of the CSV file have the same names as the members of the JSON objects.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(rename = "cveID")]
    cve_id: String,
    #[serde(default)]
    date_added: String,
    #[serde(default)]
    due_date: String,
    #[serde(default)]
    known_ransomware_campaign_use: String,
}

impl Importer for Kev {
    fn name(&self) -> &'static str {
        "kev"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        if is_csv(file.bytes) {
            return true;
        }
        let keys = json::first_keys(file.bytes);
        let has = |key: &str| keys.contains(&key.as_bytes());
        has("catalogVersion") && has("vulnerabilities")
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        let mut rejected = Rejected::new(file);
        let mut known: HashSet<String> = records.kev.iter().map(|e| e.cve.clone()).collect();
        let mut take = |row: Row, rejected: &mut Rejected<'_>, place: &str| {
            let Some(cve) = text::cves(&row.cve_id).into_iter().next() else {
                let message = format!("{place}: '{}' is no CVE number", row.cve_id);
                rejected.push(IncompleteReason::Corrupt, None, message);
                return;
            };
            if known.insert(cve.clone()) {
                let ransomware = row.known_ransomware_campaign_use.trim();
                records.kev.push(KevEntry {
                    cve,
                    date_added: text::date(&row.date_added),
                    due_date: text::date(&row.due_date),
                    ransomware: ransomware.eq_ignore_ascii_case("known"),
                });
            }
        };
        if is_csv(file.bytes) {
            let mut reader = csv::ReaderBuilder::new()
                .flexible(true)
                .from_reader(json::without_bom(file.bytes));
            for (index, row) in reader.deserialize::<Row>().enumerate() {
                let place = format!("row {}", index + 1);
                match row {
                    Ok(row) => take(row, &mut rejected, &place),
                    Err(error) => {
                        let offset = error.position().map(csv::Position::byte);
                        let message = format!("{place} cannot be read: {error}");
                        rejected.push(IncompleteReason::Corrupt, offset, message);
                    }
                }
            }
        } else {
            match serde_json::from_slice::<Catalogue>(json::without_bom(file.bytes)) {
                Ok(catalogue) => {
                    for (index, value) in catalogue.vulnerabilities.into_iter().enumerate() {
                        let place = format!("element {}", index + 1);
                        match Row::deserialize(value) {
                            Ok(row) => take(row, &mut rejected, &place),
                            Err(error) => {
                                let message = format!("{place} cannot be read: {error}");
                                rejected.push(IncompleteReason::Corrupt, None, message);
                            }
                        }
                    }
                }
                Err(error) => rejected.push_json(&error, "the catalogue"),
            }
        }
        rejected.finish(records);
    }
}

fn is_csv(bytes: &[u8]) -> bool {
    let bytes = json::without_bom(bytes);
    bytes.starts_with(b"cveID,") || bytes.starts_with(b"\"cveID\",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::importers::testing;

    #[test]
    fn damaged_files_are_reported() {
        testing::survives_damage(&Kev, "kev", "catalogue.json", "a.json");
        testing::survives_damage(&Kev, "kev", "catalogue.csv", "a.csv");
    }

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in [
            ("catalogue.json", "known_exploited_vulnerabilities.json"),
            ("catalogue.csv", "known_exploited_vulnerabilities.csv"),
        ] {
            testing::check(&Kev, "kev", sample, name);
        }
    }

    #[test]
    fn the_same_catalogue_in_two_forms_counts_once() {
        let mut records = Records::default();
        for (name, bytes) in [
            (
                "a.json",
                include_bytes!("samples/catalogue.json").as_slice(),
            ),
            ("a.csv", include_bytes!("samples/catalogue.csv")),
        ] {
            Kev.import(&FeedFile { name, bytes }, &mut records);
        }
        assert_eq!(records.kev.len(), 2);
    }
}
