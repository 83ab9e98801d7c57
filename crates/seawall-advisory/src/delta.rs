//! The difference between two databases, to fetch instead of the whole of the newer one.
//!
//! It is taken between records, not bytes: an advisory that is new or changed is in it whole, one
//! that is gone by its name. Applying it adds and removes records and builds the database again, so
//! the result has the bytes (and the signature) of the newer file, or is refused: both sides are
//! named by their digests. Titles and ranges that did not change cost nothing, wherever they moved
//! to in the file.
//!
//! ```text
//! 0    MAGIC, 8 bytes
//! 8    database format version, u32
//! 12   SHA-256 that names the older database
//! 44   SHA-256 that names the newer one
//! 76   public key and signature of the newer one, zero where it is not signed
//! 172  length of the changes, u64
//! 180  the changes: postcard in one zstd frame
//! end  SHA-256 of everything before
//! ```

use crate::build::{BuildError, Builder};
use crate::database::layout::{FORMAT_VERSION, Header, array_at, u32_at, u64_at};
use crate::database::stored::{CnnvdCore, Core, Kev, Row, Text};
use crate::database::{Database, DatabaseError, OpenOptions, set_header};
use crate::importers::Records;
use crate::record::{Advisory, EpssEntry, Source};
use seawall_model::Ecosystem;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

const MAGIC: [u8; 8] = *b"SEAWALDL";
const HEADER_LEN: usize = 180;
const HASH_LEN: usize = 32;
const LEVEL: i32 = 19;
/// The most that the changes may unpack to.
const MAX_CHANGES: usize = 1 << 30;

/// Why a delta could not be made or applied. The older database stays as it is; what helps is to
/// fetch the newer one whole.
#[derive(Debug, thiserror::Error)]
pub enum DeltaError {
    /// It is something else, cut off or changed.
    #[error("the delta is damaged: {0}")]
    Damaged(&'static str),
    /// It is made for another database than the one at hand.
    #[error("the delta is for the database {expected}, not for {found}")]
    OtherBase {
        /// The digest that it needs.
        expected: String,
        /// The digest of the database at hand.
        found: String,
    },
    /// The result is not the newer database: it was built by another version of the program.
    #[error("applying the delta did not give the database that it promises")]
    OtherResult,
    /// More changes than a delta holds.
    #[error("the databases differ in more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// One of the databases cannot be read.
    #[error("cannot read a database")]
    Database(#[from] DatabaseError),
    /// The result cannot be built.
    #[error("cannot build the newer database")]
    Build(#[from] BuildError),
}

/// What changes. Advisories are told apart by publisher and identifier.
#[derive(Default, Serialize, Deserialize)]
struct Changes<'a> {
    #[serde(borrow)]
    removed: Vec<(&'a str, &'a str)>,
    #[serde(borrow)]
    changed: Vec<Whole<'a>>,
    #[serde(borrow)]
    kev_removed: Vec<&'a str>,
    #[serde(borrow)]
    kev: Vec<Kev<'a>>,
    #[serde(borrow)]
    cnnvd_removed: Vec<&'a str>,
    #[serde(borrow)]
    cnnvd: Vec<(CnnvdCore<'a>, Text<'a>)>,
    #[serde(borrow)]
    epss_removed: Vec<&'a str>,
    /// Score and percentile in 1e-9.
    #[serde(borrow)]
    epss: Vec<(&'a str, u32, u32)>,
}

/// An advisory with everything it says.
#[derive(Serialize, Deserialize)]
struct Whole<'a> {
    source: &'a str,
    #[serde(borrow)]
    core: Core<'a>,
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    rows: Vec<WholeRow<'a>>,
}

/// What it says of one package.
#[derive(Serialize, Deserialize)]
struct WholeRow<'a> {
    /// The ecosystem's key.
    #[serde(borrow)]
    ecosystem: Cow<'a, str>,
    name: &'a str,
    /// The advisory's number in it is 0.
    #[serde(borrow)]
    row: Row<'a>,
}

/// Makes the delta that leads from `old` to `new`.
///
/// # Errors
/// A database is damaged, or they differ in too much.
pub fn create(old: &Database, new: &Database) -> Result<Vec<u8>, DeltaError> {
    let (before, after) = (old.records()?, new.records()?);
    let changes = difference(&before, &after);
    let raw =
        postcard::to_allocvec(&changes).map_err(|_| DeltaError::Damaged("it cannot be made"))?;
    if raw.len() > MAX_CHANGES {
        return Err(DeltaError::TooLarge { limit: MAX_CHANGES });
    }
    let packed = zstd::bulk::compress(&raw, LEVEL)
        .map_err(|_| DeltaError::Damaged("it cannot be packed"))?;
    let header = new.header();
    let mut delta = Vec::with_capacity(HEADER_LEN + packed.len() + HASH_LEN);
    delta.extend_from_slice(&MAGIC);
    delta.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    delta.extend_from_slice(&old.header().digest());
    delta.extend_from_slice(&header.digest());
    delta.extend_from_slice(&header.key);
    delta.extend_from_slice(&header.signature);
    delta.extend_from_slice(&(raw.len() as u64).to_le_bytes());
    delta.extend_from_slice(&packed);
    let checksum = Sha256::digest(&delta);
    delta.extend_from_slice(&checksum);
    Ok(delta)
}

/// The two databases between which a delta leads.
struct Ends {
    base: [u8; HASH_LEN],
    promised: [u8; HASH_LEN],
    key: [u8; 32],
    signature: [u8; 64],
}

impl Ends {
    fn read(body: &[u8]) -> Result<Self, DeltaError> {
        Ok(Self {
            base: array_at(body, 12).ok_or(SHORT)?,
            promised: array_at(body, 44).ok_or(SHORT)?,
            key: array_at(body, 76).ok_or(SHORT)?,
            signature: array_at(body, 108).ok_or(SHORT)?,
        })
    }
}

const SHORT: DeltaError = DeltaError::Damaged("it ends too early");

/// A delta without its checksum, which is right.
fn checked_body(delta: &[u8]) -> Result<&[u8], DeltaError> {
    if delta.get(..8) != Some(&MAGIC) {
        return Err(DeltaError::Damaged("it does not begin like one"));
    }
    if u32_at(delta, 8).ok_or(SHORT)? != FORMAT_VERSION {
        return Err(DeltaError::Damaged("it is of another format version"));
    }
    let (body, checksum) = delta.split_last_chunk::<HASH_LEN>().ok_or(SHORT)?;
    match Sha256::digest(body)[..] == *checksum {
        true => Ok(body),
        false => Err(DeltaError::Damaged("its checksum is not right")),
    }
}

/// Makes the newer database's bytes; `None` where `old` is that already. They are checked as [`Database::from_bytes`] would with
/// `options`, signature included.
///
/// # Errors
/// The delta is damaged, meant for another database, or does not give the promised one; or the
/// newer database's signature is not as demanded.
pub fn apply(
    old: &Database,
    delta: &[u8],
    options: &OpenOptions,
) -> Result<Option<Vec<u8>>, DeltaError> {
    let body = checked_body(delta)?;
    let Ends {
        base,
        promised,
        key,
        signature,
    } = Ends::read(body)?;
    let header = old.header();
    if (promised, key, signature) == (header.digest(), header.key, header.signature) {
        return Ok(None);
    }
    if base != header.digest() {
        return Err(DeltaError::OtherBase {
            expected: hex::encode(base),
            found: old.digest(),
        });
    }
    let raw_len = u64_at(body, 172)
        .and_then(|len| usize::try_from(len).ok())
        .filter(|len| *len <= MAX_CHANGES)
        .ok_or(DeltaError::Damaged("it unpacks to too much"))?;
    let packed = body.get(HEADER_LEN..).ok_or(SHORT)?;
    let raw = zstd::bulk::decompress(packed, raw_len)
        .map_err(|_| DeltaError::Damaged("it cannot be unpacked"))?;
    let changes: Changes<'_> =
        postcard::from_bytes(&raw).map_err(|_| DeltaError::Damaged("it cannot be read"))?;

    let mut builder = Builder::new();
    builder.add(changed(old.records()?, &changes)?);
    let mut bytes = builder.finish()?.bytes;
    let mut header = Header::decode(&bytes)?;
    if header.digest() != promised {
        return Err(DeltaError::OtherResult);
    }
    header.key = key;
    header.signature = signature;
    set_header(&mut bytes, &header)?;
    Ok(Some(Database::from_bytes(bytes, options)?.into_bytes()))
}

type AdvisoryKey<'a> = (&'a str, &'a str);

fn advisory_key(advisory: &Advisory) -> AdvisoryKey<'_> {
    (advisory.source.name(), &advisory.id)
}

fn difference<'a>(before: &'a Records, after: &'a Records) -> Changes<'a> {
    let (removed, changed) = compare(&before.advisories, &after.advisories, advisory_key);
    let (kev_removed, kev) = compare(&before.kev, &after.kev, |entry| entry.cve.as_str());
    let (cnnvd_removed, cnnvd) = compare(&before.cnnvd, &after.cnnvd, |entry| entry.id.as_str());
    let (epss_removed, epss) = compare(&before.epss, &after.epss, |entry| entry.cve.as_str());
    Changes {
        removed,
        changed: changed.into_iter().map(whole).collect(),
        kev_removed,
        kev: kev.into_iter().map(Kev::new).collect(),
        cnnvd_removed,
        cnnvd: cnnvd
            .into_iter()
            .map(|entry| (CnnvdCore::new(entry), Text::of_cnnvd(entry)))
            .collect(),
        epss_removed,
        epss: epss
            .into_iter()
            .map(|entry| {
                let nano = |share: f64| (share * 1e9).round() as u32;
                (
                    entry.cve.as_str(),
                    nano(entry.score),
                    nano(entry.percentile),
                )
            })
            .collect(),
    }
}

/// The keys that are gone, and the entries that are new or different.
fn compare<'a, T: PartialEq, K: Ord + std::hash::Hash + Copy>(
    before: &'a [T],
    after: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> (Vec<K>, Vec<&'a T>) {
    let mut old: HashMap<K, &T> = before.iter().map(|entry| (key(entry), entry)).collect();
    let changed = after
        .iter()
        .filter(|entry| old.remove(&key(entry)) != Some(*entry))
        .collect();
    let mut removed: Vec<K> = old.into_keys().collect();
    removed.sort_unstable();
    (removed, changed)
}

fn whole(advisory: &Advisory) -> Whole<'_> {
    Whole {
        source: advisory.source.name(),
        core: Core::new(advisory),
        text: Text::of_advisory(advisory),
        rows: advisory
            .affected
            .iter()
            .map(|row| WholeRow {
                ecosystem: Cow::Owned(row.ecosystem.to_string()),
                name: &row.name,
                row: Row::new(0, row),
            })
            .collect(),
    }
}

impl Whole<'_> {
    fn to_advisory(&self) -> Option<Advisory> {
        let source = Source::from_name(self.source)?;
        let mut advisory = self.core.to_advisory(source, &self.text);
        for row in &self.rows {
            let ecosystem = Ecosystem::from_key(&row.ecosystem)?;
            advisory
                .affected
                .push(row.row.to_affected(&ecosystem, row.name));
        }
        Some(advisory)
    }
}

/// The records after the changes.
fn changed(mut records: Records, changes: &Changes<'_>) -> Result<Records, DeltaError> {
    let gone: HashSet<AdvisoryKey<'_>> = changes
        .removed
        .iter()
        .copied()
        .chain(
            changes
                .changed
                .iter()
                .map(|whole| (whole.source, whole.core.id)),
        )
        .collect();
    records
        .advisories
        .retain(|advisory| !gone.contains(&advisory_key(advisory)));
    for whole in &changes.changed {
        let advisory = whole
            .to_advisory()
            .ok_or(DeltaError::Damaged("a publisher or ecosystem is not known"))?;
        records.advisories.push(advisory);
    }

    let gone = names_gone(
        &changes.kev_removed,
        changes.kev.iter().map(|entry| entry.cve),
    );
    records.kev.retain(|entry| !gone.contains(&*entry.cve));
    records.kev.extend(changes.kev.iter().map(Kev::to_entry));

    let gone = names_gone(
        &changes.cnnvd_removed,
        changes.cnnvd.iter().map(|(core, _)| core.id),
    );
    records.cnnvd.retain(|entry| !gone.contains(&*entry.id));
    let added = changes.cnnvd.iter().map(|(core, text)| core.to_entry(text));
    records.cnnvd.extend(added);

    let gone = names_gone(
        &changes.epss_removed,
        changes.epss.iter().map(|(cve, ..)| *cve),
    );
    records.epss.retain(|entry| !gone.contains(&*entry.cve));
    let added = changes
        .epss
        .iter()
        .map(|&(cve, score, percentile)| EpssEntry {
            cve: cve.to_owned(),
            score: f64::from(score) / 1e9,
            percentile: f64::from(percentile) / 1e9,
        });
    records.epss.extend(added);
    Ok(records)
}

fn names_gone<'a>(removed: &[&'a str], changed: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
    removed.iter().copied().chain(changed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Affected, CnnvdEntry, KevEntry, NameKind, State, Upper};
    use crate::signature::SecretKey;

    fn advisory(number: usize) -> Advisory {
        Advisory {
            title: format!("Flaw {number}"),
            description: "Long enough to count. ".repeat(20),
            affected: vec![
                Affected::new(
                    Ecosystem::Npm,
                    format!("package-{}", number % 50),
                    NameKind::Binary,
                    State::Affected,
                )
                .until(Upper::Fixed(format!("{number}.0.0"))),
            ],
            ..Advisory::new(format!("CVE-2024-{number:04}"), Source::GitHub)
        }
    }

    fn database(numbers: std::ops::Range<usize>, key: Option<&SecretKey>) -> Vec<u8> {
        let mut builder = Builder::new();
        builder.add(Records {
            epss: numbers
                .clone()
                .map(|number| EpssEntry {
                    cve: format!("CVE-2024-{number:04}"),
                    score: 0.123_45,
                    percentile: 0.5,
                })
                .collect(),
            kev: vec![KevEntry {
                cve: format!("CVE-2024-{:04}", numbers.start),
                date_added: None,
                due_date: None,
                ransomware: false,
            }],
            cnnvd: vec![CnnvdEntry {
                id: format!("CNNVD-202401-{}", numbers.end),
                cves: Vec::new(),
                title: "标题".to_owned(),
                description: String::new(),
                severity: None,
            }],
            advisories: numbers.map(advisory).collect(),
            ..Records::default()
        });
        let mut built = builder.finish().unwrap();
        if let Some(key) = key {
            built.sign(key).unwrap();
        }
        built.bytes
    }

    fn open(bytes: &[u8]) -> Database {
        Database::from_bytes(bytes.to_vec(), &OpenOptions::default()).unwrap()
    }

    #[test]
    fn a_delta_leads_to_the_same_bytes_signature_included() {
        let key = SecretKey::generate().unwrap();
        let (old, new) = (database(0..300, None), database(3..303, Some(&key)));
        let delta = create(&open(&old), &open(&new)).unwrap();
        assert!(delta.len() * 10 < new.len(), "{} bytes", delta.len());
        let trusting = OpenOptions {
            trusted_keys: vec![key.public()],
        };
        let from = |bytes: &[u8]| apply(&open(bytes), &delta, &trusting);
        assert_eq!(from(&old).unwrap().unwrap(), new);
        assert_eq!(from(&new).unwrap(), None);
        let unsigned = database(3..303, None);
        assert!(matches!(from(&unsigned), Err(DeltaError::OtherBase { .. })));
        let back = create(&open(&new), &open(&old)).unwrap();
        assert!(matches!(
            apply(&open(&new), &back, &trusting),
            Err(DeltaError::Database(DatabaseError::Unsigned))
        ));
    }

    #[test]
    fn a_changed_or_cut_delta_is_refused() {
        let old = open(&database(0..3, None));
        let delta = create(&old, &open(&database(1..4, None))).unwrap();
        for at in 0..delta.len() {
            let mut changed = delta.clone();
            changed[at] ^= 0x10;
            assert!(apply(&old, &changed, &OpenOptions::default()).is_err());
            assert!(apply(&old, &delta[..at], &OpenOptions::default()).is_err());
        }
    }
}
