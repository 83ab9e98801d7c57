//! Each record for itself: one spelling, sorted, without duplicates, within the caps. Normalising
//! twice changes nothing more.

use crate::database::cve_number;
use crate::database::stored::{Row, Vector};
use crate::record::{Advisory, Affected, CoveredFlaw, EpssEntry};
use crate::versions::contains;
use seawall_model::{Cvss, Incomplete, IncompleteReason};
use std::collections::{BTreeMap, HashSet};

/// Caps, far above what real feeds hold.
const MAX_ID: usize = 256;
const MAX_NAME: usize = 1024;
const MAX_VERSION: usize = 512;
const MAX_TITLE: usize = 500;
const MAX_DESCRIPTION: usize = 2_000;
const MAX_REFERENCE: usize = 2_048;
const MAX_REFERENCES: usize = 64;
const MAX_ALIASES: usize = 256;
const MAX_COVERS: usize = 20_000;
const MAX_CVSS: usize = 32;
const MAX_CWES: usize = 64;
const MAX_AFFECTED: usize = 200_000;
const MAX_VERSIONS: usize = 50_000;
const MAX_RANGES: usize = 10_000;
/// Listed versions are held against ranges up to this many comparisons a row.
const MAX_COMPARISONS: usize = 1_000_000;

/// Normalises an advisory. `None` when nothing is left of it. What was cut is said.
pub(super) fn advisory(mut advisory: Advisory) -> (Option<Advisory>, Vec<Incomplete>) {
    let mut cuts = Vec::new();
    advisory.id = identifier(&advisory.id);
    if advisory.id.is_empty() || advisory.id.len() > MAX_ID {
        cuts.push(Incomplete::new(
            IncompleteReason::Corrupt,
            advisory.source.name(),
            "an advisory without a usable identifier was left out",
        ));
        return (None, cuts);
    }
    let place = format!("{} {}", advisory.source.name(), advisory.id);
    let mut cap = |what: &str, len: usize, limit: usize| {
        if len > limit {
            cuts.push(Incomplete::new(
                IncompleteReason::LimitReached,
                &*place,
                format!("{len} {what}, of which {limit} are kept"),
            ));
        }
    };
    advisory.aliases = names(std::mem::take(&mut advisory.aliases), &advisory.id);
    cap("aliases", advisory.aliases.len(), MAX_ALIASES);
    advisory.aliases.truncate(MAX_ALIASES);
    advisory.covers = covers(std::mem::take(&mut advisory.covers), &advisory.id);
    cap("covered flaws", advisory.covers.len(), MAX_COVERS);
    advisory.covers.truncate(MAX_COVERS);

    advisory.title = cut(&one_line(&advisory.title), MAX_TITLE);
    advisory.description = cut(advisory.description.trim(), MAX_DESCRIPTION);
    for date in [
        &mut advisory.published,
        &mut advisory.modified,
        &mut advisory.withdrawn,
    ] {
        *date = date
            .take()
            .map(|date| cut(date.trim(), 64))
            .filter(|date| !date.is_empty());
    }
    cvss(&mut advisory.cvss);
    sort_unique(&mut advisory.cwes);
    advisory.cwes.truncate(MAX_CWES);
    references(&mut advisory.references);
    advisory.affected = affected(std::mem::take(&mut advisory.affected), &mut cap);
    (Some(advisory), cuts)
}

/// Sorts the rows of an advisory and drops identical ones.
pub(super) fn sort_rows(rows: &mut Vec<Affected>) {
    rows.sort_by_cached_key(|row| {
        (
            row.ecosystem.to_string(),
            row.name.clone(),
            postcard::to_allocvec(&Row::new(0, row)).unwrap_or_default(),
        )
    });
    rows.dedup();
}

/// Sorts vectors and drops identical ones; scores are cut to the one decimal they have.
pub(super) fn cvss(vectors: &mut Vec<Cvss>) {
    vectors.retain(|cvss| cvss.vector.len() <= MAX_ID && cvss.source.len() <= MAX_ID);
    for cvss in vectors.iter_mut() {
        *cvss = Vector::new(cvss).to_cvss();
    }
    vectors.sort_by(|a, b| Vector::new(a).cmp(&Vector::new(b)));
    vectors.dedup();
    vectors.truncate(MAX_CVSS);
}

/// Sorted and without duplicates; flaws given twice are joined.
pub(super) fn covers(covers: Vec<CoveredFlaw>, own: &str) -> Vec<CoveredFlaw> {
    let mut by_id: BTreeMap<String, CoveredFlaw> = BTreeMap::new();
    for mut flaw in covers {
        flaw.id = identifier(&flaw.id);
        if flaw.id.is_empty() || flaw.id.len() > MAX_ID || flaw.id == own {
            continue;
        }
        match by_id.get_mut(&flaw.id) {
            Some(known) => {
                known.severity = known.severity.max(flaw.severity);
                known.cvss.append(&mut flaw.cvss);
            }
            None => drop(by_id.insert(flaw.id.clone(), flaw)),
        }
    }
    let mut covers: Vec<_> = by_id.into_values().collect();
    for flaw in &mut covers {
        cvss(&mut flaw.cvss);
    }
    covers
}

/// Identifiers without `own`, sorted and without duplicates.
pub(super) fn names(names: Vec<String>, own: &str) -> Vec<String> {
    let mut names: Vec<_> = names
        .iter()
        .map(|name| identifier(name))
        .filter(|name| !name.is_empty() && name.len() <= MAX_ID && name != own)
        .collect();
    sort_unique(&mut names);
    names
}

/// Drops empty and repeated links, keeps their order.
pub(super) fn references(references: &mut Vec<String>) {
    let mut seen = HashSet::new();
    references.retain(|link| {
        let link = link.trim();
        !link.is_empty() && link.len() <= MAX_REFERENCE && seen.insert(link.to_owned())
    });
    references.truncate(MAX_REFERENCES);
    for link in references {
        *link = link.trim().to_owned();
    }
}

/// Sorts and drops repetitions.
pub(super) fn sort_unique(texts: &mut Vec<String>) {
    texts.retain(|text| text.len() <= MAX_VERSION);
    texts.sort_unstable();
    texts.dedup();
}

/// A prediction: year and number of the CVE, score and percentile in 1e-9.
pub(super) type Prediction = (u32, u32, u32, u32);

/// Predictions sorted by CVE; the highest stands where a CVE is given twice.
pub(super) fn epss(entries: Vec<EpssEntry>, cuts: &mut Vec<Incomplete>) -> Vec<Prediction> {
    let mut wrong = 0;
    let mut predictions: Vec<Prediction> = entries
        .into_iter()
        .filter_map(|entry| {
            let prediction = cve_number(&entry.cve).and_then(|(year, number)| {
                let nano = |share: f64| {
                    (0.0..=1.0)
                        .contains(&share)
                        .then(|| (share * 1e9).round() as u32)
                };
                Some((year, number, nano(entry.score)?, nano(entry.percentile)?))
            });
            wrong += usize::from(prediction.is_none());
            prediction
        })
        .collect();
    if wrong > 0 {
        cuts.push(Incomplete::new(
            IncompleteReason::Corrupt,
            "EPSS",
            format!(
                "{wrong} predictions with a wrong CVE or a value outside of 0 to 1 were left out"
            ),
        ));
    }
    // Descending values, so that dedup keeps the highest.
    predictions.sort_unstable_by_key(|&(year, number, score, percentile)| {
        (year, number, u32::MAX - score, u32::MAX - percentile)
    });
    predictions.dedup_by_key(|&mut (year, number, ..)| (year, number));
    predictions
}

/// An identifier in its one spelling: trimmed, CVEs in upper case.
pub(super) fn identifier(id: &str) -> String {
    let id = id.trim();
    if cve_number(id).is_some() {
        id.to_ascii_uppercase()
    } else {
        id.to_owned()
    }
}

/// At most `limit` characters.
pub(super) fn cut(text: &str, limit: usize) -> String {
    text.chars()
        .take(limit)
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// White space joined to single blanks.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Drops listed versions that the ranges hold anyway: OSV lists every release of a package beside
/// its ranges, often hundreds, and a scan would compare each.
fn drop_listed_in_ranges(row: &mut Affected) {
    if row.versions.len().saturating_mul(row.ranges.len()) > MAX_COMPARISONS {
        return;
    }
    let scheme = row.ecosystem.scheme();
    let ranges = &row.ranges;
    row.versions.retain(|version| {
        !ranges
            .iter()
            .any(|range| contains(scheme, version, range).unwrap_or(false))
    });
}

fn affected(rows: Vec<Affected>, cap: &mut impl FnMut(&str, usize, usize)) -> Vec<Affected> {
    cap("affected packages", rows.len(), MAX_AFFECTED);
    let mut kept: Vec<_> = rows
        .into_iter()
        .take(MAX_AFFECTED)
        .filter_map(|mut row| {
            row.name = row.ecosystem.normalize_name(row.name.trim());
            if row.name.is_empty() || row.name.len() > MAX_NAME {
                cap("bytes in a package's name", row.name.len(), MAX_NAME);
                return None;
            }
            let listed_none = row.ranges.is_empty() && row.versions.is_empty();
            let too_long = |version: &str| version.len() > MAX_VERSION;
            row.versions.retain(|version| !too_long(version));
            row.ranges.retain(|range| {
                use crate::record::Upper::{Before, Fixed, LastAffected, Open};
                !range.introduced.as_deref().is_some_and(too_long)
                    && match &range.upper {
                        Fixed(v) | Before(v) | LastAffected(v) => !too_long(v),
                        Open => true,
                    }
            });
            sort_unique(&mut row.versions);
            sort_unique(&mut row.architectures);
            cap("versions of a package", row.versions.len(), MAX_VERSIONS);
            cap("ranges of a package", row.ranges.len(), MAX_RANGES);
            row.versions.truncate(MAX_VERSIONS);
            row.ranges.truncate(MAX_RANGES);
            row.ranges.sort_by(|a, b| {
                use crate::database::stored::Range;
                Range::new(a).cmp(&Range::new(b))
            });
            row.ranges.dedup();
            drop_listed_in_ranges(&mut row);
            // A row whose limits were all unusable must not become "all versions".
            (listed_none || !row.ranges.is_empty() || !row.versions.is_empty()).then_some(row)
        })
        .collect();
    sort_rows(&mut kept);
    kept
}
