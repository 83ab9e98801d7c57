//! Trusted images: images whose findings somebody else answers for.

use jiff::civil::Date;
use seawall_model::{Finding, Inventory, Package, Severity, Suppression};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::glob::Glob;
use super::{PolicyError, day, yaml};
use crate::purl::split_reference;

/// One trusted image.
#[derive(Debug)]
pub(super) struct Entry {
    /// File and line.
    source: String,
    image: Image,
    /// The worst severity that is held back.
    up_to: Severity,
    /// Whether known exploited flaws are held back too.
    kev: bool,
    reason: String,
    expires: Option<Date>,
}

#[derive(Debug)]
enum Image {
    Digest(String),
    Name(Glob),
    /// An image that others are built on: only its own layers are trusted.
    ChainId(String),
}

impl Entry {
    pub(super) fn holds(&self, today: Date) -> bool {
        self.expires.is_none_or(|expires| today < expires)
    }

    pub(super) fn matches(
        &self,
        finding: &Finding,
        package: &Package,
        inventory: &Inventory,
    ) -> bool {
        finding.severity <= self.up_to
            && (self.kev || !finding.kev)
            && self.image.contains(package, inventory)
    }

    pub(super) fn suppression(&self) -> Suppression {
        Suppression {
            by: "trusted-image",
            source: self.source.clone(),
            reason: Some(self.reason.clone()),
            expires: self.expires.map(|day| day.to_string()),
        }
    }

    pub(super) fn expired(&self) -> String {
        let day = self
            .expires
            .map_or(String::new(), |day| format!(" on {day}"));
        format!(
            "the trusted image at {} expired{day} and is no longer trusted",
            self.source
        )
    }
}

impl Image {
    fn contains(&self, package: &Package, inventory: &Inventory) -> bool {
        let target = &inventory.target;
        match self {
            Self::Digest(digest) => target.digest.as_ref() == Some(digest),
            Self::Name(glob) => {
                let names = std::iter::once(&target.name).chain(&target.tags);
                names
                    .into_iter()
                    .any(|name| glob.matches(name) || glob.matches(split_reference(name).0))
            }
            Self::ChainId(chain_id) => {
                let top = inventory
                    .layers
                    .iter()
                    .position(|layer| layer.chain_id.as_ref() == Some(chain_id));
                let layer = package.layer.map(|layer| layer as usize);
                top.zip(layer).is_some_and(|(top, layer)| layer <= top)
            }
        }
    }
}

const HINT: &str = "an entry has the keys `reason` (required), one of `digest`, `name` and \
                    `chain_id`, and `up_to`, `kev` and `expires`; see docs/policy.md";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustedFile {
    trusted: Vec<Spanned<EntryRow>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryRow {
    digest: Option<String>,
    name: Option<String>,
    chain_id: Option<String>,
    up_to: Option<String>,
    #[serde(default)]
    kev: bool,
    reason: String,
    expires: Option<String>,
}

pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Entry>, PolicyError> {
    let document: TrustedFile = yaml(file, text, HINT)?;
    document
        .trusted
        .into_iter()
        .map(|row| entry(file, row))
        .collect()
}

fn entry(file: &str, row: Spanned<EntryRow>) -> Result<Entry, PolicyError> {
    let line = row.referenced.line();
    let row = row.value;
    let refuse = |message: String| PolicyError {
        file: file.to_owned(),
        line: Some(line),
        message,
        hint: HINT,
    };
    let image = match (row.digest, row.name, row.chain_id) {
        (Some(digest), None, None) => Image::Digest(digest),
        (None, Some(name), None) => {
            let glob = Glob::name(&name);
            Image::Name(glob.ok_or_else(|| refuse(format!("`{name}` is not a pattern")))?)
        }
        (None, None, Some(chain_id)) => Image::ChainId(chain_id),
        _ => return Err(refuse("an image is named by exactly one key".to_owned())),
    };
    if row.reason.trim().is_empty() {
        return Err(refuse("the reason is empty".to_owned()));
    }
    let up_to = match row.up_to {
        None => Severity::Critical,
        Some(word) => Severity::from_word(&word)
            .ok_or_else(|| refuse(format!("`{word}` is not a severity")))?,
    };
    let expires = row
        .expires
        .map(|text| day(file, Some(line), &text))
        .transpose()?;
    Ok(Entry {
        source: format!("{file}:{line}"),
        image,
        up_to,
        kev: row.kev,
        reason: row.reason,
        expires,
    })
}
