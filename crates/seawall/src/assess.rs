//! Inventory in, findings out: the database, the policy and the priorities in their order.

use crate::cli::Matching;
use crate::exit::{Failure, Result};
use crate::locations;
use anyhow::{Context, anyhow};
use jiff::civil::Date;
use seawall_advisory::database::{Database, DatabaseError, OpenOptions};
use seawall_advisory::signature::PublicKey;
use seawall_artifact::Claims;
use seawall_model::{FailOn, Finding, Gate, Inventory};
use seawall_report::DatabaseInfo;
use seawall_scan::policy::{MAX_BYTES, Policy, PolicyError};
use seawall_scan::priority;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The ignore file that is taken without being named.
const IGNORE_FILES: &[&str] = &[".seawallignore.yaml", ".trivyignore"];

/// What inventories are held against.
pub(crate) struct Assessor {
    database: Database,
    policy: Policy,
    fail_on: Vec<FailOn>,
    today: Date,
}

impl Matching {
    /// The files that it names, and those that are meant without being named.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let database = locations::database(self.db.as_deref())?;
        let policy = self.vex.iter().chain(&self.trusted_images).cloned();
        Ok(policy.chain(self.ignore_file()).chain([database]).collect())
    }

    fn ignore_file(&self) -> Option<PathBuf> {
        let found = || {
            IGNORE_FILES
                .iter()
                .map(PathBuf::from)
                .find(|it| it.is_file())
        };
        self.ignore_file.clone().or_else(found)
    }
}

/// What an inventory came to.
pub(crate) struct Assessment {
    pub(crate) inventory: Inventory,
    pub(crate) findings: Vec<Finding>,
    pub(crate) notices: Vec<String>,
    pub(crate) gate: Option<Gate>,
}

impl Assessor {
    /// Opens and reads everything that the options name, before any target is touched.
    pub(crate) fn open(options: &Matching, today: Date) -> Result<Self> {
        Ok(Self {
            database: open_database(options.db.as_deref())?,
            policy: read_policy(options)?,
            fail_on: options.fail_on.clone(),
            today,
        })
    }

    /// Matches, applies policy, and puts in order.
    pub(crate) fn assess(&self, mut inventory: Inventory) -> Result<Assessment> {
        let matches = self.database.match_inventory(&inventory).map_err(damaged)?;
        let mut findings = matches.findings;
        tracing::info!(
            target = inventory.target.name,
            packages = inventory.packages.len(),
            findings = findings.len(),
            "matched"
        );
        inventory.incomplete.extend(matches.incomplete);
        let mut notices = inventory.notes.clone();
        notices.extend(matches.notes);
        notices.extend(self.policy.apply(&inventory, &mut findings, self.today));
        // A database that is damaged just there has failed the matching before.
        let ransomware = |id: &str| self.database.is_used_by_ransomware(id).unwrap_or(false);
        priority::prioritize(&mut findings, &inventory, &ransomware);
        let gate = match self.fail_on.as_slice() {
            [] => None,
            thresholds => Some(Gate::evaluate(thresholds, &findings)),
        };
        Ok(Assessment {
            inventory,
            findings,
            notices,
            gate,
        })
    }

    /// The digests by which its policy knows images.
    pub(crate) fn claims(&self) -> Claims {
        self.policy.claims()
    }

    /// The database as reports name it.
    pub(crate) fn database_info(&self) -> Result<DatabaseInfo> {
        let statistics = self.database.status().map_err(damaged)?.statistics;
        Ok(DatabaseInfo {
            digest: self.database.digest(),
            newest: statistics.newest,
            advisories: u64::from(statistics.advisories),
        })
    }
}

/// Opens a database: the named one, else the one that scans use.
pub(crate) fn open_database(named: Option<&Path>) -> Result<Database> {
    let path = locations::database(named)?;
    let options = OpenOptions {
        trusted_keys: trusted_keys()?,
    };
    let database = Database::open(&path, &options).map_err(damaged)?;
    tracing::info!(file = %path.display(), bytes = database.len(), "opened the advisory database");
    Ok(database)
}

/// The keys of which one must have signed every database, if there are any.
pub(crate) fn trusted_keys() -> Result<Vec<PublicKey>> {
    let folder = locations::trusted_keys()?;
    let listed = fs::read_dir(&folder).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<Vec<PathBuf>>>()
    });
    let mut paths = match listed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        // Going on without keys would take off a demand that somebody made.
        listed => listed
            .with_context(|| format!("cannot read the trusted keys in {}", folder.display()))
            .map_err(Failure::usage)?,
    };
    paths.sort();
    let read =
        |path: &PathBuf| -> anyhow::Result<PublicKey> { Ok(fs::read_to_string(path)?.parse()?) };
    paths
        .iter()
        .map(|path| {
            read(path)
                .with_context(|| format!("cannot use the trusted key {}", path.display()))
                .map_err(Failure::usage)
        })
        .collect()
}

/// A database that cannot be used, with the way out.
pub(crate) fn damaged(error: DatabaseError) -> Failure {
    let hint = error.hint().to_owned();
    Failure::usage(error).hint(hint)
}

fn read_policy(options: &Matching) -> Result<Policy> {
    let mut policy = Policy::default();
    if let Some(path) = options.ignore_file() {
        add(&mut policy, &path, Policy::add_ignore_file)?;
    }
    for path in &options.vex {
        add(&mut policy, path, Policy::add_vex)?;
    }
    if let Some(path) = &options.trusted_images {
        add(&mut policy, path, Policy::add_trusted_images)?;
    }
    Ok(policy)
}

fn add(
    policy: &mut Policy,
    path: &Path,
    add: fn(&mut Policy, &str, &[u8]) -> std::result::Result<(), PolicyError>,
) -> Result<()> {
    let name = path.display().to_string();
    tracing::info!(file = name, "reading policy");
    let mut bytes = Vec::new();
    // One byte too many is refused for its size, and no more is held to see it.
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {name}"))
        .map_err(|error| Failure::usage(error).hint("check the path"))?;
    add(policy, &name, &bytes).map_err(|error| {
        let hint = error.hint;
        Failure::usage(anyhow!(error)).hint(hint)
    })
}
