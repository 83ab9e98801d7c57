//! VEX: statements by whoever makes a product on whether a flaw matters in it.

mod csaf;
mod cyclonedx;
mod openvex;

use packageurl::PackageUrl;
use seawall_model::{Finding, Inventory, Status, Suppression};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{PolicyError, without_place};
use crate::purl;

/// One statement on one flaw.
#[derive(Debug)]
pub(super) struct Statement {
    /// `openvex`, `cyclonedx-vex` or `csaf-vex`.
    by: &'static str,
    /// File, and the place in it.
    source: String,
    /// The names of the flaw.
    names: Vec<String>,
    products: Vec<Product>,
    status: Status,
    reason: Option<String>,
}

/// What a statement speaks of.
#[derive(Debug)]
struct Product {
    subject: Subject,
    /// Only these parts of it; all where there are none.
    parts: Vec<Subject>,
    /// Only on this release of an operating system.
    platform: Option<Platform>,
}

#[derive(Debug, Clone)]
enum Subject {
    Purl(Box<PackageUrl<'static>>),
    /// An image's name, as OpenVEX allows any IRI.
    Name(String),
    /// An image's digest, alone or behind a name: no name counts beside it, as who makes an archive
    /// names it as he likes.
    Digest(String),
}

/// An operating system's release, from a CPE of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Platform {
    /// `ID` of os-release(5).
    id: &'static str,
    /// The leading parts of `VERSION_ID`; empty for any.
    version: String,
}

/// A VEX document, read.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) statements: Vec<Statement>,
    pub(super) notices: Vec<String>,
}

const HINT: &str = "VEX is read as OpenVEX, CycloneDX or CSAF 2.0, each in JSON";

pub(super) fn parse(file: &str, text: &str) -> Result<Document, PolicyError> {
    #[derive(Deserialize)]
    #[serde(expecting = "expected an object")]
    struct Shape {
        #[serde(rename = "@context")]
        context: Option<IgnoredAny>,
        statements: Option<IgnoredAny>,
        #[serde(rename = "bomFormat")]
        bom_format: Option<IgnoredAny>,
        document: Option<IgnoredAny>,
    }
    let shape: Shape = json(file, text)?;
    if shape.bom_format.is_some() {
        Ok(cyclonedx::read(file, json(file, text)?))
    } else if shape.document.is_some() {
        Ok(csaf::read(file, json(file, text)?))
    } else if shape.context.is_some() || shape.statements.is_some() {
        Ok(openvex::read(file, json(file, text)?))
    } else {
        Err(PolicyError {
            file: file.to_owned(),
            line: None,
            message: "this is no VEX document".to_owned(),
            hint: HINT,
        })
    }
}

fn json<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, PolicyError> {
    serde_json::from_str(text).map_err(|error| PolicyError {
        file: file.to_owned(),
        line: Some(error.line() as u64),
        message: without_place(&error.to_string()),
        hint: HINT,
    })
}

/// Applies statements in the order of their files and dates: the last one that speaks of a finding
/// decides.
pub(super) fn apply(
    statements: &[Statement],
    inventory: &Inventory,
    purls: &[String],
    findings: &mut [Finding],
) {
    if statements.is_empty() {
        return;
    }
    let purls: Vec<Option<PackageUrl<'static>>> = purls.iter().map(|p| purl::parse(p)).collect();
    let mut by_name: std::collections::HashMap<&str, Vec<usize>> = std::collections::HashMap::new();
    for (at, statement) in statements.iter().enumerate() {
        for name in &statement.names {
            by_name.entry(name).or_default().push(at);
        }
    }
    for finding in findings {
        let Some(own) = purls
            .get(finding.package.0 as usize)
            .and_then(Option::as_ref)
        else {
            continue;
        };
        let names = std::iter::once(&finding.id).chain(&finding.aliases);
        let mut places: Vec<usize> = names
            .flat_map(|name| by_name.get(name.as_str()).into_iter().flatten().copied())
            .collect();
        places.sort_unstable_by(|a, b| b.cmp(a));
        let last = places
            .into_iter()
            .filter_map(|at| statements.get(at))
            .find(|statement| statement.speaks_of(own, inventory, &purls));
        if let Some(statement) = last {
            finding.status = statement.status;
            finding.suppression = (!statement.status.counts()).then(|| statement.suppression());
        }
    }
}

impl Statement {
    /// The digests by which it names images.
    pub(super) fn image_digests(&self) -> impl Iterator<Item = &str> {
        let products = self.products.iter();
        products.filter_map(|product| product.subject.image_digest())
    }

    fn speaks_of(
        &self,
        own: &PackageUrl<'_>,
        inventory: &Inventory,
        all: &[Option<PackageUrl<'static>>],
    ) -> bool {
        self.products.iter().any(|product| {
            if !product
                .platform
                .as_ref()
                .is_none_or(|platform| platform.is(inventory))
            {
                return false;
            }
            let subject = &product.subject;
            if product.parts.is_empty() {
                return subject.covers(own) || subject.is_target(inventory);
            }
            let present = subject.is_target(inventory)
                || all.iter().flatten().any(|package| subject.covers(package));
            present && product.parts.iter().any(|part| part.covers(own))
        })
    }

    fn suppression(&self) -> Suppression {
        Suppression {
            by: self.by,
            source: self.source.clone(),
            reason: self.reason.clone(),
            expires: None,
        }
    }
}

impl Product {
    fn of(subject: Subject) -> Self {
        Self {
            subject,
            parts: Vec::new(),
            platform: None,
        }
    }
}

impl Subject {
    /// A purl where it is one, else a name. `None` for what wants to be a purl and is none: it names
    /// nothing.
    fn of(text: &str) -> Option<Self> {
        match purl::parse(text) {
            Some(purl) => Some(Self::Purl(Box::new(purl))),
            None if text.starts_with("pkg:") => None,
            None => Some(match text.rfind("sha256:").and_then(|at| text.get(at..)) {
                Some(digest) => Self::Digest(digest.to_owned()),
                None => Self::Name(text.to_owned()),
            }),
        }
    }

    fn covers(&self, package: &PackageUrl<'_>) -> bool {
        match self {
            Self::Purl(purl) => purl::covers(purl, package),
            Self::Name(_) | Self::Digest(_) => false,
        }
    }

    fn is_target(&self, inventory: &Inventory) -> bool {
        let target = &inventory.target;
        match self {
            Self::Purl(purl) => purl::is_image(purl, inventory),
            Self::Name(name) => *name == target.name || target.tags.contains(name),
            Self::Digest(digest) => inventory.has_digest(digest),
        }
    }

    /// The digest of the image that it names.
    fn image_digest(&self) -> Option<&str> {
        match self {
            Self::Purl(purl) => purl::image_digest(purl),
            Self::Name(_) => None,
            Self::Digest(digest) => Some(digest),
        }
    }
}

impl Platform {
    /// The release that a CPE (2.2 or 2.3) of a Linux distribution names; `None` for other CPEs.
    fn from_cpe(cpe: &str) -> Option<Self> {
        let body = cpe
            .strip_prefix("cpe:/")
            .or_else(|| cpe.strip_prefix("cpe:2.3:"))?;
        let mut fields = body.split(':').skip(1);
        let (vendor, product) = (fields.next()?, fields.next()?);
        let version = fields
            .next()
            .filter(|version| !matches!(*version, "*" | "-" | ""));
        let id = match (vendor, product) {
            ("redhat", "enterprise_linux" | "rhel_eus" | "rhel_aus" | "rhel_e4s" | "rhel_tus") => {
                "rhel"
            }
            ("almalinux", "almalinux") => "almalinux",
            ("rocky" | "rockylinux", _) => "rocky",
            ("oracle", "linux") => "ol",
            ("debian", "debian_linux") => "debian",
            ("canonical", "ubuntu_linux") => "ubuntu",
            ("suse", "sles" | "linux_enterprise_server") => "sles",
            ("opensuse", "leap") => "opensuse-leap",
            ("amazon", "linux") => "amzn",
            _ => return None,
        };
        let version = version.unwrap_or_default().replace('\\', "");
        Some(Self { id, version })
    }

    fn is(&self, inventory: &Inventory) -> bool {
        inventory.distro.as_ref().is_some_and(|distro| {
            let rest = distro.version.strip_prefix(self.version.as_str());
            distro.id == self.id
                && rest
                    .is_some_and(|r| self.version.is_empty() || r.is_empty() || r.starts_with('.'))
        })
    }
}

/// Puts a status, a justification and free text into one reason.
fn reason(parts: &[Option<&str>]) -> Option<String> {
    let parts: Vec<&str> = parts.iter().flatten().map(|part| part.trim()).collect();
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}
