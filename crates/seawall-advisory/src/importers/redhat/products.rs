//! The product tree of a CSAF document (CSAF 2.0 section 3.2.2): which package of which release
//! stands behind a product's identifier.

use super::super::rpm_rows::evr;
use super::{module_stream, release};
use packageurl::PackageUrl;
use seawall_model::Ecosystem;
use serde::Deserialize;
use std::collections::HashMap;
use std::str::FromStr;

/// Relations are followed so far: package in module in repository.
const MAX_RELATIONS: usize = 4;

/// `product_tree`.
#[derive(Deserialize, Default)]
pub(super) struct Tree {
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    relationships: Vec<Relationship>,
}

#[derive(Deserialize)]
struct Branch {
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    product: Option<Product>,
}

#[derive(Deserialize)]
struct Product {
    product_id: String,
    #[serde(default)]
    product_identification_helper: Option<Identification>,
}

#[derive(Deserialize, Default)]
struct Identification {
    #[serde(default)]
    cpe: Option<String>,
    #[serde(default)]
    purl: Option<String>,
}

#[derive(Deserialize)]
struct Relationship {
    product_reference: String,
    relates_to_product_reference: String,
    full_product_name: FullName,
}

#[derive(Deserialize)]
struct FullName {
    product_id: String,
}

/// Products by identifier.
pub(super) struct Products<'a> {
    products: HashMap<&'a str, &'a Identification>,
    relations: HashMap<&'a str, (&'a str, &'a str)>,
}

/// A package of a release.
pub(super) struct Component {
    pub(super) ecosystem: Ecosystem,
    pub(super) name: String,
    /// Epoch, version and release; `None` where the document means every version.
    pub(super) version: Option<String>,
    /// `src` for sources.
    pub(super) architecture: Option<String>,
    pub(super) module: Option<String>,
}

/// Why an identifier gives no [`Component`].
pub(super) enum Other {
    /// Of another product or stream.
    Product,
    /// No rpm package.
    Kind,
}

impl<'a> Products<'a> {
    pub(super) fn new(tree: &'a Tree) -> Self {
        let mut products = HashMap::new();
        for branch in &tree.branches {
            collect(branch, &mut products);
        }
        let relations = tree.relationships.iter().map(|relation| {
            let parts = (
                relation.product_reference.as_str(),
                relation.relates_to_product_reference.as_str(),
            );
            (relation.full_product_name.product_id.as_str(), parts)
        });
        Self {
            products,
            relations: relations.collect(),
        }
    }

    pub(super) fn component(&self, id: &str) -> Result<Component, Other> {
        let (reference, mut within) = self.relations.get(id).copied().ok_or(Other::Product)?;
        let mut module = None;
        for _ in 0..MAX_RELATIONS {
            let Some((inner, outer)) = self.relations.get(within).copied() else {
                break;
            };
            module = module.or_else(|| self.module(inner));
            within = outer;
        }
        let cpe = self.products.get(within).and_then(|p| p.cpe.as_deref());
        let ecosystem = cpe.and_then(release).ok_or(Other::Product)?;
        self.package(reference, ecosystem, module)
            .ok_or(Other::Kind)
    }

    /// The module that an identifier stands for, by its purl `pkg:rpmmod/redhat/ruby@2.7:...`.
    fn module(&self, reference: &str) -> Option<String> {
        let purl = self.products.get(reference)?.purl.as_deref()?;
        let purl = PackageUrl::from_str(purl).ok()?;
        let label = format!("{}:{}", purl.name(), purl.version()?);
        (purl.ty() == "rpmmod").then(|| module_stream(&label))?
    }

    fn package(
        &self,
        reference: &str,
        ecosystem: Ecosystem,
        module: Option<String>,
    ) -> Option<Component> {
        // `python39:3.9/python-lxml`: a package of a module stream that has no version.
        let (prefix, plain) = match reference.split_once('/') {
            Some((prefix, name)) if prefix.contains(':') => (module_stream(prefix), name),
            _ => (None, reference),
        };
        if prefix
            .as_deref()
            .is_some_and(|stream| stream.ends_with(":flatpak"))
        {
            return None;
        }
        let module = module.or(prefix);
        let purl = self.products.get(reference).and_then(|p| p.purl.as_deref());
        let Some(purl) = purl else {
            // Older entries have the bare name of a package of this release.
            let bare = !plain.is_empty() && !plain.contains(['/', '@', ':']);
            return bare.then(|| Component {
                ecosystem,
                name: plain.to_owned(),
                version: None,
                architecture: None,
                module,
            });
        };
        let purl = PackageUrl::from_str(purl)
            .ok()
            .filter(|purl| purl.ty() == "rpm")?;
        let qualifier = |key: &str| purl.qualifiers().get(key).map(|value| value.to_string());
        let version = purl.version().map(|version| match qualifier("epoch") {
            Some(epoch) if epoch != "0" => format!("{epoch}:{version}"),
            _ => evr(version).to_owned(),
        });
        Some(Component {
            ecosystem,
            name: purl.name().to_owned(),
            version,
            architecture: qualifier("arch"),
            module: qualifier("rpmmod")
                .and_then(|label| module_stream(&label))
                .or(module),
        })
    }
}

/// The parser caps the nesting of branches.
fn collect<'a>(branch: &'a Branch, products: &mut HashMap<&'a str, &'a Identification>) {
    if let Some(product) = &branch.product
        && let Some(identification) = &product.product_identification_helper
    {
        products.insert(&product.product_id, identification);
    }
    for inner in &branch.branches {
        collect(inner, products);
    }
}
