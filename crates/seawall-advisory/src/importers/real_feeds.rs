//! Every importer on real feeds, where the shared test data is at hand.

use super::{ALL, FeedFile, Records, testing};
use crate::Upper;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// Importers whose files in the data are whole and well formed.
const COMPLETE: &[&str] = &[
    "osv",
    "rubysec",
    "friendsofphp",
    "nodejs-security-wg",
    "nvd",
    "kev",
    "epss",
    "cnnvd",
];

/// Calls `visit` with every file below a folder, unpacked.
#[expect(
    clippy::disallowed_methods,
    reason = "the data is ours, and this crate cannot reach the capped decompressors"
)]
fn walk(folder: &Path, visit: &mut dyn FnMut(&str, &[u8])) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, visit);
            continue;
        }
        let name = path.to_string_lossy();
        let bytes = std::fs::read(&path).unwrap();
        let Some(plain) = name.strip_suffix(".zst") else {
            visit(&name, &bytes);
            continue;
        };
        let unpacked = zstd::decode_all(bytes.as_slice()).unwrap();
        if !plain.ends_with(".tar") {
            visit(plain, &unpacked);
            continue;
        }
        // One archive of the data ends too early; what stands before that is read.
        for entry in tar::Archive::new(unpacked.as_slice()).entries().unwrap() {
            let Ok(mut entry) = entry else { break };
            let member = entry.path().unwrap().display().to_string();
            let mut bytes = Vec::new();
            let whole = entry.read_to_end(&mut bytes).is_ok();
            if entry.header().entry_type().is_file() && whole {
                visit(&format!("{plain}!{member}"), &bytes);
            }
        }
    }
}

#[test]
fn every_feed_is_read_by_one_importer_without_complaint() {
    let Some(folder) = testing::shared_data("advisories") else {
        return;
    };
    let mut all = Records::default();
    let mut files: BTreeMap<&str, usize> = BTreeMap::new();
    walk(&folder, &mut |name, bytes| {
        let file = FeedFile { name, bytes };
        let claims: Vec<_> = ALL.iter().filter(|i| i.recognizes(&file)).collect();
        let names: Vec<_> = claims.iter().map(|i| i.name()).collect();
        assert!(claims.len() <= 1, "{name} is claimed by {names:?}");
        for importer in claims {
            *files.entry(importer.name()).or_default() += 1;
            let complaints = all.incomplete.len();
            importer.import(&file, &mut all);
            if COMPLETE.contains(&importer.name()) {
                let new = all.incomplete.get(complaints..).unwrap();
                assert!(new.is_empty(), "{name}: {new:?}");
            }
        }
    });
    println!("{files:?}");
    println!(
        "{} advisories, {} known exploited, {} predictions, {} CNNVD numbers; skipped: {:?}",
        all.advisories.len(),
        all.kev.len(),
        all.epss.len(),
        all.cnnvd.len(),
        all.skipped,
    );
    for importer in COMPLETE {
        assert!(files.contains_key(importer), "no file of {importer}");
    }
    assert!(all.advisories.len() > 50_000);
    assert_eq!(all.kev.len(), 1_404);
    assert!(all.epss.len() > 360_000);
    assert_eq!(all.cnnvd.len(), 5);

    // Read by hand in the advisories.
    for (id, package, range) in [
        ("GHSA-29mw-wpgm-hmr9", "lodash", "4.0.0..4.17.21"),
        ("GO-2020-0001", "github.com/gin-gonic/gin", "..1.6.0"),
        ("RUSTSEC-2019-0012", "smallvec", "0.6.3..0.6.10"),
        ("DSA-5380-1", "xorg-server", "..2:1.20.11-1+deb11u6"),
        ("NSWG-COR-5", "node", "4.0.0..4.7.3"),
        ("CVE-2021-44528", "actionpack", "6.0.0..6.0.4.2"),
    ] {
        let found = all
            .advisories
            .iter()
            .filter(|advisory| advisory.id == id)
            .flat_map(|advisory| &advisory.affected)
            .filter(|affected| affected.name == package)
            .flat_map(|affected| &affected.ranges)
            .any(|found| match &found.upper {
                Upper::Fixed(fix) => {
                    let start = found.introduced.as_deref().unwrap_or_default();
                    format!("{start}..{fix}") == range
                }
                _ => false,
            });
        assert!(found, "{id} {package} {range}");
    }
}
