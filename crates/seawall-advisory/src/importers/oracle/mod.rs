//! Oracle Linux's OVAL (<https://linux.oracle.com/security/oval/>): one definition a bulletin
//! (ELSA), with binary packages.
//!
//! Two kinds of builds live beside the ordinary ones under the same names: packages patched in
//! memory (`2:1.1.1g-15.ksplice1.el8_3`) and builds validated for FIPS 140
//! (`10:3.6.16-4.0.1.el8_fips`). Both have an epoch of their own, higher than the ordinary
//! build's, so their rows begin at that epoch and never touch the ordinary packages. Without such
//! an epoch they cannot be told apart and are left out, counted.

use super::bulletins::{advisory, covers, verdict};
use super::oval::{self, Bound, Row};
use super::rejected::Rejected;
use super::rpm_rows::{Key, RpmRows, is_debug_package};
use super::{FeedFile, Importer, Records};
use crate::Source;
use seawall_model::{DistroFamily, Ecosystem, IncompleteReason};

/// Reader of Oracle's OVAL.
pub(super) struct Oracle;

impl Importer for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        oval::is_oval_of(file, &["com.oracle.elsa", "Oracle Errata System"])
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        let mut rejected = Rejected::new(file);
        let document = oval::read(file, &mut rejected);
        for definition in &document.definitions {
            let Some(bulletin) = definition.references.iter().find(|r| r.source == "elsa") else {
                let message = format!("{} has no ELSA number", definition.id);
                rejected.push(IncompleteReason::Corrupt, Some(definition.offset), message);
                continue;
            };
            let mut rows = RpmRows::default();
            for row in document.rows(definition, &mut rejected) {
                if is_debug_package(row.name) {
                    continue;
                }
                let Some(key) = key(&row) else {
                    records.skip("Oracle packages of a release or build that is not known", 1);
                    continue;
                };
                let on = row.architectures.first().copied();
                rows.add(key, verdict(row.bound), on);
            }
            let mut advisory = advisory(&bulletin.id, Source::Oracle, definition);
            advisory.covers = covers(Source::Oracle, definition);
            advisory.affected = rows.finish();
            if !advisory.affected.is_empty() {
                records.advisories.push(advisory);
            }
        }
        rejected.finish(records);
    }
}

fn key(row: &Row<'_>) -> Option<Key> {
    let version = row.platform?.strip_prefix("Oracle Linux ")?;
    let release = DistroFamily::Oracle.normalize_release(version.split(' ').next()?);
    release.parse::<u16>().ok()?;
    let ecosystem = Ecosystem::Distro {
        family: DistroFamily::Oracle,
        release,
    };
    let mut key = Key::binary(ecosystem, row.name);
    key.module = row.module.map(str::to_owned);
    let (Bound::Below(version) | Bound::UpTo(version)) = row.bound else {
        return Some(key);
    };
    if row.ksplice || version.contains(".ksplice") || version.ends_with("_fips") {
        let (epoch, _) = version.split_once(':')?;
        key.floor = Some(format!("{epoch}:0"));
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    const SAMPLES: &[(&str, &str)] = &[("oracle.xml", "com.oracle.elsa-all.xml")];

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in SAMPLES {
            testing::check(&Oracle, "oracle", sample, name);
        }
    }

    #[test]
    fn damaged_files_are_read_as_far_as_they_go() {
        for (sample, name) in SAMPLES {
            testing::survives_damage(&Oracle, "oracle", sample, name);
        }
    }
}
