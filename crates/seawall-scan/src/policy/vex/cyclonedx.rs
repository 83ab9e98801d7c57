//! CycloneDX 1.4 to 1.6 as VEX (specification, `vulnerabilities[].analysis`).

use std::collections::HashMap;

use packageurl::PackageUrl;
use seawall_model::Status;
use serde::Deserialize;

use super::{Document, Product, Statement, Subject, reason};
use crate::purl;

#[derive(Deserialize)]
pub(super) struct Bom {
    metadata: Option<Metadata>,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize)]
struct Metadata {
    component: Option<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "bom-ref")]
    bom_ref: Option<String>,
    purl: Option<String>,
    name: Option<String>,
    version: Option<String>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: Option<String>,
    #[serde(default)]
    references: Vec<Reference>,
    analysis: Option<Analysis>,
    #[serde(default)]
    affects: Vec<Affects>,
}

#[derive(Deserialize)]
struct Reference {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Analysis {
    state: Option<String>,
    justification: Option<String>,
    detail: Option<String>,
}

#[derive(Deserialize)]
struct Affects {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct Version {
    version: Option<String>,
}

pub(super) fn read(file: &str, bom: Bom) -> Document {
    let mut read = Document::default();
    let known = subjects(&bom);
    for (at, row) in bom.vulnerabilities.iter().enumerate() {
        let source = format!("{file} vulnerabilities[{at}]");
        let (Some(id), Some(analysis)) = (&row.id, &row.analysis) else {
            continue;
        };
        let status = match analysis.state.as_deref() {
            Some("not_affected" | "false_positive") => Status::NotAffected,
            Some("resolved" | "resolved_with_pedigree") => Status::Fixed,
            Some("exploitable") => Status::Affected,
            Some("in_triage") => Status::UnderInvestigation,
            None => continue,
            Some(other) => {
                read.notices.push(format!(
                    "{source} has an unknown state `{other}` and is not applied"
                ));
                continue;
            }
        };
        let products: Vec<Product> = row
            .affects
            .iter()
            .flat_map(|affects| affects.products(&known))
            .collect();
        if products.is_empty() {
            read.notices.push(format!(
                "{source} names no component that can be matched and is not applied"
            ));
            continue;
        }
        let other_names = row
            .references
            .iter()
            .filter_map(|reference| reference.id.clone());
        read.statements.push(Statement {
            by: "cyclonedx-vex",
            source,
            names: std::iter::once(id.clone()).chain(other_names).collect(),
            products,
            status,
            reason: reason(&[
                analysis.justification.as_deref(),
                analysis.detail.as_deref(),
            ]),
        });
    }
    read
}

/// What each `bom-ref` stands for.
fn subjects(bom: &Bom) -> HashMap<&str, Subject> {
    let mut known = HashMap::new();
    let root = bom
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.component.as_ref());
    if let Some(root) = root
        && let (Some(bom_ref), None, Some(name)) = (&root.bom_ref, &root.purl, &root.name)
    {
        // A scanned image is named `name` and `version`, where the version is its tag or digest.
        let name = match root.version.as_deref() {
            Some(digest) if digest.starts_with("sha256:") => digest.to_owned(),
            Some(tag) if !name.contains(tag) => format!("{name}:{tag}"),
            _ => name.clone(),
        };
        known.insert(bom_ref.as_str(), Subject::Name(name));
    }
    let mut open: Vec<&Component> = root.into_iter().chain(&bom.components).collect();
    while let Some(component) = open.pop() {
        if let (Some(bom_ref), Some(purl)) = (&component.bom_ref, &component.purl)
            && let Some(purl) = purl::parse(purl)
        {
            // A purl without a version is of the version that stands beside it.
            let subject = match (purl.version(), &component.version) {
                (None, Some(version)) => with_version(&purl, version),
                _ => Some(Subject::Purl(Box::new(purl))),
            };
            known.extend(subject.map(|subject| (bom_ref.as_str(), subject)));
        }
        open.extend(&component.components);
    }
    known
}

impl Affects {
    /// The component, in the listed versions where there are any. A version range (`vers`) is not
    /// evaluated: such an entry speaks of nothing, as taking it for all versions would hold back
    /// too much.
    fn products(&self, known: &HashMap<&str, Subject>) -> Vec<Product> {
        let Some(subject) = self.subject(known) else {
            return Vec::new();
        };
        if self.versions.is_empty() {
            return vec![Product::of(subject)];
        }
        let listed = self
            .versions
            .iter()
            .filter_map(|row| row.version.as_deref());
        let Subject::Purl(purl) = &subject else {
            return Vec::new();
        };
        listed
            .filter_map(|version| with_version(purl, version))
            .map(Product::of)
            .collect()
    }

    /// A `bom-ref`, a purl, or a BOM-Link `urn:cdx:serial/version#bom-ref`.
    fn subject(&self, known: &HashMap<&str, Subject>) -> Option<Subject> {
        if let Some(subject) = known.get(self.reference.as_str()) {
            return Some(subject.clone());
        }
        let reference = match self.reference.strip_prefix("urn:cdx:") {
            Some(link) => percent_decoded(link.split_once('#')?.1),
            None => self.reference.clone(),
        };
        match known.get(reference.as_str()) {
            Some(subject) => Some(subject.clone()),
            None => purl::parse(&reference).map(|purl| Subject::Purl(Box::new(purl))),
        }
    }
}

fn with_version(purl: &PackageUrl<'static>, version: &str) -> Option<Subject> {
    let mut purl = purl.clone();
    purl.with_version(version.to_owned()).ok()?;
    Some(Subject::Purl(Box::new(purl)))
}

/// Percent-decoding of a URL fragment (RFC 3986 section 2.1); what is no escape stays.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escape = tail.get(..2).filter(|_| byte == b'%');
        let value = escape
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(value.unwrap_or(byte));
        rest = tail
            .get(if value.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
