//! Microsoft's OVAL for CBL-Mariner 1.0 and 2.0 and Azure Linux 3.0
//! (<https://github.com/microsoft/AzureLinuxVulnerabilityData>).
//!
//! One definition a flaw and package. The names are those of spec files, so source packages
//! ([`NameKind::Source`]). A definition that is `Not Applicable` says that the package is not
//! affected after all; `less than or equal` that no fix is known yet.

use super::flaws::FlawTable;
use super::oval::{self, Bound};
use super::rejected::Rejected;
use super::{FeedFile, Importer, Records};
use crate::{Affected, NameKind, Source, State, Upper};
use seawall_model::{DistroFamily, Ecosystem, IncompleteReason, Severity};

/// Reader of Azure Linux's OVAL.
pub(super) struct AzureLinux;

/// How versions end, and of which release that tells.
const TAGS: &[(&str, DistroFamily, &str)] = &[
    (".cm1", DistroFamily::Mariner, "1.0"),
    (".cm2", DistroFamily::Mariner, "2.0"),
    (".azl3", DistroFamily::AzureLinux, "3.0"),
    (".azl4", DistroFamily::AzureLinux, "4.0"),
];

impl Importer for AzureLinux {
    fn name(&self) -> &'static str {
        "azurelinux"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        oval::is_oval_of(
            file,
            &["com.microsoft.azurelinux", "com.microsoft.cbl-mariner"],
        )
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        let mut rejected = Rejected::new(file);
        let document = oval::read(file, &mut rejected);
        let mut flaws = FlawTable::new(Source::AzureLinux);
        for definition in &document.definitions {
            let Some(cve) = definition.references.iter().find(|r| r.source == "CVE") else {
                let message = format!("{} names no CVE", definition.id);
                rejected.push(IncompleteReason::Corrupt, Some(definition.offset), message);
                continue;
            };
            let severity = Severity::from_word(&definition.severity);
            for row in document.rows(definition, &mut rejected) {
                let (Bound::Below(version) | Bound::UpTo(version)) = row.bound else {
                    continue;
                };
                let Some(ecosystem) = ecosystem(version, file.name) else {
                    let message = format!("{}: of which release is {version}?", definition.id);
                    rejected.push(IncompleteReason::Corrupt, Some(definition.offset), message);
                    continue;
                };
                let state = match definition.patchable.as_str() {
                    "Not Applicable" => State::NotAffected,
                    _ => State::Affected,
                };
                let mut affected = Affected::new(ecosystem, row.name, NameKind::Source, state);
                affected.severity = severity;
                let version = version.to_owned();
                if state == State::Affected {
                    affected = affected.until(match row.bound {
                        Bound::UpTo(_) => Upper::LastAffected(version),
                        _ => Upper::Fixed(version),
                    });
                }
                let advisory = flaws.entry(&cve.id);
                if advisory.references.is_empty() {
                    advisory.references.push(cve.url.clone());
                    advisory.published.clone_from(&definition.issued);
                }
                advisory.affected.push(affected);
            }
        }
        flaws.finish(records);
        rejected.finish(records);
    }
}

/// The release, from the version's ending, else from the file's name.
fn ecosystem(version: &str, file: &str) -> Option<Ecosystem> {
    let by_tag = TAGS.iter().find(|(tag, ..)| version.ends_with(tag));
    let by_name = || {
        TAGS.iter().find(|(_, family, release)| {
            let name = match family {
                DistroFamily::Mariner => "mariner",
                _ => "azurelinux",
            };
            file.contains(name) && file.contains(release)
        })
    };
    let (_, family, release) = by_tag.or_else(by_name)?;
    Some(Ecosystem::Distro {
        family: *family,
        release: (*release).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    const SAMPLES: &[(&str, &str)] = &[("azurelinux.xml", "azurelinux-3.0-oval.xml")];

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in SAMPLES {
            testing::check(&AzureLinux, "azurelinux", sample, name);
        }
    }

    #[test]
    fn damaged_files_are_read_as_far_as_they_go() {
        for (sample, name) in SAMPLES {
            testing::survives_damage(&AzureLinux, "azurelinux", sample, name);
        }
    }
}
