use super::{is_from_elsewhere, split_descriptor};
use crate::analyzers::licenses::Licenses;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, Wanted, document};
use seawall_model::{Evidence, Package, PackageType};
use serde::Deserialize;
use serde_json::Value;

/// Installed packages: the `package.json` at the root of a package in a `node_modules` directory,
/// in Debian's directory of node modules, or of the yarn that the official node images carry.
///
/// A `package.json` elsewhere describes a project, not something installed: a private application
/// called `web` is not the package `web` of the registry. Its dependencies are found in its
/// lockfile and in its `node_modules`; without these, it only says that it wants them.
///
/// A link in `node_modules` to such a project is how npm installs what is not from its registry, the
/// project's own workspaces among them. One that says that it is private cannot be the registry's.
#[derive(Debug)]
pub struct PackageJson;

/// The fields that are read, <https://docs.npmjs.com/cli/configuring-npm/package-json>. Old
/// packages hold other types than the documentation says, hence [`Value`].
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    name: Value,
    #[serde(default)]
    version: Value,
    #[serde(default)]
    license: Licenses,
    #[serde(default)]
    licenses: Licenses,
    #[serde(default)]
    private: Value,
}

impl Analyzer for PackageJson {
    fn name(&self) -> &'static str {
        "npm-package"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("package.json")]
    }

    fn max_bytes(&self) -> u64 {
        16 << 20
    }

    fn counts_at(&self, path: &str) -> bool {
        is_installed(path)
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let is_installed = is_installed(file.path);
        if !is_installed && !file.path.contains("node_modules/") {
            add_wanted(file, found);
        }
        let manifest: Manifest = document::json(file)?;
        if !is_installed && manifest.private == Value::Bool(true) {
            return Ok(());
        }
        let (Some(name), Some(version)) = (manifest.name.as_str(), manifest.version.as_str())
        else {
            // Packages mark the directories of their builds with a `package.json` that has only a
            // `type`.
            return Ok(());
        };
        // `v1.2.3` and `=1.2.3` are installed as 1.2.3, as npm's own parser reads them.
        let version = version.trim().trim_start_matches(['=', 'v']);
        if name.is_empty() || version.is_empty() {
            return Ok(());
        }
        let mut package = Package::new(PackageType::Npm, name, version, Evidence::Installed);
        package.licenses = match manifest.license.0.is_empty() {
            true => manifest.licenses.0,
            false => manifest.license.0,
        };
        found.add(package);
        Ok(())
    }
}

/// What a project wants to have installed. A file that cannot be read is not told: it need not be a
/// project's.
fn add_wanted(file: &File<'_>, found: &mut Found) {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Project {
        #[serde(default)]
        dependencies: Value,
        #[serde(default)]
        optional_dependencies: Value,
    }
    let Ok(project) = document::json::<Project>(file) else {
        return;
    };
    for wanted in [&project.dependencies, &project.optional_dependencies] {
        for (name, version) in wanted.as_object().into_iter().flatten() {
            if let Some(version) = version.as_str().filter(|it| is_from_elsewhere(it)) {
                // It is found by its real name.
                let alias = version.strip_prefix("npm:").and_then(split_descriptor);
                let name = alias.map_or(&**name, |(real, _)| real);
                found.add_unversioned(Wanted::Dependency, name, false);
            }
        }
    }
}

/// Whether the path is that of an installed package's own manifest, not of a file deeper inside.
fn is_installed(path: &str) -> bool {
    let Some(directory) = path.strip_suffix("/package.json") else {
        return false;
    };
    let after = |marker: &str| directory.rsplit_once(marker).map(|(_, rest)| rest);
    if let Some(name) = after("node_modules/") {
        return is_package_name(name);
    }
    if let Some(name) = after("usr/share/nodejs/") {
        return is_package_name(name);
    }
    after("opt/").is_some_and(|name| name.starts_with("yarn-v") && is_package_name(name))
}

fn is_package_name(path: &str) -> bool {
    match path.strip_prefix('@') {
        Some(scoped) => scoped.split('/').count() == 2,
        None => !path.contains('/') && !path.starts_with('.'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    #[test]
    fn only_the_roots_of_installed_packages_count() {
        let manifest = br#"{"name": "a", "version": "1.0.0", "license": "MIT"}"#;
        for (path, installed) in [
            ("app/node_modules/a/package.json", true),
            ("app/node_modules/@s/a/package.json", true),
            ("app/node_modules/b/node_modules/a/package.json", true),
            ("usr/lib/node_modules/npm/package.json", true),
            ("usr/share/nodejs/a/package.json", true),
            ("usr/share/nodejs/@s/a/package.json", true),
            ("opt/yarn-v1.22.22/package.json", true),
            (
                "app/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json",
                true,
            ),
            ("app/package.json", false),
            ("package.json", false),
            ("app/node_modules/a/test/fixture/package.json", false),
            ("app/node_modules/.cache/package.json", false),
        ] {
            check(&PackageJson, path, manifest, &["a 1.0.0 [MIT]"]);
            assert_eq!(PackageJson.counts_at(path), installed, "{path}");
        }
    }

    #[test]
    fn what_a_project_wants_was_passed_over_in_silence() {
        let manifest = br#"{"name": "web", "version": "1.0.0",
            "dependencies": {"a": "^1.0.0", "own": "workspace:*", "own2": "../own2", "b": 1},
            "optionalDependencies": {"@s/c": "latest"}, "devDependencies": {"d": "1"}}"#;
        let wanted = |path| {
            let (found, result) = analyze(&PackageJson, path, manifest);
            assert!(result.is_ok(), "{path}");
            let names = found.unversioned.into_iter().map(|one| one.name);
            names.collect::<Vec<_>>()
        };
        assert_eq!(wanted("app/package.json"), ["a", "@s/c"]);
        assert_eq!(wanted("node_modules/a/package.json"), [""; 0]);
        assert_eq!(wanted("node_modules/a/test/package.json"), [""; 0]);
    }

    #[test]
    fn a_private_workspace_is_not_the_package_of_the_registry() {
        for (path, manifest, expected) in [
            ("packages/a", r#"{"name":"a","version":"1"}"#, &["a 1"][..]),
            (
                "packages/a",
                r#"{"name":"a","version":"1","private":true}"#,
                &[],
            ),
            (
                "node_modules/a",
                r#"{"name":"a","version":"1","private":true}"#,
                &["a 1"],
            ),
        ] {
            let path = format!("{path}/package.json");
            check(&PackageJson, &path, manifest.as_bytes(), expected);
        }
    }

    #[test]
    fn a_package_under_another_name_was_said_to_be_missing() {
        let manifest = br#"{"dependencies": {"alias": "npm:@s/real@^1.0.0"}}"#;
        let (found, _) = analyze(&PackageJson, "package.json", manifest);
        let names: Vec<_> = found.unversioned.iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["@s/real"]);
    }

    #[test]
    fn fields_of_other_types_are_tolerated() {
        for (manifest, expected) in [
            (
                r#"{"name":"a","version":"v1.0.0","license":{"type":"MIT"}}"#,
                &["a 1.0.0 [MIT]"][..],
            ),
            (
                r#"{"name":"a","version":"1.0.0","licenses":[{"type":"MIT"},"BSD"]}"#,
                &["a 1.0.0 [MIT, BSD]"],
            ),
            (
                r#"{"name":"a","version":"1.0.0","license":"GPL","license":"MIT"}"#,
                &["a 1.0.0 [MIT]"],
            ),
            (r#"{"name":"a","version":1}"#, &[]),
            (r#"{"type":"module"}"#, &[]),
        ] {
            check(
                &PackageJson,
                "node_modules/a/package.json",
                manifest.as_bytes(),
                expected,
            );
        }
    }

    #[test]
    fn damage_is_reported() {
        let (_, result) = analyze(&PackageJson, "node_modules/a/package.json", b"{\"name\":");
        assert!(result.is_err());
    }
}
