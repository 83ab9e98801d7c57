use std::fmt;

/// The name space in which an advisory's package names and versions are meant.
///
/// Displayed as the key of the advisory database: `npm`, `debian:12`, `alpine:3.20`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ecosystem {
    /// npm registry.
    Npm,
    /// Python Package Index. Names are normalised by PEP 503.
    PyPi,
    /// Maven Central and compatible. Names are `group:artifact`.
    Maven,
    /// Go modules. The standard library is `stdlib`, the tool chain `toolchain`.
    Go,
    /// crates.io.
    CratesIo,
    /// rubygems.org.
    RubyGems,
    /// Packagist (PHP Composer). Names are `vendor/name`, lower case.
    Packagist,
    /// NuGet. Names are lower case.
    NuGet,
    /// pub.dev (Dart).
    Pub,
    /// hex.pm (Erlang, Elixir).
    Hex,
    /// Swift packages. Names are the repository's URL without scheme and `.git`.
    SwiftUrl,
    /// ConanCenter (C and C++).
    ConanCenter,
    /// vcpkg (C and C++).
    Vcpkg,
    /// CRAN (R).
    Cran,
    /// Hackage (Haskell).
    Hackage,
    /// GitHub Actions. Names are `owner/repository`.
    GithubActions,
    /// Bitnami's packaged components.
    Bitnami,
    /// Programs without a package, known by product name (NVD configurations and the user's own
    /// advisories). Names are `product` or `vendor:product`, lower case.
    Generic,
    /// The packages of one release of a Linux distribution.
    Distro {
        /// Which distribution.
        family: DistroFamily,
        /// Its release, normalised by [`DistroFamily::normalize_release`]. Empty for rolling ones.
        release: String,
    },
}

/// A Linux distribution, or a family that shares its advisories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the variants are the distributions' own names")]
pub enum DistroFamily {
    Alma,
    Alpine,
    Amazon,
    Anolis,
    Arch,
    AzureLinux,
    CentOs,
    Chainguard,
    Debian,
    Fedora,
    Mariner,
    MinimOs,
    OpenEuler,
    OpenSuse,
    OpenSuseTumbleweed,
    Oracle,
    Photon,
    RedHat,
    Rocky,
    Sles,
    Ubuntu,
    Wolfi,
}

/// How two versions of an ecosystem are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the variants are the schemes' own names")]
pub enum VersionScheme {
    Deb,
    Rpm,
    Apk,
    Semver,
    Npm,
    Pep440,
    Maven,
    RubyGems,
    Composer,
    NuGet,
    Go,
    Cargo,
    Hex,
    Pub,
    Cran,
    Hackage,
    Bitnami,
    Generic,
}

impl DistroFamily {
    const NAMES: &'static [(DistroFamily, &'static str, &'static [&'static str])] = &[
        (DistroFamily::Alma, "alma", &["almalinux"]),
        (DistroFamily::Alpine, "alpine", &["alpine"]),
        (DistroFamily::Amazon, "amazon", &["amzn"]),
        (DistroFamily::Anolis, "anolis", &["anolis"]),
        (DistroFamily::Arch, "arch", &["arch"]),
        (DistroFamily::AzureLinux, "azurelinux", &["azurelinux"]),
        (DistroFamily::CentOs, "centos", &["centos"]),
        (DistroFamily::Chainguard, "chainguard", &["chainguard"]),
        (DistroFamily::Debian, "debian", &["debian", "raspbian"]),
        (DistroFamily::Fedora, "fedora", &["fedora"]),
        (DistroFamily::Mariner, "mariner", &["mariner"]),
        (DistroFamily::MinimOs, "minimos", &["minimos"]),
        (DistroFamily::OpenEuler, "openeuler", &["openeuler"]),
        (
            DistroFamily::OpenSuse,
            "opensuse",
            &["opensuse-leap", "opensuse"],
        ),
        (
            DistroFamily::OpenSuseTumbleweed,
            "opensuse-tumbleweed",
            &["opensuse-tumbleweed"],
        ),
        (DistroFamily::Oracle, "oracle", &["ol"]),
        (DistroFamily::Photon, "photon", &["photon"]),
        (DistroFamily::RedHat, "redhat", &["rhel"]),
        (DistroFamily::Rocky, "rocky", &["rocky"]),
        (DistroFamily::Sles, "sles", &["sles", "sled", "sles_sap"]),
        (DistroFamily::Ubuntu, "ubuntu", &["ubuntu"]),
        (DistroFamily::Wolfi, "wolfi", &["wolfi"]),
    ];

    /// The family for an `ID` of os-release(5), if it is one we know. Case does not matter
    /// (openEuler writes it in mixed case).
    #[must_use]
    pub fn from_os_release_id(id: &str) -> Option<Self> {
        let id = id.to_ascii_lowercase();
        Self::NAMES
            .iter()
            .find(|(.., ids)| ids.contains(&id.as_str()))
            .map(|(family, ..)| *family)
    }

    /// The family for its name in a database key, the inverse of [`DistroFamily::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, own, _)| *own == name)
            .map(|(family, ..)| *family)
    }

    /// The name in a database key.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(family, ..)| *family == self)
            .map_or("", |(_, name, _)| *name)
    }

    /// Cuts a version down to the part that selects advisories: the major version (Debian, Red Hat
    /// and its rebuilds, Amazon, Fedora), major and minor (Alpine, Ubuntu, SUSE, Azure Linux), or
    /// nothing for rolling releases. A leading `v` (Alpine's `v3.20`) is dropped.
    #[must_use]
    pub fn normalize_release(self, version: &str) -> String {
        let version = version.strip_prefix('v').unwrap_or(version);
        // Alpine's rolling branch calls itself by the coming release: `3.23_alpha20250612`.
        if self == Self::Alpine && version.contains("_alpha") {
            return "edge".to_owned();
        }
        let parts = match self {
            // Woody and sarge were releases of their own; the second number told patches from 4 on.
            Self::Debian if matches!(version.split('.').next(), Some("1" | "2" | "3")) => 2,
            Self::Alma
            | Self::Amazon
            | Self::Anolis
            | Self::CentOs
            | Self::Debian
            | Self::Fedora
            | Self::Oracle
            | Self::RedHat
            | Self::Rocky => 1,
            Self::Alpine
            | Self::AzureLinux
            | Self::Mariner
            | Self::OpenSuse
            | Self::Photon
            | Self::Sles
            | Self::Ubuntu => 2,
            Self::OpenEuler => return version.to_owned(),
            Self::Arch
            | Self::Chainguard
            | Self::MinimOs
            | Self::OpenSuseTumbleweed
            | Self::Wolfi => return String::new(),
        };
        version.split('.').take(parts).collect::<Vec<_>>().join(".")
    }

    /// The version scheme of the family's package manager.
    #[must_use]
    pub fn scheme(self) -> VersionScheme {
        match self {
            Self::Debian | Self::Ubuntu => VersionScheme::Deb,
            Self::Alpine | Self::Chainguard | Self::MinimOs | Self::Wolfi => VersionScheme::Apk,
            // pacman's vercmp(8) is rpm's algorithm with the same epoch and release parts.
            _ => VersionScheme::Rpm,
        }
    }
}

impl Ecosystem {
    const LANGUAGES: &'static [(Ecosystem, &'static str, VersionScheme)] = &[
        (Ecosystem::Npm, "npm", VersionScheme::Npm),
        (Ecosystem::PyPi, "pypi", VersionScheme::Pep440),
        (Ecosystem::Maven, "maven", VersionScheme::Maven),
        (Ecosystem::Go, "go", VersionScheme::Go),
        (Ecosystem::CratesIo, "cargo", VersionScheme::Cargo),
        (Ecosystem::RubyGems, "rubygems", VersionScheme::RubyGems),
        (Ecosystem::Packagist, "composer", VersionScheme::Composer),
        (Ecosystem::NuGet, "nuget", VersionScheme::NuGet),
        (Ecosystem::Pub, "pub", VersionScheme::Pub),
        (Ecosystem::Hex, "hex", VersionScheme::Hex),
        (Ecosystem::SwiftUrl, "swift", VersionScheme::Semver),
        (Ecosystem::ConanCenter, "conan", VersionScheme::Generic),
        (Ecosystem::Vcpkg, "vcpkg", VersionScheme::Generic),
        (Ecosystem::Cran, "cran", VersionScheme::Cran),
        (Ecosystem::Hackage, "hackage", VersionScheme::Hackage),
        (
            Ecosystem::GithubActions,
            "github-actions",
            VersionScheme::Semver,
        ),
        (Ecosystem::Bitnami, "bitnami", VersionScheme::Bitnami),
        (Ecosystem::Generic, "generic", VersionScheme::Generic),
    ];

    /// How versions of this ecosystem are compared.
    #[must_use]
    pub fn scheme(&self) -> VersionScheme {
        match self {
            Self::Distro { family, .. } => family.scheme(),
            language => Self::LANGUAGES
                .iter()
                .find(|(ecosystem, ..)| ecosystem == language)
                .map_or(VersionScheme::Generic, |(.., scheme)| *scheme),
        }
    }

    /// The inverse of `Display`: reads a database key.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        if let Some((ecosystem, ..)) = Self::LANGUAGES.iter().find(|(_, name, _)| *name == key) {
            return Some(ecosystem.clone());
        }
        let (family, release) = key.split_once(':').unwrap_or((key, ""));
        let family = DistroFamily::from_name(family)?;
        Some(Self::Distro {
            family,
            release: release.to_owned(),
        })
    }

    /// The one spelling under which names of this ecosystem are stored and looked up: PEP 503 for
    /// PyPI, lower case where the registry ignores case.
    #[must_use]
    pub fn normalize_name(&self, name: &str) -> String {
        match self {
            Self::PyPi => {
                let mut normalized = String::with_capacity(name.len());
                for c in name.chars() {
                    let c = if matches!(c, '_' | '.') {
                        '-'
                    } else {
                        c.to_ascii_lowercase()
                    };
                    if c != '-' || !normalized.ends_with('-') {
                        normalized.push(c);
                    }
                }
                normalized
            }
            Self::Packagist
            | Self::NuGet
            | Self::Generic
            | Self::GithubActions
            | Self::Hex
            | Self::Bitnami => name.to_ascii_lowercase(),
            // A purl has no capitals in the names of modules (purl specification, type `golang`), and
            // the hosts that modules and repositories live on do not tell case apart.
            Self::Go => name.to_ascii_lowercase(),
            Self::SwiftUrl => {
                let name = name.split_once("://").map_or(name, |(_, name)| name);
                name.trim_end_matches(".git").to_ascii_lowercase()
            }
            Self::CratesIo => name.replace('_', "-"),
            _ => name.to_owned(),
        }
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Distro { family, release } if release.is_empty() => f.write_str(family.name()),
            Self::Distro { family, release } => write!(f, "{}:{release}", family.name()),
            language => f.write_str(
                Self::LANGUAGES
                    .iter()
                    .find(|(ecosystem, ..)| ecosystem == language)
                    .map_or("", |(_, name, _)| *name),
            ),
        }
    }
}

impl VersionScheme {
    const NAMES: &'static [(VersionScheme, &'static str)] = &[
        (VersionScheme::Deb, "deb"),
        (VersionScheme::Rpm, "rpm"),
        (VersionScheme::Apk, "apk"),
        (VersionScheme::Semver, "semver"),
        (VersionScheme::Npm, "npm"),
        (VersionScheme::Pep440, "pep440"),
        (VersionScheme::Maven, "maven"),
        (VersionScheme::RubyGems, "rubygems"),
        (VersionScheme::Composer, "composer"),
        (VersionScheme::NuGet, "nuget"),
        (VersionScheme::Go, "go"),
        (VersionScheme::Cargo, "cargo"),
        (VersionScheme::Hex, "hex"),
        (VersionScheme::Pub, "pub"),
        (VersionScheme::Cran, "cran"),
        (VersionScheme::Hackage, "hackage"),
        (VersionScheme::Bitnami, "bitnami"),
        (VersionScheme::Generic, "generic"),
    ];

    /// Every scheme's name, in the order in which help lists them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().map(|(_, name)| *name)
    }

    /// The scheme of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, own)| *own == name)
            .map(|(scheme, _)| *scheme)
    }

    /// The scheme's name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(scheme, _)| *scheme == self)
            .map_or("", |(_, name)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_reads_back() {
        for (ecosystem, ..) in Ecosystem::LANGUAGES {
            assert_eq!(
                Ecosystem::from_key(&ecosystem.to_string()).as_ref(),
                Some(ecosystem)
            );
        }
        for (family, ..) in DistroFamily::NAMES {
            let ecosystem = Ecosystem::Distro {
                family: *family,
                release: "1.2".to_owned(),
            };
            assert_eq!(Ecosystem::from_key(&ecosystem.to_string()), Some(ecosystem));
        }
    }

    #[test]
    fn releases_are_cut_to_what_selects_advisories() {
        for (family, version, expected) in [
            (DistroFamily::Debian, "12.5", "12"),
            (DistroFamily::Debian, "3.1", "3.1"),
            (DistroFamily::Alpine, "v3.20", "3.20"),
            (DistroFamily::Alpine, "3.20.3", "3.20"),
            (DistroFamily::Alpine, "3.23_alpha20250612", "edge"),
            (DistroFamily::Alpine, "edge", "edge"),
            (DistroFamily::RedHat, "9.4", "9"),
            (DistroFamily::Ubuntu, "22.04", "22.04"),
            (DistroFamily::Wolfi, "20230201", ""),
        ] {
            assert_eq!(
                family.normalize_release(version),
                expected,
                "{family:?} {version}"
            );
        }
    }

    #[test]
    fn names_are_normalized_as_their_registry_does() {
        assert_eq!(
            Ecosystem::PyPi.normalize_name("Zope.Interface__x"),
            "zope-interface-x"
        );
        assert_eq!(
            Ecosystem::CratesIo.normalize_name("serde_json"),
            "serde-json"
        );
        assert_eq!(Ecosystem::Npm.normalize_name("@Scope/Name"), "@Scope/Name");
        for (ecosystem, name, expected) in [
            (
                Ecosystem::Go,
                "github.com/Masterminds/goutils",
                "github.com/masterminds/goutils",
            ),
            (
                Ecosystem::SwiftUrl,
                "https://github.com/Vapor/Vapor.git",
                "github.com/vapor/vapor",
            ),
            (Ecosystem::Bitnami, "WordPress", "wordpress"),
        ] {
            assert_eq!(ecosystem.normalize_name(name), expected);
        }
    }
}
