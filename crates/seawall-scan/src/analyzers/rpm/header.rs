//! A package's header as rpm's databases hold it (rpm documentation, "RPM v4 Header Format"):
//! the number of index entries and the size of the data, the entries, the data. The entries of
//! an immutable region and those that the installation added lie in one index.

use super::bytes::{Order, slice};

pub(super) const NAME: u32 = 1000;
pub(super) const VERSION: u32 = 1001;
pub(super) const RELEASE: u32 = 1002;
pub(super) const EPOCH: u32 = 1003;
pub(super) const VENDOR: u32 = 1011;
pub(super) const LICENSE: u32 = 1014;
pub(super) const ARCHITECTURE: u32 = 1022;
pub(super) const SOURCE_RPM: u32 = 1044;
pub(super) const MODULARITY_LABEL: u32 = 5096;
const OLD_FILE_NAMES: u32 = 1027;
const DIRECTORY_INDEXES: u32 = 1116;
const BASE_NAMES: u32 = 1117;
const DIRECTORY_NAMES: u32 = 1118;

const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

const ENTRY_BYTES: usize = 16;
/// More entries rpm itself does not accept.
const MAX_ENTRIES: usize = 0xffff;
/// The longest path that Linux takes.
const MAX_PATH: usize = 4096;

#[derive(Debug, Clone, Copy)]
struct IndexEntry {
    tag: u32,
    kind: u32,
    offset: usize,
    count: usize,
}

/// A header whose index and data lie within their blob.
#[derive(Debug)]
pub(super) struct Header<'a> {
    entries: Vec<IndexEntry>,
    data: &'a [u8],
}

impl<'a> Header<'a> {
    /// # Errors
    /// What is wrong with the header.
    pub(super) fn parse(blob: &'a [u8]) -> Result<Self, String> {
        let order = Order::Big;
        let short = || "a package's header ends too early".to_owned();
        let count = order.size(blob, 0).ok_or_else(short)?;
        let data_bytes = order.size(blob, 4).ok_or_else(short)?;
        if count == 0 || count > MAX_ENTRIES {
            return Err(format!("a package's header cannot have {count} entries"));
        }
        let index = slice(blob, 8, count * ENTRY_BYTES).ok_or_else(short)?;
        let data = slice(blob, 8 + count * ENTRY_BYTES, data_bytes).ok_or_else(short)?;
        let entries = index.chunks_exact(ENTRY_BYTES).filter_map(|entry| {
            Some(IndexEntry {
                tag: order.u32(entry, 0)?,
                kind: order.u32(entry, 4)?,
                offset: order.size(entry, 8)?,
                count: order.size(entry, 12)?,
            })
        });
        Ok(Self {
            entries: entries.collect(),
            data,
        })
    }

    /// What was added last holds.
    fn entry(&self, tag: u32) -> Option<IndexEntry> {
        self.entries
            .iter()
            .rev()
            .find(|entry| entry.tag == tag)
            .copied()
    }

    /// The first string of a tag. Bytes that are no UTF-8 are replaced.
    pub(super) fn string(&self, tag: u32) -> Option<String> {
        let first = self.strings(tag).next()?;
        (!first.is_empty()).then(|| String::from_utf8_lossy(first).into_owned())
    }

    pub(super) fn integer(&self, tag: u32) -> Option<u32> {
        self.integers(tag).next()
    }

    fn integers(&self, tag: u32) -> impl Iterator<Item = u32> + 'a {
        let entry = self.entry(tag).filter(|entry| entry.kind == INT32);
        let data = entry
            .and_then(|entry| self.data.get(entry.offset..))
            .unwrap_or_default();
        data.chunks_exact(4)
            .take(entry.map_or(0, |entry| entry.count))
            .filter_map(|bytes| Order::Big.u32(bytes, 0))
    }

    /// The strings of a tag, each ended by a zero byte.
    fn strings(&self, tag: u32) -> impl Iterator<Item = &'a [u8]> + 'a {
        let entry = self
            .entry(tag)
            .filter(|entry| matches!(entry.kind, STRING | STRING_ARRAY | I18N_STRING));
        let mut rest = entry
            .and_then(|entry| self.data.get(entry.offset..))
            .unwrap_or_default();
        let count = entry.map_or(0, |entry| entry.count);
        std::iter::from_fn(move || {
            let end = memchr::memchr(0, rest)?;
            let (string, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            Some(string)
        })
        .take(count)
    }

    /// The package's files, without a leading slash. A header can name a directory once for any
    /// number of files, so that they may take many times its bytes.
    pub(super) fn files(&self) -> impl Iterator<Item = String> {
        let directories: Vec<&[u8]> = self.strings(DIRECTORY_NAMES).collect();
        let compressed = self
            .strings(BASE_NAMES)
            .zip(self.integers(DIRECTORY_INDEXES))
            .filter_map(move |(name, index)| {
                let directory = directories.get(usize::try_from(index).ok()?)?;
                Some((*directory, name))
            });
        // Before rpm 4, whole paths.
        let whole = self.strings(OLD_FILE_NAMES).map(|path| (&b""[..], path));
        compressed
            .chain(whole)
            .filter(|(directory, name)| directory.len().saturating_add(name.len()) <= MAX_PATH)
            .map(|(directory, name)| {
                let path = [directory, name].concat();
                let path = String::from_utf8_lossy(&path);
                path.trim_start_matches('/').to_owned()
            })
    }
}
