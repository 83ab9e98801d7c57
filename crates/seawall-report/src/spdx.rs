//! SPDX 2.3 in JSON: <https://spdx.github.io/spdx-spec/v2.3/>.

use std::collections::BTreeMap;
use std::io::{self, Write};

use seawall_model::{Finding, Package, TargetKind};
use serde::Serialize;
use serde_json::{Value, json};

use crate::json_text::{self, Lazy};
use crate::{Report, escape, held, sbom};

/// Identifier of what was scanned.
const ROOT: &str = "SPDXRef-Target";
const OPERATING_SYSTEM: &str = "SPDXRef-OperatingSystem";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a, P: Serialize, R: Serialize> {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: &'a str,
    document_namespace: String,
    creation_info: Value,
    packages: P,
    relationships: R,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    has_extracted_licensing_infos: Vec<Value>,
}

pub(crate) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let inventory = report.inventory;
    let mut findings: BTreeMap<usize, Vec<&Finding>> = BTreeMap::new();
    for finding in report.findings {
        findings
            .entry(finding.package.0 as usize)
            .or_default()
            .push(finding);
    }
    let mut extracted = BTreeMap::new();
    for package in &inventory.packages {
        licenses(&package.licenses, &mut extracted);
    }
    let system = operating_system(report);
    let mut document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: "SPDXRef-DOCUMENT",
        name: &inventory.target.name,
        document_namespace: String::new(),
        creation_info: creation(report),
        packages: Lazy(|| {
            let packages = inventory.packages.iter().enumerate();
            let packages = packages.map(|(number, package)| {
                let mut entry = package_entry(report, package, &package_id(number, package));
                for finding in findings.get(&number).into_iter().flatten() {
                    add_finding(report, finding, &mut entry);
                }
                entry
            });
            let first = std::iter::once(target(report)).chain(system.clone());
            first.chain(packages)
        }),
        relationships: Lazy(|| {
            let describes = relationship("SPDXRef-DOCUMENT", "DESCRIBES", ROOT);
            let system = system
                .iter()
                .map(|_| relationship(ROOT, "CONTAINS", OPERATING_SYSTEM));
            let packages = inventory.packages.iter().enumerate();
            let packages = packages.flat_map(|(number, package)| {
                let id = package_id(number, package);
                let development = package.development;
                let contains = relationship(ROOT, "CONTAINS", &id);
                let develops = development.then(|| relationship(&id, "DEV_DEPENDENCY_OF", ROOT));
                std::iter::once(contains).chain(develops)
            });
            std::iter::once(describes).chain(system).chain(packages)
        }),
        has_extracted_licensing_infos: extracted
            .iter()
            .map(|(id, text)| json!({"licenseId": id, "name": text, "extractedText": text}))
            .collect(),
    };
    let id = sbom::uuid_of(&document)?;
    document.document_namespace = format!("https://spdx.org/spdxdocs/seawall-{id}");
    json_text::write(&document, out)
}

fn package_id(number: usize, package: &Package) -> String {
    format!("SPDXRef-Package-{}-{number}", package.kind.name())
}

fn creation(report: &Report<'_>) -> Value {
    let mut creation = json!({
        "created": report.timestamp(),
        "creators": [format!("Tool: seawall-{}", report.tool_version)],
    });
    // An incomplete inventory must not pass for a whole one.
    let missing = report.inventory.incomplete.iter();
    let missing = missing.map(|entry| format!("INCOMPLETE, {}: {entry}", entry.reason.name()));
    let notices = report
        .notices
        .iter()
        .map(|notice| format!("note: {notice}"));
    let lines: Vec<String> = missing.chain(notices).collect();
    if !lines.is_empty()
        && let Some(creation) = creation.as_object_mut()
    {
        creation.insert("comment".to_owned(), lines.join("; ").into());
    }
    creation
}

fn relationship(from: &str, kind: &str, to: &str) -> Value {
    json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to})
}

fn target(report: &Report<'_>) -> Value {
    let target = &report.inventory.target;
    let purpose = match target.kind {
        TargetKind::Image => "CONTAINER",
        TargetKind::Host => "DEVICE",
        TargetKind::Filesystem | TargetKind::Sbom => "APPLICATION",
    };
    let mut entry = bare(ROOT, &target.name, purpose);
    if let Some(entry) = entry.as_object_mut() {
        if let Some(digest) = &target.digest {
            entry.insert("versionInfo".to_owned(), digest.as_str().into());
            if let Some(hash) = digest
                .strip_prefix("sha256:")
                .filter(|hash| hash.len() == 64)
            {
                let checksum = json!([{"algorithm": "SHA256", "checksumValue": hash}]);
                entry.insert("checksums".to_owned(), checksum);
            }
        }
        let properties = sbom::target_properties(report.inventory);
        entry.insert("annotations".to_owned(), annotations(report, &properties));
    }
    entry
}

fn operating_system(report: &Report<'_>) -> Option<Value> {
    let distro = report.inventory.distro.as_ref()?;
    let mut entry = bare(OPERATING_SYSTEM, &distro.id, "OPERATING-SYSTEM");
    if let Some(entry) = entry.as_object_mut() {
        entry.insert("versionInfo".to_owned(), distro.version.as_str().into());
        if let Some(name) = &distro.pretty_name {
            entry.insert("description".to_owned(), name.as_str().into());
        }
        let mut properties: Vec<(&str, &str)> = Vec::new();
        properties.extend(
            distro
                .codename
                .iter()
                .map(|name| ("seawall:codename", name.as_str())),
        );
        properties.extend(
            distro
                .id_like
                .iter()
                .map(|id| ("seawall:id-like", id.as_str())),
        );
        entry.insert("annotations".to_owned(), annotations(report, &properties));
    }
    Some(entry)
}

/// The required fields of a package (section 7), with `NOASSERTION` where we do not look.
fn bare(id: &str, name: &str, purpose: &str) -> Value {
    json!({
        "SPDXID": id,
        "name": name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": purpose,
    })
}

fn package_entry(report: &Report<'_>, package: &Package, id: &str) -> Value {
    let distro = report.inventory.distro.as_ref();
    let mut entry = bare(id, &package.name, "LIBRARY");
    let Some(object) = entry.as_object_mut() else {
        return entry;
    };
    if !package.version.is_empty() {
        object.insert("versionInfo".to_owned(), package.version.as_str().into());
    }
    let supplier = match &package.vendor {
        Some(vendor) => format!("Organization: {vendor}"),
        None => "NOASSERTION".to_owned(),
    };
    object.insert("supplier".to_owned(), supplier.into());
    object.insert(
        "licenseDeclared".to_owned(),
        licenses(&package.licenses, &mut BTreeMap::new()).into(),
    );
    if !package.paths.is_empty() {
        let source = format!("found at: {}", package.paths.join(", "));
        object.insert("sourceInfo".to_owned(), source.into());
    }
    let mut references = vec![json!({
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": sbom::purl(package, distro),
    })];
    let cpes = package
        .cpe_products
        .iter()
        .filter_map(|p| sbom::cpe(p, &package.version));
    references.extend(cpes.map(|cpe| {
        json!({
            "referenceCategory": "SECURITY",
            "referenceType": "cpe23Type",
            "referenceLocator": cpe,
        })
    }));
    object.insert("externalRefs".to_owned(), references.into());
    let mut properties: Vec<(&str, String)> = sbom::package_properties(package);
    properties.extend(
        package
            .paths
            .iter()
            .map(|path| ("seawall:path", path.clone())),
    );
    properties.extend(
        package
            .licenses
            .iter()
            .map(|name| ("seawall:license", name.clone())),
    );
    object.insert("annotations".to_owned(), annotations(report, &properties));
    entry
}

/// Adds a finding: a security reference (annex K) where there is a link to an advisory, else an
/// annotation.
fn add_finding(report: &Report<'_>, finding: &Finding, entry: &mut Value) {
    let fix = finding.fix.version.as_deref();
    let text = format!(
        "{} {}, {}, {}",
        finding.id,
        finding.severity.name(),
        fix.map_or(finding.fix.state.name().to_owned(), |v| format!(
            "fixed in {v}"
        )),
        held::why(finding),
    );
    let link = finding.references.iter().find_map(|url| escape::link(url));
    let (key, value) = match link {
        Some(url) => (
            "externalRefs",
            json!({
                "referenceCategory": "SECURITY",
                "referenceType": "advisory",
                "referenceLocator": url,
                "comment": text,
            }),
        ),
        None => ("annotations", annotation(report, text)),
    };
    if let Some(list) = entry.get_mut(key).and_then(Value::as_array_mut) {
        list.push(value);
    }
}

/// What the format has no field for, as pairs in an annotation (section 12) that we read back.
fn annotations<K: serde::Serialize, V: serde::Serialize>(
    report: &Report<'_>,
    properties: &[(K, V)],
) -> Value {
    let text = format!("seawall:properties {}", json!(properties));
    json!([annotation(report, text)])
}

fn annotation(report: &Report<'_>, text: String) -> Value {
    json!({
        "annotationType": "OTHER",
        "annotator": format!("Tool: seawall-{}", report.tool_version),
        "annotationDate": report.timestamp(),
        "comment": text,
    })
}

/// Declared licences as one expression (annex D). What is no SPDX expression is kept as an
/// extracted licence.
fn licenses(licenses: &[String], extracted: &mut BTreeMap<String, String>) -> String {
    let terms: Vec<String> = licenses
        .iter()
        .map(|license| {
            // References to licences of another document mean nothing in this one.
            if sbom::is_expression(license) && !license.contains("Ref-") {
                if licenses.len() > 1 {
                    format!("({license})")
                } else {
                    license.clone()
                }
            } else {
                let id = format!("LicenseRef-seawall-{}", sbom::uuid(license.as_bytes()));
                extracted.insert(id.clone(), license.clone());
                id
            }
        })
        .collect();
    match terms.is_empty() {
        true => "NOASSERTION".to_owned(),
        false => terms.join(" AND "),
    }
}

#[cfg(test)]
mod tests {
    use crate::Format;
    use crate::testing::{check_golden, rendered};

    #[test]
    fn a_reference_to_another_documents_licence_is_not_left_dangling() {
        let mut extracted = super::BTreeMap::new();
        let licenses = ["LicenseRef-Public-Domain".to_owned(), "MIT".to_owned()];
        let expression = super::licenses(&licenses, &mut extracted);
        let (id, text) = extracted.first_key_value().unwrap();
        assert_eq!(expression, format!("{id} AND (MIT)"));
        assert_eq!(text, "LicenseRef-Public-Domain");
    }

    #[test]
    fn a_bill_of_materials() {
        check_golden("report.spdx.json", &rendered(Format::Spdx));
    }
}
