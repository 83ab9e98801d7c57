//! Feeds that list flaws by package, turned round into one record for each flaw.

use super::Records;
use crate::{Advisory, Source};
use std::collections::HashMap;

/// Records by identifier, in the order in which a file names them first.
pub(super) struct FlawTable {
    source: Source,
    places: HashMap<String, usize>,
    advisories: Vec<Advisory>,
}

impl FlawTable {
    /// An empty table for one publisher.
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            places: HashMap::new(),
            advisories: Vec::new(),
        }
    }

    /// The record with this identifier, made when it is not there.
    pub(super) fn entry(&mut self, id: &str) -> &mut Advisory {
        let place = match self.places.get(id) {
            Some(place) => *place,
            None => {
                let place = self.advisories.len();
                self.places.insert(id.to_owned(), place);
                self.advisories.push(Advisory::new(id, self.source));
                place
            }
        };
        &mut self.advisories[place]
    }

    /// Hands the records over; those that came to affect nothing are dropped.
    pub(super) fn finish(self, records: &mut Records) {
        let advisories = self.advisories.into_iter();
        records
            .advisories
            .extend(advisories.filter(|advisory| !advisory.affected.is_empty()));
    }
}
