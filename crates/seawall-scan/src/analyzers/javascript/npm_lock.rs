use super::{is_address, is_version, split_descriptor};
use crate::analyzers::declared::Declared;
use crate::analyzers::document::nullable;
use crate::analyzers::licenses::Licenses;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, Wanted, document};
use seawall_model::PackageType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `package-lock.json` and `npm-shrinkwrap.json`, lockfile versions 1 to 3
/// (<https://docs.npmjs.com/cli/configuring-npm/package-lock-json>).
#[derive(Debug)]
pub struct NpmLock;

#[derive(Deserialize)]
struct Lock {
    /// Versions 2 and 3: by path from the project's root.
    packages: Option<BTreeMap<String, Located>>,
    /// Version 1, and version 2 for old readers: by name, nested.
    #[serde(default, deserialize_with = "nullable")]
    dependencies: BTreeMap<String, Nested>,
}

#[derive(Deserialize)]
struct Located {
    /// Only where it differs from the path: an alias.
    name: Option<String>,
    version: Option<String>,
    #[serde(default)]
    license: Licenses,
    /// A symbolic link to a workspace.
    #[serde(default)]
    link: bool,
    #[serde(default)]
    dev: bool,
}

#[derive(Deserialize)]
struct Nested {
    /// A version, or a URL, a path, or `npm:name@version`.
    #[serde(default, deserialize_with = "nullable")]
    version: String,
    #[serde(default)]
    dev: bool,
    #[serde(default, deserialize_with = "nullable")]
    dependencies: BTreeMap<String, Nested>,
}

impl Analyzer for NpmLock {
    fn name(&self) -> &'static str {
        "npm-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[
            Pattern::Name("package-lock.json"),
            Pattern::Name("npm-shrinkwrap.json"),
        ]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        if is_of_an_installed_package(file.path) {
            return Ok(());
        }
        let lock: Lock = document::json(file)?;
        let mut declared = Declared::new(PackageType::Npm);
        match lock.packages {
            Some(packages) => add_located(packages, &mut declared),
            None => add_nested(&lock.dependencies, &mut declared, found),
        }
        declared.move_to(found);
        Ok(())
    }
}

/// Packages are published with their own lockfiles by accident. npm ignores them, and what is
/// really installed below `node_modules` is seen there.
pub(super) fn is_of_an_installed_package(path: &str) -> bool {
    path.starts_with("node_modules/")
        || path.contains("/node_modules/")
        || path.starts_with("usr/share/nodejs/")
}

fn add_located(packages: BTreeMap<String, Located>, declared: &mut Declared) {
    for (path, package) in packages {
        // The root and the workspaces are the project's own.
        let Some((_, installed_as)) = path.rsplit_once("node_modules/") else {
            continue;
        };
        if package.link {
            continue;
        }
        let name = package.name.as_deref().unwrap_or(installed_as);
        let version = package.version.as_deref().unwrap_or_default();
        declared.add_licensed(name, version, package.dev, package.license.0);
    }
}

/// Recursion is as deep as the JSON was, which serde_json limits to 128.
fn add_nested(dependencies: &BTreeMap<String, Nested>, declared: &mut Declared, found: &mut Found) {
    for (name, package) in dependencies {
        let version = package.version.as_str();
        let (name, version) = match version.strip_prefix("npm:").and_then(split_descriptor) {
            Some(alias) => alias,
            None => (name.as_str(), version),
        };
        if is_version(version) {
            declared.add(name, version, package.dev);
        } else if let Some(version) = version_in_tarball_url(name, version) {
            declared.add(name, version, package.dev);
        } else if is_address(version) {
            let wanted = Wanted::Elsewhere(PackageType::Npm);
            found.add_unversioned(wanted, name, package.dev);
        }
        add_nested(&package.dependencies, declared, found);
    }
}

/// `1.2.3` of `https://host/name/-/name-1.2.3.tgz`. Git commits and local paths have no version
/// that advisories speak of.
pub(super) fn version_in_tarball_url<'a>(name: &str, url: &'a str) -> Option<&'a str> {
    if !url.starts_with("http") {
        return None;
    }
    let (_, file) = url.rsplit_once('/')?;
    let unscoped = name.rsplit('/').next()?;
    let version = file
        .strip_prefix(unscoped)?
        .strip_prefix('-')?
        .split_once(".tgz")?
        .0;
    is_version(version).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    #[test]
    fn version_1_is_nested() {
        check(
            &NpmLock,
            "app/package-lock.json",
            br#"{"name": "app", "version": "1.0.0", "lockfileVersion": 1, "dependencies": {
                "a": {"version": "1.0.0", "dependencies": {
                    "b": {"version": "0.9.0", "dev": true}}},
                "b": {"version": "1.1.0"},
                "alias": {"version": "npm:@s/real@2.0.0"},
                "git": {"version": "git+ssh://git@example.org/x.git#0a1b2c"},
                "local": {"version": "file:../local"},
                "tar": {"version": "https://example.org/tar/-/tar-6.0.0.tgz"}
            }}"#,
            &[
                "a 1.0.0",
                "b 0.9.0 dev",
                "@s/real 2.0.0",
                "b 1.1.0",
                "tar 6.0.0",
            ],
        );
    }

    #[test]
    fn fields_that_are_null_or_twice_in_an_object_cost_the_whole_file() {
        let lock = br#"{"dependencies": {"a": {"version": "1.0.0", "dependencies": null},
            "b": {"version": "1.0.0", "version": "2.0.0"}, "c": {"version": null}}}"#;
        check(&NpmLock, "package-lock.json", lock, &["a 1.0.0", "b 2.0.0"]);
    }

    #[test]
    fn packages_by_address_were_passed_over_in_silence() {
        let lock = br#"{"dependencies": {
            "git": {"version": "git+ssh://git@example.org/x.git#0a1b2c", "dev": true},
            "local": {"version": "file:../local"}}}"#;
        let (found, _) = analyze(&NpmLock, "package-lock.json", lock);
        let [git] = &*found.unversioned else {
            panic!("{:?}", found.unversioned);
        };
        assert_eq!((&*git.name, git.development), ("git", true));
    }

    #[test]
    fn versions_2_and_3_go_by_path() {
        check(
            &NpmLock,
            "npm-shrinkwrap.json",
            br#"{"name": "app", "lockfileVersion": 3, "packages": {
                "": {"name": "app", "version": "1.0.0"},
                "packages/own": {"version": "1.0.0"},
                "node_modules/own": {"resolved": "packages/own", "link": true},
                "node_modules/a": {"version": "1.0.0", "license": "MIT"},
                "node_modules/b": {"version": "2.0.0", "dev": true},
                "node_modules/a/node_modules/b": {"version": "2.0.0"},
                "node_modules/c": {"version": "3.0.0", "dev": true},
                "node_modules/d": {"version": "4.0.0", "devOptional": true},
                "node_modules/x": {"name": "@s/real", "version": "5.0.0"}
            }, "dependencies": {"old": {"version": "0.0.1"}}}"#,
            &[
                "a 1.0.0 [MIT]",
                "b 2.0.0",
                "c 3.0.0 dev",
                "d 4.0.0",
                "@s/real 5.0.0",
            ],
        );
    }

    #[test]
    fn lockfiles_inside_installed_packages_are_not_in_force() {
        check(
            &NpmLock,
            "node_modules/a/package-lock.json",
            b"{\"dependencies\": {\"b\": {\"version\": \"1.0.0\"}}}",
            &[],
        );
    }
}
