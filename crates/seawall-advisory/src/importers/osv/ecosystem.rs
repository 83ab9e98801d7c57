//! OSV's ecosystem names (OSV schema, "affected[].package field", and the `ecosystems.json` beside
//! it) as ours.

use crate::NameKind;
use seawall_model::{DistroFamily, Ecosystem};

/// What an OSV ecosystem means here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) ecosystem: Ecosystem,
    pub(super) name_kind: NameKind,
    /// Ubuntu Pro: fixes that only subscribers get.
    pub(super) subscription: bool,
}

/// Language registries. A suffix (`Maven:https://repo.example/`) names another registry of the same
/// kind, whose packages are told apart by their names.
const LANGUAGES: &[(&str, Ecosystem)] = &[
    ("npm", Ecosystem::Npm),
    ("PyPI", Ecosystem::PyPi),
    ("Maven", Ecosystem::Maven),
    ("Go", Ecosystem::Go),
    ("crates.io", Ecosystem::CratesIo),
    ("RubyGems", Ecosystem::RubyGems),
    ("Packagist", Ecosystem::Packagist),
    ("NuGet", Ecosystem::NuGet),
    ("Pub", Ecosystem::Pub),
    ("Hex", Ecosystem::Hex),
    ("SwiftURL", Ecosystem::SwiftUrl),
    ("ConanCenter", Ecosystem::ConanCenter),
    ("vcpkg", Ecosystem::Vcpkg),
    ("CRAN", Ecosystem::Cran),
    ("Hackage", Ecosystem::Hackage),
    ("GitHub Actions", Ecosystem::GithubActions),
    ("Bitnami", Ecosystem::Bitnami),
];

/// Distributions, with what their records call a package: Debian, Alpine and those that build like
/// it, SUSE, Rocky and openEuler name sources; AlmaLinux and Red Hat list every binary.
const DISTROS: &[(&str, DistroFamily, NameKind)] = &[
    ("AlmaLinux", DistroFamily::Alma, NameKind::Binary),
    ("Alpine", DistroFamily::Alpine, NameKind::Source),
    ("Azure Linux", DistroFamily::AzureLinux, NameKind::Source),
    ("Chainguard", DistroFamily::Chainguard, NameKind::Source),
    ("Debian", DistroFamily::Debian, NameKind::Source),
    ("MinimOS", DistroFamily::MinimOs, NameKind::Source),
    ("Photon OS", DistroFamily::Photon, NameKind::Binary),
    ("Red Hat", DistroFamily::RedHat, NameKind::Binary),
    ("Rocky Linux", DistroFamily::Rocky, NameKind::Source),
    ("SUSE", DistroFamily::Sles, NameKind::Source),
    ("Ubuntu", DistroFamily::Ubuntu, NameKind::Source),
    ("Wolfi", DistroFamily::Wolfi, NameKind::Source),
    ("openEuler", DistroFamily::OpenEuler, NameKind::Source),
    ("openSUSE", DistroFamily::OpenSuse, NameKind::Source),
];

/// Reads an OSV ecosystem. `None` for one whose packages Seawall does not know.
pub(super) fn parse(text: &str) -> Option<Meaning> {
    let (name, release) = text.split_once(':').unwrap_or((text, ""));
    if let Some((_, ecosystem)) = LANGUAGES.iter().find(|(own, _)| *own == name) {
        return Some(Meaning {
            ecosystem: ecosystem.clone(),
            name_kind: NameKind::Binary,
            subscription: false,
        });
    }
    let (_, family, name_kind) = DISTROS.iter().find(|(own, ..)| *own == name)?;
    let mut subscription = false;
    let (family, release) = match family {
        DistroFamily::Ubuntu => {
            let plain = release.strip_prefix("Pro:");
            subscription = plain.is_some();
            // Other words before the number (`Pro:FIPS:20.04:LTS`) are builds of their own, whose
            // versions cannot be compared with the archive's.
            let number = plain.unwrap_or(release).split(':').next()?;
            (DistroFamily::Ubuntu, numeric(number)?.to_owned())
        }
        // `enterprise_linux:9::appstream`, cut from a CPE. Extended-support and layered products
        // (`rhel_eus:9.2`, `openshift:4.12::el8`) have fixes of their own.
        DistroFamily::RedHat => {
            let number = release
                .strip_prefix("enterprise_linux:")?
                .split(':')
                .next()?;
            (DistroFamily::RedHat, numeric(number)?.to_owned())
        }
        DistroFamily::Sles => sles(release)?,
        DistroFamily::OpenSuse => opensuse(release)?,
        // Before its third release Azure Linux was called CBL-Mariner.
        DistroFamily::AzureLinux => {
            let major: u32 = release.split('.').next()?.parse().ok()?;
            let family = if major < 3 {
                DistroFamily::Mariner
            } else {
                DistroFamily::AzureLinux
            };
            (family, format!("{major}.0"))
        }
        DistroFamily::Alpine if release == "edge" => (DistroFamily::Alpine, release.to_owned()),
        DistroFamily::OpenEuler if !release.is_empty() => {
            (DistroFamily::OpenEuler, release.to_owned())
        }
        DistroFamily::Chainguard | DistroFamily::MinimOs | DistroFamily::Wolfi => {
            (*family, String::new())
        }
        family => {
            let number = release.strip_prefix('v').unwrap_or(release);
            (*family, numeric(number)?.to_owned())
        }
    };
    Some(Meaning {
        ecosystem: Ecosystem::Distro {
            family,
            release: family.normalize_release(&release),
        },
        name_kind: *name_kind,
        subscription,
    })
}

fn numeric(text: &str) -> Option<&str> {
    text.starts_with(|c: char| c.is_ascii_digit())
        .then_some(text)
}

/// `Linux Enterprise Server 15 SP5`, `Linux Enterprise Module for Basesystem 15 SP5`,
/// `Linux Enterprise Server 12 SP5-LTSS`: the product's release, as os-release writes it (`15.5`).
/// SLE Micro is another system with numbers of its own.
fn sles(product: &str) -> Option<(DistroFamily, String)> {
    if let Some(at) = product.find("Leap ") {
        return opensuse(product.get(at..)?);
    }
    if !product.contains("Enterprise") || product.contains("Micro") {
        return None;
    }
    let mut words = product.split([' ', '-']);
    let major = words.find(|word| numeric(word).is_some())?;
    let release = match words.next().and_then(|word| word.strip_prefix("SP")) {
        Some(pack) => format!("{major}.{}", numeric(pack)?),
        None => major.to_owned(),
    };
    Some((DistroFamily::Sles, release))
}

/// `Leap 15.5`, `Tumbleweed`.
fn opensuse(product: &str) -> Option<(DistroFamily, String)> {
    if product.starts_with("Tumbleweed") {
        return Some((DistroFamily::OpenSuseTumbleweed, String::new()));
    }
    let release = product.strip_prefix("Leap ")?.split(' ').next()?;
    Some((DistroFamily::OpenSuse, numeric(release)?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecosystem_names_are_understood() {
        for (text, expected) in [
            ("npm", "npm"),
            ("crates.io", "cargo"),
            ("GitHub Actions", "github-actions"),
            ("Packagist:https://packages.drupal.org/8", "composer"),
            ("Debian:12", "debian:12"),
            ("Debian", "-"),
            ("Debian:sid", "-"),
            ("Alpine:v3.20", "alpine:3.20"),
            ("Alpine:edge", "alpine:edge"),
            ("AlmaLinux:9", "alma:9"),
            ("Rocky Linux:9", "rocky:9"),
            ("Ubuntu:22.04:LTS", "ubuntu:22.04"),
            ("Ubuntu:23.10", "ubuntu:23.10"),
            ("Ubuntu:Pro:18.04:LTS", "ubuntu:18.04 pro"),
            ("Ubuntu:Pro:FIPS:20.04:LTS", "-"),
            ("Red Hat:enterprise_linux:9::appstream", "redhat:9"),
            ("Red Hat:enterprise_linux:10.1::baseos", "redhat:10"),
            ("Red Hat:rhel_eus:9.2::baseos", "-"),
            ("SUSE:Linux Enterprise Server 15 SP5", "sles:15.5"),
            ("SUSE:Linux Enterprise Server 12 SP5-LTSS", "sles:12.5"),
            (
                "SUSE:Linux Enterprise Module for Basesystem 15 SP6",
                "sles:15.6",
            ),
            ("SUSE:Linux Enterprise Server 15-LTSS", "sles:15"),
            ("SUSE:Linux Enterprise Micro 5.3", "-"),
            ("openSUSE:Leap 15.5", "opensuse:15.5"),
            ("openSUSE:Tumbleweed", "opensuse-tumbleweed"),
            ("openEuler:22.03-LTS-SP3", "openeuler:22.03-LTS-SP3"),
            ("Azure Linux:3", "azurelinux:3.0"),
            ("Azure Linux:2", "mariner:2.0"),
            ("Photon OS:5.0", "photon:5.0"),
            ("Wolfi", "wolfi"),
            ("Chainguard", "chainguard"),
            ("MinimOS", "minimos"),
            ("Mageia:9", "-"),
            ("GIT", "-"),
            ("", "-"),
        ] {
            let found = parse(text).map_or("-".to_owned(), |meaning| {
                let pro = if meaning.subscription { " pro" } else { "" };
                format!("{}{pro}", meaning.ecosystem)
            });
            assert_eq!(found, expected, "{text}");
        }
    }
}
