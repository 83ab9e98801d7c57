use crate::analyzers::declared::Declared;
use crate::analyzers::graph::Graph;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `uv.lock` (<https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile>).
#[derive(Debug)]
pub struct UvLock;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Locked {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    source: Source,
    #[serde(default)]
    dependencies: Vec<Dependency>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, Vec<Dependency>>,
    #[serde(default)]
    dev_dependencies: BTreeMap<String, Vec<Dependency>>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// Only where the lockfile holds several versions of it.
    version: Option<String>,
}

#[derive(Deserialize, Default)]
struct Source {
    editable: Option<String>,
    #[serde(rename = "virtual")]
    virtual_: Option<String>,
    directory: Option<String>,
}

impl Locked {
    /// The project or a member of its workspace.
    fn is_own(&self) -> bool {
        let source = &self.source;
        source.editable.is_some() || source.virtual_.is_some() || source.directory.is_some()
    }
}

impl Analyzer for UvLock {
    fn name(&self) -> &'static str {
        "uv-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("uv.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let lock: Lock = document::toml(file)?;
        let graph = graph(&lock.package);
        let development = graph.development_only();
        let mut declared = Declared::new(PackageType::PyPi);
        for package in lock.package.iter().filter(|package| !package.is_own()) {
            let key = key(&package.name, &package.version);
            let only =
                development.contains(key.as_str()) || development.contains(package.name.as_str());
            declared.add(&package.name, &package.version, only);
        }
        declared.move_to(found);
        Ok(())
    }
}

/// Nodes are `name` or, where a dependency says which of several versions it means, `name==version`.
fn graph(packages: &[Locked]) -> Graph {
    let keys = |dependencies: &[Dependency]| -> Vec<String> {
        let key = |d: &Dependency| {
            d.version
                .as_deref()
                .map_or(d.name.clone(), |v| key(&d.name, v))
        };
        dependencies.iter().map(key).collect()
    };
    let mut graph = Graph::default();
    for package in packages {
        let mut needs = keys(&package.dependencies);
        needs.extend(
            package
                .optional_dependencies
                .values()
                .flat_map(|all| keys(all)),
        );
        if package.is_own() {
            graph.production.extend(needs);
            let development = package.dev_dependencies.values();
            graph
                .development
                .extend(development.flat_map(|all| keys(all)));
        } else {
            graph
                .needs
                .insert(key(&package.name, &package.version), needs.clone());
            graph
                .needs
                .entry(package.name.clone())
                .or_default()
                .extend(needs);
        }
    }
    graph
}

fn key(name: &str, version: &str) -> String {
    format!("{name}=={version}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::check;

    #[test]
    fn uv() {
        check(
            &UvLock,
            "uv.lock",
            br#"version = 1
requires-python = ">=3.12"

[[package]]
name = "a"
version = "1.0"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "both" }, { name = "two", version = "1.0", source = { registry = "x" } }]

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "a" }]

[package.optional-dependencies]
extra = [{ name = "e" }]

[package.dev-dependencies]
dev = [{ name = "t" }]

[[package]]
name = "both"
version = "2.0"

[[package]]
name = "e"
version = "3.0"

[[package]]
name = "only"
version = "4.0"

[[package]]
name = "t"
version = "5.0"
dependencies = [{ name = "both" }, { name = "only" }, { name = "two", version = "2.0" }]

[[package]]
name = "two"
version = "1.0"

[[package]]
name = "two"
version = "2.0"
"#,
            &[
                "a 1.0",
                "both 2.0",
                "e 3.0",
                "only 4.0 dev",
                "t 5.0 dev",
                "two 1.0",
                "two 2.0 dev",
            ],
        );
    }
}
