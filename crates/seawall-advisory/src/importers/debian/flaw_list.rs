//! The tracker's list of flaws, `data/CVE/list`:
//!
//! ```text
//! CVE-2025-53603 (In SOPE ...)
//!     {DSA-5970-1}
//!     - sope 5.12.1-2 (bug #1108798)
//!     [bookworm] - sope <no-dsa> (Minor issue)
//!     NOTE: ...
//! ```
//!
//! A line without a release speaks of unstable, and of every release that has no line of its own.
//! Where a bulletin is named, the releases that it mended stand in the bulletins' list alone, so
//! then only what is written here is taken.

use super::super::document::{corrupt, lines};
use super::super::rejected::Rejected;
use super::super::{FeedFile, Records};
use super::line::{PackageLine, unknown_release};
use super::tracker::urgency;
use crate::{Advisory, Source};
use seawall_model::{DistroFamily, Ecosystem};
use std::collections::{BTreeSet, HashSet};

/// Releases to which a verdict on unstable applies where nothing else is said of them.
const MAINTAINED: &[&str] = &["bullseye", "bookworm", "trixie", "forky"];

/// Whether a line begins a flaw: `CVE-2025-53603 (...)` or the bare identifier.
pub(super) fn is_flaw_header(line: &[u8]) -> bool {
    std::str::from_utf8(line)
        .ok()
        .and_then(flaw_header)
        .is_some()
}

fn flaw_header(line: &str) -> Option<(&str, &str)> {
    let (id, rest) = line.split_once(' ').unwrap_or((line, ""));
    let number = id.strip_prefix("CVE-").or(id.strip_prefix("TEMP-"))?;
    let mut bytes = number.bytes();
    let plausible = bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let rest = rest.trim().trim_start_matches(['(', '[']);
    (plausible && !number.is_empty()).then_some((id, rest.trim_end_matches([')', ']'])))
}

pub(super) fn import(file: &FeedFile<'_>, records: &mut Records) {
    let mut unknown = BTreeSet::new();
    let mut rejected = Rejected::new(file);
    let mut block: Option<(u64, String, Vec<String>)> = None;
    for (offset, line) in lines(file.bytes) {
        let line = String::from_utf8_lossy(line);
        if line.trim().is_empty() {
            continue;
        }
        if line.starts_with(char::is_whitespace) {
            if let Some((.., details)) = &mut block {
                details.push(line.trim().to_owned());
            }
            continue;
        }
        if let Some((offset, header, details)) = block.take() {
            read_flaw(
                file,
                offset,
                &header,
                &details,
                &mut unknown,
                &mut rejected,
                records,
            );
        }
        if flaw_header(&line).is_some() {
            block = Some((offset, line.into_owned(), Vec::new()));
        } else {
            let message = "no flaw begins like this";
            rejected.report(corrupt(file, message).at(offset));
        }
    }
    if let Some((offset, header, details)) = block {
        read_flaw(
            file,
            offset,
            &header,
            &details,
            &mut unknown,
            &mut rejected,
            records,
        );
    }
    for codename in unknown {
        rejected.report(unknown_release(file, &codename));
    }
    rejected.finish(records);
}

fn read_flaw(
    file: &FeedFile<'_>,
    offset: u64,
    header: &str,
    details: &[String],
    unknown: &mut BTreeSet<String>,
    rejected: &mut Rejected<'_>,
    records: &mut Records,
) {
    let Some((id, description)) = flaw_header(header) else {
        return;
    };
    let mut advisory = Advisory::new(id, Source::Debian);
    advisory.description = description.to_owned();
    advisory.references = vec![format!("https://security-tracker.debian.org/tracker/{id}")];
    let mut named_bulletin = false;
    let mut package_lines = Vec::new();
    for line in details {
        if let Some(names) = line.strip_prefix('{') {
            named_bulletin |= names.contains("DSA-") || names.contains("DLA-");
        } else if line.starts_with('-') || line.starts_with('[') {
            match PackageLine::parse(line) {
                Some(line) => package_lines.push(line),
                None => {
                    let message = format!("{id}: '{line}' names no package and version");
                    rejected.report(corrupt(file, message).at(offset));
                }
            }
        }
    }
    let own_lines: HashSet<(&str, &str)> = package_lines
        .iter()
        .filter_map(|line| Some((line.package, line.codename?)))
        .collect();
    for line in &package_lines {
        for codename in releases_of(line, &own_lines, named_bulletin) {
            let Some(ecosystem) = Ecosystem::by_codename(DistroFamily::Debian, codename) else {
                unknown.insert(codename.to_owned());
                continue;
            };
            let line = match line.verdict {
                // Removed from unstable unmended: the releases still have it.
                "<removed>" if codename != "sid" => &PackageLine {
                    verdict: "<unfixed>",
                    ..*line
                },
                _ => line,
            };
            match line.row(ecosystem) {
                Ok(row) => advisory.affected.extend(row.map(|mut row| {
                    row.severity = line.note.split([';', ',']).find_map(|w| urgency(w.trim()));
                    row
                })),
                Err(error) => {
                    let message = format!("{id}, package '{}': {error}", line.package);
                    rejected.report(corrupt(file, message).at(offset));
                    break;
                }
            }
        }
    }
    if !advisory.affected.is_empty() {
        records.advisories.push(advisory);
    }
}

/// The releases of which a line speaks; `own_lines` are packages with the releases that have a line
/// of their own.
fn releases_of<'a>(
    line: &PackageLine<'a>,
    own_lines: &HashSet<(&str, &str)>,
    named_bulletin: bool,
) -> Vec<&'a str> {
    if let Some(codename) = line.codename {
        return vec![codename];
    }
    let mut releases = vec!["sid"];
    if !named_bulletin {
        let speaks_of = |codename: &&&str| !own_lines.contains(&(line.package, **codename));
        releases.extend(MAINTAINED.iter().filter(speaks_of));
    }
    releases
}
