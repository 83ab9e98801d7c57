//! rpm's own database, `Packages.db` (rpm sources, lib/backend/ndb/rpmpkg.c): a header of 32
//! bytes; pages of slots, of 16 bytes each, that say where a package lies, counted in blocks of 16
//! bytes; and there a header of 16 bytes before the blob. All numbers are little-endian.

use super::bytes::{Order, slice};
use super::{Damage, Sink};

const MAGIC: &[u8] = b"RpmP";
const SLOT_MAGIC: &[u8] = b"Slot";
const BLOB_MAGIC: &[u8] = b"BlbS";
const HEADER_BYTES: usize = 32;
const SLOT_BYTES: usize = 16;
const BLOCK_BYTES: usize = 16;
const PAGE_BYTES: usize = 4096;

pub(super) fn is_ndb(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

pub(super) fn read_packages(bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), Damage> {
    let order = Order::Little;
    let version = order.u32(bytes, 4);
    if version != Some(0) {
        return Err(Damage::new(4, "this version of the ndb format is unknown"));
    }
    let pages = order
        .size(bytes, 12)
        .ok_or_else(|| Damage::new(12, "the database ends in its header"))?;
    let end = pages.saturating_mul(PAGE_BYTES);
    let slots = bytes.get(HEADER_BYTES..end.min(bytes.len()));
    let mut left = bytes.len();
    for (index, slot) in slots
        .unwrap_or_default()
        .chunks_exact(SLOT_BYTES)
        .enumerate()
    {
        let at = HEADER_BYTES + index * SLOT_BYTES;
        if !slot.starts_with(SLOT_MAGIC) {
            return Err(Damage::new(at, "a slot does not begin like one"));
        }
        let package = order.u32(slot, 4);
        if package == Some(0) {
            continue;
        }
        let blob = blob_of(bytes, slot, package).filter(|blob| blob.len() <= left);
        left = left.saturating_sub(blob.map_or(0, <[u8]>::len));
        let missing = || Damage::new(at, "a slot names a package that is not there");
        sink(at, blob.ok_or_else(missing));
    }
    if end > bytes.len() {
        return Err(Damage::new(bytes.len(), "the database ends in its slots"));
    }
    Ok(())
}

fn blob_of<'a>(bytes: &'a [u8], slot: &[u8], package: Option<u32>) -> Option<&'a [u8]> {
    let order = Order::Little;
    let at = order.size(slot, 8)?.checked_mul(BLOCK_BYTES)?;
    let header = slice(bytes, at, BLOCK_BYTES)?;
    if !header.starts_with(BLOB_MAGIC) || order.u32(header, 4) != package {
        return None;
    }
    slice(bytes, at.checked_add(BLOCK_BYTES)?, order.size(header, 12)?)
}
