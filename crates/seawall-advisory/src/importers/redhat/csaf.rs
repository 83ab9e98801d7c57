//! CSAF 2.0 documents (<https://docs.oasis-open.org/csaf/csaf/v2.0/>) as Red Hat publishes them
//! below <https://security.access.redhat.com/data/csaf/v2/>.

use super::super::document;
use super::super::rpm_rows::{Key, RpmRows, Verdict, is_debug_package};
use super::super::text::date;
use super::super::{FeedFile, Records};
use super::products::{Component, Other, Products, Tree};
use super::{NOT_RPM, OTHER_PRODUCTS};
use crate::{Advisory, CoveredFlaw, NameKind, Source, State, cvss};
use seawall_model::{Cvss, Severity};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

#[derive(Deserialize)]
struct Csaf {
    document: Head,
    #[serde(default)]
    product_tree: Tree,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    title: String,
    #[serde(default)]
    aggregate_severity: Option<Text>,
    tracking: Tracking,
    #[serde(default)]
    notes: Vec<Note>,
    #[serde(default)]
    references: Vec<Reference>,
}

#[derive(Deserialize)]
struct Text {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Tracking {
    id: String,
    #[serde(default)]
    initial_release_date: Option<String>,
    #[serde(default)]
    current_release_date: Option<String>,
}

#[derive(Deserialize)]
struct Note {
    #[serde(default)]
    category: String,
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    url: String,
}

#[derive(Deserialize)]
struct Vulnerability {
    #[serde(default)]
    cve: Option<String>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    cwe: Option<Cwe>,
    #[serde(default)]
    notes: Vec<Note>,
    #[serde(default)]
    references: Vec<Reference>,
    #[serde(default)]
    product_status: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    remediations: Vec<Remediation>,
    #[serde(default)]
    scores: Vec<BTreeMap<String, Value>>,
    #[serde(default)]
    threats: Vec<Threat>,
}

#[derive(Deserialize)]
struct Cwe {
    id: String,
}

#[derive(Deserialize)]
struct Remediation {
    category: String,
    #[serde(default)]
    product_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Threat {
    #[serde(default)]
    category: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    product_ids: Vec<String>,
}

pub(super) fn import(file: &FeedFile<'_>, records: &mut Records) {
    let csaf: Csaf = match document::json(file) {
        Ok(csaf) => csaf,
        Err(incomplete) => return records.incomplete.push(incomplete),
    };
    let products = Products::new(&csaf.product_tree);
    let head = &csaf.document;
    if head.tracking.id.starts_with("RHSA") {
        import_bulletin(&csaf, &products, records);
    } else {
        for vulnerability in &csaf.vulnerabilities {
            import_flaw(head, vulnerability, &products, records);
        }
    }
}

/// An advisory: everything that it mends, in any of its flaws.
fn import_bulletin(csaf: &Csaf, products: &Products<'_>, records: &mut Records) {
    let head = &csaf.document;
    let mut advisory = record(head.tracking.id.as_str(), head);
    advisory.title.clone_from(&head.title);
    advisory.description = description(&head.notes);
    advisory.references = links(&head.references);
    let mut seen = HashSet::new();
    let mut rows = Rows::default();
    for vulnerability in &csaf.vulnerabilities {
        if let Some(cve) = &vulnerability.cve {
            let mut flaw = CoveredFlaw::new(cve.as_str());
            flaw.severity = impacts(vulnerability).next().map(|(severity, _)| severity);
            flaw.cvss = scores(vulnerability);
            advisory.covers.push(flaw);
        }
        for id in statuses(vulnerability, "fixed").filter(|id| seen.insert(*id)) {
            rows.add(products, id, Status::Fixed, None, records);
        }
    }
    advisory.affected = rows.finish();
    if !advisory.affected.is_empty() {
        records.advisories.push(advisory);
    }
}

/// A VEX file: what Red Hat says of one flaw in each of its products.
fn import_flaw(
    head: &Head,
    vulnerability: &Vulnerability,
    products: &Products<'_>,
    records: &mut Records,
) {
    let id = vulnerability.cve.as_ref().unwrap_or(&head.tracking.id);
    let mut advisory = record(id, head);
    advisory.title = match vulnerability.title.as_str() {
        "" => head.title.clone(),
        title => title.to_owned(),
    };
    advisory.description = description(&vulnerability.notes);
    advisory.references = links(&vulnerability.references);
    advisory.cwes = vulnerability.cwe.iter().map(|cwe| cwe.id.clone()).collect();
    advisory.cvss = scores(vulnerability);
    let declined: HashSet<&str> = vulnerability
        .remediations
        .iter()
        .filter(|remediation| remediation.category == "no_fix_planned")
        .flat_map(|remediation| remediation.product_ids.iter().map(String::as_str))
        .collect();
    // Rows name a rating of their own only where it is not the same for all.
    let rated: HashMap<&str, Severity> = impacts(vulnerability)
        .filter(|(severity, _)| Some(*severity) != advisory.severity)
        .flat_map(|(severity, ids)| ids.iter().map(move |id| (id.as_str(), severity)))
        .collect();
    let mut rows = Rows::default();
    for (status, verdict) in [
        ("fixed", Status::Fixed),
        ("known_affected", Status::Verdict(Verdict::Open)),
        ("known_not_affected", Status::Verdict(Verdict::NotAffected)),
        (
            "under_investigation",
            Status::Verdict(Verdict::UnderInvestigation),
        ),
    ] {
        for id in statuses(vulnerability, status) {
            let verdict = match status == "known_affected" && declined.contains(id) {
                true => Status::Verdict(Verdict::WontFix),
                false => verdict.clone(),
            };
            rows.add(products, id, verdict, rated.get(id).copied(), records);
        }
    }
    advisory.affected = rows.finish();
    if !advisory.affected.is_empty() {
        records.advisories.push(advisory);
    }
}

fn record(id: &str, head: &Head) -> Advisory {
    let mut advisory = Advisory::new(id, Source::RedHat);
    let tracking = &head.tracking;
    advisory.published = tracking.initial_release_date.as_deref().and_then(date);
    advisory.modified = tracking.current_release_date.as_deref().and_then(date);
    let rating = head.aggregate_severity.as_ref();
    advisory.severity = rating.and_then(|rating| Severity::from_word(&rating.text));
    advisory
}

#[derive(Clone)]
enum Status {
    /// Mended with the version that the product names.
    Fixed,
    Verdict(Verdict),
}

/// Rows of binary packages, and those of sources apart: a source speaks for packages that are not
/// named, so its fixes are taken only where no binary package of the release is named.
#[derive(Default)]
struct Rows {
    binaries: RpmRows,
    sources: RpmRows,
}

impl Rows {
    fn add(
        &mut self,
        products: &Products<'_>,
        id: &str,
        status: Status,
        severity: Option<Severity>,
        records: &mut Records,
    ) {
        let component = match products.component(id) {
            Ok(component) => component,
            Err(Other::Product) => return records.skip(OTHER_PRODUCTS, 1),
            Err(Other::Kind) => return records.skip(NOT_RPM, 1),
        };
        if is_debug_package(&component.name) {
            return;
        }
        let Component {
            ecosystem,
            name,
            version,
            architecture,
            module,
        } = component;
        let source = architecture.as_deref() == Some("src");
        let verdict = match (status, version) {
            (Status::Fixed, Some(version)) => Verdict::Fixed(version),
            (Status::Fixed, None) => return,
            // Advisories call the source rpm that they ship not affected: it is not installed.
            (Status::Verdict(Verdict::NotAffected), Some(_)) if source => return,
            (Status::Verdict(verdict), _) => verdict,
        };
        let key = Key {
            source,
            module,
            severity,
            ..Key::binary(ecosystem, name)
        };
        match source {
            true => self.sources.add(key, verdict, None),
            false => self.binaries.add(key, verdict, architecture.as_deref()),
        }
    }

    fn finish(self) -> Vec<crate::Affected> {
        let mut rows = self.binaries.finish();
        let named: HashSet<_> = rows
            .iter()
            .filter(|row| row.state == State::Affected)
            .map(|row| row.ecosystem.clone())
            .collect();
        let sources = self.sources.finish().into_iter();
        rows.extend(sources.filter(|row| {
            debug_assert_eq!(row.name_kind, NameKind::Source);
            row.state != State::Affected || !named.contains(&row.ecosystem)
        }));
        rows
    }
}

fn statuses<'a>(
    vulnerability: &'a Vulnerability,
    status: &str,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let ids = vulnerability.product_status.get(status);
    ids.into_iter().flatten().map(String::as_str)
}

fn impacts(vulnerability: &Vulnerability) -> impl Iterator<Item = (Severity, &[String])> {
    vulnerability
        .threats
        .iter()
        .filter(|threat| threat.category == "impact")
        .filter_map(|threat| {
            let severity = Severity::from_word(&threat.details)?;
            Some((severity, &threat.product_ids[..]))
        })
}

fn scores(vulnerability: &Vulnerability) -> Vec<Cvss> {
    let mut scores: Vec<Cvss> = Vec::new();
    let objects = vulnerability.scores.iter().flat_map(BTreeMap::values);
    for vector in objects.filter_map(|score| score.get("vectorString")?.as_str()) {
        let score = cvss::parse(vector, Source::RedHat.name());
        scores.extend(score.filter(|score| !scores.contains(score)));
    }
    scores
}

fn description(notes: &[Note]) -> String {
    ["description", "summary", "general"]
        .iter()
        .find_map(|category| notes.iter().find(|note| note.category == *category))
        .map(|note| note.text.clone())
        .unwrap_or_default()
}

fn links(references: &[Reference]) -> Vec<String> {
    let urls = references.iter().map(|reference| reference.url.clone());
    urls.filter(|url| !url.is_empty()).collect()
}
