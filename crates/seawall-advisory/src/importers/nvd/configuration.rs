//! Configurations and CPE names (NISTIR 7695, "Formatted String Binding").

use crate::{Affected, NameKind, State, Upper, VersionRange};
use seawall_model::Ecosystem;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};

#[derive(Deserialize)]
pub(super) struct Configuration {
    #[serde(default)]
    negate: bool,
    #[serde(default)]
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    #[serde(default)]
    negate: bool,
    #[serde(default)]
    cpe_match: Vec<CpeMatch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CpeMatch {
    vulnerable: bool,
    criteria: String,
    version_start_including: Option<String>,
    version_start_excluding: Option<String>,
    version_end_including: Option<String>,
    version_end_excluding: Option<String>,
}

/// The vulnerable programs of all configurations, each once with all its versions.
pub(super) fn affected(configurations: &[Configuration]) -> Vec<Affected> {
    let matches = configurations
        .iter()
        .filter(|configuration| !configuration.negate)
        .flat_map(|configuration| &configuration.nodes)
        .filter(|node| !node.negate)
        .flat_map(|node| &node.cpe_match)
        .filter(|entry| entry.vulnerable);
    let mut found: Vec<Affected> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut seen = HashSet::new();
    for entry in matches {
        let Some(cpe) = Cpe::parse(&entry.criteria) else {
            continue;
        };
        let place = *places.entry(cpe.name.clone()).or_insert_with(|| {
            let (kind, state) = (NameKind::Binary, State::Affected);
            found.push(Affected::new(Ecosystem::Generic, cpe.name, kind, state));
            found.len() - 1
        });
        let range = match &cpe.version {
            Some(_) => None,
            None => Some(entry.range()),
        };
        let Some(affected) = found.get_mut(place) else {
            continue;
        };
        if seen.insert((place, cpe.version.clone(), range.clone())) {
            affected.versions.extend(cpe.version);
            affected.ranges.extend(range);
        }
    }
    found
}

impl CpeMatch {
    fn range(&self) -> VersionRange {
        let including = self.version_start_including.clone();
        let excluding = self.version_start_excluding.clone();
        let upper = match (&self.version_end_excluding, &self.version_end_including) {
            (Some(version), _) => Upper::Before(version.clone()),
            (None, Some(version)) => Upper::LastAffected(version.clone()),
            (None, None) => Upper::Open,
        };
        VersionRange {
            introduced_exclusive: including.is_none() && excluding.is_some(),
            introduced: including.or(excluding),
            upper,
        }
    }
}

struct Cpe {
    /// `vendor:product`, lower case.
    name: String,
    /// One version; `None` for any.
    version: Option<String>,
}

impl Cpe {
    /// `None` for hardware and operating systems (Linux excepted), and for a product that has no
    /// versions (`-`), which no installed program is known by.
    fn parse(text: &str) -> Option<Self> {
        let fields = fields(text.strip_prefix("cpe:2.3:")?);
        let [part, vendor, product, version, update, ..] = fields.as_slice() else {
            return None;
        };
        let name = format!("{vendor}:{product}").to_lowercase();
        let known = part == "a" || (part == "o" && name == "linux:linux_kernel");
        if !known || version == "-" {
            return None;
        }
        let version = (version != "*").then(|| match update.as_str() {
            "*" | "-" | "" => version.clone(),
            // Patch levels are written behind the version: OpenSSH 7.2p2, ntp 4.2.8p1.
            patch if is_patch(patch) => format!("{version}{patch}"),
            update => format!("{version}-{update}"),
        });
        Some(Self { name, version })
    }
}

fn is_patch(update: &str) -> bool {
    update
        .strip_prefix('p')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

/// The fields between colons, with `\` taken off what it quotes.
fn fields(text: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let quoted = match c {
            ':' => {
                fields.push(String::new());
                continue;
            }
            '\\' => chars.next(),
            c => Some(c),
        };
        if let (Some(field), Some(c)) = (fields.last_mut(), quoted) {
            field.push(c);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpe_names_are_read() {
        for (text, expected) in [
            ("cpe:2.3:a:Acme:shelf:*:*:*:*:*:*:*:*", "acme:shelf any"),
            ("cpe:2.3:a:acme:shelf:1.0:*:*:*:*:*:*:*", "acme:shelf 1.0"),
            (
                "cpe:2.3:a:acme:shelf:1.0:p2:*:*:*:*:*:*",
                "acme:shelf 1.0p2",
            ),
            (
                "cpe:2.3:a:acme:shelf:1.0:beta1:*:*:*:*:*:*",
                "acme:shelf 1.0-beta1",
            ),
            (
                "cpe:2.3:a:acme:http\\:\\:tiny\\!:1\\.0:-:*:*:*:*:*:*",
                "acme:http::tiny! 1.0",
            ),
            (
                "cpe:2.3:o:linux:linux_kernel:*:*:*:*:*:*:*:*",
                "linux:linux_kernel any",
            ),
            ("cpe:2.3:o:acme:os:*:*:*:*:*:*:*:*", "-"),
            ("cpe:2.3:h:acme:box:*:*:*:*:*:*:*:*", "-"),
            ("cpe:2.3:a:acme:shelf:-:*:*:*:*:*:*:*", "-"),
            ("cpe:2.3:a:acme", "-"),
            ("cpe:/a:acme:shelf:1.0", "-"),
            ("cpe:2.3:a:acme:shelf:1.0\\", "-"),
        ] {
            let found = Cpe::parse(text).map_or("-".to_owned(), |cpe| {
                format!("{} {}", cpe.name, cpe.version.as_deref().unwrap_or("any"))
            });
            assert_eq!(found, expected, "{text}");
        }
    }
}
