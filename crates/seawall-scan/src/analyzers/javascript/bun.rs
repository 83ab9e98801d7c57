use super::npm_lock::{is_of_an_installed_package, version_in_tarball_url};
use super::{is_address, is_version, split_descriptor};
use crate::analyzers::declared::Declared;
use crate::analyzers::graph::Graph;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, Wanted, document};
use seawall_model::PackageType;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::BTreeMap;

/// `bun.lock`, JSON with comments (<https://bun.sh/docs/install/lockfile>). The older `bun.lockb`
/// is binary and undocumented; bun itself has replaced it.
#[derive(Debug)]
pub struct BunLock;

/// Directories that a dependency is looked for in. Only a made-up lockfile nests deeper.
const DEEPEST: usize = 64;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    workspaces: BTreeMap<String, Workspace>,
    /// By place in `node_modules`: `a`, or `a/b` for a `b` that only `a` sees. The value is a list
    /// of `name@version`, registry, dependencies and checksum.
    #[serde(default)]
    packages: BTreeMap<String, Vec<Value>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Workspace {
    dependencies: BTreeMap<String, IgnoredAny>,
    optional_dependencies: BTreeMap<String, IgnoredAny>,
    peer_dependencies: BTreeMap<String, IgnoredAny>,
    dev_dependencies: BTreeMap<String, IgnoredAny>,
}

impl Analyzer for BunLock {
    fn name(&self) -> &'static str {
        "bun-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("bun.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        if is_of_an_installed_package(file.path) {
            return Ok(());
        }
        let lock: Lock = document::json_with_comments(file)?;
        let graph = lock.graph();
        let development = graph.development_only();
        let mut declared = Declared::new(PackageType::Npm);
        for (place, package) in &lock.packages {
            let resolved = package.first().and_then(Value::as_str).unwrap_or_default();
            let Some((name, version)) = split_descriptor(resolved) else {
                continue;
            };
            let only_development = development.contains(place.as_str());
            if is_version(version) {
                declared.add(name, version, only_development);
            } else if let Some(version) = version_in_tarball_url(name, version) {
                declared.add(name, version, only_development);
            } else if is_address(version) {
                let wanted = Wanted::Elsewhere(PackageType::Npm);
                found.add_unversioned(wanted, name, only_development);
            }
        }
        declared.move_to(found);
        Ok(())
    }
}

impl Lock {
    fn graph(&self) -> Graph {
        let mut graph = Graph::default();
        for workspace in self.workspaces.values() {
            let production = [
                &workspace.dependencies,
                &workspace.optional_dependencies,
                &workspace.peer_dependencies,
            ];
            for name in production.into_iter().flat_map(BTreeMap::keys) {
                graph.production.push(name.clone());
            }
            graph
                .development
                .extend(workspace.dev_dependencies.keys().cloned());
        }
        for (place, package) in &self.packages {
            let needs = ["dependencies", "optionalDependencies", "peerDependencies"]
                .iter()
                .filter_map(|kind| package.iter().find_map(|part| part.get(kind)))
                .filter_map(Value::as_object)
                .flat_map(serde_json::Map::keys)
                .map(|name| self.resolve(place, name));
            graph.needs.insert(place.clone(), needs.collect());
        }
        graph
    }

    /// Where a package at `place` finds the package `name`: beside it, or further up.
    fn resolve(&self, place: &str, name: &str) -> String {
        let mut directory = place;
        for _ in 0..DEEPEST {
            let candidate = format!("{directory}/{name}");
            if self.packages.contains_key(&candidate) {
                return candidate;
            }
            match directory.rsplit_once('/') {
                Some((up, _)) => directory = up,
                None => break,
            }
        }
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    #[test]
    fn bun() {
        check(
            &BunLock,
            "bun.lock",
            br#"{
  "lockfileVersion": 1,
  "workspaces": {
    "": {
      "name": "app",
      "dependencies": { "a": "^1.0.0", "own": "workspace:*", "alias": "npm:@s/real@^5.0.0", },
      "devDependencies": { "t": "^4.0.0", },
    },
    "packages/own": { "name": "own", },
  },
  "packages": {
    "a": ["a@1.0.0", "", { "dependencies": { "b": "^1.0.0" } }, "sha512-x"],
    "a/b": ["b@1.5.0", "", {}, "sha512-x"],
    "alias": ["@s/real@5.0.0", "", {}, "sha512-x"],
    "b": ["b@2.0.0", "", {}, "sha512-x"],
    "git": ["git@github:o/git#0a1b2c", {}, "o-git-0a1b2c"],
    "own": ["own@workspace:packages/own"],
    // needed by tests only
    "t": ["t@4.0.0", "", { "dependencies": { "b": "^2.0.0" } }, "sha512-x"],
  }
}"#,
            &[
                "a 1.0.0",
                "b 1.5.0",
                "@s/real 5.0.0",
                "b 2.0.0 dev",
                "t 4.0.0 dev",
            ],
        );
    }

    #[test]
    fn packages_by_address_were_passed_over_in_silence() {
        let lock = br#"{"packages": {
            "a": ["a@https://example.org/a/-/a-1.0.0.tgz", {}, "sha512-x"],
            "git": ["git@github:o/git#0a1b2c", {}, "o-git-0a1b2c"],
            "own": ["own@workspace:packages/own"],
            "tar": ["tar@./tar.tgz", {}]}}"#;
        check(&BunLock, "bun.lock", lock, &["a 1.0.0"]);
        let (found, _) = analyze(&BunLock, "bun.lock", lock);
        let names: Vec<_> = found.unversioned.iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["git"]);
    }
}
