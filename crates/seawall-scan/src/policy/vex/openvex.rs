//! OpenVEX 0.0.1 to 0.2.0 (OpenVEX specification, "The VEX statement").

use jiff::Timestamp;
use seawall_model::Status;
use serde::Deserialize;

use super::{Document, Product, Statement, Subject, reason};

#[derive(Deserialize)]
pub(super) struct OpenVex {
    timestamp: Option<String>,
    #[serde(default)]
    statements: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    vulnerability: Vulnerability,
    #[serde(default)]
    products: Vec<Component>,
    status: String,
    justification: Option<String>,
    impact_statement: Option<String>,
    timestamp: Option<String>,
}

/// A name alone (0.0.1) or with aliases (0.2.0).
#[derive(Deserialize)]
#[serde(untagged)]
enum Vulnerability {
    Name(String),
    Named {
        name: String,
        #[serde(default)]
        aliases: Vec<String>,
    },
}

/// An identifier alone (0.0.1) or a component (0.2.0).
#[derive(Deserialize)]
#[serde(untagged)]
enum Component {
    Id(String),
    Described {
        #[serde(rename = "@id")]
        id: Option<String>,
        identifiers: Option<Identifiers>,
        #[serde(default)]
        subcomponents: Vec<Component>,
    },
}

#[derive(Deserialize)]
struct Identifiers {
    purl: Option<String>,
}

impl Component {
    fn subject(&self) -> Option<Subject> {
        match self {
            Self::Id(id) => Subject::of(id),
            Self::Described {
                id, identifiers, ..
            } => {
                let purl = identifiers.as_ref().and_then(|ids| ids.purl.as_ref());
                purl.or(id.as_ref()).and_then(|id| Subject::of(id))
            }
        }
    }

    fn product(&self) -> Option<Product> {
        let parts: &[Component] = match self {
            Self::Id(_) => &[],
            Self::Described { subcomponents, .. } => subcomponents,
        };
        let subjects: Vec<Subject> = parts.iter().filter_map(Self::subject).collect();
        // Parts that cannot be told apart must not widen the statement to the whole product.
        if subjects.is_empty() && !parts.is_empty() {
            return None;
        }
        Some(Product {
            parts: subjects,
            ..Product::of(self.subject()?)
        })
    }
}

/// A point in time (RFC 3339), whatever its offset.
fn time(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(|text| text.parse().ok())
}

pub(super) fn read(file: &str, mut document: OpenVex) -> Document {
    let mut read = Document::default();
    // Stable: of statements of one time the last one decides. Those without have the document's
    // ("Inheritance" in the specification).
    let mut rows: Vec<(usize, Row)> = document.statements.drain(..).enumerate().collect();
    let of_document = time(document.timestamp.as_deref());
    rows.sort_by_key(|(_, row)| time(row.timestamp.as_deref()).or(of_document));
    for (at, row) in rows {
        let source = format!("{file} statement {}", at + 1);
        let status = match row.status.as_str() {
            "not_affected" => Status::NotAffected,
            "affected" => Status::Affected,
            "fixed" => Status::Fixed,
            "under_investigation" => Status::UnderInvestigation,
            other => {
                read.notices.push(format!(
                    "{source} has an unknown status `{other}` and is not applied"
                ));
                continue;
            }
        };
        let products: Vec<Product> = row.products.iter().filter_map(Component::product).collect();
        if products.is_empty() {
            read.notices.push(format!(
                "{source} names no product that can be matched and is not applied"
            ));
            continue;
        }
        let names = match row.vulnerability {
            Vulnerability::Name(name) => vec![name],
            Vulnerability::Named { name, mut aliases } => {
                aliases.insert(0, name);
                aliases
            }
        };
        let justification = row.justification.as_deref();
        read.statements.push(Statement {
            by: "openvex",
            source,
            names,
            products,
            status,
            reason: reason(&[justification, row.impact_statement.as_deref()]),
        });
    }
    read
}
