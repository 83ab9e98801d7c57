use crate::{Distro, Ecosystem, Role};
use packageurl::PackageUrl;

/// What kind of package this is: the `type` of its package URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the variants are the purl types' own names")]
pub enum PackageType {
    Alpm,
    Apk,
    Bitnami,
    Cargo,
    Composer,
    Conan,
    Conda,
    Cran,
    Deb,
    Gem,
    Generic,
    GithubActions,
    Golang,
    Hackage,
    Hex,
    Maven,
    Npm,
    NuGet,
    Pub,
    PyPi,
    Rpm,
    Swift,
    Vcpkg,
}

/// How we know of a package: decides who wins when two analyzers see the same one, and how sure a
/// finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// A byte pattern in a program that no package manager knows.
    Pattern,
    /// A lockfile or build file: declared, perhaps not installed.
    Declared,
    /// Metadata beside or inside the installed files (`package.json`, `METADATA`, a jar's
    /// `pom.properties`, a Go binary's build information).
    Installed,
    /// The package manager's own database.
    Database,
    /// Stated by an SBOM.
    Sbom,
}

impl Evidence {
    const NAMES: &'static [(Evidence, &'static str)] = &[
        (Evidence::Pattern, "pattern"),
        (Evidence::Declared, "declared"),
        (Evidence::Installed, "installed"),
        (Evidence::Database, "database"),
        (Evidence::Sbom, "sbom"),
    ];

    /// Name as written in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(evidence, _)| *evidence == self)
            .map_or("", |(_, name)| *name)
    }

    /// The inverse of [`Evidence::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, own)| *own == name)
            .map(|(evidence, _)| *evidence)
    }
}

/// The source package from which a distribution built a binary package.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourcePackage {
    /// Name of the source package.
    pub name: String,
    /// Its version, with epoch where it has one.
    pub version: String,
}

/// One installed or declared package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its type.
    pub kind: PackageType,
    /// The name as its ecosystem writes it: `@babel/core`, `org.slf4j:slf4j-api`,
    /// `github.com/gin-gonic/gin`, `laravel/framework`.
    pub name: String,
    /// The version as its ecosystem writes it, with epoch and release (`1:2.3-4`). For Go the
    /// leading `v` is kept, as module versions are written.
    pub version: String,
    /// The architecture as its package manager names it (`amd64`, `x86_64`, `all`, `noarch`).
    pub architecture: Option<String>,
    /// The source package, for distribution packages.
    pub source: Option<SourcePackage>,
    /// Vendor or maintainer, as recorded by the package manager.
    pub vendor: Option<String>,
    /// The modularity label of an rpm (`nodejs:18:9020...:rhel9`).
    pub module: Option<String>,
    /// Licences as declared: SPDX expressions where the source has them.
    pub licenses: Vec<String>,
    /// Where it was found, absolute in the target's root, without duplicates. A package inside an
    /// archive is written `/app/app.war!/WEB-INF/lib/x.jar`.
    pub paths: Vec<String>,
    /// How we know of it.
    pub evidence: Evidence,
    /// Needed only to develop or test (npm `dev`, Python groups, Gradle test configurations).
    pub development: bool,
    /// Index into [`crate::Inventory::layers`] of the layer that brought this version. `None`
    /// where the target has no layers.
    pub layer: Option<u32>,
    /// Which part of the image the layer belongs to.
    pub role: Role,
    /// The team or person who owns that layer, from the base image catalogue or the command line.
    pub owner: Option<String>,
    /// Candidate NVD products (`vendor:product`, lower case) for a program without a package.
    pub cpe_products: Vec<String>,
    /// For an OS package: number of language packages that are among its own files and are
    /// therefore not listed a second time.
    pub folded: u32,
}

impl Package {
    /// A package with name and version, everything else unset.
    #[must_use]
    pub fn new(
        kind: PackageType,
        name: impl Into<String>,
        version: impl Into<String>,
        evidence: Evidence,
    ) -> Self {
        Self {
            kind,
            name: name.into(),
            version: version.into(),
            architecture: None,
            source: None,
            vendor: None,
            module: None,
            licenses: Vec::new(),
            paths: Vec::new(),
            evidence,
            development: false,
            layer: None,
            role: Role::Application,
            owner: None,
            cpe_products: Vec::new(),
            folded: 0,
        }
    }

    /// The package URL (purl specification, ECMA-427) with `arch`, `epoch` and `distro` qualifiers
    /// for distribution packages. `distro` is the operating system of the target.
    #[must_use]
    pub fn purl(&self, distro: Option<&Distro>) -> String {
        crate::package::purl_of(self, distro)
    }

    /// The ecosystem whose advisories apply, or `None` where there is no such ecosystem (an OS
    /// package of an unknown distribution).
    #[must_use]
    pub fn ecosystem(&self, distro: Option<&Distro>) -> Option<Ecosystem> {
        if self.kind.is_os() {
            return distro.and_then(Distro::ecosystem);
        }
        self.kind.ecosystem()
    }
}

impl PackageType {
    const NAMES: &'static [(PackageType, &'static str, Option<Ecosystem>)] = &[
        (PackageType::Alpm, "alpm", None),
        (PackageType::Apk, "apk", None),
        (PackageType::Bitnami, "bitnami", Some(Ecosystem::Bitnami)),
        (PackageType::Cargo, "cargo", Some(Ecosystem::CratesIo)),
        (
            PackageType::Composer,
            "composer",
            Some(Ecosystem::Packagist),
        ),
        (PackageType::Conan, "conan", Some(Ecosystem::ConanCenter)),
        // No advisories are published for conda's own builds; the Python packages among them carry
        // their `dist-info` and are matched by it.
        (PackageType::Conda, "conda", None),
        (PackageType::Cran, "cran", Some(Ecosystem::Cran)),
        (PackageType::Deb, "deb", None),
        (PackageType::Gem, "gem", Some(Ecosystem::RubyGems)),
        (PackageType::Generic, "generic", Some(Ecosystem::Generic)),
        // purl has no type of its own for actions: they are repositories on GitHub.
        (
            PackageType::GithubActions,
            "github",
            Some(Ecosystem::GithubActions),
        ),
        (PackageType::Golang, "golang", Some(Ecosystem::Go)),
        (PackageType::Hackage, "hackage", Some(Ecosystem::Hackage)),
        (PackageType::Hex, "hex", Some(Ecosystem::Hex)),
        (PackageType::Maven, "maven", Some(Ecosystem::Maven)),
        (PackageType::Npm, "npm", Some(Ecosystem::Npm)),
        (PackageType::NuGet, "nuget", Some(Ecosystem::NuGet)),
        (PackageType::Pub, "pub", Some(Ecosystem::Pub)),
        (PackageType::PyPi, "pypi", Some(Ecosystem::PyPi)),
        (PackageType::Rpm, "rpm", None),
        (PackageType::Swift, "swift", Some(Ecosystem::SwiftUrl)),
        (PackageType::Vcpkg, "vcpkg", Some(Ecosystem::Vcpkg)),
    ];

    /// The purl type.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map_or("", |(_, name, _)| *name)
    }

    /// The package type for a purl type.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, own, _)| *own == name)
            .map(|(kind, ..)| *kind)
    }

    /// The ecosystem of a language's packages; `None` for the package managers of distributions,
    /// where the ecosystem follows from the distribution.
    #[must_use]
    pub fn ecosystem(self) -> Option<Ecosystem> {
        Self::NAMES
            .iter()
            .find(|(kind, ..)| *kind == self)?
            .2
            .clone()
    }

    /// Whether a distribution's package manager installs it.
    #[must_use]
    pub fn is_os(self) -> bool {
        matches!(self, Self::Alpm | Self::Apk | Self::Deb | Self::Rpm)
    }
}

fn purl_of(package: &Package, distro: Option<&Distro>) -> String {
    let kind = package.kind;
    let (namespace, name) = split_name(kind, &package.name);
    let namespace = if kind.is_os() {
        distro.map(|d| purl_namespace(&d.id))
    } else {
        namespace
    };
    let name = match kind {
        PackageType::PyPi => Ecosystem::PyPi.normalize_name(name),
        PackageType::Composer | PackageType::Hex => name.to_ascii_lowercase(),
        _ => name.to_owned(),
    };
    let (epoch, version) = match (kind, package.version.split_once(':')) {
        (PackageType::Rpm, Some((epoch, rest))) => (Some(epoch), rest),
        _ => (None, package.version.as_str()),
    };
    let Ok(mut purl) = PackageUrl::new(kind.name(), name) else {
        // The types are lower-case constants; only an empty name can be refused.
        return format!("pkg:{}/", kind.name());
    };
    if let Some(namespace) = namespace {
        // A refused namespace leaves the purl without one; the package's own name is kept whole in
        // the report beside it.
        drop(purl.with_namespace(namespace.to_owned()));
    }
    if !version.is_empty() {
        drop(purl.with_version(version.to_owned()));
    }
    if kind.is_os() {
        let distro = distro.map(|d| match d.version.as_str() {
            "" => d.id.clone(),
            version => format!("{}-{version}", d.id),
        });
        let qualifiers = [
            ("arch", package.architecture.as_deref()),
            ("distro", distro.as_deref()),
            ("epoch", epoch),
        ];
        for (key, value) in qualifiers {
            if let Some(value) = value {
                drop(purl.add_qualifier(key.to_owned(), value.to_owned()));
            }
        }
    }
    purl.to_string()
}

/// The purl namespace of a distribution's packages: its vendor (purl specification, types `deb`,
/// `rpm`, `apk`). Where several distributions come from one vendor, the qualifier `distro` tells
/// them apart.
#[must_use]
pub fn purl_namespace(os_release_id: &str) -> &str {
    match os_release_id {
        "rhel" => "redhat",
        "sles" | "sled" | "sles_sap" | "sle_hpc" => "suse",
        id if id.starts_with("opensuse") => "opensuse",
        id => id,
    }
}

/// Splits a name into purl namespace and name.
fn split_name(kind: PackageType, name: &str) -> (Option<&str>, &str) {
    let split = match kind {
        PackageType::Maven => name.split_once(':'),
        PackageType::Npm if !name.starts_with('@') => None,
        PackageType::Npm
        | PackageType::Composer
        | PackageType::Golang
        | PackageType::GithubActions
        | PackageType::Swift => name.rsplit_once('/'),
        _ => None,
    };
    match split {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
            (Some(namespace), name)
        }
        _ => (None, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn debian() -> Distro {
        Distro {
            id: "debian".to_owned(),
            version: "12".to_owned(),
            id_like: Vec::new(),
            codename: None,
            pretty_name: None,
            end_of_life: None,
        }
    }

    #[test]
    fn only_os_packages_take_the_ecosystem_of_the_distribution() {
        for (kind, expected) in [
            (PackageType::Deb, Some("debian:12")),
            (PackageType::Npm, Some("npm")),
            (PackageType::Conda, None),
        ] {
            let package = Package::new(kind, "openssl", "1", Evidence::Installed);
            let key = package.ecosystem(Some(&debian())).map(|e| e.to_string());
            assert_eq!(key.as_deref(), expected, "{kind:?}");
        }
    }

    #[test]
    fn the_namespace_of_an_os_package_was_the_distribution_and_not_its_vendor() {
        for (id, expected) in [
            ("rhel", "pkg:rpm/redhat/bash@5-2?distro=rhel-12"),
            ("sles", "pkg:rpm/suse/bash@5-2?distro=sles-12"),
            (
                "opensuse-leap",
                "pkg:rpm/opensuse/bash@5-2?distro=opensuse-leap-12",
            ),
            ("amzn", "pkg:rpm/amzn/bash@5-2?distro=amzn-12"),
        ] {
            let distro = Distro {
                id: id.to_owned(),
                ..debian()
            };
            let package = Package::new(PackageType::Rpm, "bash", "5-2", Evidence::Database);
            assert_eq!(package.purl(Some(&distro)), expected);
        }
    }

    #[test]
    fn purls_follow_the_specification() {
        for (kind, name, version, expected) in [
            (
                PackageType::Npm,
                "@babel/core",
                "7.0.0",
                "pkg:npm/%40babel/core@7.0.0",
            ),
            (
                PackageType::Npm,
                "left-pad",
                "1.0.0",
                "pkg:npm/left-pad@1.0.0",
            ),
            (
                PackageType::Maven,
                "org.slf4j:slf4j-api",
                "2.0",
                "pkg:maven/org.slf4j/slf4j-api@2.0",
            ),
            (
                PackageType::Golang,
                "github.com/gin-gonic/gin",
                "v1.9.0",
                "pkg:golang/github.com/gin-gonic/gin@v1.9.0",
            ),
            (
                PackageType::PyPi,
                "Zope.Interface",
                "5",
                "pkg:pypi/zope-interface@5",
            ),
            (
                PackageType::Deb,
                "bash",
                "5.2-1",
                "pkg:deb/debian/bash@5.2-1?distro=debian-12",
            ),
            (
                PackageType::Rpm,
                "bash",
                "1:5-2",
                "pkg:rpm/debian/bash@5-2?distro=debian-12&epoch=1",
            ),
        ] {
            let package = Package::new(kind, name, version, Evidence::Database);
            assert_eq!(package.purl(Some(&debian())), expected);
        }
    }
}
