//! Findings as people act on them: by the part of the image and its owner, then by layer, then
//! folded to one row for each package and fix.

use std::collections::{BTreeMap, BTreeSet};

use seawall_model::{Finding, Fix, FixState, Layer, Package, Role, Severity};
use unicode_width::UnicodeWidthStr;

use crate::Report;

/// The findings of one layer (or of a target without layers) that count.
pub(crate) struct Group<'a> {
    pub(crate) role: Role,
    pub(crate) owner: Option<&'a str>,
    pub(crate) layer: Option<&'a Layer>,
    /// Number of findings, before folding.
    pub(crate) findings: usize,
    /// Those with a fix.
    pub(crate) fixable: usize,
    /// The highest priority first.
    pub(crate) rows: Vec<Row<'a>>,
}

/// The findings of one package, or of the binary packages of one source package, that the same
/// update mends.
pub(crate) struct Row<'a> {
    /// The package; for several of one source package `openssl (3 packages)`.
    pub(crate) package: String,
    /// The source package, or the package itself.
    pub(crate) source: &'a str,
    pub(crate) version: &'a str,
    pub(crate) fix: &'a Fix,
    /// The worst of them.
    pub(crate) severity: Severity,
    /// One for each flaw, the highest priority first.
    pub(crate) flaws: Vec<&'a Finding>,
}

/// One entry of "do first": a package to act on, and its worst flaw.
pub(crate) struct First<'a> {
    pub(crate) finding: &'a Finding,
    pub(crate) package: &'a str,
    pub(crate) version: &'a str,
    /// Where it lies, unless a package manager knows.
    pub(crate) path: Option<&'a str>,
    /// Number of other flaws in the package, or in packages of the same source.
    pub(crate) others: usize,
}

impl<'a> Group<'a> {
    /// What the part is told apart by: role, owner and base image.
    pub(crate) fn part(&self) -> (Role, Option<&'a str>, Option<&'a str>) {
        let base = self.layer.and_then(|layer| layer.base.as_deref());
        (self.role, self.owner, base)
    }

    /// `BASE debian:12, owner platform team`. Only layers have a role.
    pub(crate) fn title(&self) -> String {
        let mut title = match self.layer {
            Some(_) => self.role.name().to_uppercase(),
            None => "FINDINGS".to_owned(),
        };
        if let Some(base) = self.layer.and_then(|layer| layer.base.as_deref()) {
            title.push(' ');
            title.push_str(base);
        }
        if self.layer.is_some_and(|layer| layer.role_guessed) {
            title.push_str(" (guessed from the history)");
        }
        if let Some(owner) = self.owner {
            title.push_str(", owner ");
            title.push_str(owner);
        }
        title
    }
}

impl<'a> Group<'a> {
    /// The rows to show where at most `limit` are wanted: of one package no more than three, so that
    /// a package with thirty fixes does not hide the others.
    pub(crate) fn shown(&self, limit: usize) -> Vec<&Row<'a>> {
        const OF_ONE_PACKAGE: usize = 3;
        if self.rows.len() <= limit {
            return self.rows.iter().collect();
        }
        let mut above = None;
        let mut same = 0;
        let few = |row: &&Row<'a>| {
            let package = (row.source, row.version);
            same = if above == Some(package) { same + 1 } else { 1 };
            above = Some(package);
            same <= OF_ONE_PACKAGE
        };
        self.rows.iter().filter(few).take(limit).collect()
    }
}

impl Row<'_> {
    pub(crate) fn kev(&self) -> bool {
        self.flaws.iter().any(|finding| finding.kev)
    }

    /// As many identifiers as fit into `columns`, with marks, and how many are left.
    pub(crate) fn identifiers(&self, columns: usize) -> String {
        let mut text = String::new();
        for (at, finding) in self.flaws.iter().enumerate() {
            let rest = self.flaws.len() - at - 1;
            let reserve = if rest > 0 { " +000 more".len() } else { 0 };
            let fits = |text: &str, next: &str| text.width() + next.width() + reserve <= columns;
            let separator = if at > 0 { ", " } else { "" };
            let next = format!("{separator}{}", identifier(finding));
            if fits(&text, &next) {
                text.push_str(&next);
            } else if at == 0 {
                text.push_str(&finding.id);
            } else {
                text.push_str(&format!(" +{} more", rest + 1));
                break;
            }
        }
        text
    }

    /// All identifiers, in as many lines of `columns` as they take.
    pub(crate) fn all_identifiers(&self, columns: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for (at, finding) in self.flaws.iter().enumerate() {
            let mut next = identifier(finding);
            if at + 1 < self.flaws.len() {
                next.push(',');
            }
            match lines.last_mut() {
                Some(line) if line.width() + 1 + next.width() <= columns => {
                    line.push(' ');
                    line.push_str(&next);
                }
                _ => lines.push(next),
            }
        }
        lines
    }
}

/// An identifier with `KEV`, and with the EPSS probability where it is 10 % or more.
fn identifier(finding: &Finding) -> String {
    let mut text = finding.id.clone();
    if finding.kev {
        text.push_str(" KEV");
    }
    if let Some(epss) = finding.epss.filter(|epss| epss.score >= 0.1) {
        text.push_str(&format!(" EPSS {:.0}%", epss.score * 100.0));
    }
    text
}

/// All findings that count, base first, then middleware, then application, layers from the base up.
pub(crate) fn of<'a>(report: &'a Report<'_>) -> Vec<Group<'a>> {
    type Key<'a> = (Role, Option<&'a str>, Option<&'a str>, Option<u32>);
    let mut found: BTreeMap<Key<'a>, Vec<(&'a Finding, &'a Package)>> = BTreeMap::new();
    for finding in report.findings.iter().filter(|f| f.status.counts()) {
        if let Some(package) = report.package(finding) {
            let layer = report.layer(package);
            let base = layer.and_then(|layer| layer.base.as_deref());
            let key = (
                package.role,
                package.owner.as_deref(),
                base,
                layer.map(|l| l.index),
            );
            found.entry(key).or_default().push((finding, package));
        }
    }
    found
        .into_iter()
        .map(|((role, owner, ..), found)| Group {
            role,
            owner,
            layer: found.first().and_then(|(_, package)| report.layer(package)),
            findings: found.len(),
            fixable: found
                .iter()
                .filter(|(f, _)| f.fix.state == FixState::Fixed)
                .count(),
            rows: fold(&found),
        })
        .collect()
}

/// The packages to act on first, each once, however many flaws it has and however many packages
/// were built from its source.
pub(crate) fn first<'a>(report: &'a Report<'_>, most: usize) -> Vec<First<'a>> {
    let mut chosen: Vec<(First<'a>, BTreeSet<&'a str>)> = Vec::new();
    let mut places = BTreeMap::new();
    for finding in report.findings.iter().filter(|f| f.status.counts()) {
        let Some(package) = report.package(finding) else {
            continue;
        };
        let key = (package.kind, source_name(package), package.version.as_str());
        let next = chosen.len();
        let place = *places.entry(key).or_insert(next);
        if place == next && next < most {
            let first = First {
                finding,
                package: &package.name,
                version: &package.version,
                path: package
                    .paths
                    .first()
                    .filter(|_| !package.kind.is_os())
                    .map(String::as_str),
                others: 0,
            };
            chosen.push((first, BTreeSet::new()));
        }
        if let Some((_, flaws)) = chosen.get_mut(place) {
            flaws.insert(&finding.id);
        }
    }
    chosen
        .into_iter()
        .map(|(first, flaws)| First {
            others: flaws.len().saturating_sub(1),
            ..first
        })
        .collect()
}

/// What a flaw is, where its advisory says more than its name.
pub(crate) fn title(finding: &Finding) -> Option<&str> {
    Some(finding.title.as_str()).filter(|title| !title.is_empty() && *title != finding.id)
}

fn source_name(package: &Package) -> &str {
    package
        .source
        .as_ref()
        .map_or(package.name.as_str(), |source| source.name.as_str())
}

/// Findings come ordered by priority; packages, their rows and the flaws in these keep that order.
fn fold<'a>(found: &[(&'a Finding, &'a Package)]) -> Vec<Row<'a>> {
    let mut rows: Vec<(Row<'a>, BTreeSet<&'a str>, BTreeSet<&'a str>)> = Vec::new();
    let mut places = BTreeMap::new();
    for (finding, package) in found {
        let key = (
            package.kind,
            source_name(package),
            package.version.as_str(),
            finding.fix.state.name(),
            finding.fix.version.as_deref(),
        );
        let place = *places.entry(key).or_insert_with(|| {
            let row = Row {
                package: String::new(),
                source: source_name(package),
                version: &package.version,
                fix: &finding.fix,
                severity: Severity::Unknown,
                flaws: Vec::new(),
            };
            rows.push((row, BTreeSet::new(), BTreeSet::new()));
            rows.len() - 1
        });
        let Some((row, names, ids)) = rows.get_mut(place) else {
            continue;
        };
        names.insert(&package.name);
        row.package = match (names.len(), names.first()) {
            (1, Some(name)) => (*name).to_owned(),
            (number, _) => format!("{} ({number} packages)", source_name(package)),
        };
        row.severity = row.severity.max(finding.severity);
        if ids.insert(&finding.id) {
            row.flaws.push(finding);
        }
    }
    let mut rows: Vec<Row<'a>> = rows.into_iter().map(|(row, ..)| row).collect();
    // The rows of one package stay together, where its first one is.
    let mut order = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        order.entry((row.source, row.version)).or_insert(place);
    }
    rows.sort_by_key(|row| order.get(&(row.source, row.version)).copied());
    rows
}
