//! One package against everything that is said of it.

use super::applies::applies;
use super::minor::{Minor, settle};
use super::publishers::{is_own, rank};
use super::ranges::{Installed, Place, place};
use super::select::Selection;
use crate::Source;
use crate::database::stored::{Kind, Row, RowState};
use crate::database::{Database, DatabaseError};
use crate::versions::compare;
use seawall_model::{
    Confidence, Ecosystem, Fix, FixState, Package, Severity, Status, VersionScheme,
};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What came of a package.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) verdicts: Vec<Verdict>,
    /// Statements whose versions could not be compared, and the first reason.
    pub(super) errors: usize,
    pub(super) first_error: Option<String>,
}

/// A flaw that the package has.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) flaw: u32,
    /// The advisories that say so, the deciding one first.
    pub(super) matched: Vec<Matched>,
    /// The advisories that speak of this flaw in this package, whatever they say of this version.
    pub(super) speakers: Vec<u32>,
    pub(super) fix: Fix,
    pub(super) status: Status,
    pub(super) confidence: Confidence,
}

/// An advisory that matched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matched {
    pub(super) advisory: u32,
    pub(super) source: Source,
    pub(super) bulletin: bool,
    /// The publisher's rating for this package.
    pub(super) severity: Option<Severity>,
}

/// What one row says of the package's version.
#[derive(Debug, Clone)]
pub(crate) struct Statement<'a> {
    advisory: u32,
    source: Source,
    bulletin: bool,
    rank: u8,
    state: RowState,
    severity: Option<Severity>,
    minor: Minor,
    pub(crate) place: Place<'a>,
}

impl Statement<'_> {
    /// Whether it says that the version has the flaw.
    pub(crate) fn affects(&self) -> bool {
        self.state != RowState::NotAffected && matches!(self.place, Place::Inside { .. })
    }

    /// Affected without a known end: nothing says which version mends it.
    fn is_open(&self) -> bool {
        matches!(
            self.place,
            Place::Inside {
                open: true,
                fixed: None
            }
        )
    }

    fn is_mended(&self) -> bool {
        self.state == RowState::Affected && self.place == (Place::Outside { mended: true })
    }
}

/// Holds a package against the rows of its names.
pub(super) fn evaluate(
    database: &Database,
    selection: &Selection<'_>,
    package: &Package,
) -> Result<Outcome, DatabaseError> {
    let mut outcome = Outcome::default();
    let Some((ecosystem, key)) = selection.scope() else {
        return Ok(outcome);
    };
    let buckets = selection.buckets(database, key)?;
    let (source_name, source_version) = &selection.source;
    let versions = Versions::new(ecosystem, package, source_version);
    let mut statements = Vec::new();
    for bucket in &buckets {
        for row in &bucket.rows {
            let entry = database.advisory_entry(row.advisory)?;
            if entry.withdrawn || !applies(row, bucket.name, package, source_name) {
                continue;
            }
            let installed = versions.of(row);
            match place(installed, row) {
                Ok(place) => {
                    let (place, minor) = settle(installed, row, place);
                    statements.push(Statement {
                        advisory: row.advisory,
                        source: entry.source,
                        bulletin: entry.bulletin,
                        rank: rank(ecosystem, entry),
                        state: row.state,
                        severity: row.severity.map(|rating| rating.severity()),
                        minor,
                        place,
                    });
                }
                Err(error) => {
                    outcome.errors += 1;
                    outcome.first_error.get_or_insert_with(|| error.to_string());
                }
            }
        }
    }
    if !statements.iter().any(Statement::affects) {
        return Ok(outcome);
    }
    let mut by_flaw: BTreeMap<u32, Vec<&Statement<'_>>> = BTreeMap::new();
    for statement in &statements {
        for flaw in database.advisory_flaws(statement.advisory)? {
            by_flaw.entry(flaw).or_default().push(statement);
        }
    }
    for (flaw, statements) in by_flaw {
        outcome
            .verdicts
            .extend(decide(ecosystem, flaw, &statements));
    }
    Ok(outcome)
}

/// The versions of a package that rows are about.
pub(super) struct Versions<'v> {
    own: Installed<'v>,
    /// The source package's, where rows may name source packages.
    source: Option<Installed<'v>>,
}

impl<'v> Versions<'v> {
    /// Of a package whose source has `source_version`.
    pub(super) fn new(
        ecosystem: &Ecosystem,
        package: &'v Package,
        source_version: &'v str,
    ) -> Self {
        let installed = |version| Installed::new(ecosystem.scheme(), version);
        Self {
            own: installed(&package.version),
            source: package.kind.is_os().then(|| installed(source_version)),
        }
    }

    /// The one that a row is about.
    pub(super) fn of(&self, row: &Row<'_>) -> &Installed<'v> {
        match (row.name_kind, &self.source) {
            (Kind::Source, Some(source)) => source,
            _ => &self.own,
        }
    }
}

/// Weighs what is said of one flaw. The preferred publisher decides; where it speaks twice, the
/// package is affected if either says so, with two exceptions.
///
/// The user's "not affected" always stands. And a distribution's statement that something is open
/// gives way to the same distribution's statement that it is mended at or below the installed
/// version: a bulletin or changelog is a fact about a version, an open entry is the absence of
/// one, and trackers are read later than bulletins are sent. An entry that names a higher version
/// stands: then the earlier fix was not the whole of it.
fn decide(ecosystem: &Ecosystem, flaw: u32, all: &[&Statement<'_>]) -> Option<Verdict> {
    let statements = about_this_build(all);
    let preferred = statements.iter().map(|statement| statement.rank).min()?;
    let deciding = || statements.iter().filter(|s| s.rank == preferred);
    let silenced_by_user = preferred == 0
        && deciding()
            .any(|s| s.state == RowState::NotAffected && matches!(s.place, Place::Inside { .. }));
    let mut affecting: Vec<&Statement<'_>> = deciding().copied().filter(|s| s.affects()).collect();
    let mended = is_own(preferred)
        && matches!(ecosystem, Ecosystem::Distro { .. })
        && affecting.iter().all(|s| s.is_open())
        && statements.iter().any(|s| is_own(s.rank) && s.is_mended());
    if silenced_by_user || mended || affecting.is_empty() {
        return None;
    }
    // Of several statements the one that knows a fix leads.
    affecting.sort_by_key(|s| (s.is_open(), s.advisory));
    let (fix, status) = fix_and_status(ecosystem.scheme(), &affecting);
    let mut others: Vec<&Statement<'_>> = statements
        .iter()
        .copied()
        .filter(|s| s.rank != preferred && s.affects())
        .collect();
    others.sort_by_key(|s| (s.rank, s.advisory));
    let confidence = match affecting.first() {
        Some(first) if first.source == Source::Nvd => Confidence::Low,
        _ => Confidence::High,
    };
    Some(Verdict {
        flaw,
        matched: affecting
            .into_iter()
            .chain(others)
            .map(|s| Matched {
                advisory: s.advisory,
                source: s.source,
                bulletin: s.bulletin,
                severity: s.severity,
            })
            .collect(),
        speakers: all.iter().map(|s| s.advisory).collect(),
        fix,
        status,
        confidence,
    })
}

/// The statements without those that say nothing of the installed build: that some other version is
/// not affected, or how other minor releases are mended, where the same publisher mends the build's
/// own.
fn about_this_build<'s, 'a>(all: &[&'s Statement<'a>]) -> Vec<&'s Statement<'a>> {
    let mends_own = |source| {
        let mut statements = all.iter();
        statements.any(|s| s.source == source && s.minor == Minor::Own)
    };
    let mut kept = all.to_vec();
    kept.retain(|s| {
        let of_other_versions =
            s.state == RowState::NotAffected && matches!(s.place, Place::Outside { .. });
        let of_other_minor = s.minor == Minor::Other && mends_own(s.source);
        !of_other_versions && !of_other_minor
    });
    kept
}

fn fix_and_status(scheme: VersionScheme, affecting: &[&Statement<'_>]) -> (Fix, Status) {
    // Each statement asks for its own fix: only the highest satisfies them all.
    let version = affecting
        .iter()
        .filter_map(|statement| match statement.place {
            Place::Inside { fixed, .. } => fixed,
            Place::Outside { .. } => None,
        })
        .reduce(|highest, fix| match compare(scheme, highest, fix) {
            Ok(Ordering::Less) => fix,
            _ => highest,
        });
    let all = |state| affecting.iter().all(|s| s.state == state);
    let state = if version.is_some() {
        FixState::Fixed
    } else if all(RowState::WontFix) {
        FixState::WontFix
    } else if affecting.iter().any(|s| s.is_open()) && !all(RowState::UnderInvestigation) {
        FixState::NotFixed
    } else {
        FixState::Unknown
    };
    let status = if all(RowState::UnderInvestigation) {
        Status::UnderInvestigation
    } else {
        Status::Affected
    };
    (
        Fix {
            state,
            version: version.map(str::to_owned),
        },
        status,
    )
}
