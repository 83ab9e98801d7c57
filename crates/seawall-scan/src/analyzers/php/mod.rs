//! Composer packages: the lockfile, and what Composer records beside the installed ones.

mod composer_lock;
mod installed;

pub use composer_lock::ComposerLock;
pub use installed::InstalledJson;

use serde::Deserialize;

/// A package as `composer.lock` and `installed.json` both write it (getcomposer.org, "The
/// composer.json schema").
#[derive(Debug, Deserialize)]
struct Locked {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    license: Licenses,
    dist: Option<Dist>,
}

#[derive(Debug, Deserialize)]
struct Dist {
    #[serde(rename = "type", default)]
    kind: String,
}

/// Old versions of Composer wrote a single licence as a text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Licenses {
    One(String),
    Many(Vec<String>),
}

impl Default for Licenses {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl From<Licenses> for Vec<String> {
    fn from(licenses: Licenses) -> Self {
        match licenses {
            Licenses::One(license) => vec![license],
            Licenses::Many(licenses) => licenses,
        }
    }
}

impl Locked {
    /// Whether it is a directory of the project itself, linked in by a `path` repository.
    fn is_local(&self) -> bool {
        self.dist.as_ref().is_some_and(|dist| dist.kind == "path")
    }
}
