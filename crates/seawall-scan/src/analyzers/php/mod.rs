//! Composer packages: the lockfile, and what Composer records beside the installed ones.

mod composer_lock;
mod installed;

pub use composer_lock::ComposerLock;
pub use installed::InstalledJson;

use super::document::nullable;
use super::licenses::Licenses;
use serde::Deserialize;

/// A package as `composer.lock` and `installed.json` both write it (getcomposer.org, "The
/// composer.json schema").
#[derive(Debug, Deserialize)]
struct Locked {
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
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

impl Locked {
    /// Whether it is a directory of the project itself, linked in by a `path` repository.
    fn is_local(&self) -> bool {
        self.dist.as_ref().is_some_and(|dist| dist.kind == "path")
    }
}
