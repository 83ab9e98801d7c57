//! Records of the same name by the same publisher become one: feeds are split by release, and the
//! same record comes from several files.

use super::normalize;
use crate::record::{Advisory, CnnvdEntry, KevEntry};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// One advisory for each publisher and identifier, ordered by identifier.
///
/// The newest (by `modified`) decides on titles, dates and ratings, and on the rows of every
/// ecosystem it speaks of; where records are equally new, as the parts of a feed split by release
/// or repository are, their rows are joined.
pub(super) fn advisories(advisories: Vec<Advisory>) -> Vec<Advisory> {
    let mut groups: BTreeMap<(String, &'static str), Vec<Advisory>> = BTreeMap::new();
    for advisory in advisories {
        groups
            .entry((advisory.id.clone(), advisory.source.name()))
            .or_default()
            .push(advisory);
    }
    groups
        .into_par_iter()
        .filter_map(|(_, group)| join(group))
        .collect()
}

fn join(mut group: Vec<Advisory>) -> Option<Advisory> {
    // Whole contents take part in the order, so that it does not depend on how they came.
    group.sort_by(|a, b| key(a).cmp(&key(b)));
    let mut newest = group.pop()?;
    let mut newest_of: HashMap<String, Option<String>> = HashMap::new();
    let modified = newest.modified.clone();
    for row in &newest.affected {
        newest_of
            .entry(row.ecosystem.to_string())
            .or_insert_with(|| modified.clone());
    }
    while let Some(older) = group.pop() {
        let modified = older.modified.clone();
        for row in older.affected {
            let known = newest_of
                .entry(row.ecosystem.to_string())
                .or_insert_with(|| modified.clone());
            if *known == modified {
                newest.affected.push(row);
            }
        }
        newest.aliases.extend(older.aliases);
        newest.covers.extend(older.covers);
        newest.cvss.extend(older.cvss);
        newest.cwes.extend(older.cwes);
        newest.references.extend(older.references);
        newest.severity = newest.severity.or(older.severity);
        newest.published = newest.published.or(older.published);
        if newest.title.is_empty() {
            newest.title = older.title;
        }
        if newest.description.is_empty() {
            newest.description = older.description;
        }
    }
    newest.aliases = normalize::names(newest.aliases, &newest.id);
    newest.covers = normalize::covers(newest.covers, &newest.id);
    normalize::cvss(&mut newest.cvss);
    normalize::sort_unique(&mut newest.cwes);
    normalize::references(&mut newest.references);
    normalize::sort_rows(&mut newest.affected);
    Some(newest)
}

type Key<'a> = (
    Option<&'a str>,
    bool,
    Option<&'a str>,
    Option<&'a str>,
    &'a str,
    &'a str,
    Option<seawall_model::Severity>,
    &'a [String],
);

/// The order in which records of one name replace each other, the newest last. At the same date
/// one that is not withdrawn goes before one that is.
fn key(advisory: &Advisory) -> Key<'_> {
    (
        advisory.modified.as_deref(),
        advisory.withdrawn.is_some(),
        advisory.withdrawn.as_deref(),
        advisory.published.as_deref(),
        &advisory.title,
        &advisory.description,
        advisory.severity,
        &advisory.references,
    )
}

/// One entry for each CVE.
pub(super) fn kev(entries: Vec<KevEntry>) -> Vec<KevEntry> {
    let mut entries: Vec<_> = entries
        .into_iter()
        .map(|mut entry| {
            entry.cve = normalize::cut(&normalize::identifier(&entry.cve), 64);
            entry
        })
        .filter(|entry| !entry.cve.is_empty())
        .collect();
    // The catalogue repeats a CVE only in different editions of it: the earliest date stands.
    entries.sort_by(|a, b| {
        (&a.cve, &a.date_added, &a.due_date, !a.ransomware).cmp(&(
            &b.cve,
            &b.date_added,
            &b.due_date,
            !b.ransomware,
        ))
    });
    entries.dedup_by(|later, first| later.cve == first.cve);
    entries
}

/// One entry for each CNNVD number; what several say is joined.
pub(super) fn cnnvd(entries: Vec<CnnvdEntry>) -> Vec<CnnvdEntry> {
    let mut by_id: BTreeMap<String, Vec<CnnvdEntry>> = BTreeMap::new();
    for mut entry in entries {
        entry.id = normalize::cut(&normalize::identifier(&entry.id), 64);
        entry.cves = normalize::names(entry.cves, &entry.id);
        entry.title = normalize::cut(&normalize::one_line(&entry.title), 500);
        entry.description = normalize::cut(entry.description.trim(), 2_000);
        if !entry.id.is_empty() {
            by_id.entry(entry.id.clone()).or_default().push(entry);
        }
    }
    by_id
        .into_values()
        .filter_map(|mut group| {
            // The fullest text stands.
            group.sort_by(|a, b| {
                let key = |e: &CnnvdEntry| (e.description.len(), e.title.len(), e.severity);
                (key(a), &a.description, &a.title, &a.cves).cmp(&(
                    key(b),
                    &b.description,
                    &b.title,
                    &b.cves,
                ))
            });
            let mut fullest = group.pop()?;
            for other in group.into_iter().rev() {
                fullest.cves.extend(other.cves);
                fullest.severity = fullest.severity.or(other.severity);
                if fullest.title.is_empty() {
                    fullest.title = other.title;
                }
            }
            fullest.cves = normalize::names(fullest.cves, &fullest.id);
            Some(fullest)
        })
        .collect()
}
