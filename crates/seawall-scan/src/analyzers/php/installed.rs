use super::Locked;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::{Evidence, Package, PackageType};
use serde::Deserialize;
use std::collections::HashSet;
use std::path::Path;

/// `vendor/composer/installed.json`: a list in Composer 1, an object around it in Composer 2.
#[derive(Debug)]
pub struct InstalledJson;

#[derive(Default, Deserialize)]
struct Installed {
    #[serde(default)]
    packages: Vec<Locked>,
    #[serde(rename = "dev-package-names", default)]
    development: HashSet<String>,
}

impl Analyzer for InstalledJson {
    fn name(&self) -> &'static str {
        "composer-installed"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("installed.json")]
    }

    fn counts_at(&self, path: &str) -> bool {
        Path::new(path).ends_with("composer/installed.json")
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let text = document::text(file)?;
        let installed = if text.trim_start().starts_with('[') {
            Installed {
                packages: document::json_from(text.as_bytes())?,
                ..Installed::default()
            }
        } else {
            document::json_from(text.as_bytes())?
        };
        for locked in installed.packages {
            if locked.is_local() || locked.name.is_empty() || locked.version.is_empty() {
                continue;
            }
            let mut package = Package::new(
                PackageType::Composer,
                &locked.name,
                &locked.version,
                Evidence::Installed,
            );
            package.development = installed.development.contains(&locked.name);
            package.licenses = locked.license.0;
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
    fn both_generations_of_composer() {
        let path = "var/www/vendor/composer/installed.json";
        check(
            &InstalledJson,
            path,
            br#"{"packages": [
                {"name": "twig/twig", "version": "v3.4.2", "license": ["BSD-3-Clause"]},
                {"name": "phpunit/phpunit", "version": "9.5.0"}],
                "dev": true, "dev-package-names": ["phpunit/phpunit"]}"#,
            &[
                "twig/twig v3.4.2 [BSD-3-Clause]",
                "phpunit/phpunit 9.5.0 dev",
            ],
        );
        check(
            &InstalledJson,
            path,
            br#" [{"name": "twig/twig", "version": "v1.0.0", "license": "BSD"}]"#,
            &["twig/twig v1.0.0 [BSD]"],
        );
    }

    #[test]
    fn a_truncated_file_is_said_to_be_truncated() {
        let (_, result) = analyze(&InstalledJson, "x/composer/installed.json", b"[{\"name\": ");
        let reason = result.unwrap_err().reason;
        assert_eq!(reason, seawall_model::IncompleteReason::Truncated);
    }
}
