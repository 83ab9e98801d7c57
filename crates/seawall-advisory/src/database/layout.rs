//! Where things are in the file.
//!
//! ```text
//! 0                header, HEADER_LEN bytes
//! HEADER_LEN       sections, one after the other, seen as blocks of BLOCK_LEN bytes
//! table offset     the BLAKE3 of every block, 32 bytes each
//! ```
//!
//! All integers are little-endian. The header holds the SHA-256 of the block table, and its own
//! SHA-256 at its end; so the header, the table and every block are checked, each before it is
//! used for the first time, and opening costs the same for a small file and a large one. A scan of
//! many packages uses most blocks: hashing them by SHA-256 took an eighth of its time.

use super::DatabaseError;
use sha2::{Digest as _, Sha256};

/// The first bytes of a database.
pub(crate) const MAGIC: [u8; 8] = *b"SEAWALDB";
/// Raised whenever a file of the older kind would be read wrongly, or records would be filed
/// differently: a delta holds only between files of one version.
pub(crate) const FORMAT_VERSION: u32 = 4;
/// Length of the header.
pub(crate) const HEADER_LEN: usize = 1024;
/// Length of a block, the unit of checking.
pub(crate) const BLOCK_LEN: usize = 64 << 10;
/// Length of a SHA-256 and of a BLAKE3.
pub(crate) const HASH_LEN: usize = 32;

/// The part of the header that is signed and that names the content.
const SIGNED_LEN: usize = 512;
const KEY_AT: usize = SIGNED_LEN;
const SIGNATURE_AT: usize = KEY_AT + 32;
const SIGNATURE_END: usize = SIGNATURE_AT + 64;
const CHECKSUM_AT: usize = HEADER_LEN - HASH_LEN;
const SECTIONS_AT: usize = 72;

/// The parts of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// Counts, names of publishers and ecosystems: one postcard value.
    Statistics,
    /// Sorted `{hash u64, offset u32, length u32}`: where the rows of a package are.
    BucketIndex,
    /// The rows of each package, postcard.
    Buckets,
    /// Sorted `{hash u64, flaw u32}`: every name of every flaw.
    NameIndex,
    /// Offsets (u32) into `Flaws`, one more than there are flaws.
    FlawTable,
    /// The flaws, postcard.
    Flaws,
    /// `{offset u32, flaws u32, publisher u16, flags u16}` of each advisory, and a last one.
    AdvisoryTable,
    /// The numbers (u32) of the flaws of each advisory, one advisory after the other.
    AdvisoryFlaws,
    /// The advisories without texts, postcard.
    Advisories,
    /// Offsets (u32) into `Cnnvd`, one more than there are entries.
    CnnvdTable,
    /// CNNVD entries without texts, postcard.
    Cnnvd,
    /// Sorted `{year u32, number u32, score u32, percentile u32}`, the last two in 1e-9.
    Epss,
    /// `{first item u32, offset u32, length u32, raw length u32}` of each group of texts.
    TextGroups,
    /// Groups of texts, each a zstd frame. Items: the advisories', then CNNVD's.
    Texts,
}

impl Section {
    /// How many there are.
    pub(crate) const COUNT: usize = 14;
}

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Length of the whole file.
    pub(crate) file_len: u64,
    /// Where the block table begins.
    pub(crate) table_at: u64,
    /// SHA-256 of the block table.
    pub(crate) root: [u8; HASH_LEN],
    /// Offset (from the beginning of the file) and length of each section.
    pub(crate) sections: [(u64, u64); Section::COUNT],
    /// Public key and signature; all zero in an unsigned file.
    pub(crate) key: [u8; 32],
    /// See `key`.
    pub(crate) signature: [u8; 64],
}

impl Header {
    /// The header's bytes.
    pub(crate) fn encode(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..SIGNED_LEN].copy_from_slice(&self.signed_part());
        bytes[KEY_AT..SIGNATURE_AT].copy_from_slice(&self.key);
        bytes[SIGNATURE_AT..SIGNATURE_END].copy_from_slice(&self.signature);
        let checksum = Sha256::digest(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum);
        bytes
    }

    fn signed_part(&self) -> [u8; SIGNED_LEN] {
        let mut bytes = [0; SIGNED_LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&(BLOCK_LEN as u32).to_le_bytes());
        bytes[16..24].copy_from_slice(&self.file_len.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.table_at.to_le_bytes());
        bytes[32..64].copy_from_slice(&self.root);
        for (slot, (offset, len)) in bytes[SECTIONS_AT..]
            .chunks_exact_mut(16)
            .zip(&self.sections)
        {
            slot[..8].copy_from_slice(&offset.to_le_bytes());
            slot[8..].copy_from_slice(&len.to_le_bytes());
        }
        bytes
    }

    /// The SHA-256 that names the content: the same for a signed file and an unsigned one.
    pub(crate) fn digest(&self) -> [u8; HASH_LEN] {
        Sha256::digest(self.signed_part()).into()
    }

    /// Whether the file carries a signature.
    pub(crate) fn is_signed(&self) -> bool {
        self.key != [0; 32] || self.signature != [0; 64]
    }

    /// Reads and checks a header against the length of the file.
    ///
    /// # Errors
    /// Not a database, another format version, or damaged.
    pub(crate) fn decode(file: &[u8]) -> Result<Self, DatabaseError> {
        if file.get(..8) != Some(&MAGIC) {
            // A file cut off inside the magic number is one of ours, half-written.
            return Err(if !file.is_empty() && MAGIC.starts_with(file) {
                DatabaseError::damaged(0, "it ends within the header")
            } else {
                DatabaseError::NotADatabase
            });
        }
        let version = u32_at(file, 8).ok_or_else(|| truncated(file))?;
        if version != FORMAT_VERSION {
            return Err(DatabaseError::FormatVersion {
                found: version,
                supported: FORMAT_VERSION,
            });
        }
        let bytes = file.get(..HEADER_LEN).ok_or_else(|| truncated(file))?;
        if bytes[CHECKSUM_AT..] != Sha256::digest(&bytes[..CHECKSUM_AT])[..] {
            return Err(DatabaseError::damaged(
                0,
                "the header's checksum is not right",
            ));
        }
        let bad = || DatabaseError::damaged(0, "the header contradicts itself");
        let mut header = Self {
            file_len: u64_at(bytes, 16).ok_or_else(bad)?,
            table_at: u64_at(bytes, 24).ok_or_else(bad)?,
            root: array_at(bytes, 32).ok_or_else(bad)?,
            sections: [(0, 0); Section::COUNT],
            key: array_at(bytes, KEY_AT).ok_or_else(bad)?,
            signature: array_at(bytes, SIGNATURE_AT).ok_or_else(bad)?,
        };
        for (section, slot) in header
            .sections
            .iter_mut()
            .zip(bytes[SECTIONS_AT..SIGNED_LEN].chunks_exact(16))
        {
            let offset = u64_at(slot, 0).ok_or_else(bad)?;
            let len = u64_at(slot, 8).ok_or_else(bad)?;
            let end = offset.checked_add(len).ok_or_else(bad)?;
            if offset < HEADER_LEN as u64 || end > header.table_at {
                return Err(bad());
            }
            *section = (offset, len);
        }
        // The header as we would write it: nothing may hide in the gaps.
        if header.encode()[..] != *bytes {
            return Err(bad());
        }
        if header.file_len != file.len() as u64 {
            return Err(DatabaseError::damaged(
                file.len() as u64,
                "its length is not the one it was written with",
            ));
        }
        let blocks = header.blocks().ok_or_else(bad)?;
        let table_len = blocks.checked_mul(HASH_LEN as u64).ok_or_else(bad)?;
        if header.table_at.checked_add(table_len) != Some(header.file_len) {
            return Err(bad());
        }
        Ok(header)
    }

    /// How many blocks there are.
    pub(crate) fn blocks(&self) -> Option<u64> {
        let data = self.table_at.checked_sub(HEADER_LEN as u64)?;
        Some(data.div_ceil(BLOCK_LEN as u64))
    }
}

fn truncated(file: &[u8]) -> DatabaseError {
    DatabaseError::damaged(file.len() as u64, "it ends within the header")
}

/// `N` bytes at an offset.
pub(crate) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// A little-endian u32 at an offset.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

/// A little-endian u64 at an offset.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).map(u64::from_le_bytes)
}

/// The hash under which a package's rows or a flaw's name are found.
pub(crate) fn key_hash(parts: &[&str]) -> u64 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    u64_at(&hasher.finalize(), 0).unwrap_or_default()
}
