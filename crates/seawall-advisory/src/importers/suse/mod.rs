//! SUSE's OVAL (<https://ftp.suse.com/pub/projects/security/oval/>) for SUSE Linux Enterprise and
//! openSUSE: one definition a flaw, with binary packages. Fixes from long-term support (LTSS)
//! count as the fixes of their service pack.
//!
//! Products with other packages or release numbers (SLE Micro, Storage, Manager, Live Patching) are
//! left out, counted.

use super::bulletins::{advisory, scores, verdict};
use super::oval;
use super::rejected::Rejected;
use super::rpm_rows::{Key, RpmRows, is_debug_package};
use super::{FeedFile, Importer, Records};
use crate::Source;
use seawall_model::{DistroFamily, Ecosystem, IncompleteReason, Severity};

/// Reader of SUSE's OVAL.
pub(super) struct Suse;

impl Importer for Suse {
    fn name(&self) -> &'static str {
        "suse"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        oval::is_oval_of(file, &["org.opensuse.security", "Marcus Updateinfo"])
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        let mut rejected = Rejected::new(file);
        let document = oval::read(file, &mut rejected);
        for definition in &document.definitions {
            let Some(id) = definition.title.split_whitespace().next() else {
                let message = format!("{} has no title that names a flaw", definition.id);
                rejected.push(IncompleteReason::Corrupt, Some(definition.offset), message);
                continue;
            };
            let mut rows = RpmRows::default();
            for row in document.rows(definition, &mut rejected) {
                if is_debug_package(row.name) {
                    continue;
                }
                match row.platform.and_then(ecosystem) {
                    Some(ecosystem) => {
                        rows.add(Key::binary(ecosystem, row.name), verdict(row.bound), None);
                    }
                    None => records.skip("SUSE products other than Enterprise and Leap", 1),
                }
            }
            let mut advisory = advisory(id, Source::Suse, definition);
            let own = definition.flaws.iter().filter(|flaw| flaw.id == id);
            for flaw in own {
                advisory.cvss.extend(scores(Source::Suse, flaw));
                advisory.severity = advisory.severity.or(Severity::from_word(&flaw.impact));
            }
            advisory.title = String::new();
            advisory.affected = rows.finish();
            if !advisory.affected.is_empty() {
                records.advisories.push(advisory);
            }
        }
        rejected.finish(records);
    }
}

/// `SUSE Linux Enterprise Module for Basesystem 15 SP3` is SLES 15.3, `openSUSE Leap 15.5` itself.
fn ecosystem(platform: &str) -> Option<Ecosystem> {
    let distro = |family: DistroFamily, release: &str| Ecosystem::Distro {
        family,
        release: family.normalize_release(release),
    };
    if let Some(version) = platform.strip_prefix("openSUSE Leap ") {
        let version = version.split_whitespace().next()?;
        return Some(distro(DistroFamily::OpenSuse, version));
    }
    if platform.starts_with("openSUSE Tumbleweed") {
        return Some(distro(DistroFamily::OpenSuseTumbleweed, ""));
    }
    const OTHERS: [&str; 6] = [
        "Micro",
        "Storage",
        "Live Patching",
        "Real Time",
        "Point of S",
        "Public Cloud",
    ];
    let product = platform.strip_prefix("SUSE Linux Enterprise ")?;
    if OTHERS.iter().any(|other| product.contains(other)) {
        return None;
    }
    let mut words = product.split_whitespace();
    let major = words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    // `15-LTSS`, `15 SP1-LTSS`, `16.0`.
    let major = major.split('-').next()?;
    let pack = words.next().and_then(|word| word.strip_prefix("SP"));
    let pack = pack.and_then(|word| word.split('-').next());
    Some(distro(
        DistroFamily::Sles,
        &match pack {
            Some(pack) => format!("{major}.{pack}"),
            None => major.to_owned(),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    const SAMPLES: &[(&str, &str)] = &[("suse.xml", "suse.linux.enterprise.15.xml")];

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in SAMPLES {
            testing::check(&Suse, "suse", sample, name);
        }
    }

    #[test]
    fn damaged_files_are_read_as_far_as_they_go() {
        for (sample, name) in SAMPLES {
            testing::survives_damage(&Suse, "suse", sample, name);
        }
    }
}
