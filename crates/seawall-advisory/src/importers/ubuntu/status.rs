//! The tracker's statuses (its README, "Status"), gathered by package and release.

use super::super::Records;
use super::super::rejected::Rejected;
use super::stream::{Stream, stream};
use crate::{Affected, NameKind, State, Upper};
use seawall_model::{DistroFamily, Ecosystem, IncompleteReason, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// What is said of a package in a release.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// `released`: mended from this version on.
    Fixed(String),
    /// This version is mended; nothing is said of those before.
    MendedAt(String),
    /// `not-affected`.
    NotAffected,
    /// `needed`, `in-progress`, `pending`, `deferred`.
    Open,
    /// `ignored`: also where the release's support has ended.
    WontFix,
    /// `needs-triage`.
    Untriaged,
    /// `DNE`: the release does not have the package.
    Absent,
}

impl Verdict {
    /// Reads a status and what stands in parentheses behind it. `Err`: it is not known.
    pub(super) fn parse(status: &str, detail: &str) -> Result<Self, String> {
        Ok(match status {
            "released" => match detail.trim() {
                version if version.starts_with(|c: char| c.is_ascii_digit()) => {
                    Self::Fixed(version.to_owned())
                }
                other => return Err(format!("released with '{other}', which is no version")),
            },
            "not-affected" => Self::NotAffected,
            "needed" | "in-progress" | "active" | "pending" | "deferred" => Self::Open,
            "ignored" => Self::WontFix,
            "needs-triage" => Self::Untriaged,
            "DNE" => Self::Absent,
            other => return Err(format!("status '{other}' is not known")),
        })
    }

    fn settles(&self) -> bool {
        matches!(self, Self::Fixed(_) | Self::MendedAt(_) | Self::NotAffected)
    }
}

/// A release's own verdict, and the one with ESM.
#[derive(Default)]
struct Pair {
    own: Option<Verdict>,
    esm: Option<Verdict>,
    severity: Option<Severity>,
}

impl Pair {
    /// The verdict that counts: see the module's head.
    fn decide(self) -> Option<Verdict> {
        match (self.own, self.esm) {
            (Some(own), _) if own.settles() => Some(own),
            (_, Some(esm)) if esm.settles() => Some(esm),
            (None | Some(Verdict::Absent), esm) => esm,
            (own, _) => own,
        }
    }
}

/// Verdicts on one flaw.
#[derive(Default)]
pub(super) struct Statuses {
    pairs: BTreeMap<(String, String), Pair>,
    special_builds: u64,
}

impl Statuses {
    /// Adds what is said of `package` in a release as the tracker names it.
    pub(super) fn add(&mut self, package: &str, release: &str, verdict: Verdict) {
        match stream(release) {
            Stream::Own(codename) => self.pair(package, codename).own = Some(verdict),
            Stream::Esm(codename) => {
                let esm = &mut self.pair(package, codename).esm;
                // A package is in one of ESM's archives; the others say that they lack it.
                if esm.is_none() || *esm == Some(Verdict::Absent) {
                    *esm = Some(verdict);
                }
            }
            Stream::Other if release.contains('/') => self.special_builds += 1,
            Stream::Other => {}
        }
    }

    /// Rates a package: in one release by its code name, or in all of them.
    pub(super) fn rate(&mut self, package: &str, codename: Option<&str>, severity: Severity) {
        for ((own, release), pair) in &mut self.pairs {
            if own == package && codename.is_none_or(|codename| codename == release) {
                pair.severity = Some(severity);
            }
        }
    }

    fn pair(&mut self, package: &str, codename: &str) -> &mut Pair {
        let key = (package.to_owned(), codename.to_owned());
        self.pairs.entry(key).or_default()
    }

    /// The rows of the record.
    pub(super) fn rows(self, rejected: &mut Rejected<'_>, records: &mut Records) -> Vec<Affected> {
        let mut rows = Vec::new();
        let mut unknown = BTreeSet::new();
        for ((package, codename), pair) in self.pairs {
            let severity = pair.severity;
            let Some(verdict) = pair.decide().filter(|verdict| *verdict != Verdict::Absent) else {
                continue;
            };
            let Some(ecosystem) = Ecosystem::by_codename(DistroFamily::Ubuntu, &codename) else {
                unknown.insert(codename);
                continue;
            };
            let row = |state| Affected::new(ecosystem, package, NameKind::Source, state);
            let mut row = match verdict {
                Verdict::Fixed(version) => row(State::Affected).until(Upper::Fixed(version)),
                Verdict::MendedAt(version) => {
                    let mut row = row(State::NotAffected);
                    row.versions.push(version);
                    row
                }
                Verdict::NotAffected | Verdict::Absent => row(State::NotAffected),
                Verdict::Open => row(State::Affected).until(Upper::Open),
                Verdict::WontFix => row(State::WontFix).until(Upper::Open),
                Verdict::Untriaged => row(State::UnderInvestigation).until(Upper::Open),
            };
            row.severity = severity;
            rows.push(row);
        }
        for codename in unknown {
            let message = format!("the Ubuntu release '{codename}' is not known");
            rejected.push(IncompleteReason::Unsupported, None, message);
        }
        records.skip(
            "special builds of Ubuntu (FIPS, real-time, ROS)",
            self.special_builds,
        );
        rows
    }
}

/// The rating behind a priority.
pub(super) fn priority(word: &str) -> Option<Severity> {
    Severity::from_word(word).filter(|severity| *severity != Severity::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn esm_counts_where_the_release_leaves_a_flaw_open() {
        let fixed = |version: &str| Some(Verdict::Fixed(version.to_owned()));
        for (own, esm, expected) in [
            (fixed("1"), fixed("2"), fixed("1")),
            (Some(Verdict::WontFix), fixed("2+esm1"), fixed("2+esm1")),
            (
                Some(Verdict::WontFix),
                Some(Verdict::NotAffected),
                Some(Verdict::NotAffected),
            ),
            (
                Some(Verdict::WontFix),
                Some(Verdict::Open),
                Some(Verdict::WontFix),
            ),
            (
                Some(Verdict::Absent),
                Some(Verdict::Open),
                Some(Verdict::Open),
            ),
            (None, Some(Verdict::Untriaged), Some(Verdict::Untriaged)),
            (Some(Verdict::Open), None, Some(Verdict::Open)),
        ] {
            let severity = None;
            assert_eq!(Pair { own, esm, severity }.decide(), expected);
        }
    }
}
