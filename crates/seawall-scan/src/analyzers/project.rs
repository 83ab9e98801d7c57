//! Projects that leave their packages' versions to a lockfile. They hold no package that could be
//! matched; where the lockfile is missing, `crate::unversioned` says so.

use super::{AnalyzeError, Analyzer, File, Found, Pattern, Wanted, document};
use seawall_model::PackageType;
use serde_json::Value as Json;
use toml::Value as Toml;

/// Reads the files in which people write down what their project needs.
#[derive(Debug)]
pub struct Project;

impl Analyzer for Project {
    fn name(&self) -> &'static str {
        "project"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[
            Pattern::Name("Cargo.toml"),
            Pattern::Name("Gemfile"),
            Pattern::Name("Package.swift"),
            Pattern::Name("Pipfile"),
            Pattern::Name("build.gradle"),
            Pattern::Name("build.gradle.kts"),
            Pattern::Name("composer.json"),
            Pattern::Name("mix.exs"),
            Pattern::Name("pubspec.yaml"),
            Pattern::Name("pyproject.toml"),
            Pattern::Extension("csproj"),
            Pattern::Extension("fsproj"),
            Pattern::Extension("vbproj"),
        ]
    }

    fn max_bytes(&self) -> u64 {
        8 << 20
    }

    /// A file that cannot be read is not told: it need not be a project's.
    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let Ok(text) = document::text(file) else {
            return Ok(());
        };
        let (_, name) = file.path.rsplit_once('/').unwrap_or(("", file.path));
        let toml = || document::toml::<Toml>(file).ok();
        let kind = match name {
            "Pipfile" => {
                for name in toml().iter().flat_map(pipfile) {
                    found.add_unversioned(Wanted::Requirement(PackageType::PyPi), &name, false);
                }
                return Ok(());
            }
            "pyproject.toml" => {
                for name in toml().iter().flat_map(pyproject) {
                    found.add_unversioned(Wanted::Requirement(PackageType::PyPi), &name, false);
                }
                return Ok(());
            }
            "Cargo.toml" if toml().is_some_and(|it| needs_crates(&it)) => PackageType::Cargo,
            "composer.json" if needs_libraries(file) => PackageType::Composer,
            "Gemfile" if has_line(&text, |line| line.starts_with("gem ")) => PackageType::Gem,
            "Package.swift" if has_line(&text, |line| line.contains(".package(")) => {
                PackageType::Swift
            }
            "build.gradle" | "build.gradle.kts" if has_line(&text, is_gradle_dependency) => {
                PackageType::Maven
            }
            "mix.exs" if has_line(&text, |line| line.starts_with("{:")) => PackageType::Hex,
            "pubspec.yaml" if needs_pub_packages(file) => PackageType::Pub,
            _ if name.ends_with("proj") && text.contains("<PackageReference") => PackageType::NuGet,
            _ => return Ok(()),
        };
        found.add_unversioned(Wanted::Project(kind), name, false);
        Ok(())
    }
}

fn has_line(text: &str, is_it: impl Fn(&str) -> bool) -> bool {
    text.lines().any(|line| is_it(line.trim_start()))
}

/// `implementation "group:name:1.0"`, `api(libs.name)` (Gradle, "Declaring dependencies").
fn is_gradle_dependency(line: &str) -> bool {
    let configuration = line.split(|c: char| !c.is_ascii_alphanumeric()).next();
    matches!(
        configuration,
        Some("api" | "compile" | "compileOnly" | "implementation" | "runtime" | "runtimeOnly")
    )
}

/// Packages of the index (pipenv.pypa.io, "Pipfile"), not directories of the project's own.
fn pipfile(file: &Toml) -> Vec<String> {
    let packages = file.get("packages").and_then(Toml::as_table);
    names_from_elsewhere(packages)
}

/// What the project itself needs (PyPA, "pyproject.toml specification"), in Poetry's own table too.
fn pyproject(file: &Toml) -> Vec<String> {
    let standard = file.get("project").and_then(|it| it.get("dependencies"));
    let requirements = standard.and_then(Toml::as_array).into_iter().flatten();
    let mut names: Vec<String> = requirements
        .filter_map(|it| it.as_str())
        .filter_map(|it| it.split(|c| !is_of_a_name(c)).next())
        .map(str::to_owned)
        .collect();
    let poetry = file.get("tool").and_then(|it| it.get("poetry"));
    let poetry = poetry.and_then(|it| it.get("dependencies"));
    names.extend(names_from_elsewhere(poetry.and_then(Toml::as_table)));
    names.retain(|name| !name.is_empty() && name != "python");
    names
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn names_from_elsewhere(table: Option<&toml::Table>) -> Vec<String> {
    let entries = table.into_iter().flatten();
    let elsewhere = entries.filter(|(_, value)| value.get("path").is_none());
    elsewhere.map(|(name, _)| name.clone()).collect()
}

/// Whether it has dependencies that are not of the workspace's own (The Cargo Book, "Specifying
/// Dependencies").
fn needs_crates(file: &Toml) -> bool {
    let targets = file.get("target").and_then(Toml::as_table);
    let targets = targets.into_iter().flatten().map(|(_, target)| target);
    let tables = [Some(file), file.get("workspace")];
    tables.into_iter().flatten().chain(targets).any(|table| {
        let wanted = table.get("dependencies").and_then(Toml::as_table);
        !names_from_elsewhere(wanted).is_empty()
    })
}

/// Whether it needs more than PHP and its extensions, whose names have no vendor.
fn needs_libraries(file: &File<'_>) -> bool {
    let file: Json = document::json(file).unwrap_or_default();
    let wanted = file.get("require").and_then(Json::as_object);
    wanted.is_some_and(|it| it.keys().any(|name| name.contains('/')))
}

/// Whether it needs more than the SDK and directories of its own (dart.dev, "The pubspec file").
fn needs_pub_packages(file: &File<'_>) -> bool {
    let Ok(documents) = document::yaml::<Json>(file) else {
        return false;
    };
    documents.iter().any(|document| {
        let wanted = document.get("dependencies").and_then(Json::as_object);
        wanted.is_some_and(|it| {
            it.values()
                .any(|value| value.get("sdk").is_none() && value.get("path").is_none())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::analyze;

    #[test]
    fn projects_are_told_that_need_what_only_a_lockfile_pins() {
        for (path, text, expected) in [
            (
                "a/Pipfile",
                "[packages]\nflask = '*'\n'own' = {path = '.'}\n[dev-packages]\nx = '*'",
                &["flask"][..],
            ),
            (
                "a/pyproject.toml",
                "[project]\ndependencies = ['a_b[c]>=1 ; x', 'd']",
                &["a_b", "d"],
            ),
            (
                "pyproject.toml",
                "[tool.poetry.dependencies]\npython = '3'\ne = '^1'",
                &["e"],
            ),
            ("pyproject.toml", "[tool.black]\nline-length = 1", &[]),
            ("pyproject.toml", "[tool", &[]),
            ("Cargo.toml", "[dependencies]\nserde = '1'", &["Cargo.toml"]),
            (
                "Cargo.toml",
                "[target.'cfg(unix)'.dependencies]\nlibc = {version='1'}",
                &["Cargo.toml"],
            ),
            (
                "Cargo.toml",
                "[package]\nname='x'\n[dependencies]\nown = {path='../own'}",
                &[],
            ),
            (
                "composer.json",
                r#"{"require": {"php": "8", "a/b": "^1"}}"#,
                &["composer.json"],
            ),
            ("composer.json", r#"{"require": {"php": "8"}}"#, &[]),
            ("Gemfile", "source 'x'\n  gem 'rails'", &["Gemfile"]),
            ("Gemfile", "source 'x'\ngemspec", &[]),
            (
                "x/build.gradle.kts",
                "dependencies {\n  api(libs.a)\n}",
                &["build.gradle.kts"],
            ),
            ("build.gradle", "apply plugin: 'java'", &[]),
            (
                "Package.swift",
                "dependencies: [\n.package(url: \"x\")]",
                &["Package.swift"],
            ),
            (
                "mix.exs",
                "defp deps do\n [\n  {:plug, \"~> 1\"}]",
                &["mix.exs"],
            ),
            (
                "pubspec.yaml",
                "dependencies:\n  http: ^1.0.0",
                &["pubspec.yaml"],
            ),
            (
                "pubspec.yaml",
                "dependencies:\n  flutter:\n    sdk: flutter",
                &[],
            ),
            (
                "x/a.csproj",
                "<PackageReference Include='x' Version='1'/>",
                &["a.csproj"],
            ),
            ("x/a.csproj", "<Project/>", &[]),
        ] {
            let (found, _) = analyze(&Project, path, text.as_bytes());
            let names: Vec<&str> = found.unversioned.iter().map(|one| &*one.name).collect();
            assert_eq!(names, expected, "{path}: {text}");
            assert!(found.packages.is_empty() && found.incomplete.is_empty());
        }
    }
}
