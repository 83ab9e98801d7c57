//! What a record's identifier says: who published it, and whether it is about one flaw or a
//! bulletin that mends several.

use crate::Source;

/// What records of one identifier prefix are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// About one flaw.
    Flaw,
    /// A security bulletin: it mends flaws that have names of their own.
    Bulletin,
    /// A bulletin about bugs or new features; it concerns us only where it names flaws.
    MaintenanceBulletin,
    /// A package made to do harm.
    Malware,
}

/// Identifier prefixes, the longer before the shorter that it begins with. Everything else is a
/// flaw published by [`Source::Osv`].
const PREFIXES: &[(&str, Source, Kind)] = &[
    ("ALBA-", Source::Alma, Kind::MaintenanceBulletin),
    ("ALEA-", Source::Alma, Kind::MaintenanceBulletin),
    ("ALSA-", Source::Alma, Kind::Bulletin),
    ("ALAS", Source::Amazon, Kind::Bulletin),
    ("ALPINE-", Source::Alpine, Kind::Flaw),
    ("AZL-", Source::AzureLinux, Kind::Flaw),
    ("BIT-", Source::Bitnami, Kind::Flaw),
    ("DEBIAN-", Source::Debian, Kind::Flaw),
    ("DLA-", Source::Debian, Kind::Bulletin),
    ("DSA-", Source::Debian, Kind::Bulletin),
    ("DTSA-", Source::Debian, Kind::Bulletin),
    ("ELBA-", Source::Oracle, Kind::MaintenanceBulletin),
    ("ELEA-", Source::Oracle, Kind::MaintenanceBulletin),
    ("ELSA-", Source::Oracle, Kind::Bulletin),
    ("GHSA-", Source::GitHub, Kind::Flaw),
    ("GO-", Source::Go, Kind::Flaw),
    ("LSN-", Source::Ubuntu, Kind::Bulletin),
    ("MAL-", Source::Osv, Kind::Malware),
    ("MGASA-", Source::Osv, Kind::Bulletin),
    ("OESA-", Source::Osv, Kind::Bulletin),
    ("PHSA-", Source::Osv, Kind::Bulletin),
    ("PYSEC-", Source::PyPa, Kind::Flaw),
    ("RHBA-", Source::RedHat, Kind::MaintenanceBulletin),
    ("RHEA-", Source::RedHat, Kind::MaintenanceBulletin),
    ("RHSA-", Source::RedHat, Kind::Bulletin),
    ("RLBA-", Source::Rocky, Kind::MaintenanceBulletin),
    ("RLEA-", Source::Rocky, Kind::MaintenanceBulletin),
    ("RLSA-", Source::Rocky, Kind::Bulletin),
    ("RUSTSEC-", Source::RustSec, Kind::Flaw),
    ("RXSA-", Source::Rocky, Kind::Bulletin),
    ("SUSE-FU-", Source::Suse, Kind::MaintenanceBulletin),
    ("SUSE-OU-", Source::Suse, Kind::MaintenanceBulletin),
    ("SUSE-RU-", Source::Suse, Kind::MaintenanceBulletin),
    ("SUSE-", Source::Suse, Kind::Bulletin),
    ("UBUNTU-", Source::Ubuntu, Kind::Flaw),
    ("USN-", Source::Ubuntu, Kind::Bulletin),
    ("openEuler-SA-", Source::Osv, Kind::Bulletin),
    ("openSUSE-RU-", Source::Suse, Kind::MaintenanceBulletin),
    ("openSUSE-", Source::Suse, Kind::Bulletin),
];

/// Who published a record of this identifier, and what it is.
pub(super) fn of_id(id: &str) -> (Source, Kind) {
    PREFIXES
        .iter()
        .find(|(prefix, ..)| id.starts_with(prefix))
        .map_or((Source::Osv, Kind::Flaw), |(_, source, kind)| {
            (*source, *kind)
        })
}

/// Whether an identifier names a flaw rather than a bulletin.
pub(super) fn names_flaw(id: &str) -> bool {
    matches!(of_id(id).1, Kind::Flaw | Kind::Malware)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_tell_publisher_and_kind() {
        for (id, source, kind) in [
            ("GHSA-29mw-wpgm-hmr9", Source::GitHub, Kind::Flaw),
            ("SUSE-SU-2024:1-1", Source::Suse, Kind::Bulletin),
            ("SUSE-RU-2024:1-1", Source::Suse, Kind::MaintenanceBulletin),
            ("ALBA-2021:4378", Source::Alma, Kind::MaintenanceBulletin),
            ("MAL-2023-462", Source::Osv, Kind::Malware),
            ("CGA-224q-ccj5-2p53", Source::Osv, Kind::Flaw),
            ("ALAS2023-2024-1", Source::Amazon, Kind::Bulletin),
        ] {
            assert_eq!(of_id(id), (source, kind), "{id}");
        }
    }
}
