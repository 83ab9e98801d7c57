//! An OSV record as an [`Advisory`].

use super::ecosystem::{self, Meaning};
use super::modules;
use super::publisher::{self, Kind};
use super::ranges;
use super::record::{self, Record};
use crate::importers::{rustsec, text};
use crate::{Advisory, Affected, CoveredFlaw, Source, State};
use seawall_model::{Cvss, DistroFamily, Ecosystem, Severity};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

/// At most so many CVSS vectors are kept of a record; real ones have up to six.
const MAX_VECTORS: usize = 16;

/// What became of one record.
pub(super) struct Converted {
    /// `None`: the record is about no flaw, or about nothing that Seawall knows.
    pub(super) advisory: Option<Advisory>,
    /// Affected entries left out because of their ecosystem, counted by it. Entries without a
    /// package (git commits only) are counted under `GIT`.
    pub(super) unknown_ecosystems: BTreeMap<String, u64>,
    /// Whether the record is about no flaw: a bulletin of other changes, a crate without
    /// maintainers.
    pub(super) no_flaw: bool,
}

/// Converts one record.
pub(super) fn convert(record: &Record<'_>) -> Converted {
    let mut unknown_ecosystems = BTreeMap::new();
    let (mut source, kind) = publisher::of_id(&record.id);
    let names = names(record, kind);
    let title = text::title(record.summary.as_deref(), record.details.as_deref());
    let no_flaw = match kind {
        Kind::MaintenanceBulletin => names.covers.is_empty(),
        Kind::Bulletin => names.covers.is_empty() && text::is_maintenance(&title),
        Kind::Flaw | Kind::Malware => false,
    };
    if no_flaw || is_informational(record, &names) {
        return Converted {
            advisory: None,
            unknown_ecosystems,
            no_flaw: true,
        };
    }
    let affected = affected(record, &mut unknown_ecosystems);
    if affected.is_empty() && record.withdrawn.is_none() {
        return Converted {
            advisory: None,
            unknown_ecosystems,
            no_flaw: false,
        };
    }
    if source == Source::Osv && all_of(&affected, DistroFamily::Debian) {
        source = Source::Debian;
    }
    let publisher = source.name();
    let ratings = Ratings::of(&record.severity, publisher);
    let mut cvss = ratings.cvss;
    for part in record.affected.iter().flat_map(|a| &a.severity) {
        if let Some(vector) = part
            .score
            .as_deref()
            .and_then(|v| crate::cvss::parse(v, publisher))
            && cvss.len() < MAX_VECTORS
            && !cvss.contains(&vector)
        {
            cvss.push(vector);
        }
    }
    let mut references: Vec<&record::Reference<'_>> = record.references.iter().collect();
    references.sort_by_key(|reference| reference.kind.as_deref() != Some("ADVISORY"));
    let advisory = Advisory {
        id: record.id.trim().to_owned(),
        source,
        aliases: names.aliases,
        covers: names.covers,
        title,
        description: record
            .details
            .as_deref()
            .unwrap_or_default()
            .trim()
            .to_owned(),
        published: record.published.as_deref().and_then(text::date),
        modified: record.modified.as_deref().and_then(text::date),
        withdrawn: record.withdrawn.as_deref().and_then(text::date),
        severity: ratings
            .word
            .or_else(|| word(&record.database_specific))
            .or_else(|| record.summary.as_deref().and_then(leading_word))
            .or((kind == Kind::Malware).then_some(Severity::Critical)),
        cvss,
        cwes: owned(&record.database_specific.cwe_ids),
        references: references
            .into_iter()
            .filter_map(|reference| reference.url.as_deref())
            .map(str::to_owned)
            .collect(),
        affected,
    };
    Converted {
        advisory: Some(advisory),
        unknown_ecosystems,
        no_flaw: false,
    }
}

/// Whether it is one of RustSec's records that are of no flaw.
fn is_informational(record: &Record<'_>, names: &Names) -> bool {
    let mut affected = record.affected.iter();
    !record.affected.is_empty()
        && affected.all(|affected| {
            let kind = affected.database_specific.informational.as_deref();
            rustsec::is_no_flaw(kind, &names.aliases)
        })
}

#[derive(Default)]
struct Names {
    aliases: Vec<String>,
    covers: Vec<CoveredFlaw>,
}

/// Sorts out which other identifiers name the same flaw, and which the record covers.
fn names(record: &Record<'_>, kind: Kind) -> Names {
    // A record of one flaw calls it by its `aliases`. Where it has none, the vendor's own number
    // may hold the CVE (`UBUNTU-CVE-...`) or `upstream` names it; Chainguard writes `related`.
    let mut own = Vec::new();
    add_flaws(&mut own, [&record.id], &record.id);
    add_flaws(&mut own, &record.aliases, &record.id);
    let has_cve = own.iter().any(|id| text::cve(id).is_some());
    if kind == Kind::Flaw && (has_cve || is_plain(record)) {
        return Names {
            aliases: own,
            covers: Vec::new(),
        };
    }
    let mut all = own;
    add_flaws(&mut all, &record.upstream, &record.id);
    add_flaws(&mut all, &record.related, &record.id);
    let cves = all.iter().filter(|id| id.starts_with("CVE-")).count();
    match kind {
        Kind::Malware => Names {
            aliases: all,
            covers: Vec::new(),
        },
        Kind::Flaw if cves <= 1 => Names {
            aliases: all,
            covers: Vec::new(),
        },
        Kind::Flaw | Kind::Bulletin | Kind::MaintenanceBulletin => Names {
            aliases: Vec::new(),
            covers: covered(all, record),
        },
    }
}

/// Whether `related` of a flaw's record is only what the specification says: other, similar flaws.
fn is_plain(record: &Record<'_>) -> bool {
    record.upstream.is_empty() && !record.id.starts_with("CGA-")
}

/// Adds the flaws that `ids` name, by their CVE where they have one, each once.
fn add_flaws<'a, 'b: 'a>(
    into: &mut Vec<String>,
    ids: impl IntoIterator<Item = &'a Cow<'b, str>>,
    record: &str,
) {
    let mut known: HashSet<String> = into.iter().cloned().collect();
    for id in ids {
        let id = id.trim();
        let name = text::cve(id).unwrap_or(id);
        let new = !name.is_empty() && name != record && publisher::names_flaw(name);
        if new && known.insert(name.to_owned()) {
            into.push(name.to_owned());
        }
    }
}

/// A bulletin's flaws, with the ratings that Ubuntu gives beside each package.
fn covered(ids: Vec<String>, record: &Record<'_>) -> Vec<CoveredFlaw> {
    let publisher = publisher::of_id(&record.id).0.name();
    let mut rated: BTreeMap<&str, Ratings> = BTreeMap::new();
    let cves = record
        .affected
        .iter()
        .flat_map(|affected| &affected.database_specific.cves_map.cves);
    for cve in cves {
        if let Some(id) = cve.id.as_deref() {
            rated
                .entry(id)
                .or_insert_with(|| Ratings::of(&cve.severity, publisher));
        }
    }
    ids.into_iter()
        .map(|id| {
            let ratings = rated.remove(id.as_str()).unwrap_or_default();
            CoveredFlaw {
                id,
                severity: ratings.word,
                cvss: ratings.cvss,
            }
        })
        .collect()
}

/// The `severity` list of a record or package: vectors, and Ubuntu's word.
#[derive(Default)]
struct Ratings {
    word: Option<Severity>,
    cvss: Vec<Cvss>,
}

impl Ratings {
    fn of(list: &[record::Severity<'_>], publisher: &str) -> Self {
        let mut ratings = Self::default();
        for entry in list {
            let Some(score) = entry.score.as_deref() else {
                continue;
            };
            let is_vector = entry.kind.as_deref().is_some_and(|k| k.starts_with("CVSS"));
            if let Some(vector) = crate::cvss::parse(score, publisher) {
                if ratings.cvss.len() < MAX_VECTORS && !ratings.cvss.contains(&vector) {
                    ratings.cvss.push(vector);
                }
            } else if !is_vector {
                ratings.word = ratings.word.or_else(|| Severity::from_word(score));
            }
        }
        ratings
    }
}

/// The rating in words that a database adds.
fn word(specific: &record::Specific<'_>) -> Option<Severity> {
    [&specific.severity, &specific.priority, &specific.urgency]
        .into_iter()
        .filter_map(|text| text.as_deref())
        .find_map(Severity::from_word)
        .filter(|severity| *severity != Severity::Unknown)
}

/// AlmaLinux and Rocky begin the title with the rating: `Important: firefox security update`.
fn leading_word(summary: &str) -> Option<Severity> {
    Severity::from_word(summary.split_once(": ")?.0)
}

/// The entries whose ecosystem we know and that say which versions they mean.
fn affected(record: &Record<'_>, unknown: &mut BTreeMap<String, u64>) -> Vec<Affected> {
    let mut found: Vec<(Affected, bool)> = Vec::with_capacity(record.affected.len());
    for entry in &record.affected {
        let package = entry.package.as_ref();
        let name = package.and_then(|p| p.name.as_deref()).unwrap_or_default();
        let ecosystem = package.and_then(|p| p.ecosystem.as_deref());
        let meaning = ecosystem.and_then(ecosystem::parse);
        let (Some(meaning), false) = (meaning, name.is_empty()) else {
            let ecosystem = ecosystem.unwrap_or("GIT").to_owned();
            *unknown.entry(ecosystem).or_default() += 1;
            continue;
        };
        let subscription = meaning.subscription;
        if let Some(affected) = package_affected(entry, name, meaning) {
            found.push((affected, subscription));
        }
    }
    settle_subscriptions(&mut found);
    let found = found.into_iter().map(|(affected, _)| affected);
    let found = without_repetition(found.collect());
    modules::settle(found, record.summary.as_deref().unwrap_or_default())
}

fn package_affected(
    entry: &record::Affected<'_>,
    name: &str,
    meaning: Meaning,
) -> Option<Affected> {
    let scheme = meaning.ecosystem.scheme();
    let ranges: Vec<_> = entry
        .ranges
        .iter()
        // Commits of a git repository are no versions.
        .filter(|range| range.kind.as_deref() != Some("GIT"))
        .flat_map(|range| ranges::from_events(&range.events, scheme))
        .collect();
    let versions = owned(&entry.versions);
    // By the specification's evaluation neither ranges nor versions is no version at all; ours
    // would read it as all of them.
    if ranges.is_empty() && versions.is_empty() {
        return None;
    }
    let ratings = Ratings::of(&entry.severity, "");
    let severity = ratings
        .word
        .or_else(|| word(&entry.ecosystem_specific))
        .or_else(|| word(&entry.database_specific))
        .or_else(|| worst(&ratings.cvss));
    Some(Affected {
        ecosystem: meaning.ecosystem,
        name: name.to_owned(),
        name_kind: meaning.name_kind,
        state: State::Affected,
        ranges,
        versions,
        architectures: Vec::new(),
        module: entry
            .ecosystem_specific
            .rpm_modularity
            .as_deref()
            .filter(|module| !module.is_empty())
            .map(str::to_owned),
        severity,
    })
}

fn worst(cvss: &[Cvss]) -> Option<Severity> {
    cvss.iter().map(|c| Severity::from_score(c.score)).max()
}

/// Settles Ubuntu Pro. A machine without a subscription is as vulnerable as one with it was before
/// its fix, so Pro entries hold for the release itself, with the fix that only subscribers get.
/// Where the record speaks of the plain archive too, that entry alone counts.
fn settle_subscriptions(found: &mut Vec<(Affected, bool)>) {
    if !found.iter().any(|(_, subscription)| *subscription) {
        return;
    }
    let plain: HashSet<(Ecosystem, String)> = found
        .iter()
        .filter(|(_, subscription)| !subscription)
        .map(|(a, _)| (a.ecosystem.clone(), a.name.clone()))
        .collect();
    found.retain(|(a, subscription)| {
        !subscription || !plain.contains(&(a.ecosystem.clone(), a.name.clone()))
    });
}

/// SUSE and Red Hat repeat a package for each product that ships it; the products of one release
/// are one to us.
fn without_repetition(found: Vec<Affected>) -> Vec<Affected> {
    let repeats = |a: &Affected| {
        matches!(
            a.ecosystem,
            Ecosystem::Distro {
                family: DistroFamily::Sles | DistroFamily::OpenSuse | DistroFamily::RedHat,
                ..
            }
        )
    };
    if !found.iter().any(repeats) {
        return found;
    }
    let mut seen = HashSet::new();
    found
        .into_iter()
        .filter(|a| {
            seen.insert((
                a.ecosystem.clone(),
                a.name.clone(),
                a.ranges.clone(),
                a.versions.clone(),
                a.module.clone(),
            ))
        })
        .collect()
}

fn all_of(affected: &[Affected], wanted: DistroFamily) -> bool {
    !affected.is_empty()
        && affected
            .iter()
            .all(|a| matches!(a.ecosystem, Ecosystem::Distro { family, .. } if family == wanted))
}

fn owned(texts: &[Cow<'_, str>]) -> Vec<String> {
    texts.iter().map(|text| text.trim().to_owned()).collect()
}
