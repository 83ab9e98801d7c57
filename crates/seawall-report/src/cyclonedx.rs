//! CycloneDX 1.6 in JSON: <https://cyclonedx.org/docs/1.6/json/>.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use seawall_model::{
    Cvss, CvssVersion, Finding, IncompleteReason, Package, PackageType, Severity, Status,
    TargetKind,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::json_text::{self, Lazy};
use crate::{Report, held, sbom};

/// `bom-ref` of what was scanned.
const ROOT: &str = "target";
/// Longest `version` that the schema admits, in characters.
const MAX_VERSION: usize = 1024;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom<C: Serialize> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Value,
    components: C,
    dependencies: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    compositions: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vulnerabilities: Option<Value>,
}

pub(crate) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let inventory = report.inventory;
    let distro = inventory.distro.as_ref();
    let purls: Vec<String> = inventory
        .packages
        .iter()
        .map(|p| sbom::purl(p, distro))
        .collect();
    let references = sbom::references(&purls);
    let mut depends_on: Vec<&str> = distro.iter().map(|_| "os").collect();
    depends_on.extend(references.iter().map(String::as_str));
    let mut bom = Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: String::new(),
        version: 1,
        metadata: metadata(report),
        components: Lazy(|| {
            let packages = inventory.packages.iter().zip(&purls).zip(&references);
            let components = packages.map(|((package, purl), id)| component(package, purl, id));
            operating_system(report).into_iter().chain(components)
        }),
        dependencies: json!([{"ref": ROOT, "dependsOn": depends_on}]),
        compositions: sbom::unread(inventory)
            .next()
            .map(|_| json!([{"aggregate": "incomplete", "assemblies": [ROOT]}])),
        vulnerabilities: (!report.findings.is_empty())
            .then(|| vulnerabilities(report, &references)),
    };
    bom.serial_number = format!("urn:uuid:{}", sbom::uuid_of(&bom)?);
    json_text::write(&bom, out)
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

fn property(name: impl Into<String>, value: impl Into<String>) -> Value {
    json!({"name": name.into(), "value": value.into()})
}

fn metadata(report: &Report<'_>) -> Value {
    let target = &report.inventory.target;
    let kind = match target.kind {
        TargetKind::Image => "container",
        TargetKind::Host => "device",
        TargetKind::Filesystem | TargetKind::Sbom => "application",
    };
    let mut component = json!({"bom-ref": ROOT, "type": kind, "name": target.name});
    if let Some(digest) = &target.digest {
        set(&mut component, "version", digest.as_str().into());
        if let Some(hash) = digest
            .strip_prefix("sha256:")
            .filter(|hash| hash.len() == 64)
        {
            set(
                &mut component,
                "hashes",
                json!([{"alg": "SHA-256", "content": hash}]),
            );
        }
    }
    let properties: Vec<Value> = sbom::target_properties(report.inventory)
        .into_iter()
        .map(|(name, value)| property(name, value))
        .collect();
    if !properties.is_empty() {
        set(&mut component, "properties", properties.into());
    }
    let mut metadata = json!({
        "timestamp": report.timestamp(),
        "tools": {"components": [
            {"type": "application", "name": "seawall", "version": report.tool_version}
        ]},
        "component": component,
    });
    let entries = report.inventory.incomplete.iter();
    let unmatched = entries
        .filter(|entry| entry.reason == IncompleteReason::NoAdvisories)
        .map(|entry| property("seawall:not-matched", entry.to_string()));
    let notices = report.notices.iter();
    let notices = notices.map(|notice| property("seawall:notice", notice));
    let properties: Vec<Value> = unmatched.chain(notices).collect();
    if !properties.is_empty() {
        set(&mut metadata, "properties", properties.into());
    }
    metadata
}

fn operating_system(report: &Report<'_>) -> Option<Value> {
    let distro = report.inventory.distro.as_ref()?;
    let mut component = json!({
        "bom-ref": "os",
        "type": "operating-system",
        "name": distro.id,
        "version": distro.version,
    });
    if let Some(name) = &distro.pretty_name {
        set(&mut component, "description", name.as_str().into());
    }
    let mut properties: Vec<Value> = Vec::new();
    properties.extend(
        distro
            .codename
            .iter()
            .map(|name| property("seawall:codename", name)),
    );
    properties.extend(
        distro
            .id_like
            .iter()
            .map(|id| property("seawall:id-like", id)),
    );
    if !properties.is_empty() {
        set(&mut component, "properties", properties.into());
    }
    Some(component)
}

fn component(package: &Package, purl: &str, reference: &str) -> Value {
    let kind = match package.kind {
        PackageType::Generic => "application",
        _ => "library",
    };
    let mut component = json!({"bom-ref": reference, "type": kind, "name": package.name});
    // A longer one is in the purl alone.
    if (1..=MAX_VERSION).contains(&package.version.chars().count()) {
        set(&mut component, "version", package.version.as_str().into());
    }
    if let Some(vendor) = &package.vendor {
        set(&mut component, "publisher", vendor.as_str().into());
    }
    if package.development {
        set(&mut component, "scope", "optional".into());
    }
    if !package.licenses.is_empty() {
        set(&mut component, "licenses", licenses(&package.licenses));
    }
    let mut cpes = package
        .cpe_products
        .iter()
        .filter_map(|p| sbom::cpe(p, &package.version));
    if let Some(cpe) = cpes.next() {
        set(&mut component, "cpe", cpe.into());
    }
    set(&mut component, "purl", purl.into());
    if !package.paths.is_empty() {
        let places: Vec<Value> = package
            .paths
            .iter()
            .map(|p| json!({"location": p}))
            .collect();
        set(&mut component, "evidence", json!({"occurrences": places}));
    }
    let properties: Vec<Value> = sbom::package_properties(package)
        .into_iter()
        .map(|(name, value)| property(name, value))
        .collect();
    set(&mut component, "properties", properties.into());
    component
}

/// One expression stands alone; several licences are listed by name (specification,
/// `licenseChoice`).
fn licenses(licenses: &[String]) -> Value {
    match licenses {
        [one] if sbom::is_expression(one) => json!([{"expression": one}]),
        several => several
            .iter()
            .map(|name| json!({"license": {"name": name}}))
            .collect(),
    }
}

/// One entry for each flaw, rating and verdict, with all packages that it holds for: the worst of the
/// findings first, which speaks for the others.
fn vulnerabilities(report: &Report<'_>, references: &[String]) -> Value {
    let mut entries: Vec<Vec<Affected<'_>>> = Vec::new();
    let mut places = BTreeMap::new();
    for finding in report.findings {
        let index = finding.package.0 as usize;
        let packages = &report.inventory.packages;
        let (Some(reference), Some(package)) = (references.get(index), packages.get(index)) else {
            continue;
        };
        let by = finding
            .suppression
            .as_ref()
            .map(|by| (by.by, by.source.as_str()));
        let vectors: Vec<&str> = finding.cvss.iter().map(|cvss| &*cvss.vector).collect();
        let key = (
            finding.id.as_str(),
            (finding.severity, finding.severity_source.as_str(), vectors),
            finding.status.name(),
            by,
        );
        let place = *places.entry(key).or_insert_with(|| {
            entries.push(Vec::new());
            entries.len() - 1
        });
        if let Some(entry) = entries.get_mut(place) {
            entry.push(Affected {
                finding,
                package,
                reference,
            });
        }
    }
    let mut all: Vec<Value> = Vec::with_capacity(entries.len());
    for mut affected in entries {
        affected.sort_by_key(|one| std::cmp::Reverse(one.finding.priority.score));
        all.extend(vulnerability(&affected));
    }
    all.into()
}

/// A package that a flaw is in.
struct Affected<'a> {
    finding: &'a Finding,
    package: &'a Package,
    reference: &'a str,
}

/// What to update, where the packages that have a flaw are mended in several versions each by its
/// name.
fn recommendation(affected: &[Affected<'_>]) -> Option<String> {
    let mut fixes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in affected {
        let Some(version) = &one.finding.fix.version else {
            continue;
        };
        fixes.entry(version).or_default().insert(&one.package.name);
    }
    let whole = affected.iter().all(|one| one.finding.fix.version.is_some());
    match (fixes.len(), fixes.first_key_value()) {
        (0, _) | (_, None) => None,
        (1, Some((version, _))) if whole => Some(format!("Update to {version}")),
        _ => {
            let fixes: Vec<String> = fixes
                .into_iter()
                .map(|(version, names)| {
                    format!("{} to {version}", Vec::from_iter(names).join(", "))
                })
                .collect();
            Some(format!("Update {}", fixes.join("; ")))
        }
    }
}

fn vulnerability(affected: &[Affected<'_>]) -> Option<Value> {
    let finding = affected.first()?.finding;
    let mut entry = json!({"id": finding.id});
    if !finding.aliases.is_empty() || finding.cnnvd.is_some() {
        let names = finding.aliases.iter().chain(&finding.cnnvd);
        let references: Vec<Value> = names
            .map(|name| json!({"id": name, "source": {"name": source_of(name)}}))
            .collect();
        set(&mut entry, "references", references.into());
    }
    set(&mut entry, "ratings", ratings(finding));
    let cwes: Vec<u64> = finding
        .cwes
        .iter()
        .filter_map(|cwe| cwe.strip_prefix("CWE-")?.parse().ok())
        .filter(|number| *number > 0)
        .collect();
    if !cwes.is_empty() {
        set(&mut entry, "cwes", cwes.into());
    }
    for (key, text) in [
        ("description", &finding.title),
        ("detail", &finding.description),
    ] {
        if !text.is_empty() {
            set(&mut entry, key, text.as_str().into());
        }
    }
    if let Some(recommendation) = recommendation(affected) {
        set(&mut entry, "recommendation", recommendation.into());
    }
    let links = finding
        .references
        .iter()
        .filter_map(|url| crate::escape::link(url));
    let advisories: Vec<Value> = links.map(|url| json!({"url": url})).collect();
    if !advisories.is_empty() {
        set(&mut entry, "advisories", advisories.into());
    }
    if let Some(published) = finding.published.as_deref().and_then(date_time) {
        set(&mut entry, "published", published.into());
    }
    if let Some(analysis) = analysis(finding) {
        set(&mut entry, "analysis", analysis);
    }
    let affects: Vec<Value> = affected
        .iter()
        .map(|one| json!({"ref": one.reference}))
        .collect();
    set(&mut entry, "affects", affects.into());
    set(&mut entry, "properties", properties(finding, affected));
    Some(entry)
}

/// The publisher of an identifier, by its prefix.
fn source_of(name: &str) -> &str {
    match name.split_once('-') {
        Some(("CVE", _)) => "NVD",
        Some((prefix, _)) => prefix,
        None => name,
    }
}

/// A `date-time` (RFC 3339); advisories that have a day alone get midnight.
fn date_time(text: &str) -> Option<String> {
    if let Ok(day) = text.parse::<jiff::civil::Date>()
        && text.len() == 10
    {
        return Some(format!("{day}T00:00:00Z"));
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn ratings(finding: &Finding) -> Value {
    let mut ratings = vec![json!({
        "source": {"name": finding.severity_source},
        "severity": severity(finding.severity),
    })];
    ratings.extend(finding.cvss.iter().map(|cvss: &Cvss| {
        json!({
            "source": {"name": cvss.source},
            "score": cvss.score,
            "severity": severity(Severity::from_score(cvss.score)),
            "method": match cvss.version {
                CvssVersion::V2 => "CVSSv2",
                CvssVersion::V3_0 => "CVSSv3",
                CvssVersion::V3_1 => "CVSSv31",
                CvssVersion::V4_0 => "CVSSv4",
            },
            "vector": cvss.vector,
        })
    }));
    ratings.into()
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Negligible => "info",
        other => other.name(),
    }
}

/// What a VEX statement or a rule decided. An ignored flaw is still exploitable as far as anybody
/// knows; somebody decided to live with it.
fn analysis(finding: &Finding) -> Option<Value> {
    let mut analysis = Map::new();
    let state = match finding.status {
        Status::Affected => return None,
        Status::UnderInvestigation => Some("in_triage"),
        Status::NotAffected => Some("not_affected"),
        Status::Fixed => Some("resolved"),
        Status::Ignored => None,
    };
    match state {
        Some(state) => analysis.insert("state".to_owned(), state.into()),
        None => analysis.insert("response".to_owned(), json!(["will_not_fix"])),
    };
    analysis.insert("detail".to_owned(), held::why(finding).into());
    Some(analysis.into())
}

/// Of the packages, the highest priority, and each of the other values that they have.
fn properties(finding: &Finding, affected: &[Affected<'_>]) -> Value {
    let each = |value: fn(&Finding) -> &'static str| {
        let values = affected.iter().map(|one| value(one.finding));
        values.collect::<BTreeSet<_>>()
    };
    let fixes = each(|finding| finding.fix.state.name());
    let confidences = each(|finding| finding.confidence.name());
    let priority = finding.priority.score.to_string();
    let mut properties = vec![property("seawall:priority", priority)];
    properties.extend(fixes.into_iter().map(|fix| property("seawall:fix", fix)));
    properties.extend(
        confidences
            .into_iter()
            .map(|confidence| property("seawall:confidence", confidence)),
    );
    if finding.kev {
        properties.push(property("seawall:kev", "true"));
    }
    if let Some(epss) = finding.epss {
        properties.push(property("seawall:epss", epss.score.to_string()));
    }
    properties.into()
}

#[cfg(test)]
mod tests {
    use crate::Format;
    use crate::testing::{self, check_golden, rendered};
    use serde_json::Value;

    #[test]
    fn a_version_longer_than_the_schema_admits_is_in_the_purl_alone() {
        let mut inventory = testing::inventory();
        inventory.packages[5].version = "9".repeat(3000);
        let options = crate::Options::default();
        let text = testing::rendered_with(Format::CycloneDx, &options, &inventory, &[], None);
        let bom: Value = serde_json::from_str(&text).unwrap();
        let component = bom["components"].as_array().unwrap().last().unwrap();
        assert_eq!(component["name"], "redis");
        assert_eq!(component.get("version"), None);
        assert!(component["purl"].as_str().unwrap().len() > 3000);
    }

    #[test]
    fn a_flaw_of_several_packages_was_listed_once_for_each_fix() {
        let (inventory, mut findings) = (testing::inventory(), testing::findings());
        let one = findings.remove(0);
        let mut other = one.clone();
        other.package = seawall_model::PackageIndex(1);
        other.fix.version = Some("9.9".to_owned());
        other.priority.score = one.priority.score.saturating_sub(1);
        let mut rated = other.clone();
        rated.severity = seawall_model::Severity::Negligible;
        let options = crate::Options::default();
        let findings = [other, one.clone(), rated];
        let text = testing::rendered_with(Format::CycloneDx, &options, &inventory, &findings, None);
        let bom: Value = serde_json::from_str(&text).unwrap();
        let listed = bom["vulnerabilities"].as_array().unwrap();
        assert_eq!(listed.len(), 2, "{listed:?}");
        assert_eq!(listed[0]["affects"].as_array().unwrap().len(), 2);
        let score = one.priority.score.to_string();
        assert_eq!(listed[0]["properties"][0]["value"], score.as_str());
        let recommended = listed[0]["recommendation"].as_str().unwrap();
        assert!(recommended.contains(" to 9.9"), "{recommended}");
    }

    #[test]
    fn a_bill_of_materials_with_findings() {
        check_golden("report.cdx.json", &rendered(Format::CycloneDx));
    }
}
