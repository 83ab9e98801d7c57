//! An inventory in, findings out.
//!
//! Three steps: every package is held against the rows of its name, and the publishers' statements
//! about each flaw are weighed (in parallel, [`package`]); the texts of what was found are unpacked,
//! each group once ([`details`]); and the findings are put together ([`finding`]).

mod applies;
mod details;
mod explain;
mod finding;
mod minor;
mod package;
mod publishers;
mod ranges;
mod select;
#[cfg(test)]
mod tests;

use crate::database::{Database, DatabaseError};
pub use explain::Says;

use details::{Details, Wanted};
use rayon::prelude::*;
use seawall_model::{
    Ecosystem, Finding, Incomplete, IncompleteReason, Inventory, Package, PackageIndex, PackageType,
};
use select::{Selection, Selector};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

/// An ecosystem whose newest advisory is this many months older than the database's newest is
/// fed no more: even small ecosystems hear of a flaw twice a year.
const STALE_MONTHS: u32 = 6;

/// A distribution has had flaws in more packages than this soon after its release: a database with
/// fewer was most likely given an excerpt of its feed, which the few packages of a minimal image would
/// not show.
const FEW_PACKAGES: u32 = 100;
const MANY_PACKAGES: usize = 10;

/// Most findings of one target. A package of the kernel has some thousands, and a hostile document can
/// list it any number of times.
const MAX_FINDINGS: usize = 500_000;

/// What matching an inventory gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matches {
    /// Ordered by package, then identifier. Priority and policy are not applied yet.
    pub findings: Vec<Finding>,
    /// Packages that could not be matched, and why.
    pub incomplete: Vec<Incomplete>,
    /// What a reader should know of how it was matched, one sentence each: that one distribution's
    /// advisories stood in for another's.
    pub notes: Vec<String>,
}

impl Database {
    /// Finds the flaws of an inventory's packages.
    ///
    /// # Errors
    /// The database is damaged.
    pub fn match_inventory(&self, inventory: &Inventory) -> Result<Matches, DatabaseError> {
        self.match_up_to(inventory, MAX_FINDINGS)
    }

    fn match_up_to(&self, inventory: &Inventory, most: usize) -> Result<Matches, DatabaseError> {
        let selector = Selector::new(self, inventory.distro.as_ref());
        let selections: Vec<Selection<'_>> = inventory
            .packages
            .par_iter()
            .map(|package| selector.select(package))
            .collect();
        let outcomes = self.evaluate(&selections, &inventory.packages, most)?;
        let verdicts = outcomes.iter().flat_map(|outcome| &outcome.verdicts);
        let wanted = Wanted::by(self, verdicts)?;
        let groups = wanted.groups(self)?;
        let details = Details::read(self, wanted, &groups)?;
        let found: Vec<Vec<Finding>> = outcomes
            .par_iter()
            .enumerate()
            .map(|(at, outcome)| {
                let package = PackageIndex(u32::try_from(at).unwrap_or(u32::MAX));
                let mut findings = outcome
                    .verdicts
                    .iter()
                    .map(|verdict| finding::assemble(self, &details, package, verdict))
                    .collect::<Result<Vec<_>, _>>()?;
                findings.sort_by(|a, b| a.id.cmp(&b.id));
                Ok(findings)
            })
            .collect::<Result<_, DatabaseError>>()?;
        Ok(Matches {
            findings: found.into_iter().flatten().collect(),
            incomplete: incomplete(inventory, &selections, &outcomes, most),
            notes: notes(self, &selections)?,
        })
    }

    /// What is found for each package, up to the one with which there are `most` findings.
    fn evaluate(
        &self,
        selections: &[Selection<'_>],
        packages: &[Package],
        most: usize,
    ) -> Result<Vec<package::Outcome>, DatabaseError> {
        let findings = AtomicUsize::new(0);
        let all: Option<Vec<package::Outcome>> = selections
            .par_iter()
            .zip(packages)
            .map(|(selection, package)| {
                if findings.load(Ordering::Relaxed) > most {
                    return Ok(None);
                }
                let outcome = package::evaluate(self, selection, package)?;
                findings.fetch_add(outcome.verdicts.len(), Ordering::Relaxed);
                Ok(Some(outcome))
            })
            .collect::<Result<Vec<_>, DatabaseError>>()?
            .into_iter()
            .collect();
        match all {
            Some(all) if findings.into_inner() <= most => Ok(all),
            // Which ones are left out must not be chance.
            _ => self.evaluate_in_order(selections, packages, most),
        }
    }

    fn evaluate_in_order(
        &self,
        selections: &[Selection<'_>],
        packages: &[Package],
        most: usize,
    ) -> Result<Vec<package::Outcome>, DatabaseError> {
        let mut outcomes = Vec::new();
        let mut findings = 0;
        for (selection, package) in selections.iter().zip(packages) {
            let outcome = package::evaluate(self, selection, package)?;
            findings += outcome.verdicts.len();
            if findings > most {
                break;
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }
}

fn notes(database: &Database, selections: &[Selection<'_>]) -> Result<Vec<String>, DatabaseError> {
    let mut notes: Vec<String> = selections
        .iter()
        .filter_map(|selection| selection.stands_in_for.as_ref().zip(selection.ecosystem()))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|(own, used)| {
            format!("no advisories for {own} in this database: those for {used} were used")
        })
        .collect();
    let mut unpublished: BTreeMap<PackageType, usize> = BTreeMap::new();
    for kind in selections.iter().filter_map(|it| it.unpublished) {
        *unpublished.entry(kind).or_default() += 1;
    }
    // No other database would match them either: this one is no less whole for it.
    notes.extend(unpublished.into_iter().map(|(kind, packages)| {
        format!(
            "no publisher has advisories for {} packages: {} not matched",
            kind.name(),
            counted(packages, "package was", "packages were")
        )
    }));
    let newest = database.statistics()?.newest;
    let mut used: BTreeMap<&str, (&Ecosystem, usize)> = BTreeMap::new();
    for (ecosystem, key) in selections.iter().filter_map(Selection::scope) {
        used.entry(key).or_insert((ecosystem, 0)).1 += 1;
    }
    for (key, (ecosystem, packages)) in used {
        let (known, ends) = database.coverage(key);
        let is_distro = matches!(ecosystem, Ecosystem::Distro { .. });
        if is_distro && packages >= MANY_PACKAGES && known < FEW_PACKAGES {
            notes.push(format!(
                "this database has advisories for only {} of {key}: of the others nothing is known",
                counted(known as usize, "package", "packages")
            ));
        }
        if let Some(ends) = ends
            && months(newest) > months(Some(ends)) + STALE_MONTHS
        {
            let day = ends.get(..10).unwrap_or(ends);
            notes.push(format!(
                "the newest advisory for {key} in this database is of {day}: \
                 flaws that became known later are not found"
            ));
        }
    }
    Ok(notes)
}

/// Months from year 0 to a date; 0 for what is none.
fn months(date: Option<&str>) -> u32 {
    let part = |from: usize, to: usize| date?.get(from..to)?.parse::<u32>().ok();
    part(0, 4)
        .zip(part(5, 7))
        .map_or(0, |(year, month)| year * 12 + month)
}

fn incomplete(
    inventory: &Inventory,
    selections: &[Selection<'_>],
    outcomes: &[package::Outcome],
    most: usize,
) -> Vec<Incomplete> {
    let mut without: BTreeMap<&str, usize> = BTreeMap::new();
    for selection in selections {
        if let Some(what) = &selection.without_advisories {
            *without.entry(what).or_default() += 1;
        }
    }
    let mut incomplete: Vec<Incomplete> = without
        .into_iter()
        .map(|(what, packages)| {
            Incomplete::new(
                IncompleteReason::NoAdvisories,
                what,
                format!(
                    "no advisories for {what} in this database: {} not matched",
                    counted(packages, "package was", "packages were")
                ),
            )
            .hint("run `seawall db update`, or add its feed with `seawall db build --from PATH`")
        })
        .collect();
    let unmatched = inventory.packages.len() - outcomes.len();
    if unmatched > 0 {
        let message = format!(
            "there are more than {most} findings: the last {} not matched",
            counted(unmatched, "package was", "packages were")
        );
        let place = inventory.target.name.as_str();
        incomplete.push(Incomplete::new(
            IncompleteReason::LimitReached,
            place,
            message,
        ));
    }
    for (package, outcome) in inventory.packages.iter().zip(outcomes) {
        if let Some(error) = &outcome.first_error {
            incomplete.push(Incomplete::new(
                IncompleteReason::Unsupported,
                package
                    .paths
                    .first()
                    .cloned()
                    .unwrap_or_else(|| package.name.clone()),
                format!(
                    "{} {}: {} could not be compared: {error}",
                    package.name,
                    package.version,
                    counted(outcome.errors, "advisory", "advisories")
                ),
            ));
        }
    }
    incomplete
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
