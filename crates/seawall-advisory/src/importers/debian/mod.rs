//! Debian: the security tracker's JSON, its lists of bulletins (`data/DSA/list`, `data/DLA/list`)
//! and of flaws (`data/CVE/list`), and lists of the CVEs named in changelogs.
//!
//! All of them name source packages ([`crate::NameKind::Source`]) and versions of the source. The
//! forms are described in <https://security-team.debian.org/security_tracker.html>.

mod changelog;
mod flaw_list;
mod line;
mod tracker;

use super::document::{contains, head};
use super::{FeedFile, Importer, Records};

/// How many first bytes tell the forms apart.
const HEAD: usize = 4096;

/// Reader of Debian's feeds.
pub(super) struct Debian;

/// The forms in which Debian's data comes.
enum Form {
    Tracker,
    Bulletins,
    Flaws,
    Changelogs,
}

impl Importer for Debian {
    fn name(&self) -> &'static str {
        "debian"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        form(file).is_some()
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        match form(file) {
            Some(Form::Tracker) => tracker::import(file, records),
            Some(Form::Bulletins) => line::import_bulletins(file, records),
            Some(Form::Flaws) => flaw_list::import(file, records),
            Some(Form::Changelogs) => changelog::import(file, records),
            None => {}
        }
    }
}

fn form(file: &FeedFile<'_>) -> Option<Form> {
    let head = head(file, HEAD).trim_ascii_start();
    let first_line = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    match head.first()? {
        b'[' if line::is_bulletin_header(first_line) => Some(Form::Bulletins),
        b'C' if flaw_list::is_flaw_header(first_line)
            && head.get(first_line.len() + 1) == Some(&b'\t') =>
        {
            Some(Form::Flaws)
        }
        b'{' if first_line.starts_with(b"{\"suite\"") && contains(first_line, "\"cves\"") => {
            Some(Form::Changelogs)
        }
        // {"package": {"CVE-...": {..., "releases": {...: {"status": ..., "urgency": ...}}}}}
        b'{' if contains(head, "\"releases\"")
            && contains(head, "\"status\"")
            && contains(head, "\"urgency\"") =>
        {
            Some(Form::Tracker)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    const SAMPLES: &[(&str, &str)] = &[
        ("tracker.json", "debian.json"),
        ("dsa-list", "data/DSA/list"),
        ("cve-list", "data/CVE/list"),
        ("changelog.jsonl", "Debian.changelog-fixes.jsonl"),
    ];

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in SAMPLES {
            testing::check(&Debian, "debian", sample, name);
        }
    }

    #[test]
    fn new_timezones_were_a_flaw() {
        let list = "[24 Mar 2023] DLA-3366-1 tzdata - new timezone database\n\
                    \t[buster] - tzdata 2021a-0+deb10u10\n\
                    [11 May 2005] DSA-724-1 phpsysinfo - design flaw\n\
                    \t[bookworm] - phpsysinfo 2.0-3woody2\n";
        let records = testing::import_bytes(&Debian, "DLA/list", list.as_bytes());
        let ids: Vec<&str> = records.advisories.iter().map(|a| a.id.as_str()).collect();
        assert_eq!(ids, ["DSA-724-1"]);
        assert_eq!(records.skipped.values().sum::<u64>(), 1);
    }

    #[test]
    fn damaged_files_are_read_as_far_as_they_go() {
        for (sample, name) in SAMPLES {
            testing::survives_damage(&Debian, "debian", sample, name);
        }
    }
}
