//! The feeds as published: every file is claimed by one importer at most, and read without a
//! complaint that was not looked at.

use super::testing::{import, shared_data};
use super::{ALL, FeedFile};
use std::io::Read;

/// Archive, end of a file's name, importer, advisories, rows, complaints.
const EXPECTED: &[(&str, &str, &str, usize, usize, usize)] = &[
    (
        "feed-samples",
        "debian/test-fixtures/input/DSA",
        "debian",
        6,
        7,
        0,
    ),
    ("feed-samples", "secdb/v3.15/main.yaml", "alpine", 13, 13, 0),
    (
        "feed-samples",
        "oracle/test-fixtures/mock_per_arch_data",
        "oracle",
        3,
        47,
        0,
    ),
    (
        "feed-samples",
        "oracle/test-fixtures/mock_ksplice_data",
        "oracle",
        1,
        5,
        0,
    ),
    (
        "feed-samples",
        "sles/test-fixtures/suse_truncated.xml",
        "suse",
        4,
        36,
        0,
    ),
    (
        "feed-samples",
        "rhel-csaf-vex/cve-2023-38545.json",
        "redhat",
        1,
        18,
        0,
    ),
    (
        "feed-samples",
        "advisories/rhsa-2024_0811.json",
        "redhat",
        1,
        3,
        0,
    ),
    (
        "feed-samples",
        "advisories/rhsa-2023_3821.json",
        "redhat",
        1,
        31,
        0,
    ),
    ("feed-samples", "full/CVE-2022-1921", "redhat", 1, 5, 0),
    (
        "feed-samples",
        "normalized-cve-data/CVE-2013-6627",
        "ubuntu",
        1,
        5,
        0,
    ),
    (
        "feed-samples",
        "vex/cve/2023/CVE-2023-38545.json",
        "ubuntu",
        1,
        6,
        0,
    ),
    ("feed-samples", "2023_html/ALAS-2023-126", "amazon", 1, 6, 0),
    (
        "azurelinux-oval",
        "azurelinux-3.0-oval.xml",
        "azurelinux",
        1005,
        1222,
        0,
    ),
    (
        "alpine-secdb-2020-06",
        "v3.11/main.yaml",
        "alpine",
        1124,
        1200,
        0,
    ),
];

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "these archives are the tests' own"
)]
fn published_feeds_are_read() {
    for archive in ["feed-samples", "azurelinux-oval", "alpine-secdb-2020-06"] {
        let Some(path) = shared_data(&format!("advisories/raw/{archive}.tar.zst")) else {
            continue;
        };
        let file = std::fs::File::open(path).unwrap();
        let mut tar = tar::Archive::new(zstd::Decoder::new(file).unwrap());
        let mut seen = 0;
        for entry in tar.entries().unwrap() {
            // One of the archives is cut short: what stands before the cut is used.
            let Ok(mut entry) = entry else { break };
            let name = entry.path().unwrap().to_string_lossy().into_owned();
            let mut bytes = Vec::new();
            let whole = entry.read_to_end(&mut bytes).is_ok();
            let file = FeedFile {
                name: &name,
                bytes: &bytes,
            };
            let claims: Vec<_> = ALL.iter().filter(|own| own.recognizes(&file)).collect();
            assert!(claims.len() < 2, "{name} is claimed by two importers");
            let Some(importer) = claims.first() else {
                continue;
            };
            let records = import(**importer, &file);
            assert!(
                whole || !records.incomplete.is_empty(),
                "{name} is cut short"
            );
            let Some((.., feed, advisories, rows, complaints)) = EXPECTED
                .iter()
                .find(|(own, end, ..)| *own == archive && name.ends_with(end))
            else {
                continue;
            };
            seen += 1;
            let found = (
                importer.name(),
                records.advisories.len(),
                records.advisories.iter().map(|a| a.affected.len()).sum(),
                records.incomplete.len(),
            );
            assert_eq!(found, (*feed, *advisories, *rows, *complaints), "{name}");
        }
        let wanted = EXPECTED.iter().filter(|(own, ..)| *own == archive).count();
        assert_eq!(seen, wanted, "files of {archive}");
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "these archives are the tests' own"
)]
fn fixes_named_in_changelogs_are_read() {
    let Some(path) = shared_data("advisories/osv/Debian.changelog-fixes.derived.jsonl.zst") else {
        return;
    };
    let bytes = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
    let file = FeedFile {
        name: "Debian.changelog-fixes.derived.jsonl",
        bytes: &bytes,
    };
    let claims: Vec<_> = ALL.iter().filter(|own| own.recognizes(&file)).collect();
    assert_eq!(claims.len(), 1);
    let records = import(*claims[0], &file);
    assert_eq!(
        (records.advisories.len(), records.incomplete.len()),
        (648, 0)
    );
}
