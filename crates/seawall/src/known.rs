//! The findings that a stored inventory had when it was last matched: what is new since, and gone.

use crate::exit::Result;
use crate::inventories;
use seawall_model::{Finding, Inventory};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Version of the file's shape.
const VERSION: u32 = 1;
/// Findings named of those that are new, and of those that are gone.
const NAMED: usize = 5;

#[derive(Serialize, Deserialize)]
struct File {
    known_findings_version: u32,
    /// Flaw and package URL, with a space between; sorted, and as often as packages have that URL.
    findings: Vec<String>,
}

/// Keeps the findings of an inventory for the next comparison.
pub(crate) fn remember(inventory: &Inventory, findings: &[Finding]) -> Result<()> {
    let file = File {
        known_findings_version: VERSION,
        findings: keys(inventory, findings),
    };
    inventories::write_beside(&inventories::known(inventory)?, |out| {
        Ok(serde_json::to_writer(out, &file)?)
    })
}

/// What changed since the findings were remembered, as sentences for the report.
pub(crate) fn changes(inventory: &Inventory, findings: &[Finding]) -> Result<Vec<String>> {
    let path = inventories::known(inventory)?;
    let before = match read(&path) {
        Ok(before) => before,
        Err(error) => {
            let path = path.display();
            return Ok(vec![format!(
                "what is new is not known: {path} cannot be used: {error:#}"
            )]);
        }
    };
    let now = keys(inventory, findings);
    let mut sentences = Vec::new();
    for (what, found) in [
        ("new", beyond(&now, &before)),
        ("gone", beyond(&before, &now)),
    ] {
        if !found.is_empty() {
            sentences.push(sentence(what, found));
        }
    }
    if sentences.is_empty() {
        sentences.push("nothing is new since this was matched last".to_owned());
    }
    Ok(sentences)
}

/// The keys that are in `some` more often than in `others`, as often as that.
fn beyond<'k>(some: &'k [String], others: &[String]) -> Vec<&'k str> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for key in others {
        *left.entry(key).or_default() += 1;
    }
    let mut more = Vec::new();
    for key in some {
        match left.get_mut(key.as_str()) {
            Some(times) if *times > 0 => *times -= 1,
            _ => more.push(key.as_str()),
        }
    }
    more
}

fn read(path: &Path) -> anyhow::Result<Vec<String>> {
    let file: File = serde_json::from_slice(&inventories::bytes(path)?)?;
    anyhow::ensure!(
        file.known_findings_version == VERSION,
        "its version is {}",
        file.known_findings_version
    );
    Ok(file.findings)
}

fn keys(inventory: &Inventory, findings: &[Finding]) -> Vec<String> {
    let distro = inventory.distro.as_ref();
    let key = |finding: &Finding| {
        let package = inventory.packages.get(finding.package.0 as usize)?;
        Some(format!("{} {}", finding.id, package.purl(distro)))
    };
    let mut keys: Vec<String> = findings.iter().filter_map(key).collect();
    keys.sort_unstable();
    keys
}

fn sentence(what: &str, mut found: Vec<&str>) -> String {
    let are = match found.len() {
        1 => "1 finding is".to_owned(),
        number => format!("{number} findings are"),
    };
    found.dedup();
    let names: Vec<String> = found
        .iter()
        .take(NAMED)
        .map(|key| key.replacen(' ', " in ", 1))
        .collect();
    let more = match found.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "{are} {what} since this was matched last: {}{more}",
        names.join(", ")
    )
}
