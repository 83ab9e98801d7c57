//! Whether a row is about a package at all, before versions are compared.

use crate::database::stored::{End, Kind, Row};
use memchr::memmem::Finder;
use seawall_model::Package;
use std::sync::LazyLock;

/// Whether a row found under `name` may speak of the package. `source_name` is the package's
/// source.
pub(super) fn applies(row: &Row<'_>, name: &str, package: &Package, source_name: &str) -> bool {
    name_applies(row, name, package, source_name)
        && architecture_applies(row, package)
        && module_applies(row, package)
}

/// A source's row is for packages built from it, a binary's for the binary of that name: a bucket
/// of a distribution may hold both.
fn name_applies(row: &Row<'_>, name: &str, package: &Package, source_name: &str) -> bool {
    if !package.kind.is_os() {
        return true;
    }
    match row.name_kind {
        Kind::Source => name == source_name,
        Kind::Binary => name == package.name,
    }
}

fn architecture_applies(row: &Row<'_>, package: &Package) -> bool {
    let Some(installed) = package.architecture.as_deref() else {
        return true;
    };
    let installed = architecture(installed);
    row.architectures.is_empty()
        || installed == "all"
        || row.architectures.iter().any(|&listed| {
            let listed = architecture(listed);
            listed == "all" || listed == installed
        })
}

/// One name for the architectures that Debian, Red Hat and Alpine name differently.
fn architecture(name: &str) -> &str {
    match name {
        "all" | "any" | "noarch" => "all",
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "i386" | "i486" | "i586" | "i686" | "x86" => "i686",
        "armhf" | "armv7hl" | "armv7" => "armv7",
        "ppc64el" => "ppc64le",
        other => other,
    }
}

/// The streams of an rpm module are packages of the same names with versions of their own, and
/// must not be held against each other's advisories.
///
/// A row that names a module is for packages whose modularity label begins with the same
/// `name:stream`. Some publishers (AlmaLinux in OSV) name none, but their versions carry dnf's mark
/// of a modular build: such a row is for modular packages of the same major version, which is how
/// streams are named. A row with neither is for packages outside of modules.
fn module_applies(row: &Row<'_>, package: &Package) -> bool {
    let label = package.module.as_deref().filter(|label| !label.is_empty());
    let installed_modular = label.is_some() || is_modular_build(&package.version);
    match (row.module, label) {
        (Some(module), Some(label)) => stream(label) == stream(module),
        (Some(_), None) if !installed_modular => false,
        _ => match modular_fix(row) {
            Some(fix) => installed_modular && major(fix) == major(&package.version),
            // With a module named, the label lost (as in some SBOMs), and no fix to go by, the
            // stream cannot be told: better said than missed.
            None => row.module.is_some() || !installed_modular,
        },
    }
}

/// `name:stream` of a label `name:stream:version:context:architecture`.
fn stream(label: &str) -> (&str, &str) {
    let mut parts = label.split(':');
    (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    )
}

/// A version of the row that was built in a module.
fn modular_fix<'a>(row: &Row<'a>) -> Option<&'a str> {
    row.ranges.iter().find_map(|range| match range.end {
        End::Fixed(version) if is_modular_build(version) => Some(version),
        _ => None,
    })
}

/// dnf's build systems put `.module+el8` or `.module_el8` into the release of a modular build.
fn is_modular_build(version: &str) -> bool {
    // Made once: versions are so short that setting up the search costs more than the search.
    static MODULE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(".module"));
    let version = version.as_bytes();
    MODULE
        .find_iter(version)
        .filter_map(|at| version.get(at + MODULE.needle().len()))
        .any(|next| matches!(next, b'+' | b'_'))
}

/// The first number of a version, without epoch. Where a version is one number (`53-1.module_el8`),
/// the release is no part of it.
fn major(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let end = version.find(|c: char| !c.is_ascii_alphanumeric());
    end.and_then(|end| version.get(..end)).unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_no_part_of_a_version_of_one_number() {
        for (version, expected) in [
            ("53-1.module_el8.7.0+3344+484dae7b", "53"),
            ("1:18.2.0-1.module+el8", "18"),
            ("2023~rc1-1", "2023"),
            ("7", "7"),
        ] {
            assert_eq!(major(version), expected);
        }
    }
}
