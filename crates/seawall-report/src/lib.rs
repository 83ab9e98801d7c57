//! Findings and inventories as people and machines read them.
//!
//! [`write()`] turns a [`Report`] into one of the [`Format`]s. A report is a function of its input
//! alone: the time stands in [`Report::generated_at`], serial numbers are derived from content, so
//! the same input gives the same bytes. Text that comes from the target is hostile: every writer
//! passes it through [`escape`] for its own syntax.

use std::io::{self, Write};
use std::time::Duration;

use seawall_model::{Finding, Gate, Inventory, Layer, Package};

mod cyclonedx;
pub mod escape;
mod groups;
mod held;
mod html;
pub mod inventory;
mod json;
pub mod json_text;
mod junit;
mod layout;
mod markdown;
mod sarif;
mod sbom;
mod spdx;
pub mod summary;
mod table;

/// Everything that a report is made of.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// Version of the program that made it.
    pub tool_version: &'a str,
    /// When it was made; given by the caller so that a report can be reproduced.
    pub generated_at: jiff::Timestamp,
    /// How long the scan took, where the reader may want to know.
    pub duration: Option<Duration>,
    /// What is in the target.
    pub inventory: &'a Inventory,
    /// What is wrong with it, the highest priority first, the suppressed ones included.
    pub findings: &'a [Finding],
    /// The database that was matched against; `None` if there was none.
    pub database: Option<DatabaseInfo>,
    /// The verdict of `--fail-on`; `None` if no threshold was given.
    pub gate: Option<Gate>,
    /// Newer builds of the images that the image is built on, as far as they are known.
    pub newer_bases: Vec<NewerBase>,
    /// What the reader must know beside the findings: ignore rules that expired, VEX statements
    /// that name nothing here. One sentence each.
    pub notices: &'a [String],
}

impl Report<'_> {
    /// The package of a finding; `None` only if the finding belongs to another inventory.
    fn package(&self, finding: &Finding) -> Option<&Package> {
        self.inventory.packages.get(finding.package.0 as usize)
    }

    /// The layer that brought a package.
    fn layer(&self, package: &Package) -> Option<&Layer> {
        self.inventory.layers.get(package.layer? as usize)
    }

    /// The package URLs, in the order of the inventory's packages.
    fn purls(&self) -> Vec<String> {
        let distro = self.inventory.distro.as_ref();
        let packages = self.inventory.packages.iter();
        packages.map(|package| package.purl(distro)).collect()
    }

    /// When the report was made, RFC 3339 in UTC with whole seconds: the one spelling that JSON,
    /// SARIF, SPDX and CycloneDX all take.
    fn timestamp(&self) -> String {
        self.generated_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

/// A newer build of a base image, as the catalogue of base images has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewerBase {
    /// The name in the catalogue of the build that the image has.
    pub of: String,
    /// Its owner.
    pub owner: Option<String>,
    /// Its name in the catalogue.
    pub name: String,
    /// Its digest.
    pub digest: Option<String>,
    /// When it was built, RFC 3339.
    pub created: Option<String>,
    /// Number of findings that are gone with it.
    pub mends: usize,
}

/// The advisory database of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// SHA-256 of its content, in hex.
    pub digest: String,
    /// The newest date of any record in it, RFC 3339.
    pub newest: Option<String>,
    /// Number of advisories.
    pub advisories: u64,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether the table may use colours (SGR escape sequences).
    pub color: bool,
    /// Columns of the terminal, 60 to 500; what is outside is brought inside.
    pub width: usize,
    /// Rows shown of each layer in the table and of each part in Markdown; `None` shows all.
    pub rows: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            color: false,
            width: 100,
            rows: Some(12),
        }
    }
}

/// A format of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// For a person at a terminal.
    Table,
    /// Everything, in the shape of `docs/report-json.md`.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// CycloneDX 1.6 JSON, with the findings as vulnerabilities where there are any.
    CycloneDx,
    /// SPDX 2.3 JSON, with the findings as security references of their packages.
    Spdx,
    /// One file for a browser.
    Html,
    /// JUnit XML, for CI servers.
    Junit,
    /// Markdown of at most 64 KiB, for a comment on a pull request.
    Markdown,
}

impl Format {
    /// Every format with its name on the command line.
    pub const ALL: &'static [(Format, &'static str)] = &[
        (Format::Table, "table"),
        (Format::Json, "json"),
        (Format::Sarif, "sarif"),
        (Format::CycloneDx, "cyclonedx"),
        (Format::Spdx, "spdx"),
        (Format::Html, "html"),
        (Format::Junit, "junit"),
        (Format::Markdown, "markdown"),
    ];

    /// Whether one document of this format holds the reports of several targets.
    #[must_use]
    pub fn holds_several(self) -> bool {
        !matches!(self, Self::CycloneDx | Self::Spdx)
    }

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(format, _)| *format == self)
            .map_or("", |(_, name)| *name)
    }
}

impl std::str::FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .iter()
            .find(|(_, own)| *own == name)
            .map(|(format, _)| *format)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// A format that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown report format `{0}`: known are {known}", known = known_formats())]
pub struct UnknownFormat(pub String);

fn known_formats() -> String {
    let names: Vec<&str> = Format::ALL.iter().map(|(_, name)| *name).collect();
    names.join(", ")
}

/// Writes the reports of several targets into one document, the main target first: one after the
/// other for people, `reports[]` of the first in JSON, a run for each in SARIF.
///
/// # Errors
/// What `out` returns; [`io::ErrorKind::Unsupported`] if the format does not hold several targets
/// ([`Format::holds_several`]).
pub fn write_all(
    format: Format,
    reports: &[Report<'_>],
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    match (format, reports) {
        (_, [report]) => write(format, report, options, out),
        (Format::Json, _) => json::write_all(reports, out),
        (Format::Sarif, _) => sarif::write_all(reports, out),
        (Format::Html, _) => html::write_all(reports, out),
        (Format::Junit, _) => junit::write_all(reports, out),
        (Format::Markdown, _) => markdown::write_all(reports, options, out),
        (Format::Table, _) => {
            for (at, report) in reports.iter().enumerate() {
                if at > 0 {
                    writeln!(out)?;
                }
                write(format, report, options, out)?;
            }
            Ok(())
        }
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Writes a report.
///
/// # Errors
/// What `out` returns.
pub fn write(
    format: Format,
    report: &Report<'_>,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Table => table::write(report, options, out),
        Format::Json => json::write(report, out),
        Format::CycloneDx => cyclonedx::write(report, out),
        Format::Spdx => spdx::write(report, out),
        Format::Sarif => sarif::write(report, out),
        Format::Html => html::write_all(std::slice::from_ref(report), out),
        Format::Junit => junit::write_all(std::slice::from_ref(report), out),
        Format::Markdown => markdown::write_all(std::slice::from_ref(report), options, out),
    }
}

#[cfg(test)]
mod testing;
