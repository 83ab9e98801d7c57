//! Sets of versions as disjoint intervals, for "everything but the patched versions".

use crate::versions::{VersionError, compare};
use crate::{Upper, VersionRange};
use seawall_model::VersionScheme;
use std::cmp::Ordering;

/// A place between versions: just before one, or just after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::importers) struct Cut {
    pub(super) version: String,
    pub(super) after: bool,
}

impl Cut {
    pub(super) fn before(version: impl Into<String>) -> Self {
        Self {
            version: version.into(),
            after: false,
        }
    }

    pub(super) fn after(version: impl Into<String>) -> Self {
        Self {
            version: version.into(),
            after: true,
        }
    }
}

/// The versions between two cuts; `None` is the beginning, or the end, of all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::importers) struct Interval {
    pub(super) from: Option<Cut>,
    pub(super) to: Option<Cut>,
}

/// A set of versions: intervals in order that do not touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::importers) struct VersionSet {
    scheme: VersionScheme,
    intervals: Vec<Interval>,
}

impl VersionSet {
    /// No version.
    pub(in crate::importers) fn empty(scheme: VersionScheme) -> Self {
        Self {
            scheme,
            intervals: Vec::new(),
        }
    }

    /// The versions that are in any of the intervals.
    ///
    /// # Errors
    /// A bound is no version of the scheme.
    pub(super) fn of(
        scheme: VersionScheme,
        intervals: Vec<Interval>,
    ) -> Result<Self, VersionError> {
        for cut in intervals.iter().flat_map(|i| [&i.from, &i.to]).flatten() {
            compare(scheme, &cut.version, &cut.version)?;
        }
        Ok(Self { scheme, intervals }.settled())
    }

    /// The versions in this set or the other.
    pub(in crate::importers) fn union(mut self, other: &Self) -> Self {
        self.intervals.extend(other.intervals.iter().cloned());
        self.settled()
    }

    /// The versions not in this set.
    pub(in crate::importers) fn complement(&self) -> Self {
        let mut intervals = Vec::with_capacity(self.intervals.len() + 1);
        let mut from = None;
        let mut open = true;
        for (index, interval) in self.intervals.iter().enumerate() {
            if index > 0 || interval.from.is_some() {
                let to = interval.from.clone();
                intervals.push(Interval { from, to });
            }
            open = interval.to.is_some();
            from = interval.to.clone();
        }
        if open {
            intervals.push(Interval { from, to: None });
        }
        Self {
            scheme: self.scheme,
            intervals,
        }
    }

    /// The versions in both sets.
    pub(in crate::importers) fn intersection(&self, other: &Self) -> Self {
        self.complement().union(&other.complement()).complement()
    }

    /// The versions in this set and not in the other.
    pub(in crate::importers) fn without(&self, other: &Self) -> Self {
        self.complement().union(other).complement()
    }

    /// Whether a version is in the set.
    fn contains(&self, version: &str) -> bool {
        let place = Cut::before(version);
        self.intervals.iter().any(|interval| {
            self.order_from(interval.from.as_ref(), Some(&place)) != Ordering::Greater
                && self.order_to(interval.to.as_ref(), Some(&place)) == Ordering::Greater
        })
    }

    /// This set as ranges of affected versions. An end is called a fix where `patched` begins
    /// there, or is the first thing after it.
    pub(in crate::importers) fn ranges(&self, patched: &Self) -> Vec<VersionRange> {
        self.ranges_beside(patched, &Self::empty(self.scheme))
    }

    /// As [`VersionSet::ranges`], where some of the versions before a fix are known to be
    /// `unaffected`: no range reaches over them.
    pub(in crate::importers) fn ranges_beside(
        &self,
        patched: &Self,
        unaffected: &Self,
    ) -> Vec<VersionRange> {
        let mut ranges = Vec::with_capacity(self.intervals.len());
        for (index, interval) in self.intervals.iter().enumerate() {
            let next = self.intervals.get(index + 1).and_then(|i| i.from.as_ref());
            let upper = match &interval.to {
                None => Upper::Open,
                Some(cut) if !cut.after && patched.contains(&cut.version) => {
                    Upper::Fixed(cut.version.clone())
                }
                Some(cut) => match patched.first_between(cut, next, unaffected) {
                    Some(fix) => Upper::Fixed(fix.to_owned()),
                    None if cut.after => Upper::LastAffected(cut.version.clone()),
                    None => Upper::Before(cut.version.clone()),
                },
            };
            ranges.push(VersionRange {
                introduced: interval.from.as_ref().map(|cut| cut.version.clone()),
                introduced_exclusive: interval.from.as_ref().is_some_and(|cut| cut.after),
                upper,
            });
        }
        ranges
    }

    /// The first version that opens an interval of this set after `cut` and before `end`, with
    /// nothing of `between` on the way.
    fn first_between(&self, cut: &Cut, end: Option<&Cut>, between: &Self) -> Option<&str> {
        let from = self
            .intervals
            .iter()
            .filter_map(|interval| interval.from.as_ref())
            .find(|from| self.order(from, cut) != Ordering::Less)?;
        let way = Self {
            scheme: self.scheme,
            intervals: vec![Interval {
                from: Some(cut.clone()),
                to: Some(from.clone()),
            }],
        };
        let reached = end.is_none_or(|end| self.order(from, end).is_lt())
            && way.settled().intersection(between).intervals.is_empty();
        (!from.after && reached).then_some(from.version.as_str())
    }

    /// Sorts the intervals, drops the empty ones and joins those that overlap or touch.
    fn settled(mut self) -> Self {
        let mut intervals = std::mem::take(&mut self.intervals);
        intervals.retain(|i| match (&i.from, &i.to) {
            (Some(from), Some(to)) => self.order(from, to) == Ordering::Less,
            _ => true,
        });
        intervals.sort_by(|a, b| self.order_from(a.from.as_ref(), b.from.as_ref()));
        let mut joined: Vec<Interval> = Vec::with_capacity(intervals.len());
        for interval in intervals {
            let Some(last) = joined.last_mut() else {
                joined.push(interval);
                continue;
            };
            let apart = match (&last.to, &interval.from) {
                (Some(to), Some(from)) => self.order(to, from) == Ordering::Less,
                _ => false,
            };
            if apart {
                joined.push(interval);
            } else if self.order_to(interval.to.as_ref(), last.to.as_ref()) == Ordering::Greater {
                last.to = interval.to;
            }
        }
        self.intervals = joined;
        self
    }

    /// The order of two cuts. All versions were compared once when they came in, so an error does
    /// not happen here.
    fn order(&self, a: &Cut, b: &Cut) -> Ordering {
        compare(self.scheme, &a.version, &b.version)
            .unwrap_or(Ordering::Equal)
            .then(a.after.cmp(&b.after))
    }

    fn order_from(&self, a: Option<&Cut>, b: Option<&Cut>) -> Ordering {
        match (a, b) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => self.order(a, b),
        }
    }

    fn order_to(&self, a: Option<&Cut>, b: Option<&Cut>) -> Ordering {
        match (a, b) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => self.order(a, b),
        }
    }
}
