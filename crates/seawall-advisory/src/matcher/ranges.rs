//! Versions against the ranges and lists of a row.

use super::minor::minor_release;
use crate::database::stored::{End, Range, Row};
use crate::versions::{VersionError, compare, placeable, within};
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

/// An installed version, checked once for all the rows that it is held against.
#[derive(Debug, Clone)]
pub(crate) struct Installed<'v> {
    scheme: VersionScheme,
    version: &'v str,
    /// Why it has no place among the versions of its scheme.
    refused: Option<VersionError>,
    minor_release: Option<&'v str>,
}

impl<'v> Installed<'v> {
    /// Checks the version.
    pub(crate) fn new(scheme: VersionScheme, version: &'v str) -> Self {
        Self {
            scheme,
            version,
            refused: placeable(scheme, version).err(),
            minor_release: match scheme {
                VersionScheme::Rpm => minor_release(version),
                _ => None,
            },
        }
    }

    /// The text of the version.
    pub(super) fn version(&self) -> &'v str {
        self.version
    }

    /// The mark of the minor release that an rpm is of.
    pub(super) fn minor_release(&self) -> Option<&'v str> {
        self.minor_release
    }
}

/// Places a version.
///
/// # Errors
/// The first pair of versions that could not be compared, unless the others place it inside
/// anyway.
pub(crate) fn place<'a>(
    installed: &Installed<'_>,
    row: &Row<'a>,
) -> Result<Place<'a>, VersionError> {
    if row.ranges.is_empty() && row.versions.is_empty() {
        return Ok(Place::Inside {
            fixed: None,
            open: true,
        });
    }
    let mut search = Search {
        scheme: installed.scheme,
        version: installed.version,
        inside: false,
        open: false,
        fixed: None,
        mended: false,
        error: installed.refused.clone(),
    };
    if search.error.is_none() {
        row.ranges.iter().for_each(|range| search.range(range));
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
    /// The first pair of versions that could not be compared.
    error: Option<VersionError>,
}

impl<'a> Search<'a, '_> {
    fn range(&mut self, range: &Range<'a>) {
        match (within(self.scheme, self.version, range), range.end) {
            (Ok(true), End::Fixed(fix)) => {
                self.inside = true;
                self.lower_fix(fix);
            }
            (Ok(true), end) => {
                self.inside = true;
                self.open |= end == End::Open;
            }
            // Not in a range from the beginning: at its end or above.
            (Ok(false), End::Fixed(_)) => {
                self.mended |= range.introduced.is_none_or(|version| version == "0");
            }
            (Ok(false), _) => {}
            (Err(error), _) => drop(self.error.get_or_insert(error)),
        }
    }

    /// Compares the installed version with another; the first error is kept.
    fn installed_to(&mut self, other: &str) -> Option<Ordering> {
        match compare(self.scheme, self.version, other) {
            Ok(ordering) => Some(ordering),
            Err(error) => {
                self.error.get_or_insert(error);
                None
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

    fn listed(&self, versions: &[&str]) -> bool {
        // Equal text is the common case and needs no parsing. What is no version of the scheme
        // (PyPI has some from before PEP 440) is not the installed one, which is.
        let equal =
            |listed: &&str| compare(self.scheme, self.version, listed).is_ok_and(Ordering::is_eq);
        versions.contains(&self.version) || versions.iter().any(equal)
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
