//! The file's bytes, each block checked before it is used for the first time.

use super::DatabaseError;
use super::layout::{BLOCK_LEN, HASH_LEN, HEADER_LEN, Header, Section};
use super::mapping::Backing;
use sha2::{Digest as _, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};

/// The checked bytes of one database.
pub(crate) struct Blocks {
    backing: Backing,
    header: Header,
    /// One bit a block: whether its hash was found right.
    checked: Box<[AtomicU64]>,
}

impl Blocks {
    /// Checks header and block table.
    ///
    /// # Errors
    /// See [`Header::decode`]; or the table is damaged.
    pub(crate) fn new(backing: Backing) -> Result<Self, DatabaseError> {
        let file = backing.bytes();
        let header = Header::decode(file)?;
        let table_at = usize::try_from(header.table_at).ok();
        let table = table_at.and_then(|at| file.get(at..)).unwrap_or_default();
        if Sha256::digest(table)[..] != header.root {
            return Err(DatabaseError::damaged(
                header.table_at,
                "the table of checksums is not the one it was written with",
            ));
        }
        let words = (table.len() / HASH_LEN).div_ceil(64);
        Ok(Self {
            checked: (0..words).map(|_| AtomicU64::new(0)).collect(),
            header,
            backing,
        })
    }

    /// The header.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The whole file.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self.backing {
            Backing::Mapped(map) => map.to_vec(),
            Backing::Memory(bytes) => bytes,
        }
    }

    /// Length of a section in bytes.
    pub(crate) fn section_len(&self, section: Section) -> u64 {
        self.header.sections[section as usize].1
    }

    /// A whole section.
    ///
    /// # Errors
    /// A block of it is damaged.
    pub(crate) fn section(&self, section: Section) -> Result<&[u8], DatabaseError> {
        self.bytes(section, 0, self.section_len(section))
    }

    /// `len` bytes of a section from `offset`.
    ///
    /// # Errors
    /// Past the section's end, or a block is damaged.
    pub(crate) fn bytes(
        &self,
        section: Section,
        offset: u64,
        len: u64,
    ) -> Result<&[u8], DatabaseError> {
        let (start, section_len) = self.header.sections[section as usize];
        let out_of_bounds = || DatabaseError::damaged(start, "an entry points past its section");
        if offset.checked_add(len).is_none_or(|end| end > section_len) {
            return Err(out_of_bounds());
        }
        if len == 0 {
            return Ok(&[]);
        }
        // Header::decode has checked that every section lies within the file.
        let from = usize::try_from(start + offset).map_err(|_| out_of_bounds())?;
        let to = usize::try_from(start + offset + len).map_err(|_| out_of_bounds())?;
        for block in (from - HEADER_LEN) / BLOCK_LEN..=(to - 1 - HEADER_LEN) / BLOCK_LEN {
            self.check(block)?;
        }
        self.backing.bytes().get(from..to).ok_or_else(out_of_bounds)
    }

    /// Checks every block of the file.
    ///
    /// # Errors
    /// The first damaged one.
    pub(crate) fn check_all(&self) -> Result<(), DatabaseError> {
        let blocks = self.header.blocks().unwrap_or_default();
        (0..usize::try_from(blocks).unwrap_or(usize::MAX)).try_for_each(|block| self.check(block))
    }

    fn check(&self, block: usize) -> Result<(), DatabaseError> {
        let (word, bit) = (block / 64, 1u64 << (block % 64));
        let offset = HEADER_LEN + block * BLOCK_LEN;
        let damaged = || DatabaseError::damaged(offset as u64, "a block's checksum is not right");
        let checked = self.checked.get(word).ok_or_else(damaged)?;
        if checked.load(Ordering::Relaxed) & bit != 0 {
            return Ok(());
        }
        let file = self.backing.bytes();
        let table_at = usize::try_from(self.header.table_at).map_err(|_| damaged())?;
        let end = (offset + BLOCK_LEN).min(table_at);
        let bytes = file.get(offset..end).ok_or_else(damaged)?;
        let hash_at = table_at + block * HASH_LEN;
        let expected = file.get(hash_at..hash_at + HASH_LEN).ok_or_else(damaged)?;
        if blake3::hash(bytes).as_bytes() != expected {
            return Err(damaged());
        }
        // Relaxed: the bit only says that the hash was right; the bytes were there before.
        checked.fetch_or(bit, Ordering::Relaxed);
        Ok(())
    }
}
