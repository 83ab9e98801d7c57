use super::npm_lock::is_of_an_installed_package;
use super::{is_address, is_version, split_descriptor};
use crate::analyzers::declared::Declared;
use crate::analyzers::graph::Graph;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, Wanted, document};
use seawall_model::PackageType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `pnpm-lock.yaml`, lockfile versions 5, 6 and 9 (<https://github.com/pnpm/spec>, `lockfile/`).
#[derive(Debug)]
pub struct PnpmLock;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lock {
    #[serde(default)]
    packages: BTreeMap<String, LockedPackage>,
    /// Version 9: the dependencies, which the versions before keep in `packages`.
    #[serde(default)]
    snapshots: BTreeMap<String, Dependencies>,
    /// By directory of the workspace, from version 9 on always.
    #[serde(default)]
    importers: BTreeMap<String, Importer>,
}

#[derive(Deserialize)]
struct LockedPackage {
    /// Only for packages from elsewhere than a registry.
    name: Option<String>,
    version: Option<String>,
    /// Before version 9.
    #[serde(default)]
    dev: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Dependencies {
    dependencies: BTreeMap<String, String>,
    optional_dependencies: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Importer {
    dependencies: BTreeMap<String, Direct>,
    optional_dependencies: BTreeMap<String, Direct>,
    dev_dependencies: BTreeMap<String, Direct>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Direct {
    Resolved { version: String },
    Version(String),
}

impl Analyzer for PnpmLock {
    fn name(&self) -> &'static str {
        "pnpm-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("pnpm-lock.yaml")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        if is_of_an_installed_package(file.path) {
            return Ok(());
        }
        let mut declared = Declared::new(PackageType::Npm);
        for lock in document::yaml::<Lock>(file)? {
            let graph = lock.graph();
            let development = graph.development_only();
            for (key, package) in &lock.packages {
                let (name, version) = package.name_and_version(key);
                let only_development = package.dev || development.contains(key.as_str());
                if is_version(version) {
                    declared.add(name, version, only_development);
                } else if is_address(version) {
                    let wanted = Wanted::Elsewhere(PackageType::Npm);
                    found.add_unversioned(wanted, name, only_development);
                }
            }
        }
        declared.move_to(found);
        Ok(())
    }
}

impl Lock {
    /// Version 9 marks only the direct dependencies; without snapshots the graph is empty.
    fn graph(&self) -> Graph {
        let mut graph = Graph::default();
        for (key, snapshot) in &self.snapshots {
            let all = snapshot
                .dependencies
                .iter()
                .chain(&snapshot.optional_dependencies);
            let needs = all.map(|(name, reference)| key_of(name, reference));
            // One package with several sets of peers is one package here.
            let known = graph.needs.entry(without_peers(key).to_owned());
            known.or_default().extend(needs);
        }
        for importer in self.importers.values() {
            let direct = importer
                .dependencies
                .iter()
                .chain(&importer.optional_dependencies);
            graph.production.extend(direct.map(Direct::key));
            graph
                .development
                .extend(importer.dev_dependencies.iter().map(Direct::key));
        }
        graph
    }
}

impl Direct {
    fn key((name, direct): (&String, &Self)) -> String {
        let (Self::Resolved { version } | Self::Version(version)) = direct;
        key_of(name, version)
    }
}

/// The key of a package: `name@reference`, or the reference itself for an alias, which holds the
/// real name.
fn key_of(name: &str, reference: &str) -> String {
    let reference = without_peers(reference);
    match split_descriptor(reference) {
        // Addresses have an `@` behind a user's name.
        Some((real, _)) if !real.contains(':') => reference.to_owned(),
        _ => format!("{name}@{reference}"),
    }
}

impl LockedPackage {
    fn name_and_version<'a>(&'a self, key: &'a str) -> (&'a str, &'a str) {
        let (name, version) = split_key(key);
        (
            self.name.as_deref().unwrap_or(name),
            self.version.as_deref().unwrap_or(version),
        )
    }
}

/// Splits `/name/1.0.0_peer@2.0.0` (5), `/name@1.0.0(peer@2.0.0)` (6) and `name@1.0.0` (9), each
/// perhaps with a registry's host before the first slash, and `name@https://...` (9).
fn split_key(key: &str) -> (&str, &str) {
    let path = match key.split_once('/') {
        // A host has a dot, which a scope cannot have without its `@`.
        Some((host, rest)) if host.is_empty() || (host.contains('.') && !host.contains('@')) => {
            rest
        }
        _ => key,
    };
    let path = without_peers(path);
    if let Some((name, version)) = split_descriptor(path) {
        // In version 5 the first `@` may be one of a peer dependency.
        let slashes = usize::from(name.starts_with('@'));
        let ends_name = is_version(version) || version.contains(':');
        if ends_name && name.matches('/').count() == slashes {
            return (name, version);
        }
    }
    let (name, version) = path.rsplit_once('/').unwrap_or((path, ""));
    let version = version
        .split_once('_')
        .map_or(version, |(version, _)| version);
    (name, version)
}

/// Cuts off the peer dependencies that a key or reference ends with: `(react@18.0.0)`.
fn without_peers(key: &str) -> &str {
    key.split_once('(').map_or(key, |(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    #[test]
    fn keys_of_every_version() {
        for (key, expected) in [
            ("/a/1.0.0", ("a", "1.0.0")),
            ("/@s/a/1.0.0_b@2.0.0+c@3.0.0", ("@s/a", "1.0.0")),
            ("/@s/a@1.0.0(b@2.0.0)(c@3.0.0)", ("@s/a", "1.0.0")),
            ("@s/a@1.0.0", ("@s/a", "1.0.0")),
            ("a@1.0.0-rc.1", ("a", "1.0.0-rc.1")),
            ("registry.example.org/a/1.0.0", ("a", "1.0.0")),
            ("registry.example.org/@s/a@1.0.0", ("@s/a", "1.0.0")),
            ("@s/a@https://u@h/a.tgz", ("@s/a", "https://u@h/a.tgz")),
            ("", ("", "")),
        ] {
            assert_eq!(split_key(key), expected, "{key}");
        }
    }

    #[test]
    fn version_5() {
        check(
            &PnpmLock,
            "pnpm-lock.yaml",
            b"lockfileVersion: 5.4
dependencies:
  a: 1.0.0_b@2.0.0
packages:
  /a/1.0.0_b@2.0.0:
    resolution: {integrity: sha512-x}
    peerDependencies: {b: '*'}
    dev: false
  /@s/b/2.0.0:
    resolution: {integrity: sha512-x}
    dev: true
  github.com/o/c/0a1b2c3d:
    resolution: {tarball: https://codeload.github.com/o/c/tar.gz/0a1b2c3d}
    name: c
    version: 3.0.0
    dev: false
",
            &["@s/b 2.0.0 dev", "a 1.0.0", "c 3.0.0"],
        );
    }

    #[test]
    fn version_6() {
        check(
            &PnpmLock,
            "pnpm-lock.yaml",
            b"lockfileVersion: '6.0'
dependencies:
  a:
    specifier: ^1.0.0
    version: 1.0.0(b@2.0.0)
packages:
  /a@1.0.0(b@2.0.0):
    resolution: {integrity: sha512-x}
    dev: false
  /@s/b@2.0.0:
    resolution: {integrity: sha512-x}
    dev: true
",
            &["@s/b 2.0.0 dev", "a 1.0.0"],
        );
    }

    #[test]
    fn packages_by_address_had_it_in_their_names() {
        let lock = b"lockfileVersion: '9.0'
importers:
  .:
    devDependencies:
      d: {specifier: 'git+ssh://git@h/d', version: 'git+ssh://git@h/d#00'}
packages:
  '@s/a@http://127.0.0.1:80/a-1.0.0.tgz': {resolution: {tarball: x}, version: 1.0.0}
  b@https://codeload.example.org/o/b/tar.gz/0a1b: {resolution: {tarball: x}, version: 2.0.0}
  c@https://example.org/c: {resolution: {tarball: x}}
  d@git+ssh://git@h/d#00: {resolution: {tarball: x}, version: 3.0.0}
  own@file:../own: {resolution: {directory: ../own}}
snapshots:
  d@git+ssh://git@h/d#00: {}
";
        let expected = ["@s/a 1.0.0", "b 2.0.0", "d 3.0.0 dev"];
        check(&PnpmLock, "pnpm-lock.yaml", lock, &expected);
        let (found, _) = analyze(&PnpmLock, "pnpm-lock.yaml", lock);
        let names: Vec<_> = found.unversioned.iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["c"]);
    }

    #[test]
    fn version_9_marks_only_direct_development_dependencies() {
        check(
            &PnpmLock,
            "pnpm-lock.yaml",
            b"lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      a: {specifier: ^1.0.0, version: 1.0.0(p@4.0.0)}
      own: {specifier: 'workspace:*', version: 'link:packages/own'}
    devDependencies:
      t: {specifier: ^5.0.0, version: 5.0.0}
      alias: {specifier: 'npm:@s/real@6.0.0', version: '@s/real@6.0.0'}
packages:
  '@s/real@6.0.0': {resolution: {integrity: sha512-x}}
  a@1.0.0: {resolution: {integrity: sha512-x}}
  both@2.0.0: {resolution: {integrity: sha512-x}}
  only@3.0.0: {resolution: {integrity: sha512-x}}
  p@4.0.0: {resolution: {integrity: sha512-x}}
  t@5.0.0: {resolution: {integrity: sha512-x}}
snapshots:
  '@s/real@6.0.0': {}
  a@1.0.0(p@4.0.0):
    dependencies: {both: 2.0.0, p: 4.0.0}
  both@2.0.0: {}
  only@3.0.0: {}
  p@4.0.0: {}
  t@5.0.0:
    dependencies: {both: 2.0.0, only: 3.0.0}
",
            &[
                "@s/real 6.0.0 dev",
                "a 1.0.0",
                "both 2.0.0",
                "only 3.0.0 dev",
                "p 4.0.0",
                "t 5.0.0 dev",
            ],
        );
    }
}
