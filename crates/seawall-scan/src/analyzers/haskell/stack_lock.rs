use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;
use serde::Deserialize;

/// `stack.yaml.lock` (docs.haskellstack.org, "Lock files"): the packages beyond the snapshot. Those
/// of the snapshot itself are in a file of its publisher and not known here.
///
/// Packages of Hackage are taken, and those of archives and repositories, as the lockfile states
/// their version.
#[derive(Debug)]
pub struct StackLock;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    packages: Option<Vec<Locked>>,
}

#[derive(Deserialize)]
struct Locked {
    completed: Completed,
}

#[derive(Deserialize)]
struct Completed {
    /// `name-1.0@sha256:...,length`.
    hackage: Option<String>,
    name: Option<String>,
    version: Option<String>,
}

impl Analyzer for StackLock {
    fn name(&self) -> &'static str {
        "stack-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("stack.yaml.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let mut declared = Declared::new(PackageType::Hackage);
        for lock in document::yaml::<Lock>(file)? {
            for Locked { completed } in lock.packages.unwrap_or_default() {
                if let Some((name, version)) = completed.hackage.as_deref().and_then(split) {
                    declared.add(name, version, false);
                } else if let (Some(name), Some(version)) = (completed.name, completed.version) {
                    declared.add(&name, &version, false);
                }
            }
        }
        declared.move_to(found);
        Ok(())
    }
}

/// Splits `yesod-core-1.6.0@sha256:...`: names may hold hyphens, versions may not.
fn split(package: &str) -> Option<(&str, &str)> {
    package.split('@').next()?.rsplit_once('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::check;

    #[test]
    fn packages_beyond_the_snapshot() {
        check(
            &StackLock,
            "stack.yaml.lock",
            b"packages:\n\
              - completed:\n    hackage: yesod-core-1.6.24.0@sha256:00,123\n    pantry-tree:\n      \
              size: 1\n      sha256: '00'\n  original:\n    hackage: yesod-core-1.6.24.0\n\
              - completed:\n    name: fork\n    version: '0.1'\n    git: https://example.org/f.git\n    \
              commit: '00'\n  original:\n    git: https://example.org/f.git\n\
              snapshots:\n- completed:\n    size: 1\n    url: https://example.org/lts.yaml\n",
            &["yesod-core 1.6.24.0", "fork 0.1"],
        );
        check(
            &StackLock,
            "stack.yaml.lock",
            b"packages: []\nsnapshots: []\n",
            &[],
        );
    }
}
