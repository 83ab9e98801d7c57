//! Advisories: importers for the feeds, version schemes, the database file and the matcher.

pub mod cvss;
pub mod importers;
mod record;
pub mod versions;

pub use record::{
    Advisory, Affected, CnnvdEntry, CoveredFlaw, EpssEntry, KevEntry, NameKind, Source, State,
    Upper, VersionRange,
};
