//! Which package, and which of its versions.

use super::{Refused, severity};
use crate::importers::constraint::{self, VersionSet};
use crate::versions::{VersionError, compare};
use crate::{Affected, NameKind, State, VersionRange};
use packageurl::PackageUrl;
use seawall_model::{Distro, Ecosystem, PackageType, VersionScheme};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::cmp::Ordering;
use std::str::FromStr;

const ECOSYSTEM_HINT: &str =
    "use a name such as npm, pypi, maven, go, cargo, generic, debian:12 or alpine:3.20";

const VERSIONS_HINT: &str = "write comparisons such as \">= 1.2, < 1.4.2 || >= 2.0, < 2.1\", or \
                             list single versions under versions";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Package {
    purl: Option<Spanned<String>>,
    ecosystem: Option<Spanned<String>>,
    name: Option<Spanned<String>>,
    /// The name is that of a source package.
    #[serde(default)]
    source: bool,
    affected: Option<Spanned<String>>,
    #[serde(default)]
    versions: Vec<String>,
    fixed: Option<Spanned<String>>,
    #[serde(default)]
    not_affected: bool,
    #[serde(default)]
    wont_fix: bool,
    severity: Option<Spanned<String>>,
}

impl Package {
    /// `line` is where the package begins.
    pub(super) fn affected(self, line: u64) -> Result<Affected, Refused> {
        let (ecosystem, name, version) = self.identity(line)?;
        let kind = match self.source {
            true => NameKind::Source,
            false => NameKind::Binary,
        };
        let state = match (self.not_affected, self.wont_fix) {
            (false, false) => State::Affected,
            (true, false) => State::NotAffected,
            (false, true) => State::WontFix,
            (true, true) => {
                let message = "a package cannot be not affected and not to be fixed";
                let hint = "keep not_affected or wont_fix";
                return Err(Refused::at(line, "not_affected", message, hint));
            }
        };
        let scheme = ecosystem.scheme();
        let mut affected = Affected::new(ecosystem, name, kind, state);
        affected.severity = self.severity.as_ref().map(severity).transpose()?;
        affected.ranges = self.ranges(scheme)?;
        affected.versions = self.versions;
        // A purl with a version means that version, where nothing else is said.
        if affected.ranges.is_empty() && affected.versions.is_empty() {
            affected.versions.extend(version);
        }
        Ok(affected)
    }

    /// Ecosystem, name, and the version that a purl may have.
    fn identity(&self, line: u64) -> Result<(Ecosystem, String, Option<String>), Refused> {
        match (&self.purl, &self.ecosystem, &self.name) {
            (Some(purl), None, None) => from_purl(purl),
            (Some(purl), ..) => {
                let message = "the package is named twice";
                let hint = "give purl alone, or ecosystem and name";
                Err(Refused::new(purl, "purl", message, hint))
            }
            (None, Some(key), Some(name)) => {
                let ecosystem = Ecosystem::from_key(key.value.trim()).ok_or_else(|| {
                    let message = format!("'{}' is no ecosystem", key.value);
                    Refused::new(key, "ecosystem", message, ECOSYSTEM_HINT)
                })?;
                Ok((ecosystem, name.value.trim().to_owned(), None))
            }
            (None, Some(key), None) => {
                let message = "the package has no name";
                Err(Refused::new(
                    key,
                    "name",
                    message,
                    "add name beside ecosystem",
                ))
            }
            (None, None, Some(name)) => {
                let message = "the package has no ecosystem";
                Err(Refused::new(name, "ecosystem", message, ECOSYSTEM_HINT))
            }
            (None, None, None) => {
                let message = "the package has neither purl nor name";
                let hint = "give purl, or ecosystem and name";
                Err(Refused::at(line, "packages", message, hint))
            }
        }
    }

    /// What `affected` allows, up to what `fixed` says. Without both: nothing, which means every
    /// version.
    fn ranges(&self, scheme: VersionScheme) -> Result<Vec<VersionRange>, Refused> {
        let Some(fixed) = &self.fixed else {
            let Some(text) = &self.affected else {
                return Ok(Vec::new());
            };
            return Ok(read(text, scheme)?.ranges(&VersionSet::empty(scheme)));
        };
        let refused = |error: String| {
            Refused::new(
                fixed,
                "fixed",
                error,
                "write the versions with the fix, divided by commas, for example 1.4.2, 2.1.0",
            )
        };
        let fixes: Vec<&str> = fixed
            .value
            .split([',', ' '])
            .filter(|v| !v.is_empty())
            .collect();
        let last = last_of(&fixes, scheme)
            .map_err(|error| refused(error.to_string()))?
            .ok_or_else(|| refused("no version is given".to_owned()))?;
        let set = |text: &str| {
            constraint::parse(text, scheme).map_err(|error| refused(error.to_string()))
        };
        let mut points = VersionSet::empty(scheme);
        for fix in &fixes {
            points = points.union(&set(&format!("= {fix}"))?);
        }
        let affected = match &self.affected {
            Some(text) => read(text, scheme)?,
            None if fixes.len() > 1 => {
                return Err(refused(
                    "several fixes need to know where each branch begins; add affected".to_owned(),
                ));
            }
            None => VersionSet::empty(scheme).complement(),
        };
        Ok(affected
            .without(&set(&format!(">= {last}"))?)
            .ranges(&points))
    }
}

fn read(text: &Spanned<String>, scheme: VersionScheme) -> Result<VersionSet, Refused> {
    constraint::parse(&text.value, scheme)
        .map_err(|error| Refused::new(text, "affected", error.to_string(), VERSIONS_HINT))
}

/// The greatest of some versions.
fn last_of<'a>(
    versions: &[&'a str],
    scheme: VersionScheme,
) -> Result<Option<&'a str>, VersionError> {
    let mut last: Option<&str> = None;
    for version in versions {
        let greater = match last {
            Some(last) => compare(scheme, version, last)? == Ordering::Greater,
            None => true,
        };
        if greater {
            last = Some(version);
        }
    }
    Ok(last)
}

/// Reads a package URL (ECMA-427). Packages of a distribution need the `distro` qualifier
/// (`?distro=debian-12`).
fn from_purl(purl: &Spanned<String>) -> Result<(Ecosystem, String, Option<String>), Refused> {
    let refused = |message: String, hint| Refused::new(purl, "purl", message, hint);
    let url = PackageUrl::from_str(purl.value.trim()).map_err(|error| {
        let message = format!("'{}' is no package URL: {error}", purl.value);
        refused(
            message,
            "write it as pkg:npm/left-pad or pkg:maven/org.acme/shelf",
        )
    })?;
    let kind = PackageType::from_name(url.ty()).ok_or_else(|| {
        let message = format!("packages of type '{}' are not known", url.ty());
        refused(
            message,
            "use ecosystem and name instead, for example ecosystem: generic",
        )
    })?;
    let ecosystem = match kind.ecosystem() {
        Some(ecosystem) => ecosystem,
        None => distro(&url).ok_or_else(|| {
            let message = "the release of the distribution is not given, or not known";
            let hint = "add ?distro=debian-12 to the purl, or use ecosystem: debian:12 and name";
            refused(message.to_owned(), hint)
        })?,
    };
    let name = match url.namespace() {
        _ if kind.is_os() => url.name().to_owned(),
        Some(namespace) if kind == PackageType::Maven => format!("{namespace}:{}", url.name()),
        Some(namespace) => format!("{namespace}/{}", url.name()),
        None => url.name().to_owned(),
    };
    Ok((ecosystem, name, url.version().map(str::to_owned)))
}

fn distro(url: &PackageUrl<'_>) -> Option<Ecosystem> {
    let value = url.qualifiers().get("distro")?;
    let (id, version) = value.split_once('-').unwrap_or((value, ""));
    let distro = Distro {
        id: id.to_owned(),
        version: version.to_owned(),
        id_like: Vec::new(),
        codename: None,
        pretty_name: None,
        end_of_life: None,
    };
    distro.ecosystem()
}
