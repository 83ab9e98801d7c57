//! The way back: the records a database was built from, as the builder left them. A database built
//! from them again has the same bytes.

use super::stored::{Kev, Text};
use super::{Database, DatabaseError, Unpacker};
use crate::importers::Records;
use crate::record::{Advisory, CnnvdEntry, EpssEntry};
use seawall_model::Ecosystem;

impl Database {
    /// Every record in the database.
    ///
    /// # Errors
    /// The database is damaged.
    pub fn records(&self) -> Result<Records, DatabaseError> {
        let mut records = Records {
            advisories: self.advisories()?,
            cnnvd: self.cnnvd_entries()?,
            ..Records::default()
        };
        for bucket in self.all_buckets() {
            let bucket = bucket?;
            let ecosystem = Ecosystem::from_key(bucket.ecosystem)
                .ok_or_else(|| DatabaseError::damaged(0, "an ecosystem is not known"))?;
            for row in &bucket.rows {
                usize::try_from(row.advisory)
                    .ok()
                    .and_then(|at| records.advisories.get_mut(at))
                    .ok_or_else(|| DatabaseError::damaged(0, "a row is of no advisory"))?
                    .affected
                    .push(row.to_affected(&ecosystem, bucket.name));
            }
        }
        for entry in self.all_epss() {
            let ((year, number), epss) = entry?;
            records.epss.push(EpssEntry {
                cve: format!("CVE-{year:04}-{number:04}"),
                score: epss.score,
                percentile: epss.percentile,
            });
        }
        for flaw in 0..self.flaw_count() {
            let flaw = self.flaw(flaw)?;
            records.kev.extend(flaw.kev.iter().map(Kev::to_entry));
        }
        Ok(records)
    }

    fn advisories(&self) -> Result<Vec<Advisory>, DatabaseError> {
        let mut advisories = Vec::new();
        self.each_text(0, self.advisory_count(), |number, text| {
            advisories.push(self.advisory(number, &text)?);
            Ok(())
        })?;
        Ok(advisories)
    }

    /// One advisory without its rows.
    pub(crate) fn advisory(&self, number: u32, text: &Text<'_>) -> Result<Advisory, DatabaseError> {
        let source = self.advisory_entry(number)?.source;
        Ok(self.core(number)?.to_advisory(source, text))
    }

    fn cnnvd_entries(&self) -> Result<Vec<CnnvdEntry>, DatabaseError> {
        let mut entries = Vec::new();
        let first = self.advisory_count();
        self.each_text(first, self.cnnvd_count(), |item, text| {
            entries.push(self.cnnvd_entry(item - first, &text)?);
            Ok(())
        })?;
        Ok(entries)
    }

    /// One entry of CNNVD.
    pub(crate) fn cnnvd_entry(
        &self,
        number: u32,
        text: &Text<'_>,
    ) -> Result<CnnvdEntry, DatabaseError> {
        Ok(self.cnnvd(number)?.to_entry(text))
    }

    /// Calls `each` with `count` items from `first` and their texts, unpacking every group once.
    fn each_text(
        &self,
        first: u32,
        count: u32,
        mut each: impl FnMut(u32, Text<'_>) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        let mut unpacker = Unpacker::new();
        let mut unpacked = None;
        for item in first..first.saturating_add(count) {
            let number = self.text_group_of(item)?;
            let group = match unpacked.take() {
                Some((known, group)) if known == number => group,
                _ => self.text_group(&mut unpacker, number)?,
            };
            each(item, group.text(item)?)?;
            unpacked = Some((number, group));
        }
        Ok(())
    }
}
