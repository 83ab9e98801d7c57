//! SPDX 2.2 and 2.3 in JSON (<https://spdx.github.io/spdx-spec/v2.3/>).

use serde::Deserialize;

use super::collect::{Collector, Component, Properties};
use super::field::{List, Text};
use crate::purl::is_image_purl;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Document {
    #[serde(default)]
    packages: List<Row>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Row {
    #[serde(rename = "SPDXID", default)]
    id: Text,
    #[serde(default)]
    name: Text,
    #[serde(rename = "versionInfo", default)]
    version: Text,
    #[serde(rename = "primaryPackagePurpose", default)]
    purpose: Text,
    #[serde(default)]
    supplier: Text,
    #[serde(default)]
    description: Text,
    #[serde(rename = "licenseDeclared", default)]
    license: Text,
    #[serde(rename = "sourceInfo", default)]
    source_info: Text,
    #[serde(rename = "externalRefs", default)]
    references: List<Reference>,
    #[serde(default)]
    annotations: List<Annotation>,
    #[serde(rename = "attributionTexts", default)]
    attributions: Text,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Reference {
    #[serde(rename = "referenceType", default)]
    kind: Text,
    #[serde(rename = "referenceLocator", default)]
    locator: Text,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Annotation {
    #[serde(default)]
    comment: Text,
}

/// Package URLs that are read of one package beside the first.
const MAX_PURLS: usize = 16;

pub(super) fn read(document: Document, collector: &mut Collector) {
    collector.odd_entries(document.packages.odd_entries());
    // The subject first: it tells the layers that packages name.
    let (subjects, packages): (Vec<Row>, Vec<Row>) =
        document.packages.0.into_iter().partition(Row::is_subject);
    for row in subjects {
        let name = row.name.text().unwrap_or_default();
        collector.subject(name, row.version.text(), &row.properties());
    }
    for row in packages {
        if row.purpose.text() == Some("OPERATING-SYSTEM") {
            let name = row.name.text().unwrap_or_default();
            let version = row.version.text().unwrap_or_default();
            collector.operating_system(name, version, row.description.owned(), &row.properties());
        } else {
            // A package may be known by several, of which each may have advisories.
            for purl in row.purls().skip(1).take(MAX_PURLS) {
                let purl = Some(purl.to_owned());
                let component = row.component();
                collector.component(Component { purl, ..component });
            }
            collector.component(row.component());
        }
    }
}

/// The word before the name in a supplier (section 7.5).
const SUPPLIERS: [&str; 2] = ["Organization: ", "Person: "];

impl Row {
    /// What was scanned, as syft (`SPDXRef-DocumentRoot-`), Trivy (by purpose) and Seawall write it.
    fn is_subject(&self) -> bool {
        let id = self.id.text().unwrap_or_default();
        let image = self.purls().next().is_none_or(is_image_purl);
        let by_purpose = matches!(self.purpose.text(), Some("CONTAINER" | "DEVICE"));
        let by_id = id.starts_with("SPDXRef-DocumentRoot") || id == "SPDXRef-Target";
        image && (by_purpose || by_id)
    }

    fn purls(&self) -> impl Iterator<Item = &str> {
        let references = self.references.0.iter();
        let purls = references.filter(|row| row.kind.text() == Some("purl"));
        purls.filter_map(|row| row.locator.text())
    }

    fn properties(&self) -> Properties {
        let mut properties = Properties::new();
        for annotation in &self.annotations.0 {
            let comment = annotation.comment.text();
            let pairs = comment.and_then(|comment| comment.strip_prefix("seawall:properties "));
            // An annotation that is damaged is of no use, and the rest stands without it.
            let pairs = pairs.and_then(|pairs| serde_json::from_str::<Properties>(pairs).ok());
            properties.extend(pairs.unwrap_or_default());
        }
        // Trivy: `SrcName: glibc`, once as attribution, now as annotation.
        let comments = self.annotations.0.iter();
        let comments = comments.filter_map(|row| row.comment.text());
        for text in self.attributions.texts().chain(comments) {
            if let Some((key, value)) = text.split_once(": ")
                && !key.contains(|c: char| !c.is_ascii_alphabetic())
            {
                properties.push((format!("aquasecurity:trivy:{key}"), value.to_owned()));
            }
        }
        properties
    }

    fn component(&self) -> Component {
        let properties = self.properties();
        let own_licenses: Vec<String> = properties
            .iter()
            .filter(|(name, _)| name == "seawall:license")
            .map(|(_, license)| license.clone())
            .collect();
        let declared = self
            .license
            .text()
            .filter(|license| !matches!(*license, "NOASSERTION" | "NONE"));
        let licenses = match own_licenses.is_empty() {
            true => declared.map(str::to_owned).into_iter().collect(),
            false => own_licenses,
        };
        let cpes = self
            .references
            .0
            .iter()
            .filter(|row| matches!(row.kind.text(), Some("cpe23Type" | "cpe22Type")));
        // syft: `acquired package info from APK DB: /lib/apk/db/installed`.
        let paths = self
            .source_info
            .text()
            .filter(|info| info.starts_with("acquired package info from "))
            .and_then(|info| info.split_once(": "))
            .map_or(Vec::new(), |(_, paths)| {
                paths.split(", ").map(str::to_owned).collect()
            });
        let vendor = self.supplier.text().and_then(|supplier| {
            SUPPLIERS
                .iter()
                .find_map(|word| supplier.strip_prefix(word))
                .map(str::to_owned)
        });
        Component {
            name: self.name.text().unwrap_or_default().to_owned(),
            group: None,
            version: self.version.owned(),
            purl: self.purls().next().map(str::to_owned),
            cpes: cpes.filter_map(|row| row.locator.owned()).collect(),
            vendor,
            licenses,
            paths,
            properties,
        }
    }
}
