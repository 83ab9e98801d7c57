//! One folder per feed, each with sample and expected records.
//!
//! An importer turns the bytes of one file into records. It knows neither archives nor
//! compression: the caller unpacks (`seawall-artifact`) and hands over one file at a time.

mod alpine;
mod amazon;
mod azurelinux;
mod bulletins;
pub mod cnnvd;
mod constraint;
pub(crate) mod debian;
mod document;
pub mod epss;
mod flaws;
pub mod friendsofphp;
pub mod github;
mod json;
pub mod kev;
pub mod nodejs_wg;
pub mod nvd;
mod oracle;
pub mod osv;
mod oval;
#[cfg(test)]
mod real_data;
#[cfg(test)]
mod real_feeds;
mod redhat;
mod rejected;
mod rpm_rows;
pub mod rubysec;
pub mod rustsec;
mod suse;
#[cfg(test)]
mod testing;
mod text;
mod ubuntu;
pub mod user;
mod xml;

use crate::{Advisory, CnnvdEntry, EpssEntry, KevEntry};
use seawall_model::Incomplete;
use std::collections::BTreeMap;

/// A feed's reader.
pub trait Importer: Sync {
    /// Name of the feed, as on the command line and in messages.
    fn name(&self) -> &'static str;
    /// Whether this file is of the feed: by its name, and by its first bytes where names do not
    /// tell. Must be cheap, and exact enough that no other importer says yes to the same file.
    fn recognizes(&self, file: &FeedFile<'_>) -> bool;
    /// Reads the file. What is wrong with single records goes to [`Records::incomplete`] with the
    /// place, and the rest is read on.
    fn import(&self, file: &FeedFile<'_>, records: &mut Records);
}

/// One file of a feed.
#[derive(Debug, Clone, Copy)]
pub struct FeedFile<'a> {
    /// Path as the user knows it, with `!` between an archive and its member:
    /// `feeds/osv.zip!GHSA-xxxx.json`. Compression suffixes are already removed.
    pub name: &'a str,
    /// All bytes.
    pub bytes: &'a [u8],
}

/// What importers produce.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Records {
    /// Advisories.
    pub advisories: Vec<Advisory>,
    /// Known exploited flaws.
    pub kev: Vec<KevEntry>,
    /// Exploit predictions.
    pub epss: Vec<EpssEntry>,
    /// CNNVD numbers.
    pub cnnvd: Vec<CnnvdEntry>,
    /// Records that could not be read.
    pub incomplete: Vec<Incomplete>,
    /// What was left out on purpose, with the number of rows: products that Seawall does not
    /// match (`"Red Hat products other than Enterprise Linux" => 31`).
    pub skipped: BTreeMap<String, u64>,
}

impl Records {
    /// Counts rows that were left out on purpose.
    pub fn skip(&mut self, what: &str, rows: u64) {
        if rows > 0 {
            match self.skipped.get_mut(what) {
                Some(count) => *count = count.saturating_add(rows),
                None => drop(self.skipped.insert(what.to_owned(), rows)),
            }
        }
    }
}

/// The importer that reads a file; `None` for one that is no feed: a licence, a script beside the
/// data.
#[must_use]
pub fn of(file: &FeedFile<'_>) -> Option<&'static dyn Importer> {
    let known = |file: &FeedFile<'_>| ALL.iter().copied().find(|one| one.recognizes(file));
    if !file.name.ends_with(".jsonl") {
        return known(file);
    }
    // One record a line, of which the first may be damaged.
    let mut rest = file.bytes;
    (0..TELLING_LINES).find_map(|_| {
        let from_here = FeedFile {
            name: file.name,
            bytes: rest,
        };
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        rest = rest.get(end..).unwrap_or_default();
        known(&from_here)
    })
}

/// Lines of a file by which it is told what it is.
const TELLING_LINES: usize = 20;

/// Every importer. The first that recognizes a file reads it.
pub const ALL: &[&dyn Importer] = &[
    // Languages, and databases for every ecosystem.
    &osv::Osv,
    &rubysec::RubySec,
    &friendsofphp::FriendsOfPhp,
    &github::GitHub,
    &nodejs_wg::NodeSecurity,
    &nvd::Nvd,
    &rustsec::RustSec,
    &user::User,
    // Facts about CVEs.
    &kev::Kev,
    &epss::Epss,
    &cnnvd::Cnnvd,
    // Distributions.
    &alpine::Alpine,
    &amazon::Amazon,
    &azurelinux::AzureLinux,
    &debian::Debian,
    &oracle::Oracle,
    &redhat::RedHat,
    &suse::Suse,
    &ubuntu::Ubuntu,
];
