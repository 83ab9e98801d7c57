//! R packages: renv's lockfile and the descriptions of installed packages.
//!
//! Packages of Bioconductor are only told of: they have versions and advisories of their own, and no
//! package type here.

use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, Wanted, document};
use seawall_model::{Evidence, Package, PackageType};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// `renv.lock` (rstudio.github.io/renv, "Lockfiles"). Packages of repositories are taken; those of
/// code hosts and addresses are only told of, as what lies there under a package's name and version need
/// not be what CRAN has. Local ones are the project's own.
#[derive(Debug)]
pub struct RenvLock;

/// `DESCRIPTION` of an installed package ("Writing R Extensions", 1.1.1), known by its `Built`
/// field. Packages that are R itself (`Priority: base`) are left out.
#[derive(Debug)]
pub struct Description;

/// Values of `Source`, in lower case.
const NOT_OF_CRAN: [&str; 9] = [
    "bioconductor",
    "bitbucket",
    "git",
    "git2r",
    "github",
    "gitlab",
    "unknown",
    "url",
    "xgit",
];

#[derive(Deserialize)]
struct Lock {
    #[serde(rename = "Packages", default)]
    packages: BTreeMap<String, Locked>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Locked {
    #[serde(default)]
    package: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    source: String,
}

impl Analyzer for RenvLock {
    fn name(&self) -> &'static str {
        "renv-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("renv.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let lock: Lock = document::json(file)?;
        let mut declared = Declared::new(PackageType::Cran);
        for package in lock.packages.values() {
            let source = package.source.to_ascii_lowercase();
            if NOT_OF_CRAN.contains(&source.as_str()) {
                let wanted = Wanted::Elsewhere(PackageType::Cran);
                found.add_unversioned(wanted, &package.package, false);
            } else if source != "local" {
                declared.add(&package.package, &package.version, false);
            }
        }
        declared.move_to(found);
        Ok(())
    }
}

impl Analyzer for Description {
    fn name(&self) -> &'static str {
        "r-description"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("DESCRIPTION")]
    }

    fn max_bytes(&self) -> u64 {
        4 << 20
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let text = document::text(file)?;
        let fields: HashMap<&str, &str> = text
            .lines()
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|line| line.split_once(':'))
            .map(|(field, value)| (field, value.trim()))
            .collect();
        let field = |name: &str| fields.get(name).copied().unwrap_or_default();
        let (name, version) = (field("Package"), field("Version"));
        let installed = fields.contains_key("Built") && field("Priority") != "base";
        let bioconductor = fields.contains_key("biocViews") && field("Repository") != "CRAN";
        // Many things are called DESCRIPTION, so one that is not R's is no error.
        if !installed || name.is_empty() || version.is_empty() {
            return Ok(());
        }
        if bioconductor {
            found.add_unversioned(Wanted::Elsewhere(PackageType::Cran), name, false);
        } else {
            let mut package = Package::new(PackageType::Cran, name, version, Evidence::Installed);
            package.licenses = fields
                .get("License")
                .map(|l| (*l).to_owned())
                .into_iter()
                .collect();
            found.add(package);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    #[test]
    fn a_package_of_a_code_host_was_taken_for_that_of_cran() {
        check(
            &RenvLock,
            "renv.lock",
            br#"{"R": {"Version": "4.2.1", "Repositories": [{"Name": "CRAN", "URL": "https://x"}]},
                "Bioconductor": {"Version": "3.15"},
                "Packages": {
                    "jsonlite": {"Package": "jsonlite", "Version": "1.8.0", "Source": "Repository",
                                 "Repository": "CRAN", "Requirements": ["methods"]},
                    "limma": {"Package": "limma", "Version": "3.52.0", "Source": "Bioconductor"},
                    "own": {"Package": "own", "Version": "0.0.1", "Source": "Local"},
                    "tip": {"Package": "tip", "Version": "0.9.0.9000", "Source": "GitHub"}}}"#,
            &["jsonlite 1.8.0"],
        );
    }

    #[test]
    fn packages_that_are_not_of_cran_were_passed_over_in_silence() {
        let lock = br#"{"Packages": {
            "limma": {"Package": "limma", "Version": "3.52.0", "Source": "Bioconductor"},
            "own": {"Package": "own", "Version": "0.0.1", "Source": "Local"},
            "tip": {"Package": "tip", "Version": "0.9.0.9000", "Source": "GitHub"}}}"#;
        let installed = b"Package: limma\nVersion: 3.52.0\nbiocViews: X\nBuilt: R 4.2.1\n";
        for (analyzer, path, text, expected) in [
            (
                &RenvLock as &dyn Analyzer,
                "renv.lock",
                &lock[..],
                &["limma", "tip"][..],
            ),
            (&Description, "x/limma/DESCRIPTION", installed, &["limma"]),
        ] {
            let (found, _) = analyze(analyzer, path, text);
            let names: Vec<_> = found.unversioned.iter().map(|one| &*one.name).collect();
            assert_eq!(names, expected);
        }
    }

    #[test]
    fn installed_packages() {
        let path = "usr/local/lib/R/site-library/jsonlite/DESCRIPTION";
        check(
            &Description,
            path,
            b"Package: jsonlite\nTitle: A Parser:\n    of JSON\nVersion: 1.8.0\n\
              License: MIT + file LICENSE\nRepository: CRAN\nBuilt: R 4.2.1; ; 2022; unix\n",
            &["jsonlite 1.8.0 [MIT + file LICENSE]"],
        );
        for other in [
            "Package: base\nPriority: base\nVersion: 4.2.1\nBuilt: R 4.2.1\n",
            "Package: source\nVersion: 1.0\n",
            "Package: limma\nVersion: 3.52.0\nbiocViews: X\nBuilt: R 4.2.1\n",
            "Just some text\n",
        ] {
            check(&Description, path, other.as_bytes(), &[]);
        }
    }
}
