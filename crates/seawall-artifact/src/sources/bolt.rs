//! Reads the databases of bbolt, in which containerd keeps its metadata
//! (<https://github.com/etcd-io/bbolt>, `internal/common/page.go`, `meta.go`, `bucket.go`).
//!
//! A file is an array of pages. Two of them, the meta pages, each name the root of a tree; the one
//! with the higher transaction number holds. Trees are copied on write, so the pages of one state
//! stay as they are until the transaction after the next begins: a reader without a lock reads
//! first and then asks [`Database::is_current`]. Numbers are in the byte order of the machine that
//! wrote them, which is little-endian wherever containers run.

use crate::{Content, Error};
use std::cell::Cell;

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
const PAGE_HEADER: usize = 16;
/// Of branch and leaf pages alike.
const ELEMENT: usize = 16;
/// Bytes of the meta, its checksum behind them.
const META: usize = 56;
const BUCKET_HEADER: usize = 16;
const BRANCH_PAGE: u16 = 0x01;
const LEAF_PAGE: u16 = 0x02;
const BUCKET_LEAF: u32 = 0x01;
/// Page sizes at which the second meta page is looked for when the first is damaged.
const PAGE_SIZES: &[u64] = &[4096, 8192, 16384, 32768, 65536];
/// Branch pages above each other; sixteen already hold more than any disk.
const MAX_DEPTH: usize = 24;
/// Bytes of all pages and values read of one database, which a damaged one may tell to read again
/// and again.
const MAX_BYTES: u64 = 256 << 20;
/// Bytes of one page with its overflow.
const MAX_PAGE_BYTES: u64 = 16 << 20;

/// A database in one of its states.
pub(super) struct Database {
    content: Content,
    place: String,
    meta: Meta,
    read: Cell<u64>,
}

/// A meta page.
#[derive(Debug, Clone, Copy)]
struct Meta {
    page_size: u64,
    root: u64,
    transaction: u64,
}

/// A map from names to values and other buckets.
pub(super) struct Bucket<'a> {
    database: &'a Database,
    root: Root,
}

enum Root {
    Page(u64),
    /// A small bucket's only page, inside the value.
    Inline(Vec<u8>),
}

/// What stands under a name.
#[derive(Clone, Copy)]
enum Value<'p> {
    Bytes(&'p [u8]),
    Bucket(&'p [u8]),
}

/// Is given every name with its value.
type Visit<'v> = &'v mut dyn FnMut(&[u8], Value<'_>) -> Result<(), Error>;

impl Database {
    /// Opens the newest state.
    pub(super) fn open(place: &str, content: Content) -> Result<Self, Error> {
        let meta = newest_meta(&content).ok_or_else(|| Error::Corrupt {
            place: place.to_owned(),
            offset: 0,
            message: "it has no valid meta page of bbolt".to_owned(),
        })?;
        Ok(Self {
            content,
            place: place.to_owned(),
            meta,
            read: Cell::new(0),
        })
    }

    /// Whether what has been read is a state of the database as a whole: no writer can have used
    /// its pages for something else since.
    pub(super) fn is_current(&self) -> bool {
        newest_meta(&self.content)
            .is_some_and(|newest| newest.transaction <= self.meta.transaction.saturating_add(1))
    }

    /// The bucket of all buckets.
    pub(super) fn root(&self) -> Bucket<'_> {
        Bucket {
            database: self,
            root: Root::Page(self.meta.root),
        }
    }

    /// A page with its overflow.
    fn page(&self, id: u64) -> Result<Vec<u8>, Error> {
        let offset = id.saturating_mul(self.meta.page_size);
        let mut header = [0; PAGE_HEADER];
        self.read(&mut header, offset)?;
        if u64_at(&header, 0) != Some(id) {
            return Err(self.corrupt(offset, "a page has the number of another"));
        }
        let overflow = u64::from(u32_at(&header, 12).unwrap_or(0));
        let len = overflow
            .saturating_add(1)
            .saturating_mul(self.meta.page_size);
        let rest = self.content.len().saturating_sub(offset);
        if len > MAX_PAGE_BYTES || len > rest {
            return Err(self.corrupt(offset, "a page is longer than the file or 16 MiB"));
        }
        self.charge(len)?;
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        self.read(&mut bytes, offset)?;
        Ok(bytes)
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<(), Error> {
        match self.content.read_at(buffer, offset) {
            Ok(n) if n == buffer.len() => Ok(()),
            Ok(_) => Err(self.corrupt(offset, "a page lies behind the end")),
            Err(error) => Err(Error::from_io(&self.place, offset, error)),
        }
    }

    fn charge(&self, bytes: u64) -> Result<(), Error> {
        let read = self.read.get().saturating_add(bytes);
        self.read.set(read);
        match read > MAX_BYTES {
            true => Err(Error::Limit {
                place: self.place.clone(),
                limit: format!("{MAX_BYTES} bytes of metadata"),
            }),
            false => Ok(()),
        }
    }

    fn corrupt(&self, offset: u64, message: &str) -> Error {
        Error::Corrupt {
            place: self.place.clone(),
            offset,
            message: message.to_owned(),
        }
    }
}

impl<'a> Bucket<'a> {
    /// The bucket of this name.
    pub(super) fn bucket(&self, name: &[u8]) -> Result<Option<Bucket<'a>>, Error> {
        let mut found = None;
        self.walk(Some(name), &mut |key, value| {
            if let (true, Value::Bucket(value)) = (key == name, value) {
                found = Some(self.database.bucket(value)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The value of this name.
    pub(super) fn value(&self, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let mut found = None;
        self.walk(Some(name), &mut |key, value| {
            if let (true, Value::Bytes(value)) = (key == name, value) {
                self.database.charge(value.len() as u64)?;
                found = Some(value.to_vec());
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The buckets in this one, by name.
    pub(super) fn buckets(&self) -> Result<Vec<(Vec<u8>, Bucket<'a>)>, Error> {
        let mut found = Vec::new();
        self.walk(None, &mut |key, value| {
            if let Value::Bucket(value) = value {
                self.database.charge(key.len() as u64)?;
                found.push((key.to_vec(), self.database.bucket(value)?));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Visits the leaves, or those of the one page where a name can stand.
    fn walk(&self, wanted: Option<&[u8]>, visit: Visit<'_>) -> Result<(), Error> {
        let database = self.database;
        let mut pending = match &self.root {
            Root::Inline(page) => return database.leaves(page, 0, visit),
            Root::Page(id) => vec![(*id, 0)],
        };
        while let Some((id, depth)) = pending.pop() {
            let offset = id.saturating_mul(database.meta.page_size);
            let page = database.page(id)?;
            match u16_at(&page, 8) {
                Some(LEAF_PAGE) => database.leaves(&page, offset, visit)?,
                Some(BRANCH_PAGE) if depth < MAX_DEPTH => {
                    let children = database.branches(&page, offset, wanted)?;
                    pending.extend(children.into_iter().rev().map(|id| (id, depth + 1)));
                }
                _ => {
                    return Err(database.corrupt(offset, "a page of a tree is of another kind"));
                }
            }
        }
        Ok(())
    }
}

impl Database {
    fn bucket(&self, value: &[u8]) -> Result<Bucket<'_>, Error> {
        self.charge(value.len() as u64)?;
        let root = match u64_at(value, 0) {
            Some(0) => Root::Inline(value.get(BUCKET_HEADER..).unwrap_or_default().to_vec()),
            Some(id) => Root::Page(id),
            None => return Err(self.corrupt(0, "a bucket has no root")),
        };
        Ok(Bucket {
            database: self,
            root,
        })
    }

    /// The pages below a branch page: all, or the one for a name.
    fn branches(&self, page: &[u8], offset: u64, wanted: Option<&[u8]>) -> Result<Vec<u64>, Error> {
        let mut children = Vec::new();
        for at in elements(page) {
            let child = (|| {
                let position = u32_at(page, at)?;
                let key = slice(page, at, position, u32_at(page, at + 4)?)?;
                Some((key, u64_at(page, at + 8)?))
            })();
            let (key, id) =
                child.ok_or_else(|| self.corrupt(offset, "a branch leaves its page"))?;
            match wanted {
                Some(wanted) if key > wanted && !children.is_empty() => break,
                Some(_) => children = vec![id],
                None => children.push(id),
            }
        }
        Ok(children)
    }

    fn leaves(&self, page: &[u8], offset: u64, visit: Visit<'_>) -> Result<(), Error> {
        for at in elements(page) {
            let leaf = (|| {
                let (flags, position) = (u32_at(page, at)?, u32_at(page, at + 4)?);
                let (key_len, value_len) = (u32_at(page, at + 8)?, u32_at(page, at + 12)?);
                let key = slice(page, at, position, key_len)?;
                let value = slice(page, at, position.checked_add(key_len)?, value_len)?;
                Some((flags, key, value))
            })();
            let (flags, key, value) =
                leaf.ok_or_else(|| self.corrupt(offset, "a value leaves its page"))?;
            match flags & BUCKET_LEAF {
                0 => visit(key, Value::Bytes(value))?,
                _ => visit(key, Value::Bucket(value))?,
            }
        }
        Ok(())
    }
}

/// Offsets of the elements of a page.
fn elements(page: &[u8]) -> impl Iterator<Item = usize> {
    let count = usize::from(u16_at(page, 10).unwrap_or(0));
    (0..count).map(|index| PAGE_HEADER + index * ELEMENT)
}

/// `len` bytes at `position` behind an element.
fn slice(page: &[u8], element: usize, position: u32, len: u32) -> Option<&[u8]> {
    let start = element.checked_add(usize::try_from(position).ok()?)?;
    let end = start.checked_add(usize::try_from(len).ok()?)?;
    page.get(start..end)
}

fn newest_meta(content: &Content) -> Option<Meta> {
    let first = meta_at(content, 0);
    let sizes = match &first {
        Some(meta) => vec![meta.page_size],
        None => PAGE_SIZES.to_vec(),
    };
    let second = sizes
        .into_iter()
        .filter_map(|size| meta_at(content, size).filter(|meta| meta.page_size == size));
    first
        .into_iter()
        .chain(second)
        .max_by_key(|meta| meta.transaction)
}

fn meta_at(content: &Content, offset: u64) -> Option<Meta> {
    let mut bytes = [0; PAGE_HEADER + META + 8];
    let n = content.read_at(&mut bytes, offset).ok()?;
    let meta = bytes.get(PAGE_HEADER..n)?;
    let page_size = u64::from(u32_at(meta, 8)?);
    let valid = u32_at(meta, 0)? == MAGIC
        && u32_at(meta, 4)? == VERSION
        && u64_at(meta, META)? == fnv1a(meta.get(..META)?)
        && page_size.is_power_of_two()
        && (1024..=1 << 20).contains(&page_size);
    valid.then_some(Meta {
        page_size,
        root: u64_at(meta, 16)?,
        transaction: u64_at(meta, 48)?,
    })
}

/// FNV-1a of 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const PAGE: usize = 4096;

    /// What a test puts into a database.
    pub(in crate::sources) enum Node {
        Value(&'static str),
        /// A bucket with its own pages, `true` for a branch page above one leaf page per name.
        Bucket(Vec<(&'static str, Node)>, bool),
        /// A bucket inside its value.
        Inline(Vec<(&'static str, Node)>),
    }

    #[derive(Default)]
    struct Pages(Vec<Vec<u8>>);

    impl Pages {
        fn add(&mut self, mut page: Vec<u8>) -> u64 {
            let id = self.0.len() as u64;
            page[..8].copy_from_slice(&id.to_le_bytes());
            page.resize(page.len().next_multiple_of(PAGE), 0);
            let overflow = (page.len() / PAGE - 1) as u32;
            page[12..16].copy_from_slice(&overflow.to_le_bytes());
            self.0.push(page);
            self.0.extend((0..overflow).map(|_| Vec::new()));
            id
        }

        fn leaf(&mut self, nodes: &[(&'static str, Node)]) -> Vec<u8> {
            let mut page = vec![0; PAGE_HEADER + nodes.len() * ELEMENT];
            page[8..10].copy_from_slice(&LEAF_PAGE.to_le_bytes());
            page[10..12].copy_from_slice(&(nodes.len() as u16).to_le_bytes());
            for (index, (name, node)) in nodes.iter().enumerate() {
                let (flags, value) = self.value(node);
                let at = PAGE_HEADER + index * ELEMENT;
                let numbers = [flags, page.len() - at, name.len(), value.len()];
                for (field, number) in numbers.into_iter().enumerate() {
                    let at = at + field * 4;
                    page[at..at + 4].copy_from_slice(&(number as u32).to_le_bytes());
                }
                page.extend(name.bytes());
                page.extend(value);
            }
            page
        }

        fn value(&mut self, node: &Node) -> (usize, Vec<u8>) {
            match node {
                Node::Value(text) => (0, text.as_bytes().to_vec()),
                Node::Inline(nodes) => {
                    let page = self.leaf(nodes);
                    (1, [vec![0; BUCKET_HEADER], page].concat())
                }
                Node::Bucket(nodes, false) => {
                    let page = self.leaf(nodes);
                    let id = self.add(page);
                    (1, [id.to_le_bytes(), [0; 8]].concat())
                }
                Node::Bucket(nodes, true) => {
                    let mut page = vec![0; PAGE_HEADER + nodes.len() * ELEMENT];
                    page[8..10].copy_from_slice(&BRANCH_PAGE.to_le_bytes());
                    page[10..12].copy_from_slice(&(nodes.len() as u16).to_le_bytes());
                    for (index, node) in nodes.iter().enumerate() {
                        let leaf = self.leaf(std::slice::from_ref(node));
                        let id = self.add(leaf);
                        let at = PAGE_HEADER + index * ELEMENT;
                        let position = (page.len() - at) as u32;
                        page[at..at + 4].copy_from_slice(&position.to_le_bytes());
                        page[at + 4..at + 8].copy_from_slice(&(node.0.len() as u32).to_le_bytes());
                        page[at + 8..at + 16].copy_from_slice(&id.to_le_bytes());
                        page.extend(node.0.bytes());
                    }
                    let id = self.add(page);
                    (1, [id.to_le_bytes(), [0; 8]].concat())
                }
            }
        }
    }

    fn meta(id: u64, root: u64, transaction: u64) -> Vec<u8> {
        let mut meta = Vec::new();
        meta.extend(MAGIC.to_le_bytes());
        meta.extend(VERSION.to_le_bytes());
        meta.extend((PAGE as u32).to_le_bytes());
        meta.extend([0; 4]);
        for number in [root, 0, 0, 0, transaction] {
            meta.extend(number.to_le_bytes());
        }
        meta.extend(fnv1a(&meta).to_le_bytes());
        let mut page = id.to_le_bytes().to_vec();
        page.extend([4, 0, 0, 0, 0, 0, 0, 0]);
        page.extend(meta);
        page.resize(PAGE, 0);
        page
    }

    /// A database of a root bucket with these names, its second meta page the newer one.
    pub(in crate::sources) fn database(nodes: Vec<(&'static str, Node)>) -> Vec<u8> {
        let mut pages = Pages::default();
        for _ in 0..2 {
            pages.add(vec![0; PAGE]);
        }
        let page = pages.leaf(&nodes);
        let root = pages.add(page);
        pages.0[0] = meta(0, 0, 6);
        pages.0[1] = meta(1, root, 7);
        pages.0.concat()
    }

    fn open(bytes: &[u8]) -> Result<Database, Error> {
        Database::open("meta.db", Content::from_bytes(bytes))
    }

    fn sample() -> Vec<u8> {
        const LONG: &str = match std::str::from_utf8(&[b'x'; 10_000]) {
            Ok(text) => text,
            Err(_) => "",
        };
        let letters = ["a", "c", "e"].map(|name| (name, Node::Value(name)));
        database(vec![
            ("branch", Node::Bucket(letters.into(), true)),
            ("inline", Node::Inline(vec![("k", Node::Value("v"))])),
            ("long", Node::Bucket(vec![("k", Node::Value(LONG))], false)),
            ("value", Node::Value("plain")),
        ])
    }

    #[test]
    fn values_are_found_in_pages_branches_and_inline() {
        let bytes = sample();
        let database = open(&bytes).unwrap();
        let get = |bucket: &str, name: &str| {
            let bucket = database.root().bucket(bucket.as_bytes()).unwrap()?;
            let value = bucket.value(name.as_bytes()).unwrap()?;
            Some(String::from_utf8(value).unwrap())
        };
        for (bucket, name, expected) in [
            ("branch", "a", Some("a")),
            ("branch", "c", Some("c")),
            ("branch", "e", Some("e")),
            ("branch", "", None),
            ("branch", "d", None),
            ("branch", "z", None),
            ("inline", "k", Some("v")),
            ("inline", "x", None),
            ("value", "plain", None),
            ("nothing", "k", None),
        ] {
            assert_eq!(get(bucket, name).as_deref(), expected, "{bucket} {name}");
        }
        assert_eq!(get("long", "k").unwrap().len(), 10_000);
        let names = database.root().buckets().unwrap();
        let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, [&b"branch"[..], b"inline", b"long"]);
    }

    #[test]
    fn the_newer_valid_meta_page_holds() {
        let mut bytes = sample();
        let root = open(&bytes).unwrap().meta.root;
        assert_eq!(open(&bytes).unwrap().meta.transaction, 7);
        // A newer one that was not written to its end.
        bytes[..PAGE].copy_from_slice(&meta(0, 0, 8));
        bytes[PAGE_HEADER + META] ^= 1;
        assert_eq!(open(&bytes).unwrap().meta.transaction, 7);
        bytes[..PAGE].copy_from_slice(&meta(0, root, 8));
        assert_eq!(open(&bytes).unwrap().meta.transaction, 8);
        bytes[PAGE_HEADER] ^= 1;
        bytes[PAGE + PAGE_HEADER] ^= 1;
        assert!(open(&bytes).is_err());
    }

    #[test]
    fn a_writer_is_noticed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes = sample();
        std::fs::write(file.path(), &bytes).unwrap();
        let opened = std::sync::Arc::new(file.reopen().unwrap());
        let content = Content::from_range(opened, 0, bytes.len() as u64);
        let database = Database::open("meta.db", content).unwrap();
        for (transaction, current) in [(8, true), (9, false)] {
            let newer = [&meta(0, 2, transaction), &bytes[PAGE..]].concat();
            std::fs::write(file.path(), newer).unwrap();
            assert_eq!(database.is_current(), current, "{transaction}");
        }
    }

    #[test]
    fn damage_is_an_error_and_never_a_hang() {
        let bytes = sample();
        let read = |bytes: &[u8]| {
            let database = open(bytes)?;
            for (_, bucket) in database.root().buckets()? {
                bucket.value(b"k")?;
                bucket.buckets()?;
            }
            Ok::<_, Error>(())
        };
        read(&bytes).unwrap();
        for len in (0..bytes.len()).step_by(509) {
            // A file that ends early may still have all that is asked for.
            drop(read(&bytes[..len]));
        }
        for at in (2 * PAGE..bytes.len()).filter(|at| at % PAGE < 200) {
            for value in [0, 1, 2, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = value;
                drop(read(&damaged));
            }
        }
        // The root is a branch that leads to itself.
        let mut circle = sample();
        let root = open(&circle).unwrap().meta.root;
        let at = root as usize * PAGE;
        circle[at + 8..at + 10].copy_from_slice(&BRANCH_PAGE.to_le_bytes());
        circle[at + 24..at + 32].copy_from_slice(&root.to_le_bytes());
        assert!(read(&circle).is_err());
    }
}
