//! Fixes for the minor releases of an rpm distribution.
//!
//! Red Hat and those who rebuild its packages mend a flaw in each minor release that they still keep,
//! and mark the builds: `7.76.1-23.el9_2.4` is of 9.2, `7.76.1-26.el9_3.2` of 9.3. Where the minor
//! release of an installed build has a fix of its own, that one decides, as the others' versions are
//! higher for reasons of their own.

use super::ranges::{Installed, Place};
use crate::database::stored::{End, Row, RowState};
use crate::versions::compare;
use seawall_model::VersionScheme;
use std::cmp::Ordering;

/// For which minor release a row's fixes were built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Minor {
    /// For the installed build's.
    Own,
    /// For others alone, or for those that a build without a minor number went into.
    Other,
    /// It is not told, or the installed build does not say what it is of.
    Untold,
}

/// What a row says of a version when the fix for its minor release decides, where the row has one.
pub(super) fn settle<'a>(
    installed: &Installed<'_>,
    row: &Row<'a>,
    place: Place<'a>,
) -> (Place<'a>, Minor) {
    let own = installed.minor_release();
    if own.is_none() || row.state != RowState::Affected {
        return (place, Minor::Untold);
    }
    let fixes = row.ranges.iter().filter_map(|range| match range.end {
        End::Fixed(fix) => Some(fix),
        _ => None,
    });
    let (of_own, others): (Vec<&str>, Vec<&str>) = fixes.partition(|fix| minor_release(fix) == own);
    if of_own.is_empty() {
        let marked = !others.is_empty() && others.iter().all(|fix| release_mark(fix).is_some());
        let minor = if marked { Minor::Other } else { Minor::Untold };
        return (place, minor);
    }
    let order = |a: &str, b: &str| compare(VersionScheme::Rpm, a, b).unwrap_or(Ordering::Equal);
    let next = of_own
        .into_iter()
        .filter(|fix| order(installed.version(), fix).is_lt())
        .min_by(|a, b| order(a, b));
    let place = match (next, place) {
        (None, Place::Inside { open: false, .. }) => Place::Outside { mended: true },
        (Some(fix), Place::Inside { open, .. }) => Place::Inside {
            fixed: Some(fix),
            open,
        },
        (_, place) => place,
    };
    (place, Minor::Own)
}

/// The mark of the minor release that a build is of: `el9_2`. Builds of modules have another form
/// (`module+el8.6.0`), and most builds for the first day of a minor release have no minor number.
pub(super) fn minor_release(version: &str) -> Option<&str> {
    let mark = release_mark(version)?;
    let major = digits_from(mark, 2);
    let minor = mark.get(major..)?.strip_prefix('_').map(|_| major + 1)?;
    let end = digits_from(mark, minor);
    (end > minor).then(|| mark.get(..end))?
}

/// From `el9` on.
fn release_mark(version: &str) -> Option<&str> {
    let (_, release) = version.rsplit_once('-')?;
    let mark = release.get(release.find(".el")? + 1..)?;
    (digits_from(mark, 2) > 2).then_some(mark)
}

/// Where the digits end that stand at `at`.
fn digits_from(text: &str, at: usize) -> usize {
    let rest = text.bytes().skip(at);
    at + rest.take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_tells_the_minor_release_that_it_is_of() {
        for (version, expected) in [
            ("7.76.1-23.el9_2.4", Some("el9_2")),
            ("32:9.11.4-26.P2.el7_9.10", Some("el7_9")),
            ("4.18.0-553.el8_10", Some("el8_10")),
            ("2:2.34-60.0.2.ksplice1.el9_2.7", Some("el9_2")),
            ("5.14.0-284.el9", None),
            ("53-1.module_el8.6.0+2739+b", None),
            ("18.2.0-1.module+el8.6.0+1+a", None),
            ("1.0-1.el9_", None),
            ("1.0-1.elastic_2", None),
            ("1.0.el9_2", None),
            ("1.0-1.fc38", None),
        ] {
            assert_eq!(minor_release(version), expected, "{version}");
        }
    }
}
