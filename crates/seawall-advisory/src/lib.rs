//! Advisories: importers for the feeds, version schemes, the database file and the matcher.

pub mod build;
pub mod cvss;
pub mod database;
pub mod importers;
pub mod matcher;
mod record;
pub mod signature;
pub mod versions;

pub use record::{
    Advisory, Affected, CnnvdEntry, CoveredFlaw, EpssEntry, KevEntry, NameKind, Source, State,
    Upper, VersionRange,
};
