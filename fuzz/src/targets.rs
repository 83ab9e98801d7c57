//! Every parser of bytes that are not ours. `cargo xtask fuzz --list` reads the names from here.

use seawall_advisory::versions;
use seawall_model::VersionScheme;

/// Name and body of each target.
pub const ALL: &[(&str, fn(&[u8]))] = &[
    ("versions", compare_versions),
];

fn compare_versions(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let Some(scheme) = lines.next().and_then(VersionScheme::from_name) else { return };
    let (a, b) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let forward = versions::compare(scheme, a, b);
    let backward = versions::compare(scheme, b, a);
    assert_eq!(forward.clone().ok(), backward.ok().map(std::cmp::Ordering::reverse));
}
