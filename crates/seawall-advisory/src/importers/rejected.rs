//! The records of one file that could not be read.

use super::{FeedFile, Records};
use seawall_model::{Incomplete, IncompleteReason};

/// At most so many unreadable records of one file are listed; the others are counted.
const LISTED: usize = 50;

/// Collects what could not be read in one file, and passes it on when done. Bounded, so that a
/// file of nothing but garbage does not fill the memory with complaints.
pub(super) struct Rejected<'a> {
    file: &'a str,
    listed: Vec<Incomplete>,
    unlisted: usize,
}

impl<'a> Rejected<'a> {
    pub(super) fn new(file: &FeedFile<'a>) -> Self {
        Self {
            file: file.name,
            listed: Vec::new(),
            unlisted: 0,
        }
    }

    /// Adds one record, with the offset of its first byte where that is known.
    pub(super) fn push(
        &mut self,
        reason: IncompleteReason,
        offset: Option<u64>,
        message: impl Into<String>,
    ) {
        if self.listed.len() == LISTED {
            self.unlisted += 1;
            return;
        }
        let mut incomplete = Incomplete::new(reason, self.file, message);
        incomplete.offset = offset;
        self.listed.push(incomplete);
    }

    /// Adds an entry that is made already.
    pub(super) fn report(&mut self, incomplete: Incomplete) {
        match self.listed.len() {
            LISTED.. => self.unlisted += 1,
            _ => self.listed.push(incomplete),
        }
    }

    /// Adds what a JSON parser says of `what`.
    pub(super) fn push_json(&mut self, error: &serde_json::Error, what: &str) {
        let reason = match error.is_eof() {
            true => IncompleteReason::Truncated,
            false => IncompleteReason::Corrupt,
        };
        self.push(reason, None, format!("{what} cannot be read: {error}"));
    }

    /// Passes everything on.
    pub(super) fn finish(self, records: &mut Records) {
        records.incomplete.extend(self.listed);
        if self.unlisted > 0 {
            let message = format!("{} more records could not be read", self.unlisted);
            records.incomplete.push(
                Incomplete::new(IncompleteReason::Corrupt, self.file, message)
                    .hint("fetch the file again; it is damaged or not of this feed"),
            );
        }
    }
}
