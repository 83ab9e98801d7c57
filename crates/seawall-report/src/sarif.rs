//! SARIF 2.1.0 (OASIS), as GitHub code scanning and other viewers read it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use seawall_model::{Confidence, Finding, FixState, IncompleteReason, Package, Severity, Target};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Report, escape, held, json_text, sbom};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Descriptor of what the reader must know beside the findings.
const NOTICE: &str = "notice";

pub(crate) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    write_all(std::slice::from_ref(report), out)
}

/// Writes a run for each report.
pub(crate) fn write_all(reports: &[Report<'_>], out: &mut dyn Write) -> io::Result<()> {
    let runs: Vec<Value> = reports.iter().map(run).collect();
    json_text::write(
        &json!({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}),
        out,
    )
}

fn run(report: &Report<'_>) -> Value {
    let purls = report.purls();
    let worst = worst(report);
    let mut rules: Vec<Value> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut results = Vec::new();
    for finding in report.findings {
        let (Some(package), Some(purl)) = (
            report.package(finding),
            purls.get(finding.package.0 as usize),
        ) else {
            continue;
        };
        let place = *places.entry(&finding.id).or_insert_with(|| {
            rules.push(rule(
                finding,
                worst.get(finding.id.as_str()).copied().unwrap_or_default(),
            ));
            rules.len() - 1
        });
        results.push(result(finding, package, purl, place));
    }
    let incomplete = &report.inventory.incomplete;
    let missed = incomplete.iter().map(|entry| {
        let hint = entry
            .hint
            .as_ref()
            .map_or(String::new(), |hint| format!(" (hint: {hint})"));
        json!({
            "level": "warning",
            "descriptor": {"id": entry.reason.name()},
            "message": {"text": escape::line(&format!("{entry}{hint}"))},
        })
    });
    let notices = report.notices.iter().map(|notice| {
        json!({
            "level": "note",
            "descriptor": {"id": NOTICE},
            "message": {"text": escape::line(notice)},
        })
    });
    let notifications: Vec<Value> = missed.chain(notices).collect();
    let unreadable = |reason| reason != IncompleteReason::NoAdvisories;
    let mut properties = json!({
        "target": report.inventory.target.name,
        "targetKind": report.inventory.target.kind.name(),
        "imageDigest": report.inventory.target.digest,
    });
    if let (Some(database), Some(properties)) = (&report.database, properties.as_object_mut()) {
        properties.insert("databaseDigest".to_owned(), database.digest.as_str().into());
    }
    json!({
            "tool": {"driver": {
                "name": "seawall",
                "version": report.tool_version,
                "informationUri": "https://github.com/seawall/seawall",
                "rules": rules,
                "notifications": notification_descriptors(report),
            }},
            "automationDetails": {"id": automation_id(&report.inventory.target)},
            "invocations": [{
                "executionSuccessful": !incomplete.iter().any(|entry| unreadable(entry.reason)),
                "endTimeUtc": report.timestamp(),
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": properties,
    })
}

/// Category of the run: code scanning keeps one run of each category, so it names the target. What
/// is behind the last slash would be the identifier of this very run.
fn automation_id(target: &Target) -> String {
    format!(
        "seawall/{}/{}/",
        target.kind.name(),
        escape::line(&target.name)
    )
}

fn notification_descriptors(report: &Report<'_>) -> Vec<Value> {
    let entries = report.inventory.incomplete.iter();
    let mut ids: Vec<&str> = entries.map(|entry| entry.reason.name()).collect();
    ids.extend(report.notices.first().map(|_| NOTICE));
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().map(|id| json!({"id": id})).collect()
}

/// A rule is shared by all findings of its flaw, so it shows the worst of them.
fn worst<'a>(report: &'a Report<'_>) -> BTreeMap<&'a str, Severity> {
    let mut worst: BTreeMap<&str, Severity> = BTreeMap::new();
    for finding in report.findings {
        let severity = worst.entry(&finding.id).or_default();
        *severity = finding.severity.max(*severity);
    }
    worst
}

fn rule(finding: &Finding, severity: Severity) -> Value {
    let title = match finding.title.is_empty() {
        true => finding.id.clone(),
        false => escape::line(&finding.title).into_owned(),
    };
    let mut rule = json!({
        "id": finding.id,
        "name": "VulnerablePackage",
        "shortDescription": {"text": escape::shorten(&format!("{}: {title}", finding.id), 1000)},
        "fullDescription": {"text": escape::shorten(&title, 1000)},
        "help": {"text": help_text(finding), "markdown": help_markdown(finding)},
        "defaultConfiguration": {"level": level(severity)},
        "properties": {
            "tags": tags(finding),
            "precision": match finding.confidence {
                Confidence::High => "very-high",
                Confidence::Low => "medium",
            },
            "security-severity": format!("{:.1}", security_severity(finding, severity)),
        },
    });
    let link = finding.references.iter().find_map(|url| escape::link(url));
    if let (Some(link), Some(rule)) = (link, rule.as_object_mut()) {
        rule.insert("helpUri".to_owned(), link.into());
    }
    rule
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Negligible | Severity::Unknown => "note",
    }
}

/// GitHub sorts alerts by this number as a CVSS score. It follows our severity (the vendor's word
/// goes first): the CVSS score where it says the same, else the lowest score of the step.
fn security_severity(finding: &Finding, severity: Severity) -> f64 {
    let agrees = finding
        .cvss
        .iter()
        .find(|cvss| Severity::from_score(cvss.score) == severity);
    agrees.map_or(
        match severity {
            Severity::Critical => 9.0,
            Severity::High => 7.0,
            Severity::Medium => 4.0,
            Severity::Low => 0.1,
            Severity::Negligible | Severity::Unknown => 0.0,
        },
        |cvss| cvss.score,
    )
}

fn tags(finding: &Finding) -> Vec<String> {
    let mut tags = vec!["security".to_owned(), "vulnerability".to_owned()];
    tags.extend(
        finding
            .cwes
            .iter()
            .map(|cwe| format!("external/cwe/{}", cwe.to_lowercase())),
    );
    tags.extend(finding.kev.then(|| "known-exploited".to_owned()));
    tags
}

fn facts(finding: &Finding) -> Vec<(&'static str, String)> {
    let mut facts = vec![(
        "Severity",
        format!("{} ({})", finding.severity.name(), finding.severity_source),
    )];
    if !finding.aliases.is_empty() {
        facts.push(("Also known as", finding.aliases.join(", ")));
    }
    if let Some(cnnvd) = &finding.cnnvd {
        let title = finding.cnnvd_title.as_deref().unwrap_or_default();
        facts.push(("CNNVD", format!("{cnnvd} {title}")));
    }
    if finding.kev {
        facts.push(("Known exploited", "yes (CISA KEV)".to_owned()));
    }
    if let Some(epss) = finding.epss {
        facts.push(("EPSS", format!("{:.1} %", epss.score * 100.0)));
    }
    facts
}

fn help_text(finding: &Finding) -> String {
    let mut text = escape::line(&finding.description).into_owned();
    for (name, value) in facts(finding) {
        text.push_str(&format!("\n{name}: {}", escape::line(&value)));
    }
    for url in finding
        .references
        .iter()
        .filter_map(|url| escape::link(url))
    {
        text.push_str(&format!("\n{url}"));
    }
    text
}

fn help_markdown(finding: &Finding) -> String {
    let mut text = escape::markdown(&finding.description);
    text.push_str("\n\n| | |\n|---|---|\n");
    for (name, value) in facts(finding) {
        text.push_str(&format!("| {name} | {} |\n", escape::markdown(&value)));
    }
    text.push('\n');
    for url in finding
        .references
        .iter()
        .filter_map(|url| escape::link(url))
    {
        text.push_str(&format!("- <{url}>\n"));
    }
    text
}

fn result(finding: &Finding, package: &Package, purl: &str, rule: usize) -> Value {
    let mut message = format!("{} {} has {}", package.name, package.version, finding.id);
    message.push_str(&match (&finding.fix.version, finding.fix.state) {
        (Some(version), _) => format!("; fixed in {version}"),
        (None, FixState::WontFix) => "; the vendor will not fix it".to_owned(),
        (None, _) => "; no fixed version is known".to_owned(),
    });
    let mut result = json!({
        "ruleId": finding.id,
        "ruleIndex": rule,
        "level": level(finding.severity),
        "message": {"text": escape::line(&message)},
        "locations": [location(package)],
        "partialFingerprints": {"seawall/v1": fingerprint(finding, package)},
        "rank": f64::from(finding.priority.score),
        "properties": {
            "purl": purl,
            "priority": finding.priority.level.name(),
            "status": finding.status.name(),
            "layer": package.layer,
            "role": package.role.name(),
            "owner": package.owner,
            "fix": finding.fix.state.name(),
        },
    });
    if let Some(result) = result.as_object_mut()
        && !finding.status.counts()
    {
        let suppression = json!({
            "kind": "external",
            "status": "accepted",
            "justification": escape::line(&held::why(finding)),
        });
        result.insert("suppressions".to_owned(), json!([suppression]));
    }
    result
}

/// The first path of the package, relative to the root of the target. Viewers want a line; there is
/// none to point at, so it is the first.
fn location(package: &Package) -> Value {
    let path = package.paths.first().map_or("unknown", String::as_str);
    json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(path.trim_start_matches('/'))},
            "region": {"startLine": 1},
        },
        "logicalLocations": [{
            "kind": "package",
            "fullyQualifiedName": escape::line(&format!("{} {}", package.name, package.version)),
        }],
    })
}

/// A path as a relative URI reference (RFC 3986): a `:` in its first segment must not make a
/// scheme of it.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'/'
            | b'!'
            | b'@'
            | b'+' => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

/// Stays the same while the package is updated, moved to another layer or the text of the advisory
/// changes: the flaw, and the package's type, name and first path.
fn fingerprint(finding: &Finding, package: &Package) -> String {
    let path = package.paths.first().map_or("", String::as_str);
    let parts = [
        finding.id.as_str(),
        package.kind.name(),
        &package.name,
        path,
    ];
    let hash = Sha256::digest(parts.join("\0").as_bytes());
    sbom::uuid(&hash)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::Format;
    use crate::testing::{check_golden, rendered};

    #[test]
    fn a_log_of_findings() {
        check_golden("report.sarif", &rendered(Format::Sarif));
    }

    #[test]
    fn every_result_points_at_its_rule_and_what_is_suppressed_says_so() {
        let log: Value = serde_json::from_str(&rendered(Format::Sarif)).unwrap();
        let run = &log["runs"][0];
        let results = run["results"].as_array().unwrap();
        for result in results {
            let index = result["ruleIndex"].as_u64().unwrap() as usize;
            assert_eq!(
                run["tool"]["driver"]["rules"][index]["id"],
                result["ruleId"]
            );
            let counts = matches!(result["properties"]["status"].as_str(), Some("affected"));
            assert_eq!(result.get("suppressions").is_none(), counts);
        }
        assert_eq!(run["invocations"][0]["executionSuccessful"], false);
        let mut fingerprints: Vec<String> = results
            .iter()
            .map(|result| result["partialFingerprints"].to_string())
            .collect();
        fingerprints.sort();
        fingerprints.dedup();
        assert_eq!(fingerprints.len(), results.len());
    }
}
