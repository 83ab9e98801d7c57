use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `Pipfile.lock` (<https://pipenv.pypa.io/en/latest/pipfile.html>). Beside `default` and `develop`
/// it may hold categories of the user's own.
#[derive(Debug)]
pub struct PipfileLock;

#[derive(Deserialize)]
struct Lock {
    #[serde(rename = "_meta", default)]
    _meta: serde::de::IgnoredAny,
    #[serde(flatten)]
    categories: BTreeMap<String, BTreeMap<String, Locked>>,
}

#[derive(Deserialize)]
struct Locked {
    /// `==1.0`; absent for repositories and local directories.
    version: Option<String>,
}

impl Analyzer for PipfileLock {
    fn name(&self) -> &'static str {
        "pipfile-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("Pipfile.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        if super::is_of_an_installed_package(file.path) {
            return Ok(());
        }
        let lock: Lock = document::json(file)?;
        let mut declared = Declared::new(PackageType::PyPi);
        for (category, packages) in &lock.categories {
            let development = category == "develop" || super::is_development_group(category);
            for (name, package) in packages {
                let version = package.version.as_deref().unwrap_or_default();
                declared.add(name, version.trim_start_matches('='), development);
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
    fn pipfile() {
        check(
            &PipfileLock,
            "Pipfile.lock",
            br#"{"_meta": {"hash": {"sha256": "x"}, "pipfile-spec": 6, "sources": []},
                "default": {"a": {"hashes": ["sha256:x"], "version": "==1.0"},
                            "git": {"git": "https://example.org/x.git", "ref": "aa"},
                            "own": {"editable": true, "path": "."}},
                "develop": {"a": {"version": "==1.0"}, "b": {"version": "===2.0"}}}"#,
            &["a 1.0", "b 2.0 dev"],
        );
    }
}
