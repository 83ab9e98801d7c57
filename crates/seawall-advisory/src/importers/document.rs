//! Feed files read into values: errors become [`Incomplete`] entries with the place.

use super::FeedFile;
use super::rejected::Rejected;
use seawall_model::{Incomplete, IncompleteReason};
use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// YAML events of one file: Alpine's largest secdb has about 60,000.
const YAML_EVENTS: usize = 8_000_000;

/// What a user can do about a file that ends too early or is damaged.
const FETCH_AGAIN: &str = "fetch the file again; what was read before this place is used";

/// The last part of a feed file's name, behind folders and archives.
pub(super) fn base_name<'a>(file: &FeedFile<'a>) -> &'a str {
    let name = file.name.rsplit(['/', '!', '\\']).next();
    name.unwrap_or(file.name)
}

/// The file's first bytes, at most `length`, for recognizers.
pub(super) fn head<'a>(file: &FeedFile<'a>, length: usize) -> &'a [u8] {
    let bytes = without_mark(file.bytes);
    bytes.get(..length).unwrap_or(bytes)
}

/// Whether `needle` stands in `haystack`.
pub(super) fn contains(haystack: &[u8], needle: &str) -> bool {
    memchr::memmem::find(haystack, needle.as_bytes()).is_some()
}

/// Reads the whole file as JSON (RFC 8259). Nesting is capped by the parser at 128.
pub(super) fn json<T: DeserializeOwned>(file: &FeedFile<'_>) -> Result<T, Incomplete> {
    let bytes = without_mark(file.bytes);
    serde_json::from_slice(bytes).map_err(|error| json_error(file, bytes, 0, &error))
}

/// Reads a file with one JSON value a line. Lines that are no such value are reported and passed
/// over.
pub(super) fn json_lines<T: DeserializeOwned>(
    file: &FeedFile<'_>,
    rejected: &mut Rejected<'_>,
    mut take: impl FnMut(T),
) {
    for (offset, line) in lines(file.bytes) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(line) {
            Ok(value) => take(value),
            Err(error) => rejected.report(json_error(file, line, offset, &error)),
        }
    }
}

/// Reads a file that is one JSON object, member by member, so that one member's worth of values is
/// in memory at a time and what stands before a damaged place is used.
pub(super) fn json_members(
    file: &FeedFile<'_>,
    rejected: &mut Rejected<'_>,
    mut take: impl FnMut(String, Value, &mut Rejected<'_>),
) {
    let mut pass = |key, value, rejected: &mut Rejected<'_>| take(key, value, rejected);
    let members = Members {
        take: &mut pass,
        rejected: &mut *rejected,
    };
    if let Some(error) = seeded(file, members) {
        rejected.report(error);
    }
}

/// Reads a file that is one JSON value through `seed`, which keeps what it has seen when the file
/// turns out to be damaged further on.
pub(super) fn json_seed<'a, S: DeserializeSeed<'a, Value = ()>>(
    file: &FeedFile<'a>,
    rejected: &mut Rejected<'_>,
    seed: S,
) {
    if let Some(error) = seeded(file, seed) {
        rejected.report(error);
    }
}

fn seeded<'a, S: DeserializeSeed<'a, Value = ()>>(
    file: &FeedFile<'a>,
    seed: S,
) -> Option<Incomplete> {
    let bytes = without_mark(file.bytes);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let result = seed.deserialize(&mut reader).and_then(|()| reader.end());
    result.err().map(|error| json_error(file, bytes, 0, &error))
}

struct Members<'a, 'file> {
    take: &'a mut dyn FnMut(String, Value, &mut Rejected<'_>),
    rejected: &'a mut Rejected<'file>,
}

impl<'de> DeserializeSeed<'de> for Members<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry()? {
            (self.take)(key, value, &mut *self.rejected);
        }
        Ok(())
    }
}

/// Reads the file as one YAML document with aliases, anchors and nesting capped.
pub(super) fn yaml<T: DeserializeOwned>(file: &FeedFile<'_>) -> Result<T, Incomplete> {
    let text = String::from_utf8_lossy(without_mark(file.bytes));
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: YAML_EVENTS,
            max_nodes: YAML_EVENTS,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        emit_comments: false,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
        let entry = Incomplete::new(
            IncompleteReason::Corrupt,
            file.name,
            format!("not valid YAML here: {error}"),
        )
        .hint(FETCH_AGAIN);
        let place = error.location().and_then(|place| {
            let line = usize::try_from(place.line()).ok()?;
            let column = usize::try_from(place.column()).ok()?;
            offset_of(text.as_bytes(), line, column)
        });
        match place {
            Some(offset) => entry.at(offset),
            None => entry,
        }
    })
}

/// Whether a file is named as YAML and has these keys at its top, each at the beginning of a line.
pub(super) fn has_yaml_keys(file: &FeedFile<'_>, wanted: &[&str]) -> bool {
    let name = base_name(file);
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    is_yaml
        && wanted.iter().all(|key| {
            lines(file.bytes).any(|(_, line)| {
                line.strip_prefix(key.as_bytes())
                    .is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"))
            })
        })
}

/// The name of the file without its last suffix.
pub(super) fn file_stem<'a>(file: &FeedFile<'a>) -> &'a str {
    let name = base_name(file);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The lines of a text, without their ends, with the offset of each.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut offset = 0u64;
    bytes.split(|byte| *byte == b'\n').map(move |line| {
        let start = offset;
        offset += line.len() as u64 + 1;
        (start, line.strip_suffix(b"\r").unwrap_or(line))
    })
}

/// An entry for a record that says something this importer cannot use.
pub(super) fn corrupt(file: &FeedFile<'_>, message: impl Into<String>) -> Incomplete {
    Incomplete::new(IncompleteReason::Corrupt, file.name, message)
}

fn json_error(
    file: &FeedFile<'_>,
    bytes: &[u8],
    start: u64,
    error: &serde_json::Error,
) -> Incomplete {
    let reason = if error.is_eof() {
        IncompleteReason::Truncated
    } else {
        IncompleteReason::Corrupt
    };
    let message = format!("not the JSON that this feed publishes: {error}");
    let entry = Incomplete::new(reason, file.name, message).hint(FETCH_AGAIN);
    match offset_of(bytes, error.line(), error.column()) {
        Some(offset) => entry.at(start.saturating_add(offset)),
        None => entry,
    }
}

/// The offset of a place given by line and column, both from 1.
fn offset_of(bytes: &[u8], line: usize, column: usize) -> Option<u64> {
    let start = match line.checked_sub(2) {
        None => 0,
        Some(nth) => memchr::memchr_iter(b'\n', bytes).nth(nth)? + 1,
    };
    Some(start.saturating_add(column.saturating_sub(1)) as u64)
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}
