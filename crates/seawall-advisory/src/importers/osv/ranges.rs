//! Events to ranges (OSV schema, "affected[].ranges[].events fields" and "Evaluation").

use super::record::Event;
use crate::versions::compare;
use crate::{Upper, VersionRange};
use seawall_model::VersionScheme;
use std::cmp::Ordering;

/// One event, in its own shape.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Bound {
    Introduced(String),
    Ends(Upper),
}

impl Bound {
    fn version(&self) -> &str {
        match self {
            Self::Introduced(version) => version,
            Self::Ends(upper) => version_of(upper),
        }
    }
}

fn version_of(upper: &Upper) -> &str {
    match upper {
        Upper::Fixed(version) | Upper::Before(version) | Upper::LastAffected(version) => version,
        Upper::Open => "",
    }
}

/// The ranges that a list of events describes.
///
/// The specification evaluates events in the order of their versions. Publishers nearly always
/// write each `introduced` before its end, and such lists are taken as they stand; any other order
/// is sorted first, where the scheme can compare all its versions.
pub(super) fn from_events(events: &[Event<'_>], scheme: VersionScheme) -> Vec<VersionRange> {
    let mut bounds: Vec<Bound> = events.iter().flat_map(bounds_of).collect();
    if !alternates(&bounds) || any_ends_before_it_begins(&bounds, scheme) {
        sort(&mut bounds, scheme);
    }
    let mut ranges = Vec::new();
    let mut open: Option<String> = None;
    for bound in bounds {
        match (bound, &open) {
            (Bound::Introduced(version), None) => open = Some(version),
            // Already affected from an earlier version on.
            (Bound::Introduced(_), Some(_)) | (Bound::Ends(_), None) => {}
            (Bound::Ends(upper), Some(_)) => {
                ranges.push(VersionRange::new(open.take().and_then(start), upper));
            }
        }
    }
    if let Some(version) = open {
        ranges.push(VersionRange::new(start(version), Upper::Open));
    }
    ranges
}

/// `0` stands for "before any version"; RustSec writes the lowest that SemVer allows.
fn start(introduced: String) -> Option<String> {
    (introduced != "0" && introduced != "0.0.0-0").then_some(introduced)
}

/// The bounds of one event object, which by the schema has exactly one. A `limit` of `*` is none.
fn bounds_of(event: &Event<'_>) -> impl Iterator<Item = Bound> {
    let own = |text: &Option<std::borrow::Cow<'_, str>>| {
        text.as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let introduced = own(&event.introduced).map(Bound::Introduced);
    let fixed = own(&event.fixed).map(Upper::Fixed);
    let last = own(&event.last_affected).map(Upper::LastAffected);
    let limit = own(&event.limit)
        .filter(|limit| limit != "*")
        .map(Upper::Before);
    introduced
        .into_iter()
        .chain([fixed, last, limit].into_iter().flatten().map(Bound::Ends))
}

/// Whether every end follows its own beginning.
fn alternates(bounds: &[Bound]) -> bool {
    let mut affected = false;
    bounds.iter().all(|bound| {
        let begins = matches!(bound, Bound::Introduced(_));
        let fits = begins || affected;
        // Two beginnings in a row: the second is inside the first range, or the order is not the
        // versions' order.
        let fits = fits && !(begins && affected);
        affected = begins;
        fits
    })
}

/// Bitnami interleaves branches now and then: `introduced 9.4.0, fixed 9.3.4`.
fn any_ends_before_it_begins(bounds: &[Bound], scheme: VersionScheme) -> bool {
    bounds.windows(2).any(|pair| match pair {
        [Bound::Introduced(start), Bound::Ends(end)] if start != "0" => {
            compare(scheme, start, version_of(end)).is_ok_and(Ordering::is_gt)
        }
        _ => false,
    })
}

fn sort(bounds: &mut [Bound], scheme: VersionScheme) {
    let comparable = bounds
        .iter()
        .all(|bound| compare(scheme, bound.version(), bound.version()).is_ok());
    if !comparable {
        return;
    }
    bounds.sort_by(|a, b| {
        let zero = |bound: &Bound| matches!(bound, Bound::Introduced(version) if version == "0");
        match (zero(a), zero(b)) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => compare(scheme, a.version(), b.version()).unwrap_or(Ordering::Equal),
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    /// Events are written `i1.0 f1.2`; ranges `1.0..1.2`, `..=` for an inclusive end, `..|` for a
    /// limit, `..` for none.
    fn check(events: &str, expected: &str) {
        let events: Vec<Event<'static>> = events
            .split_whitespace()
            .map(|text| {
                let (kind, version) = text.split_at(1);
                let version = Some(Cow::Owned(version.to_owned()));
                let mut event = Event::default();
                match kind {
                    "i" => event.introduced = version,
                    "f" => event.fixed = version,
                    "l" => event.last_affected = version,
                    _ => event.limit = version,
                }
                event
            })
            .collect();
        let found: Vec<String> = from_events(&events, VersionScheme::Semver)
            .into_iter()
            .map(|range| {
                let start = range.introduced.unwrap_or_default();
                match range.upper {
                    Upper::Fixed(end) => format!("{start}..{end}"),
                    Upper::LastAffected(end) => format!("{start}..={end}"),
                    Upper::Before(end) => format!("{start}..|{end}"),
                    Upper::Open => format!("{start}.."),
                }
            })
            .collect();
        assert_eq!(found.join(" "), expected, "{events:?}");
    }

    #[test]
    fn events_pair_into_ranges() {
        check("i0 f1.0.0", "..1.0.0");
        check("i0.0.0-0 f1.0.0", "..1.0.0");
        check("i1.0.0 f1.2.0 i2.0.0 f2.1.0", "1.0.0..1.2.0 2.0.0..2.1.0");
        check("i1.0.0 f1.2.0 i2.0.0", "1.0.0..1.2.0 2.0.0..");
        check("i0 l1.0.0", "..=1.0.0");
        check("i0 m1.0.0", "..|1.0.0");
        check("i0 m*", "..");
        check("f1.0.0 i0", "..1.0.0");
        check("f2.1.0 i2.0.0 f1.2.0 i1.0.0", "1.0.0..1.2.0 2.0.0..2.1.0");
        check("i0 f1.0.1 f1.0.2", "..1.0.1");
        // Found in Bitnami's records: as written, the first branch would end before it begins.
        check("i2.0.0 f1.3.0 i1.0.0 f2.1.0", "1.0.0..1.3.0 2.0.0..2.1.0");
        check("i1.0.0 i1.1.0 f1.2.0", "1.0.0..1.2.0");
        check("f1.0.0", "");
        check("", "");
    }
}
