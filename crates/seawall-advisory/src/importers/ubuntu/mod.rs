//! Ubuntu: the CVE tracker's text files (<https://git.launchpad.net/ubuntu-cve-tracker>), the same
//! as JSON in normalised form, and Canonical's OpenVEX files, one a CVE. (Its OSV records are read
//! by the OSV importer.)
//!
//! All of them name source packages ([`crate::NameKind::Source`]).
//!
//! A release has up to two verdicts: its own, and one for machines with expanded security
//! maintenance (`esm-infra/focal`). A flaw that the release's own verdict settles (mended, not
//! affected) is settled; otherwise the ESM verdict counts if it settles it, so a fix that needs
//! Ubuntu Pro is shown as the fix, and machines that have it are silent. Special builds (FIPS,
//! real-time, ROS) are left out, counted.

mod normalized;
mod openvex;
mod status;
mod stream;
mod tracker;

use super::document::{contains, head};
use super::json::first_keys;
use super::{FeedFile, Importer, Records};

/// Reader of Ubuntu's feeds.
pub(super) struct Ubuntu;

/// How many first bytes tell the forms apart.
const HEAD: usize = 4096;

enum Form {
    Tracker,
    Normalized,
    OpenVex,
}

impl Importer for Ubuntu {
    fn name(&self) -> &'static str {
        "ubuntu"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        form(file).is_some()
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        match form(file) {
            Some(Form::Tracker) => tracker::import(file, records),
            Some(Form::Normalized) => normalized::import(file, records),
            Some(Form::OpenVex) => openvex::import(file, records),
            None => {}
        }
    }
}

fn form(file: &FeedFile<'_>) -> Option<Form> {
    let head = head(file, HEAD);
    if !head.trim_ascii_start().starts_with(b"{") {
        let starts = |key: &str| head.starts_with(key.as_bytes());
        let begins = starts("Candidate:") || starts("PublicDate");
        let tracker = begins && contains(head, "\nReferences:") && contains(head, "Candidate:");
        return tracker.then_some(Form::Tracker);
    }
    if contains(head, "openvex.dev/ns") && contains(head, "Canonical Ltd.") {
        return Some(Form::OpenVex);
    }
    let keys = first_keys(file.bytes);
    let has = |key: &str| keys.contains(&key.as_bytes());
    (has("patches") && has("ignored_patches")).then_some(Form::Normalized)
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    const SAMPLES: &[(&str, &str)] = &[
        ("tracker", "active/CVE-2031-0001"),
        ("normalized.json", "CVE-2031-0002"),
        ("openvex.json", "vex/cve/2031/CVE-2031-0003.json"),
    ];

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in SAMPLES {
            testing::check(&Ubuntu, "ubuntu", sample, name);
        }
    }

    #[test]
    fn damaged_files_are_read_as_far_as_they_go() {
        for (sample, name) in SAMPLES {
            testing::survives_damage(&Ubuntu, "ubuntu", sample, name);
        }
    }
}
