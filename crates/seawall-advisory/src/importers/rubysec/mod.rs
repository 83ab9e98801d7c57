//! The Ruby advisory database (<https://github.com/rubysec/ruby-advisory-db>): a YAML file an
//! advisory, about a gem (`gem:`) or a Ruby interpreter (`engine:`).
//!
//! The files list what is patched and what never was affected; everything else is affected. An
//! advisory for one `platform` of a gem is imported for all of them, as gems are known by name
//! alone, and its title says so. Interpreters become programs without a package.

use super::constraint::{self, ConstraintError};
use super::{FeedFile, Importer, Records, document, text};
use crate::{Advisory, Affected, NameKind, Source, State};
use seawall_model::{Ecosystem, Severity, VersionScheme};
use serde::Deserialize;

/// Reads the Ruby advisory database.
#[derive(Debug, Clone, Copy)]
pub struct RubySec;

#[derive(Deserialize)]
struct File {
    gem: Option<String>,
    engine: Option<String>,
    platform: Option<String>,
    cve: Option<String>,
    ghsa: Option<String>,
    osvdb: Option<String>,
    url: Option<String>,
    title: Option<String>,
    date: Option<String>,
    description: Option<String>,
    cvss_v2: Option<f64>,
    cvss_v3: Option<f64>,
    cvss_v4: Option<f64>,
    patched_versions: Option<Vec<String>>,
    unaffected_versions: Option<Vec<String>>,
    related: Option<Related>,
}

#[derive(Deserialize)]
struct Related {
    url: Option<Vec<String>>,
}

impl Importer for RubySec {
    fn name(&self) -> &'static str {
        "rubysec"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        let has = |keys: &[&str]| document::has_yaml_keys(file, keys);
        has(&["gem", "title", "date"]) || has(&["engine", "title", "date"])
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        match document::yaml::<File>(file) {
            Ok(parsed) => match advisory(parsed, document::file_stem(file)) {
                Ok(advisory) => records.advisories.extend(advisory),
                Err(error) => {
                    let message = format!("the versions cannot be read: {error}");
                    records.incomplete.push(document::corrupt(file, message));
                }
            },
            Err(error) => records.incomplete.push(error),
        }
    }
}

/// `None` for a file that names no package.
fn advisory(file: File, stem: &str) -> Result<Option<Advisory>, ConstraintError> {
    let (ecosystem, package) = match (file.gem, file.engine) {
        (Some(gem), _) => (Ecosystem::RubyGems, gem),
        (None, Some(engine)) => (Ecosystem::Generic, engine),
        (None, None) => return Ok(None),
    };
    let scheme = VersionScheme::RubyGems;
    let patched = file.patched_versions.unwrap_or_default();
    let patched = constraint::parse_any(patched.iter().map(String::as_str), scheme)?;
    let unaffected = file.unaffected_versions.unwrap_or_default();
    let unaffected = constraint::parse_any(unaffected.iter().map(String::as_str), scheme)?;
    let affected = patched.clone().union(&unaffected).complement();
    let mut ranges = affected.ranges_beside(&patched, &unaffected);
    if ecosystem == Ecosystem::Generic {
        // RubyGems' "before all pre-releases" is a letter of its own for other programs.
        for start in ranges.iter_mut().filter_map(|r| r.introduced.as_mut()) {
            if let Some(release) = start.strip_suffix(".a") {
                *start = release.to_owned();
            }
        }
    }

    let ids = [
        file.cve.map(|id| prefixed("CVE-", id)),
        file.ghsa.map(|id| prefixed("GHSA-", id)),
    ];
    let mut ids = ids.into_iter().flatten();
    // OSVDB gave one number to flaws that CVE and GitHub tell apart, such as one and the fix of it
    // that was not the whole.
    let id = ids
        .next()
        .or_else(|| file.osvdb.map(|id| prefixed("OSVDB-", id)))
        .unwrap_or_else(|| stem.to_owned());
    let mut advisory = Advisory::new(id, Source::RubySec);
    advisory.aliases = ids.collect();
    advisory.title = text::title(file.title.as_deref(), file.description.as_deref());
    if let Some(platform) = file.platform {
        advisory.title.push_str(&format!(" (platform {platform})"));
    }
    advisory.description = file.description.unwrap_or_default().trim().to_owned();
    advisory.published = file.date.as_deref().and_then(text::date);
    // The files hold scores without their vectors.
    advisory.severity = [file.cvss_v4, file.cvss_v3, file.cvss_v2]
        .into_iter()
        .flatten()
        .find(|score| (0.0..=10.0).contains(score))
        .map(Severity::from_score);
    advisory.references = file.url.into_iter().collect();
    let related = file.related.and_then(|related| related.url);
    advisory.references.extend(related.into_iter().flatten());
    if !ranges.is_empty() {
        let mut affected = Affected::new(ecosystem, package, NameKind::Binary, State::Affected);
        affected.ranges = ranges;
        advisory.affected.push(affected);
    }
    Ok(Some(advisory))
}

fn prefixed(prefix: &str, id: String) -> String {
    match id.starts_with(prefix) {
        true => id,
        false => format!("{prefix}{id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::importers::testing;

    #[test]
    fn damaged_files_are_reported() {
        testing::survives_damage(&RubySec, "rubysec", "gem.yml", "a.yml");
    }

    #[test]
    fn a_number_of_osvdb_does_not_join_two_cves() {
        let aliases = |cve: &str| {
            let file = format!(
                "---\ngem: shelf\ncve: {cve}\nosvdb: 7\ntitle: t\npatched_versions:\n- '>= 1'\n"
            );
            let records = testing::import_bytes(
                &RubySec,
                &format!("gems/shelf/CVE-{cve}.yml"),
                file.as_bytes(),
            );
            records.advisories[0].aliases.clone()
        };
        assert!(aliases("2013-4287").is_empty());
        assert!(aliases("2013-4363").is_empty());
    }

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in [
            ("gem.yml", "gems/shelf/CVE-2024-10001.yml"),
            ("engine.yml", "rubies/ruby/OSVDB-7.yml"),
        ] {
            testing::check(&RubySec, "rubysec", sample, name);
        }
    }

    #[test]
    fn a_bad_file_is_reported() {
        for text in [
            "gem: x\ntitle: [",
            "gem: x\ntitle: t\npatched_versions:\n  - \"~> abc\"",
        ] {
            let records = testing::import_bytes(&RubySec, "a.yml", text.as_bytes());
            assert_eq!(
                (records.advisories.len(), records.incomplete.len()),
                (0, 1),
                "{text}"
            );
        }
    }
}
