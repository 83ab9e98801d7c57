//! Exploit predictions (FIRST EPSS, <https://www.first.org/epss/data_stats>): `cve,epss,percentile`
//! with a comment line before the header, or the same three columns between `;` without one.

use super::rejected::Rejected;
use super::{FeedFile, Importer, Records, json, text};
use crate::EpssEntry;
use seawall_model::IncompleteReason;

/// Reads predictions.
#[derive(Debug, Clone, Copy)]
pub struct Epss;

impl Importer for Epss {
    fn name(&self) -> &'static str {
        "epss"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        lines(file.bytes)
            .find(|(_, line)| !line.is_empty() && !line.starts_with(b"#"))
            .is_some_and(|(_, line)| is_header(line) || parse(line).is_some())
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        let mut rejected = Rejected::new(file);
        for (index, (offset, line)) in lines(file.bytes).enumerate() {
            if line.is_empty() || line.starts_with(b"#") || is_header(line) {
                continue;
            }
            match parse(line) {
                Some(entry) => records.epss.push(entry),
                None => rejected.push(
                    IncompleteReason::Corrupt,
                    Some(offset),
                    format!(
                        "line {} is not a CVE with two numbers from 0 to 1",
                        index + 1
                    ),
                ),
            }
        }
        rejected.finish(records);
    }
}

/// Trimmed lines with their offsets.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let bytes = json::without_bom(bytes);
    let mut offset = 0;
    bytes.split(|byte| *byte == b'\n').map(move |line| {
        let at = offset;
        offset += line.len() as u64 + 1;
        (at, line.trim_ascii())
    })
}

fn is_header(line: &[u8]) -> bool {
    line.starts_with(b"cve,epss") || line.starts_with(b"cve;epss")
}

fn parse(line: &[u8]) -> Option<EpssEntry> {
    let line = std::str::from_utf8(line.get(..200).unwrap_or(line)).ok()?;
    let mut fields = line.split([',', ';']).map(str::trim);
    let cve = fields.next()?;
    let number = |field: &str| field.parse().ok().filter(|n| (0.0..=1.0).contains(n));
    let score = number(fields.next()?)?;
    let percentile = number(fields.next()?)?;
    (text::cve(cve) == Some(cve)).then(|| EpssEntry {
        cve: cve.to_owned(),
        score,
        percentile,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::importers::testing;

    #[test]
    fn damaged_files_are_reported() {
        testing::survives_damage(&Epss, "epss", "scores.csv", "a.csv");
        testing::survives_damage(&Epss, "epss", "semicolons.csv", "a.csv");
    }

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in [
            ("scores.csv", "epss_scores-2024-01-02.csv"),
            ("semicolons.csv", "CVE_2024_EPSS.csv"),
        ] {
            testing::check(&Epss, "epss", sample, name);
        }
    }
}
