//! Whose word counts where several publishers speak of the same flaw and package.

use crate::Source;
use crate::database::AdvisoryEntry;
use seawall_model::{DistroFamily, Ecosystem};

/// The rank of a publisher's statement; the lowest decides.
///
/// 0 is the user's own. For a distribution's packages follow the distribution's own tracker (an
/// entry for each CVE), its other records, its bulletins, and then everybody else. For a language's
/// packages follow the databases of [`LANGUAGES`] in their order, each with its records about one flaw
/// before those about several, whose versions are those of all of them together.
pub(crate) fn rank(ecosystem: &Ecosystem, entry: AdvisoryEntry) -> u8 {
    if entry.source == Source::User {
        return 0;
    }
    match ecosystem {
        Ecosystem::Distro { family, .. } if own(*family) == Some(entry.source) => {
            match (entry.bulletin, entry.tracker) {
                (true, _) => 3,
                (false, true) => 1,
                (false, false) => 2,
            }
        }
        language => preferred(language)
            .iter()
            .position(|source| *source == entry.source)
            .and_then(|at| u8::try_from(at).ok())
            .map_or(OTHERS, |at| 1 + 2 * at + u8::from(entry.bulletin)),
    }
}

/// The rank of those without one of their own.
const OTHERS: u8 = 9;

/// Whether a rank is that of the distribution itself.
pub(crate) fn is_own(rank: u8) -> bool {
    (1..=3).contains(&rank)
}

fn own(family: DistroFamily) -> Option<Source> {
    Some(match family {
        DistroFamily::Alma => Source::Alma,
        DistroFamily::Alpine => Source::Alpine,
        DistroFamily::Amazon => Source::Amazon,
        DistroFamily::AzureLinux | DistroFamily::Mariner => Source::AzureLinux,
        DistroFamily::CentOs | DistroFamily::RedHat => Source::RedHat,
        DistroFamily::Debian => Source::Debian,
        DistroFamily::OpenSuse | DistroFamily::OpenSuseTumbleweed | DistroFamily::Sles => {
            Source::Suse
        }
        DistroFamily::Oracle => Source::Oracle,
        DistroFamily::Rocky => Source::Rocky,
        DistroFamily::Ubuntu => Source::Ubuntu,
        DistroFamily::Anolis
        | DistroFamily::Arch
        | DistroFamily::Chainguard
        | DistroFamily::Fedora
        | DistroFamily::MinimOs
        | DistroFamily::OpenEuler
        | DistroFamily::Photon
        | DistroFamily::Wolfi => Source::Osv,
    })
}

/// The databases of each language, the one curated by the language's own people first where it
/// tells versions more exactly than GitHub's, and after it where it is fed by hand and lags.
const LANGUAGES: &[(Ecosystem, &[Source])] = &[
    (Ecosystem::Go, &[Source::Go, Source::GitHub]),
    (Ecosystem::CratesIo, &[Source::RustSec, Source::GitHub]),
    (Ecosystem::PyPi, &[Source::GitHub, Source::PyPa]),
    (Ecosystem::Npm, &[Source::GitHub, Source::NodeSecurity]),
    (Ecosystem::RubyGems, &[Source::GitHub, Source::RubySec]),
    (
        Ecosystem::Packagist,
        &[Source::GitHub, Source::FriendsOfPhp],
    ),
    (Ecosystem::Bitnami, &[Source::Bitnami]),
];

fn preferred(ecosystem: &Ecosystem) -> &'static [Source] {
    LANGUAGES
        .iter()
        .find(|(language, _)| language == ecosystem)
        .map_or(&[Source::GitHub], |(_, sources)| sources)
}
