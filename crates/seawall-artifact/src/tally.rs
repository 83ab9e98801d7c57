//! What all layers of an artifact came to so far. An image may name one layer a thousand times, so
//! that caps of single layers are none for the whole.

use crate::{Error, Limits};
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts over all threads.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    entries: AtomicU64,
    bytes: AtomicU64,
}

impl Tally {
    /// Counts an entry.
    pub(crate) fn entry(&self, limits: &Limits, place: &str) -> Result<(), Error> {
        match self.entries.fetch_add(1, Ordering::Relaxed) < limits.entries {
            true => Ok(()),
            false => Err(Error::Limit {
                place: place.to_owned(),
                limit: format!("{} entries", limits.entries),
            }),
        }
    }

    /// Counts bytes that were decompressed.
    pub(crate) fn bytes(&self, bytes: u64, limits: &Limits, place: &str) -> Result<(), Error> {
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        match before.saturating_add(bytes) <= limits.image_bytes {
            true => Ok(()),
            false => Err(Error::Limit {
                place: place.to_owned(),
                limit: format!("{} uncompressed bytes of all layers", limits.image_bytes),
            }),
        }
    }
}
