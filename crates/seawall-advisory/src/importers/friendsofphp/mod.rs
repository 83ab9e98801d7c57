//! FriendsOfPHP's security advisories (<https://github.com/FriendsOfPHP/security-advisories>): a
//! YAML file an advisory, with a list of constraints for each branch of a Composer package.
//!
//! All constraints of a branch must hold. A branch whose `time` is null has no release with the
//! fix: its upper bound is only where the branch ends.

use super::constraint::{self, ConstraintError, VersionSet};
use super::{FeedFile, Importer, Records, document, text};
use crate::{Advisory, Affected, NameKind, Source, State, Upper, VersionRange};
use seawall_model::{Ecosystem, VersionScheme};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Reads FriendsOfPHP's advisories.
#[derive(Debug, Clone, Copy)]
pub struct FriendsOfPhp;

#[derive(Deserialize)]
struct File {
    title: Option<String>,
    link: Option<String>,
    cve: Option<String>,
    reference: String,
    #[serde(default)]
    branches: BTreeMap<String, Branch>,
}

#[derive(Deserialize)]
struct Branch {
    time: Option<String>,
    #[serde(default)]
    versions: Vec<String>,
}

impl Importer for FriendsOfPhp {
    fn name(&self) -> &'static str {
        "friendsofphp"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        document::has_yaml_keys(file, &["branches", "reference", "title"])
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        match document::yaml::<File>(file) {
            Ok(parsed) => match advisory(&parsed, document::file_stem(file)) {
                Ok(advisory) => records.advisories.push(advisory),
                Err(message) => records.incomplete.push(document::corrupt(file, message)),
            },
            Err(error) => records.incomplete.push(error),
        }
    }
}

fn advisory(file: &File, stem: &str) -> Result<Advisory, String> {
    let package = file
        .reference
        .strip_prefix("composer://")
        .filter(|package| !package.is_empty())
        .ok_or_else(|| format!("'{}' is no reference to a Composer package", file.reference))?;
    let mut affected = Affected::new(
        Ecosystem::Packagist,
        package,
        NameKind::Binary,
        State::Affected,
    );
    let mut published: Option<String> = None;
    for (branch, content) in &file.branches {
        let ranges = ranges(content)
            .map_err(|error| format!("the versions of branch {branch} cannot be read: {error}"))?;
        affected.ranges.extend(ranges);
        let date = content.time.as_deref().and_then(text::date);
        published = match (published, date) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    // The database's own name of an advisory is its path: `symfony/symfony/CVE-2026-48736`.
    let mut advisory = Advisory::new(format!("{package}/{stem}"), Source::FriendsOfPhp);
    advisory.aliases = text::cves(file.cve.as_deref().unwrap_or_default());
    advisory.title = text::title(file.title.as_deref(), None);
    advisory.published = published;
    advisory.references = file.link.iter().cloned().collect();
    if !affected.ranges.is_empty() {
        advisory.affected.push(affected);
    }
    Ok(advisory)
}

fn ranges(branch: &Branch) -> Result<Vec<VersionRange>, ConstraintError> {
    let scheme = VersionScheme::Composer;
    let set = constraint::parse(&branch.versions.join(", "), scheme)?;
    let mut ranges = set.ranges(&VersionSet::empty(scheme));
    if branch.time.is_some() {
        for range in &mut ranges {
            if let Upper::Before(version) = &mut range.upper {
                range.upper = Upper::Fixed(std::mem::take(version));
            }
        }
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::importers::testing;

    #[test]
    fn damaged_files_are_reported() {
        testing::survives_damage(&FriendsOfPhp, "friendsofphp", "advisory.yaml", "a.yaml");
    }

    #[test]
    fn samples_become_the_expected_records() {
        let name = "acme/shelf/CVE-2024-10001.yaml";
        testing::check(&FriendsOfPhp, "friendsofphp", "advisory.yaml", name);
    }

    #[test]
    fn a_bad_file_is_reported() {
        for text in [
            "title: x\nreference: npm://x\nbranches: {}",
            "title: x\nreference: composer://a/b\nbranches:\n  1.x:\n    versions: ['>=']",
            "title: x\nreference: composer://a/b\nbranches: 7",
        ] {
            let records = testing::import_bytes(&FriendsOfPhp, "a.yaml", text.as_bytes());
            assert_eq!(
                (records.advisories.len(), records.incomplete.len()),
                (0, 1),
                "{text}"
            );
        }
    }
}
