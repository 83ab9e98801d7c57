//! Dart and Flutter packages: pub's lockfile.

use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, Wanted, document};
use seawall_model::PackageType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `pubspec.lock` (dart.dev, "Glossary": lockfile).
///
/// Hosted packages are taken; those of Git repositories are only told of, as a fork under the name and
/// version of a hosted package has another's advisories. `path` and `sdk` packages are left out. Only
/// direct dependencies are marked as development.
#[derive(Debug)]
pub struct PubspecLock;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    packages: Option<BTreeMap<String, Locked>>,
}

#[derive(Deserialize)]
struct Locked {
    #[serde(default)]
    dependency: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    version: String,
}

impl Analyzer for PubspecLock {
    fn name(&self) -> &'static str {
        "pub-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("pubspec.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let mut declared = Declared::new(PackageType::Pub);
        for lock in document::yaml::<Lock>(file)? {
            for (name, package) in lock.packages.unwrap_or_default() {
                let development = package.dependency == "direct dev";
                match &*package.source {
                    "hosted" => declared.add(&name, &package.version, development),
                    "git" => {
                        let wanted = Wanted::Elsewhere(PackageType::Pub);
                        found.add_unversioned(wanted, &name, development);
                    }
                    _ => {}
                }
            }
        }
        declared.move_to(found);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    #[test]
    fn a_fork_in_a_git_repository_was_taken_for_the_hosted_package() {
        check(
            &PubspecLock,
            "app/pubspec.lock",
            include_bytes!("fixtures/pubspec.lock"),
            &["http 0.13.3", "lints 2.0.0 dev", "meta 1.7.0"],
        );
    }

    #[test]
    fn packages_of_git_repositories_were_passed_over_in_silence() {
        let lock = include_bytes!("fixtures/pubspec.lock");
        let (found, _) = analyze(&PubspecLock, "pubspec.lock", lock);
        let names: Vec<_> = found.unversioned.iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["fork"]);
    }

    #[test]
    fn damage_is_located() {
        let (_, result) = analyze(&PubspecLock, "pubspec.lock", b"packages:\n  a: [x\n");
        assert!(result.unwrap_err().offset.is_some());
    }
}
