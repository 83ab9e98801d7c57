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

/// The count of one layer. Every layer has a share that no other can use up: a layer made to hit
/// the limits does not hide the others.
#[derive(Debug)]
pub(crate) struct Count<'a> {
    tally: &'a Tally,
    limits: &'a Limits,
    entries_left: u64,
    bytes_left: u64,
}

impl Tally {
    /// Begins a layer.
    pub(crate) fn layer<'a>(&'a self, limits: &'a Limits) -> Count<'a> {
        let layers = u64::from(limits.layers).max(1);
        Count {
            tally: self,
            limits,
            entries_left: limits.entries / layers,
            bytes_left: limits.image_bytes / layers,
        }
    }
}

impl Count<'_> {
    /// Counts an entry.
    pub(crate) fn entry(&mut self, place: &str) -> Result<(), Error> {
        if self.entries_left > 0 {
            self.entries_left -= 1;
            return Ok(());
        }
        match self.tally.entries.fetch_add(1, Ordering::Relaxed) < self.limits.entries {
            true => Ok(()),
            false => Err(Error::Limit {
                place: place.to_owned(),
                limit: format!("{} entries", self.limits.entries),
            }),
        }
    }

    /// Counts bytes that were decompressed.
    pub(crate) fn bytes(&mut self, bytes: u64, place: &str) -> Result<(), Error> {
        let own = bytes.min(self.bytes_left);
        self.bytes_left -= own;
        let bytes = bytes - own;
        let before = self.tally.bytes.fetch_add(bytes, Ordering::Relaxed);
        match bytes == 0 || before.saturating_add(bytes) <= self.limits.image_bytes {
            true => Ok(()),
            false => Err(Error::Limit {
                place: place.to_owned(),
                limit: format!(
                    "{} uncompressed bytes of all layers",
                    self.limits.image_bytes
                ),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_that_hit_the_limit_hid_the_others() {
        let limits = Limits {
            entries: 10,
            image_bytes: 10,
            layers: 2,
            ..Limits::default()
        };
        let tally = Tally::default();
        let mut bomb = tally.layer(&limits);
        let entries = (0..100).take_while(|_| bomb.entry("bomb").is_ok()).count();
        assert_eq!(entries, 15, "its own share, and what is for all");
        assert!(bomb.bytes(16, "bomb").is_err());
        let mut other = tally.layer(&limits);
        assert!((0..5).all(|_| other.entry("other").is_ok() && other.bytes(1, "other").is_ok()));
        assert!(other.entry("other").is_err() && other.bytes(1, "other").is_err());
    }
}
