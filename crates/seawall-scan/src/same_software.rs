//! Whether a package of a language is what a Debian package of unknown maker packs: the same name, by the
//! policies of Debian's language teams, in the same version.
//!
//! Some of Debian's maintainers have addresses of their own, so that their packages are not told from
//! those of others. That `python3-requests` is requests is told by its name.

use seawall_model::{Package, PackageType};

/// How names of Debian packages begin, for each language (Debian Python Policy, section 4.3; Javascript,
/// Ruby and PHP teams' policies).
const PREFIXES: &[(&str, PackageType)] = &[
    ("python3-", PackageType::PyPi),
    ("python-", PackageType::PyPi),
    ("node-", PackageType::Npm),
    ("ruby-", PackageType::Gem),
    ("php-", PackageType::Composer),
    ("r-cran-", PackageType::Cran),
];

/// What follows an upstream version whose sources Debian changed, and its revision.
const REPACKED: [&str; 4] = ["+dfsg", "~dfsg", "+ds", "~ds"];

/// Whether the Debian package of this name and version packs just `package`.
pub(crate) fn is_same(deb: &str, version: &str, package: &Package) -> bool {
    let names_it = |(prefix, kind): &(&str, PackageType)| {
        let name = deb.strip_prefix(prefix);
        *kind == package.kind && name.is_some_and(|name| plain(name) == plain(&package.name))
    };
    PREFIXES.iter().any(names_it) && upstream(version) == package.version
}

/// The name as all ecosystems and Debian would agree on it.
fn plain(name: &str) -> String {
    let name = name.trim_start_matches('@').to_ascii_lowercase();
    let parts = name.split(['-', '_', '.', '/']);
    parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

/// A version without epoch, revision and mark of changed sources (deb-version(7)).
fn upstream(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let version = version.rsplit_once('-').map_or(version, |(rest, _)| rest);
    let end = REPACKED.iter().filter_map(|mark| version.find(mark)).min();
    end.and_then(|end| version.get(..end)).unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::Evidence;

    #[test]
    fn packages_are_named_as_debians_teams_do() {
        for (deb, version, kind, name, of, expected) in [
            (
                "python3-requests",
                "2.28.1+dfsg-1",
                PackageType::PyPi,
                "requests",
                "2.28.1",
                true,
            ),
            (
                "python3-zope.interface",
                "1:5.5.2-1",
                PackageType::PyPi,
                "zope_interface",
                "5.5.2",
                true,
            ),
            (
                "node-bootstrap",
                "5.2.3+dfsg-8",
                PackageType::Npm,
                "bootstrap",
                "5.2.3",
                true,
            ),
            (
                "node-types-node",
                "18.11.9-1",
                PackageType::Npm,
                "@types/node",
                "18.11.9",
                true,
            ),
            (
                "ruby-rack-protection",
                "3.0.5-1",
                PackageType::Gem,
                "rack-protection",
                "3.0.5",
                true,
            ),
            (
                "python3-requests",
                "2.28.1-1",
                PackageType::PyPi,
                "requests",
                "2.19.0",
                false,
            ),
            (
                "python3-requests",
                "2.28.1-1",
                PackageType::PyPi,
                "urllib3",
                "2.28.1",
                false,
            ),
            (
                "node-requests",
                "2.28.1-1",
                PackageType::PyPi,
                "requests",
                "2.28.1",
                false,
            ),
            (
                "vault",
                "1.15.0-1",
                PackageType::Golang,
                "github.com/hashicorp/vault",
                "1.15.0",
                false,
            ),
        ] {
            let package = Package::new(kind, name, of, Evidence::Installed);
            assert_eq!(is_same(deb, version, &package), expected, "{deb} {name}");
        }
    }
}
