//! Questions to a database: what is in it, what is known of a flaw, what is said of a package.

use crate::build::{EcosystemCount, Statistics};
use crate::database::layout::FORMAT_VERSION;
use crate::database::stored::Estimate;
use crate::database::{Database, DatabaseError, SignatureState, Unpacker};
use crate::matcher::{Matches, Says};
use crate::record::{Advisory, Affected, CnnvdEntry, KevEntry, Source};
use seawall_model::{Distro, Ecosystem, Epss, Inventory, Package, Target};
use std::collections::{BTreeMap, BTreeSet};

/// What a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseStatus {
    /// Version of the file format.
    pub format_version: u32,
    /// SHA-256 that names the content, in hexadecimal.
    pub digest: String,
    /// Length of the file in bytes.
    pub len: u64,
    /// Its signature.
    pub signature: SignatureState,
    /// What is in it.
    pub statistics: Statistics,
}

/// Everything known of a flaw.
#[derive(Debug, Clone, PartialEq)]
pub struct FlawDetails {
    /// Its main name.
    pub id: String,
    /// Its other names, sorted.
    pub aliases: Vec<String>,
    /// Every advisory that speaks of it, withdrawn ones too, with all it says.
    pub advisories: Vec<Advisory>,
    /// Its entries in CISA's catalogue.
    pub kev: Vec<KevEntry>,
    /// Its exploit prediction.
    pub epss: Option<Epss>,
    /// Its entries in CNNVD.
    pub cnnvd: Vec<CnnvdEntry>,
}

/// What is said of a package.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// The key of the ecosystem that was looked into, where there is one.
    pub ecosystem: Option<String>,
    /// Every statement under the package's names, in the order of flaws.
    pub statements: Vec<LookupStatement>,
    /// What it comes to, weighed as in a scan.
    pub matches: Matches,
}

/// One advisory's statement on a package.
#[derive(Debug, Clone, PartialEq)]
pub struct LookupStatement {
    /// The advisory.
    pub advisory: String,
    /// Its publisher.
    pub source: Source,
    /// The flaws that it speaks of, by their main names.
    pub flaws: Vec<String>,
    /// What it says.
    pub affected: Affected,
    /// What that means for the package's version.
    pub says: Says,
}

impl Database {
    /// What the database is and holds.
    ///
    /// # Errors
    /// It is damaged.
    pub fn status(&self) -> Result<DatabaseStatus, DatabaseError> {
        let stored = self.statistics()?;
        Ok(DatabaseStatus {
            format_version: FORMAT_VERSION,
            digest: self.digest(),
            len: self.len(),
            signature: self.signature(),
            statistics: Statistics {
                sources: stored
                    .sources
                    .iter()
                    .map(|(name, count)| ((*name).to_owned(), *count))
                    .collect(),
                ecosystems: stored
                    .ecosystems
                    .iter()
                    .map(|&(key, packages, rows, newest)| EcosystemCount {
                        key: key.to_owned(),
                        packages,
                        rows,
                        newest: newest.map(str::to_owned),
                    })
                    .collect(),
                flaws: stored.flaws,
                advisories: stored.advisories,
                kev: stored.kev,
                epss: stored.epss,
                cnnvd: stored.cnnvd,
                newest: stored.newest.map(str::to_owned),
            },
        })
    }

    /// The flaws of a name, whatever its case: one for a CVE or an alias, several for a bulletin.
    /// A CVE that only has an exploit prediction comes without advisories. Reads every row of the
    /// database, as rows are filed by package.
    ///
    /// # Errors
    /// It is damaged.
    pub fn query(&self, name: &str) -> Result<Vec<FlawDetails>, DatabaseError> {
        let name = name.trim();
        let mut numbers = Vec::new();
        for number in self.flaws_named(name)? {
            if self.is_called(number, name)? {
                numbers.push(number);
            }
        }
        let mut found = Vec::new();
        let mut wanted = BTreeSet::new();
        for &number in &numbers {
            wanted.extend(self.flaw(number)?.advisories);
        }
        let mut advisories = self.advisories_in_full(&wanted)?;
        for number in numbers {
            found.push(self.flaw_details(number, &mut advisories)?);
        }
        if found.is_empty()
            && let Some(epss) = self.epss(name)?
        {
            found.push(FlawDetails {
                id: name.to_ascii_uppercase(),
                aliases: Vec::new(),
                advisories: Vec::new(),
                kev: Vec::new(),
                epss: Some(epss),
                cnnvd: Vec::new(),
            });
        }
        Ok(found)
    }

    /// Whether ransomware campaigns are known to use a flaw, by CISA's catalogue.
    ///
    /// # Errors
    /// It is damaged.
    pub fn is_used_by_ransomware(&self, name: &str) -> Result<bool, DatabaseError> {
        for number in self.flaws_named(name)? {
            let used = self
                .flaw(number)?
                .kev
                .iter()
                .any(|kev| kev.to_entry().ransomware);
            if used && self.is_called(number, name)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a flaw has this name itself, by a bulletin or by CNNVD: the index goes by hashes.
    fn is_called(&self, number: u32, name: &str) -> Result<bool, DatabaseError> {
        let flaw = self.flaw(number)?;
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        if same(flaw.id) || flaw.aliases.iter().any(|alias| same(alias)) {
            return Ok(true);
        }
        for &advisory in &flaw.advisories {
            let core = self.core(advisory)?;
            if same(core.id) || core.aliases.iter().any(|alias| same(alias)) {
                return Ok(true);
            }
        }
        for &entry in &flaw.cnnvd {
            if same(self.cnnvd(entry)?.id) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn advisories_in_full(
        &self,
        wanted: &BTreeSet<u32>,
    ) -> Result<BTreeMap<u32, Advisory>, DatabaseError> {
        let mut advisories = BTreeMap::new();
        let mut unpacker = Unpacker::new();
        for &number in wanted {
            let group = self.text_group(&mut unpacker, self.text_group_of(number)?)?;
            advisories.insert(number, self.advisory(number, &group.text(number)?)?);
        }
        if wanted.is_empty() {
            return Ok(advisories);
        }
        for bucket in self.all_buckets() {
            let bucket = bucket?;
            for row in &bucket.rows {
                if let Some(advisory) = advisories.get_mut(&row.advisory) {
                    let ecosystem = Ecosystem::from_key(bucket.ecosystem)
                        .ok_or_else(|| DatabaseError::damaged(0, "an ecosystem is not known"))?;
                    advisory
                        .affected
                        .push(row.to_affected(&ecosystem, bucket.name));
                }
            }
        }
        Ok(advisories)
    }

    fn flaw_details(
        &self,
        number: u32,
        advisories: &mut BTreeMap<u32, Advisory>,
    ) -> Result<FlawDetails, DatabaseError> {
        let flaw = self.flaw(number)?;
        let mut cnnvd = Vec::new();
        for &entry in &flaw.cnnvd {
            let item = self.advisory_count().saturating_add(entry);
            let group = self.text_group(&mut Unpacker::new(), self.text_group_of(item)?)?;
            cnnvd.push(self.cnnvd_entry(entry, &group.text(item)?)?);
        }
        Ok(FlawDetails {
            id: flaw.id.to_owned(),
            aliases: flaw.aliases.iter().map(|&name| name.to_owned()).collect(),
            advisories: flaw
                .advisories
                .iter()
                .filter_map(|advisory| advisories.get(advisory).cloned())
                .collect(),
            kev: flaw.kev.iter().map(|kev| kev.to_entry()).collect(),
            epss: flaw.epss.map(Estimate::to_epss),
            cnnvd,
        })
    }

    /// What is said of a package, and what it comes to. `distro` is the operating system that an
    /// OS package is from.
    ///
    /// # Errors
    /// The database is damaged.
    pub fn lookup(
        &self,
        package: &Package,
        distro: Option<&Distro>,
    ) -> Result<Lookup, DatabaseError> {
        let (ecosystem, statements) = self.statements(package, distro)?;
        let matches = self.match_inventory(&Inventory {
            target: Target::default(),
            distro: distro.cloned(),
            layers: Vec::new(),
            packages: vec![package.clone()],
            development_excluded: 0,
            notes: Vec::new(),
            incomplete: Vec::new(),
        })?;
        Ok(Lookup {
            ecosystem,
            statements,
            matches,
        })
    }
}
