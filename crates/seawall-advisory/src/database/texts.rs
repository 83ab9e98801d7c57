//! Titles, descriptions and references: most of the bytes, and needed only for what is found. They
//! are kept in groups, each one zstd frame, and a group is unpacked whole.

use super::layout::{Section, u32_at};
use super::stored::Text;
use super::{Database, DatabaseError};

/// The most that one group may unpack to. The builder's caps on texts keep far below it.
pub(crate) const MAX_GROUP_BYTES: usize = 2 << 20;
const GROUP_LINE: u64 = 16;

/// Texts, unpacked: a table of `count + 1` offsets (u32), then the texts, postcard.
pub(crate) struct TextGroup {
    first: u32,
    raw: Vec<u8>,
}

/// Unpacks groups of texts, one after the other.
pub(crate) struct Unpacker(Option<zstd::bulk::Decompressor<'static>>);

impl Unpacker {
    /// One for this thread.
    pub(crate) fn new() -> Self {
        Self(zstd::bulk::Decompressor::new().ok())
    }
}

impl Database {
    /// Which group an item is in.
    pub(crate) fn text_group_of(&self, item: u32) -> Result<u32, DatabaseError> {
        let count = self.blocks.section_len(Section::TextGroups) / GROUP_LINE;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            let line = self.line(Section::TextGroups, GROUP_LINE, middle)?;
            if u32_at(line, 0).is_some_and(|first| first <= item) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.checked_sub(1)
            .and_then(|group| u32::try_from(group).ok())
            .ok_or_else(|| self.damaged(Section::TextGroups, "no group holds a text"))
    }

    /// Unpacks a group. The unpacker is made once for many groups, as its tables cost more than a
    /// group does.
    pub(crate) fn text_group(
        &self,
        unpacker: &mut Unpacker,
        group: u32,
    ) -> Result<TextGroup, DatabaseError> {
        let damaged = || self.damaged(Section::TextGroups, "a group of texts cannot be read");
        let line = self.line(Section::TextGroups, GROUP_LINE, u64::from(group))?;
        let word = |at| u32_at(line, at).ok_or_else(damaged);
        let (first, offset, len, raw_len) = (word(0)?, word(4)?, word(8)?, word(12)?);
        let raw_len = usize::try_from(raw_len).map_err(|_| damaged())?;
        if raw_len > MAX_GROUP_BYTES {
            return Err(damaged());
        }
        let packed = self
            .blocks
            .bytes(Section::Texts, u64::from(offset), u64::from(len))?;
        let raw = unpacker
            .0
            .as_mut()
            .and_then(|unpacker| unpacker.decompress(packed, raw_len).ok())
            .ok_or_else(damaged)?;
        Ok(TextGroup { first, raw })
    }
}

impl TextGroup {
    /// One item of the group.
    pub(crate) fn text(&self, item: u32) -> Result<Text<'_>, DatabaseError> {
        self.find(item)
            .ok_or_else(|| DatabaseError::damaged(0, "a text cannot be read"))
    }

    fn find(&self, item: u32) -> Option<Text<'_>> {
        let at = usize::try_from(item.checked_sub(self.first)?).ok()?;
        let at = at.checked_mul(4)?;
        let start = usize::try_from(u32_at(&self.raw, at)?).ok()?;
        let end = usize::try_from(u32_at(&self.raw, at.checked_add(4)?)?).ok()?;
        postcard::from_bytes(self.raw.get(start..end)?).ok()
    }
}
