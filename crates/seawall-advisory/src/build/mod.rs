//! Records in, a database file out: the same bytes for the same records, in whatever order and on
//! however many threads they came.

mod encode;
mod identity;
mod merge;
mod normalize;

use crate::database::{self, DatabaseError};
use crate::importers::Records;
use crate::signature::SecretKey;
use rayon::prelude::*;
use seawall_model::Incomplete;
use std::collections::BTreeMap;

/// Collects records and makes a database of them.
#[derive(Debug, Default)]
pub struct Builder {
    records: Records,
}

/// A database in memory, ready to be written by [`database::write_file`].
#[derive(Debug)]
pub struct BuiltDatabase {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// What is in it.
    pub statistics: Statistics,
    /// What the importers could not read, and records that were cut or left out.
    pub incomplete: Vec<Incomplete>,
    /// What the importers left out on purpose, with the number of rows.
    pub skipped: BTreeMap<String, u64>,
}

/// What is in a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Advisories by publisher's name.
    pub sources: Vec<(String, u32)>,
    /// Packages and rows by ecosystem's key.
    pub ecosystems: Vec<EcosystemCount>,
    /// Flaws, each one under all its names.
    pub flaws: u32,
    /// Advisories.
    pub advisories: u32,
    /// Known exploited flaws.
    pub kev: u32,
    /// Exploit predictions.
    pub epss: u32,
    /// CNNVD entries.
    pub cnnvd: u32,
    /// The newest date of any record, RFC 3339 or `YYYY-MM-DD`.
    pub newest: Option<String>,
}

/// What is known of one ecosystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcosystemCount {
    /// Its key: `npm`, `debian:12`.
    pub key: String,
    /// Packages that any advisory speaks of.
    pub packages: u32,
    /// What advisories say of them, one verdict each.
    pub rows: u32,
    /// When the newest of its advisories was published, RFC 3339 or `YYYY-MM-DD`.
    pub newest: Option<String>,
}

/// Why no database could be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// More than the format holds.
    #[error("the advisories do not fit: {what} would exceed {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit, with its unit.
        limit: &'static str,
    },
    /// The database could not be read back or signed.
    #[error("the database that was built is not sound")]
    Unsound(#[from] DatabaseError),
    /// A group of texts could not be packed.
    #[error("cannot pack texts")]
    Pack(#[source] std::io::Error),
}

impl Builder {
    /// A builder without records.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what an importer produced.
    pub fn add(&mut self, mut records: Records) {
        self.records.advisories.append(&mut records.advisories);
        self.records.kev.append(&mut records.kev);
        self.records.epss.append(&mut records.epss);
        self.records.cnnvd.append(&mut records.cnnvd);
        self.records.incomplete.append(&mut records.incomplete);
        for (what, rows) in records.skipped {
            self.records.skip(&what, rows);
        }
    }

    /// Makes the database.
    ///
    /// # Errors
    /// More records than the format holds.
    pub fn finish(self) -> Result<BuiltDatabase, BuildError> {
        let mut incomplete = self.records.incomplete;
        let (advisories, cut): (Vec<_>, Vec<_>) = self
            .records
            .advisories
            .into_par_iter()
            .map(normalize::advisory)
            .unzip();
        let mut cut: Vec<_> = cut.into_iter().flatten().collect();
        let advisories = merge::advisories(advisories.into_iter().flatten().collect());
        let kev = merge::kev(self.records.kev);
        let epss = normalize::epss(self.records.epss, &mut cut);
        let cnnvd = merge::cnnvd(self.records.cnnvd);
        let flaws = identity::flaws(&advisories, &kev, &cnnvd);
        let (sections, statistics) = encode::sections(&encode::Input {
            advisories: &advisories,
            kev: &kev,
            epss: &epss,
            cnnvd: &cnnvd,
            identity: &flaws,
        })?;
        // Sorted, because the records may have come in any order.
        cut.sort_by(|a, b| (&a.place, &a.message).cmp(&(&b.place, &b.message)));
        incomplete.append(&mut cut);
        Ok(BuiltDatabase {
            bytes: database::assemble(&sections),
            statistics,
            incomplete,
            skipped: self.records.skipped,
        })
    }
}

impl BuiltDatabase {
    /// Signs it.
    ///
    /// # Errors
    /// The bytes were changed since they were built.
    pub fn sign(&mut self, key: &SecretKey) -> Result<(), BuildError> {
        Ok(database::sign(&mut self.bytes, key)?)
    }
}
