//! Versions against the ranges and lists of a row.

use crate::database::stored::{End, Range, Row};
use crate::versions::{VersionError, compare};
use seawall_model::VersionScheme;
use std::cmp::Ordering;

/// What a row says of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// It is within: affected, or not, as the row's state says.
    Inside {
        /// The lowest fixed version above it, of the ranges it is in.
        fixed: Option<&'a str>,
        /// Whether no end is known.
        open: bool,
    },
    /// It is not.
    Outside {
        /// Whether it is at or above the fix of a range from the beginning.
        mended: bool,
    },
}

/// Places a version.
///
/// # Errors
/// The first pair of versions that could not be compared, unless the others place it inside
/// anyway.
pub(crate) fn place<'a>(
    scheme: VersionScheme,
    version: &str,
    row: &Row<'a>,
) -> Result<Place<'a>, VersionError> {
    if row.ranges.is_empty() && row.versions.is_empty() {
        return Ok(Place::Inside {
            fixed: None,
            open: true,
        });
    }
    let mut search = Search {
        scheme,
        version,
        inside: false,
        open: false,
        fixed: None,
        mended: false,
        error: None,
    };
    for range in &row.ranges {
        search.range(range);
    }
    if !search.inside && search.listed(&row.versions) {
        search.inside = true;
        search.next_fix(row);
    }
    match search {
        Search {
            inside: true,
            fixed,
            open,
            ..
        } => Ok(Place::Inside { fixed, open }),
        Search {
            error: Some(error), ..
        } => Err(error),
        Search { mended, .. } => Ok(Place::Outside { mended }),
    }
}

struct Search<'a, 'v> {
    scheme: VersionScheme,
    version: &'v str,
    inside: bool,
    open: bool,
    fixed: Option<&'a str>,
    mended: bool,
    error: Option<VersionError>,
}

impl<'a> Search<'a, '_> {
    /// Compares the installed version with another; an error is kept, the first one.
    fn installed_to(&mut self, other: &str) -> Option<Ordering> {
        match compare(self.scheme, self.version, other) {
            Ok(ordering) => Some(ordering),
            Err(error) => {
                self.error.get_or_insert(error);
                None
            }
        }
    }

    fn range(&mut self, range: &Range<'a>) {
        // OSV writes `0` for the beginning, before every version, even pre-releases of 0.
        let introduced = range.introduced.filter(|version| *version != "0");
        if let Some(introduced) = introduced {
            let reached = match self.installed_to(introduced) {
                Some(Ordering::Greater) => true,
                Some(Ordering::Equal) => !range.introduced_exclusive,
                Some(Ordering::Less) | None => false,
            };
            if !reached {
                return;
            }
        }
        match range.end {
            End::Open => {
                self.inside = true;
                self.open = true;
            }
            End::Fixed(fix) => match self.installed_to(fix) {
                Some(Ordering::Less) => {
                    self.inside = true;
                    self.lower_fix(fix);
                }
                Some(_) => self.mended |= introduced.is_none(),
                None => {}
            },
            End::Before(limit) => {
                self.inside |= self.installed_to(limit) == Some(Ordering::Less);
            }
            End::LastAffected(last) => {
                self.inside |= self
                    .installed_to(last)
                    .is_some_and(|ordering| ordering != Ordering::Greater);
            }
        }
    }

    fn lower_fix(&mut self, fix: &'a str) {
        let lower = self.fixed.is_none_or(|known| {
            compare(self.scheme, fix, known).is_ok_and(|o| o == Ordering::Less)
        });
        if lower {
            self.fixed = Some(fix);
        }
    }

    fn listed(&mut self, versions: &[&str]) -> bool {
        // Equal text is the common case and needs no parsing.
        versions.contains(&self.version)
            || versions
                .iter()
                .any(|listed| self.installed_to(listed) == Some(Ordering::Equal))
    }

    /// For a listed version: the lowest fix above it, of any range.
    fn next_fix(&mut self, row: &Row<'a>) {
        for range in &row.ranges {
            if let End::Fixed(fix) = range.end
                && self.installed_to(fix) == Some(Ordering::Less)
            {
                self.lower_fix(fix);
            }
        }
    }
}
