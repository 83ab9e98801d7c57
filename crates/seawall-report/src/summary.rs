//! Numbers about a report that several writers show.

use std::collections::{BTreeMap, BTreeSet};

use seawall_model::{Finding, FixState, IncompleteReason, Package, PackageType, Role, Severity};

use crate::layout::count;
use crate::{NewerBase, Report};

/// Number of findings of each severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts([usize; Severity::WORST_FIRST.len()]);

impl Counts {
    fn add(&mut self, severity: Severity) {
        for (count, (own, _)) in self.0.iter_mut().zip(Severity::WORST_FIRST.iter().zip(0..)) {
            *count += usize::from(*own == severity);
        }
    }

    /// Number of findings of a severity.
    #[must_use]
    pub fn of(&self, severity: Severity) -> usize {
        self.iter()
            .find(|(own, _)| *own == severity)
            .map_or(0, |(_, count)| count)
    }

    /// Severities with their numbers, the worst first.
    pub fn iter(&self) -> impl Iterator<Item = (Severity, usize)> + '_ {
        Severity::WORST_FIRST
            .into_iter()
            .zip(self.0.iter().copied())
    }

    /// Number of all findings.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }
}

/// What a report amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Packages by type, the most frequent first.
    pub packages: Vec<(PackageType, usize)>,
    /// Findings that count.
    pub counts: Counts,
    /// Different flaws among them: one flaw in three packages is three findings.
    pub flaws: usize,
    /// How many of them are known to be exploited.
    pub kev: usize,
    /// How many of them have a version with the fix.
    pub fixable: usize,
    /// Findings that do not count, by what suppresses them.
    pub suppressed: BTreeMap<&'static str, usize>,
    /// What a newer base image would mend, one entry a base image.
    pub base_updates: Vec<BaseUpdate>,
    /// How far the packages could be matched with advisories.
    pub matching: Matching,
}

/// How far the packages could be matched with advisories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// There was no advisory database.
    NoDatabase,
    /// There are no packages.
    NoPackages,
    /// No package belongs to an ecosystem that has advisories.
    Nothing,
    /// Some ecosystems have no advisories in the database, or none anywhere.
    Partly,
    /// All of them.
    Fully,
}

/// What a newer base image would mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUpdate {
    /// The base image's name in the catalogue; `None` if it is only guessed from the history.
    pub base: Option<String>,
    /// Its owner.
    pub owner: Option<String>,
    /// Findings in its layers that count.
    pub findings: usize,
    /// Those of them whose fix its vendor has published.
    pub fixed: Counts,
    /// A newer build of it that is known.
    pub newest: Option<NewerBase>,
}

impl BaseUpdate {
    fn new(base: Option<&str>, owner: Option<&str>, newest: Option<&NewerBase>) -> Self {
        Self {
            base: base.map(str::to_owned),
            owner: owner.map(str::to_owned),
            findings: 0,
            fixed: Counts::default(),
            newest: newest.cloned(),
        }
    }

    /// One or two sentences that say it all; `None` if an update would mend nothing.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let newest = self.newest.as_ref().filter(|newest| newest.mends > 0);
        if self.fixed.total() == 0 && newest.is_none() {
            return None;
        }
        let worst: Vec<String> = [Severity::Critical, Severity::High]
            .into_iter()
            .map(|severity| (self.fixed.of(severity), severity.name()))
            .filter(|(number, _)| *number > 0)
            .map(|(number, name)| format!("{number} {name}"))
            .collect();
        let worst = match worst.as_slice() {
            [] => String::new(),
            worst => format!(" ({})", worst.join(", ")),
        };
        let base = self.base.as_deref().unwrap_or("base image");
        let mut text = match self.fixed.total() {
            0 => format!("{base} is behind."),
            fixed => format!(
                "A rebuild on an up-to-date {base} would fix {fixed} of its {}{worst}.",
                count(self.findings, "finding")
            ),
        };
        if let Some(newest) = newest {
            let day = newest
                .created
                .as_deref()
                .and_then(|created| created.get(..10));
            let of_day = day.map_or(String::new(), |day| format!(" of {day}"));
            text.push_str(&format!(
                " {}{of_day} already mends {}.",
                newest.name, newest.mends
            ));
        }
        if let Some(owner) = &self.owner {
            text.push_str(&format!(" Ask its owner: {owner}."));
        }
        Some(text)
    }
}

impl Summary {
    /// Adds a report up.
    #[must_use]
    pub fn of(report: &Report<'_>) -> Self {
        let mut counts = Counts::default();
        let mut flaws = BTreeSet::new();
        let mut suppressed = BTreeMap::new();
        let (mut kev, mut fixable) = (0, 0);
        for finding in report.findings {
            if finding.status.counts() {
                counts.add(finding.severity);
                flaws.insert(finding.id.as_str());
                kev += usize::from(finding.kev);
                fixable += usize::from(finding.fix.state == FixState::Fixed);
            } else {
                *suppressed.entry(suppressed_by(finding)).or_default() += 1;
            }
        }
        Self {
            packages: packages_by_type(report),
            counts,
            flaws: flaws.len(),
            kev,
            fixable,
            suppressed,
            base_updates: base_updates(report),
            matching: matching(report),
        }
    }
}

fn suppressed_by(finding: &Finding) -> &'static str {
    finding
        .suppression
        .as_ref()
        .map_or(finding.status.name(), |suppression| suppression.by)
}

fn packages_by_type(report: &Report<'_>) -> Vec<(PackageType, usize)> {
    let mut counts: BTreeMap<PackageType, usize> = BTreeMap::new();
    for package in &report.inventory.packages {
        *counts.entry(package.kind).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
    counts
}

/// One for each known image below, and for a base that is guessed.
fn base_updates(report: &Report<'_>) -> Vec<BaseUpdate> {
    let mut updates: BTreeMap<(Option<&str>, Option<&str>), BaseUpdate> = BTreeMap::new();
    let newer = report.newer_bases.iter();
    for newest in newer.filter(|newest| newest.mends > 0) {
        let (base, owner) = (Some(newest.of.as_str()), newest.owner.as_deref());
        updates.insert((base, owner), BaseUpdate::new(base, owner, Some(newest)));
    }
    for finding in report.findings.iter().filter(|f| f.status.counts()) {
        let Some(package) = report.package(finding) else {
            continue;
        };
        let Some(layer) = report.layer(package) else {
            continue;
        };
        let base = layer.base.as_deref();
        if base.is_none() && package.role != Role::Base {
            continue;
        }
        let owner = package.owner.as_deref();
        let newest = || {
            report
                .newer_bases
                .iter()
                .find(|newest| base == Some(&newest.of))
        };
        let update = updates
            .entry((base, owner))
            .or_insert_with(|| BaseUpdate::new(base, owner, newest()));
        update.findings += 1;
        if finding.fix.state == FixState::Fixed {
            update.fixed.add(finding.severity);
        }
    }
    updates.into_values().collect()
}

fn matching(report: &Report<'_>) -> Matching {
    let inventory = report.inventory;
    let distro = inventory.distro.as_ref();
    let unmatched: Vec<&str> = inventory
        .incomplete
        .iter()
        .filter(|entry| entry.reason == IncompleteReason::NoAdvisories)
        .map(|entry| entry.place.as_str())
        .collect();
    let is_unmatched = |package: &Package| match package.ecosystem(distro) {
        Some(ecosystem) => unmatched.contains(&ecosystem.to_string().as_str()),
        None => true,
    };
    if report.database.is_none() {
        Matching::NoDatabase
    } else if inventory.packages.is_empty() {
        Matching::NoPackages
    } else if inventory.packages.iter().all(is_unmatched) {
        Matching::Nothing
    } else if !unmatched.is_empty() || inventory.packages.iter().any(is_unmatched) {
        Matching::Partly
    } else {
        Matching::Fully
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use seawall_model::Incomplete;

    #[test]
    fn packages_of_which_none_was_matched_were_matched_partly() {
        let found = |places: &[&str]| {
            let mut inventory = testing::inventory();
            inventory.incomplete = places
                .iter()
                .map(|place| Incomplete::new(IncompleteReason::NoAdvisories, *place, "none"))
                .collect();
            let database = Some(testing::database());
            matching(&testing::report(&inventory, &[], database, &[]))
        };
        let inventory = testing::inventory();
        let ecosystems: BTreeSet<String> = inventory
            .packages
            .iter()
            .filter_map(|package| package.ecosystem(inventory.distro.as_ref()))
            .map(|ecosystem| ecosystem.to_string())
            .collect();
        let all: Vec<&str> = ecosystems.iter().map(String::as_str).collect();
        assert_eq!(found(&all), Matching::Nothing);
        assert_eq!(found(&all[1..]), Matching::Partly);
        assert_eq!(found(&[]), Matching::Fully);
        // For one of them nobody has advisories.
        let mut inventory = inventory;
        inventory.packages[0].kind = PackageType::Conda;
        let report = testing::report(&inventory, &[], Some(testing::database()), &[]);
        assert_eq!(matching(&report), Matching::Partly);
    }

    #[test]
    fn every_image_below_has_its_own_update() {
        let mut inventory = testing::inventory();
        let findings = testing::findings();
        let middleware = &mut inventory.layers[1];
        middleware.base = Some("node:18".to_owned());
        middleware.owner = Some("runtimes".to_owned());
        for package in &mut inventory.packages {
            if package.layer == Some(1) {
                package.owner = Some("runtimes".to_owned());
            }
        }
        let newer = NewerBase {
            of: "node:18".to_owned(),
            owner: Some("runtimes".to_owned()),
            name: "node:18".to_owned(),
            digest: None,
            created: Some("2026-03-01T00:00:00Z".to_owned()),
            mends: 2,
        };
        let report = Report {
            tool_version: "1.2.3",
            generated_at: "2026-11-21T00:30:00Z".parse().unwrap(),
            duration: None,
            inventory: &inventory,
            findings: &findings,
            database: None,
            gate: None,
            newer_bases: vec![newer],
            notices: &[],
        };
        let updates = base_updates(&report);
        let told = updates.iter().map(|update| {
            let mends = update.newest.as_ref().map(|newest| newest.mends);
            (update.base.as_deref(), update.owner.as_deref(), mends)
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                (Some("debian:12"), Some("platform team"), None),
                (Some("node:18"), Some("runtimes"), Some(2)),
            ]
        );
        let sentence = updates[1].sentence().unwrap();
        assert!(
            sentence.ends_with("node:18 of 2026-03-01 already mends 2. Ask its owner: runtimes."),
            "{sentence}"
        );
    }
}
