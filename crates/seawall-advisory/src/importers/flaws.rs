//! Feeds that list flaws by package, turned round into one record for each flaw.

use super::Records;
use crate::{Advisory, Source};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

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

    /// Hands the records over, with what was said twice said once; those that came to affect
    /// nothing are dropped.
    pub(super) fn finish(self, records: &mut Records) {
        let advisories = self.advisories.into_iter().map(|mut advisory| {
            drop_repeated(&mut advisory.aliases);
            drop_repeated(&mut advisory.references);
            drop_repeated(&mut advisory.affected);
            advisory
        });
        records
            .advisories
            .extend(advisories.filter(|advisory| !advisory.affected.is_empty()));
    }
}

/// Keeps the first of equal values. Done once at the end, as asking at each value whether it is
/// there already takes hours when a hostile file says a million things of one flaw.
pub(super) fn drop_repeated<T: Clone + Eq + Hash>(values: &mut Vec<T>) {
    let mut seen = HashSet::with_capacity(values.len());
    values.retain(|value| seen.insert(value.clone()));
}

#[cfg(test)]
mod tests {
    use super::super::testing::import_bytes;
    use super::super::{Importer, alpine::Alpine, amazon::Amazon, debian::Debian};
    use std::time::{Duration, Instant};

    /// Hostile files say this many things of one flaw. Each held against each other would be
    /// 5,000,000,000 comparisons.
    const MANY: usize = 100_000;

    #[track_caller]
    fn check(importer: &dyn Importer, name: &str, text: &str, expected_rows: usize) {
        let start = Instant::now();
        let records = import_bytes(importer, name, text.as_bytes());
        let said = records.advisories.iter().flat_map(|a| &a.affected).count();
        assert_eq!(said, expected_rows, "{name}");
        assert!(start.elapsed() < Duration::from_secs(20), "{name}");
    }

    #[test]
    fn alpine_held_every_fix_of_a_flaw_against_every_other() {
        let fixes: Vec<String> = (0..MANY)
            .map(|n| format!(r#""{n}-r0":["CVE-2024-1","CVE-2024-1"]"#))
            .collect();
        let text = format!(
            r#"{{"distroversion":"v3.20","packages":[{{"pkg":{{"name":"a","secfixes":{{{}}}}}}}]}}"#,
            fixes.join(",")
        );
        check(&Alpine, "main.json", &text, MANY);
    }

    #[test]
    fn amazon_held_every_cve_of_a_page_against_every_other() {
        let cves: String = (0..MANY).map(|n| format!("CVE-2024-{n} ")).collect();
        let text = format!(
            "<html><title>ALAS-2024-1</title><div>References: {cves}</div>\
             <pre>New Packages:<br />a-1-1.amzn2.x86_64</pre>"
        );
        check(&Amazon, "ALAS-2024-1.html", &text, 1);
    }

    #[test]
    fn debian_held_every_line_of_a_flaw_against_every_other() {
        let lines: String = (0..MANY).map(|n| format!("\t- p{n} <itp>\n")).collect();
        let text = format!("CVE-2024-1 (x)\n\t- a 1\n\t[bookworm] - a 2\n{lines}");
        // Unstable and the four releases.
        check(&Debian, "list", &text, 5);
    }
}
