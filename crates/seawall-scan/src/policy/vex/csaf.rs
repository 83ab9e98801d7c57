//! CSAF 2.0 VEX (OASIS CSAF 2.0, sections 3.2.2 product tree, 3.2.3 vulnerabilities, 4.5 profile).

use std::collections::HashMap;

use seawall_model::Status;
use serde::Deserialize;

use super::{Document, Platform, Product, Statement, Subject, reason};
use crate::purl;

#[derive(Deserialize)]
pub(super) struct Csaf {
    #[serde(default)]
    product_tree: ProductTree,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize, Default)]
struct ProductTree {
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    full_product_names: Vec<FullProduct>,
    #[serde(default)]
    relationships: Vec<Relationship>,
}

#[derive(Deserialize)]
struct Branch {
    category: Option<String>,
    #[serde(default)]
    branches: Vec<Branch>,
    product: Option<FullProduct>,
}

impl Branch {
    /// Its product, unless it stands for a range of versions (section 3.1.2.3.2) that its purl does
    /// not narrow: taken for all versions it would hold back too much.
    fn known_product(&self) -> Option<&FullProduct> {
        let is_range = self.category.as_deref() == Some("product_version_range");
        self.product.as_ref().filter(|product| {
            let purl = product.product_identification_helper.purl.as_deref();
            let purl = purl.and_then(purl::parse);
            !is_range || purl.is_some_and(|purl| purl.version().is_some())
        })
    }
}

#[derive(Deserialize)]
struct FullProduct {
    product_id: String,
    #[serde(default)]
    product_identification_helper: Helper,
}

#[derive(Deserialize, Default)]
struct Helper {
    purl: Option<String>,
    cpe: Option<String>,
}

#[derive(Deserialize)]
struct Relationship {
    product_reference: String,
    relates_to_product_reference: String,
    full_product_name: FullProduct,
}

#[derive(Deserialize)]
struct Vulnerability {
    cve: Option<String>,
    #[serde(default)]
    ids: Vec<Id>,
    #[serde(default)]
    product_status: HashMap<String, Vec<String>>,
    #[serde(default)]
    flags: Vec<Flag>,
    #[serde(default)]
    threats: Vec<Threat>,
}

#[derive(Deserialize)]
struct Id {
    text: String,
}

#[derive(Deserialize)]
struct Flag {
    label: String,
    #[serde(default)]
    product_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Threat {
    category: Option<String>,
    details: Option<String>,
    #[serde(default)]
    product_ids: Vec<String>,
}

/// Groups of `product_status` (section 3.2.3.9) that say something of the product itself; the last
/// one decides where a product stands in several.
const STATUS: [(&str, Status); 7] = [
    ("under_investigation", Status::UnderInvestigation),
    ("known_affected", Status::Affected),
    ("first_affected", Status::Affected),
    ("last_affected", Status::Affected),
    ("fixed", Status::Fixed),
    ("first_fixed", Status::Fixed),
    ("known_not_affected", Status::NotAffected),
];

pub(super) fn read(file: &str, csaf: Csaf) -> Document {
    let mut read = Document::default();
    let tree = Tree::of(&csaf.product_tree);
    for (at, row) in csaf.vulnerabilities.iter().enumerate() {
        let mut names: Vec<String> = row.cve.iter().cloned().collect();
        names.extend(row.ids.iter().map(|id| id.text.clone()));
        if names.is_empty() {
            continue;
        }
        let mut unknown = 0;
        for (group, status) in STATUS {
            for id in row.product_status.get(group).into_iter().flatten() {
                let Some(product) = tree.product(id) else {
                    unknown += 1;
                    continue;
                };
                read.statements.push(Statement {
                    by: "csaf-vex",
                    source: format!("{file} vulnerabilities[{at}] {id}"),
                    names: names.clone(),
                    products: vec![product],
                    status,
                    reason: row.reason(id),
                });
            }
        }
        if unknown > 0 {
            read.notices.push(format!(
                "{file} vulnerabilities[{at}]: {unknown} products without a package URL, in a \
                 range of versions or on an unknown platform are not applied"
            ));
        }
    }
    read
}

impl Vulnerability {
    /// The justification label and the impact statement for a product.
    fn reason(&self, id: &str) -> Option<String> {
        let speaks = |ids: &[String]| ids.iter().any(|own| own == id);
        let flag = self.flags.iter().find(|flag| speaks(&flag.product_ids));
        let impact = self.threats.iter().find(|threat| {
            threat.category.as_deref() == Some("impact") && speaks(&threat.product_ids)
        });
        reason(&[
            flag.map(|flag| flag.label.as_str()),
            impact.and_then(|threat| threat.details.as_deref()),
        ])
    }
}

/// The product tree by product id.
struct Tree<'a> {
    products: HashMap<&'a str, &'a Helper>,
    /// Component and platform of a product that is one installed on the other.
    related: HashMap<&'a str, (&'a str, &'a str)>,
}

impl<'a> Tree<'a> {
    fn of(tree: &'a ProductTree) -> Self {
        let mut products = HashMap::new();
        let mut open: Vec<&Branch> = tree.branches.iter().collect();
        while let Some(branch) = open.pop() {
            if let Some(product) = branch.known_product() {
                products.insert(
                    product.product_id.as_str(),
                    &product.product_identification_helper,
                );
            }
            open.extend(&branch.branches);
        }
        for product in &tree.full_product_names {
            products.insert(
                product.product_id.as_str(),
                &product.product_identification_helper,
            );
        }
        let mut related = HashMap::new();
        for relationship in &tree.relationships {
            let product = &relationship.full_product_name;
            products.insert(
                product.product_id.as_str(),
                &product.product_identification_helper,
            );
            related.insert(
                product.product_id.as_str(),
                (
                    relationship.product_reference.as_str(),
                    relationship.relates_to_product_reference.as_str(),
                ),
            );
        }
        Self { products, related }
    }

    /// What can be matched of a product: by its own purl, or by that of the component in it, on a
    /// platform that is an image (by purl) or an operating system (by CPE). A platform that is
    /// neither is not guessed at, as the statement may hold there alone.
    fn product(&self, id: &str) -> Option<Product> {
        if let Some(subject) = self.subject(id) {
            return Some(Product::of(subject));
        }
        let (component, platform) = self.related.get(id)?;
        let component = self.subject(component)?;
        if let Some(platform) = self.subject(platform) {
            return Some(Product {
                parts: vec![component],
                ..Product::of(platform)
            });
        }
        let cpe = self.products.get(platform)?.cpe.as_deref()?;
        Some(Product {
            platform: Some(Platform::from_cpe(cpe)?),
            ..Product::of(component)
        })
    }

    fn subject(&self, id: &str) -> Option<Subject> {
        let purl = self.products.get(id)?.purl.as_deref()?;
        purl::parse(purl).map(|purl| Subject::Purl(Box::new(purl)))
    }
}
