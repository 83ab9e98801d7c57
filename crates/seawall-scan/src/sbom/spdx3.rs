//! SPDX 3.0 in JSON-LD (<https://spdx.github.io/spdx-spec/v3.0.1/>): the packages of the graph.

use serde::Deserialize;

use super::collect::{Collector, Component, Properties};
use super::field::{List, Text};

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Document {
    #[serde(rename = "@graph", default)]
    graph: List<Element>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Element {
    #[serde(rename = "type", alias = "@type", default)]
    kind: Text,
    #[serde(default)]
    name: Text,
    #[serde(rename = "software_packageVersion", default)]
    version: Text,
    #[serde(rename = "software_packageUrl", default)]
    purl: Text,
    #[serde(rename = "software_primaryPurpose", default)]
    purpose: Text,
    #[serde(rename = "externalIdentifier", default)]
    identifiers: List<Identifier>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Identifier {
    #[serde(rename = "externalIdentifierType", default)]
    kind: Text,
    #[serde(default)]
    identifier: Text,
}

pub(super) fn read(document: Document, collector: &mut Collector) {
    collector.odd_entries(document.graph.odd_entries());
    for element in document.graph.0 {
        if element.kind.text() != Some("software_Package") {
            continue;
        }
        let name = element.name.text().unwrap_or_default();
        let version = element.version.text();
        match element.purpose.text() {
            Some("operatingSystem") => {
                let version = version.unwrap_or_default();
                collector.operating_system(name, version, None, &Properties::new());
            }
            Some("container") => collector.subject(name, version, &Properties::new()),
            _ => collector.component(element.component()),
        }
    }
}

impl Element {
    fn component(&self) -> Component {
        let by_kind = |kinds: &'static [&str]| {
            let matching = self
                .identifiers
                .0
                .iter()
                .filter(|row| row.kind.text().is_some_and(|kind| kinds.contains(&kind)));
            matching.filter_map(|row| row.identifier.owned())
        };
        Component {
            name: self.name.text().unwrap_or_default().to_owned(),
            version: self.version.owned(),
            purl: self
                .purl
                .owned()
                .or_else(|| by_kind(&["packageUrl"]).next()),
            cpes: by_kind(&["cpe23", "cpe22"]).collect(),
            ..Component::default()
        }
    }
}
