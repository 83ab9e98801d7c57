//! Records in the Open Source Vulnerability format (OSV schema, <https://ossf.github.io/osv-schema/>).
//!
//! One record a file, one a line, or a JSON array of them, of any OSV database. Decisions:
//!
//! - Bulletins (DSA, ALSA, RLSA, USN, RHSA, SUSE-SU, OESA, ...) cover the flaws that they name in
//!   `aliases`, `upstream` or `related`. Bug fix and enhancement bulletins that name none are no
//!   flaws and are left out.
//! - `upstream` of a record about one flaw is another name of it; `related` is not, except with
//!   Chainguard, which writes the CVE there.
//! - RustSec's `unmaintained` records are no flaws and are left out, as are those that are a `notice`
//!   and have no number of a flaw; `unsound` ones are
//!   kept.
//! - Ubuntu Pro entries hold for the plain release; see `convert::settle_subscriptions`.
//! - Malicious packages (`MAL-`) are critical.
//! - Git ranges, and entries without ranges and versions, match nothing and are left out. Entries of
//!   ecosystems that Seawall has no packages for are counted as skipped.

mod convert;
mod ecosystem;
mod modules;
mod publisher;
mod ranges;
mod record;

use super::rejected::Rejected;
use super::{FeedFile, Importer, Records, json};
use convert::{Converted, convert};
use rayon::prelude::*;
use record::Record;
use seawall_model::IncompleteReason;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Reads OSV records.
#[derive(Debug, Clone, Copy)]
pub struct Osv;

impl Importer for Osv {
    fn name(&self) -> &'static str {
        "osv"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        let keys = json::first_keys(file.bytes);
        let has = |key: &str| keys.contains(&key.as_bytes());
        let telling = ["affected", "schema_version", "aliases", "withdrawn"];
        has("id") && has("modified") && telling.into_iter().any(has)
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        let mut rejected = Rejected::new(file);
        let pieces = pieces(file.bytes, &mut rejected);
        let read: Vec<Result<Converted, serde_json::Error>> =
            pieces.par_iter().map(|piece| read(piece.text)).collect();
        let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
        let mut no_flaw = 0;
        for (piece, result) in pieces.iter().zip(read) {
            match result {
                Ok(converted) => {
                    records.advisories.extend(converted.advisory);
                    no_flaw += u64::from(converted.no_flaw);
                    for (ecosystem, count) in converted.unknown_ecosystems {
                        *unknown.entry(ecosystem).or_default() += count;
                    }
                }
                Err(error) => {
                    let reason = match error.is_eof() {
                        true => IncompleteReason::Truncated,
                        false => IncompleteReason::Corrupt,
                    };
                    let message = format!("{} is not an OSV record: {error}", piece.name);
                    rejected.push(reason, Some(piece.offset), message);
                }
            }
        }
        rejected.finish(records);
        records.skip(
            "OSV records about no flaw (maintenance, crates without maintainers)",
            no_flaw,
        );
        for (ecosystem, count) in unknown {
            records.skip(&format!("OSV ecosystem {ecosystem}"), count);
        }
    }
}

/// One record's text in a file.
struct Piece<'a> {
    text: &'a [u8],
    offset: u64,
    /// For messages: `line 7`, `element 7`, `the file`.
    name: String,
}

/// Cuts a file into its records: lines, elements of an array, or the whole.
fn pieces<'a>(bytes: &'a [u8], rejected: &mut Rejected<'_>) -> Vec<Piece<'a>> {
    let bytes = json::without_bom(bytes);
    let offset = |text: &[u8]| (text.as_ptr().addr() - bytes.as_ptr().addr()) as u64;
    let first = bytes.trim_ascii_start().first();
    if first == Some(&b'[') {
        return match serde_json::from_slice::<Vec<&RawValue>>(bytes) {
            Ok(elements) => elements
                .into_iter()
                .enumerate()
                .map(|(index, element)| Piece {
                    text: element.get().as_bytes(),
                    offset: offset(element.get().as_bytes()),
                    name: format!("element {}", index + 1),
                })
                .collect(),
            Err(error) => {
                let message = format!("the list of records cannot be read: {error}");
                rejected.push(IncompleteReason::Corrupt, None, message);
                Vec::new()
            }
        };
    }
    if !has_one_record_a_line(bytes) {
        return vec![Piece {
            text: bytes,
            offset: 0,
            name: "the file".to_owned(),
        }];
    }
    bytes
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(index, line)| Piece {
            text: line,
            offset: offset(line),
            name: format!("line {}", index + 1),
        })
        .collect()
}

/// Whether any of the first lines is a whole JSON object, which a line of an indented record never
/// is: those that hold both braces are indented.
fn has_one_record_a_line(bytes: &[u8]) -> bool {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .take(3)
        .any(|line| line.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(line).is_ok())
}

fn read(text: &[u8]) -> Result<Converted, serde_json::Error> {
    let record: Record<'_> = serde_json::from_slice(text)?;
    Ok(convert(&record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::importers::testing;

    #[test]
    fn damaged_files_are_reported() {
        testing::survives_damage(&Osv, "osv", "records.jsonl", "a.jsonl");
    }

    #[test]
    fn samples_become_the_expected_records() {
        testing::check(&Osv, "osv", "records.jsonl", "osv/records.jsonl");
    }

    /// The same record alone, indented, in an array and after a byte order mark.
    #[test]
    fn every_arrangement_of_records_is_read() {
        let record = r#"{"id":"GHSA-x","modified":"2024-01-01T00:00:00Z","affected":[{
            "package":{"ecosystem":"npm","name":"a"},"versions":["1"]}]}"#;
        let line = record.replace('\n', " ");
        for (text, expected) in [
            (record.to_owned(), 1),
            (format!("\u{feff}{record}\n"), 1),
            (line.clone(), 1),
            (format!("{line}\r\n\r\n{line}\n"), 2),
            (format!("not JSON\n{line}\n{line}"), 2),
            (format!("[{record},\n{line}]"), 2),
            (format!("[{record},{{\"id\":7}},{line}]"), 2),
            ("[]".to_owned(), 0),
        ] {
            let records = testing::import_bytes(&Osv, "a.json", text.as_bytes());
            assert_eq!(records.advisories.len(), expected, "{text}");
        }
    }

    #[test]
    fn hostile_bytes_are_reported_and_nothing_else() {
        let deep = "[".repeat(100_000);
        for bytes in [
            b"{".as_slice(),
            b"[",
            b"\xff\xfe\x00",
            b"{\"id\":",
            deep.as_bytes(),
        ] {
            let records = testing::import_bytes(&Osv, "a.json", bytes);
            assert_eq!(records.advisories.len(), 0);
            assert_eq!(records.incomplete.len(), 1);
        }
    }
}
