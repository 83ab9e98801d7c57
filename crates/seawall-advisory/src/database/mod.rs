//! The database file: one file, memory-mapped, checked before use. What it looks like is in
//! [`layout`]; `crate::build` writes it, `crate::matcher` and `crate::query` read it.

mod blocks;
mod convert;
mod error;
pub(crate) mod layout;
mod mapping;
mod records;
pub(crate) mod stored;
#[cfg(test)]
mod tests;
mod texts;
mod write;

pub use error::DatabaseError;
pub(crate) use texts::{MAX_GROUP_BYTES, TextGroup, Unpacker};
pub use write::write_file;

use crate::Source;
use crate::signature::{PublicKey, SecretKey};
use blocks::Blocks;
use layout::{BLOCK_LEN, HEADER_LEN, Header, Section, key_hash, u32_at, u64_at};
use mapping::Backing;
use seawall_model::{Ecosystem, Epss};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;
use stored::{Bucket, CnnvdCore, Core, Estimate, Flaw, Statistics};

/// An advisory database, open for reading. May be shared between threads.
pub struct Database {
    blocks: Blocks,
    sources: Vec<Source>,
    /// Packages and the date of the newest advisory of each ecosystem, by key.
    ecosystems: HashMap<String, (u32, Option<String>)>,
    signature: SignatureState,
}

/// How a database is opened.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// With any key here, only a database with a valid signature by one of them is opened. Without
    /// keys, checksums decide; a signature that is there must still belong to the content.
    pub trusted_keys: Vec<PublicKey>,
}

/// What is known of a database's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureState {
    /// None, as in databases that users build for themselves.
    Unsigned,
    /// Valid, by this key.
    Valid {
        /// Who signed.
        key: PublicKey,
        /// Whether the key is one of [`OpenOptions::trusted_keys`].
        trusted: bool,
    },
}

/// An advisory's line in the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdvisoryEntry {
    pub(crate) source: Source,
    /// Mends several flaws, each one of its own.
    pub(crate) bulletin: bool,
    /// Never matches.
    pub(crate) withdrawn: bool,
    /// Its identifier is a CVE: the entry of a tracker.
    pub(crate) tracker: bool,
}

/// Bits of the advisory table's flags.
pub(crate) const FLAG_BULLETIN: u16 = 1;
/// See [`FLAG_BULLETIN`].
pub(crate) const FLAG_WITHDRAWN: u16 = 2;
/// See [`FLAG_BULLETIN`].
pub(crate) const FLAG_TRACKER: u16 = 4;
/// Length of a line of the advisory table.
pub(crate) const ADVISORY_LINE: u64 = 12;
const BUCKET_LINE: u64 = 16;
const NAME_LINE: u64 = 12;
const EPSS_LINE: u64 = 16;

impl Database {
    /// Opens a database file: the header, the table of checksums and the signature are checked
    /// now, each block when it is first read.
    ///
    /// # Errors
    /// The file is missing, no database, of another format version, damaged, or not signed as the
    /// options demand.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, DatabaseError> {
        Self::new(Backing::map(path)?, options).map_err(|error| error.of_file(path))
    }

    /// The same for a database in memory.
    ///
    /// # Errors
    /// See [`Database::open`].
    pub fn from_bytes(bytes: Vec<u8>, options: &OpenOptions) -> Result<Self, DatabaseError> {
        Self::new(Backing::Memory(bytes), options)
    }

    fn new(backing: Backing, options: &OpenOptions) -> Result<Self, DatabaseError> {
        let blocks = Blocks::new(backing)?;
        let signature = check_signature(blocks.header(), options)?;
        let mut database = Self {
            blocks,
            sources: Vec::new(),
            ecosystems: HashMap::new(),
            signature,
        };
        let statistics = database.statistics()?;
        let sources = statistics
            .sources
            .iter()
            .map(|(name, _)| Source::from_name(name))
            .collect::<Option<_>>()
            .ok_or_else(|| database.damaged(Section::Statistics, "a publisher is not known"))?;
        let ecosystems = statistics
            .ecosystems
            .iter()
            .map(|&(key, packages, _, newest)| {
                (key.to_owned(), (packages, newest.map(str::to_owned)))
            })
            .collect();
        database.sources = sources;
        database.ecosystems = ecosystems;
        Ok(database)
    }

    /// The state of its signature.
    #[must_use]
    pub fn signature(&self) -> SignatureState {
        self.signature
    }

    /// SHA-256 that names the content, in hexadecimal: the same for the same records, signed or
    /// not.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(self.blocks.header().digest())
    }

    /// Length of the file in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.blocks.header().file_len
    }

    /// Whether no advisory is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ecosystems.is_empty()
    }

    /// Checks every byte now; otherwise that is done block by block at first use.
    ///
    /// # Errors
    /// The first damaged block.
    pub fn check_all(&self) -> Result<(), DatabaseError> {
        self.blocks.check_all()
    }

    /// Whether any advisory speaks of this ecosystem.
    #[must_use]
    pub fn knows(&self, ecosystem: &Ecosystem) -> bool {
        self.ecosystems.contains_key(&ecosystem.to_string())
    }

    /// How many packages of an ecosystem advisories speak of, and when the newest was published.
    pub(crate) fn coverage(&self, key: &str) -> (u32, Option<&str>) {
        match self.ecosystems.get(key) {
            Some((packages, newest)) => (*packages, newest.as_deref()),
            None => (0, None),
        }
    }

    /// The file's bytes, copied out of a mapping.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.blocks.into_bytes()
    }

    pub(crate) fn header(&self) -> &Header {
        self.blocks.header()
    }

    pub(crate) fn statistics(&self) -> Result<Statistics<'_>, DatabaseError> {
        let len = self.blocks.section_len(Section::Statistics);
        self.value(Section::Statistics, 0, len)
    }

    /// What is known of a package. The name must be normalised. A name in [`Ecosystem::Generic`]
    /// without a vendor finds that product of every vendor.
    pub(crate) fn buckets(
        &self,
        ecosystem: &str,
        name: &str,
    ) -> Result<Vec<Bucket<'_>>, DatabaseError> {
        let mut found = Vec::new();
        for line in self.lines_with_hash(
            Section::BucketIndex,
            BUCKET_LINE,
            key_hash(&[ecosystem, name]),
        )? {
            let line = self.line(Section::BucketIndex, BUCKET_LINE, line)?;
            let (Some(offset), Some(len)) = (u32_at(line, 8), u32_at(line, 12)) else {
                return Err(self.damaged(Section::BucketIndex, "a line is too short"));
            };
            let bucket: Bucket<'_> =
                self.value(Section::Buckets, u64::from(offset), u64::from(len))?;
            if bucket.ecosystem == ecosystem
                && (bucket.name == name || product_of(ecosystem, bucket.name) == Some(name))
            {
                found.push(bucket);
            }
        }
        Ok(found)
    }

    /// Every package's rows, in the order of the file.
    pub(crate) fn all_buckets(
        &self,
    ) -> impl Iterator<Item = Result<Bucket<'_>, DatabaseError>> + '_ {
        let mut rest = self.blocks.section(Section::Buckets);
        std::iter::from_fn(move || {
            let bytes = match &rest {
                Ok([]) => return None,
                Ok(bytes) => *bytes,
                Err(_) => return std::mem::replace(&mut rest, Ok(&[])).err().map(Err),
            };
            match postcard::take_from_bytes(bytes) {
                Ok((bucket, tail)) => {
                    rest = Ok(tail);
                    Some(Ok(bucket))
                }
                Err(_) => {
                    rest = Ok(&[]);
                    Some(Err(self.damaged(Section::Buckets, "a value cannot be read")))
                }
            }
        })
    }

    /// How many advisories there are.
    pub(crate) fn advisory_count(&self) -> u32 {
        let lines = self.blocks.section_len(Section::AdvisoryTable) / ADVISORY_LINE;
        // The last line only ends the one before.
        u32::try_from(lines.saturating_sub(1)).unwrap_or(u32::MAX)
    }

    pub(crate) fn advisory_entry(&self, advisory: u32) -> Result<AdvisoryEntry, DatabaseError> {
        let damaged = || self.damaged(Section::AdvisoryTable, "a line cannot be read");
        let line = self.line(Section::AdvisoryTable, ADVISORY_LINE, u64::from(advisory))?;
        let word = u32_at(line, 8).ok_or_else(damaged)?;
        let (source, flags) = ((word & 0xffff) as u16, (word >> 16) as u16);
        Ok(AdvisoryEntry {
            source: *self.sources.get(usize::from(source)).ok_or_else(damaged)?,
            bulletin: flags & FLAG_BULLETIN != 0,
            withdrawn: flags & FLAG_WITHDRAWN != 0,
            tracker: flags & FLAG_TRACKER != 0,
        })
    }

    /// The flaws an advisory is about.
    pub(crate) fn advisory_flaws(
        &self,
        advisory: u32,
    ) -> Result<impl Iterator<Item = u32> + '_, DatabaseError> {
        let (start, end) = self.advisory_span(advisory, 4)?;
        let bytes = self.span(Section::AdvisoryFlaws, start, end, 4)?;
        Ok(bytes.chunks_exact(4).filter_map(|word| u32_at(word, 0)))
    }

    pub(crate) fn core(&self, advisory: u32) -> Result<Core<'_>, DatabaseError> {
        let (start, end) = self.advisory_span(advisory, 0)?;
        let len = end
            .checked_sub(start)
            .ok_or_else(|| self.damaged(Section::AdvisoryTable, "offsets run backwards"))?;
        self.value(Section::Advisories, u64::from(start), u64::from(len))
    }

    /// A number of an advisory's line and the same of the next.
    fn advisory_span(&self, advisory: u32, at: usize) -> Result<(u32, u32), DatabaseError> {
        let bytes = self.blocks.bytes(
            Section::AdvisoryTable,
            u64::from(advisory) * ADVISORY_LINE,
            2 * ADVISORY_LINE,
        )?;
        match (
            u32_at(bytes, at),
            u32_at(bytes, ADVISORY_LINE as usize + at),
        ) {
            (Some(start), Some(end)) => Ok((start, end)),
            _ => Err(self.damaged(Section::AdvisoryTable, "a line is too short")),
        }
    }

    pub(crate) fn flaw(&self, flaw: u32) -> Result<Flaw<'_>, DatabaseError> {
        self.tabled(Section::FlawTable, Section::Flaws, flaw)
    }

    pub(crate) fn cnnvd(&self, entry: u32) -> Result<CnnvdCore<'_>, DatabaseError> {
        self.tabled(Section::CnnvdTable, Section::Cnnvd, entry)
    }

    /// How many flaws there are.
    pub(crate) fn flaw_count(&self) -> u32 {
        self.table_count(Section::FlawTable)
    }

    /// How many CNNVD entries there are.
    pub(crate) fn cnnvd_count(&self) -> u32 {
        self.table_count(Section::CnnvdTable)
    }

    fn table_count(&self, table: Section) -> u32 {
        let lines = self.blocks.section_len(table) / 4;
        u32::try_from(lines.saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// The flaws that may have this name, whatever its case: the hash decides, the caller compares.
    pub(crate) fn flaws_named(&self, name: &str) -> Result<Vec<u32>, DatabaseError> {
        let hash = key_hash(&[&name.to_ascii_uppercase()]);
        let mut flaws = Vec::new();
        for line in self.lines_with_hash(Section::NameIndex, NAME_LINE, hash)? {
            let line = self.line(Section::NameIndex, NAME_LINE, line)?;
            flaws.extend(u32_at(line, 8));
        }
        Ok(flaws)
    }

    /// The exploit prediction for a CVE.
    pub(crate) fn epss(&self, cve: &str) -> Result<Option<Epss>, DatabaseError> {
        let Some(key) = cve_number(cve) else {
            return Ok(None);
        };
        let count = self.blocks.section_len(Section::Epss) / EPSS_LINE;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            let (found, epss) = self.epss_line(middle)?;
            match found.cmp(&key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(Some(epss)),
            }
        }
        Ok(None)
    }

    /// Every exploit prediction: year and number of the CVE, and the estimate.
    pub(crate) fn all_epss(
        &self,
    ) -> impl Iterator<Item = Result<((u32, u32), Epss), DatabaseError>> + '_ {
        (0..self.blocks.section_len(Section::Epss) / EPSS_LINE).map(|line| self.epss_line(line))
    }

    fn epss_line(&self, line: u64) -> Result<((u32, u32), Epss), DatabaseError> {
        let line = self.line(Section::Epss, EPSS_LINE, line)?;
        let word = |at| u32_at(line, at).unwrap_or_default();
        let estimate = Estimate {
            score: word(8),
            percentile: word(12),
        };
        Ok(((word(0), word(4)), estimate.to_epss()))
    }

    fn tabled<'a, T: Deserialize<'a>>(
        &'a self,
        table: Section,
        section: Section,
        index: u32,
    ) -> Result<T, DatabaseError> {
        let bytes = self.blocks.bytes(table, u64::from(index) * 4, 8)?;
        match (u32_at(bytes, 0), u32_at(bytes, 4)) {
            (Some(start), Some(end)) if start <= end => {
                self.value(section, u64::from(start), u64::from(end - start))
            }
            _ => Err(self.damaged(table, "offsets run backwards")),
        }
    }

    /// The bytes of entries `start..end` of `width` bytes each.
    fn span(
        &self,
        section: Section,
        start: u32,
        end: u32,
        width: u64,
    ) -> Result<&[u8], DatabaseError> {
        let count = end
            .checked_sub(start)
            .ok_or_else(|| self.damaged(section, "offsets run backwards"))?;
        self.blocks
            .bytes(section, u64::from(start) * width, u64::from(count) * width)
    }

    fn line(&self, section: Section, width: u64, line: u64) -> Result<&[u8], DatabaseError> {
        let offset = line
            .checked_mul(width)
            .ok_or_else(|| self.damaged(section, "a line lies past the end"))?;
        self.blocks.bytes(section, offset, width)
    }

    /// The lines of a sorted index whose first eight bytes are `hash`.
    fn lines_with_hash(
        &self,
        section: Section,
        width: u64,
        hash: u64,
    ) -> Result<std::ops::Range<u64>, DatabaseError> {
        let count = self.blocks.section_len(section) / width;
        let hash_of = |line| Ok(u64_at(self.line(section, width, line)?, 0).unwrap_or_default());
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            if hash_of(middle)? < hash {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut end = low;
        while end < count && hash_of(end)? == hash {
            end += 1;
        }
        Ok(low..end)
    }

    fn value<'a, T: Deserialize<'a>>(
        &'a self,
        section: Section,
        offset: u64,
        len: u64,
    ) -> Result<T, DatabaseError> {
        let bytes = self.blocks.bytes(section, offset, len)?;
        match postcard::take_from_bytes(bytes) {
            Ok((value, [])) => Ok(value),
            _ => Err(self.damaged(section, "a value cannot be read")),
        }
    }

    fn damaged(&self, section: Section, what: &'static str) -> DatabaseError {
        DatabaseError::damaged(self.blocks.header().sections[section as usize].0, what)
    }
}

/// The product of a `vendor:product` name of programs without a package.
pub(crate) fn product_of<'a>(ecosystem: &str, name: &'a str) -> Option<&'a str> {
    if ecosystem == "generic" {
        name.split_once(':').map(|(_, product)| product)
    } else {
        None
    }
}

/// Year and number of a CVE identifier, whatever its case; `None` for anything else.
pub(crate) fn cve_number(id: &str) -> Option<(u32, u32)> {
    let (prefix, rest) = id.split_at_checked(4)?;
    let (year, number) = rest.split_once('-')?;
    let digits = |text: &str, least| {
        (text.len() >= least && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse().ok())
            .flatten()
    };
    if !prefix.eq_ignore_ascii_case("CVE-") || year.len() != 4 {
        return None;
    }
    Some((digits(year, 4)?, digits(number, 4)?))
}

fn check_signature(
    header: &Header,
    options: &OpenOptions,
) -> Result<SignatureState, DatabaseError> {
    if !header.is_signed() {
        return if options.trusted_keys.is_empty() {
            Ok(SignatureState::Unsigned)
        } else {
            Err(DatabaseError::Unsigned)
        };
    }
    let key = PublicKey::from_bytes(&header.key).ok_or(DatabaseError::WrongSignature)?;
    if !key.verifies(&header.digest(), &header.signature) {
        return Err(DatabaseError::WrongSignature);
    }
    let trusted = options.trusted_keys.contains(&key);
    if !trusted && !options.trusted_keys.is_empty() {
        return Err(DatabaseError::UntrustedKey {
            key: key.to_string(),
        });
    }
    Ok(SignatureState::Valid { key, trusted })
}

/// Puts sections together to a file, hashing the blocks in parallel.
pub(crate) fn assemble(sections: &[Vec<u8>; Section::COUNT]) -> Vec<u8> {
    use rayon::prelude::*;
    use sha2::{Digest as _, Sha256};

    let mut file = vec![0; HEADER_LEN];
    let mut places = [(0, 0); Section::COUNT];
    for (place, section) in places.iter_mut().zip(sections) {
        *place = (file.len() as u64, section.len() as u64);
        file.extend_from_slice(section);
    }
    let hashes: Vec<[u8; 32]> = file[HEADER_LEN..]
        .par_chunks(BLOCK_LEN)
        .map(|block| blake3::hash(block).into())
        .collect();
    let table_at = file.len() as u64;
    let table = hashes.concat();
    file.extend_from_slice(&table);
    let header = Header {
        file_len: file.len() as u64,
        table_at,
        root: Sha256::digest(&table).into(),
        sections: places,
        key: [0; 32],
        signature: [0; 64],
    };
    file[..HEADER_LEN].copy_from_slice(&header.encode());
    file
}

/// Signs a database in memory.
///
/// # Errors
/// It is no database, or damaged.
pub fn sign(database: &mut [u8], key: &SecretKey) -> Result<(), DatabaseError> {
    let mut header = Header::decode(database)?;
    header.key = key.public().to_bytes();
    header.signature = key.sign(&header.digest());
    set_header(database, &header)
}

/// Writes another header, which must be of the same content.
pub(crate) fn set_header(database: &mut [u8], header: &Header) -> Result<(), DatabaseError> {
    database
        .get_mut(..HEADER_LEN)
        .ok_or(DatabaseError::NotADatabase)?
        .copy_from_slice(&header.encode());
    Ok(())
}
