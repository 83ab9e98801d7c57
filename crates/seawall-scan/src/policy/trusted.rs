//! Trusted images: images whose findings somebody else answers for.

use jiff::civil::Date;
use seawall_artifact::Claims;
use seawall_model::{Finding, Inventory, Package, Severity, Suppression, TargetKind};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::glob::Glob;
use super::{PolicyError, UNVERIFIED, day, yaml};
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

/// How much of an image an entry speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    None,
    /// So many layers, from the base up.
    Layers(usize),
    All,
    /// It would be the image that the image says it is, but nobody knows whether that is so.
    Claimed(&'static str),
}

impl Entry {
    pub(super) fn holds(&self, today: Date) -> bool {
        self.expires.is_none_or(|expires| today < expires)
    }

    pub(super) fn reach(&self, inventory: &Inventory) -> Reach {
        self.image.reach(inventory)
    }

    /// Whether it holds back a finding in an image of which it reaches so much.
    pub(super) fn matches(&self, reach: Reach, finding: &Finding, package: &Package) -> bool {
        let is_reached = match reach {
            Reach::None | Reach::Claimed(_) => false,
            Reach::All => true,
            Reach::Layers(layers) => package.layer.is_some_and(|layer| (layer as usize) < layers),
        };
        is_reached && finding.severity <= self.up_to && (self.kev || !finding.kev)
    }

    /// Adds the digests on which it relies.
    pub(super) fn add_claims(&self, claims: &mut Claims) {
        match &self.image {
            Image::Digest(digest) => drop(claims.digests.insert(digest.clone())),
            Image::ChainId(chain_id) => drop(claims.chain_ids.insert(chain_id.clone())),
            Image::Name(_) => {}
        }
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

    /// What is said of an image that only claims to be this one.
    pub(super) fn not_trusted(&self, why: &str) -> String {
        format!("the trusted image at {} is not applied: {why}", self.source)
    }
}

/// Why an image is not trusted by its name.
const UNNAMED: &str = "no registry or container runtime keeps the image under this name, or not all \
                       of it could be read, and an archive is named by whoever made it; name the \
                       image by `digest` or `chain_id`";

impl Image {
    fn reach(&self, inventory: &Inventory) -> Reach {
        let target = &inventory.target;
        match self {
            Self::Digest(digest) if !inventory.claims_digest(digest) => Reach::None,
            Self::Digest(digest) => match inventory.has_digest(digest) {
                true => Reach::All,
                false => Reach::Claimed(UNVERIFIED),
            },
            Self::Name(glob) => {
                let mut names = std::iter::once(&target.name).chain(&target.tags);
                let is_named =
                    names.any(|name| glob.matches(name) || glob.matches(split_reference(name).0));
                match target.kind {
                    TargetKind::Filesystem | TargetKind::Host => Reach::None,
                    TargetKind::Image | TargetKind::Sbom if !is_named => Reach::None,
                    _ if target.named_by_store => Reach::All,
                    _ => Reach::Claimed(UNNAMED),
                }
            }
            Self::ChainId(chain_id) => {
                let mut layers = inventory.layers.iter();
                match layers.position(|layer| layer.chain_id.as_ref() == Some(chain_id)) {
                    None => Reach::None,
                    Some(top) if top < inventory.verified_layers() => Reach::Layers(top + 1),
                    Some(_) => Reach::Claimed(UNVERIFIED),
                }
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
    let checked = |digest: String| match is_digest(&digest) {
        true => Ok(digest),
        false => Err(refuse(format!(
            "`{digest}` is no digest: `sha256:` and 64 hexadecimal digits in lower case"
        ))),
    };
    let image = match (row.digest, row.name, row.chain_id) {
        (Some(digest), None, None) => Image::Digest(checked(digest)?),
        (None, Some(name), None) => {
            let glob = Glob::name(&name);
            Image::Name(glob.ok_or_else(|| refuse(format!("`{name}` is not a pattern")))?)
        }
        (None, None, Some(chain_id)) => Image::ChainId(checked(chain_id)?),
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

/// One that can be compared: of another kind, or written otherwise, it would never be met.
fn is_digest(text: &str) -> bool {
    let is_hexadecimal = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    text.strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(is_hexadecimal))
}
