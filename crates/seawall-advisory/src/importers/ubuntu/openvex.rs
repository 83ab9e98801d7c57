//! Canonical's OpenVEX (<https://github.com/openvex/spec>), one file a CVE.
//!
//! Products are purls with the version that each release has at the time of writing, so `fixed`
//! says of that very version that it is mended and nothing of those before it: the row is *not
//! affected* for that version alone, and the tracker or a notice (USN) has to say where the fix
//! came. A source (`arch=source`) speaks for the binaries beside it in the statement.

use super::super::document;
use super::super::rejected::Rejected;
use super::super::{FeedFile, Records};
use super::status::{Statuses, Verdict};
use crate::{Advisory, Source};
use packageurl::PackageUrl;
use seawall_model::IncompleteReason;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::str::FromStr;

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    timestamp: Option<String>,
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    vulnerability: Vulnerability,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    products: Vec<Product>,
    status: String,
    #[serde(default)]
    action_statement: String,
    #[serde(default)]
    impact_statement: String,
}

#[derive(Deserialize)]
struct Vulnerability {
    name: String,
    #[serde(default)]
    description: String,
    /// Links, in Canonical's files.
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Deserialize)]
struct Product {
    #[serde(rename = "@id")]
    id: String,
}

pub(super) fn import(file: &FeedFile<'_>, records: &mut Records) {
    let document: Document = match document::json(file) {
        Ok(document) => document,
        Err(incomplete) => return records.incomplete.push(incomplete),
    };
    let mut rejected = Rejected::new(file);
    let mut flaws: BTreeMap<&str, (Advisory, Statuses)> = BTreeMap::new();
    for statement in &document.statements {
        let about = &statement.vulnerability;
        let (_, statuses) = flaws.entry(&about.name).or_insert_with(|| {
            let mut advisory = Advisory::new(about.name.as_str(), Source::Ubuntu);
            advisory.description.clone_from(&about.description);
            let links = about.aliases.iter().filter(|name| name.starts_with("http"));
            advisory.references = links.cloned().collect();
            advisory.published.clone_from(&statement.timestamp);
            advisory.modified.clone_from(&document.timestamp);
            (advisory, Statuses::default())
        });
        for product in &statement.products {
            // By far the most are binaries, which their source speaks for.
            if !product.id.contains("arch=source") {
                continue;
            }
            if let Err(error) = read_product(statement, &product.id, statuses) {
                rejected.push(IncompleteReason::Corrupt, None, error);
            }
        }
    }
    for (mut advisory, statuses) in flaws.into_values() {
        advisory.affected = statuses.rows(&mut rejected, records);
        if !advisory.affected.is_empty() {
            records.advisories.push(advisory);
        }
    }
    rejected.finish(records);
}

fn read_product(statement: &Statement, id: &str, statuses: &mut Statuses) -> Result<(), String> {
    let purl = PackageUrl::from_str(id).map_err(|error| format!("'{id}': {error}"))?;
    let release = purl.qualifiers().get("distro");
    let release = release.ok_or_else(|| format!("'{id}' names no release"))?;
    let verdict = match statement.status.as_str() {
        "fixed" => {
            let version = purl
                .version()
                .ok_or_else(|| format!("'{id}' has no version"))?;
            Verdict::MendedAt(version.to_owned())
        }
        "not_affected" if statement.impact_statement.contains("does not exist") => Verdict::Absent,
        "not_affected" => Verdict::NotAffected,
        "under_investigation" => Verdict::Untriaged,
        "affected" => {
            let action = &statement.action_statement;
            let declined = [
                "decided to not fix",
                "no longer supported",
                "decided not to fix",
            ];
            match declined.iter().any(|words| action.contains(words)) {
                true => Verdict::WontFix,
                false => Verdict::Open,
            }
        }
        other => return Err(format!("status '{other}' is not known")),
    };
    statuses.add(purl.name(), release, verdict);
    Ok(())
}
