//! The hash table of Berkeley DB, `Packages` (Oracle Berkeley DB sources, dbinc/db_page.h): pages
//! of one size, of which the first describes the table. A package's header is longer than a page's
//! share, so that the table holds the number of the first of its overflow pages.

use super::bytes::{Order, slice};
use super::{Damage, Sink};

const HASH_MAGIC: u32 = 0x0006_1561;
const PAGE_HEADER_BYTES: usize = 26;

/// Where the first page says how many entries there are (`nelem`). It is kept up to date by rpm, which
/// does not lock single entries.
const ENTRIES: usize = 88;

const HASH_UNSORTED_PAGE: u8 = 2;
const OVERFLOW_PAGE: u8 = 7;
const HASH_PAGE: u8 = 13;

const ITEM_IN_PAGE: u8 = 1;
const ITEM_OFF_PAGE: u8 = 3;

/// The byte order is that of the machine that made the table.
fn order_of(bytes: &[u8]) -> Option<Order> {
    [Order::Little, Order::Big]
        .into_iter()
        .find(|order| order.u32(bytes, 12) == Some(HASH_MAGIC))
}

pub(super) fn is_bdb_hash(bytes: &[u8]) -> bool {
    order_of(bytes).is_some()
}

pub(super) fn read_packages(bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), Damage> {
    let order = order_of(bytes).ok_or_else(|| Damage::new(12, "this is no hash table"))?;
    let page_bytes = order.size(bytes, 20).unwrap_or(0);
    if !page_bytes.is_power_of_two() || !(512..=65536).contains(&page_bytes) {
        return Err(Damage::new(
            20,
            format!("a page cannot have {page_bytes} bytes"),
        ));
    }
    let mut table = Table {
        bytes,
        order,
        page_bytes,
        left: bytes.len(),
        entries: 0,
    };
    for (number, page) in bytes.chunks_exact(page_bytes).enumerate().skip(1) {
        if matches!(page.get(25), Some(&(HASH_PAGE | HASH_UNSORTED_PAGE))) {
            table.read_page(page, number * page_bytes, sink);
        }
    }
    let pages = order.size(bytes, 32).unwrap_or(0).saturating_add(1);
    if pages.saturating_mul(page_bytes) > bytes.len() {
        return Err(Damage::new(bytes.len(), "the database ends too early"));
    }
    let told = order.size(bytes, ENTRIES).unwrap_or(0);
    if table.entries < told {
        let message = format!(
            "it has {told} entries by its own count, but {} were found",
            table.entries
        );
        return Err(Damage::new(ENTRIES, message));
    }
    Ok(())
}

struct Table<'a> {
    bytes: &'a [u8],
    order: Order,
    page_bytes: usize,
    /// Packages do not overlap, so that all together are no longer than the file.
    left: usize,
    /// Pairs of keys and values on the pages that were read.
    entries: usize,
}

impl Table<'_> {
    fn read_page(&mut self, page: &[u8], at: usize, sink: &mut Sink<'_>) {
        let order = self.order;
        let entries = usize::from(order.u16(page, 20).unwrap_or(0));
        self.entries += entries / 2;
        // Keys and values alternate; the place of an item ends where the one before it begins.
        let place = |index: usize| {
            let at = PAGE_HEADER_BYTES + 2 * index;
            order.u16(page, at).map(usize::from)
        };
        for index in (1..entries).step_by(2) {
            let (Some(start), Some(end)) = (place(index), place(index - 1)) else {
                let message = "a hash page has more entries than fit";
                sink(at, Err(Damage::new(at, message)));
                return;
            };
            match page.get(start) {
                Some(&ITEM_OFF_PAGE) => {
                    let blob = self.overflow(page, start);
                    let missing = || Damage::new(at + start, "a package is not where it should be");
                    sink(at + start, blob.as_deref().ok_or_else(missing));
                }
                // The table's own record of the next free number has four bytes.
                Some(&ITEM_IN_PAGE) => {
                    if let Some(blob) = page.get(start + 1..end).filter(|blob| blob.len() > 4) {
                        sink(at + start, Ok(blob));
                    }
                }
                // The keys are numbers, of which none comes twice.
                _ => sink(
                    at + start,
                    Err(Damage::new(at + start, "an entry is of no known kind")),
                ),
            }
        }
    }

    /// Collects an item that lies on pages of its own: a type and three bytes, the number of the
    /// first page, the length.
    fn overflow(&mut self, page: &[u8], item: usize) -> Option<Vec<u8>> {
        let order = self.order;
        let mut number = order.size(page, item.checked_add(4)?)?;
        let length = order.size(page, item.checked_add(8)?)?;
        self.left = self.left.checked_sub(length)?;
        let mut blob = Vec::with_capacity(length);
        while blob.len() < length {
            let page = slice(
                self.bytes,
                number.checked_mul(self.page_bytes)?,
                self.page_bytes,
            )?;
            if number == 0 || *page.get(25)? != OVERFLOW_PAGE {
                return None;
            }
            let used = usize::from(order.u16(page, 22)?);
            let rest = length.checked_sub(blob.len())?;
            // An empty page would let a circle of pages go on for ever.
            if used == 0 {
                return None;
            }
            blob.extend_from_slice(slice(page, PAGE_HEADER_BYTES, used.min(rest))?);
            number = order.size(page, 16)?;
        }
        Some(blob)
    }
}
