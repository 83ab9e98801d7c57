//! Advisories: importers for the feeds, version schemes, the database file and the matcher.

pub mod build;
pub mod cvss;
pub mod database;
pub mod delta;
pub mod importers;
pub mod matcher;
pub mod query;
mod record;
pub mod signature;
pub mod update;
pub mod versions;

pub use record::{
    Advisory, Affected, CnnvdEntry, CoveredFlaw, EpssEntry, KevEntry, NameKind, Source, State,
    Upper, VersionRange,
};
