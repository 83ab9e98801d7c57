//! The components of Bitnami's images, which no package manager knows.
//!
//! Formats: beside each component in `/opt/bitnami` a bill of materials in SPDX, `.spdx-NAME.spdx`;
//! for the image as a whole, and before 2023 alone, `.bitnami_components.json`, an object of
//! components by name (<https://github.com/bitnami/containers>).

use super::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use crate::sbom::{self, SbomError};
use seawall_model::{Evidence, IncompleteReason, Package, PackageType};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Reads what Bitnami says of its components.
#[derive(Debug)]
pub struct Bitnami;

const COMPONENTS: &str = ".bitnami_components.json";

#[derive(Deserialize)]
struct Component {
    version: String,
    arch: Option<String>,
}

impl Analyzer for Bitnami {
    fn name(&self) -> &'static str {
        "bitnami"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name(COMPONENTS), Pattern::NamePrefix(".spdx-")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        if file.path.ends_with(COMPONENTS) {
            let components: BTreeMap<String, Component> = document::json(file)?;
            for (name, component) in components {
                let (kind, evidence) = (PackageType::Bitnami, Evidence::Installed);
                let mut package = Package::new(kind, name, component.version, evidence);
                package.architecture = component.arch;
                found.add(package);
            }
        } else if file.path.ends_with(".spdx") {
            let bytes = file.content.read_all()?;
            let inventory = sbom::read(file.path, &bytes).map_err(refused)?;
            // The Java archives, npm packages and modules in a component are found as they are.
            let is_component = |package: &Package| {
                package.kind == PackageType::Bitnami && !package.version.is_empty()
            };
            for package in inventory.packages.into_iter().filter(is_component) {
                found.add(installed(package));
            }
        }
        Ok(())
    }
}

/// The package as one that lies in the image, whatever else a document says of it.
fn installed(package: Package) -> Package {
    Package {
        architecture: package.architecture,
        vendor: package.vendor,
        licenses: package.licenses,
        ..Package::new(
            package.kind,
            package.name,
            package.version,
            Evidence::Installed,
        )
    }
}

fn refused(error: SbomError) -> AnalyzeError {
    AnalyzeError {
        reason: match error {
            SbomError::Unsupported(_) => IncompleteReason::Unsupported,
            SbomError::Malformed { .. } => IncompleteReason::Corrupt,
            SbomError::Truncated { .. } => IncompleteReason::Truncated,
            SbomError::TooLarge | SbomError::TooMany => IncompleteReason::LimitReached,
        },
        offset: None,
        message: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    const SPDX: &[u8] = include_bytes!("fixtures/postgresql.spdx");
    const PATH: &str = "opt/bitnami/postgresql/.spdx-postgresql.spdx";

    #[test]
    fn components_of_bitnami_s_images_were_not_read() {
        check(
            &Bitnami,
            PATH,
            SPDX,
            &["geos 3.8.3", "postgresql 14.0.0-1 [PostgreSQL]"],
        );
        check(
            &Bitnami,
            "opt/bitnami/.bitnami_components.json",
            br#"{"postgresql": {"arch": "amd64", "distro": "debian-12", "type": "NAMI",
                "version": "14.0.0-1"}, "gosu": {"version": "1.16.0-7"}}"#,
            &["gosu 1.16.0-7", "postgresql 14.0.0-1"],
        );
        check(&Bitnami, "opt/x/.spdx-license.txt", b"MIT", &[]);
    }

    #[test]
    fn both_files_say_the_same_of_a_component() {
        let (by_document, _) = analyze(&Bitnami, PATH, SPDX);
        let list = br#"{"postgresql": {"arch": "amd64", "version": "14.0.0-1"}}"#;
        let (by_list, _) = analyze(&Bitnami, "opt/bitnami/.bitnami_components.json", list);
        // The list knows no licences.
        let mut package = by_document.packages[1].clone();
        package.licenses.clear();
        assert_eq!(by_list.packages, [package]);
    }

    #[test]
    fn a_document_in_another_form_is_told_from_a_damaged_one() {
        for (bytes, expected) in [
            (
                &b"SPDXVersion: SPDX-2.3\n"[..],
                IncompleteReason::Unsupported,
            ),
            (&SPDX[..SPDX.len() / 2], IncompleteReason::Truncated),
            (
                b"{\"spdxVersion\": \"SPDX-2.3\",, }",
                IncompleteReason::Corrupt,
            ),
        ] {
            let (found, result) = analyze(&Bitnami, PATH, bytes);
            assert_eq!(found.packages, []);
            assert_eq!(result.unwrap_err().reason, expected);
        }
    }
}
