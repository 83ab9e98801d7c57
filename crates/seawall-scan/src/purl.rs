//! Package URLs of foreign documents: read into packages, and compared with ours.

use std::str::FromStr;

use packageurl::PackageUrl;
use seawall_model::{Evidence, Inventory, Package, PackageType, SourcePackage, purl_namespace};

/// A longer purl is no purl.
const MAX_BYTES: usize = 8192;

/// Parses a package URL; `None` if it is none. Scheme and type may be written in upper case (purl
/// specification, "How to parse a purl string"); the type comes out in lower case.
pub(crate) fn parse(text: &str) -> Option<PackageUrl<'static>> {
    if text.len() > MAX_BYTES {
        return None;
    }
    match text.split_once(':') {
        Some((scheme, rest)) if scheme != "pkg" && scheme.eq_ignore_ascii_case("pkg") => {
            PackageUrl::from_str(&format!("pkg:{rest}")).ok()
        }
        _ => PackageUrl::from_str(text).ok(),
    }
}

/// Whether a text begins as the purl of an image does. The rest may be damaged.
pub(crate) fn is_image_purl(text: &str) -> bool {
    ["pkg:oci/", "pkg:docker/"].iter().any(|start| {
        let head = text.get(..start.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(start))
    })
}

/// The package that a purl names, with what its qualifiers say of it: `arch`, `epoch`, `upstream`
/// (the source package, as syft writes it), `modularitylabel` (rpm, purl specification) and `rpmmod`
/// (Red Hat). `None` for a type that Seawall has no packages of.
pub(crate) fn package(purl: &PackageUrl<'_>) -> Option<Package> {
    let kind = PackageType::from_name(purl.ty())?;
    let qualifier = |key: &str| purl.qualifiers().get(key).map(|value| value.to_string());
    let namespace = purl.namespace().filter(|namespace| !namespace.is_empty());
    let name = match namespace {
        Some(namespace) if kind == PackageType::Maven => format!("{namespace}:{}", purl.name()),
        // The namespace of an OS package is its distribution.
        Some(namespace) if !kind.is_os() => format!("{namespace}/{}", purl.name()),
        _ => purl.name().to_owned(),
    };
    let mut version = purl.version().unwrap_or_default().to_owned();
    if let Some(epoch) = qualifier("epoch").filter(|epoch| kind.is_os() && epoch != "0")
        && !version.is_empty()
        && !version.contains(':')
    {
        version = format!("{epoch}:{version}");
    }
    let mut package = Package::new(kind, name, version, Evidence::Sbom);
    if kind.is_os() {
        package.source =
            qualifier("upstream").and_then(|upstream| source_of(kind, &upstream, &package.version));
        package.module = qualifier("modularitylabel").or_else(|| qualifier("rpmmod"));
    }
    package.architecture = qualifier("arch");
    Some(package)
}

/// syft's `upstream`: `name`, `name@version`, or the file name of a source rpm. Where it has no
/// version, the source's is the binary's.
fn source_of(kind: PackageType, upstream: &str, version: &str) -> Option<SourcePackage> {
    if let Some(source) = source_rpm(upstream).filter(|_| kind == PackageType::Rpm) {
        return Some(source);
    }
    let (name, version) = upstream.split_once('@').unwrap_or((upstream, version));
    (!name.is_empty()).then(|| SourcePackage {
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

/// `bash-5.1.8-6.el9.src.rpm`: name, version, release.
pub(crate) fn source_rpm(file_name: &str) -> Option<SourcePackage> {
    let stem = file_name
        .strip_suffix(".src.rpm")
        .or_else(|| file_name.strip_suffix(".nosrc.rpm"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    (!name.is_empty()).then(|| SourcePackage {
        name: name.to_owned(),
        version: format!("{version}-{release}"),
    })
}

/// Whether a statement about `pattern` speaks of `package`: same type, namespace and name, the same
/// version where the pattern has one, and no qualifier that contradicts. A pattern without version
/// speaks of all versions (OpenVEX specification, "Product matching").
pub(crate) fn covers(pattern: &PackageUrl<'_>, package: &PackageUrl<'_>) -> bool {
    pattern.ty() == package.ty()
        && pattern.name() == package.name()
        && vendor(pattern) == vendor(package)
        && pattern
            .version()
            .is_none_or(|version| package.version() == Some(version))
        && pattern
            .qualifiers()
            .iter()
            .all(|(key, value)| package.qualifiers().get(key).is_none_or(|own| own == value))
}

/// The namespace; that of a distribution's package may be written as the distribution or as its
/// vendor (`rhel`, `redhat`).
fn vendor<'a>(purl: &'a PackageUrl<'_>) -> Option<&'a str> {
    match purl.namespace() {
        Some(namespace) if purl.ty() == "rpm" => Some(purl_namespace(namespace)),
        namespace => namespace,
    }
}

/// Whether a `pkg:oci` or `pkg:docker` purl (purl specification, type `oci`) speaks of the target:
/// by its digest where it has one, else by repository and tag.
pub(crate) fn is_image(purl: &PackageUrl<'_>, inventory: &Inventory) -> bool {
    if !matches!(purl.ty(), "oci" | "docker") {
        return false;
    }
    let target = &inventory.target;
    if let Some(digest) = image_digest(purl) {
        return inventory.has_digest(digest);
    }
    let tag = match purl.qualifiers().get("tag") {
        Some(tag) => Some(tag.to_string()),
        None => purl.version().map(str::to_owned),
    };
    let repository = purl
        .qualifiers()
        .get("repository_url")
        .map(|url| url.to_string());
    let names = std::iter::once(&target.name).chain(&target.tags);
    names.into_iter().any(|reference| {
        let (name, own_tag) = split_reference(reference);
        let same_name = match &repository {
            // The repository may be written with or without the image's own name.
            Some(url) => name == url || name == format!("{url}/{}", purl.name()),
            None => name == image_name(purl) || name.ends_with(&format!("/{}", image_name(purl))),
        };
        same_name && tag.as_deref().is_none_or(|tag| tag == own_tag)
    })
}

/// The digest in a purl of an image.
pub(crate) fn image_digest<'a>(purl: &'a PackageUrl<'_>) -> Option<&'a str> {
    let is_image = matches!(purl.ty(), "oci" | "docker");
    purl.version()
        .filter(|version| is_image && version.starts_with("sha256:"))
}

fn image_name(purl: &PackageUrl<'_>) -> String {
    match purl.namespace() {
        Some(namespace) => format!("{namespace}/{}", purl.name()),
        None => purl.name().to_owned(),
    }
}

/// Name and tag of an image reference; `latest` where there is none. A digest is dropped.
pub(crate) fn split_reference(reference: &str) -> (&str, &str) {
    let reference = reference
        .split_once('@')
        .map_or(reference, |(name, _)| name);
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (reference, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_come_out_of_purls() {
        for (purl, name, version, source) in [
            ("pkg:npm/%40babel/core@7.0.0", "@babel/core", "7.0.0", ""),
            (
                "pkg:maven/org.slf4j/slf4j-api@2.0",
                "org.slf4j:slf4j-api",
                "2.0",
                "",
            ),
            (
                "pkg:golang/github.com/gin-gonic/gin@v1.9.0",
                "github.com/gin-gonic/gin",
                "v1.9.0",
                "",
            ),
            (
                "pkg:deb/debian/libssl3@3.0.1-1?arch=amd64&upstream=openssl",
                "libssl3",
                "3.0.1-1",
                "openssl 3.0.1-1",
            ),
            (
                "pkg:deb/debian/a@1%3A2-3?upstream=b%404",
                "a",
                "1:2-3",
                "b 4",
            ),
            (
                "pkg:rpm/rhel/bash@5-2?epoch=1&upstream=bash-5.0-2.el9.src.rpm",
                "bash",
                "1:5-2",
                "bash 5.0-2.el9",
            ),
        ] {
            let package = package(&parse(purl).unwrap()).unwrap();
            let own = package
                .source
                .map_or(String::new(), |s| format!("{} {}", s.name, s.version));
            assert_eq!(
                (&*package.name, &*package.version, &*own),
                (name, version, source)
            );
        }
        assert!(
            parse("pkg:oci/x@1")
                .and_then(|purl| package(&purl))
                .is_none()
        );
    }

    #[test]
    fn a_purl_in_upper_case_was_none() {
        for text in ["PKG:NPM/a@1", "Pkg:npm/a@1", "pkg:NPM/a@1", "PKG://npm/a@1"] {
            let purl = parse(text).map(|purl| purl.to_string());
            assert_eq!(purl.as_deref(), Some("pkg:npm/a@1"), "{text}");
        }
        assert_eq!(parse("PKGS:npm/a@1"), None);
        assert!(is_image_purl("PKG:OCI/web@1") && !is_image_purl("pkg:npm/oci@1"));
    }

    #[test]
    fn statements_cover_what_they_name() {
        for (pattern, own, expected) in [
            ("pkg:npm/a@1", "pkg:npm/a@1", true),
            ("pkg:npm/a", "pkg:npm/a@1", true),
            ("pkg:npm/a@2", "pkg:npm/a@1", false),
            ("pkg:npm/a", "pkg:pypi/a@1", false),
            ("pkg:deb/debian/a", "pkg:deb/ubuntu/a@1", false),
            (
                "pkg:deb/debian/a?arch=arm64",
                "pkg:deb/debian/a@1?arch=amd64",
                false,
            ),
            (
                "pkg:deb/debian/a@1",
                "pkg:deb/debian/a@1?arch=amd64&distro=debian-12",
                true,
            ),
            ("pkg:rpm/redhat/a", "pkg:rpm/rhel/a@1", true),
        ] {
            let covered = covers(&parse(pattern).unwrap(), &parse(own).unwrap());
            assert_eq!(covered, expected, "{pattern} {own}");
        }
    }

    #[test]
    fn image_purls_name_targets() {
        let inventory = crate::policy::testing::inventory();
        for (purl, expected) in [
            ("pkg:oci/web@sha256:abc", true),
            ("pkg:oci/web@sha256:c0f", true),
            ("pkg:oci/web@sha256:abd?tag=1.4", false),
            (
                "pkg:oci/web?repository_url=reg.example.org/shop/web&tag=1.4",
                true,
            ),
            ("pkg:oci/web?repository_url=reg.example.org/shop", true),
            (
                "pkg:oci/web?repository_url=other.example.org/shop/web",
                false,
            ),
            ("pkg:oci/web?tag=1.5", false),
            ("pkg:docker/shop/web@1.4", true),
            ("pkg:oci/eb", false),
        ] {
            let purl = crate::policy::testing::long(purl);
            let found = is_image(&parse(&purl).unwrap(), &inventory);
            assert_eq!(found, expected, "{purl}");
        }
    }
}
