//! Rows of rpm bulletins gathered: what holds for every architecture is written once, and a fix in
//! several minor releases becomes ranges that fit each of them.

use crate::{Affected, NameKind, State, Upper, VersionRange, versions};
use seawall_model::{Ecosystem, Severity, VersionScheme};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

const RPM: VersionScheme = VersionScheme::Rpm;

/// To which packages a verdict applies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) ecosystem: Ecosystem,
    pub(super) name: String,
    /// Whether the name is that of a source package.
    pub(super) source: bool,
    pub(super) module: Option<String>,
    /// First version that belongs to this build at all; for builds that Oracle tells apart by a
    /// higher epoch.
    pub(super) floor: Option<String>,
    /// The publisher's rating.
    pub(super) severity: Option<Severity>,
}

impl Key {
    /// A binary package without further conditions.
    pub(super) fn binary(ecosystem: Ecosystem, name: impl Into<String>) -> Self {
        Self {
            ecosystem,
            name: name.into(),
            source: false,
            module: None,
            floor: None,
            severity: None,
        }
    }
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// Affected below this version.
    Fixed(String),
    /// Affected up to and with this version.
    LastAffected(String),
    /// Affected in every version.
    Open,
    WontFix,
    UnderInvestigation,
    NotAffected,
}

/// Verdicts by package, with the architectures for which each was given.
#[derive(Default)]
pub(super) struct RpmRows(BTreeMap<Key, BTreeMap<Verdict, BTreeSet<String>>>);

impl RpmRows {
    /// Adds a verdict; `None` as architecture means all.
    pub(super) fn add(&mut self, key: Key, verdict: Verdict, architecture: Option<&str>) {
        let architectures = self.0.entry(key).or_default().entry(verdict).or_default();
        architectures.extend(architecture.map(str::to_owned));
    }

    /// The rows of a record.
    pub(super) fn finish(self) -> Vec<Affected> {
        let mut rows = Vec::new();
        for (key, verdicts) in self.0 {
            let fixes: Vec<_> = verdicts
                .iter()
                .filter_map(|(verdict, on)| match verdict {
                    // An empty version has no place in the order, and sorting without one panics.
                    Verdict::Fixed(version) if versions::validate(RPM, version).is_ok() => {
                        Some((version.as_str(), on))
                    }
                    _ => None,
                })
                .collect();
            rows.extend(fix_rows(&key, &fixes));
            for verdict in verdicts.keys() {
                let (state, upper) = match verdict {
                    Verdict::Fixed(_) => continue,
                    Verdict::LastAffected(version) => {
                        (State::Affected, Some(Upper::LastAffected(version.clone())))
                    }
                    Verdict::Open => (State::Affected, Some(Upper::Open)),
                    Verdict::WontFix => (State::WontFix, Some(Upper::Open)),
                    Verdict::UnderInvestigation => (State::UnderInvestigation, Some(Upper::Open)),
                    Verdict::NotAffected => (State::NotAffected, None),
                };
                let mut row = row(&key, state);
                let ranges = upper.map(|upper| VersionRange::new(key.floor.clone(), upper));
                row.ranges.extend(ranges);
                rows.push(row);
            }
        }
        rows
    }
}

fn row(key: &Key, state: State) -> Affected {
    let kind = match key.source {
        true => NameKind::Source,
        false => NameKind::Binary,
    };
    let mut row = Affected::new(key.ecosystem.clone(), key.name.as_str(), kind, state);
    row.module.clone_from(&key.module);
    row.severity = key.severity;
    row
}

/// Rows for the versions that mend a package. Where each architecture has a version of its own,
/// one row for each; else one row, with the versions as the ends of ranges.
fn fix_rows(key: &Key, fixes: &[(&str, &BTreeSet<String>)]) -> Vec<Affected> {
    let mut named: Vec<&String> = fixes.iter().flat_map(|(_, on)| on.iter()).collect();
    let total = named.len();
    named.sort_unstable();
    named.dedup();
    let one_each = named.len() == total && fixes.iter().all(|(_, on)| !on.is_empty());
    if fixes.len() > 1 && one_each {
        return fixes
            .iter()
            .map(|(version, on)| {
                let mut row = row(key, State::Affected);
                row.ranges = ranges(key.floor.as_deref(), &[*version]);
                row.architectures = on.iter().cloned().collect();
                row
            })
            .collect();
    }
    let versions: Vec<&str> = fixes.iter().map(|(version, _)| *version).collect();
    if versions.is_empty() {
        return Vec::new();
    }
    let mut row = row(key, State::Affected);
    row.ranges = ranges(key.floor.as_deref(), &versions);
    vec![row]
}

/// The ranges below several versions that all mend the same package.
///
/// Red Hat mends a flaw in each minor release that it still keeps: `7.76.1-23.el9_2.4` and
/// `7.76.1-26.el9_3.2`. A version between the two is mended if it continues the first one
/// (`-23.el9_2.5`) and affected otherwise (`-26.el9`), so each later range begins where versions
/// can no longer continue the one before.
fn ranges(floor: Option<&str>, fixes: &[&str]) -> Vec<VersionRange> {
    let mut fixes = fixes.to_vec();
    fixes.sort_by(|a, b| order(a, b));
    let mut ranges = Vec::new();
    let mut introduced = floor.map(str::to_owned);
    let mut before: Option<&str> = None;
    for fix in fixes {
        if let Some(before) = before {
            match end_of_stream(before, fix) {
                Some(end) if order(&end, fix) == Ordering::Less => introduced = Some(end),
                _ => continue,
            }
        }
        let upper = Upper::Fixed(fix.to_owned());
        ranges.push(VersionRange::new(introduced.take(), upper));
        before = Some(fix);
    }
    ranges
}

/// rpm orders every text but the empty one, which does not come here.
fn order(a: &str, b: &str) -> Ordering {
    versions::compare(RPM, a, b).unwrap_or(Ordering::Equal)
}

/// The first version that does not continue `before`: with the next release number, or, where
/// `next` has the same one, with the next minor release of the distribution.
fn end_of_stream(before: &str, next: &str) -> Option<String> {
    let (version, release) = before.rsplit_once('-')?;
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let number = release.get(..digits(release))?;
    let next_release = next.rsplit_once('-').filter(|(own, _)| *own == version);
    if next_release.is_some_and(|(_, own)| own.get(..digits(own)) == Some(number)) {
        let tag = release.find(".el")?;
        let minor = tag + release.get(tag..)?.find('_')? + 1;
        let text = release.get(minor..)?;
        let value: u32 = text.get(..digits(text))?.parse().ok()?;
        let prefix = release.get(..minor)?;
        return Some(format!("{version}-{prefix}{}", value.checked_add(1)?));
    }
    let value: u64 = number.parse().ok()?;
    Some(format!("{version}-{}", value.checked_add(1)?))
}

/// An epoch, version and release as the records write it: without an epoch of 0.
pub(super) fn evr(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("0:")
        .or_else(|| text.strip_prefix("(none):"))
        .unwrap_or(text)
}

/// Whether a package holds symbols or sources for a debugger alone, which nothing runs.
pub(super) fn is_debug_package(name: &str) -> bool {
    ["-debuginfo", "-debugsource", "-debuginfo-common"]
        .iter()
        .any(|suffix| name.ends_with(suffix))
        || name.contains("-debuginfo-common-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::DistroFamily;

    #[test]
    fn fixes_in_several_minor_releases_become_ranges() {
        for (fixes, expected) in [
            (&["1.0-2.el9"][..], "[,1.0-2.el9)"),
            (
                &["7.76.1-26.el9_3.2", "7.76.1-23.el9_2.4"],
                "[,7.76.1-23.el9_2.4) [7.76.1-24,7.76.1-26.el9_3.2)",
            ),
            (
                &["3.9-3.el9_4.5", "3.9-3.el9_5.1"],
                "[,3.9-3.el9_4.5) [3.9-3.el9_5,3.9-3.el9_5.1)",
            ),
            (&["1-1.el8", "1-1.el8.1"], "[,1-1.el8)"),
        ] {
            let found: Vec<_> = ranges(None, fixes)
                .into_iter()
                .map(|range| match range.upper {
                    Upper::Fixed(fix) => {
                        format!("[{},{fix})", range.introduced.unwrap_or_default())
                    }
                    other => format!("{other:?}"),
                })
                .collect();
            assert_eq!(found.join(" "), expected);
        }
    }

    #[test]
    fn empty_versions_left_the_fixes_without_an_order() {
        let key = || {
            let family = DistroFamily::RedHat;
            let release = "9".to_owned();
            Key::binary(Ecosystem::Distro { family, release }, "a")
        };
        let mut rows = RpmRows::default();
        rows.add(key(), Verdict::Fixed(" ".to_owned()), None);
        assert_eq!(rows.finish(), [], "nothing is said");
        let mut rows = RpmRows::default();
        for version in ["", " ", "\t", "1-2.el9"] {
            rows.add(key(), Verdict::Fixed(version.to_owned()), None);
        }
        let until = Upper::Fixed("1-2.el9".to_owned());
        assert_eq!(rows.finish()[0].ranges, [VersionRange::new(None, until)]);
    }

    #[test]
    fn architectures_are_named_only_where_they_differ() {
        let key = Key::binary(
            Ecosystem::Distro {
                family: DistroFamily::Oracle,
                release: "7".to_owned(),
            },
            "rsyslog",
        );
        let mut same = RpmRows::default();
        let mut differing = RpmRows::default();
        for (architecture, version) in [("x86_64", "1-2"), ("aarch64", "1-3")] {
            same.add(
                key.clone(),
                Verdict::Fixed("1-2".to_owned()),
                Some(architecture),
            );
            let verdict = Verdict::Fixed(version.to_owned());
            differing.add(key.clone(), verdict, Some(architecture));
        }
        let same = same.finish();
        assert_eq!(same.len(), 1);
        assert!(same.iter().all(|row| row.architectures.is_empty()));
        let differing = differing.finish();
        assert_eq!(differing.len(), 2);
        assert!(differing.iter().all(|row| row.architectures.len() == 1));
    }
}
