//! One table of an SQLite database (SQLite documentation, "Database File Format"), read from
//! memory. Numbers are big-endian.

use super::bytes::{Order, slice};
use super::{Damage, Sink};

const MAGIC: &[u8] = b"SQLite format 3\0";
const FILE_HEADER_BYTES: usize = 100;
const INTERIOR_PAGE: u8 = 5;
const LEAF_PAGE: u8 = 13;
/// A table of more levels has more rows than there are numbers.
const MAX_DEPTH: usize = 20;

pub(super) fn is_sqlite(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Finds rpm's table: `Packages (hnum INTEGER PRIMARY KEY, blob BLOB)`.
pub(super) fn read_packages(bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), Damage> {
    let database = Database::open(bytes)?;
    let mut root = None;
    // The schema is a table itself, rooted in the first page: type, name, table, root page, SQL.
    database.walk(1, &mut |_, row| {
        let Ok(row) = row else {
            return;
        };
        let columns = columns(row);
        if columns.first() == Some(&Value::Bytes(b"table"))
            && columns.get(1) == Some(&Value::Bytes(b"Packages"))
            && let Some(Value::Integer(page)) = columns.get(3)
        {
            root = usize::try_from(*page).ok();
        }
    })?;
    let root = root.ok_or_else(|| Damage::new(0, "the database has no table of packages"))?;
    database.walk(root, &mut |at, row| {
        let blob = row.and_then(|row| match columns(row).get(1) {
            Some(Value::Bytes(blob)) => Ok(*blob),
            _ => Err(Damage::new(
                at,
                "a row of the packages' table holds no package",
            )),
        });
        sink(at, blob);
    })
}

struct Database<'a> {
    bytes: &'a [u8],
    page_bytes: usize,
    /// Bytes of a page without those reserved at its end.
    usable: usize,
}

impl<'a> Database<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Damage> {
        let page_bytes = match Order::Big.u16(bytes, 16) {
            Some(1) => 65536,
            Some(size) => usize::from(size),
            None => 0,
        };
        let reserved = bytes.get(20).copied().map_or(0, usize::from);
        let usable = page_bytes.saturating_sub(reserved);
        // The specification allows no less than 480 usable bytes.
        if !page_bytes.is_power_of_two() || page_bytes < 512 || usable < 480 {
            return Err(Damage::new(
                16,
                format!("a page cannot have {page_bytes} bytes of which {reserved} are reserved"),
            ));
        }
        Ok(Self {
            bytes,
            page_bytes,
            usable,
        })
    }

    /// The page of this number, counted from 1, and where it stands.
    fn page(&self, number: usize) -> Option<(&'a [u8], usize)> {
        let at = number.checked_sub(1)?.checked_mul(self.page_bytes)?;
        Some((slice(self.bytes, at, self.page_bytes)?, at))
    }

    /// Visits the rows of the table that is rooted in this page.
    fn walk(&self, root: usize, row: &mut Sink<'_>) -> Result<(), Damage> {
        let mut walk = Walk {
            database: self,
            // No page has two parents, and no two rows share bytes.
            pages_left: self.bytes.len() / self.page_bytes,
            bytes_left: self.bytes.len(),
            missing: None,
        };
        walk.visit(root, 0, row);
        walk.missing.map_or(Ok(()), Err)
    }
}

struct Walk<'d, 'a> {
    database: &'d Database<'a>,
    pages_left: usize,
    bytes_left: usize,
    /// The first page that was not there or not of a table; its siblings are still read.
    missing: Option<Damage>,
}

impl<'a> Walk<'_, 'a> {
    fn visit(&mut self, number: usize, depth: usize, row: &mut Sink<'_>) {
        let seen_all = self.pages_left == 0 || depth > MAX_DEPTH;
        let page = self.database.page(number).filter(|_| !seen_all);
        if page
            .and_then(|(page, at)| self.visit_page(page, at, depth, row))
            .is_none()
        {
            let at = number
                .saturating_sub(1)
                .saturating_mul(self.database.page_bytes)
                .min(self.database.bytes.len());
            self.missing.get_or_insert_with(|| {
                Damage::new(
                    at,
                    format!("page {number} is not the table page it should be"),
                )
            });
        }
    }

    /// `None` if the page itself is damaged.
    fn visit_page(
        &mut self,
        page: &'a [u8],
        at: usize,
        depth: usize,
        row: &mut Sink<'_>,
    ) -> Option<()> {
        self.pages_left = self.pages_left.checked_sub(1)?;
        // The first page begins with the file's own header.
        let start = if at == 0 { FILE_HEADER_BYTES } else { 0 };
        let kind = *page.get(start)?;
        let cells = usize::from(Order::Big.u16(page, start + 3)?);
        let pointers = match kind {
            LEAF_PAGE => start + 8,
            INTERIOR_PAGE => start + 12,
            _ => return None,
        };
        for index in 0..cells {
            let cell = usize::from(Order::Big.u16(page, pointers + 2 * index)?);
            if kind == LEAF_PAGE {
                let payload = self.payload(page, cell);
                let damaged = || Damage::new(at + cell, "a row does not lie within the database");
                row(at + cell, payload.as_deref().ok_or_else(damaged));
            } else {
                self.visit(Order::Big.size(page, cell)?, depth + 1, row);
            }
        }
        if kind == INTERIOR_PAGE {
            self.visit(Order::Big.size(page, start + 8)?, depth + 1, row);
        }
        Some(())
    }

    /// The payload of a leaf's cell: its length, the row's number, the bytes that fit into the
    /// page, and the number of the first page with more.
    fn payload(&mut self, page: &'a [u8], cell: usize) -> Option<std::borrow::Cow<'a, [u8]>> {
        let mut rest = page.get(cell..self.database.usable)?;
        let length = usize::try_from(varint(&mut rest)?).ok()?;
        varint(&mut rest)?;
        self.bytes_left = self.bytes_left.checked_sub(length)?;
        let local = self.local_bytes(length);
        let here = rest.get(..local)?;
        if local == length {
            return Some(here.into());
        }
        let mut payload = Vec::with_capacity(length);
        payload.extend_from_slice(here);
        let mut next = Order::Big.size(rest, local)?;
        while payload.len() < length {
            let (page, _) = self.database.page(next)?;
            let more = page.get(4..self.database.usable)?;
            let wanted = length.checked_sub(payload.len())?.min(more.len());
            payload.extend_from_slice(more.get(..wanted)?);
            next = Order::Big.size(page, 0)?;
        }
        Some(payload.into())
    }

    /// How much of a payload is in its leaf ("Cell Payload Overflow Pages").
    fn local_bytes(&self, length: usize) -> usize {
        let usable = self.database.usable;
        let most = usable - 35;
        if length <= most {
            return length;
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let local = least + (length - least) % (usable - 4);
        if local <= most { local } else { least }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Value<'a> {
    /// Text in the database's encoding, or a blob.
    Bytes(&'a [u8]),
    Integer(i64),
    /// A null or a fraction, of which rpm's tables keep nothing that is asked for.
    Other,
}

/// The columns of a row ("Record Format"), as far as they lie within it; no more than a schema
/// has.
fn columns(row: &[u8]) -> Vec<Value<'_>> {
    const MOST: usize = 8;
    let mut columns = Vec::new();
    let mut header = row;
    let Some(mut body) = varint(&mut header)
        .and_then(|length| usize::try_from(length).ok())
        .and_then(|length| row.get(length..))
    else {
        return columns;
    };
    while columns.len() < MOST
        && let Some(kind) = varint(&mut header)
    {
        let bytes = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).unwrap_or(0),
            5 => 6,
            6 | 7 => 8,
            _ => usize::try_from(kind.saturating_sub(12) / 2).unwrap_or(usize::MAX),
        };
        let Some((value, rest)) = body.split_at_checked(bytes) else {
            break;
        };
        body = rest;
        columns.push(match kind {
            1..=6 => Value::Integer(integer(value)),
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            12.. => Value::Bytes(value),
            _ => Value::Other,
        });
    }
    columns
}

/// A big-endian number in two's complement of up to eight bytes.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    bytes
        .iter()
        .fold(start, |number, byte| (number << 8) | i64::from(*byte))
}

/// A number of one to nine bytes: seven bits of each, the highest bit saying that more follow,
/// and all eight of a ninth.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number: u64 = 0;
    for index in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if index == 8 {
            return Some((number << 8) | u64::from(*byte));
        }
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}
