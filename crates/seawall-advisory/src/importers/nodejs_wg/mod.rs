//! The Node.js Security Working Group's advisories
//! (<https://github.com/nodejs/security-wg/tree/main/vuln>): a JSON file an advisory, on an npm
//! package or on Node.js itself.
//!
//! Node.js itself becomes the program `node`. The files of the `deps` folder, flaws of libraries
//! that do *not* concern Node.js, are not of this feed, nor are the `index.json` summaries.

use super::constraint::{self, ConstraintError};
use super::{FeedFile, Importer, Records, document, json, text};
use crate::{Advisory, Affected, NameKind, Source, State};
use seawall_model::{Ecosystem, Severity, VersionScheme};
use serde::Deserialize;

/// Reads the working group's advisories.
#[derive(Debug, Clone, Copy)]
pub struct NodeSecurity;

/// On an npm package.
#[derive(Deserialize)]
struct Package {
    id: u64,
    title: Option<String>,
    module_name: String,
    publish_date: Option<String>,
    updated_at: Option<String>,
    cves: Option<Vec<String>>,
    vulnerable_versions: Option<String>,
    patched_versions: Option<String>,
    overview: Option<String>,
    references: Option<Vec<String>>,
    cvss_vector: Option<String>,
}

/// On Node.js itself.
#[derive(Deserialize)]
struct Core {
    cve: Option<Vec<String>>,
    description: Option<String>,
    overview: Option<String>,
    vulnerable: Option<String>,
    patched: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    publish_date: Option<String>,
    severity: Option<String>,
    cvss: Option<String>,
}

#[derive(Clone, Copy)]
enum Form {
    Package,
    Core,
}

fn form(file: &FeedFile<'_>) -> Option<Form> {
    let keys = json::first_keys(file.bytes);
    let has = |wanted: &[&str]| wanted.iter().all(|key| keys.contains(&key.as_bytes()));
    if has(&["id", "module_name", "vulnerable_versions"]) {
        Some(Form::Package)
    } else if has(&["cve", "vulnerable", "patched"]) {
        Some(Form::Core)
    } else {
        None
    }
}

impl Importer for NodeSecurity {
    fn name(&self) -> &'static str {
        "nodejs-security-wg"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        form(file).is_some()
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        let advisory = match form(file) {
            Some(Form::Package) => document::json(file).map(package),
            Some(Form::Core) => {
                document::json(file).map(|parsed| core(parsed, document::file_stem(file)))
            }
            None => return,
        };
        match advisory {
            Ok(Ok(advisory)) => records.advisories.push(advisory),
            Ok(Err(error)) => {
                let message = format!("the versions cannot be read: {error}");
                records.incomplete.push(document::corrupt(file, message));
            }
            Err(error) => records.incomplete.push(error),
        }
    }
}

fn package(file: Package) -> Result<Advisory, ConstraintError> {
    let mut advisory = Advisory::new(format!("NSWG-ECO-{}", file.id), Source::NodeSecurity);
    advisory.aliases = cves(file.cves);
    advisory.title = text::title(file.title.as_deref(), file.overview.as_deref());
    advisory.description = file.overview.unwrap_or_default();
    advisory.published = file.publish_date.as_deref().and_then(text::date);
    advisory.modified = file.updated_at.as_deref().and_then(text::date);
    let vector = file.cvss_vector.as_deref();
    advisory.cvss = vector
        .and_then(|v| crate::cvss::parse(v, Source::NodeSecurity.name()))
        .into_iter()
        .collect();
    advisory.references = file.references.unwrap_or_default();
    advisory.affected = affected(
        Ecosystem::Npm,
        &file.module_name,
        file.vulnerable_versions.as_deref(),
        file.patched_versions.as_deref(),
    )?;
    Ok(advisory)
}

fn core(file: Core, number: &str) -> Result<Advisory, ConstraintError> {
    let mut advisory = Advisory::new(format!("NSWG-COR-{number}"), Source::NodeSecurity);
    advisory.aliases = cves(file.cve);
    advisory.title = text::title(file.description.as_deref(), file.overview.as_deref());
    advisory.description = file.overview.unwrap_or_default();
    advisory.published = file.publish_date.as_deref().and_then(text::date);
    advisory.severity = file
        .severity
        .as_deref()
        .and_then(Severity::from_word)
        .filter(|severity| *severity != Severity::Unknown);
    let vector = file.cvss.as_deref();
    advisory.cvss = vector
        .and_then(|v| crate::cvss::parse(v, Source::NodeSecurity.name()))
        .into_iter()
        .collect();
    advisory.references = file.reference.into_iter().collect();
    advisory.affected = affected(
        Ecosystem::Generic,
        "node",
        file.vulnerable.as_deref(),
        file.patched.as_deref(),
    )?;
    Ok(advisory)
}

fn cves(list: Option<Vec<String>>) -> Vec<String> {
    text::cves(&list.unwrap_or_default().join(" "))
}

/// What is called vulnerable and not also called patched: `16.x` with `^16.20.2` is affected below
/// 16.20.2.
fn affected(
    ecosystem: Ecosystem,
    name: &str,
    vulnerable: Option<&str>,
    patched: Option<&str>,
) -> Result<Vec<Affected>, ConstraintError> {
    let scheme = VersionScheme::Npm;
    // `<0.0.0` is how the npm registry says that nothing is patched.
    let patched = patched.filter(|text| !text.contains("0.0.0"));
    let patched = constraint::parse(patched.unwrap_or_default(), scheme)?;
    let vulnerable = constraint::parse(vulnerable.unwrap_or_default(), scheme)?;
    let mut affected = Affected::new(ecosystem, name, NameKind::Binary, State::Affected);
    affected.ranges = vulnerable.without(&patched).ranges(&patched);
    Ok(if affected.ranges.is_empty() {
        Vec::new()
    } else {
        vec![affected]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::importers::testing;

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in [
            ("npm.json", "vuln/npm/7.json"),
            ("core.json", "vuln/core/8.json"),
        ] {
            testing::check(&NodeSecurity, "nodejs_wg", sample, name);
        }
    }

    #[test]
    fn damaged_files_are_reported() {
        for (sample, name) in [
            ("npm.json", "vuln/npm/7.json"),
            ("core.json", "vuln/core/8.json"),
        ] {
            testing::survives_damage(&NodeSecurity, "nodejs_wg", sample, name);
        }
    }
}
