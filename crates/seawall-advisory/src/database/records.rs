//! The way back: the records a database was built from, as the builder left them. A database built
//! from them again has the same bytes.

use super::stored::{Covered, owned};
use super::{Database, DatabaseError};
use crate::importers::Records;
use crate::record::{Advisory, CnnvdEntry, CoveredFlaw, EpssEntry, KevEntry};
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
            records
                .kev
                .extend(self.flaw(flaw)?.kev.iter().map(|kev| KevEntry {
                    cve: kev.cve.to_owned(),
                    date_added: kev.date_added.map(str::to_owned),
                    due_date: kev.due_date.map(str::to_owned),
                    ransomware: kev.ransomware,
                }));
        }
        Ok(records)
    }

    fn advisories(&self) -> Result<Vec<Advisory>, DatabaseError> {
        let mut advisories = Vec::new();
        self.each_text(0, self.advisory_count(), |number, text| {
            let core = self.core(number)?;
            let covered = |covered: &Covered<'_>| CoveredFlaw {
                id: covered.id.to_owned(),
                severity: covered.severity.map(|rating| rating.severity()),
                cvss: covered.cvss.iter().map(|vector| vector.to_cvss()).collect(),
            };
            advisories.push(Advisory {
                id: core.id.to_owned(),
                source: self.advisory_entry(number)?.source,
                aliases: owned(&core.aliases),
                covers: core.covers.iter().map(covered).collect(),
                title: text.title.to_owned(),
                description: text.description.to_owned(),
                published: core.published.map(str::to_owned),
                modified: core.modified.map(str::to_owned),
                withdrawn: core.withdrawn.map(str::to_owned),
                severity: core.severity.map(|rating| rating.severity()),
                cvss: core.cvss.iter().map(|vector| vector.to_cvss()).collect(),
                cwes: owned(&core.cwes),
                references: owned(&text.references),
                affected: Vec::new(),
            });
            Ok(())
        })?;
        Ok(advisories)
    }

    fn cnnvd_entries(&self) -> Result<Vec<CnnvdEntry>, DatabaseError> {
        let mut entries = Vec::new();
        let first = self.advisory_count();
        self.each_text(first, self.cnnvd_count(), |item, text| {
            let core = self.cnnvd(item - first)?;
            entries.push(CnnvdEntry {
                id: core.id.to_owned(),
                cves: owned(&core.cves),
                title: text.title.to_owned(),
                description: text.description.to_owned(),
                severity: core.severity.map(|rating| rating.severity()),
            });
            Ok(())
        })?;
        Ok(entries)
    }

    /// Calls `each` with `count` items from `first` and their texts, unpacking every group once.
    fn each_text(
        &self,
        first: u32,
        count: u32,
        mut each: impl FnMut(u32, super::stored::Text<'_>) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        let mut unpacked = None;
        for item in first..first.saturating_add(count) {
            let number = self.text_group_of(item)?;
            let group = match unpacked.take() {
                Some((known, group)) if known == number => group,
                _ => self.text_group(number)?,
            };
            each(item, group.text(item)?)?;
            unpacked = Some((number, group));
        }
        Ok(())
    }
}
