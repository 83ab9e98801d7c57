use super::Locked;
use crate::analyzers::declared::Declared;
use crate::analyzers::document::nullable;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;
use serde::Deserialize;

/// `composer.lock`. Packages of a `path` repository are the project's own and left out; packages
/// at a branch keep it as their version (`dev-main`).
#[derive(Debug)]
pub struct ComposerLock;

#[derive(Deserialize)]
struct Lock {
    #[serde(default, deserialize_with = "nullable")]
    packages: Vec<Locked>,
    /// `null` where the lockfile was written without development packages.
    #[serde(rename = "packages-dev", default, deserialize_with = "nullable")]
    packages_dev: Vec<Locked>,
}

impl Analyzer for ComposerLock {
    fn name(&self) -> &'static str {
        "composer-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("composer.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let lock: Lock = document::json(file)?;
        let mut declared = Declared::new(PackageType::Composer);
        let production = lock.packages.into_iter().map(|p| (p, false));
        let development = lock.packages_dev.into_iter().map(|p| (p, true));
        for (package, development) in production.chain(development) {
            if !package.is_local() {
                let licenses = package.license.0;
                declared.add_licensed(&package.name, &package.version, development, licenses);
            }
        }
        declared.move_to(found);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::check;

    #[test]
    fn composer_lock() {
        check(
            &ComposerLock,
            "composer.lock",
            br#"{"content-hash": "x", "packages": [
                {"name": "symfony/http-kernel", "version": "v5.4.0", "license": ["MIT"],
                 "dist": {"type": "zip", "url": "https://example.org/x.zip"}},
                {"name": "acme/branch", "version": "dev-main", "license": "proprietary"},
                {"name": "own/module", "version": "1.0.0", "dist": {"type": "path"}}],
                "packages-dev": [{"name": "phpunit/phpunit", "version": "9.5.0"}]}"#,
            &[
                "symfony/http-kernel v5.4.0 [MIT]",
                "acme/branch dev-main [proprietary]",
                "phpunit/phpunit 9.5.0 dev",
            ],
        );
        check(
            &ComposerLock,
            "composer.lock",
            br#"{"packages-dev": null}"#,
            &[],
        );
    }

    #[test]
    fn a_package_without_a_licence_cost_the_whole_file() {
        let lock = br#"{"packages": [{"name": "a/b", "version": "1.0.0", "license": null},
            {"name": "a/c", "version": "1.0.0", "license": ["MIT", null]}]}"#;
        check(
            &ComposerLock,
            "composer.lock",
            lock,
            &["a/b 1.0.0", "a/c 1.0.0 [MIT]"],
        );
    }
}
