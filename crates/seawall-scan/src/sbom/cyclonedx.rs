//! CycloneDX 1.2 to 1.6 in JSON (<https://cyclonedx.org/docs/1.6/json/>).

use serde::Deserialize;

use super::collect::{Collector, Component, Properties};
use super::field::{List, Text};
use crate::purl::is_image_purl;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Bom {
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    components: List<Row>,
    #[serde(default)]
    compositions: List<Composition>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Composition {
    #[serde(default)]
    aggregate: Text,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Metadata {
    component: Option<Row>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Row {
    #[serde(rename = "type", default)]
    kind: Text,
    #[serde(default)]
    group: Text,
    #[serde(default)]
    name: Text,
    #[serde(default)]
    version: Text,
    #[serde(default)]
    purl: Text,
    #[serde(default)]
    cpe: Text,
    #[serde(default)]
    publisher: Text,
    #[serde(default)]
    description: Text,
    #[serde(default)]
    licenses: List<LicenseChoice>,
    #[serde(default)]
    properties: List<Property>,
    evidence: Option<Evidence>,
    #[serde(default)]
    components: List<Row>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct LicenseChoice {
    license: Option<License>,
    #[serde(default)]
    expression: Text,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct License {
    #[serde(default)]
    id: Text,
    #[serde(default)]
    name: Text,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Property {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    value: Text,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Evidence {
    #[serde(default)]
    occurrences: List<Occurrence>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Occurrence {
    #[serde(default)]
    location: Text,
}

pub(super) fn read(bom: Bom, collector: &mut Collector) {
    // `incomplete`, `incomplete_first_party_only` and others.
    let is_incomplete = |it: &Composition| {
        let aggregate = it.aggregate.text();
        aggregate.is_some_and(|it| it.starts_with("incomplete"))
    };
    if bom.compositions.0.iter().any(is_incomplete) {
        collector.is_not_whole();
    }
    let mut open = Vec::new();
    if let Some(root) = bom.metadata.and_then(|metadata| metadata.component) {
        // The subject first: it tells the layers that components name.
        let properties = pairs(&root.properties);
        if let Some(name) = root.name.text() {
            collector.subject(name, root.version.text(), &properties);
        }
        // An application's SBOM describes a package too; an image's does not.
        if root.purl.text().is_some_and(|purl| !is_image_purl(purl)) {
            open.push(root);
        } else {
            collector.odd_entries(root.components.odd_entries());
            open.extend(root.components.0);
        }
    }
    collector.odd_entries(bom.components.odd_entries());
    open.extend(bom.components.0);
    while let Some(mut row) = open.pop() {
        collector.odd_entries(row.components.odd_entries());
        open.append(&mut row.components.0);
        match row.kind.text() {
            Some("operating-system") => {
                let name = row.name.text().unwrap_or_default();
                let version = row.version.text().unwrap_or_default();
                let properties = pairs(&row.properties);
                collector.operating_system(name, version, row.description.owned(), &properties);
            }
            // Not packages, unless they say so themselves.
            Some("file" | "data" | "device" | "machine-learning-model" | "cryptographic-asset")
                if row.purl.text().is_none() => {}
            // Trivy lists each lock file as an application around its packages.
            Some("application") if is_lockfile(&row) => {}
            _ => collector.component(row.component()),
        }
    }
}

fn is_lockfile(row: &Row) -> bool {
    row.purl.text().is_none()
        && row
            .properties
            .0
            .iter()
            .any(|p| p.name.text() == Some("aquasecurity:trivy:Class"))
}

fn pairs(properties: &List<Property>) -> Properties {
    let pairs = properties.0.iter();
    pairs
        .filter_map(|p| Some((p.name.owned()?, p.value.owned()?)))
        .collect()
}

impl Row {
    fn component(&self) -> Component {
        let name = match (self.group.text(), self.name.text()) {
            (Some(group), Some(name)) => format!("{group}/{name}"),
            (_, name) => name.unwrap_or_default().to_owned(),
        };
        let occurrences = self
            .evidence
            .iter()
            .flat_map(|evidence| &evidence.occurrences.0);
        let licenses = self.licenses.0.iter().filter_map(|choice| {
            let license = choice.license.as_ref();
            choice
                .expression
                .owned()
                .or_else(|| license.and_then(|license| license.id.owned().or(license.name.owned())))
        });
        Component {
            name,
            group: self.group.owned(),
            version: self.version.owned(),
            purl: self.purl.owned(),
            cpes: self.cpe.owned().into_iter().collect(),
            vendor: self.publisher.owned(),
            licenses: licenses.collect(),
            paths: occurrences
                .filter_map(|place| place.location.owned())
                .collect(),
            properties: pairs(&self.properties),
        }
    }
}
