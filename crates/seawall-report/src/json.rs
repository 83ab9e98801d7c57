//! The JSON report. Its shape is a contract: `docs/report-json.md`, `docs/report.schema.json`.
//!
//! Every key is always there, in the order below; what is unknown is `null`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use seawall_model::{
    Cvss, Distro, Finding, Incomplete, Inventory, Layer, Package, Priority, Suppression, Target,
};
use serde::Serialize;

use crate::summary::{BaseUpdate, Counts, Matching, Summary};
use crate::{DatabaseInfo, Report, json_text};

/// Raised when a consumer of the former shape would break.
const SCHEMA_VERSION: u32 = 1;

pub(crate) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let purls = report.purls();
    json_text::write(&Document::of(report, &purls), out)
}

/// Writes the first report with the others in its `reports[]`.
pub(crate) fn write_all(reports: &[Report<'_>], out: &mut dyn Write) -> io::Result<()> {
    let purls: Vec<Vec<String>> = reports.iter().map(Report::purls).collect();
    let mut documents = reports
        .iter()
        .zip(&purls)
        .map(|(report, purls)| Document::of(report, purls));
    let Some(mut first) = documents.next() else {
        return Ok(());
    };
    first.reports = documents.collect();
    json_text::write(&first, out)
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    tool: ToolDto<'a>,
    generated_at: String,
    duration_ms: Option<u64>,
    target: TargetDto<'a>,
    summary: SummaryDto,
    gate: Option<GateDto>,
    database: Option<DatabaseDto<'a>>,
    base_updates: Vec<BaseUpdateDto>,
    layers: Vec<LayerDto<'a>>,
    packages: Vec<PackageDto<'a>>,
    findings: Vec<FindingDto<'a>>,
    incomplete: Vec<IncompleteDto<'a>>,
    notices: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reports: Vec<Document<'a>>,
}

impl<'a> Document<'a> {
    fn of(report: &'a Report<'_>, purls: &'a [String]) -> Self {
        let inventory = report.inventory;
        let distro = inventory.distro.as_ref();
        let summary = Summary::of(report);
        let packages = inventory.packages.iter().zip(purls);
        Self {
            schema_version: SCHEMA_VERSION,
            tool: ToolDto {
                name: "seawall",
                version: report.tool_version,
            },
            generated_at: report.timestamp(),
            duration_ms: report
                .duration
                .map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)),
            target: TargetDto::of(&inventory.target, distro),
            gate: report.gate.as_ref().map(|gate| GateDto {
                fail_on: gate
                    .fail_on
                    .iter()
                    .map(|threshold| threshold.name())
                    .collect(),
                matched: gate.matched,
                failed: gate.failed(),
            }),
            database: report.database.as_ref().map(DatabaseDto::of),
            base_updates: summary.base_updates.iter().map(BaseUpdateDto::of).collect(),
            summary: SummaryDto::of(&summary, inventory),
            layers: inventory.layers.iter().map(LayerDto::of).collect(),
            packages: packages.map(|(p, purl)| PackageDto::of(p, purl)).collect(),
            findings: report
                .findings
                .iter()
                .filter_map(|finding| {
                    let package = report.package(finding)?;
                    let purl = purls.get(finding.package.0 as usize)?;
                    Some(FindingDto::of(finding, package, purl))
                })
                .collect(),
            incomplete: inventory.incomplete.iter().map(IncompleteDto::of).collect(),
            notices: report.notices,
            reports: Vec::new(),
        }
    }
}

#[derive(Serialize)]
struct ToolDto<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct TargetDto<'a> {
    kind: &'static str,
    name: &'a str,
    digest: Option<&'a str>,
    distro: Option<DistroDto<'a>>,
    other_digests: &'a [String],
    tags: &'a [String],
    named_by_store: bool,
    platform: Option<&'a str>,
    created: Option<&'a str>,
    labels: BTreeMap<&'a str, &'a str>,
}

impl<'a> TargetDto<'a> {
    fn of(target: &'a Target, distro: Option<&'a Distro>) -> Self {
        Self {
            kind: target.kind.name(),
            name: &target.name,
            digest: target.digest.as_deref(),
            distro: distro.map(DistroDto::of),
            other_digests: &target.other_digests,
            tags: &target.tags,
            named_by_store: target.named_by_store,
            platform: target.platform.as_deref(),
            created: target.created.as_deref(),
            labels: target
                .labels
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct DistroDto<'a> {
    id: &'a str,
    version: &'a str,
    codename: Option<&'a str>,
    pretty_name: Option<&'a str>,
    end_of_life: Option<EndOfLifeDto<'a>>,
}

impl<'a> DistroDto<'a> {
    fn of(distro: &'a Distro) -> Self {
        Self {
            id: &distro.id,
            version: &distro.version,
            codename: distro.codename.as_deref(),
            pretty_name: distro.pretty_name.as_deref(),
            end_of_life: distro.end_of_life.as_ref().map(|end| EndOfLifeDto {
                date: &end.date,
                passed: end.passed,
            }),
        }
    }
}

#[derive(Serialize)]
struct EndOfLifeDto<'a> {
    date: &'a str,
    passed: bool,
}

#[derive(Serialize)]
struct SummaryDto {
    complete: bool,
    matching: &'static str,
    packages: usize,
    packages_by_type: BTreeMap<&'static str, usize>,
    development_excluded: u32,
    findings: usize,
    flaws: usize,
    severity: SeverityCountsDto,
    kev: usize,
    fixable: usize,
    suppressed: usize,
    suppressed_by: BTreeMap<&'static str, usize>,
}

impl SummaryDto {
    fn of(summary: &Summary, inventory: &Inventory) -> Self {
        Self {
            complete: inventory.incomplete.is_empty(),
            matching: match summary.matching {
                Matching::NoDatabase => "no-database",
                Matching::NoPackages => "no-packages",
                Matching::Nothing => "nothing",
                Matching::Partly => "partly",
                Matching::Fully => "fully",
            },
            packages: summary.packages.iter().map(|(_, count)| count).sum(),
            packages_by_type: summary
                .packages
                .iter()
                .map(|(kind, count)| (kind.name(), *count))
                .collect(),
            development_excluded: inventory.development_excluded,
            findings: summary.counts.total(),
            flaws: summary.flaws,
            severity: SeverityCountsDto::of(&summary.counts),
            kev: summary.kev,
            fixable: summary.fixable,
            suppressed: summary.suppressed.values().sum(),
            suppressed_by: summary.suppressed.clone(),
        }
    }
}

#[derive(Serialize)]
struct SeverityCountsDto {
    critical: usize,
    high: usize,
    medium: usize,
    low: usize,
    negligible: usize,
    unknown: usize,
}

impl SeverityCountsDto {
    fn of(counts: &Counts) -> Self {
        use seawall_model::Severity as S;
        Self {
            critical: counts.of(S::Critical),
            high: counts.of(S::High),
            medium: counts.of(S::Medium),
            low: counts.of(S::Low),
            negligible: counts.of(S::Negligible),
            unknown: counts.of(S::Unknown),
        }
    }
}

#[derive(Serialize)]
struct GateDto {
    fail_on: Vec<&'static str>,
    matched: usize,
    failed: bool,
}

#[derive(Serialize)]
struct DatabaseDto<'a> {
    digest: &'a str,
    newest: Option<&'a str>,
    advisories: u64,
}

impl<'a> DatabaseDto<'a> {
    fn of(database: &'a DatabaseInfo) -> Self {
        Self {
            digest: &database.digest,
            newest: database.newest.as_deref(),
            advisories: database.advisories,
        }
    }
}

#[derive(Serialize)]
struct BaseUpdateDto {
    base: Option<String>,
    owner: Option<String>,
    findings: usize,
    fixed: usize,
    fixed_severity: SeverityCountsDto,
    newest: Option<NewerBaseDto>,
}

#[derive(Serialize)]
struct NewerBaseDto {
    name: String,
    digest: Option<String>,
    created: Option<String>,
    mends: usize,
}

impl BaseUpdateDto {
    fn of(update: &BaseUpdate) -> Self {
        Self {
            base: update.base.clone(),
            owner: update.owner.clone(),
            findings: update.findings,
            fixed: update.fixed.total(),
            fixed_severity: SeverityCountsDto::of(&update.fixed),
            newest: update.newest.as_ref().map(|newest| NewerBaseDto {
                name: newest.name.clone(),
                digest: newest.digest.clone(),
                created: newest.created.clone(),
                mends: newest.mends,
            }),
        }
    }
}

#[derive(Serialize)]
struct LayerDto<'a> {
    index: u32,
    digest: Option<&'a str>,
    diff_id: Option<&'a str>,
    verified: bool,
    created_by: Option<&'a str>,
    base: Option<&'a str>,
    role: &'static str,
    role_guessed: bool,
    chain_id: Option<&'a str>,
    owner: Option<&'a str>,
    size: Option<u64>,
}

impl<'a> LayerDto<'a> {
    fn of(layer: &'a Layer) -> Self {
        Self {
            index: layer.index,
            digest: layer.digest.as_deref(),
            diff_id: layer.diff_id.as_deref(),
            verified: layer.verified,
            created_by: layer.created_by.as_deref(),
            base: layer.base.as_deref(),
            role: layer.role.name(),
            role_guessed: layer.role_guessed,
            chain_id: layer.chain_id.as_deref(),
            owner: layer.owner.as_deref(),
            size: layer.size,
        }
    }
}

#[derive(Serialize)]
struct PackageDto<'a> {
    purl: &'a str,
    name: &'a str,
    version: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    source_name: Option<&'a str>,
    source_version: Option<&'a str>,
    architecture: Option<&'a str>,
    module: Option<&'a str>,
    vendor: Option<&'a str>,
    licenses: &'a [String],
    layer: Option<u32>,
    role: &'static str,
    owner: Option<&'a str>,
    paths: &'a [String],
    evidence: &'static str,
    development: bool,
    folded: u32,
}

impl<'a> PackageDto<'a> {
    fn of(package: &'a Package, purl: &'a str) -> Self {
        let source = package.source.as_ref();
        Self {
            purl,
            name: &package.name,
            version: &package.version,
            kind: package.kind.name(),
            source_name: source.map(|source| source.name.as_str()),
            source_version: source.map(|source| source.version.as_str()),
            architecture: package.architecture.as_deref(),
            module: package.module.as_deref(),
            vendor: package.vendor.as_deref(),
            licenses: &package.licenses,
            layer: package.layer,
            role: package.role.name(),
            owner: package.owner.as_deref(),
            paths: &package.paths,
            evidence: package.evidence.name(),
            development: package.development,
            folded: package.folded,
        }
    }
}

#[derive(Serialize)]
struct FindingDto<'a> {
    id: &'a str,
    aliases: &'a [String],
    cnnvd: Option<&'a str>,
    cnnvd_title: Option<&'a str>,
    package: &'a str,
    layer: Option<u32>,
    role: &'static str,
    owner: Option<&'a str>,
    severity: &'static str,
    severity_source: &'a str,
    cvss: Vec<CvssDto<'a>>,
    epss: Option<EpssDto>,
    kev: bool,
    fix: FixDto<'a>,
    title: &'a str,
    description: &'a str,
    cwes: &'a [String],
    references: &'a [String],
    published: Option<&'a str>,
    matched_by: &'a [String],
    confidence: &'static str,
    priority: PriorityDto<'a>,
    status: &'static str,
    suppression: Option<SuppressionDto<'a>>,
}

impl<'a> FindingDto<'a> {
    fn of(finding: &'a Finding, package: &'a Package, purl: &'a str) -> Self {
        Self {
            id: &finding.id,
            aliases: &finding.aliases,
            cnnvd: finding.cnnvd.as_deref(),
            cnnvd_title: finding.cnnvd_title.as_deref(),
            package: purl,
            layer: package.layer,
            role: package.role.name(),
            owner: package.owner.as_deref(),
            severity: finding.severity.name(),
            severity_source: &finding.severity_source,
            cvss: finding.cvss.iter().map(CvssDto::of).collect(),
            epss: finding.epss.map(|epss| EpssDto {
                score: epss.score,
                percentile: epss.percentile,
            }),
            kev: finding.kev,
            fix: FixDto {
                state: finding.fix.state.name(),
                version: finding.fix.version.as_deref(),
            },
            title: &finding.title,
            description: &finding.description,
            cwes: &finding.cwes,
            references: &finding.references,
            published: finding.published.as_deref(),
            matched_by: &finding.matched_by,
            confidence: finding.confidence.name(),
            priority: PriorityDto::of(&finding.priority),
            status: finding.status.name(),
            suppression: finding.suppression.as_ref().map(SuppressionDto::of),
        }
    }
}

#[derive(Serialize)]
struct CvssDto<'a> {
    version: &'static str,
    vector: &'a str,
    score: f64,
    source: &'a str,
}

impl<'a> CvssDto<'a> {
    fn of(cvss: &'a Cvss) -> Self {
        Self {
            version: cvss.version.name(),
            vector: &cvss.vector,
            score: cvss.score,
            source: &cvss.source,
        }
    }
}

#[derive(Serialize)]
struct EpssDto {
    score: f64,
    percentile: f64,
}

#[derive(Serialize)]
struct FixDto<'a> {
    state: &'static str,
    version: Option<&'a str>,
}

#[derive(Serialize)]
struct PriorityDto<'a> {
    score: u8,
    level: &'static str,
    parts: Vec<PriorityPartDto<'a>>,
}

#[derive(Serialize)]
struct PriorityPartDto<'a> {
    name: &'static str,
    value: &'a str,
    points: i16,
}

impl<'a> PriorityDto<'a> {
    fn of(priority: &'a Priority) -> Self {
        Self {
            score: priority.score,
            level: priority.level.name(),
            parts: priority
                .parts
                .iter()
                .map(|part| PriorityPartDto {
                    name: part.name,
                    value: &part.value,
                    points: part.points,
                })
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct SuppressionDto<'a> {
    by: &'static str,
    source: &'a str,
    reason: Option<&'a str>,
    expires: Option<&'a str>,
}

impl<'a> SuppressionDto<'a> {
    fn of(suppression: &'a Suppression) -> Self {
        Self {
            by: suppression.by,
            source: &suppression.source,
            reason: suppression.reason.as_deref(),
            expires: suppression.expires.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct IncompleteDto<'a> {
    reason: &'static str,
    place: &'a str,
    offset: Option<u64>,
    message: &'a str,
    hint: Option<&'a str>,
}

impl<'a> IncompleteDto<'a> {
    fn of(incomplete: &'a Incomplete) -> Self {
        Self {
            reason: incomplete.reason.name(),
            place: &incomplete.place,
            offset: incomplete.offset,
            message: &incomplete.message,
            hint: incomplete.hint.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::Format;
    use crate::testing::{check_golden, rendered};

    #[test]
    fn the_contract_holds() {
        check_golden("report.json", &rendered(Format::Json));
    }

    #[test]
    fn the_output_has_the_documented_shape() {
        let schema = include_str!("../../../docs/report.schema.json");
        let schema: Value = serde_json::from_str(schema).unwrap();
        let report: Value = serde_json::from_str(&rendered(Format::Json)).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}
